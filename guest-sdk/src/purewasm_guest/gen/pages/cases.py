"""The conformance cases of a host module of version 0: what the ABI file says, and the pages and pointers that every host must refuse."""

from __future__ import annotations

import json
from typing import Final

from purewasm_guest.gen.pages.page_file import PageCall, PageCell, PageFile, PageStep

FORMAT: Final = 1
MEMORY_BYTES: Final = 65_536
_OUTSIDE: Final = (MEMORY_BYTES, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
_CAPACITY: Final = 4_096
"""Of every buffer in the cases."""


def _json(value: object) -> object:
    """Bytes are written as hexadecimal text."""
    return value.hex() if isinstance(value, bytes) else value.encode().hex() if isinstance(value, str) else value


def _cells(abi: PageFile, call: PageCall, arguments: tuple[object, ...]) -> dict[str, object]:
    """What the guest writes before a call, by entry."""
    found: dict[str, object] = {str(cell.entry): _CAPACITY for cell in abi.cells if cell.is_buffer}
    for cell, value in zip(call.takes, arguments, strict=True):
        data = _json(value)
        if cell.is_buffer:
            found[str(cell.entry + 1)], found[str(cell.entry + 2)] = len(str(data)) // 2, data
        else:
            found[str(cell.entry)] = data
    return found


def _step(abi: PageFile, step: PageStep) -> dict[str, object]:
    found: dict[str, object] = {"import": step.call.imported, "write": _cells(abi, step.call, step.arguments)}
    if step.ends:
        return found | {"ended": True}
    given = step.call.gives
    if given is not None and not step.any_result:
        data = _json(step.result)
        if given.is_buffer:
            return found | {"read": {str(given.entry + 1): len(str(data)) // 2, str(given.entry + 2): data}}
        return found | {"read": {str(given.entry): data}}
    return found


def _sample(abi: PageFile, call: PageCall) -> dict[str, object]:
    return _cells(abi, call, tuple(b"x" if cell.is_buffer else 0 for cell in call.takes))


def _refused(abi: PageFile, call: PageCall, **writes: int) -> dict[str, object]:
    return {"import": call.imported, "write": _sample(abi, call) | writes, "refused": True}


def _pages(abi: PageFile) -> list[dict[str, object]]:
    first = abi.calls[0]
    steps = [_refused(abi, first)]
    places = (MEMORY_BYTES - 4 * abi.entries + 1, *_OUTSIDE)
    cases: list[dict[str, object]] = [{"name": f"page at 0x{place:x}", "page": place, "steps": steps} for place in places]
    for cell in abi.cells:
        parts = [("capacity", 0), ("length", 1)] if cell.is_buffer else [("cell", 0)]
        for part, offset in parts:
            for place in _OUTSIDE:
                name = f"{part} of {cell.name} at 0x{place:x}"
                cases.append({"name": name, "entries": {str(cell.entry + offset): place}, "steps": steps})
    if abi.entries > 1:
        cases.append({"name": "all cells at one address", "entries": {str(entry): 256 for entry in range(abi.entries)}, "steps": steps})
    return cases


def _buffer(abi: PageFile, cell: PageCell) -> list[dict[str, object]]:
    reader = next((call for call in abi.calls if cell in call.takes), None)
    if reader is None:
        return []
    capacity, length, place = str(cell.entry), str(cell.entry + 1), str(cell.entry + 2)
    cases: list[dict[str, object]] = [
        {"name": f"{cell.name}: length over capacity", "steps": [_refused(abi, reader, **{capacity: 8, length: 9})]},
        {"name": f"{cell.name}: length of 2**32 - 1", "steps": [_refused(abi, reader, **{length: 0xFFFF_FFFF})]},
        {"name": f"{cell.name}: capacity past the memory", "steps": [_refused(abi, reader, **{capacity: MEMORY_BYTES})]},
        {"name": f"{cell.name}: capacity that wraps", "steps": [_refused(abi, reader, **{capacity: 0xFFFF_FFFF})]},
        {"name": f"{cell.name}: over the other cells", "entries": {place: 240}, "steps": [_refused(abi, reader)]},
    ]
    return cases + [{"name": f"{cell.name} at 0x{at:x}", "entries": {place: at}, "steps": [_refused(abi, reader)]} for at in _OUTSIDE]


def write(abi: PageFile) -> str:
    """The JSON text."""
    cases: list[dict[str, object]] = [{"name": case.name, "steps": [_step(abi, step) for step in case.steps]} for case in abi.cases]
    cases += _pages(abi)
    for cell in abi.cells:
        cases += _buffer(abi, cell) if cell.is_buffer else []
    kinds = [kind for cell in abi.cells for kind in (("u32", "u32", "bytes") if cell.is_buffer else (cell.kind,))]
    head = {"format": FORMAT, "note": "Written by `purewasm gen`.", "module": abi.name, "version": list(abi.version)}
    page = {"export": abi.export, "entries": kinds, "memory": MEMORY_BYTES}
    return json.dumps(head | {"page": page, "cases": cases}, indent=1) + "\n"
