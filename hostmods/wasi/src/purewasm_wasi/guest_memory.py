"""Every access to guest memory: pointers, lengths and strings as the guest gives them, which is to say hostile.

A function checks all its pointers with `check` before it does anything else, so that a call with a bad one has no effect at all.
A range outside the memory, or an address that is not aligned as its type demands, ends the guest with `MemoryAccessError`: the
specification asks for a trap, not for an errno. Arithmetic is on Python integers and cannot wrap.
"""

from __future__ import annotations

from purewasm import MemoryAccessError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm_wasi.errno import ILSEQ, INVAL, NAMETOOLONG, WasiError
from purewasm_wasi.layout import IOVEC, U32, U64

if TYPE_CHECKING:
    from collections.abc import Sized

    from purewasm import Memory

MAX_BUFFERS: Final = 1024
"""How many buffers one read or write takes; the call is cut short there, as it may be anywhere."""
MAX_SCANNED: Final = 65_536
"""How many iovecs are looked at in search of one that is not empty."""
MAX_TRANSFER_BYTES: Final = 0x7FFF_F000
"""How much one read or write moves at most: the count has to fit the guest's integer, whatever buffers overlap."""
MAX_STRING_BYTES: Final = 65_536
"""No host takes a path this long; longer ones are refused before they are copied."""


def check(memory: Sized, address: int, size: int, alignment: int = 1) -> None:
    """Raise `MemoryAccessError` unless `size` bytes at `address` lie inside the memory (or the view of it), aligned."""
    if address + size > len(memory):
        raise MemoryAccessError(
            f"out of bounds memory access: {size} bytes at 0x{address:x} are not inside the guest's memory of {len(memory)} bytes"
        )
    if address & (alignment - 1):
        raise MemoryAccessError(f"unaligned memory access: 0x{address:x} is not a multiple of {alignment}")


def read_string(memory: Memory, address: int, size: int) -> bytes:
    """A path or a link's target. `nametoolong`, `ilseq` if it is not UTF-8, `inval` if it has a NUL in it."""
    check(memory, address, size)
    if size > MAX_STRING_BYTES:
        raise WasiError(NAMETOOLONG)
    data = memory.read(address, size)
    try:
        data.decode()
    except UnicodeDecodeError:
        raise WasiError(ILSEQ) from None
    if 0 in data:
        raise WasiError(INVAL)
    return data


def write_u32(memory: Memory, address: int, value: int) -> None:
    """Write a result whose place was checked beforehand."""
    U32.pack_into(memory.view(), address, value)


def write_u64(memory: Memory, address: int, value: int) -> None:
    """Write a result whose place was checked beforehand."""
    U64.pack_into(memory.view(), address, value)


def gather(view: memoryview, iovs: int, count: int) -> list[memoryview]:
    """The buffers that `count` iovecs at `iovs` describe, empty ones left out, as views of the guest's memory.

    Every iovec of the array has to lie in memory, every buffer that is used too. At most `MAX_BUFFERS` and
    `MAX_TRANSFER_BYTES` are used, and no more of the array than that is read, so that its length costs nothing.
    """
    check(view, iovs, count * 8, 4)
    limit = len(view)
    buffers: list[memoryview] = []
    room = MAX_TRANSFER_BYTES
    for offset in range(iovs, iovs + 8 * min(count, MAX_SCANNED), 8):
        address, size = IOVEC.unpack_from(view, offset)
        if not size:
            continue
        if address + size > limit:
            check(view, address, size)
        buffers.append(view[address : address + min(size, room)])
        room -= size
        if room <= 0 or len(buffers) == MAX_BUFFERS:
            break
    if not buffers and count > MAX_SCANNED:
        raise WasiError(INVAL)
    return buffers
