"""Moves between registers, memory and constants: mov, extension, addresses, the stack, runs of bytes.

Loads narrower than 32 bits are `movzx`/`movsx`; a 32-bit load or move clears the upper half. Rows are explained in `operands.py`,
`opcodes.py` and `formats.py`.
"""

from __future__ import annotations

from purewasm.isa.x64.formats import MI, MR, OI, RM, ZO, I, M, O
from purewasm.light_typing import Final

# MOV
MOV_R8_RM8: Final = RM("mov", "=r8, r/m8", "8A /r")
MOV_R16_RM16: Final = RM("mov", "=r16, r/m16", "66 8B /r")
MOV_R32_RM32: Final = RM("mov", "=r32, r/m32", "8B /r")
MOV_R64_RM64: Final = RM("mov", "=r64, r/m64", "REX.W 8B /r")
MOV_RM8_R8: Final = MR("mov", "=r/m8, r8", "88 /r")
MOV_RM16_R16: Final = MR("mov", "=r/m16, r16", "66 89 /r")
MOV_RM32_R32: Final = MR("mov", "=r/m32, r32", "89 /r")
MOV_RM64_R64: Final = MR("mov", "=r/m64, r64", "REX.W 89 /r")
MOV_RM8_IMM8: Final = MI("mov", "=r/m8, imm8", "C6 /0 ib")
MOV_RM16_IMM16: Final = MI("mov", "=r/m16, imm16", "66 C7 /0 iw")
MOV_RM32_IMM32: Final = MI("mov", "=r/m32, imm32", "C7 /0 id")
MOV_RM64_IMM32: Final = MI("mov", "=r/m64, simm32", "REX.W C7 /0 id")
MOV_R32_IMM32: Final = OI("mov", "=r32, imm32", "B8+r id")
MOVABS: Final = OI("movabs", "=r64, imm64", "REX.W B8+r io")

# MOVZX, MOVSX, MOVSXD
MOVZX_R32_RM8: Final = RM("movzx", "=r32, r/m8", "0F B6 /r")
MOVZX_R32_RM16: Final = RM("movzx", "=r32, r/m16", "0F B7 /r")
MOVSX_R32_RM8: Final = RM("movsx", "=r32, r/m8", "0F BE /r")
MOVSX_R32_RM16: Final = RM("movsx", "=r32, r/m16", "0F BF /r")
MOVSX_R64_RM8: Final = RM("movsx", "=r64, r/m8", "REX.W 0F BE /r")
MOVSX_R64_RM16: Final = RM("movsx", "=r64, r/m16", "REX.W 0F BF /r")
MOVSXD: Final = RM("movsxd", "=r64, r/m32", "REX.W 63 /r")

# LEA
LEA_R32_M: Final = RM("lea", "=r32, ~m", "8D /r")
LEA_R64_M: Final = RM("lea", "=r64, ~m", "REX.W 8D /r")

# PUSH, POP
PUSH_R64: Final = O("push", "r64", "50+r", implicit="+rsp", faults="#PF")
PUSH_RM64: Final = M("push", "r/m64", "FF /6", implicit="+rsp", faults="#PF")
PUSH_IMM8: Final = I("push", "simm8", "6A ib", implicit="+rsp", faults="#PF")
PUSH_IMM32: Final = I("push", "simm32", "68 id", implicit="+rsp", faults="#PF")
POP_R64: Final = O("pop", "=r64", "58+r", implicit="+rsp", faults="#PF")
POP_RM64: Final = M("pop", "=r/m64", "8F /0", implicit="+rsp", faults="#PF")

# REP MOVS, REP STOS: rcx elements from rsi, or of al/rax, to rdi; the direction flag is clear in every calling convention
REP_MOVSB: Final = ZO("rep movsb", "", "F3 A4", implicit="+rcx, +rsi, +rdi", faults="#PF")
REP_MOVSQ: Final = ZO("rep movsq", "", "F3 REX.W A5", implicit="+rcx, +rsi, +rdi", faults="#PF")
REP_STOSB: Final = ZO("rep stosb", "", "F3 AA", implicit="+rcx, +rdi, rax", faults="#PF")
REP_STOSQ: Final = ZO("rep stosq", "", "F3 REX.W AB", implicit="+rcx, +rdi, rax", faults="#PF")

# XCHG: with memory it is atomic, without a prefix
XCHG_RM8_R8: Final = MR("xchg", "+r/m8, +r8", "86 /r")
XCHG_RM16_R16: Final = MR("xchg", "+r/m16, +r16", "66 87 /r")
XCHG_RM32_R32: Final = MR("xchg", "+r/m32, +r32", "87 /r")
XCHG_RM64_R64: Final = MR("xchg", "+r/m64, +r64", "REX.W 87 /r")
