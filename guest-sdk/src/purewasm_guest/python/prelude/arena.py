"""The arena: memory that the exported function which is running takes, and that is free again when it returns."""

from purewasm_guest.python import u32, u64
from purewasm_guest.python.memory import copy, grow, heap_base, load_u8, pages

_LIMIT: u64 = 0x100000000

_heap: u32 = 0
_arguments: u32 = 0


def allocate(size: u32) -> u32:
    """Bytes of the arena, at a multiple of 8; what is in them is left from before."""
    global _heap
    if _heap == 0:
        _heap = heap_base()
    start = _heap
    end = ((u64(start) + u64(size)) + 7) & 0xFFFFFFFFFFFFFFF8
    assert end < _LIMIT
    needed = u32((end + 65535) >> 16)
    if needed > pages():
        assert grow(needed - pages()) >= 0
    _heap = u32(end)
    return start



def allocate_argument(size: u32) -> u32:
    """Bytes for the host to put an argument into; they are free again when the next exported function returns."""
    global _arguments
    start = allocate(size)
    if _arguments == 0:
        _arguments = start
    return start



def enter() -> u32:
    """At the start of an exported function: where the arena is to be put back to at its end."""
    global _arguments
    if _heap == 0:
        allocate(0)
    mark = _heap
    if _arguments != 0:
        mark = _arguments
        _arguments = 0
    return mark



def check_place(at: u32, size: u64) -> None:
    """What the host says has to be in memory, before as much is taken for a copy."""
    assert u64(at) + size <= u64(pages()) << 16


def leave(mark: u32) -> None:
    """At the end of an exported function."""
    global _heap
    _heap = mark



def leave_with(mark: u32, at: u32, size: u32) -> u32:
    """The same, with bytes of the result, which are moved to the arena's free part: they stay until the next call."""
    leave(mark)
    copy(mark, at, size)
    return mark



def same(left: u32, right: u32, size: u32) -> bool:
    for index in range(size):
        if load_u8(left + index) != load_u8(right + index):
            return False
    return True
