"""Code that makes Python floats of f32 values and f32 values of Python floats (`boxing`), every bit of a NaN included."""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_NE, CC_NP
from purewasm.isa.x64.float import CVTSD2SS, CVTSS2SD, UCOMISD
from purewasm.isa.x64.integer import (
    AND_RM32_IMM32,
    OR_R32_RM32,
    OR_R64_RM64,
    OR_RM32_IMM32,
    SHL_RM64_IMM8,
    SHR_RM32_IMM8,
    SHR_RM64_IMM8,
    TEST_RM32_IMM32,
)  # fmt: skip
from purewasm.isa.x64.memory import MOV_R32_RM32, MOV_RM32_R32
from purewasm.isa.x64.registers import RAX, RCX, RSP
from purewasm.isa.x64.xmm_moves import MOVQ_RM64_XMM, MOVQ_XMM_RM64, MOVSS_M32_XMM


def unbox_f32(a: Assembler, slot: int, unique: str) -> None:
    """Round; a NaN whose payload an f32 can hold keeps it, also a signalling one."""
    a.put(UCOMISD(0, 0))
    a.jump_if(CC_NP, f"{unique}round")
    a.put(MOVQ_RM64_XMM(RAX, 0), TEST_RM32_IMM32(RAX, 0x1FFF_FFFF))
    a.jump_if(CC_NE, f"{unique}round")
    a.move(RCX, RAX)
    a.put(SHR_RM64_IMM8(RAX, 29), AND_RM32_IMM32(RAX, 0x007F_FFFF), OR_RM32_IMM32(RAX, 0x7F80_0000))
    a.put(SHR_RM64_IMM8(RCX, 32), AND_RM32_IMM32(RCX, 0x8000_0000), OR_R32_RM32(RAX, RCX))
    a.put(MOV_RM32_R32(Mem(RSP, slot), RAX))
    a.jump(f"{unique}done")
    a.label(f"{unique}round")
    a.put(CVTSD2SS(0, 0), MOVSS_M32_XMM(Mem(RSP, slot), 0))
    a.label(f"{unique}done")


def box_f32(a: Assembler, slot: int, unique: str) -> None:
    a.put(CVTSS2SD(0, Mem(RSP, slot)))
    a.put(UCOMISD(0, 0))
    a.jump_if(CC_NP, f"{unique}number")
    # the bits of a NaN by hand: the conversion would make a signalling one quiet
    a.put(MOV_R32_RM32(RAX, Mem(RSP, slot)))
    a.move(RCX, RAX)
    a.put(AND_RM32_IMM32(RAX, 0x007F_FFFF), SHL_RM64_IMM8(RAX, 29), SHR_RM32_IMM8(RCX, 31), SHL_RM64_IMM8(RCX, 63), OR_R64_RM64(RAX, RCX))
    a.constant(RCX, 0x7FF0_0000_0000_0000)
    a.put(OR_R64_RM64(RAX, RCX), MOVQ_XMM_RM64(0, RAX))
    a.label(f"{unique}number")
    a.call(libc.api_address("PyFloat_FromDouble"))
