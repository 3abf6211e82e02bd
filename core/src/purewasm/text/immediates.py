"""What stands behind an instruction's name, by kind of immediate (`wasm.opcodes.immediates`), read and encoded.

`parser_for(row)` gives the function that reads the immediates of one row of the opcode table from a `BodyParser` and returns the
instruction's bytes after the opcode; None for instructions without immediates.
"""

from __future__ import annotations

from purewasm.binary.instruction_encoder import OPCODE_BYTES, memory_argument
from purewasm.binary.primitive_encoder import heap_type, signed, unsigned, value_types, vector
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.text.numbers import F32, F64, FloatFormat, NotANumberError, is_number, parse_float, parse_integer, parse_unsigned
from purewasm.wasm import opcodes
from purewasm.wasm import valtypes as vt
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.text.cursor import Cursor
    from purewasm.text.instructions import BodyParser
    from purewasm.text.names import IndexSpace

    Parser = Callable[[BodyParser], bytes]

LANES: Final[dict[str, tuple[int, FloatFormat | None]]] = {
    "i8x16": (8, None), "i16x8": (16, None), "i32x4": (32, None), "i64x2": (64, None), "f32x4": (32, F32), "f64x2": (64, F64),
}  # fmt: skip
"""Width of a lane in bits, and its float format, by shape."""
_MAX_FAST_DIGITS: Final = 9  # any number of so many digits is an i32


def parser_for(row: opcodes.Row) -> Parser | None:
    """Reads and encodes the immediates of an instruction. Forms of one name are told apart here: what comes out has the opcode then."""
    _, name, kind, _, _, width = row
    if kind == imm.MEMARG:
        return lambda body: _memarg(body, width)
    if kind == imm.MEMARG_LANE:
        return lambda body: _memarg_lane(body, width)
    if name + " null" in opcodes.CODE:
        return lambda body: _cast(body, name)
    if name + " t" in opcodes.CODE:
        return lambda body: _select(body, name)
    return _PARSER_BY_KIND[kind]


def has_own_opcode(name: str) -> bool:
    """True where the immediates decide which of two opcodes a name stands for."""
    return name + " null" in opcodes.CODE or name + " t" in opcodes.CODE


# ---- indices


def _label(body: BodyParser) -> bytes:
    return unsigned(body.label())


def _labels(body: BodyParser) -> bytes:
    labels = [unsigned(body.label())]
    while body.at_label():
        labels.append(unsigned(body.label()))
    return vector(labels[:-1]) + labels[-1]


def _func(body: BodyParser) -> bytes:
    return unsigned(body.names.funcs.resolve())


def _local(body: BodyParser) -> bytes:
    return unsigned(body.locals.resolve())


def _global(body: BodyParser) -> bytes:
    return unsigned(body.names.globals.resolve())


def _tag(body: BodyParser) -> bytes:
    return unsigned(body.names.tags.resolve())


def _type(body: BodyParser) -> bytes:
    return unsigned(body.names.types.resolve())


def _table(body: BodyParser) -> bytes:
    return unsigned(_optional(body.names.tables))


def _memory(body: BodyParser) -> bytes:
    return unsigned(_optional(body.names.memories))


def _elem(body: BodyParser) -> bytes:
    return unsigned(body.names.elems.resolve())


def _data(body: BodyParser) -> bytes:
    body.uses_data = True
    return unsigned(body.names.data.resolve())


def _optional(space: IndexSpace) -> int:
    """An index, or 0 where there is none."""
    return space.resolve() if space.at_index() else 0


def _optional_two(space: IndexSpace) -> bytes:
    """Two indices or none."""
    if space.at_index():
        first = space.resolve()
        return unsigned(first) + unsigned(space.resolve())
    return b"\0\0"


def _tables(body: BodyParser) -> bytes:
    return _optional_two(body.names.tables)


def _memories(body: BodyParser) -> bytes:
    return _optional_two(body.names.memories)


def _segment_of(segments: IndexSpace, containers: IndexSpace) -> bytes:
    """`container? segment`, encoded the other way round."""
    cursor = segments.cursor
    following = cursor.items[cursor.position + 1][:1]
    container = containers.resolve() if following == "$" or following.isdigit() else 0
    return unsigned(segments.resolve()) + unsigned(container)


def _elem_table(body: BodyParser) -> bytes:
    return _segment_of(body.names.elems, body.names.tables)


def _data_memory(body: BodyParser) -> bytes:
    body.uses_data = True
    return _segment_of(body.names.data, body.names.memories)


def _type_table(body: BodyParser) -> bytes:
    table = _table(body)
    return unsigned(body.types.type_use(names_allowed=False).type_index) + table


def _type_field(body: BodyParser) -> bytes:
    index = body.names.types.resolve()
    return unsigned(index) + unsigned(body.field(index))


def _type_count(body: BodyParser) -> bytes:
    return _type(body) + unsigned(body.cursor.unsigned(32))


def _type_data(body: BodyParser) -> bytes:
    return _type(body) + _data(body)


def _type_elem(body: BodyParser) -> bytes:
    return _type(body) + _elem(body)


def _type_type(body: BodyParser) -> bytes:
    return _type(body) + _type(body)


# ---- memory


def _memarg(body: BodyParser, width: int) -> bytes:
    return _memory_argument(body, _optional(body.names.memories), width)


def _memory_argument(body: BodyParser, memory: int, width: int) -> bytes:
    """`offset=…? align=…?` for a memory; `width` is log2 of the natural alignment."""
    cursor = body.cursor
    offset, align_log2 = 0, width
    token = cursor.items[cursor.position]
    if token.startswith("offset="):
        offset = _number_behind(cursor, token, 7)
        cursor.position += 1
        token = cursor.items[cursor.position]
    if token.startswith("align="):
        align = _number_behind(cursor, token, 6)
        if align.bit_count() != 1:
            raise cursor.error(f"alignment must be a power of two, not {align}")
        align_log2 = align.bit_length() - 1
        cursor.position += 1
    return memory_argument(offset, memory, align_log2)


def _number_behind(cursor: Cursor, token: str, prefix: int) -> int:
    try:
        return parse_unsigned(token[prefix:], 64)
    except NotANumberError:
        raise cursor.error(f"unknown operator {token}") from None
    except ValueError as error:
        raise cursor.error(str(error)) from None


def _memarg_lane(body: BodyParser, width: int) -> bytes:
    memory = _optional(body.names.memories) if _is_memory_before_lane(body.cursor) else 0
    return _memory_argument(body, memory, width) + _lane(body)


def _is_memory_before_lane(cursor: Cursor) -> bool:
    """A lane always comes last, so a number is a memory's only where another number follows it."""
    items, position = cursor.items, cursor.position
    if items[position][:1] == "$":
        return True
    if not items[position][:1].isdigit():
        return False
    position += 1
    while items[position].startswith(("offset=", "align=")):
        position += 1
    return items[position][:1].isdigit()


def _lane(body: BodyParser) -> bytes:
    return bytes((body.cursor.unsigned(8),))


def _lanes(body: BodyParser) -> bytes:
    """The 16 lanes of a shuffle."""
    cursor, lanes = body.cursor, bytearray()
    while cursor.items[cursor.position][:1] not in '()"$' and cursor.items[cursor.position] not in opcodes.CODE:
        token = cursor.items[cursor.position]
        try:
            lanes.append(parse_unsigned(token, 8))
        except NotANumberError:
            raise cursor.error(f"i8 constant out of range: {token} is no lane") from None
        except ValueError as error:
            raise cursor.error(str(error)) from None
        cursor.position += 1
    if len(lanes) != 16:
        raise cursor.error(f"invalid lane length: a shuffle has 16 lanes, not {len(lanes)}")
    return bytes(lanes)


# ---- constants


def _i32_const(body: BodyParser) -> bytes:
    return _integer_const(body.cursor, 32)


def _i64_const(body: BodyParser) -> bytes:
    return _integer_const(body.cursor, 64)


def _integer_const(cursor: Cursor, bits: int) -> bytes:
    token = cursor.items[cursor.position]
    if len(token) <= _MAX_FAST_DIGITS and token.isdigit():
        cursor.position += 1
        return signed(int(token))
    value = _integer(cursor, bits)
    return signed(value - (1 << bits) if value >> bits - 1 else value)


def _integer(cursor: Cursor, bits: int) -> int:
    try:
        value = parse_integer(cursor.items[cursor.position], bits)
    except NotANumberError:
        raise cursor.unexpected(f"an i{bits}") from None
    except ValueError as error:
        raise cursor.error(str(error)) from None
    cursor.position += 1
    return value


def _float(cursor: Cursor, form: FloatFormat) -> int:
    try:
        value = parse_float(cursor.items[cursor.position], form)
    except NotANumberError:
        raise cursor.unexpected(f"an {form.name}") from None
    except ValueError as error:
        raise cursor.error(str(error)) from None
    cursor.position += 1
    return value


def _f32_const(body: BodyParser) -> bytes:
    return _float(body.cursor, F32).to_bytes(4, "little")


def _f64_const(body: BodyParser) -> bytes:
    return _float(body.cursor, F64).to_bytes(8, "little")


def _v128_const(body: BodyParser) -> bytes:
    return vector_constant(body.cursor)


def parse_lane(cursor: Cursor, bits: int, form: FloatFormat | None) -> int:
    """An integer (`form` is None) or a float of this width, as its bits."""
    return _integer(cursor, bits) if form is None else _float(cursor, form)


def vector_constant(cursor: Cursor) -> bytes:
    """A shape and its lanes, as the 16 bytes of a v128."""
    shape = LANES.get(cursor.items[cursor.position])
    if shape is None:
        raise cursor.unexpected("a shape such as i32x4")
    cursor.position += 1
    bits, form = shape
    count = 128 // bits
    given = next(i for i in range(count + 2) if i > count or not is_number(cursor.items[cursor.position + i]))
    if given != count and cursor.items[cursor.position + given][:1] in '()"':
        raise cursor.error(f"wrong number of lane literals: {shape} has {count}")
    lanes = [parse_lane(cursor, bits, form) for _ in range(count)]
    return b"".join([lane.to_bytes(bits // 8, "little") for lane in lanes])


# ---- types


def _heap(body: BodyParser) -> bytes:
    return heap_type(body.types.heap_type())


def _cast(body: BodyParser, name: str) -> bytes:
    """A reference type, whose nullability chooses the opcode."""
    reftype = body.types.reference_type()
    code = opcodes.CODE[name + " null" if vt.is_nullable(reftype) else name]
    return OPCODE_BYTES[code] + heap_type(vt.heap_of(reftype))


def _select(body: BodyParser, name: str) -> bytes:
    """Result types, whose presence chooses the opcode."""
    if not body.cursor.is_open("result"):
        return OPCODE_BYTES[opcodes.CODE[name]]
    results = body.types.signature(None).results
    return OPCODE_BYTES[opcodes.CODE[name + " t"]] + value_types(results)


def _cast_label(body: BodyParser) -> bytes:
    label = body.label()
    source, target = body.types.reference_type(), body.types.reference_type()
    flags = vt.is_nullable(source) | vt.is_nullable(target) << 1
    return bytes((flags,)) + unsigned(label) + heap_type(vt.heap_of(source)) + heap_type(vt.heap_of(target))


def _zero_byte(body: BodyParser) -> bytes:
    return b"\0"


# BLOCK and TRY_TABLE belong to `instructions`, which knows about nesting; TYPES to `select`
_PARSER_BY_KIND: Final[dict[int, Parser | None]] = {
    imm.NONE: None, imm.LABEL: _label, imm.LABELS: _labels, imm.FUNC: _func, imm.TYPE: _type, imm.TYPE_TABLE: _type_table,
    imm.TABLE: _table, imm.TABLE_TABLE: _tables, imm.ELEM_TABLE: _elem_table, imm.ELEM: _elem, imm.DATA: _data,
    imm.DATA_MEMORY: _data_memory, imm.MEMORY: _memory, imm.MEMORY_MEMORY: _memories, imm.LOCAL: _local, imm.GLOBAL: _global,
    imm.LANE: _lane, imm.LANES: _lanes, imm.I32_CONST: _i32_const, imm.I64_CONST: _i64_const, imm.F32_CONST: _f32_const,
    imm.F64_CONST: _f64_const, imm.V128_CONST: _v128_const, imm.HEAP: _heap, imm.TAG: _tag, imm.CAST_LABEL: _cast_label,
    imm.TYPE_FIELD: _type_field, imm.TYPE_COUNT: _type_count, imm.TYPE_DATA: _type_data, imm.TYPE_ELEM: _type_elem,
    imm.TYPE_TYPE: _type_type, imm.ZERO_BYTE: _zero_byte,
}  # fmt: skip
