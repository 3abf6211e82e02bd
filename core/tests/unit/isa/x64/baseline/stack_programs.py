"""Random modules in stack order rather than as expressions, so that what is on the operand stack, and for how long, is random too.

Every instruction of the numeric, vector and memory families comes; locals and operands of every class, constants of them as operands of
everything; blocks, loops and arms with parameters and several results, branches of every kind out of them, code that nobody reaches with
blocks in it; calls with arguments on the stack and several results, of functions of the module, of the host, by table and by reference;
globals, tables, bulk operations, a second memory with 64-bit addresses, exceptions that nobody catches here.

Every loop turn takes one from a global, so each function ends. What a function has in its locals at its end goes to memory.
"""

from __future__ import annotations

from random import Random
from typing import Final

from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import immediates

_LETTERS: Final = {"i": "i32", "I": "i64", "f": "f32", "F": "f64", "V": "v128", "m": "i32"}
_TYPES: Final = ("i32", "i64", "f32", "f64", "v128", "funcref")
_NUMBERS: Final = ("i32", "i64", "f32", "f64")
_INTEGERS: Final = (0, 1, 2, 7, 31, 63, 64, 127, 128, 255, 256, 65535, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF)
_WIDE: Final = (1 << 32, (1 << 63) - 1, 1 << 63, 0xFFFFFFFF80000000, 0xFFFFFFFF7FFFFFFF, (1 << 64) - 1, 0x0123456789ABCDEF)
_FLOATS: Final = ("0", "-0", "1", "-1.5", "2147483648", "-2147483649", "1e30", "nan", "-nan", "inf", "-inf", "1e-40")
_BYTES_OF: Final = {"i32": 4, "i64": 8, "f32": 4, "f64": 8, "v128": 16}
_LANES: Final = {"8x16": 16, "16x8": 8, "32x4": 4, "64x2": 2}
_KEEPS_NAN: Final = ("abs", "neg", "copysign", "splat", "replace_lane", "extract_lane", "reinterpret_i32", "reinterpret_i64")
_TRAPPING: Final = (".div_", ".rem_", ".trunc_f")

_Shape = tuple[tuple[str, ...], tuple[str, ...]]


def _plain_instructions(vectors: bool) -> list[tuple[str, int, tuple[str, ...], tuple[str, ...]]]:
    """(name, immediate, operands, results) of everything that takes its operands from the stack and nothing else."""
    rows = []
    for family in ("numeric", "vector") if vectors else ("numeric",):
        for _, name, immediate, text, _, _ in opcodes.FAMILIES[family]:
            takes, _, gives = text.partition(">")
            if takes and text != "*":
                rows.append((name, immediate, tuple(_LETTERS[one] for one in takes), tuple(_LETTERS[one] for one in gives)))
    return rows


def _accesses(vectors: bool) -> list[tuple[str, int, tuple[str, ...], tuple[str, ...]]]:
    return [
        (name, immediate, tuple(_LETTERS[one] for one in text.partition(">")[0]), tuple(_LETTERS[one] for one in text.partition(">")[2]))
        for _, name, immediate, text, _, _ in opcodes.FAMILIES["memory"]
        if immediate in (immediates.MEMARG, immediates.MEMARG_LANE) and (vectors or not name.startswith("v128"))
    ]


_ACCESS_BYTES: Final = {row[1]: row[5] for row in opcodes.FAMILIES["memory"]}
"""The exponent of 2."""
_PLAIN: Final = {vectors: _plain_instructions(vectors) for vectors in (False, True)}
_INTEGER: Final = [row for row in _PLAIN[False] if set(row[2] + row[3]) <= {"i32", "i64"}]
_WITH_TWO_RESULTS: Final = [row for row in _PLAIN[False] if len(row[3]) > 1]
_COMPARES: Final = [row for row in _PLAIN[False] if row[0].split(".")[1].split("_")[0] in ("eqz", "eq", "ne", "lt", "gt", "le", "ge")]
_ACCESSES: Final = {vectors: _accesses(vectors) for vectors in (False, True)}


class _Label:
    """`types`: of the operands of a branch to it."""

    def __init__(self, types: tuple[str, ...], is_loop: bool) -> None:
        self.types, self.is_loop = types, is_loop


class StackPrograms:
    """One module; `run` of (i32, i64) gives an i64, the same for the same seed. Without `vectors` there is nothing of v128 anywhere."""

    def __init__(self, seed: int, *, vectors: bool = True, size: int = 60, traps: bool = False) -> None:
        self.random = random = Random(seed)
        self.vectors, self.size, self.traps = vectors, size, traps
        self.types = [one for one in _TYPES if vectors or one != "v128"]
        count = random.randint(2, 5)
        self.shapes: list[_Shape] = [(("i32", "i64"), ("i64",))]
        self.shapes += [(self._some(random.choice((0, 1, 3, 9, 14))), self._some(random.choice((0, 1, 1, 2, 4)))) for _ in range(count)]
        if vectors and random.random() < 0.4:
            self.shapes.append((self._some(20, ("f64", "v128", "v128", "i32")), self._some(3)))
        self.host: _Shape = (self._some(3, _NUMBERS), ("i64",))
        self.globals = [random.choice(self.types) for _ in range(5)]
        self.tag = self._some(random.choice((0, 2, 12)), _NUMBERS)
        self.text: list[str] = []

    def _some(self, count: int, among: tuple[str, ...] = ()) -> tuple[str, ...]:
        return tuple(self.random.choice(among or self.types) for _ in range(count))

    def module(self) -> str:
        bodies = [self._function(index) for index in range(len(self.shapes))]
        shapes = "\n".join(f"(type $t{number} (func {_signature(shape)}))" for number, shape in enumerate(self.shapes))
        globals_ = "\n".join(f"(global $g{number} (mut {one}) {self._constant(one)})" for number, one in enumerate(self.globals))
        names = " ".join(f"$f{number}" for number in range(len(self.shapes)))
        return f"""(module {shapes}
          (type $h (func {_signature(self.host)}))
          (import "host" "call" (func $host (type $h)))
          (memory 1 4) (memory $wide i64 1 3)
          (tag $tag (param {" ".join(self.tag)}))
          (global $turns (mut i32) (i32.const 0)) {globals_}
          (table $table {len(self.shapes) + 2} funcref) (elem (i32.const 1) {names}) (elem declare func {names})
          (data $bytes "{"".join(f"{chr(92)}{self.random.randrange(256):02x}" for _ in range(64))}")
          {"".join(bodies)}
          (export "memory" (memory 0)) (export "wide" (memory 1)) (export "run" (func $f0)) (export "turns" (global $turns)))"""

    # -- functions

    def _function(self, index: int) -> str:
        random = self.random
        params, results = self.shapes[index]
        self.index = index
        more = [random.choice(self.types) for _ in range(random.randint(0, random.choice((3, 8, 24))))]
        self.locals = [*params, *more]
        scratch = [one for one in self.types if one != "funcref"]
        self.scratch = {one: len(self.locals) + number for number, one in enumerate(scratch)}
        self.text, self.base, self.depth, self.left = [], 0, 0, self.size
        self.stack: list[str] = []
        self.recent = -1
        self.labels = [_Label(results, is_loop=False)]
        if not index:
            self.text.append("(global.set $turns (i32.const 40))")
        self._body(results, keep_locals=True)
        declared = " ".join([*more, *scratch])
        return f"\n(func $f{index} (type $t{index}) (local {declared})\n  {' '.join(self.text)})"

    def _body(self, results: tuple[str, ...], *, keep_locals: bool = False) -> None:
        """Instructions up to the end of a block, where its results are on the stack; the stack is that of the block's inside."""
        reached = True
        for _ in range(self.random.randint(1, 12)):
            self.left -= 1
            if self.left < 0:
                break
            if not self._instruction():
                self._unreachable_code()
                reached = False
                break
        if reached:
            if keep_locals:
                self._store_locals()
            self._shape_stack(results)
        del self.stack[self.base :]

    def _store_locals(self) -> None:
        for local, one in enumerate(self.locals):
            if one == "funcref":
                self.text.append(f"(i32.store8 offset={60000 + local} (i32.const 0) (ref.is_null (local.get {local})))")
            elif self.random.random() < 0.7:
                place = 32768 + 4096 * self.index + 16 * local
                self.text.append(f"({one}.store offset={place} (i32.const 0) (local.get {local}))")

    # -- operands

    def _push(self, one: str) -> None:
        """Some operand of a type."""
        random, text = self.random, self.text
        choice = random.random()
        names = [local for local, other in enumerate(self.locals) if other == one]
        if names and choice < 0.6:
            text.append(f"local.get {self._one_of(names)}")
        elif choice < 0.7 and one in self.globals:
            text.append(f"global.get $g{random.choice([number for number, other in enumerate(self.globals) if other == one])}")
        elif one == "i32" and choice < 0.73:
            text.append(random.choice(("memory.size", "table.size $table", "i32.const 0 i32.eqz")))
        elif one == "i64" and choice < 0.73:
            text.append(random.choice(("memory.size $wide", "i64.const 0 i64.load $wide offset=8")))
        elif one == "funcref" and choice < 0.8:
            text.append(f"i32.const {random.randrange(len(self.shapes) + 2)} table.get $table")
        else:
            text.append(self._constant(one)[1:-1])
        self.stack.append(one)

    def _one_of(self, names: list[int]) -> int:
        """A local, that used last more often than not: registers and operands may hold it still."""
        if self.recent not in names or self.random.random() < 0.4:
            self.recent = self.random.choice(names)
        return self.recent

    def _constant(self, one: str) -> str:
        random = self.random
        if one == "funcref":
            return "(ref.null func)" if random.random() < 0.3 else f"(ref.func $f{random.randrange(len(self.shapes))})"
        if one == "v128":
            return f"(v128.const i64x2 {random.choice((0, 1, *_WIDE))} {random.choice((0, 0xFF, *_WIDE))})"
        if one in ("f32", "f64"):
            return f"({one}.const {random.choice(_FLOATS)})"
        return f"({one}.const {random.choice(_INTEGERS + (_WIDE if one == 'i64' else ()))})"

    def _drop(self) -> None:
        """The topmost operand, to a local if there is one of its type."""
        one = self.stack.pop()
        names = [local for local, other in enumerate(self.locals) if other == one]
        if names and self.random.random() < 0.8:
            self.text.append(f"local.set {self._one_of(names)}")
        elif one in self.globals and self.random.random() < 0.5:
            self.text.append(f"global.set $g{self.random.choice([number for number, other in enumerate(self.globals) if other == one])}")
        else:
            self.text.append("drop")

    def _shape_stack(self, types: tuple[str, ...]) -> None:
        """Leave just these above the block's base."""
        own = self.stack[self.base :]
        same = 0
        while same < min(len(own), len(types)) and own[same] == types[same]:
            same += 1
        while len(self.stack) > self.base + same:
            self._drop()
        for one in types[same:]:
            self._push(one)

    def _want(self, types: tuple[str, ...]) -> None:
        """These are the topmost operands: what is there serves as far as it fits."""
        own = self.stack[self.base :]
        for count in range(min(len(own), len(types)), -1, -1):
            if tuple(own[len(own) - count :]) == types[:count]:
                for one in types[count:]:
                    self._push(one)
                return

    def _take(self, takes: tuple[str, ...], gives: tuple[str, ...], text: str) -> None:
        self._want(takes)
        if takes:
            del self.stack[-len(takes) :]
        self.text.append(text)
        self.stack += gives

    # -- instructions

    def _instruction(self) -> bool:
        """One, with the operands that it needs; False where what follows is not reached."""
        random = self.random
        choice = random.random()
        if choice < 0.3:
            self._plain()
        elif choice < 0.4:
            self._push(random.choice(self.types))
        elif choice < 0.46:
            self._tee()
        elif choice < 0.52:
            if len(self.stack) > self.base:
                self._drop()
        elif choice < 0.6:
            self._access()
        elif choice < 0.65:
            self._select()
        elif choice < 0.7:
            self._bulk()
        elif choice < 0.78:
            self._call()
        elif choice < 0.9:
            if self.depth < 5:
                self._block()
        elif choice < 0.97:
            self._conditional_branch()
        else:
            return self._leave()
        return True

    def _plain(self) -> None:
        choice = self.random.random()
        rows = _INTEGER if choice < 0.4 else _WITH_TWO_RESULTS if choice < 0.45 else _PLAIN[self.vectors]
        name, immediate, takes, gives = self.random.choice(rows)
        if not self.traps and any(part in name for part in _TRAPPING) and "sat" not in name:
            if ".trunc_f" in name:
                return
            divisor = f"{takes[0]}.const {self.random.choice((1, 3, 7, 255, 0x7FFFFFFF))}"
            if self.random.random() < 0.5:
                self._want(takes)
                self.text.append(f"{divisor} {takes[0]}.or")
            else:
                self._take(takes[:1], takes, divisor)
        text = name
        if immediate == immediates.LANE:
            text += f" {self.random.randrange(next(lanes for shape, lanes in _LANES.items() if shape in name))}"
        elif immediate == immediates.LANES:
            text += "".join(f" {self.random.randrange(32)}" for _ in range(16))
        self._take(takes, gives, text)
        self._without_nan(name, gives)

    def _without_nan(self, name: str, gives: tuple[str, ...]) -> None:
        """The sign of a NaN depends on the engine: there is 0 instead."""
        shape, _, operation = name.partition(".")
        if shape not in ("f32", "f64", "f32x4", "f64x2") or operation in _KEEPS_NAN or gives[0][0] not in "fv":
            return
        scratch = self.scratch[gives[0]]
        if gives[0] == "v128":
            self.text.append(f"local.tee {scratch} local.get {scratch} local.get {scratch} {shape}.eq v128.and")
        else:
            self.text.append(f"local.tee {scratch} {shape}.const 0 local.get {scratch} local.get {scratch} {shape}.eq select")

    def _tee(self) -> None:
        if self.locals:
            local = self._one_of([*range(len(self.locals))])
            self._take((self.locals[local],), (self.locals[local],), f"local.tee {local}")

    def _access(self) -> None:
        random = self.random
        name, immediate, takes, gives = random.choice(_ACCESSES[self.vectors])
        wide = random.random() < 0.3
        address = "i64" if wide else "i32"
        offset = random.choice((0, 1, 8, 127, 128, 1000, 20000))
        lane = ""
        if immediate == immediates.MEMARG_LANE:
            lane = f" {random.randrange(16 >> _ACCESS_BYTES[name])}"
        values = takes[1:]
        text = f"{name} {'$wide ' if wide else ''}offset={offset}{lane}"
        if self.traps and random.random() < 0.1:
            text = text.replace(f"offset={offset}", f"offset={random.choice((65535, 131072, 0x7FFFFFF0, 0xFFFFFFFF))}")
            self._take((address, *values), gives, text)
        elif random.random() < 0.3:
            self._take((), (address,), f"{address}.const {random.choice((0, 16, 4000, 40000))}")
            self._take((address, *values), gives, text)
        else:
            self._take((address,), (address,), f"{address}.const 0x3ff8 {address}.and")
            if random.random() < 0.5:
                self._take((address,), (), f"local.set {self.scratch[address]}")
                self._plain()
                self._take((), (address,), f"local.get {self.scratch[address]}")
            self._take((address, *values), gives, text)

    def _select(self) -> None:
        one = self.random.choice(self.types)
        typed = one == "funcref" or self.random.random() < 0.4
        self._want((one, one))
        self._condition()
        self._take((one, one, "i32"), (one,), f"select (result {one})" if typed else "select")

    def _condition(self) -> None:
        """An i32, more often than not of a compare."""
        random = self.random
        if random.random() < 0.4:
            self._push("i32")
            return
        name, _, takes, gives = random.choice(_COMPARES)
        for one in takes:
            self._push(one)
        del self.stack[-len(takes) :]
        self.text.append(name)
        self.stack += gives
        if random.random() < 0.2:
            self.text.append("i32.eqz")

    def _bulk(self) -> None:
        random = self.random
        choice = random.randrange(10)
        if choice == 0:
            self._take(("i32",), ("i32",), "i32.const 1 i32.and memory.grow")
        elif choice == 1:
            self._take(("i32",), (), "i32.const 0x1ff0 i32.and i32.const 77 i32.const 100 memory.fill")
        elif choice == 2:
            self._take(("i32",), (), "i32.const 0x1ff0 i32.and i32.const 3 i32.const 333 memory.copy")
        elif choice == 3:
            self._take(("i64",), (), "i64.const 0x1ff0 i64.and i32.const 16 i32.const 64 memory.copy $wide 0")
        elif choice == 4:
            self._take(("i32",), (), "i32.const 0x1ff0 i32.and i32.const 3 i32.const 33 memory.init $bytes")
        elif choice == 5:
            self._take(("funcref",), (), "local.set 0" if self.locals[:1] == ["funcref"] else "drop")
        elif choice == 6:
            self._take((), ("i32",), "i32.const 0")
            self._take(("i32", "funcref"), (), "table.set $table")
        elif choice == 7:
            self._take(("funcref",), ("i32",), "ref.is_null")
        elif choice == 8:
            self._take(("funcref", "i32"), ("i32",), "i32.const 1 i32.and table.grow $table")
        else:
            self._take(("i64",), ("i64",), "i64.const 1 i64.and memory.grow $wide")

    def _call(self) -> None:
        random = self.random
        if random.random() < 0.2:
            self._take(*self.host, "call $host")
            return
        if self.index + 1 >= len(self.shapes):
            return
        callee = random.randrange(self.index + 1, len(self.shapes))
        params, results = self.shapes[callee]
        way = random.random()
        self._want(params)
        if way < 0.6:
            self._take(params, results, f"call $f{callee}")
        elif way < 0.8:
            self.text.append(f"i32.const {callee + 1}")
            self._take(params, results, f"call_indirect $table (type $t{callee})")
        else:
            self.text.append(f"ref.func $f{callee}")
            self._take(params, results, f"call_ref $t{callee}")

    # -- control

    def _block(self) -> None:
        random = self.random
        params, results = self._some(random.choice((0, 0, 0, 1, 2, 3))), self._some(random.choice((0, 0, 1, 1, 2, 3)))
        kind = random.choice(("block", "block", "loop", "if", "if"))
        if kind == "if" and random.random() < 0.3:
            results = params
        own = self.stack[self.base :]
        if own and random.random() < 0.5:
            count = random.randint(1, min(3, len(own)))
            params = tuple(own[-count:])
            results = params if kind == "if" and random.random() < 0.5 else results
        self._want(params)
        if kind == "if":
            self._condition()
            self.stack.pop()
        self.text.append(f"{kind} {_signature((params, results))}")
        outer, height = self.base, len(self.stack) - len(params)
        inside = self.stack[height:]
        self.depth += 1
        self.base = height
        self.labels.append(_Label(params if kind == "loop" else results, kind == "loop"))
        self._body(results)
        if kind == "if" and (params != results or random.random() < 0.5):
            self.text.append("else")
            self.stack += inside
            self._body(results)
        self.text.append("end\n ")
        self.labels.pop()
        self.depth -= 1
        self.base = outer
        self.stack += results

    def _depth(self) -> int:
        return self.random.randrange(len(self.labels))

    def _conditional_branch(self) -> None:
        """`br_if`; to a loop's head only while there are turns left."""
        depth = self._depth()
        label = self.labels[-1 - depth]
        self._want(label.types)
        self._condition()
        self.stack.pop()
        if label.is_loop:
            self.text.append("global.get $turns i32.const 1 i32.sub global.set $turns")
            self.text.append("global.get $turns i32.const 0 i32.gt_s i32.and")
        self.text.append(f"br_if {depth}")

    def _leave(self) -> bool:
        """What does not go on; True where there was nothing fit."""
        random = self.random
        choice = random.random()
        if choice < 0.5:
            depth = self._depth()
            label = self.labels[-1 - depth]
            if label.is_loop:
                return True
            self._want(label.types)
            self.text.append(f"br {depth}")
        elif choice < 0.8:
            depth = self._depth()
            types = self.labels[-1 - depth].types
            fit = [number for number, label in enumerate(reversed(self.labels)) if label.types == types and not label.is_loop]
            if not fit:
                return True
            self._want(types)
            self._push("i32")
            self.stack.pop()
            if random.random() < 0.8:
                self.text.append("i32.const 3 i32.and")
            self.text.append("br_table " + " ".join(str(random.choice(fit)) for _ in range(random.choice((1, 2, 3, 9)))))
        elif choice < 0.9 or not self.traps:
            self._want(self.labels[0].types)
            self.text.append("return")
        elif choice < 0.95:
            self._want(self.tag)
            self.text.append("throw $tag")
        else:
            self.text.append("unreachable")
        return False

    def _unreachable_code(self) -> None:
        """Behind a branch: operands of any type, blocks, branches."""
        for _ in range(self.random.randint(0, 2)):
            self.text.append(self.random.choice((
                "i32.add drop", "block (result i32 i64) i32.const 1 i64.const 2 end drop drop", "loop br 0 end", "select drop",
                "i32.const 1 if i32.const 2 drop else nop end", "block (param i32) drop end", "call_indirect $table (type $t0) drop",
                "if (result i64) unreachable else i64.const 3 end i64.popcnt drop", "local.get 0 drop" if self.locals else "nop",
            )))  # fmt: skip


def _signature(shape: _Shape) -> str:
    params, results = shape
    return (f"(param {' '.join(params)}) " if params else "") + (f"(result {' '.join(results)})" if results else "")
