"""str and bytes: `u32 bytes, u32 characters, the bytes`, of a str in UTF-8."""

from purewasm_guest.python import i32, i64, u32, u64
from purewasm_guest.python.memory import copy, fill, load_u8, load_u32, load_u64, store_u8, store_u32
from purewasm_guest.python.prelude.arena import allocate, check_place, same
from purewasm_guest.python.prelude.lists import clipped, item_index, list_new, list_slot

_LIMIT: u64 = 0x100000000


def bytes_from(at: u32, size: u32) -> u32:
    """A bytes object of memory."""
    check_place(at, u64(size))
    made = bytes_new(size)
    copy(made + 8, at, size)
    return made



def text_from(at: u32, size: u32) -> u32:
    """A str of memory, which has to be UTF-8."""
    return text_decode(bytes_from(at, size))



def bytes_new(size: u32) -> u32:
    """A bytes object that is still to be filled."""
    assert size <= 0xFFFFFFF0
    made = allocate(size + 8)
    store_u32(made, size)
    store_u32(made + 4, size)
    return made



def bytes_zeroed(count: i64) -> u32:
    """`bytes(count)`."""
    assert 0 <= count <= 0xFFFFFFF0
    made = bytes_new(u32(count))
    fill(made + 8, 0, u32(count))
    return made



def bytes_of_list(numbers: u32) -> u32:
    """`bytes(list)`."""
    count = load_u32(numbers)
    source = load_u32(numbers + 8)
    made = bytes_new(count)
    for index in range(count):
        number = load_u64(source + index * 8)
        assert number < 256
        store_u8(made + 8 + index, u32(number))
    return made



def byte_item(text: u32, index: i64) -> i64:
    """`bytes[index]`."""
    return i64(load_u8(text + 8 + item_index(index, load_u32(text))))



def character_bytes(text: u32, at: u32) -> u32:
    """How many bytes the character has that begins at a place."""
    return width_of(load_u8(text + 8 + at))



def width_of(first: u32) -> u32:
    """How many bytes a character has, by its first one."""
    if first < 0x80:
        return 1
    if first < 0xE0:
        return 2
    if first < 0xF0:
        return 3
    return 4



def text_character(text: u32, at: u32) -> u32:
    """The character that begins at a place, as a str."""
    return _part(text, at, at + character_bytes(text, at), 1)



def _part(text: u32, start: u32, stop: u32, characters: u32) -> u32:
    made = bytes_new(stop - start)
    store_u32(made + 4, characters)
    copy(made + 8, text + 8 + start, stop - start)
    return made



def _place(text: u32, index: u32) -> u32:
    """Where the character of an index begins."""
    if load_u32(text) == load_u32(text + 4):
        return index
    at: u32 = 0
    while index != 0:
        at += character_bytes(text, at)
        index -= 1
    return at



def _index(text: u32, place: u32) -> i64:
    """The index of the character that begins at a place."""
    if load_u32(text) == load_u32(text + 4):
        return i64(place)
    at: u32 = 0
    found = 0
    while at < place:
        at += character_bytes(text, at)
        found += 1
    return found



def text_item(text: u32, index: i64) -> u32:
    """`str[index]`."""
    return text_character(text, _place(text, item_index(index, load_u32(text + 4))))



def text_slice(text: u32, start: i64, stop: i64) -> u32:
    """`text[start:stop]`."""
    count = load_u32(text + 4)
    first = clipped(start, count)
    last = max(first, clipped(stop, count))
    return _part(text, _place(text, first), _place(text, last), last - first)



def text_concat(left: u32, right: u32) -> u32:
    """`left + right`."""
    size = load_u32(left)
    more = load_u32(right)
    assert u64(size) + u64(more) < _LIMIT
    made = bytes_new(size + more)
    store_u32(made + 4, load_u32(left + 4) + load_u32(right + 4))
    copy(made + 8, left + 8, size)
    copy(made + 8 + size, right + 8, more)
    return made



def text_repeat(text: u32, count: i64) -> u32:
    """`text * count`."""
    times = u64(max(count, 0))
    size = load_u32(text)
    assert times < _LIMIT and u64(size) * times < _LIMIT
    made = bytes_new(size * u32(times))
    store_u32(made + 4, load_u32(text + 4) * u32(times))
    for index in range(u32(times)):
        copy(made + 8 + index * size, text + 8, size)
    return made



def text_compare(left: u32, right: u32) -> i32:
    """Below 0, 0 or above it: UTF-8's order is that of the characters."""
    size = min(load_u32(left), load_u32(right))
    for index in range(size):
        difference = i32(load_u8(left + 8 + index)) - i32(load_u8(right + 8 + index))
        if difference != 0:
            return difference
    if load_u32(left) < load_u32(right):
        return -1
    return i32(load_u32(left) > load_u32(right))



def text_equal(left: u32, right: u32) -> bool:
    """`left == right`."""
    return load_u32(left) == load_u32(right) and same(left + 8, right + 8, load_u32(left))



def _find(text: u32, part: u32, start: u32) -> u32:
    """The place of the first `part` from a place on; the length plus one where there is none."""
    size = load_u32(text)
    width = load_u32(part)
    if width > size:
        return size + 1
    at = start
    while at <= size - width:
        if same(text + 8 + at, part + 8, width):
            return at
        at += 1
    return size + 1



def text_contains(part: u32, text: u32) -> bool:
    """`part in text`."""
    return _find(text, part, 0) <= load_u32(text)



def text_find(text: u32, part: u32) -> i64:
    """`text.find(part)`."""
    at = _find(text, part, 0)
    if at > load_u32(text):
        return -1
    return _index(text, at)



def text_count(text: u32, part: u32) -> i64:
    """`text.count(part)`."""
    if load_u32(part) == 0:
        return i64(load_u32(text + 4)) + 1
    found = 0
    at = _find(text, part, 0)
    while at <= load_u32(text):
        found += 1
        at = _find(text, part, at + load_u32(part))
    return found



def text_starts(text: u32, part: u32) -> bool:
    """`text.startswith(part)`."""
    return load_u32(part) <= load_u32(text) and same(text + 8, part + 8, load_u32(part))



def text_ends(text: u32, part: u32) -> bool:
    """`text.endswith(part)`."""
    size = load_u32(text)
    width = load_u32(part)
    return width <= size and same(text + 8 + size - width, part + 8, width)



def text_encode(text: u32) -> u32:
    """`str.encode()`."""
    return bytes_from(text + 8, load_u32(text))



def text_decode(data: u32) -> u32:
    """`bytes.decode()`; what is no UTF-8 traps."""
    size = load_u32(data)
    characters: u32 = 0
    at: u32 = 0
    while at < size:
        first = load_u8(data + 8 + at)
        assert first < 0x80 or 0xC2 <= first <= 0xF4
        width = width_of(first)
        assert width <= size - at
        for index in range(1, width):
            assert load_u8(data + 8 + at + index) & 0xC0 == 0x80
        if width > 2:
            second = load_u8(data + 9 + at)
            assert not (first == 0xE0 and second < 0xA0) and not (first == 0xED and second > 0x9F)
            assert not (first == 0xF0 and second < 0x90) and not (first == 0xF4 and second > 0x8F)
        at += width
        characters += 1
    return _part(data, 0, size, characters)



def _is_space(text: u32, at: u32) -> bool:
    byte = load_u8(text + 8 + at)
    return byte == 32 or 9 <= byte <= 13



def text_strip(text: u32) -> u32:
    """`text.strip()`, of ASCII's white space."""
    start: u32 = 0
    stop = load_u32(text)
    while start < stop and _is_space(text, start):
        start += 1
    while stop > start and _is_space(text, stop - 1):
        stop -= 1
    return _part(text, start, stop, load_u32(text + 4) - start - (load_u32(text) - stop))



def _counted(text: u32, start: u32, stop: u32) -> u32:
    """A part of a text, whose characters are counted; in bytes each is one."""
    made = _part(text, start, stop, stop - start)
    if load_u32(text) != load_u32(text + 4):
        characters: u32 = 0
        at: u32 = 0
        while at < stop - start:
            at += character_bytes(made, at)
            characters += 1
        store_u32(made + 4, characters)
    return made



def text_words(text: u32) -> u32:
    """`text.split()`, at ASCII's white space."""
    made = list_new(0, 4)
    size = load_u32(text)
    at: u32 = 0
    while at < size:
        start = at
        while at < size and not _is_space(text, at):
            at += 1
        if at > start:
            word = _counted(text, start, at)
            store_u32(list_slot(made, 4), word)
        at += 1
    return made



def text_split(text: u32, part: u32) -> u32:
    """`text.split(part)`."""
    assert load_u32(part) != 0
    made = list_new(0, 4)
    start: u32 = 0
    at = _find(text, part, 0)
    while at <= load_u32(text):
        store_u32(list_slot(made, 4), _counted(text, start, at))
        start = at + load_u32(part)
        at = _find(text, part, start)
    store_u32(list_slot(made, 4), _counted(text, start, load_u32(text)))
    return made



def text_join(between: u32, parts: u32) -> u32:
    """`between.join(parts)`."""
    count = load_u32(parts)
    items = load_u32(parts + 8)
    size: u64 = 0
    characters: u32 = 0
    for index in range(count):
        part = load_u32(items + index * 4)
        if index != 0:
            size += u64(load_u32(between))
            characters += load_u32(between + 4)
        size += u64(load_u32(part))
        characters += load_u32(part + 4)
    assert size < _LIMIT
    made = bytes_new(u32(size))
    store_u32(made + 4, characters)
    at = made + 8
    for index in range(count):
        part = load_u32(items + index * 4)
        if index != 0:
            copy(at, between + 8, load_u32(between))
            at += load_u32(between)
        copy(at, part + 8, load_u32(part))
        at += load_u32(part)
    return made



def text_replace(text: u32, old: u32, new: u32) -> u32:
    """`text.replace(old, new)`, of an `old` that is not empty."""
    return text_join(new, text_split(text, old))



def text_of_u64(number: u64) -> u32:
    """`str(number)`."""
    digits = number
    size: u32 = 1
    while digits > 9:
        digits //= 10
        size += 1
    made = bytes_new(size)
    at = made + 8 + size
    while at > made + 8:
        at -= 1
        store_u8(at, u32(48 + number % 10))
        number //= 10
    return made



def text_of_i64(number: i64) -> u32:
    """`str(number)`."""
    if number < 0:
        made = text_of_u64(0 - u64(number))
        whole = bytes_new(load_u32(made) + 1)
        store_u8(whole + 8, 45)
        copy(whole + 9, made + 8, load_u32(made))
        return whole
    return text_of_u64(u64(number))



def parse_i64(text: u32) -> i64:
    """`int(text)`: ASCII digits with a sign and white space around; anything else, or too large a number, traps."""
    stripped = text_strip(text)
    size = load_u32(stripped)
    at: u32 = 0
    is_negative = False
    if size > 0 and (load_u8(stripped + 8) == 43 or load_u8(stripped + 8) == 45):
        is_negative = load_u8(stripped + 8) == 45
        at = 1
    assert at < size
    found: u64 = 0
    limit: u64 = 0x7FFFFFFFFFFFFFFF
    if is_negative:
        limit += 1
    while at < size:
        digit = load_u8(stripped + 8 + at) - 48
        assert digit < 10
        assert found <= (limit - u64(digit)) // 10
        found = found * 10 + u64(digit)
        at += 1
    if is_negative:
        return 0 - i64(found)
    return i64(found)



def ordinal(text: u32) -> i64:
    """`ord(text)`."""
    assert load_u32(text + 4) == 1
    first = load_u8(text + 8)
    width = load_u32(text)
    if width == 1:
        return i64(first)
    found = first & (0xFF >> (width + 1))
    for index in range(1, width):
        found = (found << 6) | (load_u8(text + 8 + index) & 0x3F)
    return i64(found)



def character(number: i64) -> u32:
    """`chr(number)`; surrogates trap, for UTF-8 has none."""
    assert 0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    code = u32(number)
    width: u32 = 4
    lead: u32 = 0xF0
    if code < 0x80:
        width = 1
        lead = 0
    elif code < 0x800:
        width = 2
        lead = 0xC0
    elif code < 0x10000:
        width = 3
        lead = 0xE0
    made = bytes_new(width)
    store_u32(made + 4, 1)
    at = width - 1
    while at > 0:
        store_u8(made + 8 + at, 0x80 | (code & 0x3F))
        code >>= 6
        at -= 1
    store_u8(made + 8, lead | code)
    return made



def list_equal_text(left: u32, right: u32) -> bool:
    """The same of str or bytes."""
    if load_u32(left) != load_u32(right):
        return False
    for index in range(load_u32(left)):
        if not text_equal(load_u32(load_u32(left + 8) + index * 4), load_u32(load_u32(right + 8) + index * 4)):
            return False
    return True



def list_contains_text(item: u32, whole: u32) -> bool:
    """The same of str or bytes."""
    for index in range(load_u32(whole)):
        if text_equal(load_u32(load_u32(whole + 8) + index * 4), item):
            return True
    return False
