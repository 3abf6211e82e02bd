"""Structures and arrays: objects of `store.gc` (spec: aggregate instructions).

An access through null is an AttributeError, an index past the end an IndexError: both are the trap of the statement they stand in.
`Y3` is the module's type 3. Packed fields hold unsigned numbers.
"""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import AND, ATOM, CONST, MASK32, MASK64, Fragment, inside
from purewasm.engine.interpreter.normalise import unsigned
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store.gc import array_field, struct_fields
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.lowering import Handlers, Lowering
    from purewasm.wasm.deftypes import FieldType

_MASKS: Final = {vt.I8: 0xFF, vt.I16: 0xFFFF, vt.I32: MASK32, vt.I64: MASK64}
_DEFAULTS: Final = {vt.I8: "0", vt.I16: "0", vt.I32: "0", vt.I64: "0", vt.F32: "0.0", vt.F64: "0.0", vt.V128: repr(bytes(16))}

_MANY_FIELDS: Final = 64
"""The default values of more fields than this are not written down each time: a type may have ten thousand."""


def _stored(low: Lowering, value: Fragment, storage: int) -> str:
    """Text of a value as a field holds it."""
    mask = _MASKS.get(storage, 0)
    if not mask or (value[2] >= 0 and value[3] <= mask):
        return value[0]
    if mask >= MASK32:
        return unsigned(value, mask, low.compact)[0]
    return str(value[2] & mask) if value[6] == CONST else f"{inside(value, AND)} & {mask}"


def _index(low: Lowering, stack: list[Fragment]) -> str:
    return low.canonical(stack.pop(), vt.I32)


def _default(storage: int) -> str:
    return _DEFAULTS.get(storage, "None")


def _field(low: Lowering, type_index: int) -> FieldType:
    return array_field(low.module.types[type_index])


def _pop_many(low: Lowering, stack: list[Fragment], fields: list[FieldType]) -> str:
    low.flush_impure()
    values = stack[len(stack) - len(fields) :]
    del stack[len(stack) - len(fields) :]
    return ", ".join([_stored(low, value, field.storage) for value, field in zip(values, fields, strict=True)])


# ---- structures


def lower_struct_new(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    values = _pop_many(low, stack, list(struct_fields(low.module.types[imm])))
    low.push_statement(f"StructObject(Y{imm}, [{values}])", at)


def lower_struct_new_default(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    fields = struct_fields(low.module.types[imm])
    if len(fields) > _MANY_FIELDS:
        low.push_statement(f"struct_new_default(Y{imm})", at)
        low.poll(at)
    else:
        low.push_statement(f"StructObject(Y{imm}, [{', '.join(_default(field.storage) for field in fields)}])", at)


def _push_read(low: Lowering, text: str, storage: int, signed: bool, at: int) -> None:
    mask = _MASKS.get(storage, 0)
    if signed:
        half = (mask + 1) >> 1
        low.push_statement(f"t if (t := {text}) < {half} else t - {mask + 1}", at, -half, half - 1)
    else:
        low.push_statement(text, at, 0, mask)


def _struct_get(signed: bool) -> Callable[[Lowering, list[Fragment], tuple[int, int], int], None]:
    def lower_struct_get(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
        low.flush_impure()
        field = struct_fields(low.module.types[imm[0]])[imm[1]]
        _push_read(low, f"{inside(stack.pop(), ATOM)}.fields[{imm[1]}]", field.storage, signed, at)

    return lower_struct_get


def lower_struct_set(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    low.flush_impure()
    field = struct_fields(low.module.types[imm[0]])[imm[1]]
    value = _stored(low, stack.pop(), field.storage)
    low.emit(f"{inside(stack.pop(), ATOM)}.fields[{imm[1]}] = {value}", at)


# ---- arrays


def lower_array_new(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    low.flush_impure()
    count = _index(low, stack)
    value = _stored(low, stack.pop(), _field(low, imm).storage)
    low.push_statement(f"array_new(Y{imm}, {value}, {count})", at)
    low.poll(at)


def lower_array_new_default(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    low.flush_impure()
    low.push_statement(f"array_new(Y{imm}, {_default(_field(low, imm).storage)}, {_index(low, stack)})", at)
    low.poll(at)


def lower_array_new_fixed(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    type_index, count = imm
    values = _pop_many(low, stack, [_field(low, type_index)] * count)
    low.push_statement(f"ArrayObject(Y{type_index}, [{values}])", at)


def lower_array_new_data(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    low.flush_impure()
    count, start = _index(low, stack), _index(low, stack)
    low.push_statement(f"array_new_data(Y{imm[0]}, D[{imm[1]}], {start}, {count})", at)
    low.poll(at)


def lower_array_new_elem(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    low.flush_impure()
    count, start = _index(low, stack), _index(low, stack)
    low.push_statement(f"array_new_elem(Y{imm[0]}, S, {imm[1]}, {start}, {count})", at)
    low.poll(at)


def _array_get(signed: bool) -> Callable[[Lowering, list[Fragment], int, int], None]:
    def lower_array_get(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
        low.flush_impure()
        index = _index(low, stack)
        _push_read(low, f"{inside(stack.pop(), ATOM)}.elements[{index}]", _field(low, imm).storage, signed, at)

    return lower_array_get


def lower_array_set(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    low.flush_impure()
    value = _stored(low, stack.pop(), _field(low, imm).storage)
    index = _index(low, stack)
    low.emit(f"{inside(stack.pop(), ATOM)}.elements[{index}] = {value}", at)


def lower_array_len(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    low.flush_impure()
    low.push_statement(f"len({inside(stack.pop(), ATOM)}.elements)", at, 0, MASK32)


def lower_array_fill(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    low.flush_impure()
    count = _index(low, stack)
    value = _stored(low, stack.pop(), _field(low, imm).storage)
    start = _index(low, stack)
    low.emit(f"array_fill({stack.pop()[0]}, {start}, {value}, {count})", at)
    low.poll(at)


def lower_array_copy(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    low.flush_impure()
    count, source_start = _index(low, stack), _index(low, stack)
    source = stack.pop()[0]
    start = _index(low, stack)
    low.emit(f"array_copy({stack.pop()[0]}, {start}, {source}, {source_start}, {count})", at)
    low.poll(at)


def lower_array_init_data(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    low.flush_impure()
    count, source_start, start = _index(low, stack), _index(low, stack), _index(low, stack)
    low.emit(f"array_init_data({stack.pop()[0]}, {start}, D[{imm[1]}], {source_start}, {count})", at)
    low.poll(at)


def lower_array_init_elem(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    low.flush_impure()
    count, source_start, start = _index(low, stack), _index(low, stack), _index(low, stack)
    low.emit(f"array_init_elem({stack.pop()[0]}, {start}, S, {imm[1]}, {source_start}, {count})", at)
    low.poll(at)


HANDLERS: Final[Handlers] = {
    0xFB000: lower_struct_new,
    0xFB001: lower_struct_new_default,
    0xFB002: _struct_get(signed=False),
    0xFB003: _struct_get(signed=True),
    0xFB004: _struct_get(signed=False),
    0xFB005: lower_struct_set,
    0xFB006: lower_array_new,
    0xFB007: lower_array_new_default,
    0xFB008: lower_array_new_fixed,
    0xFB009: lower_array_new_data,
    0xFB00A: lower_array_new_elem,
    0xFB00B: _array_get(signed=False),
    0xFB00C: _array_get(signed=True),
    0xFB00D: _array_get(signed=False),
    0xFB00E: lower_array_set,
    0xFB00F: lower_array_len,
    0xFB010: lower_array_fill,
    0xFB011: lower_array_copy,
    0xFB012: lower_array_init_data,
    0xFB013: lower_array_init_elem,
}
