"""The page and the imports of `pantopic/wazero-pipe`. Written by `purewasm gen` from abi.toml: change that instead."""

from __future__ import annotations

from typing import NamedTuple

from purewasm import Caller
from purewasm.hostmod import Buffer, Cell, Page, PageModule, page_call


class PipesCells(NamedTuple):
    """What the host reads and writes in one instance."""

    pipe: Cell
    """The number of a pipe. u32."""
    message: Buffer
    """What is sent, and what is received."""


class PipesAbi(PageModule[PipesCells]):
    """Messages to other guests and to the host, by the number of a pipe. A host module overrides every import."""

    name = "pantopic/wazero-pipe"
    page_export = "__pipe"
    entries = 4
    max_message_bytes = 2097152

    def bind(self, page: Page) -> PipesCells:
        """The cells of an instance."""
        return PipesCells(
            page.cell(0, "u32", "the pipe cell"),
            page.buffer(
                3,
                page.cell(1, "u32", "the cell of the message's capacity"),
                page.cell(2, "u32", "the cell of the message's length"),
                "the message's buffer",
                self.max_message_bytes,
            ),
        )

    @page_call("__pipe_send")
    def on_send(self, cells: PipesCells, caller: Caller) -> None:
        """Put a copy of the bytes into a pipe; waits for room. Takes pipe, message."""
        raise NotImplementedError

    @page_call("__pipe_recv")
    def on_recv(self, cells: PipesCells, caller: Caller) -> None:
        """Take the first message out of a pipe; waits for one. Takes pipe. Gives message."""
        raise NotImplementedError
