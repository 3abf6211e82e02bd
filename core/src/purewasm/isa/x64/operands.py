"""The operand column of the instruction tables: what each operand may be, and what the instruction does with it.

Words are Intel's, with a role in front as constraints of inline assembly have it:

    r32  xmm  r/m32  xmm/m64  r32/m8  m128  m      a register, a register or memory, memory of so many bits, an address
    imm8 imm16 imm32 imm64                         a constant of that width, any bit pattern, printed unsigned
    simm8 simm32                                   a constant that the instruction sign-extends
    rel8 rel32                                     a distance from the end of the instruction
    al ax eax rax cl xmm0 1                        always this; takes no argument

    (nothing) read    = written    + read and written    ~ encoded, but the memory is not accessed (`lea`, long `nop`)

`=` on a 32-bit register clears the upper half. Where old content of a written register can show through (the upper lanes after
`cvtsi2sd`, all of it after `bsf` of zero) the row says `merges`: the processor waits for whoever wrote the register before.
"""

from __future__ import annotations

from purewasm.light_typing import Final, final

_REGISTER_WORDS: Final = {"r": "", "xmm": "xmm", "r8": "r8", "r16": "r16", "r32": "r32", "r64": "r64"}
# Bits and signedness of constants.
_CONSTANTS: Final = {
    "imm8": (8, False), "imm16": (16, False), "imm32": (32, False), "imm64": (64, False),
    "simm8": (8, True), "simm32": (32, True), "rel8": (8, True), "rel32": (32, True),
}  # fmt: skip


@final
class Operand:
    """One operand: `register` is the word of its register form ("" if none), `memory_bits` -1 if it cannot be memory, 0 for `m`."""

    __slots__ = ("accesses", "constant_bits", "memory_bits", "reads", "register", "signed", "word", "writes")

    def __init__(self, text: str) -> None:
        role = text[0] if text[0] in "=+~" else ""
        self.word = text[len(role) :]
        self.reads, self.writes, self.accesses = role in ("", "+"), role in ("=", "+"), role != "~"
        self.register, self.memory_bits = "", -1
        self.constant_bits, self.signed = _CONSTANTS.get(self.word, (0, False))
        register, _, memory = self.word.rpartition("/")
        if memory[0] == "m":
            self.memory_bits = int(memory[1:] or 0)
            # `r/m32` is short for `r32/m32`.
            self.register = f"r{self.memory_bits}" if register == "r" else register
        elif self.word in _REGISTER_WORDS:
            self.register = self.word

    @property
    def is_fixed(self) -> bool:
        """Whether the operand is part of the mnemonic rather than an argument of the encoder."""
        return not self.constant_bits and not self.register and self.memory_bits < 0

    @property
    def name_part(self) -> str:
        """The operand as part of the name of a row: `r/m32` RM32, `xmm/m64` XM64, `r32/m8` R32M8, `simm8` IMM8."""
        if self.word[:3] == "r/m":
            return "RM" + self.word[3:]
        if self.word[:5] == "xmm/m":
            return "XM" + self.word[5:]
        return self.word.removeprefix("s" if self.constant_bits else "").replace("/", "").upper()


_CACHE: Final[dict[str, Operand]] = {}


def parse_operands(text: str) -> tuple[Operand, ...]:
    """Read one cell of the operand column. Equal operands are one object."""
    found = []
    for word in text.split(", ") if text else ():
        operand = _CACHE.get(word)
        if operand is None:
            operand = _CACHE[word] = Operand(word)
        found.append(operand)
    return tuple(found)
