"""Finding out what the present processor can do: machine code that asks it, and the reading of its answers.

`cpuid_stub(convention)` is a C function `void f(uint32_t answers[26])`, position independent; the engine puts it into executable
memory and calls it once. It answers `QUERIES` in order, eax to edx each, then XCR0 in two words (zeros where the operating
system does not use XSAVE). `features_of(answers)` is pure: it makes the set of `cpu.py` from those 26 numbers.

Intel SDM volume 2, CPUID; volume 1, 14.3 "Detection of Intel AVX Instructions".
"""

from __future__ import annotations

from purewasm.isa.x64 import cpu
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_AE
from purewasm.isa.x64.control import CPUID, JCC_REL8, RET, XGETBV
from purewasm.isa.x64.integer import BT_RM32_IMM8, XOR_R32_RM32
from purewasm.isa.x64.memory import MOV_R32_IMM32, MOV_R64_RM64, MOV_RM32_R32, POP_R64, PUSH_R64
from purewasm.isa.x64.registers import R8, RAX, RBX, RCX, RDX
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.isa.x64.abi import CallingConvention

# (leaf, subleaf). 0 and 0x80000000 say how far the basic and the extended leaves go; a leaf beyond that answers nonsense.
QUERIES: Final = ((0, 0), (1, 0), (7, 0), (7, 1), (0x8000_0000, 0), (0x8000_0001, 0))
ANSWER_WORDS: Final = 4 * len(QUERIES) + 2

_EAX, _EBX, _ECX, _EDX = range(4)
_OSXSAVE_BIT: Final = 27
_XMM_AND_YMM_STATE: Final = 0b110

# (query, register, bit, feature)
_BITS: Final = (
    (1, _ECX, 0, cpu.SSE3),
    (1, _ECX, 9, cpu.SSSE3),
    (1, _ECX, 12, cpu.FMA),
    (1, _ECX, 13, cpu.CX16),
    (1, _ECX, 19, cpu.SSE4_1),
    (1, _ECX, 20, cpu.SSE4_2),
    (1, _ECX, 22, cpu.MOVBE),
    (1, _ECX, 23, cpu.POPCNT),
    (1, _ECX, 28, cpu.AVX),
    (1, _ECX, 29, cpu.F16C),
    (2, _EBX, 3, cpu.BMI1),
    (2, _EBX, 5, cpu.AVX2),
    (2, _EBX, 8, cpu.BMI2),
    (2, _EBX, 9, cpu.ERMS),
    (2, _EDX, 4, cpu.FSRM),
    (3, _EAX, 4, cpu.AVX_VNNI),
    (5, _ECX, 0, cpu.LAHF),
    (5, _ECX, 5, cpu.LZCNT),
)


# "Genu", and the models of family 6 from Skylake to Comet Lake (Intel, "Mitigations for Jump Conditional Code Erratum").
_INTEL: Final = 0x756E_6547
_JCC_ERRATUM_MODELS: Final = frozenset((0x4E, 0x55, 0x5E, 0x8E, 0x9E, 0xA5, 0xA6))


def cpuid_stub(convention: CallingConvention) -> bytes:
    """The code of the function that fills the answers."""
    code = PUSH_R64(RBX) + MOV_R64_RM64(R8, convention.gpr_arguments[0])
    for number, (leaf, subleaf) in enumerate(QUERIES):
        code += MOV_R32_IMM32(RAX, leaf) + MOV_R32_IMM32(RCX, subleaf) + CPUID()
        for word, register in enumerate((RAX, RBX, RCX, RDX)):
            code += MOV_RM32_R32(Mem(R8, 16 * number + 4 * word), register)
        if number == 1:
            code += _store_xcr0()
    return code + POP_R64(RBX) + RET()


def _store_xcr0() -> bytes:
    """With OSXSAVE in ecx: XCR0, or zero, into the last two answers."""
    ask = XOR_R32_RM32(RCX, RCX) + XGETBV()
    last = 4 * (ANSWER_WORDS - 2)
    # Zeros by `mov`, since `xor` would write the carry flag that `bt` sets.
    code = BT_RM32_IMM8(RCX, _OSXSAVE_BIT) + MOV_R32_IMM32(RAX, 0) + MOV_R32_IMM32(RDX, 0)
    code += JCC_REL8[CC_AE](len(ask)) + ask
    return code + MOV_RM32_R32(Mem(R8, last), RAX) + MOV_RM32_R32(Mem(R8, last + 4), RDX)


def features_of(answers: Sequence[int]) -> int:
    """The set of features that 26 answers stand for."""
    features = cpu.BASELINE
    for query, register, bit, feature in _BITS:
        leaf, subleaf = QUERIES[query]
        answered = answers[16 if leaf >> 31 else 0] >= leaf
        if subleaf:
            answered = answered and answers[8] >= subleaf  # leaf 7 says in eax how far its subleaves go
        if answered and answers[4 * query + register] >> bit & 1:
            features |= feature
    if answers[24] & _XMM_AND_YMM_STATE != _XMM_AND_YMM_STATE:
        features &= ~cpu.NEEDS_SAVED_YMM
    if answers[1] == _INTEL and answers[4] >> 8 & 0xF == 6 and (answers[4] >> 12 & 0xF0 | answers[4] >> 4 & 0xF) in _JCC_ERRATUM_MODELS:
        features |= cpu.JCC_ERRATUM
    return features
