"""A call that is owed: what the body of a function returns to make a tail call (see `calls`)."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable


@final
class TailCall:
    """`go()` makes the call and returns what it returns: results, or another `TailCall`."""

    __slots__ = ("go",)

    def __init__(self, go: Callable[[], object]) -> None:
        self.go = go
