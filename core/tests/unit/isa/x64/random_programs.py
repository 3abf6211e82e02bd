"""Random functions in the text format: nested blocks, loops that end, branches with and without values, calls, many locals."""

from __future__ import annotations

import random
from typing import Final

_BINARY: Final = {
    "i32": ("add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"),
    "i64": ("add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"),
    "f64": ("add", "sub", "mul"),
}
_COMPARES: Final = {
    "i32": ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"),
    "i64": ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"),
    "f64": ("eq", "ne", "lt", "gt", "le", "ge"),
}
_TYPES: Final = ("i32", "i64", "f64")
_CONSTANTS: Final = (0, 1, 2, 3, 8, 31, 127, 128, 255, 65535, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000)


class Generator:
    """One random function `run` of (i32 i64 i32) -> i64, and a helper that it calls."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.locals = {kind: [f"${kind}{i}" for i in range(self.random.randint(2, 9))] for kind in _TYPES}
        self.depth = 0
        self.fuel = 220
        self.labels: list[str | None] = []  # type of the value that a branch to the label carries, None for a loop's

    def module(self) -> str:
        declared = " ".join(f"(local {name} {kind})" for kind in _TYPES for name in self.locals[kind])
        body = " ".join(self.statement() for _ in range(self.random.randint(3, 9)))
        mix = "(local.get 1)"
        for kind in _TYPES:
            for name in self.locals[kind]:
                value = {"i32": f"(i64.extend_i32_u (local.get {name}))", "i64": f"(local.get {name})"}.get(
                    kind, f"(i64.trunc_sat_f64_s (local.get {name}))"
                )
                mix = f"(i64.xor (i64.rotl {mix} (i64.const 7)) {value})"
        return (
            "(module (memory 1) "
            "(func $mix (param i32 i64 f64 i32 i32 i32 i64 i32) (result i64) "
            "(i64.add (i64.mul (local.get 1) (i64.const 31)) (i64.xor (i64.extend_i32_s (i32.sub (local.get 0) (local.get 7))) "
            "(i64.add (i64.trunc_sat_f64_s (local.get 2)) (local.get 6))))) "
            "(func $pair (param i32 f64) (result f64 i32 i64) (f64.add (local.get 1) (f64.const 1.5)) "
            "(i32.mul (local.get 0) (i32.const 3)) "
            "(i64.extend_i32_s (local.get 0))) "
            f'(func (export "run") (param i32 i64 i32) (result i64) (local $turns i32) {declared} {body} {mix}))'
        )

    def pick(self, kind: str) -> str:
        extra = {"i32": ["0", "2"], "i64": ["1"]}.get(kind, [])
        return self.random.choice(self.locals[kind] + extra)

    def expression(self, kind: str, depth: int = 0) -> str:
        r = self.random
        self.fuel -= 1
        choice = r.random()
        if depth > 3 or self.fuel < 0 or choice < 0.3:
            if r.random() < 0.3:
                constant = r.choice(_CONSTANTS)
                return f"({kind}.const {constant if kind != 'f64' else constant / 4})"
            return f"(local.get {self.pick(kind)})"
        x, y = self.expression(kind, depth + 1), self.expression(kind, depth + 1)
        if choice < 0.62:
            return f"({kind}.{r.choice(_BINARY[kind])} {x} {y})"
        if choice < 0.7:
            return f"(select {x} {y} {self.condition(depth + 1)})"
        if choice < 0.78:
            address = f"(i32.and {self.expression('i32', depth + 1)} (i32.const 0x3ff))"
            if kind == "f64":
                return f"(f64.convert_i32_s (i32.load16_s offset={r.choice((0, 4, 200))} {address}))"
            return f"({kind}.{r.choice(('load', 'load8_u', 'load8_s', 'load16_u', 'load16_s'))} offset={r.choice((0, 4, 200))} {address})"
        if choice < 0.84 and kind == "i64":
            args = " ".join(self.expression(t, depth + 2) for t in ("i32", "i64", "f64", "i32", "i32", "i32", "i64", "i32"))
            return f"(call $mix {args})"
        if choice < 0.9:
            return f"(if (result {kind}) {self.condition(depth + 1)} (then {x}) (else {y}))"
        if choice < 0.95:
            self.labels.append(kind)
            inner = f"(block (result {kind}) (drop (br_if 0 {x} {self.condition(depth + 1)})) {y})"
            self.labels.pop()
            return inner
        if kind == "i32":
            return self.condition(depth + 1)
        if kind == "i64":
            return f"(i64.extend_i32_{r.choice('su')} {self.expression('i32', depth + 1)})"
        return f"(f64.convert_i32_{r.choice('su')} {self.expression('i32', depth + 1)})"

    def condition(self, depth: int = 0) -> str:
        kind = self.random.choice(_TYPES)
        if self.random.random() < 0.2:
            return f"(i32.eqz {self.expression('i32', depth + 1)})"
        if self.random.random() < 0.2:
            return f"(i32.and {self.expression('i32', depth + 1)} (i32.const {self.random.choice(_CONSTANTS)}))"
        return f"({kind}.{self.random.choice(_COMPARES[kind])} {self.expression(kind, depth + 1)} {self.expression(kind, depth + 1)})"

    def statements(self) -> str:
        return " ".join(self.statement() for _ in range(self.random.randint(1, 4)))

    def statement(self) -> str:
        r = self.random
        choice = r.random()
        kind = r.choice(_TYPES)
        if self.depth > 3 or self.fuel < 0 or choice < 0.45:
            return f"(local.set {r.choice(self.locals[kind])} {self.expression(kind)})"
        if choice < 0.55:
            address = f"(i32.and {self.expression('i32')} (i32.const 0x3ff))"
            if kind == "f64":
                return f"(i64.store {address} (i64.trunc_sat_f64_s {self.expression('f64')}))"
            return f"({kind}.{r.choice(('store', 'store8', 'store16'))} offset={r.choice((0, 8))} {address} {self.expression(kind)})"
        if choice < 0.6:
            f, i, j = r.choice(self.locals["f64"]), r.choice(self.locals["i32"]), r.choice(self.locals["i64"])
            call = f"(call $pair {self.expression('i32')} {self.expression('f64')})"
            return f"{call} (local.set {j}) (local.set {i}) (local.set {f})"
        self.depth += 1
        if choice < 0.72:
            text = f"(if {self.condition()} (then {self.statements()}) (else {self.statements()}))"
        elif choice < 0.8:
            text = f"(block {self.statements()} (br_if 0 {self.condition()}) {self.statements()})"
        elif choice < 0.88:
            index = f"(i32.and {self.expression('i32')} (i32.const 3))"
            text = f"(block (block (block (br_table 0 1 2 {index})) {self.statements()} (br 1)) {self.statements()})"
        else:
            body = self.statements()
            text = (
                f"(local.set $turns (i32.const {r.randint(1, 5)})) (loop {body} "
                "(local.set $turns (i32.sub (local.get $turns) (i32.const 1))) (br_if 0 (i32.gt_s (local.get $turns) (i32.const 0))))"
            )
        self.depth -= 1
        return text
