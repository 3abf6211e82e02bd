"""Single instructions, and sequences of them, on all registers of this machine: what they leave behind."""

from __future__ import annotations

import ctypes
import mmap
import struct
from functools import cache
from random import Random
from typing import Final

from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import ADD_RM64_IMM32, SUB_RM64_IMM32
from purewasm.isa.x64.memory import MOV_R64_RM64, MOV_RM64_R64, POP_R64, POP_RM64, PUSH_R64, PUSH_RM64
from purewasm.isa.x64.registers import R12, R13, R14, R15, RAX, RBP, RBX, RDI, RSP
from purewasm.isa.x64.xmm_moves import MOVUPS_XM128_XMM, MOVUPS_XMM_XM128

STACK_BYTES: Final = 96
"""At the stack pointer while the code runs: its contents are part of the state."""
DATA_BYTES: Final = 128
"""Where r15 points to."""
_SAVED: Final = (RBX, RBP, R12, R13, R14, R15)
_PUSHFQ, _POPFQ = b"\x9c", b"\x9d"
_GPRS, _FLAGS, _STACK = 256, 384, 392
_STATE_BYTES: Final = _STACK + STACK_BYTES
_POOL_ALIGNMENT: Final = 32
_ARITHMETIC_FLAGS: Final = 0x8D5
_CALL: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class State:
    """All that code finds: 16 vector registers, 15 general purpose ones, flags, stack and data."""

    def __init__(self, rng: Random) -> None:
        self.vectors = [_vector(rng) for _ in range(16)]
        self.integers = [rng.choice((0, 1, 31, 32, 63, rng.getrandbits(6), rng.getrandbits(32), rng.getrandbits(64))) for _ in range(16)]
        self.flags = rng.getrandbits(12) & _ARITHMETIC_FLAGS
        self.stack = b"".join([_vector(rng) for _ in range(STACK_BYTES // 16)])
        self.data = b"".join([_vector(rng) for _ in range(DATA_BYTES // 16)])


_LANES: Final = (
    0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7F80_0000, 0x7FC0_0000, 0x7F80_0001, 0xFFC1_2345, 0x3F80_0000, 0x4F00_0000,
    0x7FF0_0000, 0x7FF8_0000, 0xFFF0_0001, 0x3FF0_0000, 0x41E0_0000, 0x00FF_7F80, 0x8000_7FFF,
)  # fmt: skip
_FLOATS: Final = (0.0, -0.0, 1.5, -2.5, 0.1, 2.0**31, 2.0**32, float("inf"), float("nan"))


def _vector(rng: Random) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(16)
    if kind < 3:
        return struct.pack("<2d" if kind == 1 else "<4f", *rng.choices((*_FLOATS, rng.uniform(-1e3, 1e3)), k=2 * kind))
    return struct.pack("<4I", *(rng.choice(_LANES) for _ in "1234"))


Left = tuple[list[bytes], list[int], int, bytes, bytes]
"""Vector registers, general purpose registers, flags, stack, data."""


class Bench:
    """Code that can be run on a state: added piece by piece, then loaded as a whole."""

    def __init__(self) -> None:
        self._code = bytearray()
        self._address = 0
        self._data = mmap.mmap(-1, DATA_BYTES)
        self._data_address = ctypes.addressof(ctypes.c_char.from_buffer(self._data))
        self._state = ctypes.create_string_buffer(_STATE_BYTES)

    def add(self, code: bytes, constants: list[tuple[int, int, bytes]]) -> int:
        """A piece of code, with (offset of a distance, bytes behind it, constant). Gives its number."""
        pieces = _entry(), code, _exit()
        body = bytearray(b"".join(pieces))
        for offset, behind, constant in constants:
            body += bytes(-len(body) % _POOL_ALIGNMENT)
            at = len(pieces[0]) + offset
            body[at : at + 4] = struct.pack("<i", len(body) - at - 4 - behind)
            body += constant
        self._code += bytes(-len(self._code) % _POOL_ALIGNMENT)
        start = len(self._code)
        self._code += body
        return start

    def load(self) -> None:
        self._memory = mmap.mmap(-1, len(self._code) + 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self._memory.write(bytes(self._code))
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))

    def run(self, number: int, state: State) -> Left:
        """What a piece leaves behind."""
        raw, call = self._state, _CALL
        integers = list(state.integers)
        integers[R15] = self._data_address
        self._data[:] = state.data
        raw.raw = b"".join(state.vectors) + struct.pack("<17Q", *integers, state.flags | 0x202) + state.stack
        call(self._address + number)(ctypes.addressof(raw))
        found = raw.raw
        numbers = list(struct.unpack_from("<17Q", found, _GPRS))
        numbers[RSP] = 0
        vectors = [found[16 * i : 16 * i + 16] for i in range(16)]
        return vectors, numbers[:16], numbers[16] & _ARITHMETIC_FLAGS, found[_STACK:], bytes(self._data)


@cache
def _entry() -> bytes:
    """Save what C wants saved, copy the stack, and fill every register; the state's address is above the stack."""
    code = b"".join(map(PUSH_R64, _SAVED)) + PUSH_R64(RDI) + SUB_RM64_IMM32(RSP, STACK_BYTES)
    for offset in range(0, STACK_BYTES, 8):
        code += MOV_R64_RM64(RAX, Mem(RDI, _STACK + offset)) + MOV_RM64_R64(Mem(RSP, offset), RAX)
    code += b"".join([MOVUPS_XMM_XM128(i, Mem(RDI, 16 * i)) for i in range(16)])
    code += PUSH_RM64(Mem(RDI, _FLAGS)) + _POPFQ
    return code + b"".join([MOV_R64_RM64(i, Mem(RDI, _GPRS + 8 * i)) for i in (*range(RSP), *range(RSP + 1, RDI), *range(8, 16), RDI)])


@cache
def _exit() -> bytes:
    """Everything back into the state."""
    code = _PUSHFQ + PUSH_R64(RDI) + MOV_R64_RM64(RDI, Mem(RSP, STACK_BYTES + 16))
    code += POP_RM64(Mem(RDI, _GPRS + 8 * RDI)) + POP_RM64(Mem(RDI, _FLAGS))
    code += b"".join([MOVUPS_XM128_XMM(Mem(RDI, 16 * i), i) for i in range(16)])
    code += b"".join([MOV_RM64_R64(Mem(RDI, _GPRS + 8 * i), i) for i in range(16) if i not in (RSP, RDI)])
    for offset in range(0, STACK_BYTES, 8):
        code += MOV_R64_RM64(RAX, Mem(RSP, offset)) + MOV_RM64_R64(Mem(RDI, _STACK + offset), RAX)
    return code + ADD_RM64_IMM32(RSP, STACK_BYTES + 8) + b"".join(map(POP_R64, reversed(_SAVED))) + RET()
