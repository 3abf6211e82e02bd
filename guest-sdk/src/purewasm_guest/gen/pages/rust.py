"""The guest's side of a page in Rust: one module of the crate."""

from __future__ import annotations

from purewasm_guest.gen.pages.page_file import PageCall, PageCell, PageFile
from purewasm_guest.gen.wording import generated_note


def _capacity(cell: PageCell) -> str:
    return f"{cell.name}_capacity".upper()


def _cells(cell: PageCell) -> list[tuple[str, str, str]]:
    """(field, type, first value)."""
    if not cell.is_buffer:
        return [(cell.name, cell.kind, "0")]
    capacity = _capacity(cell)
    return [
        (f"{cell.name}_capacity", "u32", f"{capacity} as u32"),
        (f"{cell.name}_length", "u32", "0"),
        (cell.name, f"[u8; {capacity}]", f"[0; {capacity}]"),
    ]


def _fill(cell: PageCell) -> str:
    if not cell.is_buffer:
        return f"        addr_of_mut!((*cells).{cell.name}).write_volatile({cell.name});\n"
    return (
        f"        (&mut (*cells).{cell.name})[..{cell.name}.len()].copy_from_slice({cell.name});\n"
        f"        addr_of_mut!((*cells).{cell.name}_length).write_volatile({cell.name}.len() as u32);\n"
    )


def _function(call: PageCall) -> str:
    result, last = "", ""
    if call.gives is not None:
        name = call.gives.name
        result = f" -> {'Vec<u8>' if call.gives.is_buffer else call.gives.kind}"
        last = f"        addr_of!((*cells).{name}).read_volatile()\n"
        if call.gives.is_buffer:
            last = (
                f"        let length = addr_of!((*cells).{name}_length).read_volatile() as usize;\n"
                f"        (&(*cells).{name})[..length].to_vec()\n"
            )
    parameters = ", ".join(f"{cell.name}: {'&[u8]' if cell.is_buffer else cell.kind}" for cell in call.takes)
    checks = "".join(
        f'    assert!({cell.name}.len() <= {_capacity(cell)}, "{cell.name} has at most {cell.capacity} bytes");\n'
        for cell in call.takes
        if cell.is_buffer
    )
    return (
        f"/// {call.summary}\npub fn {call.name}({parameters}){result} {{\n{checks}    let cells = CELLS.0.get();\n"
        f"    // SAFETY: one thread; the host reads and writes while no reference lives.\n    unsafe {{\n"
        f"{''.join(map(_fill, call.takes))}        {call.imported}();\n{last}    }}\n}}\n"
    )


def write(abi: PageFile) -> str:
    """The text of the module."""
    fields = [field for cell in abi.cells for field in _cells(cell)]
    capacities = "".join(
        f"/// How long {cell.name} may be, in bytes.\npub const {_capacity(cell)}: usize = {cell.capacity};\n\n"
        for cell in abi.cells
        if cell.is_buffer
    )
    declared = "".join(f"    {name}: {kind},\n" for name, kind, _ in fields)
    first = "".join(f"    {name}: {value},\n" for name, _, value in fields)
    addresses = "".join(f"            addr_of!((*cells).{name}) as usize as u32,\n" for name, _, _ in fields)
    imports = "".join(f"    fn {call.imported}();\n" for call in abi.calls)
    return (
        f"//! {abi.summary} The guest's side of `{abi.name}`. {generated_note(abi)}\n"
        f"//!\n//! There is no status: what the host cannot do ends the guest's call. For one thread.\n\n"
        f"use std::cell::UnsafeCell;\nuse std::ptr::{{addr_of, addr_of_mut}};\n\n{capacities}"
        f"struct Cells {{\n{declared}    page: [u32; {abi.entries}],\n}}\n\n"
        f"struct Shared(UnsafeCell<Cells>);\n\n// A guest has one thread.\nunsafe impl Sync for Shared {{}}\n\n"
        f"static CELLS: Shared = Shared(UnsafeCell::new(Cells {{\n{first}    page: [0; {abi.entries}],\n}}));\n\n"
        f'#[link(wasm_import_module = "{abi.name}")]\nextern "C" {{\n{imports}}}\n\n'
        f'#[no_mangle]\npub extern "C" fn {abi.export}() -> u32 {{\n    let cells = CELLS.0.get();\n'
        f"    // SAFETY: one thread, and no other reference into the cells lives now.\n    unsafe {{\n"
        f"        (*cells).page = [\n{addresses}        ];\n        addr_of!((*cells).page) as usize as u32\n    }}\n}}\n\n"
        + "\n".join(map(_function, abi.calls))
    )
