"""One pipe: a bounded queue of messages with timeouts and a close."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, final

from purewasm import WasmError

_SLICE_SECONDS: Final = 0.02
"""How long somebody waits before it is asked whether the wait has to end."""


class PipeError(WasmError):
    """A pipe could not do what was asked. `pipe` is its number."""

    def __init__(self, pipe: int, problem: str) -> None:
        super().__init__(pipe, problem)
        self.pipe, self.problem = pipe, problem

    def __str__(self) -> str:
        return f"pipe {self.pipe}: {self.problem}"


class PipeTimeoutError(PipeError, TimeoutError):
    """Nobody came in time."""


class PipeClosedError(PipeError):
    """The pipe was closed."""


@final
class Channel:
    """A pipe. Thread-safe; each message is received once, whole, in the order of sending.

    Who waits calls `poll` again and again; what that raises ends the wait, and leaves the pipe as it was.
    """

    def __init__(self, number: int, capacity: int) -> None:
        self._number, self._capacity = number, capacity
        self._changed = threading.Condition()
        self._messages: deque[list[bytes]] = deque()
        """Each in a list of its own, so that a sender finds its own message again."""
        self._closed = False

    def send(self, message: bytes, timeout: float, poll: Callable[[], None]) -> None:
        """Put a message in. With a capacity of 0 this returns when it was received."""
        entry, deadline = [message], time.monotonic() + timeout
        with self._changed:
            while self._closed or len(self._messages) >= max(self._capacity, 1):
                self._wait(deadline, "no room for a message", poll)
            self._messages.append(entry)
            self._changed.notify_all()
            if not self._capacity:
                self._await_receiver(entry, deadline, poll)

    def _await_receiver(self, entry: list[bytes], deadline: float, poll: Callable[[], None]) -> None:
        try:
            while any(one is entry for one in self._messages):
                self._wait(deadline, "no receiver", poll)
        except BaseException:
            for position, one in enumerate(self._messages):
                if one is entry:  # not `remove`: another message may have the same bytes
                    del self._messages[position]
                    break
            self._changed.notify_all()
            raise

    def receive(self, take: Callable[[bytes], None], timeout: float, poll: Callable[[], None]) -> None:
        """Give the first message to `take`; if that raises, the message stays in the pipe. A closed pipe gives out what it holds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._messages:
                self._wait(deadline, "no message", poll)
            take(self._messages[0][0])
            self._messages.popleft()
            self._changed.notify_all()

    def _wait(self, deadline: float, problem: str, poll: Callable[[], None]) -> None:
        """Until something changes."""
        if self._closed:
            raise PipeClosedError(self._number, "it is closed")
        left = deadline - time.monotonic()
        if left <= 0:
            raise PipeTimeoutError(self._number, f"{problem} in time")
        self._changed.wait(min(left, _SLICE_SECONDS))
        poll()

    def close(self) -> None:
        """Nothing goes in any more; everybody who waits wakes up."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._messages)
