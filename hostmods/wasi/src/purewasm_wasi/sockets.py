"""Sockets that the embedder made, as descriptors. A guest has no way to make one itself.

`Wasi(sockets=[…])` takes Python sockets, listening or connected. They stand behind the preopened directories: at descriptor 3 if
there are none. The guest works on duplicates, so the embedder's own stay open.
"""

from __future__ import annotations

import socket

from purewasm.light_typing import Final
from purewasm_wasi.descriptor import Descriptor
from purewasm_wasi.errno import INVAL, SPIPE, WasiError
from purewasm_wasi.flags import (
    ALL_SDFLAGS,
    FDFLAG_NONBLOCK,
    FILETYPE_SOCKET_DGRAM,
    FILETYPE_SOCKET_STREAM,
    RECV_DATA_TRUNCATED,
    RECV_PEEK,
    RIGHT_SOCK_ACCEPT,
    SHUTDOWN_RD,
    SHUTDOWN_WR,
    SOCKET_RIGHTS,
)
from purewasm_wasi.layout import Fdstat, Filestat

_DONT_WAIT: Final = getattr(socket, "MSG_DONTWAIT", 0)
_HOW: Final = {SHUTDOWN_RD: socket.SHUT_RD, SHUTDOWN_WR: socket.SHUT_WR, ALL_SDFLAGS: socket.SHUT_RDWR}


class Socket(Descriptor):
    """A socket, listening or connected."""

    __slots__ = ("_socket",)

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def fdstat(self) -> Fdstat:
        flags = 0 if self._socket.getblocking() else FDFLAG_NONBLOCK
        rights = SOCKET_RIGHTS | RIGHT_SOCK_ACCEPT
        return Fdstat(self._filetype(), flags, rights, rights)

    def filestat(self) -> Filestat:
        return Filestat(0, 0, self._filetype(), 0, 0, 0, 0, 0)

    def set_flags(self, flags: int) -> None:
        if flags & ~FDFLAG_NONBLOCK:
            raise WasiError(INVAL)
        self._socket.setblocking(not flags)

    def close(self) -> None:
        self._socket.close()

    def seek(self, offset: int, whence: int) -> int:
        raise WasiError(SPIPE)

    def read(self, buffers: list[memoryview]) -> int:
        return self.receive(buffers, 0)[0]

    def write(self, buffers: list[memoryview]) -> int:
        return self.send(buffers)

    def wait_read(self) -> int | None:
        return self._socket.fileno()

    def wait_write(self) -> int | None:
        return self._socket.fileno()

    def blocks_reading(self) -> int | None:
        return self._socket.fileno() if self._socket.gettimeout() is None else None

    def blocks_writing(self) -> int | None:
        return self._socket.fileno() if self._socket.gettimeout() is None else None

    def accept(self, flags: int) -> Socket:
        waits = self._socket.gettimeout() is None
        if waits:
            self._socket.setblocking(False)  # it has been waited for already; somebody else may have been faster
        try:
            connection, _ = self._socket.accept()
        finally:
            if waits:
                self._socket.setblocking(True)
        connection.setblocking(not flags & FDFLAG_NONBLOCK)
        return Socket(connection)

    def receive(self, buffers: list[memoryview], flags: int) -> tuple[int, int]:
        if not buffers:
            return 0, 0
        # It has been waited for already. To wait for all of it is the caller's, who notices that the guest is to be stopped.
        host_flags = _DONT_WAIT | (socket.MSG_PEEK if flags & RECV_PEEK else 0)
        if not hasattr(self._socket, "recvmsg_into"):
            return self._socket.recv_into(buffers[0], 0, host_flags), 0
        size, _, message_flags, _ = self._socket.recvmsg_into(buffers, 0, host_flags)
        return size, RECV_DATA_TRUNCATED if message_flags & socket.MSG_TRUNC else 0

    def send(self, buffers: list[memoryview]) -> int:
        if not hasattr(self._socket, "sendmsg"):
            return self._socket.send(buffers[0]) if buffers else 0
        # It has been waited for already; where it has to wait again it says so.
        return self._socket.sendmsg(buffers, (), _DONT_WAIT)

    def shutdown(self, how: int) -> None:
        if how not in _HOW:
            raise WasiError(INVAL)
        self._socket.shutdown(_HOW[how])

    def _filetype(self) -> int:
        return FILETYPE_SOCKET_DGRAM if self._socket.type == socket.SOCK_DGRAM else FILETYPE_SOCKET_STREAM
