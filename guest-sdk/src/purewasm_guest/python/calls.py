"""Calls: functions and methods of the guest, dataclasses, the host's imports, what is built in, and instructions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from purewasm_guest.python.definitions import Definition, Function, IntrinsicName, Marker, Parameter, SourceModule, Value
from purewasm_guest.python.memory import INTRINSICS
from purewasm_guest.python.operators import unify
from purewasm_guest.python.scope import Scope
from purewasm_guest.python.sequences import method, to_number, to_text
from purewasm_guest.python.types import (
    BOOL,
    BYTES,
    FRACTION,
    I64,
    NONE,
    STR,
    TYPES,
    U32,
    WHOLE,
    Float,
    Integer,
    Sequence,
    Struct,
    Type,
    is_reference,
    is_text,
)

_RESERVE_LIMIT: Final = 1 << 30


def call(scope: Scope, node: ast.Call) -> Value:
    """Any call."""
    if any(isinstance(argument, ast.Starred) for argument in node.args) or any(word.arg is None for word in node.keywords):
        raise scope.error(node, "guests have no * and ** in calls")
    function = node.func
    if isinstance(function, ast.Name):
        if function.id in scope.names:
            raise scope.error(node, f"{function.id} is a local: guests do not call values")
        found = scope.module.names.get(function.id)
        if found is None:
            return _built_in(scope, function.id, node)
        return _defined(scope, found, function.id, node)
    if isinstance(function, ast.Attribute):
        owner = function.value
        if isinstance(owner, ast.Name) and owner.id not in scope.names:
            module = scope.module.names.get(owner.id)
            if isinstance(module, SourceModule):
                if function.attr not in module.names:
                    raise scope.error(node, f"{owner.id} has no {function.attr}")
                return _defined(scope, module.names[function.attr], function.attr, node)
        return _method(scope, scope.concrete(owner), function.attr, node)
    raise scope.error(node, "guests call functions by name")


def _defined(scope: Scope, found: Definition, name: str, node: ast.Call) -> Value:
    match found:
        case Function():
            return _function(scope, found, [], node)
        case Struct():
            return _construct(scope, found, node)
        case IntrinsicName():
            return _intrinsic(scope, found.name, node)
        case Marker(name="reserve"):
            return _reserve(scope, node)
        case Marker(name="allocate") if len(node.args) == 1 and not node.keywords:
            return Value(U32, [*scope.typed(node.args[0], U32).code, scope.program.runtime("allocate")])
        case Integer() | Float():
            return _conversion(scope, found, node)
        case _:
            pass
    raise scope.error(node, f"{name} cannot be called")


def _reserve(scope: Scope, node: ast.Call) -> Value:
    size = scope.value(node.args[0]).constant if len(node.args) == 1 else None
    if not isinstance(size, int) or not 0 < size < _RESERVE_LIMIT or scope.result is not None:
        raise scope.error(node, "reserve(size) is the value of a module's constant, and the size is a literal")
    address = scope.program.reserve(size)
    return Value(U32, [f"i32.const {address}"], address)


def _intrinsic(scope: Scope, name: str, node: ast.Call) -> Value:
    row = INTRINSICS[name]
    if node.keywords or len(node.args) != len(row.parameters):
        raise scope.error(node, f"{name} takes {len(row.parameters)} arguments")
    code = []
    for argument, kind in zip(node.args, row.parameters, strict=True):
        value = scope.concrete(argument) if kind == "reference" else scope.typed(argument, TYPES[kind])
        if kind == "reference" and not is_reference(value.type):
            raise scope.error(argument, f"{value.type} does not lie in memory")
        code += value.code
    return Value(NONE if row.result == "None" else TYPES[row.result], [*code, *row.code])


def _function(scope: Scope, function: Function, before: list[str], node: ast.Call) -> Value:
    """`before` leaves what a method is called on."""
    parameters = function.parameters[1:] if before else function.parameters
    code = _arguments(scope, function.module, function.node.name, parameters, node)
    return Value(function.result, [*before, *code, f"call {scope.program.use(function)}"])


def _arguments(scope: Scope, home: SourceModule, name: str, parameters: list[Parameter], node: ast.Call) -> list[str]:
    """The arguments in the order of the parameters, evaluated in the order of the source."""
    given = _bind(scope, name, parameters, node)
    values = {parameter: scope.typed(expression, parameter.type) for parameter, expression in given}
    ordered = [values[parameter] if parameter in values else _default(scope, home, name, parameter, node) for parameter in parameters]
    if list(values) == parameters[: len(values)]:
        return [line for value in ordered for line in value.code]
    code, places = [], {}
    for parameter, value in values.items():
        places[parameter] = scope.temporary(parameter.type.wasm)
        code += [*value.code, f"local.set {places[parameter]}"]
    for parameter, value in zip(parameters, ordered, strict=True):
        code += [f"local.get {places[parameter]}"] if parameter in places else value.code
    return code


def _bind(scope: Scope, name: str, parameters: list[Parameter], node: ast.Call) -> list[tuple[Parameter, ast.expr]]:
    if len(node.args) > len(parameters):
        raise scope.error(node, f"{name} takes {len(parameters)} arguments, not {len(node.args)}")
    given = list(zip(parameters, node.args, strict=False))
    by_name = {parameter.name: parameter for parameter in parameters}
    for word in node.keywords:
        parameter = by_name.get(str(word.arg))
        if parameter is None or any(parameter is one for one, _ in given):
            raise scope.error(node, f"{name} has no parameter {word.arg}" if parameter is None else f"{name} gets {word.arg} twice")
        given.append((parameter, word.value))
    return given


def _default(scope: Scope, home: SourceModule, name: str, parameter: Parameter, node: ast.AST) -> Value:
    if parameter.default is None:
        raise scope.error(node, f"{name} needs its argument {parameter.name}")
    return scope.program.default(home, parameter.default, parameter.type)


def _construct(scope: Scope, struct: Struct, node: ast.Call) -> Value:
    parameters = [Parameter(name, part.type, part.default) for name, part in struct.fields.items()]
    code = _arguments(scope, scope.module, struct.name, parameters, node)
    made = scope.temporary("i32")
    kept = [scope.temporary(parameter.type.wasm) for parameter in parameters]
    code += [f"local.set {local}" for local in reversed(kept)]
    code += [f"i32.const {max(struct.total_bytes, 1)}", scope.program.runtime("allocate"), f"local.set {made}"]
    for local, part in zip(kept, struct.fields.values(), strict=True):
        code += [f"local.get {made}", f"local.get {local}", f"{part.type.store} offset={part.offset}"]
    return Value(struct, [*code, f"local.get {made}"])


def _method(scope: Scope, owner: Value, name: str, node: ast.Call) -> Value:
    if is_text(owner.type) or isinstance(owner.type, Sequence):
        return method(scope, owner, name, node)
    if isinstance(owner.type, Struct):
        function = owner.type.methods.get(name)
        if function is None:
            raise scope.error(node, f"{owner.type} has no method {name}")
        assert isinstance(function, Function)
        return _function(scope, function, owner.code, node)
    raise scope.error(node, f"{owner.type} has no method {name}")


def _built_in(scope: Scope, name: str, node: ast.Call) -> Value:
    if node.keywords:
        raise scope.error(node, f"{name} takes no names of parameters")
    if name in TYPES and name in ("int", "float", "str", "bytes", "bool"):
        return _conversion(scope, TYPES[name], node)
    if name not in _BUILT_IN:
        known = ", ".join(["bool", "bytes", "float", "int", "str", *_BUILT_IN])
        advice = "; a guest writes through a host module, such as purewasm/log" if name == "print" else ""
        raise scope.error(node, f"there is no function {name} for guests{advice}; built in are {known}")
    return _BUILT_IN[name](scope, node)


def _one(scope: Scope, node: ast.Call) -> Value:
    if len(node.args) != 1:
        raise scope.error(node, f"{ast.unparse(node.func)} takes one argument")
    return scope.concrete(node.args[0])


def _conversion(scope: Scope, kind: Type, node: ast.Call) -> Value:
    if kind == BOOL:
        _one(scope, node)
        return Value(BOOL, scope.truth(node.args[0]))
    if kind == BYTES:
        return _bytes_of(scope, node)
    if kind == STR:
        return to_text(scope, _one(scope, node), node)
    if len(node.args) != 1:
        raise scope.error(node, f"{kind}(…) takes one argument")
    return to_number(scope, scope.value(node.args[0]), kind, node)


def _bytes_of(scope: Scope, node: ast.Call) -> Value:
    value = _one(scope, node)
    if isinstance(value.type, Integer):
        return Value(BYTES, [*scope.as_i64(value), scope.program.runtime("bytes_zeroed")])
    if isinstance(value.type, Sequence) and value.type.item == I64:
        return Value(BYTES, [*value.code, scope.program.runtime("bytes_of_list")])
    raise scope.error(node, "bytes(…) takes a number of zeroes or a list[int]")


def _length(scope: Scope, node: ast.Call) -> Value:
    value = _one(scope, node)
    if not is_text(value.type) and not isinstance(value.type, Sequence):
        raise scope.error(node, f"{value.type} has no length")
    return Value(I64, [*value.code, f"i32.load{' offset=4' if value.type == STR else ''}", "i64.extend_i32_u"])


def _absolute(scope: Scope, node: ast.Call) -> Value:
    value = _one(scope, node)
    kind = value.type
    if isinstance(kind, Float):
        return Value(kind, [*value.code, f"{kind.wasm}.abs"])
    if not isinstance(kind, Integer):
        raise scope.error(node, f"abs is for numbers, not {kind}")
    if not kind.is_signed:
        return value
    kept = scope.temporary(kind.wasm)
    code = [*value.code, f"local.tee {kept}", f"{kind.wasm}.const 0", f"local.get {kept}", f"{kind.wasm}.sub", f"local.get {kept}"]
    return Value(kind, [*code, f"{kind.wasm}.const 0", f"{kind.wasm}.ge_s", "select"])


def _extreme(sign: str) -> Callable[[Scope, ast.Call], Value]:
    def compile_it(scope: Scope, node: ast.Call) -> Value:
        if len(node.args) < 2:
            raise scope.error(node, "min and max take two or more numbers")
        values = [scope.value(argument) for argument in node.args]
        known = next((value for value in values if value.type not in (WHOLE, FRACTION)), None)
        if known is None:
            known = unify(scope, values[0], next((value for value in values if value.type == FRACTION), values[0]), node)[0]
        kind = known.type
        if not isinstance(kind, Integer | Float):
            raise scope.error(node, f"min and max are for numbers, not {kind}")
        best, next_one = scope.temporary(kind.wasm), scope.temporary(kind.wasm)
        code = [*scope.fit(values[0], kind, node).code, f"local.set {best}"]
        test = f"{kind.wasm}.{sign}{kind.sign if isinstance(kind, Integer) else ''}"
        for value in values[1:]:
            code += [*scope.fit(value, kind, node).code, f"local.tee {next_one}", f"local.get {best}", f"local.get {next_one}"]
            code += [f"local.get {best}", test, "select", f"local.set {best}"]
        return Value(kind, [*code, f"local.get {best}"])

    return compile_it


def _ordinal(scope: Scope, node: ast.Call) -> Value:
    value = _one(scope, node)
    if value.type != STR:
        raise scope.error(node, f"ord is for a str, not {value.type}")
    return Value(I64, [*value.code, scope.program.runtime("ordinal")])


def _character(scope: Scope, node: ast.Call) -> Value:
    value = scope.fit(_one(scope, node), I64, node)
    return Value(STR, [*value.code, scope.program.runtime("character")])


_BUILT_IN: Final[dict[str, Callable[[Scope, ast.Call], Value]]] = {
    "abs": _absolute,
    "chr": _character,
    "len": _length,
    "max": _extreme("gt"),
    "min": _extreme("lt"),
    "ord": _ordinal,
}
