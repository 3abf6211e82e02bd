"""The host module: pipes by number, and the import that puts a guest's message in or takes one out."""

from __future__ import annotations

import threading
from functools import partial
from typing import Final, final

from purewasm import Caller
from purewasm_pipe.abi import PipesAbi, PipesCells
from purewasm_pipe.channel import Channel, PipeClosedError, PipeError

SEND: Final = "__pipe_send"
RECV: Final = "__pipe_recv"


@final
class Pipes(PipesAbi):
    """Pipes between guests: `Pipes().register(runtime)`. The host may send and receive too.

    A pipe is made when it is first used, and holds `capacity` messages of at most `max_message_bytes`. `timeout` is in seconds.
    """

    def __init__(
        self, *, capacity: int = 16, timeout: float = 10.0, max_message_bytes: int = PipesAbi.max_message_bytes, max_pipes: int = 1_024
    ) -> None:
        super().__init__()
        if capacity < 0 or timeout < 0:
            raise ValueError(f"capacity and timeout are 0 or more, not {capacity} and {timeout}")
        self._capacity, self._timeout, self._max_pipes = capacity, timeout, max_pipes
        self.max_message_bytes = max_message_bytes
        self._lock = threading.Lock()
        self._channels: dict[int, Channel] = {}
        self._closed = False

    # ---- what guests call

    def on_send(self, cells: PipesCells, caller: Caller) -> None:
        """Put a copy of the guest's message in."""
        message = cells.message.read(SEND)
        self._channel(cells.pipe.get()).send(message, self._timeout, caller.check_interruption)

    def on_recv(self, cells: PipesCells, caller: Caller) -> None:
        """Take a message out. One that does not fit stays in the pipe."""
        take = partial(cells.message.write, RECV)
        self._channel(cells.pipe.get()).receive(take, self._timeout, caller.check_interruption)

    # ---- the host's own use

    def send(self, pipe: int, message: bytes, *, timeout: float | None = None) -> None:
        """Put a message in. `PipeTimeoutError`, `PipeClosedError`, `ValueError` for a message that is too long."""
        if len(message) > self.max_message_bytes:
            raise ValueError(f"a message has at most {self.max_message_bytes} bytes, not {len(message)}")
        self._channel(pipe).send(bytes(message), self._timeout if timeout is None else timeout, _nothing)

    def recv(self, pipe: int, *, timeout: float | None = None) -> bytes:
        """Take a message out. `PipeTimeoutError`, `PipeClosedError`."""
        found: list[bytes] = []
        self._channel(pipe).receive(found.append, self._timeout if timeout is None else timeout, _nothing)
        return found[0]

    def waiting(self, pipe: int) -> int:
        """How many messages are in a pipe."""
        channel = self._channels.get(pipe)
        return 0 if channel is None else len(channel)

    def close(self, pipe: int | None = None) -> None:
        """Close one pipe, or all and for good (as a runtime does at its end)."""
        if pipe is not None:
            self._channel(pipe).close()
            return
        with self._lock:
            self._closed = True
            channels = list(self._channels.values())
        for channel in channels:
            channel.close()

    def _channel(self, number: int) -> Channel:
        with self._lock:
            channel = self._channels.get(number)
            if channel is None:
                if self._closed:
                    raise PipeClosedError(number, "it is closed")
                if len(self._channels) >= self._max_pipes:
                    raise PipeError(number, f"there are {self._max_pipes} pipes already")
                channel = self._channels[number] = Channel(number, self._capacity)
            return channel


def _nothing() -> None:
    """The host's own waiting is ended by nobody but the pipe."""
