"""The tables of a host module of version 0, between two marker comments of a Markdown file."""

from __future__ import annotations

from purewasm_guest.gen.docs import END, START
from purewasm_guest.gen.pages.page_file import PageFile
from purewasm_guest.gen.wording import replace_between


def table(abi: PageFile) -> str:
    """The Markdown between the markers."""
    also = f", also `{'`, `'.join(abi.aliases)}`" if abi.aliases else ""
    lines = [f"`{abi.name}`{also}, version 0; a page of {abi.entries} entries, which the guest's `{abi.export}` returns:\n\n"]
    lines += ["| entry | cell | |\n", "| --- | --- | --- |\n"]
    for cell in abi.cells:
        if cell.is_buffer:
            lines.append(f"| {cell.entry} | capacity of `{cell.name}`, u32 | |\n")
            lines.append(f"| {cell.entry + 1} | length of `{cell.name}`, u32 | |\n")
            lines.append(f"| {cell.entry + 2} | `{cell.name}`, bytes | {cell.summary} At most {cell.limit:,}. |\n")
        else:
            lines.append(f"| {cell.entry} | `{cell.name}`, {cell.kind} | {cell.summary} |\n")
    lines += ["\n| import | takes | gives | |\n", "| --- | --- | --- | --- |\n"]
    for call in abi.calls:
        given = "" if call.gives is None else call.gives.name
        lines.append(f"| `{call.imported}` | {', '.join(cell.name for cell in call.takes)} | {given} | {call.summary} |\n")
    return "".join(lines)


def write(abi: PageFile, present: str) -> str:
    """The Markdown file `present` with the tables of today."""
    try:
        return replace_between(present, START, END, table(abi))
    except ValueError as error:
        raise ValueError(f"{abi.outputs['docs']}: {error}: put them where the table should be") from None
