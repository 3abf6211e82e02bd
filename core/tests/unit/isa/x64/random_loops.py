"""Random functions in the text format with loops in each other and more values than registers: counters that are tested at the head
and at the end, values that a loop does not change or does not use, selects by one condition, floats and vectors beside integers."""

from __future__ import annotations

from random import Random
from typing import Final

LOCALS: Final = {"i32": ("$a", "$b", "$c", "$d", "$e"), "i64": ("$l", "$m", "$o"), "f64": ("$x", "$y", "$z"), "v128": ("$v", "$w")}
_INTEGER: Final = ("add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl")
_COMPARES: Final = ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u")
_FLOAT_COMPARES: Final = ("eq", "ne", "lt", "gt", "le", "ge")
# By type: templates whose braces are operands of the type in them. Addresses stay in the first KiB.
_EXPRESSIONS: Final = {
    "i32": (
        *(f"(i32.{name} {{i32}} {{i32}})" for name in _INTEGER), *(f"(i32.{name} {{i32}} {{i32}})" for name in _COMPARES[2:6]),
        *(f"(f64.{name} {{f64}} {{f64}})" for name in _FLOAT_COMPARES[2:5]), "(i64.lt_u {i64} {i64})", "(i32.wrap_i64 {i64})",
        "(i32.eqz {i32})", "(i32.load8_u offset=4 (i32.and {i32} (i32.const 1020)))", "(i32.load (i32.and {i32} (i32.const 1020)))",
        "(i32.trunc_sat_f64_s {f64})", "(i32x4.extract_lane 2 {v128})", "(select {i32} {i32} {i32})", "(i32.div_u {i32} (i32.const 7))",
        "(i32.rem_s {i32} (i32.const 10))", "(i32.popcnt {i32})",
    ),
    "i64": (
        *(f"(i64.{name} {{i64}} {{i64}})" for name in _INTEGER), "(i64.extend_i32_s {i32})", "(i64.extend_i32_u {i32})",
        "(i64.load offset=8 (i32.and {i32} (i32.const 1008)))", "(select {i64} {i64} {i32})", "(i64.rem_u {i64} (i64.const 1000))",
    ),
    "f64": (
        *(f"(f64.{name} {{f64}} {{f64}})" for name in ("add", "sub", "mul", "div", "min", "max")), "(f64.convert_i32_s {i32})",
        "(f64.convert_i64_s {i64})", "(select {f64} {f64} {i32})", "(f64.sqrt (f64.abs {f64}))",
        "(select (local.get $x) (local.get $y) (f64.lt (local.get $x) (local.get $y)))",
        "(select (local.get $y) (local.get $z) (f64.lt (local.get $z) (local.get $y)))",
    ),
    "v128": (
        "(i32x4.add {v128} {v128})", "(i32x4.mul {v128} {v128})", "(i32x4.splat {i32})", "(i8x16.splat {i32})", "(v128.xor {v128} {v128})",
        "(v128.bitselect {v128} {v128} {v128})",
    ),
}  # fmt: skip
_CONSTANTS: Final = {
    "i32": ("0", "1", "2", "7", "-1", "255", "65535", "1531483048"), "i64": ("0", "1", "3", "-1", "123456789012"),
    "f64": ("0", "1", "0.5", "-2", "1e10"), "v128": ("i32x4 1 2 3 4", "i64x2 -1 77"),
}  # fmt: skip


class LoopGenerator:
    """One module with `run(i32, i32, i64) -> i64`, the same for the same seed."""

    def __init__(self, seed: int, vectors: bool = True) -> None:
        self._random = Random(seed)
        self._locals = {valtype: names for valtype, names in LOCALS.items() if vectors or valtype != "v128"}
        self._labels = 0
        self._counters: list[str] = []

    def module(self) -> str:
        body = " ".join(self._statements(3) for _ in range(3))
        counters = " ".join(f"(local $k{depth} i32)" for depth in range(1, 4))
        declared = " ".join(f"(local {name} {valtype})" for valtype, names in LOCALS.items() for name in names if name not in "$a $b $l")
        return f"""(module (memory 1)
          (func (export "run") (param $a i32) (param $b i32) (param $l i64) (result i64) {declared} {counters} (local $q i32)
            {body}
            (loop (local.set $m (i64.add (i64.mul (local.get $m) (i64.const 31)) (i64.load (local.get $q))))
              (br_if 0 (i32.lt_u (local.tee $q (i32.add (local.get $q) (i32.const 8))) (i32.const 1040))))
            (i64.xor (i64.xor (i64.add (local.get $m) (i64.extend_i32_s (local.get $c))) (i64.mul (local.get $o) (i64.const 3)))
              (i64.xor (i64.extend_i32_u (i32.xor (local.get $d) (i32.mul (local.get $e) (i32.const 5))))
                (i64.xor (i64.xor (i64.trunc_sat_f64_s (local.get $y)) (i64.trunc_sat_f64_s (local.get $z)))
                  (i64.xor (i64x2.extract_lane 0 (local.get $v)) (i64x2.extract_lane 1 (local.get $w))))))))"""

    def _expression(self, valtype: str, depth: int) -> str:
        random = self._random
        if depth <= 0 or random.random() < 0.25:
            if random.random() < 0.3:
                return f"({valtype}.const {random.choice(_CONSTANTS[valtype])})"
            return f"(local.get {random.choice([*self._locals[valtype], *(self._counters if valtype == 'i32' else [])])})"
        made = random.choice([template for template in _EXPRESSIONS[valtype] if "v128" in self._locals or "{v128}" not in template])
        for operand in LOCALS:
            while f"{{{operand}}}" in made:
                made = made.replace(f"{{{operand}}}", self._expression(operand, depth - 1), 1)
        return made

    def _assignment(self, depth: int) -> str:
        valtype = self._random.choice(("i32", *self._locals))
        return f"(local.set {self._random.choice(self._locals[valtype])} {self._expression(valtype, depth)})"

    def _statements(self, depth: int) -> str:
        return " ".join(self._statement(depth) for _ in range(self._random.randint(1, 4)))

    def _statement(self, depth: int) -> str:
        random = self._random
        kind = random.random()
        if depth <= 0 or kind < 0.45:
            return self._assignment(3)
        if kind < 0.55:
            width = random.choice(("", "8", "16"))
            return f"(i32.store{width} (i32.and {self._expression('i32', 2)} (i32.const 1020)) {self._expression('i32', 2)})"
        if kind < 0.75:
            return f"(if {self._expression('i32', 2)} (then {self._statements(depth - 1)}) (else {self._statements(depth - 1)}))"
        return self._loop(depth)

    def _loop(self, depth: int) -> str:
        random = self._random
        self._labels += 1
        out, back, counter = f"$out{self._labels}", f"$back{self._labels}", f"$k{depth}"
        first, limit, sign = random.randint(0, 3), random.randint(3, 9), random.choice("su")
        self._counters.append(counter)
        body = self._statements(depth - 1)
        self._counters.pop()
        up = f"(local.set {counter} (i32.add (local.get {counter}) (i32.const {random.choice((1, 2))})))"
        start = f"(local.set {counter} (i32.const {first}))"
        shape = random.randrange(5)
        if shape == 0:
            test = f"(br_if {out} (i32.ge_{sign} (local.get {counter}) (i32.const {limit})))"
            return f"{start} (block {out} (loop {back} {test} {body} {up} (br {back})))"
        if shape == 1:
            down = f"(local.tee {counter} (i32.sub (local.get {counter}) (i32.const 1)))"
            return f"(local.set {counter} (i32.const {limit})) (loop {back} {body} (br_if {back} {down}))"
        if shape == 2:
            start = f"(local.set {counter} (i32.and {self._expression('i32', 1)} (i32.const 7)))"
            return f"{start} (loop {back} {body} {up} (br_if {back} (i32.lt_{sign} (local.get {counter}) (i32.const {limit}))))"
        if shape == 3:  # both loops end where the way out begins
            again = f"(br_if {back} (i32.lt_{sign} (local.get {counter}) (i32.const {limit})))"
            return f"{start} (block {out} (loop {back} (loop {body} {up} {again} (br {out}))))"
        test = f"(br_if {out} (i32.eqz (i32.le_u (local.get {counter}) (i32.const {limit}))))"
        leave = f"(br_if {out} (i32.eq {self._expression('i32', 1)} (i32.const 77)))"
        return f"{start} (block {out} (loop {back} {test} {body} {leave} {up} (br {back})))"
