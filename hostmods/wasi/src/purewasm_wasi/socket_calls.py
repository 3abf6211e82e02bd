"""The functions `sock_…`."""

from __future__ import annotations

from functools import partial
from struct import Struct

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm_wasi.errno import INVAL, WasiError
from purewasm_wasi.flags import ALL_FDFLAGS, ALL_RIFLAGS, FILETYPE_SOCKET_STREAM, RECV_WAITALL
from purewasm_wasi.guest_memory import check, gather, write_u32

if TYPE_CHECKING:
    from purewasm import Memory
    from purewasm_wasi.descriptor import Descriptor
    from purewasm_wasi.process import Process

_U16: Final = Struct("<H")


def sock_accept(process: Process, memory: Memory, fd: int, flags: int, result: int) -> None:
    """Wait for a connection and store its number."""
    check(memory, result, 4, 4)
    if flags & ~ALL_FDFLAGS:
        raise WasiError(INVAL)
    listener = process.fds.get(fd)
    process.fds.check_room()
    if (host := listener.blocks_reading()) is not None:
        connection = process.when_readable(host, partial(listener.accept, flags))
    else:
        connection = listener.accept(flags)
    write_u32(memory, result, process.fds.add(connection))


def sock_recv(process: Process, memory: Memory, fd: int, iovs: int, count: int, flags: int, size: int, roflags: int) -> None:
    """Receive, and store how many bytes came and whether more were cut off."""
    view = memory.view()
    check(view, size, 4, 4)
    check(view, roflags, 2, 2)
    buffers = gather(view, iovs, count)
    if flags & ~ALL_RIFLAGS:
        raise WasiError(INVAL)
    descriptor = process.fds.get(fd)
    if buffers and (host := descriptor.blocks_reading()) is not None:
        received, result_flags = _receive_waiting(process, host, descriptor, buffers, flags)
    else:
        received, result_flags = descriptor.receive(buffers, flags)
    write_u32(memory, size, received)
    memory.write(roflags, _U16.pack(result_flags))


def _receive_waiting(process: Process, host: int, descriptor: Descriptor, buffers: list[memoryview], flags: int) -> tuple[int, int]:
    """Receive what comes first, or all that there is room for if the guest wants that."""
    if flags != RECV_WAITALL or descriptor.fdstat().filetype != FILETYPE_SOCKET_STREAM:
        return process.when_readable(host, partial(descriptor.receive, buffers, flags))
    total = 0
    for buffer in buffers:
        end = total + len(buffer)
        while total < end:
            part = buffer[len(buffer) - (end - total) :]
            size, result_flags = process.when_readable(host, partial(descriptor.receive, [part], 0))
            total += size
            if not size or result_flags:
                return total, result_flags
    return total, 0


def sock_send(process: Process, memory: Memory, fd: int, iovs: int, count: int, flags: int, result: int) -> None:
    """Send, and store how many bytes went. There are no flags."""
    view = memory.view()
    check(view, result, 4, 4)
    buffers = gather(view, iovs, count)
    if flags:
        raise WasiError(INVAL)
    descriptor = process.fds.get(fd)
    if buffers and (host := descriptor.blocks_writing()) is not None:
        size = process.write_waiting(host, descriptor.send, buffers)
    else:
        size = descriptor.send(buffers)
    write_u32(memory, result, size)


def sock_shutdown(process: Process, memory: Memory, fd: int, how: int) -> None:
    """End one direction of a connection, or both."""
    process.fds.get(fd).shutdown(how)
