"""Bit counting and the three-operand instructions of BMI1 and BMI2.

The shifts take any register as count and write no flags; `rorx` rotates by a constant. Rows are explained in `operands.py`,
`opcodes.py` and `formats.py`.
"""

from __future__ import annotations

from purewasm.isa.x64.cpu import BMI1, BMI2, LZCNT, POPCNT
from purewasm.isa.x64.formats import RM, RMI, RMV, RVM, VM
from purewasm.light_typing import Final

# POPCNT, LZCNT, TZCNT: on a processor without LZCNT or BMI1 the last two run as `bsr` and `bsf`, so never without asking. Older
# processors wait for the old destination
POPCNT_R32_RM32: Final = RM("popcnt", "=r32, r/m32", "F3 0F B8 /r", cpu=POPCNT, flags="w")
POPCNT_R64_RM64: Final = RM("popcnt", "=r64, r/m64", "F3 REX.W 0F B8 /r", cpu=POPCNT, flags="w")
LZCNT_R32_RM32: Final = RM("lzcnt", "=r32, r/m32", "F3 0F BD /r", cpu=LZCNT, flags="w")
LZCNT_R64_RM64: Final = RM("lzcnt", "=r64, r/m64", "F3 REX.W 0F BD /r", cpu=LZCNT, flags="w")
TZCNT_R32_RM32: Final = RM("tzcnt", "=r32, r/m32", "F3 0F BC /r", cpu=BMI1, flags="w")
TZCNT_R64_RM64: Final = RM("tzcnt", "=r64, r/m64", "F3 REX.W 0F BC /r", cpu=BMI1, flags="w")

# BMI1: ANDN, BEXTR, BLSR, BLSMSK, BLSI
ANDN_R32_R32_RM32: Final = RVM("andn", "=r32, r32, r/m32", "VEX.LZ.0F38.W0 F2 /r", cpu=BMI1, flags="w")
ANDN_R64_R64_RM64: Final = RVM("andn", "=r64, r64, r/m64", "VEX.LZ.0F38.W1 F2 /r", cpu=BMI1, flags="w")
BEXTR_R32_RM32_R32: Final = RMV("bextr", "=r32, r/m32, r32", "VEX.LZ.0F38.W0 F7 /r", cpu=BMI1, flags="w")
BEXTR_R64_RM64_R64: Final = RMV("bextr", "=r64, r/m64, r64", "VEX.LZ.0F38.W1 F7 /r", cpu=BMI1, flags="w")
BLSR_R32_RM32: Final = VM("blsr", "=r32, r/m32", "VEX.LZ.0F38.W0 F3 /1", cpu=BMI1, flags="w")
BLSR_R64_RM64: Final = VM("blsr", "=r64, r/m64", "VEX.LZ.0F38.W1 F3 /1", cpu=BMI1, flags="w")
BLSMSK_R32_RM32: Final = VM("blsmsk", "=r32, r/m32", "VEX.LZ.0F38.W0 F3 /2", cpu=BMI1, flags="w")
BLSMSK_R64_RM64: Final = VM("blsmsk", "=r64, r/m64", "VEX.LZ.0F38.W1 F3 /2", cpu=BMI1, flags="w")
BLSI_R32_RM32: Final = VM("blsi", "=r32, r/m32", "VEX.LZ.0F38.W0 F3 /3", cpu=BMI1, flags="w")
BLSI_R64_RM64: Final = VM("blsi", "=r64, r/m64", "VEX.LZ.0F38.W1 F3 /3", cpu=BMI1, flags="w")

# BMI2: RORX, SARX, SHLX, SHRX, BZHI, MULX, PDEP, PEXT
RORX_R32_RM32_IMM8: Final = RMI("rorx", "=r32, r/m32, imm8", "VEX.LZ.F2.0F3A.W0 F0 /r ib", cpu=BMI2)
RORX_R64_RM64_IMM8: Final = RMI("rorx", "=r64, r/m64, imm8", "VEX.LZ.F2.0F3A.W1 F0 /r ib", cpu=BMI2)
SARX_R32_RM32_R32: Final = RMV("sarx", "=r32, r/m32, r32", "VEX.LZ.F3.0F38.W0 F7 /r", cpu=BMI2)
SARX_R64_RM64_R64: Final = RMV("sarx", "=r64, r/m64, r64", "VEX.LZ.F3.0F38.W1 F7 /r", cpu=BMI2)
SHLX_R32_RM32_R32: Final = RMV("shlx", "=r32, r/m32, r32", "VEX.LZ.66.0F38.W0 F7 /r", cpu=BMI2)
SHLX_R64_RM64_R64: Final = RMV("shlx", "=r64, r/m64, r64", "VEX.LZ.66.0F38.W1 F7 /r", cpu=BMI2)
SHRX_R32_RM32_R32: Final = RMV("shrx", "=r32, r/m32, r32", "VEX.LZ.F2.0F38.W0 F7 /r", cpu=BMI2)
SHRX_R64_RM64_R64: Final = RMV("shrx", "=r64, r/m64, r64", "VEX.LZ.F2.0F38.W1 F7 /r", cpu=BMI2)
BZHI_R32_RM32_R32: Final = RMV("bzhi", "=r32, r/m32, r32", "VEX.LZ.0F38.W0 F5 /r", cpu=BMI2, flags="w")
BZHI_R64_RM64_R64: Final = RMV("bzhi", "=r64, r/m64, r64", "VEX.LZ.0F38.W1 F5 /r", cpu=BMI2, flags="w")
MULX_R32_R32_RM32: Final = RVM("mulx", "=r32, =r32, r/m32", "VEX.LZ.F2.0F38.W0 F6 /r", cpu=BMI2, implicit="rdx")
MULX_R64_R64_RM64: Final = RVM("mulx", "=r64, =r64, r/m64", "VEX.LZ.F2.0F38.W1 F6 /r", cpu=BMI2, implicit="rdx")
PDEP_R32_R32_RM32: Final = RVM("pdep", "=r32, r32, r/m32", "VEX.LZ.F2.0F38.W0 F5 /r", cpu=BMI2)
PDEP_R64_R64_RM64: Final = RVM("pdep", "=r64, r64, r/m64", "VEX.LZ.F2.0F38.W1 F5 /r", cpu=BMI2)
PEXT_R32_R32_RM32: Final = RVM("pext", "=r32, r32, r/m32", "VEX.LZ.F3.0F38.W0 F5 /r", cpu=BMI2)
PEXT_R64_R64_RM64: Final = RVM("pext", "=r64, r64, r/m64", "VEX.LZ.F3.0F38.W1 F5 /r", cpu=BMI2)
