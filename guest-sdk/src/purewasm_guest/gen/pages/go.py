"""The guest's side of a page in Go: one package."""

from __future__ import annotations

from typing import Final

from purewasm_guest.gen.pages.page_file import PageCall, PageCell, PageFile
from purewasm_guest.gen.wording import camel, generated_note, pascal

_TYPES: Final = {"u32": "uint32", "u64": "uint64", "bytes": "[]byte"}


def _place(cell: PageCell, part: str = "") -> str:
    return camel(f"cell_{cell.name}{part}")


def _cells(cell: PageCell) -> list[tuple[str, str]]:
    """(name, type and value) of the variables."""
    if not cell.is_buffer:
        return [(_place(cell), _TYPES[cell.kind])]
    capacity = f"{pascal(cell.name)}Capacity"
    return [(_place(cell, "_capacity"), f"uint32 = {capacity}"), (_place(cell, "_length"), "uint32"), (_place(cell), f"[{capacity}]byte")]


def _addresses(abi: PageFile) -> str:
    found = []
    for cell in abi.cells:
        found += [_place(cell, "_capacity"), _place(cell, "_length"), f"{_place(cell)}[0]"] if cell.is_buffer else [_place(cell)]
    return "".join(f"\t\tuint32(uintptr(unsafe.Pointer(&{place}))),\n" for place in found)


def _fill(cell: PageCell) -> str:
    name = camel(cell.name)
    if not cell.is_buffer:
        return f"\t{_place(cell)} = {name}\n"
    capacity = f"{pascal(cell.name)}Capacity"
    problem = f"{cell.name} has at most {cell.capacity} bytes"
    copied = f"\t{_place(cell, '_length')} = uint32(copy({_place(cell)}[:], {name}))\n"
    return f'\tif len({name}) > {capacity} {{\n\t\tpanic("{problem}")\n\t}}\n{copied}'


def _function(call: PageCall) -> str:
    result, last = "", ""
    if call.gives is not None:
        result, place = f" {_TYPES[call.gives.kind]}", _place(call.gives)
        copied = f"append([]byte(nil), {place}[:{_place(call.gives, '_length')}]...)"
        last = f"\treturn {copied if call.gives.is_buffer else place}\n"
    parameters = ", ".join(f"{camel(cell.name)} {_TYPES[cell.kind]}" for cell in call.takes)
    head = f"// {pascal(call.name)}: {call.summary}\nfunc {pascal(call.name)}({parameters}){result} {{\n"
    return f"{head}{''.join(map(_fill, call.takes))}\thost{pascal(call.name)}()\n{last}}}\n"


def write(abi: PageFile) -> str:
    """The text of the package."""
    constants = "".join(
        f"// {pascal(cell.name)}Capacity is how long that may be, in bytes.\nconst {pascal(cell.name)}Capacity = {cell.capacity}\n\n"
        for cell in abi.cells
        if cell.is_buffer
    )
    variables = [variable for cell in abi.cells for variable in _cells(cell)] + [("page", f"[{abi.entries}]uint32")]
    width = max(len(name) for name, _ in variables)
    declared = "".join(f"\t{name:{width}} {kind}\n" for name, kind in variables)
    imports = "".join(f"//go:wasmimport {abi.name} {call.imported}\nfunc host{pascal(call.name)}()\n\n" for call in abi.calls)
    return (
        f"// Package {abi.stem}: {abi.summary} The guest's side of `{abi.name}`. {generated_note(abi)}\n"
        f"//\n"
        f"// There is no status: what the host cannot do ends the guest's call. For standard Go (GOOS=wasip1, -buildmode=c-shared)\n"
        f"// and TinyGo.\n"
        f'package {abi.stem}\n\nimport "unsafe"\n\n{constants}var (\n{declared})\n\n{imports}'
        f"//go:wasmexport {abi.export}\nfunc pageAddress() uint32 {{\n"
        f"\tpage = [{abi.entries}]uint32{{\n{_addresses(abi)}\t}}\n\treturn uint32(uintptr(unsafe.Pointer(&page[0])))\n}}\n\n"
        + "\n".join(map(_function, abi.calls))
    )
