"""Evaluating constant expressions (spec: constant expressions) of a validated module in an instance under construction."""

from __future__ import annotations

from purewasm.binary.body import decode_const
from purewasm.errors import Trap
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store.gc import I31, array_field, default_value, struct_fields
from purewasm.wasm import float_bits
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.store.instance import Instance
    from purewasm.wasm.deftypes import DefType
    from purewasm.wasm.module import ConstExpr, WasmModule

    Stack = list[Any]
    Handler = Callable[[Instance, Stack, Any], None]

_END: Final = CODE["end"]
_I32_CONST: Final = CODE["i32.const"]
_INTEGERS: Final = (_I32_CONST, CODE["i64.const"])
_FLOAT_BYTES: Final = {CODE["f32.const"]: 4, CODE["f64.const"]: 8}
_V128_CONST: Final = b"\xfd\x0c"
_M32: Final = 0xFFFF_FFFF
_M64: Final = 0xFFFF_FFFF_FFFF_FFFF


def evaluate(instance: Instance, expression: ConstExpr) -> object:
    """The raw value of a constant expression."""
    value = integer_constant(instance.wasm, expression)
    if value is not None:
        return value
    body = decode_const(instance.wasm, expression)
    stack: Stack = []
    for op, immediate in zip(body.ops, body.imms, strict=True):
        if op != _END:
            _HANDLERS[op](instance, stack, immediate)
    return stack[-1]


def integer_constant(module: WasmModule, expression: ConstExpr) -> int | None:
    """The raw value of an expression that is one `i32.const` or `i64.const`; None for any other."""
    source, start = module.source, expression.start
    if source[start] not in _INTEGERS:
        return None
    value = _integer(source, start + 1, expression.end - 1)
    return None if value is None else value & (_M32 if source[start] == _I32_CONST else _M64)


def number_bytes(module: WasmModule, expression: ConstExpr) -> bytes | None:
    """The 16 bytes of a global whose initial value is one constant of a number or vector type; None for any other expression."""
    integer = integer_constant(module, expression)
    if integer is not None:
        return integer.to_bytes(16, "little")
    source, (start, end) = module.source, expression
    size = _FLOAT_BYTES.get(source[start])
    if size is not None and end - start == size + 2:
        return source[start + 1 : end - 1].ljust(16, b"\0")
    if end - start == 19 and source[start : start + 2] == _V128_CONST:
        return source[start + 2 : end - 1]
    return None


def _integer(source: bytes, start: int, end: int) -> int | None:
    """The signed integer that these bytes are, None where there is more than one in them."""
    value = shift = 0
    for at in range(start, end):
        byte = source[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return None if at + 1 < end else value - (1 << shift) if byte & 0x40 else value
    return None


def _constant(_: Instance, stack: Stack, value: object) -> None:
    stack.append(value)


def _f32(_: Instance, stack: Stack, data: bytes) -> None:
    stack.append(float_bits.f32_from_bytes(data))


def _f64(_: Instance, stack: Stack, data: bytes) -> None:
    stack.append(float_bits.f64_from_bytes(data))


def _null(_: Instance, stack: Stack, heap: int) -> None:
    stack.append(None)


def _ref_func(instance: Instance, stack: Stack, index: int) -> None:
    stack.append(instance.function(index))


def _global_get(instance: Instance, stack: Stack, index: int) -> None:
    stack.append(instance.globals[index].raw)


def _binary(operation: Callable[[int, int], int], mask: int) -> Handler:
    def handler(_: Instance, stack: Stack, immediate: object) -> None:
        right = stack.pop()
        stack[-1] = operation(stack[-1], right) & mask

    return handler


def _i31(_: Instance, stack: Stack, immediate: object) -> None:
    stack[-1] = I31(stack[-1])


def _same(_: Instance, stack: Stack, immediate: object) -> None:
    """Conversions between extern and any: the object stays the same."""


def _pop(stack: Stack, count: int) -> Stack:
    values = stack[len(stack) - count :]
    del stack[len(stack) - count :]
    return values


def packed(value: Any, storage: int) -> Any:
    """A raw value as a field of this storage type holds it."""
    return value & 0xFF if storage == 0x78 else value & 0xFFFF if storage == 0x77 else value


def _struct_new(instance: Instance, stack: Stack, index: int) -> None:
    deftype = instance.wasm.types[index]
    fields = struct_fields(deftype)
    values = _pop(stack, len(fields))
    made = [packed(value, field.storage) for value, field in zip(values, fields, strict=True)]
    stack.append(instance.engine.new_struct(instance, deftype, made))


def _struct_new_default(instance: Instance, stack: Stack, index: int) -> None:
    deftype = instance.wasm.types[index]
    stack.append(instance.engine.new_struct(instance, deftype, [default_value(field.storage) for field in struct_fields(deftype)]))


def _check_size(deftype: DefType, count: int) -> None:
    from purewasm.store.object_layout import most_elements  # few modules make arrays where they define something

    if count > most_elements(deftype):
        raise Trap("allocation size too large")


def _array_new(instance: Instance, stack: Stack, index: int) -> None:
    deftype = instance.wasm.types[index]
    value, count = _pop(stack, 2)
    _check_size(deftype, count)
    stack.append(instance.engine.new_array(instance, deftype, [packed(value, array_field(deftype).storage)], count))


def _array_new_default(instance: Instance, stack: Stack, index: int) -> None:
    deftype = instance.wasm.types[index]
    count = stack.pop()
    _check_size(deftype, count)
    stack.append(instance.engine.new_array(instance, deftype, [default_value(array_field(deftype).storage)], count))


def _array_new_fixed(instance: Instance, stack: Stack, immediate: tuple[int, int]) -> None:
    index, count = immediate
    deftype = instance.wasm.types[index]
    storage = array_field(deftype).storage
    stack.append(instance.engine.new_array(instance, deftype, [packed(value, storage) for value in _pop(stack, count)]))


_HANDLERS: Final[dict[int, Handler]] = {
    CODE[name]: handler
    for name, handler in (
        ("i32.const", _constant),
        ("i64.const", _constant),
        ("f32.const", _f32),
        ("f64.const", _f64),
        ("v128.const", _constant),
        ("ref.null", _null),
        ("ref.func", _ref_func),
        ("global.get", _global_get),
        ("i32.add", _binary(int.__add__, _M32)),
        ("i32.sub", _binary(int.__sub__, _M32)),
        ("i32.mul", _binary(int.__mul__, _M32)),
        ("i64.add", _binary(int.__add__, _M64)),
        ("i64.sub", _binary(int.__sub__, _M64)),
        ("i64.mul", _binary(int.__mul__, _M64)),
        ("ref.i31", _i31),
        ("any.convert_extern", _same),
        ("extern.convert_any", _same),
        ("struct.new", _struct_new),
        ("struct.new_default", _struct_new_default),
        ("array.new", _array_new),
        ("array.new_default", _array_new_default),
        ("array.new_fixed", _array_new_fixed),
    )
}
