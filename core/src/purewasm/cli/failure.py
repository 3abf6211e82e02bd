"""How a command ends that does not succeed: a message for people and an exit status, never a Python traceback."""

from __future__ import annotations

from purewasm.errors import GuestException, Trap, UnsupportedError, WasmError
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.errors import ModuleError
    from purewasm.traps import Frame

FAILED: Final = 1
"""The module is at fault: invalid, not linkable, trapped."""
MISUSED: Final = 2
"""The command line is at fault."""
MAX_SHOWN_FRAMES: Final = 20
_SIDE: Final = MAX_SHOWN_FRAMES // 2


class Failure(Exception):  # noqa: N818 (it is the end of a command, not an error of this program)
    """Ends a command with a message on standard error and an exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message, self.status = message, status


def misuse(message: str) -> NoReturn:
    """The user has to call the command in another way."""
    raise Failure(message, MISUSED)


def failed(message: str) -> NoReturn:
    """The module that the command works on is at fault."""
    raise Failure(message, FAILED)


def describe(error: WasmError) -> str:
    """What a guest's failure looks like: its message and the guest's own frames."""
    head = f"trap: {error}" if isinstance(error, Trap) else str(error)
    frames = error.frames if isinstance(error, (Trap, GuestException)) else ()
    notes: list[str] = getattr(error, "__notes__", [])
    return "\n".join([head, *_format_frames(frames), *notes])


def _format_frames(frames: Sequence[Frame]) -> list[str]:
    if not frames:
        return []
    lines = [f"  {number}: {frame}" for number, frame in enumerate(frames)]
    if len(lines) > MAX_SHOWN_FRAMES:
        lines[_SIDE:-_SIDE] = [f"  … {len(lines) - 2 * _SIDE} more frames …"]
    return ["guest frames, innermost first:", *lines]


def describe_module_error(error: ModuleError, name: str, text: str | None) -> str:
    """Where and why a module was refused; of a text also the line, with a caret below the place; what to do where a feature is off."""
    feature = error.feature if isinstance(error, UnsupportedError) else None
    message = error.message if feature is None else f"{error.message}; name it in --features to accept it"
    if error.line is None or error.column is None:
        place = "" if error.offset is None else f" (at offset 0x{error.offset:x}{'' if text is None else ' of the assembled module'})"
        return f"{name}: {message}{place}"
    head = f"{name}:{error.line}:{error.column}: {message}"
    lines = [] if text is None else text.split("\n")
    if not 0 < error.line <= len(lines):
        return head
    line = lines[error.line - 1].rstrip("\r")
    return f"{head}\n{_with_caret(line, error.column - 1)}"


_WIDTH: Final = 120


def _with_caret(line: str, at: int) -> str:
    """The line, or the part of a long one around the place, and a caret. Tabs stay, so that the caret stands below."""
    first = max(0, at - _WIDTH // 2) if len(line) > _WIDTH else 0
    shown = line[first : first + _WIDTH]
    gap = "".join("\t" if character == "\t" else " " for character in shown[: at - first])
    return f"  {shown}\n  {gap}^"
