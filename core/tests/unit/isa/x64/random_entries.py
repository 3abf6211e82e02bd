"""Random functions whose only way to the end leads out of one loop: at every place where that loop can be left to, operands and some
of the locals are written to memory, so that the same can be asked of the loop's own code.

Memory: what the loop reads and writes is in the first KiB; then the locals at its head, the operands there, and behind them what comes
out: the number of the way out, the operands of it and the locals. A value takes 16 bytes everywhere. References are null or not.
"""

from __future__ import annotations

from typing import Final

from core.tests.unit.isa.x64.random_loops import LoopGenerator

VALUE_BYTES: Final = 16
LOCALS_AT: Final = 4096
OPERANDS_AT: Final = 8192
NUMBER_OUT: Final = 10240
OPERANDS_OUT: Final = 12288
LOCALS_OUT: Final = 16384
_TYPES: Final = ("i32", "i32", "i64", "f32", "f64", "v128", "funcref")
_MORE_LOCALS: Final = {"f32": ("$p", "$r"), "funcref": ("$s", "$t")}
_TURNS: Final = 6


class EntryGenerator(LoopGenerator):
    """One module with `run()`; `locals` are the types of the locals, `operands` and `labels` those that the loop's head and each label
    around it take. Without `vectors` a slot has 8 bytes."""

    def __init__(self, seed: int, vectors: bool) -> None:
        super().__init__(seed, vectors)
        random = self._random
        self._names = [(name, valtype) for valtype, names in (*self._locals.items(), *_MORE_LOCALS.items()) for name in names]
        self._names += [(f"$k{depth}", "i32") for depth in range(1, 4)]
        self._names.append(("$turns", "i32"))
        random.shuffle(self._names)
        self.labels = [self._some_types() for _ in range(random.randint(1, 5))]
        self._loops = [False] + [random.random() < 0.3 for _ in self.labels[1:]]
        self.operands = self._some_types()
        self._results = self._some_types()
        self.locals = [valtype for _, valtype in self._names]
        self.seen: dict[int, list[int]] = {0: []}
        """By the number of the way out: locals that are read there."""

    @property
    def loops_around(self) -> int:
        return sum(self._loops)

    def carried(self, number: int) -> list[str]:
        """The types of the operands on a way out."""
        return [*self.labels, self._results][number]

    def _some_types(self) -> list[str]:
        count = self._random.choice((0, 0, 1, 1, 2, 3))
        types = [valtype for valtype in _TYPES if valtype != "v128" or "v128" in self._locals]
        return [self._random.choice(types) for _ in range(count)]

    def module(self) -> str:
        declared = " ".join(f"(local {name} {valtype})" for name, valtype in self._names)
        kept = " ".join(
            f"(local $out{number}_{position} {valtype})"
            for number, types in enumerate([*self.labels, self._results])
            for position, valtype in enumerate(types)
        )
        results = " ".join(self.labels[0])
        loads = " ".join(f"(local.set {name} {_load(valtype, LOCALS_AT, at)})" for at, (name, valtype) in enumerate(self._names))
        dumps = " ".join(
            _store(valtype, OPERANDS_OUT, position, f"(local.get $out0_{position})") for position, valtype in enumerate(self.labels[0])
        )
        takes = " ".join(f"(local.set $out0_{position})" for position in reversed(range(len(self.labels[0]))))
        outs = " ".join(f"(local $out0_{position} {valtype})" for position, valtype in enumerate(self.labels[0]))
        return f"""(module (memory (export "memory") 1) (table 2 funcref) (elem (i32.const 1) $other)
          (global $entered (mut i32) (i32.const 0))
          (func $other (param i32 i64) (result i32)
            (i32.store (i32.const 512) (i32.add (local.get 0) (i32.load (i32.const 512))))
            (i32.xor (local.get 0) (i32.wrap_i64 (local.get 1))))
          (func $f (result {results}) {declared} {kept} {loads} {self._around(1)})
          (func (export "run") {outs} (call $f) {takes}
            (if (i32.eqz (i32.load (i32.const {NUMBER_OUT}))) (then {dumps}))))"""

    def _around(self, number: int) -> str:
        """From the label of this number inwards, and what is behind it; control never comes to what follows."""
        if number == len(self.labels):
            entry = " ".join(_load(valtype, OPERANDS_AT, at) for at, valtype in enumerate(self.operands))
            signature = f"(param {' '.join(self.operands)}) (result {' '.join(self._results)})"
            return f"{entry} (loop $L {signature} {self._region()}) {self._out(number, self._results)}"
        types, label = self.labels[number], f"$l{number}"
        inside = self._around(number + 1)
        if not self._loops[number]:
            return f"(block {label} (result {' '.join(types)}) {inside}) {self._out(number, types)}"
        entry = " ".join(self._value(valtype) for valtype in types)
        return f"{entry} (loop {label} (param {' '.join(types)}) {self._again(number, types)} {inside}) (unreachable)"

    def _take(self, number: int, types: list[str]) -> str:
        return " ".join(f"(local.set $out{number}_{position})" for position in reversed(range(len(types))))

    def _dump(self, number: int, types: list[str]) -> str:
        operands = [
            _store(valtype, OPERANDS_OUT, position, f"(local.get $out{number}_{position})") for position, valtype in enumerate(types)
        ]
        seen = self.seen[number] = [at for at in range(len(self._names)) if self._random.random() < 0.6]
        locals_ = [_store(self._names[at][1], LOCALS_OUT, at, f"(local.get {self._names[at][0]})") for at in seen]
        results = " ".join(self._value(valtype) for valtype in self.labels[0])
        return f"(i32.store (i32.const {NUMBER_OUT}) (i32.const {number})) {' '.join([*operands, *locals_])} (return {results})"

    def _out(self, number: int, types: list[str]) -> str:
        return f"{self._take(number, types)} {self._dump(number, types)}"

    def _again(self, number: int, types: list[str]) -> str:
        """The head of a loop around the loop, which is reached from above first."""
        first = f"(i32.lt_u (global.get $entered) (i32.const {number}))"
        count = f"(global.set $entered (i32.const {number}))"
        return f"{self._take(number, types)} (if {first} (then {count}) (else {self._dump(number, types)}))"

    def _value(self, valtype: str) -> str:
        return self._expression(valtype, 2)

    def _expression(self, valtype: str, depth: int) -> str:
        random = self._random
        if valtype == "f32":
            return "(local.get $p)" if random.random() < 0.4 else f"(f32.demote_f64 {self._expression('f64', depth - 1)})"
        if valtype == "funcref":
            if random.random() < 0.4:
                return random.choice(("(local.get $s)", "(ref.null func)", "(ref.func $other)"))
            return f"(table.get (i32.and {self._expression('i32', depth - 1)} (i32.const 1)))"
        return super()._expression(valtype, depth)

    def _region(self) -> str:
        takes = " ".join(f"(local.set {self._local(valtype)})" for valtype in reversed(self.operands))
        turn = "(local.set $turns (i32.add (local.get $turns) (i32.const 1)))"
        last = self._leave(len(self.labels), f"(i32.ge_u (local.get $turns) (i32.const {_TURNS}))")
        values = " ".join(self._value(valtype) for valtype in self.operands)
        drops = " ".join("(drop)" for _ in self.operands)
        back = f"{values} (br_if $L {self._expression('i32', 2)}) {drops}"
        results = " ".join(self._value(valtype) for valtype in self._results)
        return f"{takes} {turn} {last} {self._statements(3)} {back} {self._statements(2)} {back} {results}"

    def _local(self, valtype: str) -> str:
        names: list[str] = [*self._locals.get(valtype, ()), *_MORE_LOCALS.get(valtype, ())]
        return self._random.choice(names)

    def _statement(self, depth: int) -> str:
        kind = self._random.random()
        if kind < 0.1:
            return self._leave(self._random.randint(0, len(self.labels)), self._expression("i32", 2))
        if kind < 0.16:
            valtype = self._random.choice(("f32", "funcref"))
            return f"(local.set {self._local(valtype)} {self._value(valtype)})"
        if kind < 0.2:
            return f"(local.set $c (call $other {self._expression('i32', 2)} {self._expression('i64', 2)}))"
        return super()._statement(depth)

    def _leave(self, number: int, condition: str) -> str:
        """To a label out of the loop, on the condition; the loop's own number stands for the label that comes last."""
        number = min(number, len(self.labels) - 1)
        types = self.labels[number]
        values = " ".join(self._value(valtype) for valtype in types)
        target = f"$l{number}"
        if number == 0:
            return f"(if {condition} (then (return {values})))"
        alike = [other for other in range(1, len(self.labels)) if self.labels[other] == types]
        if self._random.random() < 0.3 and len(alike) > 1:
            targets = " ".join(f"$l{self._random.choice(alike)}" for _ in range(4))
            return f"(if {condition} (then {values} (br_table {targets} {self._expression('i32', 1)})))"
        if self._random.random() < 0.5:
            return f"(if {condition} (then (br {target} {values})))"
        return f"{values} (br_if {target} {condition}) {' '.join('(drop)' for _ in types)}"


def _load(valtype: str, base: int, at: int) -> str:
    address = f"(i32.const {base + VALUE_BYTES * at})"
    if valtype == "funcref":
        return f"(table.get (i32.load {address}))"
    return f"({valtype}.load {address})"


def _store(valtype: str, base: int, at: int, value: str) -> str:
    address = f"(i32.const {base + VALUE_BYTES * at})"
    if valtype == "funcref":
        return f"(i32.store {address} (i32.eqz (ref.is_null {value})))"
    return f"({valtype}.store {address} {value})"
