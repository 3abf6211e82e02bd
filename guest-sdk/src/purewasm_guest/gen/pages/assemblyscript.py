"""The guest's side of a page in AssemblyScript: one file."""

from __future__ import annotations

from typing import Final

from purewasm_guest.gen.pages.page_file import SIZES, PageCall, PageCell, PageFile
from purewasm_guest.gen.wording import camel, generated_note, pascal

_TYPES: Final = {"u32": "u32", "u64": "u64", "bytes": "Uint8Array"}


def _place(cell: PageCell, part: str = "") -> str:
    return camel(f"cell_{cell.name}{part}")


def _capacity(cell: PageCell) -> str:
    return f"{cell.name}_capacity".upper()


def _cells(cell: PageCell) -> str:
    if not cell.is_buffer:
        return f"const {_place(cell)} = memory.data({SIZES[cell.kind]}, {SIZES[cell.kind]});\n"
    return (
        f"/** How long that may be, in bytes. */\nexport const {_capacity(cell)}: u32 = {cell.capacity};\n"
        f"const {_place(cell, '_capacity')} = memory.data(4, 4);\nconst {_place(cell, '_length')} = memory.data(4, 4);\n"
        f"const {_place(cell)} = memory.data({cell.capacity});\n"
    )


def _addresses(abi: PageFile) -> str:
    found = []
    for cell in abi.cells:
        found += [_place(cell, "_capacity"), _place(cell, "_length")] if cell.is_buffer else []
        found.append(_place(cell))
    return "".join(f"  store<u32>(page, <u32>{place}, {4 * entry});\n" for entry, place in enumerate(found))


def _fill(cell: PageCell) -> str:
    name = camel(cell.name)
    if not cell.is_buffer:
        return f"  store<{cell.kind}>({_place(cell)}, {name});\n"
    return (
        f'  assert(<u32>{name}.length <= {_capacity(cell)}, "{cell.name} has at most {cell.capacity} bytes");\n'
        f"  memory.copy({_place(cell)}, {name}.dataStart, <usize>{name}.length);\n"
        f"  store<u32>({_place(cell, '_length')}, <u32>{name}.length);\n"
    )


def _function(abi: PageFile, call: PageCall) -> str:
    result, last = "void", ""
    if call.gives is not None:
        result, place = _TYPES[call.gives.kind], _place(call.gives)
        last = f"  return load<{call.gives.kind}>({place});\n"
        if call.gives.is_buffer:
            last = (
                f"  const found = new Uint8Array(<i32>load<u32>({_place(call.gives, '_length')}));\n"
                f"  memory.copy(found.dataStart, {place}, <usize>found.length);\n  return found;\n"
            )
    parameters = ", ".join(f"{camel(cell.name)}: {_TYPES[cell.kind]}" for cell in call.takes)
    return (
        f"/** {call.summary} */\nexport function {camel(f'{abi.stem}_{call.name}')}({parameters}): {result} {{\n"
        f"{''.join(map(_fill, call.takes))}  host{pascal(call.name)}();\n{last}}}\n"
    )


def write(abi: PageFile) -> str:
    """The text of the file."""
    capacities = "".join(
        f"  store<u32>({_place(cell, '_capacity')}, {_capacity(cell)});\n" for cell in abi.cells if cell.is_buffer
    )
    imports = "".join(
        f'@external("{abi.name}", "{call.imported}")\ndeclare function host{pascal(call.name)}(): void;\n\n' for call in abi.calls
    )
    return (
        f"// {abi.summary} The guest's side of `{abi.name}`. {generated_note(abi)}\n"
        f"//\n"
        f"// The entry file of a guest has to export the page: `export {{ {abi.export} }} from \"…/{abi.stem}\";`. There is no\n"
        f"// status: what the host cannot do ends the guest's call.\n\n"
        f"{imports}{''.join(map(_cells, abi.cells))}const page = memory.data({4 * abi.entries}, 4);\n\n"
        f"export function {abi.export}(): u32 {{\n{capacities}{_addresses(abi)}  return <u32>page;\n}}\n\n"
        + "\n".join(_function(abi, call) for call in abi.calls)
    )
