"""The host module: pipes by number, and the import that puts a guest's message in or takes one out.

    entry 0   number of the pipe, u32
    entry 1   capacity of the buffer, u32
    entry 2   length, u32
    entry 3   bytes
"""

from __future__ import annotations

import threading
from typing import Final, NamedTuple, final

from purewasm.hostmod import Buffer, Cell, Page, PageModule, page_call
from purewasm_pipe.channel import Channel, PipeClosedError, PipeError

SEND: Final = "__pipe_send"
RECV: Final = "__pipe_recv"


class Cells(NamedTuple):
    """What the host reads and writes in one instance."""

    pipe: Cell
    message: Buffer


@final
class Pipes(PageModule[Cells]):
    """Pipes between guests: `Pipes().register(runtime)`. The host may send and receive too.

    A pipe is made when it is first used, and holds `capacity` messages of at most `max_message_bytes`. `timeout` is in seconds.
    """

    name = "pantopic/wazero-pipe"
    page_export = "__pipe"
    entries = 4

    def __init__(self, *, capacity: int = 16, timeout: float = 10.0, max_message_bytes: int = 2 << 20, max_pipes: int = 1_024) -> None:
        super().__init__()
        if capacity < 0 or timeout < 0:
            raise ValueError(f"capacity and timeout are 0 or more, not {capacity} and {timeout}")
        self._capacity, self._timeout, self._max_message_bytes, self._max_pipes = capacity, timeout, max_message_bytes, max_pipes
        self._lock = threading.Lock()
        self._channels: dict[int, Channel] = {}
        self._closed = False

    def bind(self, page: Page) -> Cells:
        """The cells of an instance."""
        pipe = page.cell(0, "u32", "the cell of the pipe's number")
        capacity, length = page.cell(1, "u32", "the cell of the capacity"), page.cell(2, "u32", "the cell of the length")
        return Cells(pipe, page.buffer(3, capacity, length, "the message's buffer", self._max_message_bytes))

    # ---- what guests call

    @page_call(SEND)
    def guest_send(self, cells: Cells) -> None:
        """Put a copy of the guest's message in."""
        message = cells.message.read(SEND)
        self._channel(cells.pipe.get()).send(message, self._timeout)

    @page_call(RECV)
    def guest_recv(self, cells: Cells) -> None:
        """Take a message out. One that does not fit stays in the pipe."""
        self._channel(cells.pipe.get()).receive(lambda message: cells.message.write(RECV, message), self._timeout)

    # ---- the host's own use

    def send(self, pipe: int, message: bytes, *, timeout: float | None = None) -> None:
        """Put a message in. `PipeTimeoutError`, `PipeClosedError`, `ValueError` for a message that is too long."""
        if len(message) > self._max_message_bytes:
            raise ValueError(f"a message has at most {self._max_message_bytes} bytes, not {len(message)}")
        self._channel(pipe).send(bytes(message), self._timeout if timeout is None else timeout)

    def recv(self, pipe: int, *, timeout: float | None = None) -> bytes:
        """Take a message out. `PipeTimeoutError`, `PipeClosedError`."""
        found: list[bytes] = []
        self._channel(pipe).receive(found.append, self._timeout if timeout is None else timeout)
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
