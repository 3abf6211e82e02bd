"""Random modules about exceptions: nested `try`s of both forms with throws, rethrows, loops, branches and many locals, in some functions.

Every function takes (i32, i64, f64) and gives an i64 that depends on all of its locals. Functions call only those behind them, and every
function and every turn of a loop counts, so that a module ends by itself.
"""

from __future__ import annotations

from random import Random
from typing import Final, final

TAGS: Final[tuple[tuple[str, ...], ...]] = (
    (), ("i32",), ("i64", "f64", "i32"), ("f32", "i64", "i32", "i32", "i32", "i32", "i32", "f64"), ("i64", "i64"),
)  # fmt: skip
_TURNS: Final = 3000
_TYPES: Final = ("i32", "i64", "f64")


def _constant(kind: str, number: int) -> str:
    return f"({kind}.const {number})"


@final
class Throwing:
    """One module. `legacy`: the older form instead of `try_table`."""

    def __init__(self, rng: Random, *, legacy: bool = False, functions: int = 5) -> None:
        self.rng, self.legacy, self.functions = rng, legacy, functions
        self.function = self.blocks = self.left = 0
        self.labels: list[str] = []
        self.catches: list[str] = []
        """Labels of the `try`s in whose catch the present place is."""

    def text(self) -> str:
        tags = " ".join(f"(tag $t{i} {' '.join(f'(param {kind})' for kind in tag)})" for i, tag in enumerate(TAGS))
        bodies = "\n".join(self._function(index) for index in range(self.functions))
        table = " ".join(f"$f{index}" for index in range(self.functions))
        return (
            f"(module {tags} (type $f (func (param i32 i64 f64) (result i64))) (global $turns (mut i32) (i32.const {_TURNS}))\n"
            '(global $seen (export "seen") (mut i64) (i64.const 0)) (table funcref (elem '
            f"{table})) (func $turn (if (i32.eqz (global.get $turns)) (then unreachable)) (global.set $turns (i32.sub (global.get $turns) "
            f'(i32.const 1)))) (func (export "reset") (global.set $turns (i32.const {_TURNS})))\n'
            "(func $see (param i64) (global.set $seen (i64.add (i64.mul (global.get $seen) (i64.const 31)) (local.get 0))))\n"
            f"{bodies})"
        )

    def _function(self, index: int) -> str:
        self.function, self.left = index, 40
        self.counts = {kind: self.rng.randint(1, 6) for kind in _TYPES}
        declared = " ".join(f"(local $l{kind}{i} {kind})" for kind in _TYPES for i in range(self.counts[kind]))
        body = " ".join(self._statement(0) for _ in range(self.rng.randint(2, 6)))
        mix = "(local.get 1)"
        for kind in _TYPES:
            for i in range(self.counts[kind]):
                wide = {"i32": "(i64.extend_i32_s {})", "i64": "{}", "f64": "(i64.trunc_sat_f64_s {})"}[kind]
                one = wide.format(f"(local.get $l{kind}{i})")
                mix = f"(i64.xor (i64.rotl {mix} (i64.const 5)) {one})"
        held = "" if self.legacy else "(local $held exnref)"
        return f'(func $f{index} (export "f{index}") (type $f) {declared} {held} (call $turn) {body} {mix})'

    def _local(self, kind: str) -> str:
        parameter = str(_TYPES.index(kind))
        return self.rng.choice([parameter, *(f"$l{kind}{i}" for i in range(self.counts[kind]))])

    def _value(self, kind: str, depth: int = 0) -> str:
        roll = self.rng.random()
        if roll < 0.2 or depth > 2:
            return _constant(kind, self.rng.choice((0, 1, 2, 3, 7, -1, 100)))
        if roll < 0.55:
            return f"(local.get {self._local(kind)})"
        if roll < 0.75 or kind == "f64" or self.left <= 0:
            return f"({kind}.{self.rng.choice(('add', 'sub', 'mul'))} {self._value(kind, depth + 1)} {self._value(kind, depth + 1)})"
        if kind == "i32":
            return f"(i32.wrap_i64 {self._value('i64', depth + 1)})"
        return self._call(depth + 1)

    def _call(self, depth: int) -> str:
        if self.function + 1 >= self.functions:
            return f"(i64.extend_i32_u {self._value('i32', depth)})"
        self.left -= 1
        target = self.rng.randint(self.function + 1, self.functions - 1)
        arguments = " ".join(self._value(kind, depth + 1) for kind in _TYPES)
        if self.rng.random() < 0.3:
            return f"(call_indirect (type $f) {arguments} (i32.const {target}))"
        return f"(call $f{target} {arguments})"

    def _throw(self) -> str:
        tag = self.rng.randrange(len(TAGS))
        values = " ".join("(f32.const 1.5)" if kind == "f32" else self._value(kind, 1) for kind in TAGS[tag])
        return f"(throw $t{tag} {values})"

    def _statement(self, depth: int) -> str:
        self.left -= 1
        kind = self.rng.choice(_TYPES)
        if self.left <= 0 or depth > 5:
            return f"(local.set {self._local(kind)} {self._value(kind)})"
        roll = self.rng.random()
        if roll < 0.25:
            return f"(local.set {self._local(kind)} {self._value(kind)})"
        if roll < 0.35:
            return f"(local.set {self._local('i64')} {self._call(0)})"
        if roll < 0.42:
            return f"(call $see {self._value('i64')})"
        if roll < 0.52:
            return f"(if {self._value('i32')} (then {self._leave()}))"
        if roll < 0.60:
            otherwise = f"(else {self._body(depth)})" if self.rng.random() < 0.5 else ""
            return f"(if {self._value('i32')} (then {self._body(depth)}) {otherwise})"
        if roll < 0.68:
            label = self._open()
            again = f"(br_if {label} {self._value('i32')})"
            return f"(loop {label} (call $turn) {self._closing(self._body(depth))} {again})"
        return self._older_try(depth) if self.legacy else self._try_table(depth)

    def _leave(self) -> str:
        """What ends the present block, one way or another."""
        roll = self.rng.random()
        if roll < 0.6 or not self.labels:
            return self._throw()
        if self.catches and roll < 0.75:
            return f"(rethrow {self.rng.choice(self.catches)})"
        if not self.legacy and roll < 0.75:
            return "(if (i32.eqz (ref.is_null (local.get $held))) (then (throw_ref (local.get $held))))"
        if roll < 0.8:
            return f"(return {self._value('i64')})"
        if roll < 0.83:
            return "unreachable"
        return f"(br {self.rng.choice([label for label in self.labels if label not in self.catches] or self.labels)})"

    def _open(self) -> str:
        self.blocks += 1
        label = f"$b{self.blocks}"
        self.labels.append(label)
        return label

    def _closing(self, body: str) -> str:
        self.labels.pop()
        return body

    def _body(self, depth: int) -> str:
        return " ".join(self._statement(depth + 1) for _ in range(self.rng.randint(1, 3)))

    def _take(self, types: tuple[str, ...]) -> str:
        """Put operands into locals, the last first."""
        taken = []
        for kind in reversed(types):
            if kind == "exnref":
                taken.append("(local.set $held)")
            elif kind == "f32":
                taken.append(f"(f64.promote_f32) (local.set {self._local('f64')})")
            else:
                taken.append(f"(local.set {self._local(kind)})")
        return " ".join(taken)

    def _try_table(self, depth: int) -> str:
        done, body, opened = self._open(), "", []
        clauses = []
        for _ in range(self.rng.randint(0, 3)):
            tag = self.rng.randrange(len(TAGS) + 1)
            types = TAGS[tag] if tag < len(TAGS) else ()
            with_reference = self.rng.random() < 0.4
            self.blocks += 1
            label = f"$b{self.blocks}"  # a branch to it would need values
            opened.append((label, (*types, "exnref") if with_reference else types))
            name = "catch_all" if tag == len(TAGS) else "catch"
            clauses.append(f"({name}{'_ref' if with_reference else ''} {f'$t{tag}' if tag < len(TAGS) else ''} {label})")
        inner = self._open()
        body = f"(try_table {inner} {' '.join(clauses)} {self._body(depth)}) (br {done})"
        self.labels.pop()
        for label, types in reversed(opened):
            results = f"(result {' '.join(types)})" if types else ""
            body = f"(block {label} {results} {body}) {self._take(types)} {self._body(depth)} (br {done})"
        self.labels.pop()
        return f"(block {done} {body})"

    def _older_try(self, depth: int) -> str:
        label = self._open()
        tried = self._body(depth)
        if self.rng.random() < 0.2:
            # a delegate counts from outside of its try: 0 is the block around it
            target = self.rng.randint(0, 1)
            self.labels.pop()
            return f"(block (try {label} (do {tried}) (delegate {target})))"
        arms = ""
        self.catches.append(label)
        for _ in range(self.rng.randint(0, 3)):
            tag = self.rng.randrange(len(TAGS))
            arms += f" (catch $t{tag} {self._take(TAGS[tag])} {self._body(depth)})"
        if self.rng.random() < 0.5:
            arms += f" (catch_all {self._body(depth)})"
        self.catches.pop()
        self.labels.pop()
        return f"(try {label} (do {tried}) {arms})"
