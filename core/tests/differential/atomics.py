"""Random functions of atomic accesses: more values at a time than there are registers, few of them out of bounds or not aligned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from purewasm.wasm import opcodes

if TYPE_CHECKING:
    from random import Random

LOCALS: Final = 14
_ROWS: Final = [(row[1], row[3], 1 << row[5]) for row in opcodes.FAMILIES["atomic"]]
_FENCE: Final = "atomic.fence"


class Atomics:
    """Text of a module with one function `f` of `LOCALS` i64 parameters."""

    def __init__(self, rng: Random, *, shared: bool, is_64: bool, page_bytes: int) -> None:
        self.rng, self.shared, self.is_64, self.page_bytes = rng, shared, is_64, page_bytes

    def text(self) -> str:
        size = 1 if self.page_bytes > 1 else self.rng.choice((13, 64, 100))
        page = "" if self.page_bytes > 1 else "(pagesize 1)"
        memory = f"(memory {'i64 ' if self.is_64 else ''}{size} {size + 5}{' shared' if self.shared else ''} {page})"
        second = memory.replace("(memory", '(memory (export "second")')
        parameters = "i64 " * LOCALS
        body = "\n".join(self._step() for _ in range(self.rng.randint(1, 12)))
        total = "".join(f"(i64.xor (i64.rotl (local.get {i}) (i64.const {i})) " for i in range(LOCALS)) + "(i64.const 0)" + ")" * LOCALS
        memory = memory.replace("(memory", '(memory (export "memory")')
        return f'(module {memory} {second} (func (export "f") (param {parameters}) (result i64) {body} {total}))'

    def _step(self) -> str:
        name, types, width = self.rng.choice(_ROWS)
        local = self.rng.randrange(LOCALS)
        if name == _FENCE:
            return f"(atomic.fence) (local.set {local} (i64.mul (local.get {local}) (i64.const 3)))"
        parameters, _, result = types.partition(">")
        operands = [self._operand(letter) for letter in parameters[1:]]
        if ".wait" in name:
            operands[-1] = f"(i64.const {self.rng.choice((0, 1000))})"
        access = f"({name} {self._memory()} {self._address(width)} {' '.join(operands)})"
        if not result:
            return access
        if result == "i":
            access = f"(i64.extend_i32_u {access})"
        return f"(local.set {local} {self.rng.choice((access, f'(i64.add (local.get {local}) {access})'))})"

    def _memory(self) -> str:
        second = "1 " if self.rng.random() < 0.3 else ""
        offset = self.rng.choice(("", "", "offset=8", "offset=3", "offset=65528", "offset=4294967288"))
        return second + (offset if self.rng.random() < 0.4 else "")

    def _address(self, width: int) -> str:
        reach = min(self.page_bytes, 64) if self.page_bytes > 1 else 16
        mask = reach - 1 if self.rng.random() < 0.05 else (reach - 1) & -width
        local = self.rng.randrange(LOCALS)
        if self.rng.random() < 0.2:
            number = self.rng.choice((0, 8, 16, 65528, 65532, 65535, -8, 1 << 31))
            return f"({'i64' if self.is_64 else 'i32'}.const {number})"
        text = f"(i64.and (local.get {local}) (i64.const {mask}))"
        return text if self.is_64 else f"(i32.wrap_i64 {text})"

    def _operand(self, letter: str) -> str:
        kind = "i64" if letter == "I" else "i32"
        if self.rng.random() < 0.3:
            return f"({kind}.const {self.rng.choice((0, 1, -1, 0x80, 0xFFFF, 0x12345678, -129))})"
        text = f"(local.get {self.rng.randrange(LOCALS)})"
        return text if kind == "i64" else f"(i32.wrap_i64 {text})"
