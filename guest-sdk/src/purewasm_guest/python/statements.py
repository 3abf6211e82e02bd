"""Statements: each becomes instructions that leave the stack as it was."""

from __future__ import annotations

import ast
from typing import Final, TypeAlias

from purewasm_guest.python.definitions import Function, Value, Variable
from purewasm_guest.python.errors import CompileError
from purewasm_guest.python.expressions import ExpressionScope
from purewasm_guest.python.operators import binary
from purewasm_guest.python.scope import Program
from purewasm_guest.python.sequences import Place, item_place
from purewasm_guest.python.source import annotation_in
from purewasm_guest.python.types import BYTES, FRACTION, I64, NONE, STR, WHOLE, Integer, Sequence, Struct, Type

_TRAP: Final = ["unreachable"]
_Step: TypeAlias = tuple[list[str], list[str], list[str]]
"""Of a loop: what leaves 0 where it ends, what comes before the body, and what comes after it."""


class FunctionCompiler(ExpressionScope):
    """The compilation of one function."""

    def __init__(self, program: Program, function: Function) -> None:
        super().__init__(program, function.module, function.result)
        self._function = function
        self._globals: set[str] = set()
        self._loops: list[tuple[str, str, list[set[str] | None]]] = []
        """Of the loops around this point: the labels of break and continue, and what is assigned at each break."""
        for parameter in function.parameters:
            self.names[parameter.name] = (self.temporary(parameter.type.wasm), parameter.type)
        self.assigned = {parameter.name for parameter in function.parameters}
        inner = list(ast.walk(function.node))
        shared = {name for node in inner if isinstance(node, ast.Global) for name in node.names}
        self.own = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)} - shared

    def body(self) -> list[str]:
        """The instructions of the function."""
        function = self._function
        code = self.block(function.node.body)
        if self.assigned is None:
            return [*code, *_TRAP]
        if function.result != NONE:
            raise self.error(function.node, f"{function.node.name} can end without `return`, but returns {function.result}")
        return code

    def block(self, statements: list[ast.stmt]) -> list[str]:
        """Statements in a row; what can not be reached is checked and left in."""
        return [line for statement in statements for line in self.statement(statement)]

    def statement(self, node: ast.stmt) -> list[str]:
        """One statement."""
        match node:
            case ast.Expr():
                return self._expression(node)
            case ast.Assign():
                return self._assign(node)
            case ast.AnnAssign():
                return self._declare(node)
            case ast.AugAssign():
                return self._augment(node)
            case ast.If():
                return self._if(node)
            case ast.While():
                return self._while(node)
            case ast.For():
                return self._for(node)
            case ast.Return():
                return self._return(node)
            case ast.Break() | ast.Continue():
                return self._leave(node)
            case ast.Assert():
                return [*self.truth(node.test), "if", "else", *_TRAP, "end"]
            case ast.Raise():
                self.assigned = None
                return _TRAP
            case ast.Pass():
                return []
            case ast.Global():
                return self._global(node)
            case _:
                raise self._unknown(node)

    def _unknown(self, node: ast.stmt) -> CompileError:
        advice = {"Try": "an exception is a trap, which ends the call: check before", "With": "close by hand", "Delete": "let it be"}
        name = type(node).__name__
        return self.error(node, f"guests have no such statement ({name.lower()}){': ' + advice[name] if name in advice else ''}")

    def _expression(self, node: ast.Expr) -> list[str]:
        if isinstance(node.value, ast.Constant) and (isinstance(node.value.value, str) or node.value.value is ...):
            return []
        value = self.concrete(node.value)
        return value.code if value.type == NONE else [*value.code, "drop"]

    def _global(self, node: ast.Global) -> list[str]:
        for name in node.names:
            if not isinstance(self.module.names.get(name), Variable):
                raise self.error(node, f"there is no variable {name} at the module's top: give it a first value there")
            self._globals.add(name)
        return []

    # Assignments

    def _assign(self, node: ast.Assign) -> list[str]:
        if len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Tuple | ast.List):
                return self._unpack(target, node.value)
            value = self.value(node.value, self._type_of(target))
            return self._store(target, value, node)
        first = self.concrete(node.value)
        kept = self.temporary(first.type.wasm)
        code = [*first.code, f"local.set {kept}"]
        for target in node.targets:
            code += self._store(target, Value(first.type, [f"local.get {kept}"]), node)
        return code

    def _unpack(self, target: ast.Tuple | ast.List, given: ast.expr) -> list[str]:
        if not isinstance(given, ast.Tuple | ast.List) or len(given.elts) != len(target.elts):
            raise self.error(target, "guests unpack a row of as many expressions: `a, b = b, a`")
        code, values = [], []
        for place, part in zip(target.elts, given.elts, strict=True):
            wanted = self._type_of(place)
            value = self.typed(part, wanted) if wanted else self.concrete(part)
            self._has_value(value, part)
            kept = self.temporary(value.type.wasm)
            code += [*value.code, f"local.set {kept}"]
            values.append(Value(value.type, [f"local.get {kept}"]))
        for place, value in zip(target.elts, values, strict=True):
            code += self._store(place, value, target)
        return code

    def _type_of(self, target: ast.expr) -> Type | None:
        """The type of a local or variable that there is already."""
        if isinstance(target, ast.Name):
            found = self.module.names.get(target.id)
            if target.id in self._globals and isinstance(found, Variable):
                return found.type
            return self.names[target.id][1] if target.id in self.names else None
        return self._place(target).type if isinstance(target, ast.Attribute | ast.Subscript) else None

    def _declare(self, node: ast.AnnAssign) -> list[str]:
        if not isinstance(node.target, ast.Name):
            raise self.error(node, "a type is said for a name")
        kind, name = annotation_in(self.module, node.annotation), node.target.id
        if name in self.names and self.names[name][1] != kind:
            raise self.error(node, f"{name} is {self.names[name][1]} before: a name keeps its type")
        if name not in self.names:
            self.names[name] = (self.temporary(kind.wasm), kind)
        return [] if node.value is None else self._store(node.target, self.value(node.value, kind), node)

    def _has_value(self, value: Value, node: ast.AST) -> None:
        if value.type == NONE:
            raise self.error(node, "the call has no value to assign")

    def _store(self, target: ast.expr, value: Value, node: ast.AST) -> list[str]:
        """Give the target a value."""
        if isinstance(target, ast.Name):
            return self._store_name(target.id, value, node)
        kind, before, address, offset = self._place(target)
        value = self.fit(value, kind, node)
        kept = self.temporary(kind.wasm)
        return [*value.code, f"local.set {kept}", *before, *address, f"local.get {kept}", f"{kind.store}{offset}"]

    def _store_name(self, name: str, value: Value, node: ast.AST) -> list[str]:
        found = self.module.names.get(name)
        if name in self._globals and isinstance(found, Variable):
            return [*self.fit(value, found.type, node).code, f"global.set {found.symbol}"]
        if name in self.names:
            number, kind = self.names[name]
            value = self.fit(value, kind, node)
        else:
            value = self.settle(value, node)
            self._has_value(value, node)
            number = self.temporary(value.type.wasm)
            self.names[name] = (number, value.type)
        if self.assigned is not None:
            self.assigned.add(name)
        return [*value.code, f"local.set {number}"]

    def _place(self, target: ast.expr) -> Place:
        """Where a field or an item is."""
        if isinstance(target, ast.Attribute):
            owner = self.concrete(target.value)
            part = owner.type.fields.get(target.attr) if isinstance(owner.type, Struct) else None
            if part is None:
                raise self.error(target, f"{owner.type} has no field {target.attr}")
            base = self.temporary("i32")
            return Place(part.type, [*owner.code, f"local.set {base}"], [f"local.get {base}"], f" offset={part.offset}")
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            return item_place(self, target, is_written=True)
        raise self.error(target, "guests assign to names, fields and items")

    def _augment(self, node: ast.AugAssign) -> list[str]:
        if isinstance(node.target, ast.Name):
            before = self.value(node.target)
            hint = before.type if isinstance(before.type, Sequence) else None
            value = binary(self, node.op, before, self.value(node.value, hint), node)
            if hint is not None and isinstance(node.op, ast.Add):
                more = self.typed(node.value, hint)
                size = f"i32.const {before.type.item.size}" if isinstance(before.type, Sequence) else ""
                return [*before.code, *more.code, size, self.program.runtime("list_extend")]
            return self._store_name(node.target.id, value, node)
        kind, once, address, offset = self._place(node.target)
        old = self.temporary(kind.wasm)
        before = Value(kind, [f"local.get {old}"])
        value = self.fit(binary(self, node.op, before, self.value(node.value, kind), node), kind, node)
        read = [*once, *address, f"{kind.load}{offset}", f"local.set {old}"]
        kept = self.temporary(kind.wasm)
        # The address is found anew, for the value's expression may have changed the list.
        return [*read, *value.code, f"local.set {kept}", *address, f"local.get {kept}", f"{kind.store}{offset}"]

    # Control

    def _return(self, node: ast.Return) -> list[str]:
        result = self._function.result
        if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
            if result != NONE:
                raise self.error(node, f"{self._function.node.name} returns {result}")
            code = []
        elif result == NONE:
            raise self.error(node, f"{self._function.node.name} returns nothing: write its result, `-> int:` for example")
        else:
            code = self.typed(node.value, result).code
        self.assigned = None
        return [*code, "return"]

    def _leave(self, node: ast.Break | ast.Continue) -> list[str]:
        leave, again, seen = self._loops[-1]
        if isinstance(node, ast.Break):
            seen.append(None if self.assigned is None else set(self.assigned))
        self.assigned = None
        return [f"br {leave if isinstance(node, ast.Break) else again}"]

    def _if(self, node: ast.If) -> list[str]:
        code = [*self.truth(node.test), "if"]
        before = self._copy()
        code += self.block(node.body)
        after, self.assigned = self.assigned, before
        if node.orelse:
            code += ["else", *self.block(node.orelse)]
        self.assigned = _both(after, self.assigned)
        return [*code, "end"]

    def _copy(self) -> set[str] | None:
        return None if self.assigned is None else set(self.assigned)

    def _loop(
        self, body: list[ast.stmt], orelse: list[ast.stmt], step: _Step, before: set[str] | None, *, is_endless: bool
    ) -> list[str]:
        """A loop. `before` are the names that have a value even if there is no turn: a loop's target is not among them."""
        leave, again, top = self.label("leave"), self.label("again"), self.label("top")
        test, start, advance = step
        seen = list[set[str] | None]()
        self._loops.append((leave, again, seen))
        inner = self.block(body)
        self._loops.pop()
        self.assigned = None if is_endless else before
        otherwise = self.block(orelse)
        for found in seen:
            self.assigned = _both(self.assigned, found)
        turn = [f"block {again}", *start, *inner, "end", *advance, f"br {top}"]
        if is_endless:
            return [f"block {leave}", f"loop {top}", *turn, "end", "unreachable", "end"]
        return [f"block {leave}", f"loop {top}", *test, "if", *turn, "end", "end", *otherwise, "end"]

    def _while(self, node: ast.While) -> list[str]:
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        test = [] if is_endless else self.truth(node.test)
        return self._loop(node.body, node.orelse, (test, [], []), self._copy(), is_endless=is_endless)

    def _for(self, node: ast.For) -> list[str]:
        given = node.iter
        if isinstance(given, ast.Call) and isinstance(given.func, ast.Name) and given.func.id not in self.module.names:
            if given.func.id == "range":
                return self._for_range(node, given)
            if given.func.id == "enumerate" and len(given.args) == 1 and isinstance(node.target, ast.Tuple) and len(node.target.elts) == 2:
                return self._for_items(node, node.target.elts[1], given.args[0], node.target.elts[0])
        return self._for_items(node, node.target, given, None)

    def _for_range(self, node: ast.For, given: ast.Call) -> list[str]:
        """The number of turns is known before: nothing that the body does changes it, and no counter overflows."""
        if not 1 <= len(given.args) <= 3 or given.keywords:
            raise self.error(given, "range takes one to three numbers")
        bounds = [self.value(argument) for argument in given.args]
        known = [value.type for value in bounds if value.type not in (WHOLE, FRACTION)]
        kind = known[0] if known else self._type_of(node.target) or I64
        if not isinstance(kind, Integer):
            raise self.error(given, f"range goes over whole numbers, not {kind}")
        fitted = [self.fit(value, kind, argument).code for value, argument in zip(bounds, given.args, strict=True)]
        one = [f"{kind.wasm}.const 1"]
        start = [f"{kind.wasm}.const 0"] if len(fitted) == 1 else fitted[0]
        stop, step = fitted[0] if len(fitted) == 1 else fitted[1], fitted[2] if len(fitted) > 2 else one
        at, end, by = (self.temporary(kind.wasm) for _ in range(3))
        left = self.temporary("i64")
        wide = "" if kind.bits == 64 else f"i64.extend_i32{kind.sign}"
        code = [*start, f"local.set {at}", *stop, f"local.set {end}", *step, f"local.set {by}"]
        for local in (at, end, by):
            code += [f"local.get {local}", *([wide] if wide else [])]
        code += [self.program.runtime(f"range_turns{kind.sign}"), f"local.set {left}"]
        before = self._copy()
        begin = self._store(node.target, Value(kind, [f"local.get {at}"]), node)
        advance = [f"local.get {at}", f"local.get {by}", f"{kind.wasm}.add", f"local.set {at}"]
        advance += [f"local.get {left}", "i64.const 1", "i64.sub", f"local.set {left}"]
        test = [f"local.get {left}", "i64.const 0", "i64.ne"]
        return [*code, *self._loop(node.body, node.orelse, (test, begin, advance), before, is_endless=False)]

    def _for_items(self, node: ast.For, target: ast.expr, given: ast.expr, counter: ast.expr | None) -> list[str]:
        whole = self.concrete(given)
        base, at = self.temporary("i32"), self.temporary("i32")
        here = [f"local.get {base}", f"local.get {at}"]
        kind, read, advance = self._item(whole.type, here, at, given)
        code = [*whole.code, f"local.set {base}", "i32.const 0", f"local.set {at}"]
        before = self._copy()
        begin = self._store(target, Value(kind, read), node)
        if counter is not None:
            count = self.temporary("i64")
            code += ["i64.const 0", f"local.set {count}"]
            begin += self._store(counter, Value(I64, [f"local.get {count}"]), node)
            advance = [*advance, f"local.get {count}", "i64.const 1", "i64.add", f"local.set {count}"]
        test = [f"local.get {at}", f"local.get {base}", "i32.load", "i32.lt_u"]
        return [*code, *self._loop(node.body, node.orelse, (test, begin, advance), before, is_endless=False)]

    def _item(self, kind: Type, here: list[str], at: int, node: ast.AST) -> tuple[Type, list[str], list[str]]:
        """How the item at a place is read, and how the place moves on: in a str by the bytes of a character."""
        move = [f"local.get {at}", "i32.const 1", "i32.add", f"local.set {at}"]
        if isinstance(kind, Sequence):
            base, place = here
            address = [base, "i32.load offset=8", place, f"i32.const {kind.item.size}", "i32.mul", "i32.add"]
            return kind.item, [*address, kind.item.load], move
        if kind == BYTES:
            return I64, [*here, "i32.add", "i64.load8_u offset=8"], move
        if kind == STR:
            width = [*here, self.program.runtime("character_bytes")]
            return STR, [*here, self.program.runtime("text_character")], [f"local.get {at}", *width, "i32.add", f"local.set {at}"]
        raise self.error(node, f"guests loop over range(…), enumerate(…), lists, tuples, str and bytes, not {kind}")


def _both(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    """What is assigned where two ways meet."""
    if one is None or other is None:
        return other if one is None else one
    return one & other

