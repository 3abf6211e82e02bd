"""Straight ways for what guests call most: writing or reading one buffer, and the time.

Each is the host function itself, in one piece, for the usual case; whatever is unusual (another number of buffers, a pointer that is
not in order, a quota, a descriptor that may have to wait, an error) goes to the general function before anything has happened.
"""

# No `from __future__ import annotations`: the host module API looks at the annotation of the first parameter.

from collections.abc import Callable

from purewasm import Caller
from purewasm.light_typing import Final
from purewasm_wasi import clocks, io_calls
from purewasm_wasi.errno import WasiError, number_of
from purewasm_wasi.flags import CLOCK_MONOTONIC, CLOCK_REALTIME
from purewasm_wasi.guest_memory import MAX_TRANSFER_BYTES
from purewasm_wasi.layout import IOVEC, U32, U64, U64_MAX
from purewasm_wasi.process import Process

HostFunction = Callable[..., int]

_unpack_iovec: Final = IOVEC.unpack_from
_pack_u32: Final = U32.pack_into
_pack_u64: Final = U64.pack_into


def fd_write(general: HostFunction) -> HostFunction:
    """`fd_write` of one buffer to what takes it at once."""

    def call(caller: Caller, fd: int, iovs: int, count: int, result: int) -> int:
        process = caller.state
        if count == 1 and isinstance(process, Process) and not process.quota.limited:
            descriptor = process.fds.find(fd)
            view = caller.memory.view()
            end = len(view)
            if descriptor is not None and 0 <= iovs <= end - 8 and 0 <= result <= end - 4 and not (iovs | result) & 3:
                address, size = _unpack_iovec(view, iovs)
                if 0 < size <= MAX_TRANSFER_BYTES and address + size <= end:
                    try:
                        written = descriptor.write_one(view[address : address + size])
                    except WasiError as error:
                        return error.number
                    except OSError as error:
                        return number_of(error)
                    if written >= 0:
                        _pack_u32(view, result, written)
                        return 0
        return general(caller, fd, iovs, count, result)

    return call


def fd_read(general: HostFunction) -> HostFunction:
    """`fd_read` of one buffer from what has it at once."""

    def call(caller: Caller, fd: int, iovs: int, count: int, result: int) -> int:
        process = caller.state
        if count == 1 and isinstance(process, Process):
            descriptor = process.fds.find(fd)
            view = caller.memory.view()
            end = len(view)
            if descriptor is not None and 0 <= iovs <= end - 8 and 0 <= result <= end - 4 and not (iovs | result) & 3:
                address, size = _unpack_iovec(view, iovs)
                if 0 < size <= MAX_TRANSFER_BYTES and address + size <= end:
                    try:
                        read = descriptor.read_one(view[address : address + size])
                    except WasiError as error:
                        return error.number
                    except OSError as error:
                        return number_of(error)
                    if read >= 0:
                        _pack_u32(view, result, read)
                        return 0
        return general(caller, fd, iovs, count, result)

    return call


def clock_time_get(general: HostFunction) -> HostFunction:
    """`clock_time_get` of a clock that there is."""

    def call(caller: Caller, clock: int, precision: int, result: int) -> int:
        process = caller.state
        if isinstance(process, Process) and CLOCK_REALTIME <= clock <= CLOCK_MONOTONIC:
            view = caller.memory.view()
            if 0 <= result <= len(view) - 8 and not result & 7:
                time = process.clocks.monotonic() if clock else process.clocks.realtime()
                if 0 <= time <= U64_MAX:
                    _pack_u64(view, result, time)
                    return 0
        return general(caller, clock, precision, result)

    return call


WAYS: Final[dict[Callable[..., None], Callable[[HostFunction], HostFunction]]] = {
    io_calls.fd_write: fd_write,
    io_calls.fd_read: fd_read,
    clocks.clock_time_get: clock_time_get,
}
"""By the function that each is a straight way for."""
