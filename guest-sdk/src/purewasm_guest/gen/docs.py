"""The table of a host module's operations, between two marker comments of a Markdown file."""

from __future__ import annotations

from typing import Final

from purewasm_guest.gen.abi_file import AbiFile, Field, Operation
from purewasm_guest.gen.wording import replace_between

START: Final = "<!-- purewasm gen: begin -->"
END: Final = "<!-- purewasm gen: end -->"


def _fields(fields: tuple[Field, ...]) -> str:
    return ", ".join(f"{field.name} {field.type}" + ("" if field.default is None else f" = {field.default!r}") for field in fields)


def _row(operation: Operation) -> str:
    cells = (
        str(operation.number),
        f"`{operation.name}({_fields(operation.arguments)})`",
        f"`{_fields(operation.results)}`" if operation.results else "",
        operation.summary + (f" Errors: {', '.join(operation.errors)}." if operation.errors else ""),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def table(abi: AbiFile) -> str:
    """The Markdown between the markers."""
    lines = [f"`{abi.import_name}`, version {abi.version[0]}.{abi.version[1]}, requests of up to {abi.request_bytes:,} bytes:\n\n"]
    lines += ["| | operation | answer | |\n", "| --- | --- | --- | --- |\n", *map(_row, abi.operations)]
    if abi.plains:
        lines += ["\n| plain import | |\n", "| --- | --- |\n"]
        for plain in abi.plains:
            lines.append(f"| `__{abi.stem}_{plain.name}({_fields(plain.parameters)}) -> {plain.result or '()'}` | {plain.summary} |\n")
    if abi.statuses:
        lines += ["\n| status | | |\n", "| --- | --- | --- |\n"]
        lines += [f"| {status.number} | {status.name} | {status.summary} |\n" for status in abi.statuses]
    return "".join(lines)


def write(abi: AbiFile, present: str) -> str:
    """The Markdown file `present` with the table of today."""
    try:
        return replace_between(present, START, END, table(abi))
    except ValueError as error:
        raise ValueError(f"{abi.outputs['docs']}: {error}: put them where the table should be") from None
