"""Integer arithmetic, logic, shifts, compares and conditional moves on general purpose registers and memory.

A row is a line of the manual's tables, in their words: `operands.py` explains the operand column (`+` read and written, `=`
written), `opcodes.py` the opcode column, `formats.py` the format in front. 8- and 16-bit rows exist where WebAssembly's
narrow loads, stores and atomics can use them. Every 32-bit row that writes a register clears its upper half.
"""

from __future__ import annotations

from purewasm.isa.x64.formats import MI, MR, MRI, RM, RMI, ZO, I, M, O, by_condition
from purewasm.light_typing import Final

# ADD
ADD_R32_RM32: Final = RM("add", "+r32, r/m32", "03 /r", flags="w")
ADD_R64_RM64: Final = RM("add", "+r64, r/m64", "REX.W 03 /r", flags="w")
ADD_RM8_R8: Final = MR("add", "+r/m8, r8", "00 /r", flags="w")
ADD_RM16_R16: Final = MR("add", "+r/m16, r16", "66 01 /r", flags="w")
ADD_RM32_R32: Final = MR("add", "+r/m32, r32", "01 /r", flags="w")
ADD_RM64_R64: Final = MR("add", "+r/m64, r64", "REX.W 01 /r", flags="w")
ADD_RM8_IMM8: Final = MI("add", "+r/m8, imm8", "80 /0 ib", flags="w")
ADD_RM16_IMM8: Final = MI("add", "+r/m16, simm8", "66 83 /0 ib", flags="w")
ADD_RM16_IMM16: Final = MI("add", "+r/m16, imm16", "66 81 /0 iw", flags="w")
ADD_RM32_IMM8: Final = MI("add", "+r/m32, simm8", "83 /0 ib", flags="w")
ADD_RM32_IMM32: Final = MI("add", "+r/m32, imm32", "81 /0 id", flags="w")
ADD_RM64_IMM8: Final = MI("add", "+r/m64, simm8", "REX.W 83 /0 ib", flags="w")
ADD_RM64_IMM32: Final = MI("add", "+r/m64, simm32", "REX.W 81 /0 id", flags="w")
ADD_EAX_IMM32: Final = I("add", "+eax, imm32", "05 id", flags="w")
ADD_RAX_IMM32: Final = I("add", "+rax, simm32", "REX.W 05 id", flags="w")

# OR
OR_R32_RM32: Final = RM("or", "+r32, r/m32", "0B /r", flags="w")
OR_R64_RM64: Final = RM("or", "+r64, r/m64", "REX.W 0B /r", flags="w")
OR_RM8_R8: Final = MR("or", "+r/m8, r8", "08 /r", flags="w")
OR_RM16_R16: Final = MR("or", "+r/m16, r16", "66 09 /r", flags="w")
OR_RM32_R32: Final = MR("or", "+r/m32, r32", "09 /r", flags="w")
OR_RM64_R64: Final = MR("or", "+r/m64, r64", "REX.W 09 /r", flags="w")
OR_RM8_IMM8: Final = MI("or", "+r/m8, imm8", "80 /1 ib", flags="w")
OR_RM16_IMM8: Final = MI("or", "+r/m16, simm8", "66 83 /1 ib", flags="w")
OR_RM16_IMM16: Final = MI("or", "+r/m16, imm16", "66 81 /1 iw", flags="w")
OR_RM32_IMM8: Final = MI("or", "+r/m32, simm8", "83 /1 ib", flags="w")
OR_RM32_IMM32: Final = MI("or", "+r/m32, imm32", "81 /1 id", flags="w")
OR_RM64_IMM8: Final = MI("or", "+r/m64, simm8", "REX.W 83 /1 ib", flags="w")
OR_RM64_IMM32: Final = MI("or", "+r/m64, simm32", "REX.W 81 /1 id", flags="w")
OR_EAX_IMM32: Final = I("or", "+eax, imm32", "0D id", flags="w")
OR_RAX_IMM32: Final = I("or", "+rax, simm32", "REX.W 0D id", flags="w")

# ADC
ADC_R32_RM32: Final = RM("adc", "+r32, r/m32", "13 /r", flags="rw")
ADC_R64_RM64: Final = RM("adc", "+r64, r/m64", "REX.W 13 /r", flags="rw")
ADC_RM32_R32: Final = MR("adc", "+r/m32, r32", "11 /r", flags="rw")
ADC_RM64_R64: Final = MR("adc", "+r/m64, r64", "REX.W 11 /r", flags="rw")
ADC_RM32_IMM8: Final = MI("adc", "+r/m32, simm8", "83 /2 ib", flags="rw")
ADC_RM32_IMM32: Final = MI("adc", "+r/m32, imm32", "81 /2 id", flags="rw")
ADC_RM64_IMM8: Final = MI("adc", "+r/m64, simm8", "REX.W 83 /2 ib", flags="rw")
ADC_RM64_IMM32: Final = MI("adc", "+r/m64, simm32", "REX.W 81 /2 id", flags="rw")
ADC_EAX_IMM32: Final = I("adc", "+eax, imm32", "15 id", flags="rw")
ADC_RAX_IMM32: Final = I("adc", "+rax, simm32", "REX.W 15 id", flags="rw")

# SBB
SBB_R32_RM32: Final = RM("sbb", "+r32, r/m32", "1B /r", flags="rw")
SBB_R64_RM64: Final = RM("sbb", "+r64, r/m64", "REX.W 1B /r", flags="rw")
SBB_RM32_R32: Final = MR("sbb", "+r/m32, r32", "19 /r", flags="rw")
SBB_RM64_R64: Final = MR("sbb", "+r/m64, r64", "REX.W 19 /r", flags="rw")
SBB_RM32_IMM8: Final = MI("sbb", "+r/m32, simm8", "83 /3 ib", flags="rw")
SBB_RM32_IMM32: Final = MI("sbb", "+r/m32, imm32", "81 /3 id", flags="rw")
SBB_RM64_IMM8: Final = MI("sbb", "+r/m64, simm8", "REX.W 83 /3 ib", flags="rw")
SBB_RM64_IMM32: Final = MI("sbb", "+r/m64, simm32", "REX.W 81 /3 id", flags="rw")
SBB_EAX_IMM32: Final = I("sbb", "+eax, imm32", "1D id", flags="rw")
SBB_RAX_IMM32: Final = I("sbb", "+rax, simm32", "REX.W 1D id", flags="rw")

# AND
AND_R32_RM32: Final = RM("and", "+r32, r/m32", "23 /r", flags="w")
AND_R64_RM64: Final = RM("and", "+r64, r/m64", "REX.W 23 /r", flags="w")
AND_RM8_R8: Final = MR("and", "+r/m8, r8", "20 /r", flags="w")
AND_RM16_R16: Final = MR("and", "+r/m16, r16", "66 21 /r", flags="w")
AND_RM32_R32: Final = MR("and", "+r/m32, r32", "21 /r", flags="w")
AND_RM64_R64: Final = MR("and", "+r/m64, r64", "REX.W 21 /r", flags="w")
AND_RM8_IMM8: Final = MI("and", "+r/m8, imm8", "80 /4 ib", flags="w")
AND_RM16_IMM8: Final = MI("and", "+r/m16, simm8", "66 83 /4 ib", flags="w")
AND_RM16_IMM16: Final = MI("and", "+r/m16, imm16", "66 81 /4 iw", flags="w")
AND_RM32_IMM8: Final = MI("and", "+r/m32, simm8", "83 /4 ib", flags="w")
AND_RM32_IMM32: Final = MI("and", "+r/m32, imm32", "81 /4 id", flags="w")
AND_RM64_IMM8: Final = MI("and", "+r/m64, simm8", "REX.W 83 /4 ib", flags="w")
AND_RM64_IMM32: Final = MI("and", "+r/m64, simm32", "REX.W 81 /4 id", flags="w")
AND_EAX_IMM32: Final = I("and", "+eax, imm32", "25 id", flags="w")
AND_RAX_IMM32: Final = I("and", "+rax, simm32", "REX.W 25 id", flags="w")

# SUB
SUB_R32_RM32: Final = RM("sub", "+r32, r/m32", "2B /r", flags="w")
SUB_R64_RM64: Final = RM("sub", "+r64, r/m64", "REX.W 2B /r", flags="w")
SUB_RM8_R8: Final = MR("sub", "+r/m8, r8", "28 /r", flags="w")
SUB_RM16_R16: Final = MR("sub", "+r/m16, r16", "66 29 /r", flags="w")
SUB_RM32_R32: Final = MR("sub", "+r/m32, r32", "29 /r", flags="w")
SUB_RM64_R64: Final = MR("sub", "+r/m64, r64", "REX.W 29 /r", flags="w")
SUB_RM8_IMM8: Final = MI("sub", "+r/m8, imm8", "80 /5 ib", flags="w")
SUB_RM16_IMM8: Final = MI("sub", "+r/m16, simm8", "66 83 /5 ib", flags="w")
SUB_RM16_IMM16: Final = MI("sub", "+r/m16, imm16", "66 81 /5 iw", flags="w")
SUB_RM32_IMM8: Final = MI("sub", "+r/m32, simm8", "83 /5 ib", flags="w")
SUB_RM32_IMM32: Final = MI("sub", "+r/m32, imm32", "81 /5 id", flags="w")
SUB_RM64_IMM8: Final = MI("sub", "+r/m64, simm8", "REX.W 83 /5 ib", flags="w")
SUB_RM64_IMM32: Final = MI("sub", "+r/m64, simm32", "REX.W 81 /5 id", flags="w")
SUB_EAX_IMM32: Final = I("sub", "+eax, imm32", "2D id", flags="w")
SUB_RAX_IMM32: Final = I("sub", "+rax, simm32", "REX.W 2D id", flags="w")

# XOR
XOR_R32_RM32: Final = RM("xor", "+r32, r/m32", "33 /r", flags="w")
XOR_R64_RM64: Final = RM("xor", "+r64, r/m64", "REX.W 33 /r", flags="w")
XOR_RM8_R8: Final = MR("xor", "+r/m8, r8", "30 /r", flags="w")
XOR_RM16_R16: Final = MR("xor", "+r/m16, r16", "66 31 /r", flags="w")
XOR_RM32_R32: Final = MR("xor", "+r/m32, r32", "31 /r", flags="w")
XOR_RM64_R64: Final = MR("xor", "+r/m64, r64", "REX.W 31 /r", flags="w")
XOR_RM8_IMM8: Final = MI("xor", "+r/m8, imm8", "80 /6 ib", flags="w")
XOR_RM16_IMM8: Final = MI("xor", "+r/m16, simm8", "66 83 /6 ib", flags="w")
XOR_RM16_IMM16: Final = MI("xor", "+r/m16, imm16", "66 81 /6 iw", flags="w")
XOR_RM32_IMM8: Final = MI("xor", "+r/m32, simm8", "83 /6 ib", flags="w")
XOR_RM32_IMM32: Final = MI("xor", "+r/m32, imm32", "81 /6 id", flags="w")
XOR_RM64_IMM8: Final = MI("xor", "+r/m64, simm8", "REX.W 83 /6 ib", flags="w")
XOR_RM64_IMM32: Final = MI("xor", "+r/m64, simm32", "REX.W 81 /6 id", flags="w")
XOR_EAX_IMM32: Final = I("xor", "+eax, imm32", "35 id", flags="w")
XOR_RAX_IMM32: Final = I("xor", "+rax, simm32", "REX.W 35 id", flags="w")

# CMP
CMP_R8_RM8: Final = RM("cmp", "r8, r/m8", "3A /r", flags="w")
CMP_R16_RM16: Final = RM("cmp", "r16, r/m16", "66 3B /r", flags="w")
CMP_R32_RM32: Final = RM("cmp", "r32, r/m32", "3B /r", flags="w")
CMP_R64_RM64: Final = RM("cmp", "r64, r/m64", "REX.W 3B /r", flags="w")
CMP_RM8_R8: Final = MR("cmp", "r/m8, r8", "38 /r", flags="w")
CMP_RM16_R16: Final = MR("cmp", "r/m16, r16", "66 39 /r", flags="w")
CMP_RM32_R32: Final = MR("cmp", "r/m32, r32", "39 /r", flags="w")
CMP_RM64_R64: Final = MR("cmp", "r/m64, r64", "REX.W 39 /r", flags="w")
CMP_RM8_IMM8: Final = MI("cmp", "r/m8, imm8", "80 /7 ib", flags="w")
CMP_RM16_IMM8: Final = MI("cmp", "r/m16, simm8", "66 83 /7 ib", flags="w")
CMP_RM16_IMM16: Final = MI("cmp", "r/m16, imm16", "66 81 /7 iw", flags="w")
CMP_RM32_IMM8: Final = MI("cmp", "r/m32, simm8", "83 /7 ib", flags="w")
CMP_RM32_IMM32: Final = MI("cmp", "r/m32, imm32", "81 /7 id", flags="w")
CMP_RM64_IMM8: Final = MI("cmp", "r/m64, simm8", "REX.W 83 /7 ib", flags="w")
CMP_RM64_IMM32: Final = MI("cmp", "r/m64, simm32", "REX.W 81 /7 id", flags="w")
CMP_EAX_IMM32: Final = I("cmp", "eax, imm32", "3D id", flags="w")
CMP_RAX_IMM32: Final = I("cmp", "rax, simm32", "REX.W 3D id", flags="w")

# TEST
TEST_RM8_R8: Final = MR("test", "r/m8, r8", "84 /r", flags="w")
TEST_RM16_R16: Final = MR("test", "r/m16, r16", "66 85 /r", flags="w")
TEST_RM32_R32: Final = MR("test", "r/m32, r32", "85 /r", flags="w")
TEST_RM64_R64: Final = MR("test", "r/m64, r64", "REX.W 85 /r", flags="w")
TEST_RM8_IMM8: Final = MI("test", "r/m8, imm8", "F6 /0 ib", flags="w")
TEST_RM16_IMM16: Final = MI("test", "r/m16, imm16", "66 F7 /0 iw", flags="w")
TEST_RM32_IMM32: Final = MI("test", "r/m32, imm32", "F7 /0 id", flags="w")
TEST_RM64_IMM32: Final = MI("test", "r/m64, simm32", "REX.W F7 /0 id", flags="w")
TEST_EAX_IMM32: Final = I("test", "eax, imm32", "A9 id", flags="w")
TEST_RAX_IMM32: Final = I("test", "rax, simm32", "REX.W A9 id", flags="w")

# NEG, NOT
NEG_RM32: Final = M("neg", "+r/m32", "F7 /3", flags="w")
NEG_RM64: Final = M("neg", "+r/m64", "REX.W F7 /3", flags="w")
NOT_RM32: Final = M("not", "+r/m32", "F7 /2")
NOT_RM64: Final = M("not", "+r/m64", "REX.W F7 /2")

# INC, DEC: a byte shorter than `add` and `sub` of 1; they leave the carry flag alone
INC_RM32: Final = M("inc", "+r/m32", "FF /0", flags="w")
INC_RM64: Final = M("inc", "+r/m64", "REX.W FF /0", flags="w")
DEC_RM32: Final = M("dec", "+r/m32", "FF /1", flags="w")
DEC_RM64: Final = M("dec", "+r/m64", "REX.W FF /1", flags="w")

# MUL, IMUL
MUL_RM32: Final = M("mul", "r/m32", "F7 /4", flags="w", implicit="+rax, =rdx")
MUL_RM64: Final = M("mul", "r/m64", "REX.W F7 /4", flags="w", implicit="+rax, =rdx")
IMUL_RM32: Final = M("imul", "r/m32", "F7 /5", flags="w", implicit="+rax, =rdx")
IMUL_RM64: Final = M("imul", "r/m64", "REX.W F7 /5", flags="w", implicit="+rax, =rdx")
IMUL_R32_RM32: Final = RM("imul", "+r32, r/m32", "0F AF /r", flags="w")
IMUL_R64_RM64: Final = RM("imul", "+r64, r/m64", "REX.W 0F AF /r", flags="w")
IMUL_R32_RM32_IMM8: Final = RMI("imul", "=r32, r/m32, simm8", "6B /r ib", flags="w")
IMUL_R32_RM32_IMM32: Final = RMI("imul", "=r32, r/m32, imm32", "69 /r id", flags="w")
IMUL_R64_RM64_IMM8: Final = RMI("imul", "=r64, r/m64, simm8", "REX.W 6B /r ib", flags="w")
IMUL_R64_RM64_IMM32: Final = RMI("imul", "=r64, r/m64, simm32", "REX.W 69 /r id", flags="w")

# DIV, IDIV: divide error on zero and on overflow
DIV_RM32: Final = M("div", "r/m32", "F7 /6", flags="w", implicit="+rax, +rdx", faults="#DE")
DIV_RM64: Final = M("div", "r/m64", "REX.W F7 /6", flags="w", implicit="+rax, +rdx", faults="#DE")
IDIV_RM32: Final = M("idiv", "r/m32", "F7 /7", flags="w", implicit="+rax, +rdx", faults="#DE")
IDIV_RM64: Final = M("idiv", "r/m64", "REX.W F7 /7", flags="w", implicit="+rax, +rdx", faults="#DE")

# CWD/CDQ/CQO, CBW/CWDE/CDQE
CDQ: Final = ZO("cdq", "", "99", implicit="rax, =rdx")
CQO: Final = ZO("cqo", "", "REX.W 99", implicit="rax, =rdx")
CWDE: Final = ZO("cwde", "", "98", implicit="+rax")
CDQE: Final = ZO("cdqe", "", "REX.W 98", implicit="+rax")

# ROL, ROR: the count is taken modulo 32 or 64; the flags that are not written stay
ROL_RM32_IMM8: Final = MI("rol", "+r/m32, imm8", "C1 /0 ib", flags="w")
ROL_RM32_1: Final = M("rol", "+r/m32, 1", "D1 /0", flags="w")
ROL_RM32_CL: Final = M("rol", "+r/m32, cl", "D3 /0", flags="w", implicit="rcx")
ROL_RM64_IMM8: Final = MI("rol", "+r/m64, imm8", "REX.W C1 /0 ib", flags="w")
ROL_RM64_1: Final = M("rol", "+r/m64, 1", "REX.W D1 /0", flags="w")
ROL_RM64_CL: Final = M("rol", "+r/m64, cl", "REX.W D3 /0", flags="w", implicit="rcx")
ROR_RM32_IMM8: Final = MI("ror", "+r/m32, imm8", "C1 /1 ib", flags="w")
ROR_RM32_1: Final = M("ror", "+r/m32, 1", "D1 /1", flags="w")
ROR_RM32_CL: Final = M("ror", "+r/m32, cl", "D3 /1", flags="w", implicit="rcx")
ROR_RM64_IMM8: Final = MI("ror", "+r/m64, imm8", "REX.W C1 /1 ib", flags="w")
ROR_RM64_1: Final = M("ror", "+r/m64, 1", "REX.W D1 /1", flags="w")
ROR_RM64_CL: Final = M("ror", "+r/m64, cl", "REX.W D3 /1", flags="w", implicit="rcx")

# SHL, SHR, SAR: a count of zero leaves the flags alone
SHL_RM32_IMM8: Final = MI("shl", "+r/m32, imm8", "C1 /4 ib", flags="w")
SHL_RM32_1: Final = M("shl", "+r/m32, 1", "D1 /4", flags="w")
SHL_RM32_CL: Final = M("shl", "+r/m32, cl", "D3 /4", flags="w", implicit="rcx")
SHL_RM64_IMM8: Final = MI("shl", "+r/m64, imm8", "REX.W C1 /4 ib", flags="w")
SHL_RM64_1: Final = M("shl", "+r/m64, 1", "REX.W D1 /4", flags="w")
SHL_RM64_CL: Final = M("shl", "+r/m64, cl", "REX.W D3 /4", flags="w", implicit="rcx")
SHR_RM32_IMM8: Final = MI("shr", "+r/m32, imm8", "C1 /5 ib", flags="w")
SHR_RM32_1: Final = M("shr", "+r/m32, 1", "D1 /5", flags="w")
SHR_RM32_CL: Final = M("shr", "+r/m32, cl", "D3 /5", flags="w", implicit="rcx")
SHR_RM64_IMM8: Final = MI("shr", "+r/m64, imm8", "REX.W C1 /5 ib", flags="w")
SHR_RM64_1: Final = M("shr", "+r/m64, 1", "REX.W D1 /5", flags="w")
SHR_RM64_CL: Final = M("shr", "+r/m64, cl", "REX.W D3 /5", flags="w", implicit="rcx")
SAR_RM32_IMM8: Final = MI("sar", "+r/m32, imm8", "C1 /7 ib", flags="w")
SAR_RM32_1: Final = M("sar", "+r/m32, 1", "D1 /7", flags="w")
SAR_RM32_CL: Final = M("sar", "+r/m32, cl", "D3 /7", flags="w", implicit="rcx")
SAR_RM64_IMM8: Final = MI("sar", "+r/m64, imm8", "REX.W C1 /7 ib", flags="w")
SAR_RM64_1: Final = M("sar", "+r/m64, 1", "REX.W D1 /7", flags="w")
SAR_RM64_CL: Final = M("sar", "+r/m64, cl", "REX.W D3 /7", flags="w", implicit="rcx")

# SHLD, SHRD
SHLD_RM32_R32_IMM8: Final = MRI("shld", "+r/m32, r32, imm8", "0F A4 /r ib", flags="w")
SHLD_RM32_R32_CL: Final = MR("shld", "+r/m32, r32, cl", "0F A5 /r", flags="w", implicit="rcx")
SHLD_RM64_R64_IMM8: Final = MRI("shld", "+r/m64, r64, imm8", "REX.W 0F A4 /r ib", flags="w")
SHLD_RM64_R64_CL: Final = MR("shld", "+r/m64, r64, cl", "REX.W 0F A5 /r", flags="w", implicit="rcx")
SHRD_RM32_R32_IMM8: Final = MRI("shrd", "+r/m32, r32, imm8", "0F AC /r ib", flags="w")
SHRD_RM32_R32_CL: Final = MR("shrd", "+r/m32, r32, cl", "0F AD /r", flags="w", implicit="rcx")
SHRD_RM64_R64_IMM8: Final = MRI("shrd", "+r/m64, r64, imm8", "REX.W 0F AC /r ib", flags="w")
SHRD_RM64_R64_CL: Final = MR("shrd", "+r/m64, r64, cl", "REX.W 0F AD /r", flags="w", implicit="rcx")

# BT, BTS, BTR, BTC with the bit in a register: register form only, since the memory form reaches beyond its operand and is slow
BT_R32_R32: Final = MR("bt", "r32, r32", "0F A3 /r", flags="w")
BT_R64_R64: Final = MR("bt", "r64, r64", "REX.W 0F A3 /r", flags="w")
BT_RM32_IMM8: Final = MI("bt", "r/m32, imm8", "0F BA /4 ib", flags="w")
BT_RM64_IMM8: Final = MI("bt", "r/m64, imm8", "REX.W 0F BA /4 ib", flags="w")
BTS_R32_R32: Final = MR("bts", "+r32, r32", "0F AB /r", flags="w")
BTS_R64_R64: Final = MR("bts", "+r64, r64", "REX.W 0F AB /r", flags="w")
BTS_RM32_IMM8: Final = MI("bts", "+r/m32, imm8", "0F BA /5 ib", flags="w")
BTS_RM64_IMM8: Final = MI("bts", "+r/m64, imm8", "REX.W 0F BA /5 ib", flags="w")
BTR_R32_R32: Final = MR("btr", "+r32, r32", "0F B3 /r", flags="w")
BTR_R64_R64: Final = MR("btr", "+r64, r64", "REX.W 0F B3 /r", flags="w")
BTR_RM32_IMM8: Final = MI("btr", "+r/m32, imm8", "0F BA /6 ib", flags="w")
BTR_RM64_IMM8: Final = MI("btr", "+r/m64, imm8", "REX.W 0F BA /6 ib", flags="w")
BTC_R32_R32: Final = MR("btc", "+r32, r32", "0F BB /r", flags="w")
BTC_R64_R64: Final = MR("btc", "+r64, r64", "REX.W 0F BB /r", flags="w")
BTC_RM32_IMM8: Final = MI("btc", "+r/m32, imm8", "0F BA /7 ib", flags="w")
BTC_RM64_IMM8: Final = MI("btc", "+r/m64, imm8", "REX.W 0F BA /7 ib", flags="w")

# BSF, BSR: a source of zero sets the zero flag and leaves the destination as it was (AMD says so, Intel does so)
BSF_R32_RM32: Final = RM("bsf", "=r32, r/m32", "0F BC /r", flags="w", merges=True)
BSF_R64_RM64: Final = RM("bsf", "=r64, r/m64", "REX.W 0F BC /r", flags="w", merges=True)
BSR_R32_RM32: Final = RM("bsr", "=r32, r/m32", "0F BD /r", flags="w", merges=True)
BSR_R64_RM64: Final = RM("bsr", "=r64, r/m64", "REX.W 0F BD /r", flags="w", merges=True)

# BSWAP
BSWAP_R32: Final = O("bswap", "+r32", "0F C8+r")
BSWAP_R64: Final = O("bswap", "+r64", "REX.W 0F C8+r")

# SETcc, CMOVcc: sixteen rows each, indexed by condition. `cmovcc r32` clears the upper half whether it moves or not
SETCC: Final = by_condition(M, "set", "=r/m8", "0F 90+cc /0")
CMOVCC_R32_RM32: Final = by_condition(RM, "cmov", "+r32, r/m32", "0F 40+cc /r")
CMOVCC_R64_RM64: Final = by_condition(RM, "cmov", "+r64, r/m64", "REX.W 0F 40+cc /r")
