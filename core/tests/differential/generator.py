"""Random valid modules, as text: numbers, memory, globals, tables, calls, exceptions, and above all control flow.

Every module ends by itself: loops count down a local of their own, and functions call later ones only, or themselves with a
smaller argument. A result that depends on the bits of a NaN is never made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

INT: Final = ("i32", "i64")
FLOAT: Final = ("f32", "f64")
TYPES: Final = INT + FLOAT
_PARAMS: Final = 3
_LOCALS: Final = 8  # of each type, behind the parameters
_FUNCTIONS: Final = 6
_INTERESTING: Final = {
    "i32": (0, 1, -1, 2, 7, 31, 32, 255, 65535, 1 << 30, (1 << 31) - 1, -(1 << 31), 0x7FFF_FFF0),
    "i64": (0, 1, -1, 2, 63, 64, 1 << 30, 1 << 31, 1 << 32, (1 << 63) - 1, -(1 << 63), -(1 << 31)),
    "f32": ("0", "-0", "1", "-1.5", "0x1p-149", "0x1.fffffep127", "inf", "1e10", "4294967296"),
    "f64": ("0", "-0", "1", "-2.25", "0x1p-1074", "1e300", "-inf", "9223372036854775808", "-2147483649"),
}
_BINARY: Final = {
    "int": "add sub mul and or xor shl shr_s shr_u rotl rotr add sub and div_s div_u rem_s rem_u".split(),
    "float": "add sub mul div min max copysign".split(),
}
_UNARY: Final = {
    "i32": "clz ctz popcnt extend8_s extend16_s".split(),
    "i64": "clz ctz popcnt extend8_s extend16_s extend32_s".split(),
    "f32": "abs neg ceil floor trunc nearest sqrt".split(),
    "f64": "abs neg ceil floor trunc nearest sqrt".split(),
}
_COMPARE: Final = {
    "int": "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u".split(),
    "float": "eq ne lt gt le ge".split(),
}
_CONVERT: Final = {
    "i32": [
        ("i32.wrap_i64", "i64"), ("i32.trunc_f32_s", "f32"), ("i32.trunc_f64_u", "f64"), ("i32.trunc_sat_f32_u", "f32"),
        ("i32.trunc_sat_f64_s", "f64"),
    ],
    "i64": [
        ("i64.extend_i32_s", "i32"), ("i64.extend_i32_u", "i32"), ("i64.trunc_f64_s", "f64"), ("i64.trunc_f32_u", "f32"),
        ("i64.trunc_sat_f64_u", "f64"), ("i64.trunc_sat_f32_s", "f32"),
    ],
    "f32": [
        ("f32.convert_i32_s", "i32"), ("f32.convert_i32_u", "i32"), ("f32.convert_i64_s", "i64"), ("f32.convert_i64_u", "i64"),
        ("f32.demote_f64", "f64"),
    ],
    "f64": [
        ("f64.convert_i32_s", "i32"), ("f64.convert_i32_u", "i32"), ("f64.convert_i64_s", "i64"), ("f64.convert_i64_u", "i64"),
        ("f64.promote_f32", "f32"),
    ],
}  # fmt: skip
_LOADS: Final = {
    "i32": "i32.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u".split(),
    "i64": "i64.load i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u".split(),
}
_STORES: Final = {
    "i32": "i32.store i32.store8 i32.store16".split(),
    "i64": "i64.store i64.store8 i64.store16 i64.store32".split(),
}


class _Label:
    """An open block: its name, and the types that a branch to it carries."""

    def __init__(self, name: str, types: tuple[str, ...]) -> None:
        self.name, self.types = name, types


class FunctionGenerator:
    """The body of one function."""

    def __init__(self, rng: Random, index: int, signatures: list[tuple[str, ...]], exceptions: bool) -> None:
        self.rng, self.index, self.signatures, self.exceptions = rng, index, signatures, exceptions
        self.result = signatures[index]
        self.labels: list[_Label] = []
        self.names = 0
        self.budget = rng.choice((15, 40, 90, 200))
        self.counters = 0

    # ---- locals

    def local(self, valtype: str) -> str:
        if valtype == "i32" and self.rng.random() < 0.4:
            return f"$p{self.rng.randrange(_PARAMS)}"
        return f"${valtype}_{self.rng.randrange(_LOCALS if self.rng.random() < 0.2 else 3)}"

    def constant(self, valtype: str) -> str:
        rng = self.rng
        if rng.random() < 0.6:
            value: object = rng.choice(_INTERESTING[valtype])
        elif valtype in INT:
            value = rng.randrange(-200, 200) if rng.random() < 0.7 else rng.getrandbits(32 if valtype == "i32" else 64)
        else:
            value = rng.randrange(-4000, 4000) / 16
        return f"({valtype}.const {value})"

    # ---- expressions

    def expression(self, valtype: str, depth: int) -> str:
        rng = self.rng
        self.budget -= 1
        if depth <= 0 or self.budget < 0 or rng.random() < 0.15:
            if rng.random() < 0.65:
                return f"(local.get {self.local(valtype)})"
            return f"(global.get $g_{valtype})" if rng.random() < 0.15 else self.constant(valtype)
        kind = "int" if valtype in INT else "float"
        choice = rng.random()
        if choice < 0.34:
            name = rng.choice(_BINARY[kind])
            left, right = self.expression(valtype, depth - 1), self.expression(valtype, depth - 1)
            if name[:3] in ("div", "rem") and kind == "int" and rng.random() < 0.97:
                right = f"({valtype}.or {right} ({valtype}.const {rng.choice((1, 2, 65536))}))"  # hardly ever zero
            if name == "copysign":  # the sign of a NaN may be either
                right = self.number(valtype, right)
            return f"({valtype}.{name} {left} {right})"
        if choice < 0.42:
            return f"({valtype}.{rng.choice(_UNARY[valtype])} {self.expression(valtype, depth - 1)})"
        if choice < 0.52 and valtype == "i32":
            return self.comparison(depth)
        if choice < 0.60:
            name, source = rng.choice(_CONVERT[valtype])
            if "trunc_f" in name and rng.random() < 0.95:
                name = name.replace("trunc_f", "trunc_sat_f")
            return f"({name} {self.expression(source, depth - 1)})"
        if choice < 0.70 and valtype in INT:
            return f"({rng.choice(_LOADS[valtype])} {self.offset()} {self.address(depth - 1)})"
        if choice < 0.70:
            return f"({valtype}.load {self.offset()} {self.address(depth - 1)})" if valtype == "f64" else self.constant(valtype)
        if choice < 0.76:
            yes, no = self.expression(valtype, depth - 1), self.expression(valtype, depth - 1)
            return f"(select {yes} {no} {self.condition(depth - 1)})"
        if choice < 0.82:
            return f"(local.tee {self.local(valtype)} {self.expression(valtype, depth - 1)})"
        if choice < 0.88:
            return self.call(valtype, depth)
        if choice < 0.94:
            return (
                f"(if (result {valtype}) {self.condition(depth - 1)} (then {self.valued(valtype, depth - 1)}) "
                f"(else {self.valued(valtype, depth - 1)}))"
            )
        return self.block_expression(valtype, depth)

    def valued(self, valtype: str, depth: int) -> str:
        """A sequence that leaves one value."""
        body = self.statements(depth - 1) if self.rng.random() < 0.3 else ""
        return f"{body} {self.expression(valtype, depth)}"

    def block_expression(self, valtype: str, depth: int) -> str:
        label = self.open((valtype,))
        body = self.statements(depth - 1)
        exits = ""
        if self.rng.random() < 0.6:
            exits = f"(drop (br_if {label.name} {self.expression(valtype, depth - 1)} {self.condition(depth - 1)}))"
        text = f"(block {label.name} (result {valtype}) {body} {exits} {self.expression(valtype, depth - 1)})"
        self.labels.pop()
        return text

    def comparison(self, depth: int) -> str:
        valtype = self.rng.choice(TYPES)
        name = self.rng.choice(_COMPARE["int" if valtype in INT else "float"])
        if valtype in INT and self.rng.random() < 0.15:
            return f"({valtype}.eqz {self.expression(valtype, depth - 1)})"
        return f"({valtype}.{name} {self.expression(valtype, depth - 1)} {self.expression(valtype, depth - 1)})"

    def condition(self, depth: int) -> str:
        return self.comparison(depth) if self.rng.random() < 0.7 else self.expression("i32", depth)

    def offset(self) -> str:
        return f"offset={self.rng.choice((0, 0, 0, 1, 4, 8, 100, 1000, 30001, 61435))}" if self.rng.random() < 0.7 else ""

    def address(self, depth: int) -> str:
        """Mostly inside of the memory."""
        value = self.expression("i32", depth)
        return value if self.rng.random() < 0.01 else f"(i32.and {value} (i32.const {self.rng.choice((0xFF, 0xFFF, 0xFFFC))}))"

    def call(self, valtype: str, depth: int) -> str:
        """A later function, directly or through the table, or itself with a smaller argument."""
        rng = self.rng
        later = [i for i in range(self.index + 1, len(self.signatures)) if self.signatures[i] == (valtype,)]
        arguments = " ".join(self.expression("i32", depth - 2) for _ in range(_PARAMS - 1))
        if later and rng.random() < 0.7:
            callee = rng.choice(later)
            first = self.expression("i32", depth - 2)
            if rng.random() < 0.4:
                index = callee if rng.random() < 0.95 else rng.randrange(20)
                return f"(call_indirect (type $t_{valtype}) {first} {arguments} (i32.const {index}))"
            return f"(call $f{callee} {first} {arguments})"
        if self.result == (valtype,) and rng.random() < 0.5:
            smaller = "(i32.sub (i32.and (local.get $depth) (i32.const 3)) (i32.const 1))"
            return (
                f"(if (result {valtype}) (i32.gt_s (i32.and (local.get $depth) (i32.const 3)) (i32.const 0)) "
                f"(then (call $f{self.index} {smaller} {arguments})) (else {self.constant(valtype)}))"
            )
        return self.constant(valtype)

    # ---- statements

    def open(self, types: tuple[str, ...]) -> _Label:
        self.names += 1
        label = _Label(f"$b{self.names}", types)
        self.labels.append(label)
        return label

    def statements(self, depth: int) -> str:
        count = self.rng.choice((1, 1, 2, 3, 4))
        return " ".join(self.statement(depth) for _ in range(count) if self.budget > 0)

    def statement(self, depth: int) -> str:
        rng = self.rng
        self.budget -= 1
        choice = rng.random()
        if depth <= 0 or choice < 0.30:
            valtype = rng.choice(TYPES)
            return f"(local.set {self.local(valtype)} {self.expression(valtype, 3)})"
        if choice < 0.42:
            valtype = rng.choice(INT)
            return f"({rng.choice(_STORES[valtype])} {self.offset()} {self.address(2)} {self.expression(valtype, 3)})"
        if choice < 0.46:
            return f"(f32.store {self.address(2)} {self.canonical('f32')})"
        if choice < 0.50:
            valtype = rng.choice(TYPES)
            return f"(global.set $g_{valtype} {self.canonical(valtype)})"
        if choice < 0.62:
            other = f"(else {self.statements(depth - 1)})" if rng.random() < 0.5 else ""
            return f"(if {self.condition(2)} (then {self.statements(depth - 1)}) {other})"
        if choice < 0.72:
            label = self.open(())
            text = f"(block {label.name} {self.statements(depth - 1)})"
            self.labels.pop()
            return text
        if choice < 0.80:
            return self.loop(depth)
        if choice < 0.86:
            return self.branch()
        if choice < 0.91:
            return self.switch(depth)
        if choice < 0.95:
            return self.try_table(depth) if self.exceptions else self.loop(depth)
        if choice < 0.97:
            return f"(if {self.condition(2)} (then {self.leave()}))"
        return f"(drop {self.expression(rng.choice(TYPES), 3)})"

    def canonical(self, valtype: str) -> str:
        """A value whose NaN, if it is one, has known bits."""
        value = self.expression(valtype, 3)
        return value if valtype in INT else self.number(valtype, value)

    def number(self, valtype: str, value: str) -> str:
        """The value, or -1 for a NaN."""
        kept = f"${valtype}_7"
        return f"(select (local.tee {kept} {value}) ({valtype}.const -1) ({valtype}.eq (local.get {kept}) (local.get {kept})))"

    def loop(self, depth: int) -> str:
        """A loop that turns a few times; its counter is a local that nothing else writes."""
        self.counters += 1
        counter = f"$c{self.counters}"
        label = self.open(())
        body = self.statements(depth - 1)
        again = self.condition(1) if self.rng.random() < 0.4 else "(i32.const 1)"
        text = (
            f"(local.set {counter} (i32.const {self.rng.choice((1, 2, 5))})) (loop {label.name} "
            f"(local.set {counter} (i32.sub (local.get {counter}) (i32.const 1))) "
            f"(if (i32.ge_s (local.get {counter}) (i32.const 0)) (then {body} "
            f"(br_if {label.name} (i32.and {again} (i32.gt_s (local.get {counter}) (i32.const 0)))))))"
        )
        self.labels.pop()
        return text

    def branch(self) -> str:
        """A branch outwards; into a loop again only as long as it counts."""
        labels = [label for label in self.labels if not label.types]
        if not labels:
            return "(nop)"
        label = self.rng.choice(labels)
        return f"(br_if {label.name} {self.condition(2)})"

    def switch(self, depth: int) -> str:
        """Blocks that begin in one place and a br_table: what compilers make of `switch`, with and without falling through."""
        count = self.rng.choice((2, 3, 5, 9))
        labels = [self.open(()) for _ in range(count)]
        targets = " ".join(self.rng.choice(labels).name for _ in range(self.rng.choice((1, 3, count, 20))))
        text = f"(br_table {targets} {self.rng.choice(labels).name} {self.expression('i32', 2)})"
        for label in reversed(labels):
            self.labels.pop()
            text = f"(block {label.name} {text})"
            if self.rng.random() < 0.8:
                text += f" {self.statements(depth - 2)}"
            if len(self.labels) and self.rng.random() < 0.5 and not self.labels[-1].types:
                text += f" (br {self.labels[-1].name})" if self.labels[-1] in labels else ""
        return text

    def try_table(self, depth: int) -> str:
        handler, done = self.open(("i32",)), self.open(())
        body = self.statements(depth - 1)
        if self.rng.random() < 0.6:
            body += f" (if {self.condition(1)} (then (throw $e {self.expression('i32', 2)})))"
        self.labels.pop()
        self.labels.pop()
        catch_all = f"(catch_all {done.name})" if self.rng.random() < 0.3 else ""
        return (
            f"(block {done.name} (local.set {self.local('i32')} (block {handler.name} (result i32) "
            f"(try_table (catch $e {handler.name}) {catch_all} {body}) (br {done.name}))))"
        )

    def leave(self) -> str:
        rng = self.rng
        choice = rng.random()
        if choice < 0.03:
            return "(unreachable)"
        if choice < 0.2 and self.exceptions:
            return f"(throw $e {self.expression('i32', 1)})"
        later = [i for i in range(self.index + 1, len(self.signatures)) if self.signatures[i] == self.result]
        if later and choice < 0.5:
            return f"(return_call $f{rng.choice(later)} {' '.join(self.expression('i32', 1) for _ in range(_PARAMS))})"
        return f"(return {' '.join(self.expression(valtype, 2) for valtype in self.result)})"

    def text(self) -> str:
        body = self.statements(5)
        while self.budget > 30:
            body += self.statements(5)
        results = " ".join(self.expression(valtype, 3) for valtype in self.result)
        parameters = " ".join(f"(param $p{i} i32)" for i in range(1, _PARAMS))
        declared = " ".join(f"(local ${valtype}_{i} {valtype})" for valtype in TYPES for i in range(_LOCALS))
        counters = " ".join(f"(local $c{i} i32)" for i in range(1, self.counters + 1))
        return (
            f'(func $f{self.index} (export "f{self.index}") (param $depth i32) {parameters} (result {" ".join(self.result)}) '
            f"(local $p0 i32) {declared} {counters} {body} {results})"
        )


def generate(rng: Random, *, exceptions: bool = True) -> str:
    """The text of a module; it exports its functions (three i32 parameters each), its memory and its globals."""
    signatures = [rng.choice([("i32",), ("i64",), ("f32",), ("f64",), ("i32",), ("i32", "i64")]) for _ in range(_FUNCTIONS)]
    functions = "\n".join(FunctionGenerator(rng, i, signatures, exceptions).text() for i in range(_FUNCTIONS))
    types = " ".join(f"(type $t_{valtype} (func (param i32 i32 i32) (result {valtype})))" for valtype in TYPES)
    exports = {valtype: f'(export "g_{valtype}")' if rng.random() < 0.5 else "" for valtype in TYPES}
    globals_ = " ".join(f"(global $g_{valtype} {exports[valtype]} (mut {valtype}) ({valtype}.const 1))" for valtype in TYPES)
    elements = " ".join(f"$f{i}" for i in range(_FUNCTIONS))
    tag = "(tag $e (param i32))" if exceptions else ""
    return (
        f'(module {types} {tag} (memory (export "memory") 1) (data (i32.const 0) "{"abcdefgh" * 8}")\n'
        f"{globals_} (table 12 funcref) (elem (i32.const 0) {elements})\n{functions})"
    )
