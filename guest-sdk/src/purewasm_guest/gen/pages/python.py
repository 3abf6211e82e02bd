"""The guest's side of a page in Python, in the subset that `purewasm_guest.python` compiles: one module."""

from __future__ import annotations

import re
from typing import Final

from purewasm_guest.gen.pages.page_file import SIZES, PageCall, PageCell, PageFile
from purewasm_guest.gen.wording import generated_note

_INTRINSICS: Final = ("address", "allocate", "as_bytes", "copy", "load_u32", "load_u64", "reserve", "store_u32", "store_u64")


def _place(cell: PageCell, part: str = "") -> str:
    return f"_CELL_{cell.name}{part}".upper()


def _cells(cell: PageCell) -> str:
    if not cell.is_buffer:
        return f"{_place(cell)}: u32 = reserve({SIZES[cell.kind]})\n"
    return (
        f"{_place(cell, '_capacity')}: u32 = reserve(4)\n{_place(cell, '_length')}: u32 = reserve(4)\n"
        f"{_place(cell)}: u32 = reserve({cell.capacity})\n"
    )


def _addresses(abi: PageFile) -> str:
    found = []
    for cell in abi.cells:
        found += [_place(cell, "_capacity"), _place(cell, "_length")] if cell.is_buffer else []
        found.append(_place(cell))
    return "".join(f"    store_u32(_PAGE + {4 * entry}, {place})\n" for entry, place in enumerate(found))


def _fill(cell: PageCell) -> str:
    if not cell.is_buffer:
        return f"    store_{cell.kind}({_place(cell)}, {cell.name})\n"
    return (
        f"    assert len({cell.name}) <= {cell.capacity}\n"
        f"    copy({_place(cell)}, address({cell.name}) + 8, load_u32(address({cell.name})))\n"
        f"    store_u32({_place(cell, '_length')}, load_u32(address({cell.name})))\n"
    )


def _function(call: PageCall) -> str:
    result, last = "None", ""
    if call.gives is not None:
        result = call.gives.kind
        last = f"    return load_{result}({_place(call.gives)})\n"
        if call.gives.is_buffer:
            last = f"    return _copied({_place(call.gives)}, load_u32({_place(call.gives, '_length')}))\n"
    parameters = ", ".join(f"{cell.name}: {cell.kind}" for cell in call.takes)
    return (
        f'def {call.name}({parameters}) -> {result}:\n    """{call.summary}"""\n'
        f"{''.join(map(_fill, call.takes))}    _host_{call.name}()\n{last}"
    )


_COPIED: Final = '''def _copied(at: u32, size: u32) -> bytes:
    made = allocate(size + 8)
    store_u32(made, size)
    store_u32(made + 4, size)
    copy(made + 8, at, size)
    return as_bytes(made)


'''


def write(abi: PageFile) -> str:
    """The text of the module."""
    capacities = "".join(
        f"    store_u32({_place(cell, '_capacity')}, {cell.capacity})\n" for cell in abi.cells if cell.is_buffer
    )
    imports = "".join(f'@host("{abi.name}", "{call.imported}")\ndef _host_{call.name}() -> None: ...\n\n\n' for call in abi.calls)
    gives_bytes = any(call.gives is not None and call.gives.is_buffer for call in abi.calls)
    body = (
        f"{''.join(map(_cells, abi.cells))}_PAGE: u32 = reserve({4 * abi.entries})\n\n\n"
        f'@export("{abi.export}")\ndef page_address() -> u32:\n    """The address of the page: the address of each cell."""\n'
        f"{capacities}{_addresses(abi)}    return _PAGE\n\n\n{imports}{_COPIED if gives_bytes else ''}"
        + "\n\n".join(map(_function, abi.calls))
    )
    wide = ", u64" if "u64" in body.replace("load_u64", "").replace("store_u64", "") else ""
    memory = ", ".join(name for name in _INTRINSICS if re.search(rf"\b{name}\(", body))
    return (
        f'"""{abi.summary} The guest\'s side of `{abi.name}`. {generated_note(abi)}\n\n'
        f"There is no status: what the host cannot do ends the guest's call. Importing this file exports `{abi.export}`, through which\n"
        f'the host learns where the cells are.\n"""\n\n'
        f"from purewasm_guest.python import export, host, u32{wide}\n"
        f"from purewasm_guest.python.memory import {memory}\n\n{body}"
    )
