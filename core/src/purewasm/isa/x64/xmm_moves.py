"""Moves of xmm registers, and what fills them with zeros or ones: with SSE, and three operands with AVX.

They stand apart from what computes because all code needs them. Rows are explained in `operands.py`, `opcodes.py` and `formats.py`.
"""

from __future__ import annotations

from purewasm.isa.x64.cpu import AVX
from purewasm.isa.x64.formats import MR, RM, RVM
from purewasm.light_typing import Final

# MOVSS, MOVSD: a load clears the upper lanes, a move between registers keeps them (`movaps` copies all and is the better move)
MOVSS_XMM_XMM: Final = RM("movss", "+xmm, xmm", "F3 0F 10 /r")
MOVSS_XMM_M32: Final = RM("movss", "=xmm, m32", "F3 0F 10 /r")
MOVSS_M32_XMM: Final = MR("movss", "=m32, xmm", "F3 0F 11 /r")
MOVSD_XMM_XMM: Final = RM("movsd", "+xmm, xmm", "F2 0F 10 /r")
MOVSD_XMM_M64: Final = RM("movsd", "=xmm, m64", "F2 0F 10 /r")
MOVSD_M64_XMM: Final = MR("movsd", "=m64, xmm", "F2 0F 11 /r")

# MOVD, MOVQ: between the register files, and 32- and 64-bit loads that clear the rest
MOVD_XMM_RM32: Final = RM("movd", "=xmm, r/m32", "66 0F 6E /r")
MOVQ_XMM_RM64: Final = RM("movq", "=xmm, r/m64", "66 REX.W 0F 6E /r")
MOVD_RM32_XMM: Final = MR("movd", "=r/m32, xmm", "66 0F 7E /r")
MOVQ_RM64_XMM: Final = MR("movq", "=r/m64, xmm", "66 REX.W 0F 7E /r")
MOVQ_XMM_XM64: Final = RM("movq", "=xmm, xmm/m64", "F3 0F 7E /r")
MOVQ_XM64_XMM: Final = MR("movq", "=xmm/m64, xmm", "66 0F D6 /r")

# All 16 bytes. Only `movups` and `movdqu` take an address that is not aligned
MOVAPS_XMM_XM128: Final = RM("movaps", "=xmm, xmm/m128", "0F 28 /r")
MOVAPS_XM128_XMM: Final = MR("movaps", "=xmm/m128, xmm", "0F 29 /r")
MOVUPS_XMM_XM128: Final = RM("movups", "=xmm, xmm/m128", "0F 10 /r", aligned=False)
MOVUPS_XM128_XMM: Final = MR("movups", "=xmm/m128, xmm", "0F 11 /r", aligned=False)
MOVDQA_XMM_XM128: Final = RM("movdqa", "=xmm, xmm/m128", "66 0F 6F /r")
MOVDQA_XM128_XMM: Final = MR("movdqa", "=xmm/m128, xmm", "66 0F 7F /r")
MOVDQU_XMM_XM128: Final = RM("movdqu", "=xmm, xmm/m128", "F3 0F 6F /r", aligned=False)
MOVDQU_XM128_XMM: Final = MR("movdqu", "=xmm/m128, xmm", "F3 0F 7F /r", aligned=False)

# Zeros and ones
PCMPEQD: Final = RM("pcmpeqd", "+xmm, xmm/m128", "66 0F 76 /r")
XORPS: Final = RM("xorps", "+xmm, xmm/m128", "0F 57 /r")

# The same with AVX. Between registers the lowest lane of the last operand joins the upper lanes of the second
VMOVSS_XMM_XMM_XMM: Final = RVM("vmovss", "=xmm, xmm, xmm", "VEX.LIG.F3.0F.WIG 10 /r", cpu=AVX)
VMOVSS_XMM_M32: Final = RM("vmovss", "=xmm, m32", "VEX.LIG.F3.0F.WIG 10 /r", cpu=AVX)
VMOVSS_M32_XMM: Final = MR("vmovss", "=m32, xmm", "VEX.LIG.F3.0F.WIG 11 /r", cpu=AVX)
VMOVSD_XMM_XMM_XMM: Final = RVM("vmovsd", "=xmm, xmm, xmm", "VEX.LIG.F2.0F.WIG 10 /r", cpu=AVX)
VMOVSD_XMM_M64: Final = RM("vmovsd", "=xmm, m64", "VEX.LIG.F2.0F.WIG 10 /r", cpu=AVX)
VMOVSD_M64_XMM: Final = MR("vmovsd", "=m64, xmm", "VEX.LIG.F2.0F.WIG 11 /r", cpu=AVX)
VMOVD_XMM_RM32: Final = RM("vmovd", "=xmm, r/m32", "VEX.128.66.0F.W0 6E /r", cpu=AVX)
VMOVQ_XMM_RM64: Final = RM("vmovq", "=xmm, r/m64", "VEX.128.66.0F.W1 6E /r", cpu=AVX)
VMOVD_RM32_XMM: Final = MR("vmovd", "=r/m32, xmm", "VEX.128.66.0F.W0 7E /r", cpu=AVX)
VMOVQ_RM64_XMM: Final = MR("vmovq", "=r/m64, xmm", "VEX.128.66.0F.W1 7E /r", cpu=AVX)
VMOVQ_XMM_XM64: Final = RM("vmovq", "=xmm, xmm/m64", "VEX.128.F3.0F.WIG 7E /r", cpu=AVX)
VMOVQ_XM64_XMM: Final = MR("vmovq", "=xmm/m64, xmm", "VEX.128.66.0F.WIG D6 /r", cpu=AVX)
VMOVAPS_XMM_XM128: Final = RM("vmovaps", "=xmm, xmm/m128", "VEX.128.0F.WIG 28 /r", cpu=AVX, aligned=True)
VMOVAPS_XM128_XMM: Final = MR("vmovaps", "=xmm/m128, xmm", "VEX.128.0F.WIG 29 /r", cpu=AVX, aligned=True)
VMOVUPS_XMM_XM128: Final = RM("vmovups", "=xmm, xmm/m128", "VEX.128.0F.WIG 10 /r", cpu=AVX)
VMOVUPS_XM128_XMM: Final = MR("vmovups", "=xmm/m128, xmm", "VEX.128.0F.WIG 11 /r", cpu=AVX)
VMOVDQA_XMM_XM128: Final = RM("vmovdqa", "=xmm, xmm/m128", "VEX.128.66.0F.WIG 6F /r", cpu=AVX, aligned=True)
VMOVDQA_XM128_XMM: Final = MR("vmovdqa", "=xmm/m128, xmm", "VEX.128.66.0F.WIG 7F /r", cpu=AVX, aligned=True)
VMOVDQU_XMM_XM128: Final = RM("vmovdqu", "=xmm, xmm/m128", "VEX.128.F3.0F.WIG 6F /r", cpu=AVX)
VMOVDQU_XM128_XMM: Final = MR("vmovdqu", "=xmm/m128, xmm", "VEX.128.F3.0F.WIG 7F /r", cpu=AVX)
VXORPS: Final = RVM("vxorps", "=xmm, xmm, xmm/m128", "VEX.128.0F.WIG 57 /r", cpu=AVX)
