"""Structures and arrays.

An allocation is one instruction; the fields follow as stores, with nothing between that could collect. Immutable fields and lengths are
values like any other: read once in a block. A read of what can be written is good until something is written. A null reference traps
where it is accessed: the address is so low that nothing is there.

    struct.new $t           5: struct_new (0, 32, 0)
                            6: object_set 5 3 ((), 54, 6, 0, -1)      field 0, an i32, from value 3
    struct.get $t 0                                                   is value 3, if the field cannot be written
    array.get $a            7: array_check 1 2
                            8: object_get.i 1 2 (40, 14, 2, -1)
"""

from __future__ import annotations

from purewasm.frontend.known_types import is_never_null, note, refine_non_null
from purewasm.frontend.memory import emit_builtin
from purewasm.frontend.state import ZERO
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store.layout import ARRAY_ELEMENTS, ARRAY_LENGTH, OBJECT_TAG, TRAP_NUMBER
from purewasm.traps import NULL_ARRAY, NULL_STRUCTURE, OUT_OF_BOUNDS_ARRAY, OUT_OF_BOUNDS_MEMORY, OUT_OF_BOUNDS_TABLE
from purewasm.wasm import valtypes as vt
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.context import Slot
    from purewasm.frontend.state import Builder

NO: Final = ops.NO
_NULL_STRUCTURE: Final = TRAP_NUMBER[NULL_STRUCTURE]
_NULL_ARRAY: Final = TRAP_NUMBER[NULL_ARRAY]
_OUT_OF_BOUNDS: Final = TRAP_NUMBER[OUT_OF_BOUNDS_ARRAY]
_LOWEST_ADDRESS: Final = 4096
"""Below this nothing is ever mapped."""
_LENGTH: Final = ARRAY_LENGTH - OBJECT_TAG
_ELEMENTS: Final = ARRAY_ELEMENTS - OBJECT_TAG
_I32_LOAD: Final = 0x28
_I64_ADD: Final = 0x7C
_I64_SHL: Final = 0x86
_FARTHEST: Final = 1 << 30
"""Offsets of elements at constant indices are below this."""
_UNWRITTEN: Final = -1
_SHORT_FILL: Final = 1 << 16
"""So many elements need no poll behind them: a body has room for many fills, and no loop need be around them."""
_SPLAT: Final = {
    vt.I8: "i8x16.splat", vt.I16: "i16x8.splat", vt.I32: "i32x4.splat", vt.F32: "f32x4.splat", vt.F64: "f64x2.splat",
}  # fmt: skip
_ZEROS: Final = bytes(16)


def _trap(b: Builder, trap: int) -> bool:
    b.effect((ops.TRAP, NO, NO, trap))
    return True


def _append(b: Builder, inst: tuple[int, int, int, Any]) -> int:
    """An instruction that may trap or allocate, but changes nothing that anybody can read."""
    number = len(b.insts)
    b.places[number] = b.place
    b.insts.append(inst)
    return number


# -- reading and writing


def _key(b: Builder, reference: int, index: int, slot: Slot, load: int, offset: int) -> tuple[int, int, int, Any]:
    """What is read, for the value numbering."""
    return ops.OBJECT_GET + slot.value_class, reference, index, (load, offset, b.writes if slot.mutable else _UNWRITTEN)


def _read(b: Builder, reference: int, index: int, slot: Slot, load: int, offset: int, trap: int) -> int:
    key = _key(b, reference, index, slot, load, offset)
    value = b.numbering.get(key)
    if value is None:
        imm = load, offset, slot.size_log2 if index != NO else 0, trap
        value = b.numbering[key] = _append(b, (ops.OBJECT_GET + slot.value_class, reference, index, imm))
        note(b, value, slot.storage)
    return value


def _write(b: Builder, reference: int, index: int, slot: Slot, value: int, offset: int, trap: int) -> None:
    args = () if index == NO else (index,)
    b.effect((ops.OBJECT_SET, reference, value, (args, slot.store, offset, slot.size_log2 if args else 0, trap)))
    _remember(b, reference, index, slot, value, offset)


def _remember(b: Builder, reference: int, index: int, slot: Slot, value: int, offset: int) -> None:
    """What has been written is what will be read, but for narrow integers."""
    if slot.storage != vt.I8 and slot.storage != vt.I16:
        b.numbering[_key(b, reference, index, slot, slot.load, offset)] = value


def _initialise(b: Builder, reference: int, slot: Slot, value: int, offset: int) -> None:
    """Write to an object that nobody else knows yet."""
    b.insts.append((ops.OBJECT_SET, reference, value, ((), slot.store, offset, 0, -1)))
    _remember(b, reference, NO, slot, value, offset)


# -- structures


def _new_structure(b: Builder, type_index: int, clear: int) -> tuple[int, tuple[Slot, ...]]:
    slots, size = b.context.structure(type_index)
    made = _append(b, (ops.STRUCT_NEW, NO, NO, (type_index, size, clear)))
    note(b, made, vt.ref_type(b.context.module.types[type_index].id, False))
    return made, slots


def struct_new(b: Builder, op: int, imm: Any) -> bool:
    made, slots = _new_structure(b, imm, 0)
    for slot, value in zip(slots, b.pop_many(len(slots)), strict=True):
        _initialise(b, made, slot, value, slot.offset)
    b.stack.append(made)
    return False


def struct_new_default(b: Builder, op: int, imm: Any) -> bool:
    made, _ = _new_structure(b, imm, 1)
    b.stack.append(made)
    return False


def _checked(b: Builder, reference: int, offset: int, trap: int) -> int:
    """The trap that the access itself makes of null, -1 if there is nothing left to check."""
    if is_never_null(b, reference):
        return -1
    if offset >= _LOWEST_ADDRESS:
        b.effect((ops.TRAP_IF, reference, ZERO, (ops.CC_E, ops.KIND_64, trap)))
        trap = -1
    return trap


def _struct_get(signed: bool) -> Callable[[Builder, int, Any], bool]:
    def struct_get(b: Builder, op: int, imm: Any) -> bool:
        type_index, field = imm
        slot = b.context.structure(type_index)[0][field]
        reference = b.stack[-1]
        if reference < 0:
            return _trap(b, _NULL_STRUCTURE)
        trap = _checked(b, reference, slot.offset, _NULL_STRUCTURE)
        b.stack[-1] = _read(b, reference, NO, slot, slot.load_signed if signed else slot.load, slot.offset, trap)
        refine_non_null(b, reference, b.context.module.types[type_index].id)
        return False

    return struct_get


def struct_set(b: Builder, op: int, imm: Any) -> bool:
    type_index, field = imm
    slot = b.context.structure(type_index)[0][field]
    value, reference = b.stack.pop(), b.stack.pop()
    if reference < 0:
        return _trap(b, _NULL_STRUCTURE)
    trap = _checked(b, reference, slot.offset, _NULL_STRUCTURE)
    _write(b, reference, NO, slot, value, slot.offset, trap)
    refine_non_null(b, reference, b.context.module.types[type_index].id)
    return False


# -- arrays


def _pattern(b: Builder, slot: Slot, value: int) -> int:
    """16 bytes of equal elements."""
    if slot.storage == vt.V128:
        return value
    if value < 0:
        constant = b.constants[~value]
        size = 1 << slot.size_log2
        element = constant if isinstance(constant, bytes) else (constant & (1 << 8 * size) - 1).to_bytes(size, "little")
        return b.constant(element * (16 >> slot.size_log2))
    return b.pure((ops.number_of(CODE[_SPLAT.get(slot.storage, "i64x2.splat")]), value, NO, 0))


def _new_array(b: Builder, type_index: int, length: int, pattern: int) -> tuple[int, Slot]:
    slot = b.context.array(type_index)
    made = _append(b, (ops.ARRAY_NEW, length, pattern, (type_index, slot.size_log2)))
    note(b, made, vt.ref_type(b.context.module.types[type_index].id, False))
    b.numbering[_length_key(made)] = length
    return made, slot


def array_new(b: Builder, op: int, imm: Any) -> bool:
    length, value = b.stack.pop(), b.stack.pop()
    b.stack.append(_new_array(b, imm, length, _pattern(b, b.context.array(imm), value))[0])
    return False


def array_new_default(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(_new_array(b, imm, b.stack.pop(), b.constant(_ZEROS))[0])
    return False


def array_new_fixed(b: Builder, op: int, imm: Any) -> bool:
    type_index, count = imm
    values = b.pop_many(count)
    made, slot = _new_array(b, type_index, b.constant(count), NO)
    for index, value in enumerate(values):
        _initialise(b, made, slot, value, slot.offset + (index << slot.size_log2))
    b.stack.append(made)
    return False


def _length_key(array: int) -> tuple[int, int, int, Any]:
    return ops.OBJECT_GET + ops.INT, array, NO, (_I32_LOAD, _LENGTH, _UNWRITTEN)


def _length(b: Builder, array: int) -> int:
    """The length; traps where there is no array."""
    key = _length_key(array)
    value = b.numbering.get(key)
    if value is None:
        trap = -1 if is_never_null(b, array) else _NULL_ARRAY
        value = b.numbering[key] = _append(b, (ops.OBJECT_GET + ops.INT, array, NO, (_I32_LOAD, _LENGTH, 0, trap)))
    return value


def array_len(b: Builder, op: int, imm: Any) -> bool:
    array = b.stack[-1]
    if array < 0:
        return _trap(b, _NULL_ARRAY)
    b.stack[-1] = _length(b, array)
    refine_non_null(b, array, vt.ARRAY)
    return False


def _check_index(b: Builder, array: int, index: int) -> None:
    """Once for each index in a block."""
    key = ops.ARRAY_CHECK, array, index, 0
    if key in b.numbering:
        return
    b.numbering[key] = 0
    length = b.numbering.get(_length_key(array))
    if length is not None and length < 0 and index < 0 and int(b.constants[~index]) < int(b.constants[~length]):
        return
    _append(b, key)
    refine_non_null(b, array, vt.ARRAY)


def _element(b: Builder, slot: Slot, index: int) -> tuple[int, int]:
    """Operand and offset of an element: a constant index is a part of the offset."""
    if index < 0:
        distance = int(b.constants[~index]) << slot.size_log2
        if distance < _FARTHEST:
            return NO, slot.offset + distance
    return index, slot.offset


def _array_get(signed: bool) -> Callable[[Builder, int, Any], bool]:
    def array_get(b: Builder, op: int, imm: Any) -> bool:
        slot = b.context.array(imm)
        index, array = b.stack.pop(), b.stack[-1]
        if array < 0:
            return _trap(b, _NULL_ARRAY)
        _check_index(b, array, index)
        index, offset = _element(b, slot, index)
        b.stack[-1] = _read(b, array, index, slot, slot.load_signed if signed else slot.load, offset, -1)
        return False

    return array_get


def array_set(b: Builder, op: int, imm: Any) -> bool:
    slot = b.context.array(imm)
    value, index, array = b.stack.pop(), b.stack.pop(), b.stack.pop()
    if array < 0:
        return _trap(b, _NULL_ARRAY)
    _check_index(b, array, index)
    index, offset = _element(b, slot, index)
    _write(b, array, index, slot, value, offset, -1)
    return False


# -- many elements at once


def _check_range(b: Builder, start: int, count: int, length: int, trap: int) -> None:
    """`start + count` must not be above `length`; all are unsigned 32-bit numbers."""
    end = _sum(b, start, count)
    if end < 0 and length < 0:
        if b.constants[~end] > b.constants[~length]:  # type: ignore[operator]
            b.effect((ops.TRAP_IF, ZERO, ZERO, (ops.CC_E, ops.KIND_64, trap)))
        return
    if end < 0:
        b.effect((ops.TRAP_IF, length, end, (ops.CC_B, ops.KIND_64, trap)))
    else:
        b.effect((ops.TRAP_IF, end, length, (ops.CC_A, ops.KIND_64, trap)))


def _sum(b: Builder, x: int, y: int) -> int:
    """Of unsigned 32-bit numbers, in 64 bits."""
    if x < 0:
        x, y = y, x
    if x < 0:
        return b.constant(int(b.constants[~x]) + int(b.constants[~y]))
    return x if y == ZERO else b.pure((_I64_ADD, x, y, 0))


def _scaled(b: Builder, count: int, slot: Slot) -> int:
    """Bytes of so many elements."""
    if count < 0:
        return b.constant(int(b.constants[~count]) << slot.size_log2)
    return b.pure((_I64_SHL, count, b.constant(slot.size_log2), 0)) if slot.size_log2 else count


def _address(b: Builder, array: int, index: int, slot: Slot) -> int:
    """Address of an element, as the argument of a builtin that does not collect. It is no value of the numbering: behind such a call it
    would not keep the array alive."""
    address = array
    for part in (_scaled(b, index, slot), b.constant(_ELEMENTS)):
        if part != ZERO:
            b.insts.append((_I64_ADD, address, part, 0))
            address = len(b.insts) - 1
    return address


def array_fill(b: Builder, op: int, imm: Any) -> bool:
    array, start, value, count = b.pop_many(4)
    if array < 0:
        return _trap(b, _NULL_ARRAY)
    slot = b.context.array(imm)
    _check_range(b, start, count, _length(b, array), _OUT_OF_BOUNDS)
    b.effect((ops.ARRAY_FILL, array, _pattern(b, slot, value), ((start, count), slot.size_log2)))
    if b.context.interruptible and (count >= 0 or int(b.constants[~count]) > _SHORT_FILL):
        b.effect((ops.POLL, NO, NO, 0))
        b.forget()
    return False


def array_copy(b: Builder, op: int, imm: Any) -> bool:
    target, start, source, source_start, count = b.pop_many(5)
    if target < 0 or source < 0:
        return _trap(b, _NULL_ARRAY)
    slot = b.context.array(imm[0])
    length, source_length = _length(b, target), _length(b, source)
    _check_range(b, start, count, length, _OUT_OF_BOUNDS)
    _check_range(b, source_start, count, source_length, _OUT_OF_BOUNDS)
    size = _scaled(b, count, slot)
    emit_builtin(b, "array_copy", _address(b, target, start, slot), _address(b, source, source_start, slot), size)
    return False


def _array_new_from(builtin: str, trap: int) -> Callable[[Builder, int, Any], bool]:
    """From a segment: what is not in it traps before there is an array; whether it has been dropped is seen when it is copied."""

    def array_new_from(b: Builder, op: int, imm: Any) -> bool:
        type_index, segment = imm
        start, count = b.pop_many(2)
        slot, module = b.context.array(type_index), b.context.module
        if builtin == "array_init_data":
            _, _, _, first, end = module.data[segment]
            _check_range(b, start, _scaled(b, count, slot), b.constant(end - first), trap)
        else:
            _check_range(b, start, count, b.constant(len(module.elements[segment].items)), trap)
        made, _ = _new_array(b, type_index, count, b.constant(_ZEROS))
        emit_builtin(b, builtin, made, ZERO, b.constant(segment), start, count)
        b.stack.append(made)
        return False

    return array_new_from


def _array_init_from(builtin: str) -> Callable[[Builder, int, Any], bool]:
    def array_init_from(b: Builder, op: int, imm: Any) -> bool:
        _, segment = imm
        array, start, source_start, count = b.pop_many(4)
        if array < 0:
            return _trap(b, _NULL_ARRAY)
        _check_range(b, start, count, _length(b, array), _OUT_OF_BOUNDS)
        emit_builtin(b, builtin, array, start, b.constant(segment), source_start, count)
        return False

    return array_init_from


_DATA_TRAP: Final = TRAP_NUMBER[OUT_OF_BOUNDS_MEMORY]
_ELEM_TRAP: Final = TRAP_NUMBER[OUT_OF_BOUNDS_TABLE]

HANDLERS: Final[dict[int, Callable[[Builder, int, Any], bool]]] = {
    0xFB000: struct_new, 0xFB001: struct_new_default,
    0xFB002: _struct_get(signed=False), 0xFB003: _struct_get(signed=True), 0xFB004: _struct_get(signed=False), 0xFB005: struct_set,
    0xFB006: array_new, 0xFB007: array_new_default, 0xFB008: array_new_fixed,
    0xFB009: _array_new_from("array_init_data", _DATA_TRAP), 0xFB00A: _array_new_from("array_init_elem", _ELEM_TRAP),
    0xFB00B: _array_get(signed=False), 0xFB00C: _array_get(signed=True), 0xFB00D: _array_get(signed=False), 0xFB00E: array_set,
    0xFB00F: array_len, 0xFB010: array_fill, 0xFB011: array_copy,
    0xFB012: _array_init_from("array_init_data"), 0xFB013: _array_init_from("array_init_elem"),
}  # fmt: skip
