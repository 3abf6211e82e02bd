"""The guest's side of a page in C: one header."""

from __future__ import annotations

from typing import Final

from purewasm_guest.gen.pages.page_file import PageCall, PageCell, PageFile
from purewasm_guest.gen.wording import generated_note

_TYPES: Final = {"u32": "uint32_t", "u64": "uint64_t"}


def _capacity(abi: PageFile, cell: PageCell) -> str:
    return f"{abi.prefix}_{cell.name}_capacity".upper()


def _cells(abi: PageFile, cell: PageCell) -> str:
    place = f"{abi.prefix}_cell_{cell.name}"
    if not cell.is_buffer:
        return f"__attribute__((weak)) {_TYPES[cell.kind]} {place} = 0;\n"
    return (
        f"__attribute__((weak)) uint32_t {place}_capacity = {_capacity(abi, cell)};\n"
        f"__attribute__((weak)) uint32_t {place}_length = 0;\n"
        f"__attribute__((weak)) uint8_t {place}[{_capacity(abi, cell)}] = {{0}};\n"
    )


def _addresses(abi: PageFile) -> list[str]:
    """What the entries of the page are the addresses of."""
    found = []
    for cell in abi.cells:
        place = f"{abi.prefix}_cell_{cell.name}"
        found += [f"{place}_capacity", f"{place}_length", f"{place}[0]"] if cell.is_buffer else [place]
    return found


def _parameter(cell: PageCell) -> str:
    return f"const void *{cell.name}, uint32_t {cell.name}_size" if cell.is_buffer else f"{_TYPES[cell.kind]} {cell.name}"


def _fill(abi: PageFile, cell: PageCell) -> str:
    place = f"{abi.prefix}_cell_{cell.name}"
    if not cell.is_buffer:
        return f"    {place} = {cell.name};\n"
    return (
        f"    if ({cell.name}_size > {_capacity(abi, cell)}) {{\n        __builtin_trap();\n    }}\n"
        f"    for (uint32_t i = 0; i < {cell.name}_size; i++) {{\n"
        f"        {place}[i] = ((const uint8_t *){cell.name})[i];\n    }}\n"
        f"    {place}_length = {cell.name}_size;\n"
    )


def _function(abi: PageFile, call: PageCall) -> str:
    result, last, more = "void", "", ""
    if call.gives is not None:
        place = f"{abi.prefix}_cell_{call.gives.name}"
        result = "uint32_t" if call.gives.is_buffer else _TYPES[call.gives.kind]
        last = f"    return {place}{'_length' if call.gives.is_buffer else ''};\n"
        more = f" Returns the size; the bytes are in {place} until the next call." if call.gives.is_buffer else ""
    parameters = ", ".join(map(_parameter, call.takes)) or "void"
    return (
        f"/* {call.summary}{more} */\n"
        f"static inline {result} {abi.prefix}_{call.name}({parameters}) {{\n"
        f"{''.join(_fill(abi, cell) for cell in call.takes)}    {abi.prefix}_import_{call.name}();\n{last}}}\n"
    )


def write(abi: PageFile) -> str:
    """The text of the header."""
    prefix, guard = abi.prefix, f"{abi.prefix.upper()}_H"
    capacities = "".join(
        f"/* To change it, define it for the whole guest (on the compiler's command line): the buffer is shared by all its files. */\n"
        f"#ifndef {_capacity(abi, cell)}\n#define {_capacity(abi, cell)} {cell.capacity}\n#endif\n\n"
        for cell in abi.cells
        if cell.is_buffer
    )
    imports = "".join(
        f'__attribute__((import_module("{abi.name}"), import_name("{call.imported}"))) void {prefix}_import_{call.name}(void);\n'
        for call in abi.calls
    )
    filled = "".join(
        f"    {prefix}_page[{entry}] = (uint32_t)(uintptr_t)&{place};\n" for entry, place in enumerate(_addresses(abi))
    )
    return (
        f"/* {abi.summary} The guest's side of `{abi.name}`. {generated_note(abi)}\n"
        f" *\n"
        f" * There is no status: what the host cannot do ends the guest's call. It exports `{abi.export}`, through which the host learns\n"
        f" * where the cells are. May be included in several files of one guest, in C and in C++; not for several threads at once. */\n"
        f"#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n{capacities}"
        f"/* Weak: every file that includes this defines the cells, and the linker keeps one of each. */\n"
        f"{''.join(_cells(abi, cell) for cell in abi.cells)}"
        f"__attribute__((weak)) uint32_t {prefix}_page[{abi.entries}] = {{0}};\n\n{imports}\n"
        f"/* The address of the page: the address of each cell. */\n"
        f'__attribute__((weak, export_name("{abi.export}"))) uint32_t {prefix}_export_page(void) {{\n{filled}'
        f"    return (uint32_t)(uintptr_t)&{prefix}_page[0];\n}}\n\n"
        + "\n".join(_function(abi, call) for call in abi.calls)
        + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
    )
