"""The registers of x86-64: numbers as ModRM and REX hold them, names by width, classes.

A general purpose register has one number whatever the width it is used at; the row of the instruction says the width.
Registers 4 to 7 at 8 bits are `spl bpl sil dil` here: the encoder always writes the REX prefix that tells them from
`ah ch dh bh`, which a compiler has no use for.

Intel SDM volume 1, 3.4.1 "General-Purpose Registers"; volume 2, 2.2.1 "REX Prefixes".
"""

from __future__ import annotations

from purewasm.light_typing import Final

# Classes: two register files, each numbered from 0.
GPR: Final = 0
XMM: Final = 1
CLASS_NAMES: Final = ("gpr", "xmm")

REGISTERS_PER_CLASS: Final = 16

RAX: Final = 0
RCX: Final = 1
RDX: Final = 2
RBX: Final = 3
RSP: Final = 4
RBP: Final = 5
RSI: Final = 6
RDI: Final = 7
R8: Final = 8
R9: Final = 9
R10: Final = 10
R11: Final = 11
R12: Final = 12
R13: Final = 13
R14: Final = 14
R15: Final = 15

XMM0: Final = 0
XMM1: Final = 1
XMM2: Final = 2
XMM3: Final = 3
XMM4: Final = 4
XMM5: Final = 5
XMM6: Final = 6
XMM7: Final = 7
XMM8: Final = 8
XMM9: Final = 9
XMM10: Final = 10
XMM11: Final = 11
XMM12: Final = 12
XMM13: Final = 13
XMM14: Final = 14
XMM15: Final = 15

NAMES_64: Final = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
NAMES_32: Final = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d")
NAMES_16: Final = ("ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w")
NAMES_8: Final = ("al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b")
NAMES_XMM: Final = (
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
    "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
)  # fmt: skip

# By the word that an operand of the instruction table is written with.
NAMES: Final = {"r8": NAMES_8, "r16": NAMES_16, "r32": NAMES_32, "r64": NAMES_64, "xmm": NAMES_XMM}
