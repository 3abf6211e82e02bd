"""Control flow: calls, jumps, returns, traps, and the instructions around them.

Branch distances count from the end of the instruction. `JCC_REL32[cc].code` are the bytes before the distance. Long `nop`s are
here as rows; `padding.py` has them ready by length. Rows are explained in `operands.py`, `opcodes.py` and `formats.py`.
"""

from __future__ import annotations

from purewasm.isa.x64.formats import ZO, D, I, M, by_condition
from purewasm.light_typing import Final

# CALL, RET
CALL_REL32: Final = D("call", "rel32", "E8 cd", implicit="+rsp", faults="#PF")
CALL_RM64: Final = M("call", "r/m64", "FF /2", implicit="+rsp", faults="#PF")
RET: Final = ZO("ret", "", "C3", implicit="+rsp", faults="#PF")
RET_IMM16: Final = I("ret", "imm16", "C2 iw", implicit="+rsp", faults="#PF")
LEAVE: Final = ZO("leave", "", "C9", implicit="=rsp, +rbp", faults="#PF")

# JMP, Jcc
JMP_REL8: Final = D("jmp", "rel8", "EB cb")
JMP_REL32: Final = D("jmp", "rel32", "E9 cd")
JMP_RM64: Final = M("jmp", "r/m64", "FF /4")
JCC_REL8: Final = by_condition(D, "j", "rel8", "70+cc cb")
JCC_REL32: Final = by_condition(D, "j", "rel32", "0F 80+cc cd")

# UD2, HLT, INT3, ENDBR64
UD2: Final = ZO("ud2", "", "0F 0B", faults="#UD")
HLT: Final = ZO("hlt", "", "F4", faults="#GP")  # whoever is no operating system faults
INT3: Final = ZO("int3", "", "CC", faults="#BP")
ENDBR64: Final = ZO("endbr64", "", "F3 0F 1E FA")

# NOP
NOP: Final = ZO("nop", "", "90")
NOP_RM16: Final = M("nop", "~r/m16", "66 0F 1F /0")
NOP_RM32: Final = M("nop", "~r/m32", "0F 1F /0")
DATA16_NOP: Final = ZO("data16 nop", "", "66 90")

# CPUID, XGETBV, SYSCALL
CPUID: Final = ZO("cpuid", "", "0F A2", implicit="+rax, =rbx, +rcx, =rdx")
XGETBV: Final = ZO("xgetbv", "", "0F 01 D0", implicit="=rax, rcx, =rdx", faults="#UD")
SYSCALL: Final = ZO("syscall", "", "0F 05", implicit="+rax, =rcx, =r11")
