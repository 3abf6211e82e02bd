"""The base class of a host module of version 0: its cells and imports, for the author to fill in."""

from __future__ import annotations

from purewasm_guest.gen.pages.page_file import PageCall, PageCell, PageFile
from purewasm_guest.gen.wording import generated_note


def _bound(cell: PageCell) -> str:
    if not cell.is_buffer:
        return f'            page.cell({cell.entry}, "{cell.kind}", "the {cell.name} cell"),\n'
    capacity = f'page.cell({cell.entry}, "u32", "the cell of the {cell.name}\'s capacity")'
    length = f'page.cell({cell.entry + 1}, "u32", "the cell of the {cell.name}\'s length")'
    return (
        f"            page.buffer(\n                {cell.entry + 2},\n                {capacity},\n                {length},\n"
        f'                "the {cell.name}\'s buffer",\n                self.max_{cell.name}_bytes,\n            ),\n'
    )


def _method(call: PageCall) -> str:
    taken = f" Takes {', '.join(cell.name for cell in call.takes)}." if call.takes else ""
    given = f" Gives {call.gives.name}." if call.gives is not None else ""
    caller = ", caller: Caller" if call.uses_caller else ""
    return (
        f'    @page_call("{call.imported}")\n    def on_{call.name}(self, cells: {{cells}}{caller}) -> None:\n'
        f'        """{call.summary}{taken}{given}"""\n        raise NotImplementedError\n'
    )


def write(abi: PageFile) -> str:
    """The text of the Python module."""
    cells = f"{abi.class_name}Cells"
    views = ", ".join(name for name in ("Buffer", "Cell") if any(cell.is_buffer == (name == "Buffer") for cell in abi.cells))
    fields = "".join(
        f"    {cell.name}: {'Buffer' if cell.is_buffer else 'Cell'}\n"
        f'    """{cell.summary}{"" if cell.is_buffer else f" {cell.kind}."}"""\n'
        for cell in abi.cells
    )
    limits = "".join(f"    max_{cell.name}_bytes = {cell.limit}\n" for cell in abi.cells if cell.is_buffer)
    aliases = f"    aliases = ({', '.join(repr_of(name) for name in abi.aliases)},)\n" if abi.aliases else ""
    caller = "from purewasm import Caller\n" if any(call.uses_caller for call in abi.calls) else ""
    methods = "\n".join(map(_method, abi.calls)).replace("{cells}", cells)
    return (
        f'"""The page and the imports of `{abi.name}`. {generated_note(abi)}"""\n\n'
        f"from __future__ import annotations\n\nfrom typing import NamedTuple\n\n"
        f"{caller}from purewasm.hostmod import {views}, Page, PageModule, page_call\n\n\n"
        f'class {cells}(NamedTuple):\n    """What the host reads and writes in one instance."""\n\n{fields}\n\n'
        f"class {abi.class_name}Abi(PageModule[{cells}]):\n"
        f'    """{abi.summary} A host module overrides every import."""\n\n'
        f'    name = "{abi.name}"\n{aliases}    page_export = "{abi.export}"\n    entries = {abi.entries}\n{limits}\n'
        f'    def bind(self, page: Page) -> {cells}:\n        """The cells of an instance."""\n'
        f"        return {cells}(\n{''.join(map(_bound, abi.cells))}        )\n\n{methods}"
    )


def repr_of(text: str) -> str:
    """As the house style quotes it."""
    return f'"{text}"'
