"""A line that shows how far long work is: on a terminal only, and only where the work takes long enough to wonder."""

from __future__ import annotations

import sys
import time

from purewasm.light_typing import TYPE_CHECKING, Final, TextIO, final

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE_SECONDS: Final = 0.3
_STEP_SECONDS: Final = 0.1
_BAR: Final = 24
_CLEAR: Final = "\r\x1b[K"


@final
class ProgressLine:
    """Draws `title [#####     ] 37 %` on standard error. A context manager: the line is gone when the work is done."""

    def __init__(self, title: str, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._title, self._stream, self._clock = title, sys.stderr if stream is None else stream, clock
        self._next = clock() + _PATIENCE_SECONDS
        self._is_shown = False

    @property
    def callback(self) -> Callable[[int, int], None] | None:
        """What `RuntimeConfig.progress` takes; None where nobody would see it."""
        stream = self._stream
        return self._draw if stream is not None and stream.isatty() else None

    def _draw(self, done: int, total: int) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _STEP_SECONDS
        share = done / total if total else 1.0
        from shutil import get_terminal_size  # only who waits needs it

        bar = "#" * round(_BAR * share)
        tail = f" [{bar:{_BAR}}] {share:4.0%}"
        room = get_terminal_size().columns - len(tail) - 1
        self._stream.write(f"{_CLEAR}{self._title[: max(room, 0)]}{tail}")
        self._stream.flush()
        self._is_shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._is_shown = False
            self._stream.write(_CLEAR)
            self._stream.flush()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()
