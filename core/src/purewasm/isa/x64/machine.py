"""x86-64 for compiled code: which register has which role, and which loads can be operands.

r14        context of the running instance          r15        base of its memory 0
rax        scratch of an instruction's code          xmm13, 14, 15  scratch
rdx        scratch of those in `SPOILING` alone      xmm12  scratch of what stands for AVX (`legalize`)
rbx rbp r12 r13   preserved by calls                 the others are lost in calls
"""

from __future__ import annotations

from purewasm.backend.target import Target
from purewasm.ir import ops
from purewasm.isa.x64.emit.vector_direct import DIRECT
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS, INT_RESULT, VECTOR_RESULT
from purewasm.isa.x64.registers import R8, R9, R10, R11, R12, R13, RAX, RBP, RBX, RCX, RDI, RDX, RSI
from purewasm.light_typing import Final

SCRATCH: Final = 12


def _foldable(vectors: bool) -> list[int]:
    table = [0] * ops.OPS
    for load, users in (
        (0x28, (0x6A, 0x6B, 0x6C, 0x71, 0x72, 0x73)),
        (0x29, (0x7C, 0x7D, 0x7E, 0x83, 0x84, 0x85)),
        (0x2A, (0x92, 0x93, 0x94, 0x95)),
        (0x2B, (0xA0, 0xA1, 0xA2, 0xA3)),
        (0x28, (ops.BR_IF, ops.TRAP_IF)),
    ):
        for user in users:
            table[user] = load
    if vectors:
        for user in DIRECT:
            table[user] = ops.VECTOR_BASE
    return table


SPOILING: Final = (
    *range(0x6D, 0x71), *range(0x7F, 0x83),  # division
    0xB5, 0xBA,  # i64, unsigned, to floats
    ops.LANDING, ops.LANDING_TAG,  # where a tag arrives in it
    *range(ops.ATOMIC_BASE + 0x17, ops.OPS),  # atomic accesses but loads
    ops.STRUCT_NEW, ops.ARRAY_NEW, ops.ARRAY_FILL,
    ops.BR_TABLE, ops.TABLE_GET, ops.TABLE_SET, ops.ADD128_HIGH, ops.SUB128_HIGH, ops.MUL_HIGH_S, ops.MUL_HIGH_U,
)  # fmt: skip
"""Operations whose code uses rdx. Every other one does with rax, whatever places its operands have."""


def _spoiling() -> bytes:
    table = bytearray(ops.OPS)
    for op in SPOILING:
        table[op] = 1
    return bytes(table)


TARGET: Final = Target(
    name="x64",
    int_registers=(RDI, RSI, RCX, RDX, R8, R9, R10, R11, RBX, RBP, R12, R13),
    saved_registers=(RBX, RBP, R12, R13),
    vector_registers=tuple(range(16, 29)),
    int_arguments=GUEST_ARGUMENTS.int_arguments,
    vector_arguments=GUEST_ARGUMENTS.vector_arguments,
    int_result=INT_RESULT,
    vector_result=VECTOR_RESULT,
    unused_int=RAX,
    unused_vector=31,
    foldable=_foldable(True),
    spoiled_register=RDX,
    spoiling=_spoiling(),
)
# Operands of SSE in memory have to be aligned, so vectors are loaded by themselves.
TARGET_WITHOUT_AVX: Final = TARGET._replace(vector_registers=tuple(range(16, 16 + SCRATCH)), foldable=_foldable(False))
