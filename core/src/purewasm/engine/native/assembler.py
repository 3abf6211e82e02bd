"""A few lines of assembler for the engine's own code: instruction rows joined, labels, constants and calls of C functions."""

from __future__ import annotations

from purewasm.isa.x64.address import RIP, Mem, pack_i32
from purewasm.isa.x64.control import CALL_RM64, JCC_REL32, JMP_REL32
from purewasm.isa.x64.integer import XOR_R32_RM32
from purewasm.isa.x64.memory import LEA_R64_M, MOV_R32_IMM32, MOV_R64_RM64, MOV_RM64_R64, MOVABS, POP_R64, PUSH_R64
from purewasm.isa.x64.registers import R12, R13, R14, R15, RAX, RBP, RBX
from purewasm.light_library import lru_cache
from purewasm.light_typing import Final, final

SAVED: Final = (RBP, RBX, R12, R13, R14, R15)
"""What C functions preserve, in the order in which the engine's code pushes it."""
SAVED_BYTES: Final = 8 * len(SAVED)

# Most of a start's code is these, three times in four the same ones.


@lru_cache(maxsize=1024)
def _load(register: int, base: int, offset: int) -> bytes:
    return MOV_R64_RM64(register, Mem(base, offset))


@lru_cache(maxsize=1024)
def _store(base: int, offset: int, register: int) -> bytes:
    return MOV_RM64_R64(Mem(base, offset), register)


@lru_cache(maxsize=256)
def _move(to: int, register: int) -> bytes:
    return MOV_R64_RM64(to, register)


@lru_cache(maxsize=1024)
def _lea(register: int, base: int, offset: int) -> bytes:
    return LEA_R64_M(register, Mem(base, offset))


@final
class Assembler:
    """Code under construction. Jumps are 32 bits wide: none of this code is so hot that it matters."""

    def __init__(self) -> None:
        self.code = bytearray()
        self._labels: dict[str, int] = {}
        self._uses: list[tuple[int, str]] = []

    def put(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.code += piece

    def label(self, name: str) -> None:
        self._labels[name] = len(self.code)

    def jump(self, name: str) -> None:
        self._use(JMP_REL32.code, name)

    def jump_if(self, condition: int, name: str) -> None:
        self._use(JCC_REL32[condition].code, name)

    def address_of(self, register: int, name: str) -> None:
        """The address of a label in a register."""
        self._use(LEA_R64_M(register, Mem(RIP))[:-4], name)

    def _use(self, code: bytes, name: str) -> None:
        self.code += code
        self._uses.append((len(self.code), name))
        self.code += b"\0\0\0\0"

    def constant(self, register: int, value: int) -> None:
        if value == 0:
            self.code += XOR_R32_RM32(register, register)
        elif 0 < value < 1 << 32:
            self.code += MOV_R32_IMM32(register, value)
        else:
            self.code += MOVABS(register, value & (1 << 64) - 1)

    def call(self, address: int) -> None:
        """Call a C function; the stack pointer is at a multiple of 16. Uses rax."""
        self.constant(RAX, address)
        self.code += CALL_RM64(RAX)

    def load(self, register: int, base: int, offset: int = 0) -> None:
        self.code += _load(register, base, offset)

    def store(self, base: int, offset: int, register: int) -> None:
        self.code += _store(base, offset, register)

    def move(self, to: int, register: int) -> None:
        self.code += _move(to, register)

    def lea(self, register: int, base: int, offset: int) -> None:
        self.code += _lea(register, base, offset)

    def push_saved(self) -> None:
        self.put(*map(PUSH_R64, SAVED))

    def pop_saved(self) -> None:
        self.put(*map(POP_R64, reversed(SAVED)))

    def finish(self) -> bytes:
        """The bytes, every label resolved."""
        for at, name in self._uses:
            self.code[at : at + 4] = pack_i32(self._labels[name] - at - 4)
        return bytes(self.code)
