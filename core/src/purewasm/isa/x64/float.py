"""Scalar floating point with SSE: arithmetic, compares, conversions, rounding, control words.

Two-operand forms; `vex.py` has the same with three. `merges` marks an instruction that writes the lowest lane and keeps the rest of
the destination, so that it waits for whoever wrote that register last: clear the register before it (`xorps`), or use the VEX form.
Rows are explained in `operands.py`, `opcodes.py` and `formats.py`.
"""

from __future__ import annotations

from purewasm.isa.x64.cpu import SSE4_1
from purewasm.isa.x64.formats import RM, RMI, M
from purewasm.light_typing import Final

# ADD, MUL, SUB, MIN, DIV, MAX. `min` and `max` give the second operand when one is a NaN or both are zero: not what WebAssembly asks for
ADDSS: Final = RM("addss", "+xmm, xmm/m32", "F3 0F 58 /r")
ADDSD: Final = RM("addsd", "+xmm, xmm/m64", "F2 0F 58 /r")
MULSS: Final = RM("mulss", "+xmm, xmm/m32", "F3 0F 59 /r")
MULSD: Final = RM("mulsd", "+xmm, xmm/m64", "F2 0F 59 /r")
SUBSS: Final = RM("subss", "+xmm, xmm/m32", "F3 0F 5C /r")
SUBSD: Final = RM("subsd", "+xmm, xmm/m64", "F2 0F 5C /r")
MINSS: Final = RM("minss", "+xmm, xmm/m32", "F3 0F 5D /r")
MINSD: Final = RM("minsd", "+xmm, xmm/m64", "F2 0F 5D /r")
DIVSS: Final = RM("divss", "+xmm, xmm/m32", "F3 0F 5E /r")
DIVSD: Final = RM("divsd", "+xmm, xmm/m64", "F2 0F 5E /r")
MAXSS: Final = RM("maxss", "+xmm, xmm/m32", "F3 0F 5F /r")
MAXSD: Final = RM("maxsd", "+xmm, xmm/m64", "F2 0F 5F /r")

# SQRT
SQRTSS: Final = RM("sqrtss", "=xmm, xmm/m32", "F3 0F 51 /r", merges=True)
SQRTSD: Final = RM("sqrtsd", "=xmm, xmm/m64", "F2 0F 51 /r", merges=True)

# CMPSS, CMPSD: all ones or zeros in the lowest lane; predicates 0 eq, 1 lt, 2 le, 3 unord, 4 neq, 5 nlt, 6 nle, 7 ord
CMPSS: Final = RMI("cmpss", "+xmm, xmm/m32, imm8", "F3 0F C2 /r ib")
CMPSD: Final = RMI("cmpsd", "+xmm, xmm/m64, imm8", "F2 0F C2 /r ib")

# UCOMISS, UCOMISD: flags as after an unsigned compare, parity when unordered
UCOMISS: Final = RM("ucomiss", "xmm, xmm/m32", "0F 2E /r", flags="w")
UCOMISD: Final = RM("ucomisd", "xmm, xmm/m64", "66 0F 2E /r", flags="w")

# Conversions. Out of range, `cvtt` gives the integer with only the top bit set
CVTSI2SS_XMM_RM32: Final = RM("cvtsi2ss", "=xmm, r/m32", "F3 0F 2A /r", merges=True)
CVTSI2SS_XMM_RM64: Final = RM("cvtsi2ss", "=xmm, r/m64", "F3 REX.W 0F 2A /r", merges=True)
CVTSI2SD_XMM_RM32: Final = RM("cvtsi2sd", "=xmm, r/m32", "F2 0F 2A /r", merges=True)
CVTSI2SD_XMM_RM64: Final = RM("cvtsi2sd", "=xmm, r/m64", "F2 REX.W 0F 2A /r", merges=True)
CVTTSS2SI_R32_XM32: Final = RM("cvttss2si", "=r32, xmm/m32", "F3 0F 2C /r")
CVTTSS2SI_R64_XM32: Final = RM("cvttss2si", "=r64, xmm/m32", "F3 REX.W 0F 2C /r")
CVTTSD2SI_R32_XM64: Final = RM("cvttsd2si", "=r32, xmm/m64", "F2 0F 2C /r")
CVTTSD2SI_R64_XM64: Final = RM("cvttsd2si", "=r64, xmm/m64", "F2 REX.W 0F 2C /r")
CVTSS2SD: Final = RM("cvtss2sd", "=xmm, xmm/m32", "F3 0F 5A /r", merges=True)
CVTSD2SS: Final = RM("cvtsd2ss", "=xmm, xmm/m64", "F2 0F 5A /r", merges=True)

# ROUNDSS, ROUNDSD: 8 nearest (even), 9 down, 10 up, 11 toward zero; bit 3 suppresses the inexact exception
ROUNDSS: Final = RMI("roundss", "=xmm, xmm/m32, imm8", "66 0F 3A 0A /r ib", cpu=SSE4_1, merges=True)
ROUNDSD: Final = RMI("roundsd", "=xmm, xmm/m64, imm8", "66 0F 3A 0B /r ib", cpu=SSE4_1, merges=True)

# Control words: rounding mode and exception masks of SSE and x87, part of what a calling convention preserves
LDMXCSR: Final = M("ldmxcsr", "m32", "0F AE /2")
STMXCSR: Final = M("stmxcsr", "=m32", "0F AE /3")
FLDCW: Final = M("fldcw", "m16", "D9 /5")
FNSTCW: Final = M("fnstcw", "=m16", "D9 /7")
