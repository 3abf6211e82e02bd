"""Lists and tuples: `u32 items, u32 room, u32 address of the items`; `size` is that of an item."""

from purewasm_guest.python import f32, f64, i64, u32, u64
from purewasm_guest.python.memory import copy, load_f32, load_f64, load_u8, load_u32, load_u64, store_u32
from purewasm_guest.python.prelude.arena import allocate, check_place, same

_END = 0x7FFFFFFFFFFFFFFF
_LIMIT: u64 = 0x100000000


def item_index(index: i64, count: u32) -> u32:
    """An index as a number from 0; out of range it traps."""
    if index < 0:
        index += i64(count)
    assert 0 <= index < i64(count)
    return u32(index)



def clipped(index: i64, count: u32) -> u32:
    """A bound of a slice as a number from 0 to the length."""
    if index < 0:
        index += i64(count)
    return u32(max(0, min(index, i64(count))))



def list_from(at: u32, count: u32, size: u32) -> u32:
    """A list of memory."""
    check_place(at, u64(count) * u64(size))
    made = list_new(count, size)
    copy(load_u32(made + 8), at, count * size)
    return made



def list_new(count: u32, size: u32) -> u32:
    """A list whose items are still to be written."""
    assert u64(count) * u64(size) < _LIMIT
    made = allocate(16)
    store_u32(made, count)
    store_u32(made + 4, count)
    store_u32(made + 8, allocate(count * size))
    return made



def list_slot(whole: u32, size: u32) -> u32:
    """The address of one more item; a full list moves to twice the room."""
    count = load_u32(whole)
    if count >= load_u32(whole + 4):
        _make_room(whole, max(4, u64(count) * 2), size)
    store_u32(whole, count + 1)
    return load_u32(whole + 8) + count * size



def _make_room(whole: u32, room: u64, size: u32) -> None:
    assert room * u64(size) < _LIMIT
    items = allocate(u32(room) * size)
    copy(items, load_u32(whole + 8), load_u32(whole) * size)
    store_u32(whole + 4, u32(room))
    store_u32(whole + 8, items)



def list_extend(whole: u32, more: u32, size: u32) -> None:
    """`whole.extend(more)`."""
    count = load_u32(whole)
    added = load_u32(more)
    needed = u64(count) + u64(added)
    if needed > u64(load_u32(whole + 4)):
        _make_room(whole, max(needed, u64(count) * 2), size)
    copy(load_u32(whole + 8) + count * size, load_u32(more + 8), added * size)
    store_u32(whole, u32(needed))



def list_remove(whole: u32, index: u32, size: u32) -> None:
    """Close the gap of an item."""
    at = load_u32(whole + 8) + index * size
    after = load_u32(whole) - index - 1
    copy(at, at + size, after * size)
    store_u32(whole, load_u32(whole) - 1)



def list_concat(left: u32, right: u32, size: u32) -> u32:
    """`left + right`."""
    made = list_slice(left, 0, _END, size)
    list_extend(made, right, size)
    return made



def list_repeat(whole: u32, count: i64, size: u32) -> u32:
    """`whole * count`."""
    times = u64(max(count, 0))
    items = u64(load_u32(whole))
    assert times < _LIMIT and items * times < _LIMIT
    made = list_new(u32(items * times), size)
    width = load_u32(whole) * size
    for index in range(u32(times)):
        copy(load_u32(made + 8) + index * width, load_u32(whole + 8), width)
    return made



def list_slice(whole: u32, start: i64, stop: i64, size: u32) -> u32:
    """`whole[start:stop]`."""
    count = load_u32(whole)
    first = clipped(start, count)
    last = max(first, clipped(stop, count))
    return list_from(load_u32(whole + 8) + first * size, last - first, size)



def list_equal_u8(left: u32, right: u32) -> bool:
    """`left == right`, of bools."""
    return load_u32(left) == load_u32(right) and same(load_u32(left + 8), load_u32(right + 8), load_u32(left))



def list_equal_u32(left: u32, right: u32) -> bool:
    """The same of whole numbers."""
    return load_u32(left) == load_u32(right) and same(load_u32(left + 8), load_u32(right + 8), load_u32(left) * 4)



def list_equal_u64(left: u32, right: u32) -> bool:
    """The same of whole numbers."""
    return load_u32(left) == load_u32(right) and same(load_u32(left + 8), load_u32(right + 8), load_u32(left) * 8)



def list_equal_f64(left: u32, right: u32) -> bool:
    """The same of floats."""
    if load_u32(left) != load_u32(right):
        return False
    for index in range(load_u32(left)):
        if load_f64(load_u32(left + 8) + index * 8) != load_f64(load_u32(right + 8) + index * 8):
            return False
    return True



def list_equal_f32(left: u32, right: u32) -> bool:
    """The same of floats."""
    if load_u32(left) != load_u32(right):
        return False
    for index in range(load_u32(left)):
        if load_f32(load_u32(left + 8) + index * 4) != load_f32(load_u32(right + 8) + index * 4):
            return False
    return True



def list_contains_u8(item: u32, whole: u32) -> bool:
    """`item in whole`, of bools."""
    for index in range(load_u32(whole)):
        if load_u8(load_u32(whole + 8) + index) == item:
            return True
    return False



def list_contains_u32(item: u32, whole: u32) -> bool:
    """The same of whole numbers."""
    for index in range(load_u32(whole)):
        if load_u32(load_u32(whole + 8) + index * 4) == item:
            return True
    return False



def list_contains_u64(item: u64, whole: u32) -> bool:
    """The same of whole numbers."""
    for index in range(load_u32(whole)):
        if load_u64(load_u32(whole + 8) + index * 8) == item:
            return True
    return False



def list_contains_f64(item: f64, whole: u32) -> bool:
    """The same of floats."""
    for index in range(load_u32(whole)):
        if load_f64(load_u32(whole + 8) + index * 8) == item:
            return True
    return False



def list_contains_f32(item: f32, whole: u32) -> bool:
    """The same of floats."""
    for index in range(load_u32(whole)):
        if load_f32(load_u32(whole + 8) + index * 4) == item:
            return True
    return False
