"""How much one guest may write: to files (`dquot` beyond it), and to standard output and error together (`fbig`).

What is left is taken by a write that wants more; the next one fails. Growing a file by setting its size counts as writing to it.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, final
from purewasm_wasi.errno import DQUOT, FBIG, WasiError
from purewasm_wasi.filesystem import File
from purewasm_wasi.stdio import OutputStream

if TYPE_CHECKING:
    from purewasm_wasi.descriptor import Descriptor


@final
class Quota:
    """What one instance has left; None for no limit."""

    __slots__ = ("_file_bytes", "_output_bytes", "limited")

    def __init__(self, max_file_bytes: int | None, max_output_bytes: int | None) -> None:
        self._file_bytes, self._output_bytes = max_file_bytes, max_output_bytes
        self.limited = max_file_bytes is not None or max_output_bytes is not None

    def cut(self, descriptor: Descriptor, buffers: list[memoryview]) -> list[memoryview]:
        """As much of what is to be written as may be."""
        left, error = self._left(descriptor)
        if left is None or not buffers:
            return buffers
        if not left:
            raise WasiError(error)
        allowed = []
        for buffer in buffers:
            allowed.append(buffer[:left])
            left -= len(allowed[-1])
            if not left:
                break
        return allowed

    def check_growth(self, descriptor: Descriptor, size: int) -> int:
        """How much a file would grow to have this size; an error if that is more than it may."""
        left, error = self._left(descriptor)
        if left is None:
            return 0
        growth = max(0, size - descriptor.filestat().size)
        if growth > left:
            raise WasiError(error)
        return growth

    def took(self, descriptor: Descriptor, size: int) -> None:
        """So much was written."""
        if isinstance(descriptor, File) and self._file_bytes is not None:
            self._file_bytes -= size
        elif isinstance(descriptor, OutputStream) and self._output_bytes is not None:
            self._output_bytes -= size

    def _left(self, descriptor: Descriptor) -> tuple[int | None, int]:
        if isinstance(descriptor, File):
            return self._file_bytes, DQUOT
        return (self._output_bytes if isinstance(descriptor, OutputStream) else None), FBIG
