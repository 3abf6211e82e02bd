"""The conformance cases of a host module: what the ABI file says, and for each operation what every host must refuse."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import msgpack  # type: ignore[import-untyped]

from purewasm_guest.gen.abi_file import AbiFile, Case, CaseStep, Operation, status_number

FORMAT: Final = 1
_UNKNOWN: Final = 0xFFFF_FFFE
_WRONG: Final[dict[str, tuple[object, ...]]] = {
    "bool": (0, "true", None), "str": (b"x", 1, None), "bytes": ("x", [1], None), "f64": ("1.5", None, True),
    "i32": (1 << 31, -(1 << 31) - 1, "1", 1.5, True), "u32": (1 << 32, -1, "1", None), "i64": (1 << 63, "1", 1.5),
    "u64": (-1, "1", 1.5, False),
}  # fmt: skip
_SAMPLE: Final[dict[str, object]] = {
    "bool": True, "str": "x", "bytes": b"x", "f64": 1.5, "i32": -1, "u32": 1, "i64": -1, "u64": 1, "value": None,
}  # fmt: skip
_DAMAGED: Final = {
    "empty": b"", "no array": b"\x80", "cut off": b"\x92\x01", "two values": b"\x90\x90", "reserved byte": b"\xc1",
    "array of 2**32 - 1": b"\xdd\xff\xff\xff\xff", "text of 2**32 - 1": b"\x91\xdb\xff\xff\xff\xff",
    "nested 2,000 deep": b"\x91" * 2_000 + b"\xc0",
    "no UTF-8": b"\x91\xa2\xc3\x28", "extension type": b"\x91\xd4\x01\x00", "timestamp": b"\x91\xd6\xff\x00\x00\x00\x00",
}  # fmt: skip
_MAILBOXES: Final[dict[str, dict[str, int]]] = {
    "wrong magic": {"magic": 0x31424D49},
    "newer major version": {"major": 0xFFFF},
    "buffer outside the memory": {"buffer": 0xFFFF_FF00, "capacity": 64, "length": 0},
    "capacity past the memory": {"capacity": 0xFFFF_FFFF, "length": 0},
    "length over the capacity": {"capacity": 8, "length": 9},
}


def _pack(value: object) -> str:
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed.hex()


def _refused(operation: int, request: str, **mailbox: int) -> dict[str, object]:
    return {"operation": operation, "request": request, "refused": True} | ({"mailbox": mailbox} if mailbox else {})


def _sample(kind: str) -> object:
    return [] if kind.startswith("list<") else _SAMPLE[kind]


def _wrong(kind: str) -> Sequence[object]:
    if kind.startswith("list<"):
        return (None, "x", *([wrong] for wrong in _WRONG[kind[5:-1]]))
    return _WRONG.get(kind, ())


def _operation_cases(operation: Operation) -> list[dict[str, object]]:
    number, arguments = operation.number, operation.arguments
    samples = [_sample(field.type) for field in arguments]
    required = sum(field.default is None for field in arguments)
    counts = [count for count in (required - 1, len(arguments) + 1) if count >= 0]
    steps = [_refused(number, _pack((samples * 2 + [None])[:count])) for count in counts]
    cases: list[dict[str, object]] = [{"name": f"{operation.name}: wrong number of arguments", "steps": steps}]
    for position, field in enumerate(arguments):
        steps = [
            _refused(number, _pack([*samples[:position], wrong, *samples[position + 1 :]])) for wrong in _wrong(field.type)
        ]
        if steps:
            cases.append({"name": f"{operation.name}: {field.name} is no {field.type}", "steps": steps})
    steps = [_refused(number, body.hex()) for body in _DAMAGED.values()]
    cases.append({"name": f"{operation.name}: {', '.join(_DAMAGED)}", "steps": steps})
    return cases


def _own_case(abi: AbiFile, case: Case) -> dict[str, object]:
    return {"name": case.name, "steps": [_own_step(abi, step) for step in case.steps]}


def _own_step(abi: AbiFile, step: CaseStep) -> dict[str, object]:
    found: dict[str, object] = {"operation": step.operation.number, "request": _pack(list(step.arguments))}
    found["status"] = status_number(abi, step.status)
    if not step.any_result and step.status == "OK":
        found["reply"] = _pack(step.result)
    return found


def write(abi: AbiFile) -> str:
    """The JSON text."""
    first = abi.operations[0].number
    cases = [_own_case(abi, case) for case in abi.cases]
    cases.append({"name": "an unknown operation", "steps": [{"operation": _UNKNOWN, "request": "90", "status": 8}]})
    unknown = {"operation": first, "request": "90", "mailbox": {"flags": 4}, "status": 8}
    nothing = {"operation": first, "request": "", "mailbox": {"flags": 1}, "status": 1}
    cases += [{"name": "unknown flags", "steps": [unknown]}, {"name": "fetch of nothing", "steps": [nothing]}]
    cases += [{"name": name, "steps": [_refused(first, "90", **fields)]} for name, fields in _MAILBOXES.items()]
    for operation in abi.operations:
        cases += _operation_cases(operation)
    head = {"format": FORMAT, "note": "Written by `purewasm gen`.", "module": abi.import_name, "version": list(abi.version)}
    content = head | {"cases": cases}
    return json.dumps(content, indent=1) + "\n"
