"""x86-64 for compiled code: which register has which role, and which loads can be operands.

r14        context of the running instance          r15        base of its memory 0
rax, rdx   scratch of an instruction's code          xmm13, 14, 15  scratch
rbx rbp r12 r13   preserved by calls                 the others are lost in calls
"""

from __future__ import annotations

from typing import Final

from purewasm.backend.target import Target
from purewasm.ir import ops
from purewasm.isa.x64.cpu import AVX, AVX2, BMI1, BMI2, LZCNT, POPCNT
from purewasm.isa.x64.emit.vector_direct import DIRECT
from purewasm.isa.x64.registers import R8, R9, R10, R11, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI

CONTEXT: Final = R14
MEMORY: Final = R15
# A call's target and what its checks need: no argument arrives in these.
TARGET_REGISTER: Final = R11
SECOND_REGISTER: Final = R10

NEEDED_FEATURES: Final = AVX | AVX2 | BMI1 | BMI2 | LZCNT | POPCNT


def _foldable() -> list[int]:
    table = [0] * ops.OPS
    for load, users in (
        (0x28, (0x6A, 0x6B, 0x6C, 0x71, 0x72, 0x73)),
        (0x29, (0x7C, 0x7D, 0x7E, 0x83, 0x84, 0x85)),
        (0x2A, (0x92, 0x93, 0x94, 0x95)),
        (0x2B, (0xA0, 0xA1, 0xA2, 0xA3)),
        (0x28, (ops.BR_IF,)),
    ):
        for user in users:
            table[user] = load
    for user in DIRECT:
        table[user] = ops.VECTOR_BASE
    return table


TARGET: Final = Target(
    name="x64",
    int_registers=(RDI, RSI, RCX, R8, R9, R10, R11, RBX, RBP, R12, R13),
    saved_registers=(RBX, RBP, R12, R13),
    vector_registers=tuple(range(16, 29)),
    int_arguments=(RDI, RSI, RDX, RCX, R8, R9),
    vector_arguments=tuple(range(16, 24)),
    int_result=RAX,
    vector_result=16,
    unused_int=RAX,
    unused_vector=31,
    foldable=_foldable(),
)
