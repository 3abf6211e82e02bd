"""Instructions as bytes, from the opcode table (spec: binary format, instructions).

`encode_instruction` takes the values that `wasm.opcodes.immediates` documents, as decoding a body makes them. What a block type
or a heap type is called in the module's bytes is asked of `types` (`TypeNumbering`).
"""

from __future__ import annotations

from purewasm.binary.primitive_encoder import heap_type, signed, unsigned, value_type, value_types, vector
from purewasm.light_typing import TYPE_CHECKING, Final, cast, final
from purewasm.wasm import opcodes
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import DefType, FuncType
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Immediate = object
"""The value of an immediate; its shape is the kind's business."""

_MEMORY_INDEX_FLAG: Final = 0x40
_EMPTY_BLOCK: Final = b"\x40"


@final
class TypeNumbering:
    """How a module numbers its types: index by `DefType.id`, and index of a function type's parameters and results.

    Without types, a heap type is an index already (as text has it), and a block with parameters or several results has no encoding.
    """

    __slots__ = ("functions", "indices")

    def __init__(self, types: Sequence[DefType] = ()) -> None:
        self.indices: dict[int, int] | None = None
        self.functions: dict[FuncType, int] = {}
        if types:
            self.indices = {}
            for index, deftype in enumerate(types):
                self.indices.setdefault(deftype.id, index)
                if isinstance(deftype.composite, FuncType):
                    self.functions.setdefault(deftype.composite, index)

    def block_type(self, params: tuple[int, ...], results: tuple[int, ...]) -> bytes:
        """A block type in its shortest form. ValueError where it needs a type that the module does not have."""
        if not params and len(results) < 2:
            return value_type(results[0], self.indices) if results else _EMPTY_BLOCK
        index = self.functions.get(FuncType(params, results))
        if index is None:
            raise ValueError(f"the module has no type {vt.format_types(params)} -> {vt.format_types(results)} for a block")
        return signed(index)


_NO_TYPES: Final = TypeNumbering()


def opcode_bytes(code: int) -> bytes:
    """The bytes of an opcode without its immediates."""
    if code <= 0xFF:
        return bytes((code,))
    return bytes((code >> opcodes.PREFIX_SHIFT,)) + unsigned(code & (1 << opcodes.PREFIX_SHIFT) - 1)


OPCODE_BYTES: Final = {code: opcode_bytes(code) for code in opcodes.BY_CODE}


def encode_instruction(code: int, immediate: Immediate = None, types: TypeNumbering = _NO_TYPES) -> bytes:
    """One instruction: its code as in the opcode table, and its immediate's value. KeyError for an unknown code."""
    return OPCODE_BYTES[code] + ENCODERS[opcodes.BY_CODE[code][2]](immediate, types)


def memory_argument(offset: int, memory: int, align_log2: int) -> bytes:
    """Alignment, memory index if it is not 0, and offset."""
    if memory:
        return unsigned(align_log2 | _MEMORY_INDEX_FLAG) + unsigned(memory) + unsigned(offset)
    return unsigned(align_log2) + unsigned(offset)


def catch_clause(kind: int, tag: int, label: int) -> bytes:
    """A clause of a try_table; `tag` is -1 for the kinds that catch everything."""
    return bytes((kind,)) + (b"" if tag < 0 else unsigned(tag)) + unsigned(label)


def _none(value: Immediate, types: TypeNumbering) -> bytes:
    return b""


def _index(value: Immediate, types: TypeNumbering) -> bytes:
    return unsigned(cast("int", value))


def _two_indices(value: Immediate, types: TypeNumbering) -> bytes:
    first, second = cast("tuple[int, int]", value)
    return unsigned(first) + unsigned(second)


def _byte(value: Immediate, types: TypeNumbering) -> bytes:
    return bytes((cast("int", value),))


def _bytes(value: Immediate, types: TypeNumbering) -> bytes:
    return cast("bytes", value)


def _i32(value: Immediate, types: TypeNumbering) -> bytes:
    number = cast("int", value)
    return signed(number - (1 << 32) if number >> 31 else number)


def _i64(value: Immediate, types: TypeNumbering) -> bytes:
    number = cast("int", value)
    return signed(number - (1 << 64) if number >> 63 else number)


def _block(value: Immediate, types: TypeNumbering) -> bytes:
    params, results = cast("tuple[tuple[int, ...], tuple[int, ...]]", value)
    return types.block_type(params, results)


def _labels(value: Immediate, types: TypeNumbering) -> bytes:
    *labels, default = cast("tuple[int, ...]", value)
    return vector([unsigned(label) for label in labels]) + unsigned(default)


def _memarg(value: Immediate, types: TypeNumbering) -> bytes:
    offset, memory, align_log2 = cast("tuple[int, int, int]", value)
    return memory_argument(offset, memory, align_log2)


def _memarg_lane(value: Immediate, types: TypeNumbering) -> bytes:
    offset, memory, align_log2, lane = cast("tuple[int, int, int, int]", value)
    return memory_argument(offset, memory, align_log2) + bytes((lane,))


def _heap(value: Immediate, types: TypeNumbering) -> bytes:
    return heap_type(cast("int", value), types.indices)


def _types(value: Immediate, types: TypeNumbering) -> bytes:
    return value_types(cast("tuple[int, ...]", value), types.indices)


def _try_table(value: Immediate, types: TypeNumbering) -> bytes:
    params, results, catches = cast("tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, int, int], ...]]", value)
    return types.block_type(params, results) + vector([catch_clause(*clause) for clause in catches])


def _cast_label(value: Immediate, types: TypeNumbering) -> bytes:
    label, source, target = cast("tuple[int, int, int]", value)
    flags = vt.is_nullable(source) | vt.is_nullable(target) << 1
    heaps = heap_type(vt.heap_of(source), types.indices) + heap_type(vt.heap_of(target), types.indices)
    return bytes((flags,)) + unsigned(label) + heaps


def _zero_byte(value: Immediate, types: TypeNumbering) -> bytes:
    return b"\0"


_ENCODER_BY_KIND: Final[dict[int, Callable[[Immediate, TypeNumbering], bytes]]] = {
    imm.NONE: _none, imm.BLOCK: _block, imm.LABEL: _index, imm.LABELS: _labels, imm.FUNC: _index, imm.TYPE: _index,
    imm.TYPE_TABLE: _two_indices, imm.TABLE: _index, imm.TABLE_TABLE: _two_indices, imm.ELEM_TABLE: _two_indices,
    imm.ELEM: _index, imm.DATA: _index, imm.DATA_MEMORY: _two_indices, imm.MEMORY: _index, imm.MEMORY_MEMORY: _two_indices,
    imm.LOCAL: _index, imm.GLOBAL: _index, imm.MEMARG: _memarg, imm.MEMARG_LANE: _memarg_lane, imm.LANE: _byte,
    imm.LANES: _bytes, imm.I32_CONST: _i32, imm.I64_CONST: _i64, imm.F32_CONST: _bytes, imm.F64_CONST: _bytes,
    imm.V128_CONST: _bytes, imm.HEAP: _heap, imm.TYPES: _types, imm.TAG: _index, imm.TRY_TABLE: _try_table,
    imm.CAST_LABEL: _cast_label, imm.TYPE_FIELD: _two_indices, imm.TYPE_COUNT: _two_indices, imm.TYPE_DATA: _two_indices,
    imm.TYPE_ELEM: _two_indices, imm.TYPE_TYPE: _two_indices, imm.ZERO_BYTE: _zero_byte,
}  # fmt: skip
ENCODERS: Final = tuple(_ENCODER_BY_KIND[kind] for kind in range(imm.KINDS))
