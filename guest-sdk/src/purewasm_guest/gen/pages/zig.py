"""The guest's side of a page in Zig: one module."""

from __future__ import annotations

from purewasm_guest.gen.pages.page_file import PageCall, PageCell, PageFile
from purewasm_guest.gen.wording import camel, generated_note


def _cells(cell: PageCell) -> str:
    if not cell.is_buffer:
        return f"var cell_{cell.name}: {cell.kind} = 0;\n"
    return (
        f"pub const {cell.name}_capacity = {cell.capacity};\nvar cell_{cell.name}_capacity: u32 = {cell.name}_capacity;\n"
        f"var cell_{cell.name}_length: u32 = 0;\nvar cell_{cell.name}: [{cell.name}_capacity]u8 = @splat(0);\n"
    )


def _addresses(abi: PageFile) -> str:
    found = []
    for cell in abi.cells:
        found += [f"cell_{cell.name}_capacity", f"cell_{cell.name}_length"] if cell.is_buffer else []
        found.append(f"cell_{cell.name}")
    return "".join(f"        @intFromPtr(&{place}),\n" for place in found)


def _kind(cell: PageCell) -> str:
    return "[]const u8" if cell.is_buffer else cell.kind


def _fill(cell: PageCell) -> str:
    if not cell.is_buffer:
        return f"    cell_{cell.name} = {cell.name};\n"
    return (
        f"    if ({cell.name}.len > {cell.name}_capacity) @trap();\n"
        f"    for ({cell.name}, 0..) |byte, index| cell_{cell.name}[index] = byte;\n"
        f"    cell_{cell.name}_length = @intCast({cell.name}.len);\n"
    )


def _function(call: PageCall) -> str:
    result, last = "void", ""
    if call.gives is not None:
        result, place = _kind(call.gives), f"cell_{call.gives.name}"
        last = f"    return {place}{f'[0..{place}_length]' if call.gives.is_buffer else ''};\n"
    more = " The bytes are good until the next call." if call.gives is not None and call.gives.is_buffer else ""
    parameters = ", ".join(f"{cell.name}: {_kind(cell)}" for cell in call.takes)
    filled = "".join(map(_fill, call.takes))
    return f"/// {call.summary}{more}\npub fn {camel(call.name)}({parameters}) {result} {{\n{filled}    host.{call.imported}();\n{last}}}\n"


def write(abi: PageFile) -> str:
    """The text of the module."""
    imports = "".join(f'    extern "{abi.name}" fn {call.imported}() void;\n' for call in abi.calls)
    return (
        f"//! {abi.summary} The guest's side of `{abi.name}`. {generated_note(abi)}\n"
        f"//!\n"
        f"//! There is no status: what the host cannot do ends the guest's call. Importing this file exports `{abi.export}`, by\n"
        f"//! which the host learns where the cells are. Not for several guest threads at once.\n\n"
        f"{''.join(map(_cells, abi.cells))}var page: [{abi.entries}]u32 = @splat(0);\n\n"
        f"const host = struct {{\n{imports}}};\n\n"
        f"/// The address of the page: the address of each cell.\n"
        f"fn pageAddress() callconv(.c) u32 {{\n    page = .{{\n{_addresses(abi)}    }};\n    return @intFromPtr(&page);\n}}\n\n"
        f'comptime {{\n    @export(&pageAddress, .{{ .name = "{abi.export}" }});\n}}\n\n'
        + "\n".join(map(_function, abi.calls))
    )
