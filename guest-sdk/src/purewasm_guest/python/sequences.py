"""str, bytes, lists and tuples: literals, items, slices and methods."""

from __future__ import annotations

import ast
from typing import Final, NamedTuple

from purewasm_guest.python.definitions import Value
from purewasm_guest.python.operators import convert
from purewasm_guest.python.scope import Scope
from purewasm_guest.python.types import (
    BOOL,
    BYTES,
    FRACTION,
    I64,
    NONE,
    STR,
    U64,
    WHOLE,
    Float,
    Integer,
    Sequence,
    Type,
    is_text,
    list_of,
    tuple_of,
)

_END: Final = "i64.const 0x7fffffffffffffff"


class Method(NamedTuple):
    """A method of str or bytes: types of its parameters (None for the object's own), how many may be left out, result, prelude function."""

    parameters: tuple[Type | None, ...]
    result: Type | None
    function: str


METHODS: Final[dict[tuple[str, str, int], Method]] = {
    ("str", "encode", 0): Method((), BYTES, "text_encode"),
    ("bytes", "decode", 0): Method((), STR, "text_decode"),
    **{
        row: method
        for kind in ("str", "bytes")
        for row, method in {
            (kind, "startswith", 1): Method((None,), BOOL, "text_starts"),
            (kind, "endswith", 1): Method((None,), BOOL, "text_ends"),
            (kind, "find", 1): Method((None,), I64, "text_find"),
            (kind, "count", 1): Method((None,), I64, "text_count"),
            (kind, "strip", 0): Method((), None, "text_strip"),
            (kind, "replace", 2): Method((None, None), None, "text_replace"),
        }.items()
    },
    ("str", "split", 0): Method((), list_of(STR), "text_words"),
    ("bytes", "split", 0): Method((), list_of(BYTES), "text_words"),
    ("str", "split", 1): Method((STR,), list_of(STR), "text_split"),
    ("bytes", "split", 1): Method((BYTES,), list_of(BYTES), "text_split"),
    ("str", "join", 1): Method((list_of(STR),), STR, "text_join"),
    ("bytes", "join", 1): Method((list_of(BYTES),), BYTES, "text_join"),
}


def sequence_literal(scope: Scope, node: ast.List | ast.Tuple, hint: Type | None) -> Value:
    """`[a, b]` or `(a, b)`; a tuple of constants lies in the guest's data."""
    values = [scope.value(item, hint.item if isinstance(hint, Sequence) else None) for item in node.elts]
    item = _item_type(scope, node, values, hint)
    is_fixed = isinstance(node, ast.Tuple)
    kind = tuple_of(item) if is_fixed else list_of(item)
    fitted = [scope.fit(value, item, part) for value, part in zip(values, node.elts, strict=True)]
    if is_fixed and all(value.constant is not None for value in fitted):
        items = tuple(value.constant for value in fitted)
        return Value(kind, [f"i32.const {scope.program.fixed(kind, items)}"], items)
    made = scope.temporary("i32")
    code = [f"i32.const {len(values)}", f"i32.const {item.size}", scope.program.runtime("list_new"), f"local.set {made}"]
    for index, value in enumerate(fitted):
        code += [f"local.get {made}", "i32.load offset=8", *value.code, f"{item.store} offset={index * item.size}"]
    return Value(kind, [*code, f"local.get {made}"])


def _item_type(scope: Scope, node: ast.List | ast.Tuple, values: list[Value], hint: Type | None) -> Type:
    if isinstance(hint, Sequence):
        return hint.item
    known = [value.type for value in values if value.type not in (WHOLE, FRACTION)]
    if NONE in known:
        raise scope.error(node, "a call in it has no value")
    if known:
        return known[0]
    if not values:
        raise scope.error(node, "the type of an empty list's items is not known: write `name: list[int] = []`")
    return scope.settle(values[0], node).type


class Place(NamedTuple):
    """A field or an item in memory: what is evaluated once, then instructions that leave an address, and the offset from there."""

    type: Type
    before: list[str]
    address: list[str]
    offset: str


def item_place(scope: Scope, node: ast.Subscript, *, is_written: bool) -> Place:
    """Where `a[i]` is."""
    owner = scope.concrete(node.value)
    if not isinstance(owner.type, Sequence):
        raise scope.error(node, f"items of {owner.type} are not assigned to")
    if owner.type.is_fixed and is_written:
        raise scope.error(node, "a tuple does not change: use a list")
    base, index = scope.temporary("i32"), scope.temporary("i64")
    before = [*owner.code, f"local.set {base}", *scope.as_index(node.slice), f"local.set {index}"]
    code = [f"local.get {index}", f"local.get {base}", "i32.load", scope.program.runtime("item_index")]
    code += [f"i32.const {owner.type.item.size}", "i32.mul", f"local.get {base}", "i32.load offset=8", "i32.add"]
    return Place(owner.type.item, before, code, "")


def subscript(scope: Scope, node: ast.Subscript) -> Value:
    """`a[i]` and `a[i:j]`."""
    if isinstance(node.slice, ast.Slice):
        return _slice(scope, node.value, node.slice, node)
    owner = scope.concrete(node.value)
    if isinstance(owner.type, Sequence):
        place = item_place(scope, node, is_written=False)
        return Value(place.type, [*place.before, *place.address, place.type.load])
    if owner.type == STR:
        return Value(STR, [*owner.code, *scope.as_index(node.slice), scope.program.runtime("text_item")])
    if owner.type == BYTES:
        return Value(I64, [*owner.code, *scope.as_index(node.slice), scope.program.runtime("byte_item")])
    raise scope.error(node, f"{owner.type} has no items")


def _slice(scope: Scope, whole: ast.expr, part: ast.Slice, node: ast.AST) -> Value:
    if part.step is not None:
        raise scope.error(node, "guests have no step in slices: use a loop")
    owner = scope.concrete(whole)
    bounds = ["i64.const 0"] if part.lower is None else scope.as_index(part.lower)
    bounds = [*bounds, *([_END] if part.upper is None else scope.as_index(part.upper))]
    if is_text(owner.type):
        return Value(owner.type, [*owner.code, *bounds, scope.program.runtime("text_slice")])
    if isinstance(owner.type, Sequence):
        return Value(owner.type, [*owner.code, *bounds, f"i32.const {owner.type.item.size}", scope.program.runtime("list_slice")])
    raise scope.error(node, f"{owner.type} has no parts")


def method(scope: Scope, owner: Value, name: str, node: ast.Call) -> Value:
    """`owner.name(…)` of a str, bytes or list."""
    if node.keywords:
        raise scope.error(node, f"{name} takes no names of parameters")
    if isinstance(owner.type, Sequence):
        return _list_method(scope, owner, owner.type, name, node)
    row = METHODS.get((owner.type.name, name, len(node.args)))
    if row is None:
        known = ", ".join(sorted({key[1] for key in METHODS if key[0] == owner.type.name}))
        raise scope.error(node, f"{owner.type} has no {name} with {len(node.args)} arguments in guests: there is {known}")
    code = [*owner.code]
    for argument, kind in zip(node.args, row.parameters, strict=True):
        code += scope.typed(argument, kind or owner.type).code
    return Value(row.result or owner.type, [*code, scope.program.runtime(row.function)])


def _list_method(scope: Scope, owner: Value, kind: Sequence, name: str, node: ast.Call) -> Value:
    item, size = kind.item, f"i32.const {kind.item.size}"
    if kind.is_fixed:
        raise scope.error(node, "a tuple does not change: use a list")
    if name == "append" and len(node.args) == 1:
        whole = scope.temporary("i32")
        value = scope.typed(node.args[0], item)
        kept = scope.temporary(item.wasm)
        code = [*owner.code, f"local.set {whole}", *value.code, f"local.set {kept}"]
        code += [f"local.get {whole}", size, scope.program.runtime("list_slot"), f"local.get {kept}", item.store]
        return Value(NONE, code)
    if name == "extend" and len(node.args) == 1:
        more = scope.typed(node.args[0], kind)
        return Value(NONE, [*owner.code, *more.code, size, scope.program.runtime("list_extend")])
    if name == "pop" and len(node.args) <= 1:
        index = scope.as_index(node.args[0]) if node.args else ["i64.const -1"]
        kept = scope.temporary(item.wasm)
        whole, at = scope.temporary("i32"), scope.temporary("i32")
        code = [*owner.code, f"local.set {whole}", *index, f"local.get {whole}", "i32.load", scope.program.runtime("item_index")]
        code += [f"local.tee {at}", size, "i32.mul", f"local.get {whole}", "i32.load offset=8", "i32.add", item.load, f"local.set {kept}"]
        code += [f"local.get {whole}", f"local.get {at}", size, scope.program.runtime("list_remove"), f"local.get {kept}"]
        return Value(item, code)
    if name == "clear" and not node.args:
        return Value(NONE, [*owner.code, "i32.const 0", "i32.store"])
    raise scope.error(node, f"lists have no {name} with {len(node.args)} arguments in guests: there is append, clear, extend, pop")


def to_text(scope: Scope, value: Value, node: ast.AST) -> Value:
    """`str(value)`."""
    if value.type == STR:
        return value
    if value.type == BOOL:
        yes, no = (scope.program.text(word, len(word)) for word in (b"True", b"False"))
        return Value(STR, [f"i32.const {yes}", f"i32.const {no}", *value.code, "select"])
    if value.type == U64:
        return Value(STR, [*value.code, scope.program.runtime("text_of_u64")])
    if isinstance(value.type, Integer):
        return Value(STR, [*scope.as_i64(value), scope.program.runtime("text_of_i64")])
    raise scope.error(node, f"guests have no text of {value.type}: there is one of whole numbers, bool and str")


def to_number(scope: Scope, value: Value, kind: Type, node: ast.AST) -> Value:
    """`int(value)`, `f32(value)` and so on."""
    if value.type in (WHOLE, FRACTION) and isinstance(value.constant, int | float):
        if isinstance(kind, Integer):
            if isinstance(value.constant, float) and not kind.lowest - 1 < value.constant < kind.highest + 1:
                raise scope.error(node, f"{value.constant} does not fit {kind}")
            number = kind.wrap(int(value.constant))
            return Value(kind, [f"{kind.wasm}.const {number}"], number)
        return scope.fit(value, kind, node)
    if value.type == STR and isinstance(kind, Integer):
        return Value(kind, convert(scope, Value(I64, [*value.code, scope.program.runtime("parse_i64")]), kind))
    if value.type == BOOL or isinstance(value.type, Integer | Float):
        return Value(kind, convert(scope, value, kind))
    raise scope.error(node, f"guests make no {kind} of {value.type}")
