"""Module bytes → how many instructions they hold, and larger modules made of the same functions.

Counts every instruction of every body, `block`, `else` and `end` included, by purewasm's opcode table but with no other code of
purewasm: figures per instruction then mean the same thing whichever part is measured. The modules are taken to be valid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from purewasm.wasm.opcodes import BY_CODE, PREFIX_SHIFT, PREFIXES
from purewasm.wasm.opcodes import immediates as kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

_FUNCTION_SECTION: Final = 3
_CODE_SECTION: Final = 10
_HEADER_BYTES: Final = 8

# kind of immediate → (LEB128 numbers, bytes after them), for the kinds of fixed shape
_SHAPES: Final[dict[int, tuple[int, int]]] = {
    kinds.NONE: (0, 0),
    kinds.BLOCK: (1, 0),
    kinds.LABEL: (1, 0),
    kinds.FUNC: (1, 0),
    kinds.TYPE: (1, 0),
    kinds.TYPE_TABLE: (2, 0),
    kinds.TABLE: (1, 0),
    kinds.TABLE_TABLE: (2, 0),
    kinds.ELEM_TABLE: (2, 0),
    kinds.ELEM: (1, 0),
    kinds.DATA: (1, 0),
    kinds.DATA_MEMORY: (2, 0),
    kinds.MEMORY: (1, 0),
    kinds.MEMORY_MEMORY: (2, 0),
    kinds.LOCAL: (1, 0),
    kinds.GLOBAL: (1, 0),
    kinds.MEMARG: (2, 0),
    kinds.MEMARG_LANE: (2, 1),
    kinds.LANE: (0, 1),
    kinds.LANES: (0, 16),
    kinds.I32_CONST: (1, 0),
    kinds.I64_CONST: (1, 0),
    kinds.F32_CONST: (0, 4),
    kinds.F64_CONST: (0, 8),
    kinds.V128_CONST: (0, 16),
    kinds.HEAP: (1, 0),
    kinds.ZERO_BYTE: (0, 1),
}


def count_instructions(wasm: bytes) -> int:
    """Instructions of all bodies. Guests of C compilers only: garbage-collected types and exceptions are a ValueError."""
    return sum(_count_in(wasm, start, end) for start, end in _bodies(wasm))


def repeat_functions(wasm: bytes, times: int) -> bytes:
    """A valid module with every function defined `times` times: as large as one likes, its code as a compiler writes it."""
    result = bytearray(wasm[:_HEADER_BYTES])
    for section, start, end in _sections(wasm):
        content = wasm[start:end]
        if section in (_FUNCTION_SECTION, _CODE_SECTION):
            count, after = _unsigned(content, 0)
            content = _leb(count * times) + content[after:] * times
        result += bytes([section]) + _leb(len(content)) + content
    return bytes(result)


def _unsigned(wasm: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = wasm[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _leb(value: int) -> bytes:
    result = bytearray()
    while value >= 0x80:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def _sections(wasm: bytes) -> Iterator[tuple[int, int, int]]:
    """(id, start, end) of each section's content."""
    at = _HEADER_BYTES
    while at < len(wasm):
        section = wasm[at]
        size, start = _unsigned(wasm, at + 1)
        at = start + size
        yield section, start, at


def _bodies(wasm: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each body's instructions."""
    for section, start, _ in _sections(wasm):
        if section != _CODE_SECTION:
            continue
        count, at = _unsigned(wasm, start)
        for _ in range(count):
            size, at = _unsigned(wasm, at)
            end = at + size
            runs, at = _unsigned(wasm, at)
            for _ in range(runs):
                at = _unsigned(wasm, at)[1] + 1
            yield at, end
            at = end


def _count_in(wasm: bytes, at: int, end: int) -> int:
    count = 0
    while at < end:
        code = wasm[at]
        at += 1
        if code in PREFIXES:
            low, at = _unsigned(wasm, at)
            code = code << PREFIX_SHIFT | low
        at = _skip_immediate(wasm, at, BY_CODE[code][2])
        count += 1
    return count


def _skip_immediate(wasm: bytes, at: int, kind: int) -> int:
    if kind == kinds.LABELS:
        numbers, at = _unsigned(wasm, at)
        numbers, after = numbers + 1, 0
    elif kind == kinds.TYPES:
        numbers, at = _unsigned(wasm, at)
        after = 0
    elif kind in _SHAPES:
        numbers, after = _SHAPES[kind]
    else:
        raise ValueError(f"immediate of kind {kind} at offset {at}: not of a guest that a C compiler made")
    for _ in range(numbers):
        while wasm[at] >= 0x80:
            at += 1
        at += 1
    return at + after
