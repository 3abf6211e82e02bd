"""`docs/abi.md` is enough: guests written by hand from it run on a host on another runtime that was written from it, and both on ours.

That host passes the conformance cases of the host modules that it has, and ends the calls of guests that break the ABI.
"""

from __future__ import annotations

import importlib.util
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from purewasm import Runtime, WasmError
from purewasm.hostmod import AbiError
from purewasm.hostmod.codec import decode
from purewasm_atomic import Atomics
from purewasm_global import Globals

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "by_specification"
VERSION_0 = FOLDER / "version_0.wat"
VERSION_1 = FOLDER / "version_1.wat"
CALLS = Callable[..., Any]


def _host_on_wasmtime() -> ModuleType:
    pytest.importorskip("wasmtime", reason="needs wasmtime, another runtime")
    spec = importlib.util.spec_from_file_location("host_on_wasmtime", FOLDER / "host_on_wasmtime.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Started:
    """A host, whatever runs it, with values; and how to call a guest of it."""

    def __init__(self, start: Callable[[Path], CALLS], settings: Any, refused: type[Exception]) -> None:
        self.start, self.settings, self.refused = start, settings, refused


@pytest.fixture(params=["interpreter", "compiler", "wasmtime"])
def host(request: pytest.FixtureRequest) -> Iterator[Started]:
    if request.param == "wasmtime":
        theirs = _host_on_wasmtime()
        made = theirs.Host({})

        def start_there(path: Path) -> CALLS:
            content = path.read_text() if path.suffix == ".wat" else path.read_bytes()
            exports = made.instantiate(content).exports(made.store)
            return lambda name, *arguments: exports[name](made.store, *arguments)

        yield Started(start_there, made.values, theirs.Refused)
        return
    try:
        runtime = Runtime(engine=request.param)
    except WasmError as error:
        pytest.skip(str(error))
    settings = Globals()

    def start_here(path: Path) -> CALLS:
        exports: Any = runtime.instantiate(path).exports
        return lambda name, *arguments: exports[name](*arguments)

    with runtime:
        settings.register(runtime)
        Atomics().register(runtime)
        yield Started(start_here, settings, AbiError)


def test_a_guest_of_version_0(host: Started) -> None:
    call, other = host.start(VERSION_0), host.start(VERSION_0)
    assert call("retries") == 3
    host.settings["RETRIES"] = 2**63 - 1
    assert call("retries") == 2**63 - 1
    assert [call("ticket", 1, 7), other("ticket", 1, 7), call("ticket", 2, 7)] == [1, 2, 1]


def test_a_guest_of_version_1(host: Started) -> None:
    call = host.start(VERSION_1)
    assert call("sum") == 103
    host.settings.update({"RETRIES": 5, "LIMIT": 6})
    assert call("sum") == 11
    assert call("unknown") == 8
    with pytest.raises(host.refused):
        call("wrong")
    assert call("list") == 1 + len("LIMIT") + 1 + len("RETRIES") + 1
    assert call("fetch") == 1


@pytest.mark.parametrize("language", ["c", "zig"])
def test_a_guest_of_our_sdk(host: Started, language: str) -> None:
    call = host.start(Path(__file__).parents[1] / "guests" / "global" / language / "guest.wasm")
    call("testGet")
    host.settings.update({"TEST_BOOL": 0, "TEST_UINT64": 43, "TEST_DURATION": 1_000_000_000})
    call("testOverride")


# ---- the conformance cases, on the other runtime

MAILBOX, BUFFER, CAPACITY = 64, 1_024, 60_000
HONEST = {"magic": 0x31424D48, "major": 1, "minor": 0, "buffer": BUFFER, "capacity": CAPACITY, "flags": 0}


def _cases(name: str) -> Any:
    return json.loads((ROOT / "hostmods" / name / "tests" / "abi_cases.json").read_text())


@pytest.mark.parametrize("case", _cases("global")["cases"], ids=lambda case: case["name"])
def test_the_cases_of_version_1(case: Any) -> None:
    theirs = _host_on_wasmtime()
    made = theirs.Host({})
    guest = f"""(module (import "purewasm/globals@1" "__globals_call" (func $call)) (memory (export "memory") 1)
        (func (export "__globals") (result i32) (i32.const {MAILBOX})) (func (export "call") (call $call)))"""
    exports = made.instantiate(guest).exports(made.store)
    for step in case["steps"]:
        request = bytes.fromhex(step["request"])
        fields = {**HONEST, "length": len(request), **step.get("mailbox", {})}
        if fields["buffer"] == BUFFER:
            exports["memory"].write(made.store, request, BUFFER)
        words = [fields[name] for name in ("magic", "major", "minor")] + [step["operation"], -1]
        words += [fields[name] for name in ("buffer", "capacity", "length", "flags")] + [0]
        exports["memory"].write(made.store, struct.pack("<IHHIiIIIIQ", *words), MAILBOX)
        if step.get("refused"):
            with pytest.raises(theirs.Refused):
                exports["call"](made.store)
            continue
        exports["call"](made.store)
        status, _, _, length, flags = struct.unpack("<iIIII", exports["memory"].read(made.store, MAILBOX + 12, MAILBOX + 32))
        assert (status, bool(flags)) == (step["status"], step.get("kept", False))
        if "reply" in step:
            assert decode(bytes(exports["memory"].read(made.store, BUFFER, BUFFER + length))) == decode(bytes.fromhex(step["reply"]))


@pytest.mark.parametrize("case", _cases("atomic")["cases"], ids=lambda case: case["name"])
def test_the_cases_of_version_0(case: Any) -> None:
    theirs = _host_on_wasmtime()
    made = theirs.Host({})
    kinds = _cases("atomic")["page"]["entries"]
    names = ["add", "load", "store", "del"]
    imports = "".join(f'(import "pantopic/wazero-atomic" "__atomic_uint64_{name}" (func ${name}))' for name in names)
    calls = "".join(f'(func (export "__atomic_uint64_{name}") (call ${name}))' for name in names)
    page = case.get("page", 16)
    entries = [case.get("entries", {}).get(str(entry), 256 + 8 * entry) for entry in range(len(kinds))]
    address = f'(func (export "__atomic") (result i32) (i32.const {page - (page >> 31 << 32)}))'
    exports = made.instantiate(f'(module {imports} (memory (export "memory") 1) {address} {calls})').exports(made.store)
    exports["memory"].write(made.store, struct.pack(f"<{len(entries)}I", *entries), 16)
    for step in case["steps"]:
        for entry, value in step.get("write", {}).items():
            if entries[int(entry)] < 65_536:
                exports["memory"].write(made.store, value.to_bytes(8 if kinds[int(entry)] == "u64" else 4, "little"), entries[int(entry)])
        if step.get("refused"):
            with pytest.raises(theirs.Refused):
                exports[step["import"]](made.store)
            continue
        exports[step["import"]](made.store)
        for entry, value in step.get("read", {}).items():
            at, size = entries[int(entry)], 8 if kinds[int(entry)] == "u64" else 4
            assert int.from_bytes(exports["memory"].read(made.store, at, at + size), "little") == value
