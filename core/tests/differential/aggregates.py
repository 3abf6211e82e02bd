"""Random programs over structures, arrays, 31-bit integers and casts, as text. From outside they take and give numbers only.

Types form chains of subtypes, some deeper than a display, and name each other. Each function has locals of all these types, fills them,
and ends with a sum of what it can reach. Locals are mostly not null and casts mostly tested before, so that not every call soon ends in a
trap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

NUMBERS: Final = ("i32", "i64", "f32", "f64")
_STORAGES: Final = ("i8", "i16", *NUMBERS, "v128")
_ABSTRACT: Final = ("any", "eq", "i31", "struct", "array")
_FUNCTIONS: Final = 4
_NUMBER_LOCALS: Final = 3
_CONSTANTS: Final = {
    "i32": ("0", "1", "-1", "7", "255", "65535", "-128", "1073741823", "-1073741824", "2147483647", "-2147483648"),
    "i64": ("0", "1", "-1", "-2147483648", "4294967296", "9223372036854775807"),
    "f32": ("0", "-0", "1.5", "-2.25", "inf", "0x1p-149"),
    "f64": ("0", "-0", "1.5", "-2.25", "-inf", "0x1p-1074"),
}  # fmt: skip


class Aggregates:
    """A module with functions `f0 …` of (i32, i64, f64) that give an i64."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.structs: list[tuple[int, list[tuple[str, bool]]]] = []  # (parent or -1, (storage, mutable) of all fields)
        self.arrays: list[tuple[str, bool]] = []
        self.final: set[int] = set()
        self.labels = 0
        self.budget = 0
        self.narrowing = False

    # -- types

    def text(self) -> str:
        rng = self.rng
        count = rng.randint(2, 6)
        deep = rng.random() < 0.15
        total = count + (12 if deep else 0)
        arrays = rng.randint(1, 4)
        self.names = [f"s{i}" for i in range(total)] + [f"a{i}" for i in range(arrays)]
        for index in range(total):
            parent = index - 1 if index > count else rng.choice([-1, *range(index)]) if index else -1
            if parent in self.final:
                parent = -1
            fields = list(self.structs[parent][1]) if parent >= 0 else []
            fields += [(self._storage(), rng.random() < 0.7) for _ in range(rng.randint(0, 3))]
            self.structs.append((parent, fields))
            if not deep and rng.random() < 0.3:
                self.final.add(index)
        self.arrays = [(self._storage(), rng.random() < 0.8) for _ in range(arrays)]
        self.has_data = rng.random() < 0.5
        functions = "\n".join(self._function(index) for index in range(_FUNCTIONS))
        data = '(data $d "\\01\\02\\ff\\80abcdefghijklmnopqrstuvwxyz0123456789")'
        elem = "(elem $e anyref (ref.i31 (i32.const 5)) (ref.null any) (ref.i31 (i32.const -6)))"
        table = f"(table {_FUNCTIONS} funcref) (elem (i32.const 0) {' '.join(f'$f{i}' for i in range(_FUNCTIONS))})"
        return f"(module {self._types()}\n{data} {elem} {table}\n{functions})"

    def _storage(self) -> str:
        roll = self.rng.random()
        if roll < 0.6:
            return self.rng.choice(_STORAGES)
        if roll < 0.75:
            return f"(ref null {self.rng.choice(_ABSTRACT)})"
        return f"(ref null ${self.rng.choice(self.names)})"

    def _types(self) -> str:
        parts = ["(type $f (func (param i32 i64 f64) (result i64)))", "(rec"]
        for index, (parent, fields) in enumerate(self.structs):
            text = " ".join(f"(field {f'(mut {storage})' if mutable else storage})" for storage, mutable in fields)
            above = f" $s{parent}" if parent >= 0 else ""
            final = " final" if index in self.final else ""
            parts.append(f"(type $s{index} (sub{final}{above} (struct {text})))")
        for index, (storage, mutable) in enumerate(self.arrays):
            parts.append(f"(type $a{index} (array {f'(mut {storage})' if mutable else storage}))")
        return " ".join([*parts, ")"])

    # -- functions

    def _function(self, index: int) -> str:
        self.depth = index
        self.budget = 120
        self.narrowing = self.rng.random() < 0.3  # mostly tests of the types of references, which do not trap
        numbers = "".join(f"(local ${kind}{i} {kind})" for kind in (*NUMBERS, "v128") for i in range(_NUMBER_LOCALS))
        references = "".join(f"(local ${name} (ref null ${name}))" for name in self.names)
        references += "".join(f"(local ${heap}0 (ref null {heap}))" for heap in _ABSTRACT)
        self.counters = 0
        body = [f"(local.set ${name} {self._new(name, 1)})" for name in self.names if self.rng.random() < 0.9]
        body += [f"(local.set ${heap}0 {self._reference(heap, 1)})" for heap in _ABSTRACT if self.rng.random() < 0.9]
        body += [self._statement(3) for _ in range(self.rng.randint(3, 12))]
        counters = "".join(f"(local $count{i} i32)" for i in range(self.counters))
        header = f'(func $f{index} (export "f{index}") (type $f) (param $p0 i32) (param $p1 i64) (param $p2 f64) (result i64)'
        return f"{header}{numbers}{references}{counters}\n" + "\n".join(body) + f"\n{self._sum()})"

    def _sum(self) -> str:
        """Of everything in reach."""
        parts = [f"(local.get $i64{i})" for i in range(_NUMBER_LOCALS)]
        parts += [f"(i64.extend_i32_u (local.get $i32{i}))" for i in range(_NUMBER_LOCALS)]
        parts += [f"(i64.trunc_sat_f64_s (local.get $f64{i}))" for i in range(_NUMBER_LOCALS)]
        for index, (_, fields) in enumerate(self.structs):
            for number, (storage, _) in enumerate(fields):
                if (read := self._widened(f"s{index}", number, storage)) is not None:
                    parts.append(
                        f"(if (result i64) (ref.is_null (local.get $s{index})) (then (i64.const 3)) (else {read}))"
                    )
        for index in range(len(self.arrays)):
            parts.append(
                f"(if (result i64) (ref.is_null (local.get $a{index})) (then (i64.const 5))"
                f" (else (i64.extend_i32_u (array.len (local.get $a{index})))))"
            )
        text = parts[0]
        for number, part in enumerate(parts[1:]):
            text = f"(i64.xor (i64.rotl {text} (i64.const {number % 13 + 1})) {part})"
        return text

    def _widened(self, name: str, number: int, storage: str) -> str | None:
        if storage in ("i8", "i16"):
            return f"(i64.extend_i32_s (struct.get_s ${name} {number} (local.get ${name})))"
        read = f"(struct.get ${name} {number} (local.get ${name}))"
        if storage == "i64":
            return read
        if storage == "i32":
            return f"(i64.extend_i32_u {read})"
        if storage in ("f32", "f64"):
            return f"(i64.trunc_sat_{storage}_s {read})"
        if storage == "v128":
            return f"(i64x2.extract_lane 1 {read})"
        return f"(i64.extend_i32_u (ref.is_null {read}))"

    # -- statements

    def _statement(self, depth: int) -> str:
        rng = self.rng
        if self.narrowing and rng.random() < 0.7:
            return self._narrow(depth)
        choices = [self._set_number, self._set_number, self._set_reference, self._set_reference, self._set_field, self._set_element]
        choices += [self._bulk, self._branch_on_cast, self._narrow]
        if depth:
            choices += [self._if, self._loop, self._while]
        return rng.choice(choices)(depth - 1 if depth else 0)

    def _set_number(self, depth: int) -> str:
        kind = self.rng.choice((*NUMBERS, "v128"))
        return f"(local.set ${kind}{self.rng.randrange(_NUMBER_LOCALS)} {self._number(kind, 3)})"

    def _set_reference(self, depth: int) -> str:
        heap = self.rng.choice((*self.names, *_ABSTRACT))
        return f"(local.set ${heap}{'0' if heap in _ABSTRACT else ''} {self._reference(heap, 3)})"

    def _set_field(self, depth: int) -> str:
        found = [(i, n, s) for i, (_, fields) in enumerate(self.structs) for n, (s, mutable) in enumerate(fields) if mutable]
        if not found:
            return "(nop)"
        index, number, storage = self.rng.choice(found)
        return f"(struct.set $s{index} {number} {self._reference(f's{index}', 1)} {self._value(storage, 3)})"

    def _set_element(self, depth: int) -> str:
        found = [(i, s) for i, (s, mutable) in enumerate(self.arrays) if mutable]
        if not found:
            return "(nop)"
        index, storage = self.rng.choice(found)
        return f"(array.set $a{index} {self._reference(f'a{index}', 1)} {self._index()} {self._value(storage, 2)})"

    def _bulk(self, depth: int) -> str:
        found = [(i, s) for i, (s, mutable) in enumerate(self.arrays) if mutable]
        if not found:
            return "(nop)"
        index, storage = self.rng.choice(found)
        array, start, count = self._reference(f"a{index}", 1), self._index(), self._index()
        kind = self.rng.choice(("fill", "fill", "copy", "copy", "init"))
        if kind == "fill":
            return f"(array.fill $a{index} {array} {start} {self._value(storage, 2)} {count})"
        if kind == "init":
            if storage == "(ref null any)":
                return f"(array.init_elem $a{index} $e {array} {start} {self._index()} {count})"
            return "(nop)" if storage.startswith("(") else f"(array.init_data $a{index} $d {array} {start} {self._index()} {count})"
        # not null: the other runtime looks at the bounds of the destination before it looks at the source
        source = f"(ref.as_non_null {self._reference(f'a{index}', 1)})"
        return f"(array.copy $a{index} $a{index} {array} {start} {source} {self._index()} {count})"

    def _if(self, depth: int) -> str:
        arms = [" ".join(self._statement(depth) for _ in range(self.rng.randint(1, 3))) for _ in range(2)]
        return f"(if {self._number('i32', 2)} (then {arms[0]}) (else {arms[1]}))"

    def _loop(self, depth: int) -> str:
        counter, label = f"$count{self.counters}", f"$l{self.labels}"
        self.counters += 1
        self.labels += 1
        body = " ".join(self._statement(depth) for _ in range(self.rng.randint(1, 4)))
        step = f"(local.tee {counter} (i32.add (local.get {counter}) (i32.const 1)))"
        bound = self.rng.choice((1, 2, 5, 40))
        reset = f"(local.set {counter} (i32.const 0))"
        return f"{reset} (loop {label} {body} (br_if {label} (i32.lt_u {step} (i32.const {bound}))))"

    def _while(self, depth: int) -> str:
        """The test at the head, of something that is read anew."""
        counter, label = f"$count{self.counters}", f"$l{self.labels}"
        self.counters += 1
        self.labels += 1
        bound = f"(i32.and {self._number('i32', 2)} (i32.const 7))"
        body = " ".join(self._statement(depth) for _ in range(self.rng.randint(1, 3)))
        step = f"(local.set {counter} (i32.add (local.get {counter}) (i32.const 1)))"
        leave = f"(br_if $e{label[1:]} (i32.ge_u (local.get {counter}) {bound}))"
        return f"(local.set {counter} (i32.const 0)) (block $e{label[1:]} (loop {label} {leave} {body} {step} (br {label})))"

    def _branch_on_cast(self, depth: int) -> str:
        """Both ways of it; what arrives is used."""
        self.labels += 1
        label, name = f"$l{self.labels}", self.rng.choice(self.names)
        null = self.rng.choice(("", "null "))
        value = self._reference("any", 2)
        if self.rng.random() < 0.5:
            arrived = f"(block {label} (result (ref {null}${name})) (br_on_cast {label} (ref null any) (ref {null}${name}) {value})"
            return f"(block $o{self.labels} (local.set ${name} {arrived} (local.set $any0) (br $o{self.labels}))))"
        rest = "any" if null else "null any"
        failed = f"(block {label} (result (ref {rest})) (br_on_cast_fail {label} (ref null any) (ref {null}${name}) {value})"
        return f"(block $o{self.labels} (local.set $any0 {failed} (local.set ${name}) (br $o{self.labels}))))"

    def _narrow(self, depth: int) -> str:
        """What is known of one reference at different places, as digits of a number. It is of some type of a chain of subtypes."""
        rng = self.rng
        index = rng.randrange(len(self.structs))
        chain = [index]
        while self.structs[chain[-1]][0] >= 0:
            chain.append(self.structs[chain[-1]][0])
        below = [i for i in range(len(self.structs)) if self._is_below(i, chain[-1])]
        one, other = (self._new(f"s{rng.choice(below)}", 1) for _ in range(2))
        heaps = [*(f"$s{i}" for i in (*chain, *below)), "struct", "eq"]
        choice = f"(if (result anyref) {self._leaf('i32')} (then {one}) (else {other}))"
        return f"(local.set $any0 {choice}) {self._narrowed('(local.get $any0)', heaps, 3)}"

    def _narrowed(self, local: str, heaps: list[str], depth: int) -> str:
        rng = self.rng
        heap = rng.choice(heaps)
        null = rng.choice(("", "null "))
        test = f"(ref.test (ref {null}{heap}) {local})"
        number = rng.randrange(_NUMBER_LOCALS)
        note = f"(local.set $i32{number} (i32.add (i32.mul (local.get $i32{number}) (i32.const 3)) {test}))"
        if not depth:
            return note
        one, other, rest = (self._narrowed(local, heaps, depth - 1) for _ in range(3))
        kind = rng.randrange(5)
        if kind == 0:
            return f"(if {test} (then {one}) (else {other})) {rest}"
        if kind == 1:
            return f"(if (ref.is_null {local}) (then {one}) (else {other} (drop (ref.as_non_null {local})))) {rest}"
        self.labels += 1
        label = f"$l{self.labels}"
        if kind == 2:
            return f"(block {label} (br_if {label} {test}) {one}) {other}"
        if kind == 3:
            return f"(block {label} (br_if {label} (i32.eqz {test})) {one} (drop (ref.cast (ref {null}{heap}) {local}))) {other}"
        return f"{note} (block {label} (br_if {label} (ref.is_null {local})) {one} (br {label})) {other}"

    # -- expressions

    def _value(self, storage: str, depth: int) -> str:
        if storage in ("i8", "i16"):
            return self._number("i32", depth)
        if storage.startswith("("):
            return self._reference(storage[len("(ref null ") : -1].lstrip("$"), depth)
        return self._number(storage, depth)

    def _index(self) -> str:
        if self.rng.random() < 0.7:
            return f"(i32.const {self.rng.choice((0, 1, 2, 3, 8 if self.rng.random() < 0.1 else 2))})"
        return f"(i32.and {self._number('i32', 1)} (i32.const {self.rng.choice((1, 3))}))"

    def _leaf(self, kind: str) -> str:
        roll = self.rng.random()
        if kind == "v128":
            if roll < 0.5:
                return f"(local.get $v128{self.rng.randrange(_NUMBER_LOCALS)})"
            return f"(v128.const i64x2 {self.rng.randrange(1 << 63)} {self.rng.choice((0, -1, 77))})"
        parameter = {"i32": "$p0", "i64": "$p1", "f64": "$p2"}.get(kind)
        if roll < 0.3 and parameter:
            return f"(local.get {parameter})"
        if roll < 0.7:
            return f"(local.get ${kind}{self.rng.randrange(_NUMBER_LOCALS)})"
        return f"({kind}.const {self.rng.choice(_CONSTANTS[kind])})"

    def _number(self, kind: str, depth: int) -> str:
        rng = self.rng
        self.budget -= 1
        if not depth or self.budget < 0:
            return self._leaf(kind)
        roll = rng.random()
        if roll < 0.35 and (found := self._read_field(kind, depth - 1)) is not None:
            return found
        if roll < 0.5 and (found := self._read_element(kind, depth - 1)) is not None:
            return found
        if kind == "i32" and roll < 0.7:
            return self._question(depth - 1)
        if kind == "i64" and roll < 0.6 and self.depth:
            return f"(call $f{rng.randrange(self.depth)} {self._leaf('i32')} {self._leaf('i64')} {self._leaf('f64')})"
        if kind == "i64" and roll < 0.65 and self.depth:
            target = f"(i32.const {rng.randrange(self.depth)})"
            return f"(call_indirect (type $f) {self._leaf('i32')} {self._leaf('i64')} {self._leaf('f64')} {target})"
        if kind == "v128":
            return f"(i64x2.splat {self._number('i64', depth - 1)})"
        if kind in ("f32", "f64"):
            return f"({kind}.convert_i32_s {self._number('i32', depth - 1)})"
        op = rng.choice(("add", "sub", "xor", "mul"))
        return f"({kind}.{op} {self._number(kind, depth - 1)} {self._leaf(kind)})"

    def _read_field(self, kind: str, depth: int) -> str | None:
        wanted = ("i8", "i16", "i32") if kind == "i32" else (kind,)
        found = [(i, n, s) for i, (_, fields) in enumerate(self.structs) for n, (s, _) in enumerate(fields) if s in wanted]
        if not found:
            return None
        index, number, storage = self.rng.choice(found)
        sign = self.rng.choice(("_s", "_u")) if storage in ("i8", "i16") else ""
        return f"(struct.get{sign} $s{index} {number} {self._reference(f's{index}', depth)})"

    def _read_element(self, kind: str, depth: int) -> str | None:
        wanted = ("i8", "i16", "i32") if kind == "i32" else (kind,)
        found = [(i, s) for i, (s, _) in enumerate(self.arrays) if s in wanted]
        if not found:
            return None
        index, storage = self.rng.choice(found)
        sign = self.rng.choice(("_s", "_u")) if storage in ("i8", "i16") else ""
        return f"(array.get{sign} $a{index} {self._reference(f'a{index}', depth)} {self._index()})"

    def _question(self, depth: int) -> str:
        rng = self.rng
        roll = rng.random()
        if roll < 0.4:
            heap = rng.choice((*(f"${name}" for name in self.names), *_ABSTRACT, "none"))
            return f"(ref.test (ref {rng.choice(('', 'null '))}{heap}) {self._reference('any', depth)})"
        if roll < 0.55:
            return f"(ref.eq {self._reference('eq', depth)} {self._reference('eq', depth)})"
        if roll < 0.65:
            return f"(ref.is_null {self._reference(rng.choice((*self.names, *_ABSTRACT)), depth)})"
        if roll < 0.8:
            return f"(array.len {self._reference('array' if rng.random() < 0.5 else self._array(), depth)})"
        return f"(i31.get_{rng.choice('su')} {self._reference('i31', depth)})"

    def _array(self) -> str:
        return f"a{self.rng.randrange(len(self.arrays))}"

    def _new(self, name: str, depth: int) -> str:
        """A new object of a defined type."""
        self.budget -= 1
        index = int(name[1:])
        if name[0] == "s":
            if self.rng.random() < 0.2 or self.budget < 0:
                return f"(struct.new_default ${name})"
            return f"(struct.new ${name} {' '.join(self._value(storage, max(depth - 1, 0)) for storage, _ in self.structs[index][1])})"
        storage = self.arrays[index][0]
        length = self.rng.choice((0 if self.rng.random() < 0.2 else 5, 7, 8, 9, 17, 40))
        roll = self.rng.random()
        if roll < 0.3:
            return f"(array.new_default ${name} (i32.const {length}))"
        if roll < 0.6:
            size = f"(i32.const {length})" if roll < 0.45 else f"(i32.or (i32.and {self._leaf('i32')} (i32.const 31)) (i32.const 4))"
            return f"(array.new ${name} {self._value(storage, max(depth - 1, 0))} {size})"
        if roll < 0.65 and not storage.startswith("("):
            return f"(array.new_data ${name} $d {self._index()} (i32.const {self.rng.choice((1, 2))}))"
        if roll < 0.65 and storage == "(ref null any)":
            return f"(array.new_elem ${name} $e (i32.const {self.rng.choice((0, 1))}) (i32.const {self.rng.choice((0, 1, 2, 3))}))"
        values = [self._value(storage, max(depth - 1, 0)) for _ in range(self.rng.choice((4, 5, 9)))]
        return f"(array.new_fixed ${name} {len(values)} {' '.join(values)})"

    def _is_below(self, one: int, other: int) -> bool:
        while one >= 0 and one != other:
            one = self.structs[one][0]
        return one == other

    def _reference(self, heap: str, depth: int) -> str:
        """A reference to `heap`, null now and then."""
        rng = self.rng
        self.budget -= 1
        local = f"(local.get ${heap}{'0' if heap in _ABSTRACT else ''})"
        if not depth or self.budget < 0:
            return local if rng.random() < 0.98 else f"(ref.null {heap if heap in _ABSTRACT else f'${heap}'})"
        roll = rng.random()
        if roll < 0.3:
            return local
        if heap in _ABSTRACT:
            return self._abstract(heap, depth, roll)
        if roll < 0.5:
            return self._new(heap, depth)
        if heap[0] == "s" and roll < 0.65:
            below = [i for i in range(len(self.structs)) if self._is_below(i, int(heap[1:]))]
            return self._reference(f"s{rng.choice(below)}", depth - 1)
        found = [(i, n) for i, (_, fields) in enumerate(self.structs) for n, (s, _) in enumerate(fields) if s == f"(ref null ${heap})"]
        if roll < 0.75 and found:
            index, number = rng.choice(found)
            return f"(struct.get $s{index} {number} {self._reference(f's{index}', depth - 1)})"
        if roll < 0.98:
            return self._tested_cast(heap, depth)
        return f"(ref.cast (ref {rng.choice(('', 'null '))}${heap}) {self._reference('any', depth - 1)})"

    def _tested_cast(self, heap: str, depth: int) -> str:
        """Of a local, where the test holds."""
        source = self.rng.choice(_ABSTRACT[:2] + _ABSTRACT[3:])
        if (source == "struct") != (heap[0] == "s"):
            source = "any"
        value = f"(local.get ${source}0)"
        return (
            f"(if (result (ref null ${heap})) (ref.test (ref ${heap}) {value})"
            f" (then (ref.cast (ref ${heap}) {value})) (else {self._reference(heap, depth - 1)}))"
        )

    def _abstract(self, heap: str, depth: int, roll: float) -> str:
        rng = self.rng
        if heap == "i31" or (heap in ("any", "eq") and roll < 0.45):
            return f"(ref.i31 {self._number('i32', depth - 1)})"
        if heap == "any" and roll < 0.5:
            return f"(any.convert_extern (extern.convert_any {self._reference('any', depth - 1)}))"
        names = [name for name in self.names if heap in ("any", "eq") or name[0] == heap[0]]
        if not names or roll > 0.99:
            return f"(ref.null {heap})"
        return self._reference(rng.choice(names), depth - 1)
