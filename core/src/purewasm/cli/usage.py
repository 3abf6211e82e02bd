"""What `--help` of a subcommand prints."""

from __future__ import annotations

from shutil import get_terminal_size
from textwrap import wrap

from purewasm.cli.arguments import ANY, ONE, OPTIONAL, SOME
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purewasm.cli.arguments import Arguments, Option, Positional

_MARGIN: Final = 2
_HELP_COLUMN: Final = 24
_LEAST_WIDTH: Final = 20


def format_help(arguments: Arguments, summary: str, examples: Sequence[str], usage: str | None) -> str:
    """The whole text, without a newline at its end."""
    width = max(get_terminal_size().columns - _MARGIN, _HELP_COLUMN + _LEAST_WIDTH)
    parts = [_usage(arguments, width) if usage is None else f"usage: {usage}", summary]
    if arguments.positionals:
        parts.append(_listed("positional arguments", [(row.metavar, row.help) for row in arguments.positionals], width))
    sections: dict[str, list[tuple[str, str]]] = {"": [("-h, --help", "show this help message and exit")]}
    for option in arguments.options:
        sections.setdefault(option.section, []).append((_invocation(option), option.help))
    parts += [_listed(title or "options", rows, width) for title, rows in sections.items()]
    if examples:
        parts.append("\n  ".join(["examples:", *examples]))
    return "\n\n".join(parts)


def _usage(arguments: Arguments, width: int) -> str:
    head = f"usage: purewasm {arguments.command} "
    words = ["[-h]", *(f"[{_call(option, option.flags[0])}]" for option in arguments.options), *map(_place, arguments.positionals)]
    glued = [word.replace(" ", "\xa0") for word in words]  # a line never ends within brackets
    lines = wrap(" ".join(glued), width - len(head), break_long_words=False, break_on_hyphens=False)
    return head + f"\n{' ' * len(head)}".join(lines).replace("\xa0", " ")


def _place(row: Positional) -> str:
    name = row.metavar
    return {ONE: name, OPTIONAL: f"[{name}]", ANY: f"[{name} ...]", SOME: f"{name} [{name} ...]"}[row.takes]


def _call(option: Option, flag: str) -> str:
    return " ".join([flag, *option.metavars])


def _invocation(option: Option) -> str:
    return ", ".join([_call(option, flag) for flag in option.flags])


def _listed(title: str, rows: Sequence[tuple[str, str]], width: int) -> str:
    return "\n".join([f"{title}:", *(line for left, right in rows for line in _row(left, right, width))])


def _row(left: str, right: str, width: int) -> Iterator[str]:
    lines = wrap(right, width - _HELP_COLUMN)
    head = f"  {left}"
    if len(head) + _MARGIN > _HELP_COLUMN:
        yield head
        head = ""
    for line in lines:
        yield f"{head:{_HELP_COLUMN}}{line}"
        head = ""
