"""Every exception that purewasm raises on purpose.

    WasmError
    ├── ModuleError            the module cannot be used
    │   ├── MalformedError     the bytes or the text are not a module (spec: binary and text format)
    │   ├── InvalidError       the module breaks a validation rule (spec: validation)
    │   └── UnsupportedError   a proposal that is switched off, or an implementation limit
    ├── LinkError              an import is missing or has another type, or there is no room for an instance (spec: instantiation)
    ├── Trap                   the guest did something that the spec answers with a trap: `.code`, `.frames`
    │   └── FuelExhausted      the fuel that the call was given is used up
    ├── GuestException         an exception that the guest threw and nobody caught: `.tag`, `.values`, `.frames`
    ├── GuestExit              the guest asked to end (WASI `proc_exit`): `.status`
    ├── Interrupted            a deadline passed, or another thread closed the runtime or the instance
    ├── MemoryAccessError      an access from Python lies outside a memory or a table (also an IndexError)
    └── InternalError          a bug in purewasm itself

Messages begin with the words that the official testsuite uses, so that a reader of the spec finds the rule.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.traps import Frame

    class TagLike(Protocol):
        """What an exception needs of its tag; `store.tag.Tag` is the one class of this kind."""

        def public(self, raw: tuple[object, ...]) -> tuple[object, ...]: ...


class WasmError(Exception):
    """Base of every error that purewasm raises on purpose."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class ModuleError(WasmError):
    """A module cannot be used. `offset` is the byte (binary) or None; `line`, `column` (1-based) place an error in text."""

    def __init__(self, message: str, *, offset: int | None = None, line: int | None = None, column: int | None = None) -> None:
        self.message, self.offset, self.line, self.column = message, offset, line, column
        super().__init__(message)

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.message} (line {self.line}, column {self.column})"
        if self.offset is not None:
            return f"{self.message} (at offset 0x{self.offset:x})"
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_module_error, (type(self), self.message, self.offset, self.line, self.column), self.__dict__)


def _rebuild_module_error(
    kind: type[ModuleError], message: str, offset: int | None, line: int | None, column: int | None
) -> ModuleError:
    return kind(message, offset=offset, line=line, column=column)


class MalformedError(ModuleError):
    """The bytes or the text do not form a module."""


class InvalidError(ModuleError):
    """The module breaks a validation rule."""


class UnsupportedError(ModuleError):
    """The module needs a proposal that is switched off (`feature` names it), or passes an implementation limit."""

    def __init__(
        self,
        message: str,
        *,
        offset: int | None = None,
        line: int | None = None,
        column: int | None = None,
        feature: str | None = None,
    ) -> None:
        super().__init__(message, offset=offset, line=line, column=column)
        self.feature = feature


class LinkError(WasmError):
    """An import is missing or does not have the type that the module asks for; also a failed name lookup in a runtime, and an instance
    that the machine, or a limit of the runtime, has no room for."""


class Trap(WasmError):  # noqa: N818 (a name of the public contract)
    """The guest was stopped by a trap.

    `code` is one of the words in `purewasm.traps`, `frames` the guest's call stack, innermost first.
    """

    def __init__(self, message: str, *, code: str = "", frames: Sequence[Frame] = ()) -> None:
        super().__init__(message)
        self.code, self.frames = code or message, tuple(frames)


class FuelExhausted(Trap):
    """The fuel that the call was given is used up."""


class GuestException(WasmError):  # noqa: N818
    """An exception that the guest threw and that no handler in the guest caught.

    Made from a tag (`store.tag.Tag`) and raw values; a host function raises one with `raise tag.exception(1, 2)`.
    """

    __slots__ = ("frames", "raw", "tag")  # compiled code reads and writes them

    tag: TagLike
    raw: tuple[object, ...]
    frames: tuple[Frame, ...]

    def __init__(self, tag: TagLike, raw: tuple[object, ...], frames: Sequence[Frame] = ()) -> None:
        super().__init__(tag, raw)
        self.tag, self.raw, self.frames = tag, raw, tuple(frames)

    def __reduce__(self) -> tuple[object, ...]:
        return (GuestException, (self.tag, self.raw, self.frames), self.__dict__)

    @property
    def values(self) -> tuple[object, ...]:
        """The values that it carries, in their public form."""
        return self.tag.public(self.raw)

    def __str__(self) -> str:
        return f"uncaught exception: {self.tag!r} with values {self.values!r}"


class GuestExit(WasmError):  # noqa: N818
    """The guest asked the embedder to end it. `status` is 0 for success, as a process's exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"guest exited with status {status}")
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        return (GuestExit, (self.status,), self.__dict__)


class Interrupted(WasmError):  # noqa: N818
    """A running guest was stopped: its deadline passed, or its runtime or instance was closed."""


class MemoryAccessError(WasmError, IndexError):
    """An access from Python lies outside a memory or a table."""


class InternalError(WasmError):
    """purewasm broke one of its own invariants: please report it."""
