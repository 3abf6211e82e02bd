"""What follows an opcode, by kind of immediate (`wasm.opcodes.immediates`), read strictly (spec: binary format, instructions).

The values are the ones that the kinds document. `READERS[kind](code, space)` reads one; decoding a body and validating it
have faster ways for the frequent kinds and come here for all others.
"""

from __future__ import annotations

from itertools import chain, islice

from purewasm.binary import leb
from purewasm.binary.gate import refuse_above
from purewasm.binary.reader import vector_length
from purewasm.errors import MalformedError
from purewasm.light_library import length_hint
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import opcodes
from purewasm.wasm.limits import MAX_BR_TABLE_LABELS, MAX_RESULTS
from purewasm.wasm.opcodes import immediates as imm
from purewasm.wasm.valtypes import ref_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purewasm.binary.types import TypeSpace

CatchClause = tuple[int, int, int]

_MEMORY_INDEX_FLAG: Final = 0x40
_PREFIXES: Final = frozenset(opcodes.PREFIXES)
_PREFIX_SHIFT: Final = opcodes.PREFIX_SHIFT
_BY_CODE: Final = opcodes.BY_CODE
_BEHIND_PREFIX_MAX: Final = 1 << _PREFIX_SHIFT


def read_opcode(code: Iterator[int]) -> int:
    """The code of an instruction, as the opcode table numbers it. MalformedError for one that nobody knows."""
    byte = next(code)
    return behind_prefix(code, byte) if byte in _PREFIXES else known_opcode(byte)


def known_opcode(byte: int) -> int:
    """An opcode of one byte."""
    if byte not in _BY_CODE:
        raise MalformedError(f"illegal opcode {byte:02x}")
    return byte


def behind_prefix(code: Iterator[int], prefix: int) -> int:
    """The code of an instruction whose first byte is a prefix."""
    number = leb.u32(code)
    opcode = prefix << _PREFIX_SHIFT | number
    if number >= _BEHIND_PREFIX_MAX or opcode not in _BY_CODE:
        raise MalformedError(f"illegal opcode {prefix:02x} {number:02x}")
    return opcode


def raw_bytes(code: Iterator[int], number: int) -> bytes:
    """The next `number` bytes; StopIteration where there are fewer."""
    content = bytes(islice(code, number))
    if len(content) < number:
        raise StopIteration
    return content


def memory_argument(code: Iterator[int], flags: int) -> tuple[int, int, int]:
    """(offset, memory index, log2 of the alignment) behind the first byte of a memory argument."""
    if flags >= 0x80:
        flags = leb.u32_tail(code, flags)
        if flags >= 0x80:
            raise MalformedError(f"malformed memop flags 0x{flags:x}")
    memory = leb.u32(code) if flags & _MEMORY_INDEX_FLAG else 0
    return leb.u64(code), memory, flags & ~_MEMORY_INDEX_FLAG


def label_table(code: Iterator[int]) -> tuple[int, ...]:
    """The depths of a br_table, the default last."""
    number = vector_length(code, "labels")
    refuse_above(MAX_BR_TABLE_LABELS, number, "labels in a br_table")
    labels = raw_bytes(code, min(number + 1, length_hint(code)))
    if len(labels) > number and max(labels) < 0x80:
        return tuple(labels)
    wide = chain(labels, code)
    return tuple([leb.u32(wide) for _ in range(number + 1)])


def catch_clause(code: Iterator[int]) -> CatchClause:
    """(kind, tag index or -1, label depth)."""
    kind = next(code)
    if kind > imm.CATCH_ALL_REF:
        raise MalformedError(f"malformed catch clause 0x{kind:02x}")
    tag = leb.u32(code) if kind < imm.CATCH_ALL else -1
    return kind, tag, leb.u32(code)


def _none(_code: Iterator[int], _space: TypeSpace) -> None:
    return None


def _block(code: Iterator[int], space: TypeSpace) -> object:
    return space.block_type(code)


def _index(code: Iterator[int], _space: TypeSpace) -> object:
    return leb.u32(code)


def _two_indices(code: Iterator[int], _space: TypeSpace) -> object:
    return leb.u32(code), leb.u32(code)


def _labels(code: Iterator[int], _space: TypeSpace) -> object:
    return label_table(code)


def _memarg(code: Iterator[int], _space: TypeSpace) -> object:
    return memory_argument(code, next(code))


def _memarg_lane(code: Iterator[int], _space: TypeSpace) -> object:
    return *memory_argument(code, next(code)), next(code)


def _byte(code: Iterator[int], _space: TypeSpace) -> object:
    return next(code)


def _four_bytes(code: Iterator[int], _space: TypeSpace) -> object:
    return raw_bytes(code, 4)


def _eight_bytes(code: Iterator[int], _space: TypeSpace) -> object:
    return raw_bytes(code, 8)


def _sixteen_bytes(code: Iterator[int], _space: TypeSpace) -> object:
    return raw_bytes(code, 16)


def _i32(code: Iterator[int], _space: TypeSpace) -> object:
    return leb.s32(code) & 0xFFFF_FFFF


def _i64(code: Iterator[int], _space: TypeSpace) -> object:
    return leb.s64(code) & 0xFFFF_FFFF_FFFF_FFFF


def _heap(code: Iterator[int], space: TypeSpace) -> object:
    return space.heap_type(code)


def _types(code: Iterator[int], space: TypeSpace) -> object:
    number = vector_length(code, "types")
    refuse_above(MAX_RESULTS, number, "types in a select")
    return tuple([space.value_type(code) for _ in range(number)])


def _try_table(code: Iterator[int], space: TypeSpace) -> object:
    params, results = space.block_type(code)
    number = vector_length(code, "catch clauses")
    refuse_above(MAX_BR_TABLE_LABELS, number, "clauses in a try_table")
    return params, results, tuple([catch_clause(code) for _ in range(number)])


def cast_label(code: Iterator[int], space: TypeSpace) -> tuple[int, int, int]:
    """(label depth, source reference type, target reference type) of br_on_cast."""
    flags = next(code)
    if flags > 3:
        raise MalformedError(f"malformed br_on_cast flags 0x{flags:02x}")
    label = leb.u32(code)
    source = ref_type(space.heap_type(code), bool(flags & 1))
    return label, source, ref_type(space.heap_type(code), bool(flags & 2))


def _zero_byte(code: Iterator[int], _space: TypeSpace) -> None:
    byte = next(code)
    if byte:
        raise MalformedError(f"zero byte expected, but it is 0x{byte:02x}")


_READER_BY_KIND: Final[dict[int, Callable[[Iterator[int], TypeSpace], object]]] = {
    imm.NONE: _none, imm.BLOCK: _block, imm.LABEL: _index, imm.LABELS: _labels, imm.FUNC: _index, imm.TYPE: _index,
    imm.TYPE_TABLE: _two_indices, imm.TABLE: _index, imm.TABLE_TABLE: _two_indices, imm.ELEM_TABLE: _two_indices,
    imm.ELEM: _index, imm.DATA: _index, imm.DATA_MEMORY: _two_indices, imm.MEMORY: _index, imm.MEMORY_MEMORY: _two_indices,
    imm.LOCAL: _index, imm.GLOBAL: _index, imm.MEMARG: _memarg, imm.MEMARG_LANE: _memarg_lane, imm.LANE: _byte,
    imm.LANES: _sixteen_bytes, imm.I32_CONST: _i32, imm.I64_CONST: _i64, imm.F32_CONST: _four_bytes,
    imm.F64_CONST: _eight_bytes, imm.V128_CONST: _sixteen_bytes, imm.HEAP: _heap, imm.TYPES: _types, imm.TAG: _index,
    imm.TRY_TABLE: _try_table, imm.CAST_LABEL: cast_label, imm.TYPE_FIELD: _two_indices, imm.TYPE_COUNT: _two_indices,
    imm.TYPE_DATA: _two_indices, imm.TYPE_ELEM: _two_indices, imm.TYPE_TYPE: _two_indices, imm.ZERO_BYTE: _zero_byte,
}  # fmt: skip
READERS: Final = tuple(_READER_BY_KIND[kind] for kind in range(imm.KINDS))
