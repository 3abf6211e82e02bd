"""Packed instructions of SSE2 to SSE4.2 on 128 bits, two-operand forms.

A 16-byte memory operand must be aligned (`needs_alignment`), or the processor raises #GP; only `movups` and `movdqu` of `xmm_moves.py`
take any address, so WebAssembly's loads can only be folded into the forms of `vex.py`. Constants of the compiler's own may be aligned.
Rows are explained in `operands.py`, `opcodes.py` and `formats.py`.
"""

from __future__ import annotations

from purewasm.isa.x64.cpu import SSE3, SSE4_1, SSE4_2, SSSE3
from purewasm.isa.x64.formats import MI, MR, MRI, RM, RMI
from purewasm.light_typing import Final

# Moves of 8 bytes: halves to and from memory, and between registers
MOVLPS_XMM_M64: Final = RM("movlps", "+xmm, m64", "0F 12 /r")
MOVLPS_M64_XMM: Final = MR("movlps", "=m64, xmm", "0F 13 /r")
MOVHPS_XMM_M64: Final = RM("movhps", "+xmm, m64", "0F 16 /r")
MOVHPS_M64_XMM: Final = MR("movhps", "=m64, xmm", "0F 17 /r")
MOVHLPS: Final = RM("movhlps", "+xmm, xmm", "0F 12 /r")
MOVLHPS: Final = RM("movlhps", "+xmm, xmm", "0F 16 /r")
MOVDDUP: Final = RM("movddup", "=xmm, xmm/m64", "F2 0F 12 /r", cpu=SSE3)

# Insert and extract one lane
PINSRB: Final = RMI("pinsrb", "+xmm, r32/m8, imm8", "66 0F 3A 20 /r ib", cpu=SSE4_1)
PINSRD: Final = RMI("pinsrd", "+xmm, r/m32, imm8", "66 0F 3A 22 /r ib", cpu=SSE4_1)
PINSRQ: Final = RMI("pinsrq", "+xmm, r/m64, imm8", "66 REX.W 0F 3A 22 /r ib", cpu=SSE4_1)
PINSRW: Final = RMI("pinsrw", "+xmm, r32/m16, imm8", "66 0F C4 /r ib")
PEXTRB: Final = MRI("pextrb", "=r32/m8, xmm, imm8", "66 0F 3A 14 /r ib", cpu=SSE4_1)
PEXTRW_R32_XMM_IMM8: Final = RMI("pextrw", "=r32, xmm, imm8", "66 0F C5 /r ib")
PEXTRW_R32M16_XMM_IMM8: Final = MRI("pextrw", "=r32/m16, xmm, imm8", "66 0F 3A 15 /r ib", cpu=SSE4_1)
PEXTRD: Final = MRI("pextrd", "=r/m32, xmm, imm8", "66 0F 3A 16 /r ib", cpu=SSE4_1)
PEXTRQ: Final = MRI("pextrq", "=r/m64, xmm, imm8", "66 REX.W 0F 3A 16 /r ib", cpu=SSE4_1)
INSERTPS: Final = RMI("insertps", "+xmm, xmm/m32, imm8", "66 0F 3A 21 /r ib", cpu=SSE4_1)
EXTRACTPS: Final = MRI("extractps", "=r/m32, xmm, imm8", "66 0F 3A 17 /r ib", cpu=SSE4_1)

# Add and subtract: wrapping, saturating
PADDB: Final = RM("paddb", "+xmm, xmm/m128", "66 0F FC /r")
PADDW: Final = RM("paddw", "+xmm, xmm/m128", "66 0F FD /r")
PADDD: Final = RM("paddd", "+xmm, xmm/m128", "66 0F FE /r")
PADDQ: Final = RM("paddq", "+xmm, xmm/m128", "66 0F D4 /r")
PSUBB: Final = RM("psubb", "+xmm, xmm/m128", "66 0F F8 /r")
PSUBW: Final = RM("psubw", "+xmm, xmm/m128", "66 0F F9 /r")
PSUBD: Final = RM("psubd", "+xmm, xmm/m128", "66 0F FA /r")
PSUBQ: Final = RM("psubq", "+xmm, xmm/m128", "66 0F FB /r")
PADDSB: Final = RM("paddsb", "+xmm, xmm/m128", "66 0F EC /r")
PADDSW: Final = RM("paddsw", "+xmm, xmm/m128", "66 0F ED /r")
PADDUSB: Final = RM("paddusb", "+xmm, xmm/m128", "66 0F DC /r")
PADDUSW: Final = RM("paddusw", "+xmm, xmm/m128", "66 0F DD /r")
PSUBSB: Final = RM("psubsb", "+xmm, xmm/m128", "66 0F E8 /r")
PSUBSW: Final = RM("psubsw", "+xmm, xmm/m128", "66 0F E9 /r")
PSUBUSB: Final = RM("psubusb", "+xmm, xmm/m128", "66 0F D8 /r")
PSUBUSW: Final = RM("psubusw", "+xmm, xmm/m128", "66 0F D9 /r")

# Multiply, multiply and add, average, sums
PMULLW: Final = RM("pmullw", "+xmm, xmm/m128", "66 0F D5 /r")
PMULHW: Final = RM("pmulhw", "+xmm, xmm/m128", "66 0F E5 /r")
PMULHUW: Final = RM("pmulhuw", "+xmm, xmm/m128", "66 0F E4 /r")
PMULUDQ: Final = RM("pmuludq", "+xmm, xmm/m128", "66 0F F4 /r")
PMULLD: Final = RM("pmulld", "+xmm, xmm/m128", "66 0F 38 40 /r", cpu=SSE4_1)
PMULDQ: Final = RM("pmuldq", "+xmm, xmm/m128", "66 0F 38 28 /r", cpu=SSE4_1)
PMULHRSW: Final = RM("pmulhrsw", "+xmm, xmm/m128", "66 0F 38 0B /r", cpu=SSSE3)
PMADDWD: Final = RM("pmaddwd", "+xmm, xmm/m128", "66 0F F5 /r")
PMADDUBSW: Final = RM("pmaddubsw", "+xmm, xmm/m128", "66 0F 38 04 /r", cpu=SSSE3)
PAVGB: Final = RM("pavgb", "+xmm, xmm/m128", "66 0F E0 /r")
PAVGW: Final = RM("pavgw", "+xmm, xmm/m128", "66 0F E3 /r")
PSADBW: Final = RM("psadbw", "+xmm, xmm/m128", "66 0F F6 /r")

# Minimum, maximum
PMINUB: Final = RM("pminub", "+xmm, xmm/m128", "66 0F DA /r")
PMINUW: Final = RM("pminuw", "+xmm, xmm/m128", "66 0F 38 3A /r", cpu=SSE4_1)
PMINUD: Final = RM("pminud", "+xmm, xmm/m128", "66 0F 38 3B /r", cpu=SSE4_1)
PMINSB: Final = RM("pminsb", "+xmm, xmm/m128", "66 0F 38 38 /r", cpu=SSE4_1)
PMINSW: Final = RM("pminsw", "+xmm, xmm/m128", "66 0F EA /r")
PMINSD: Final = RM("pminsd", "+xmm, xmm/m128", "66 0F 38 39 /r", cpu=SSE4_1)
PMAXUB: Final = RM("pmaxub", "+xmm, xmm/m128", "66 0F DE /r")
PMAXUW: Final = RM("pmaxuw", "+xmm, xmm/m128", "66 0F 38 3E /r", cpu=SSE4_1)
PMAXUD: Final = RM("pmaxud", "+xmm, xmm/m128", "66 0F 38 3F /r", cpu=SSE4_1)
PMAXSB: Final = RM("pmaxsb", "+xmm, xmm/m128", "66 0F 38 3C /r", cpu=SSE4_1)
PMAXSW: Final = RM("pmaxsw", "+xmm, xmm/m128", "66 0F EE /r")
PMAXSD: Final = RM("pmaxsd", "+xmm, xmm/m128", "66 0F 38 3D /r", cpu=SSE4_1)

# Absolute value, sign
PABSB: Final = RM("pabsb", "=xmm, xmm/m128", "66 0F 38 1C /r", cpu=SSSE3)
PABSW: Final = RM("pabsw", "=xmm, xmm/m128", "66 0F 38 1D /r", cpu=SSSE3)
PABSD: Final = RM("pabsd", "=xmm, xmm/m128", "66 0F 38 1E /r", cpu=SSSE3)
PSIGNB: Final = RM("psignb", "+xmm, xmm/m128", "66 0F 38 08 /r", cpu=SSSE3)
PSIGNW: Final = RM("psignw", "+xmm, xmm/m128", "66 0F 38 09 /r", cpu=SSSE3)
PSIGND: Final = RM("psignd", "+xmm, xmm/m128", "66 0F 38 0A /r", cpu=SSSE3)

# Compare: equal, signed greater
PCMPEQB: Final = RM("pcmpeqb", "+xmm, xmm/m128", "66 0F 74 /r")
PCMPEQW: Final = RM("pcmpeqw", "+xmm, xmm/m128", "66 0F 75 /r")
PCMPEQQ: Final = RM("pcmpeqq", "+xmm, xmm/m128", "66 0F 38 29 /r", cpu=SSE4_1)
PCMPGTB: Final = RM("pcmpgtb", "+xmm, xmm/m128", "66 0F 64 /r")
PCMPGTW: Final = RM("pcmpgtw", "+xmm, xmm/m128", "66 0F 65 /r")
PCMPGTD: Final = RM("pcmpgtd", "+xmm, xmm/m128", "66 0F 66 /r")
PCMPGTQ: Final = RM("pcmpgtq", "+xmm, xmm/m128", "66 0F 38 37 /r", cpu=SSE4_2)

# Bitwise. `andn` is (not first) and second
PAND: Final = RM("pand", "+xmm, xmm/m128", "66 0F DB /r")
PANDN: Final = RM("pandn", "+xmm, xmm/m128", "66 0F DF /r")
POR: Final = RM("por", "+xmm, xmm/m128", "66 0F EB /r")
PXOR: Final = RM("pxor", "+xmm, xmm/m128", "66 0F EF /r")
ANDPS: Final = RM("andps", "+xmm, xmm/m128", "0F 54 /r")
ANDPD: Final = RM("andpd", "+xmm, xmm/m128", "66 0F 54 /r")
ANDNPS: Final = RM("andnps", "+xmm, xmm/m128", "0F 55 /r")
ANDNPD: Final = RM("andnpd", "+xmm, xmm/m128", "66 0F 55 /r")
ORPS: Final = RM("orps", "+xmm, xmm/m128", "0F 56 /r")
ORPD: Final = RM("orpd", "+xmm, xmm/m128", "66 0F 56 /r")
XORPD: Final = RM("xorpd", "+xmm, xmm/m128", "66 0F 57 /r")

# Test: zero flag when (first and second) is zero, carry flag when (not first and second) is
PTEST: Final = RM("ptest", "xmm, xmm/m128", "66 0F 38 17 /r", cpu=SSE4_1, flags="w")

# Shift every lane by the same count: of a register (its low 64 bits), of a constant; by whole bytes
PSLLW_XMM_XM128: Final = RM("psllw", "+xmm, xmm/m128", "66 0F F1 /r")
PSLLW_XMM_IMM8: Final = MI("psllw", "+xmm, imm8", "66 0F 71 /6 ib")
PSLLD_XMM_XM128: Final = RM("pslld", "+xmm, xmm/m128", "66 0F F2 /r")
PSLLD_XMM_IMM8: Final = MI("pslld", "+xmm, imm8", "66 0F 72 /6 ib")
PSLLQ_XMM_XM128: Final = RM("psllq", "+xmm, xmm/m128", "66 0F F3 /r")
PSLLQ_XMM_IMM8: Final = MI("psllq", "+xmm, imm8", "66 0F 73 /6 ib")
PSRLW_XMM_XM128: Final = RM("psrlw", "+xmm, xmm/m128", "66 0F D1 /r")
PSRLW_XMM_IMM8: Final = MI("psrlw", "+xmm, imm8", "66 0F 71 /2 ib")
PSRLD_XMM_XM128: Final = RM("psrld", "+xmm, xmm/m128", "66 0F D2 /r")
PSRLD_XMM_IMM8: Final = MI("psrld", "+xmm, imm8", "66 0F 72 /2 ib")
PSRLQ_XMM_XM128: Final = RM("psrlq", "+xmm, xmm/m128", "66 0F D3 /r")
PSRLQ_XMM_IMM8: Final = MI("psrlq", "+xmm, imm8", "66 0F 73 /2 ib")
PSRAW_XMM_XM128: Final = RM("psraw", "+xmm, xmm/m128", "66 0F E1 /r")
PSRAW_XMM_IMM8: Final = MI("psraw", "+xmm, imm8", "66 0F 71 /4 ib")
PSRAD_XMM_XM128: Final = RM("psrad", "+xmm, xmm/m128", "66 0F E2 /r")
PSRAD_XMM_IMM8: Final = MI("psrad", "+xmm, imm8", "66 0F 72 /4 ib")
PSLLDQ: Final = MI("pslldq", "+xmm, imm8", "66 0F 73 /7 ib")
PSRLDQ: Final = MI("psrldq", "+xmm, imm8", "66 0F 73 /3 ib")

# Narrow with saturation
PACKSSWB: Final = RM("packsswb", "+xmm, xmm/m128", "66 0F 63 /r")
PACKSSDW: Final = RM("packssdw", "+xmm, xmm/m128", "66 0F 6B /r")
PACKUSWB: Final = RM("packuswb", "+xmm, xmm/m128", "66 0F 67 /r")
PACKUSDW: Final = RM("packusdw", "+xmm, xmm/m128", "66 0F 38 2B /r", cpu=SSE4_1)

# Widen
PMOVSXBW: Final = RM("pmovsxbw", "=xmm, xmm/m64", "66 0F 38 20 /r", cpu=SSE4_1)
PMOVSXBD: Final = RM("pmovsxbd", "=xmm, xmm/m32", "66 0F 38 21 /r", cpu=SSE4_1)
PMOVSXBQ: Final = RM("pmovsxbq", "=xmm, xmm/m16", "66 0F 38 22 /r", cpu=SSE4_1)
PMOVSXWD: Final = RM("pmovsxwd", "=xmm, xmm/m64", "66 0F 38 23 /r", cpu=SSE4_1)
PMOVSXWQ: Final = RM("pmovsxwq", "=xmm, xmm/m32", "66 0F 38 24 /r", cpu=SSE4_1)
PMOVSXDQ: Final = RM("pmovsxdq", "=xmm, xmm/m64", "66 0F 38 25 /r", cpu=SSE4_1)
PMOVZXBW: Final = RM("pmovzxbw", "=xmm, xmm/m64", "66 0F 38 30 /r", cpu=SSE4_1)
PMOVZXBD: Final = RM("pmovzxbd", "=xmm, xmm/m32", "66 0F 38 31 /r", cpu=SSE4_1)
PMOVZXBQ: Final = RM("pmovzxbq", "=xmm, xmm/m16", "66 0F 38 32 /r", cpu=SSE4_1)
PMOVZXWD: Final = RM("pmovzxwd", "=xmm, xmm/m64", "66 0F 38 33 /r", cpu=SSE4_1)
PMOVZXWQ: Final = RM("pmovzxwq", "=xmm, xmm/m32", "66 0F 38 34 /r", cpu=SSE4_1)
PMOVZXDQ: Final = RM("pmovzxdq", "=xmm, xmm/m64", "66 0F 38 35 /r", cpu=SSE4_1)

# Interleave
PUNPCKLBW: Final = RM("punpcklbw", "+xmm, xmm/m128", "66 0F 60 /r")
PUNPCKLWD: Final = RM("punpcklwd", "+xmm, xmm/m128", "66 0F 61 /r")
PUNPCKLDQ: Final = RM("punpckldq", "+xmm, xmm/m128", "66 0F 62 /r")
PUNPCKLQDQ: Final = RM("punpcklqdq", "+xmm, xmm/m128", "66 0F 6C /r")
PUNPCKHBW: Final = RM("punpckhbw", "+xmm, xmm/m128", "66 0F 68 /r")
PUNPCKHWD: Final = RM("punpckhwd", "+xmm, xmm/m128", "66 0F 69 /r")
PUNPCKHDQ: Final = RM("punpckhdq", "+xmm, xmm/m128", "66 0F 6A /r")
PUNPCKHQDQ: Final = RM("punpckhqdq", "+xmm, xmm/m128", "66 0F 6D /r")
UNPCKLPS: Final = RM("unpcklps", "+xmm, xmm/m128", "0F 14 /r")
UNPCKHPS: Final = RM("unpckhps", "+xmm, xmm/m128", "0F 15 /r")
UNPCKLPD: Final = RM("unpcklpd", "+xmm, xmm/m128", "66 0F 14 /r")
UNPCKHPD: Final = RM("unpckhpd", "+xmm, xmm/m128", "66 0F 15 /r")

# Shuffle
PSHUFB: Final = RM("pshufb", "+xmm, xmm/m128", "66 0F 38 00 /r", cpu=SSSE3)
PSHUFD: Final = RMI("pshufd", "=xmm, xmm/m128, imm8", "66 0F 70 /r ib")
PSHUFLW: Final = RMI("pshuflw", "=xmm, xmm/m128, imm8", "F2 0F 70 /r ib")
PSHUFHW: Final = RMI("pshufhw", "=xmm, xmm/m128, imm8", "F3 0F 70 /r ib")
SHUFPS: Final = RMI("shufps", "+xmm, xmm/m128, imm8", "0F C6 /r ib")
SHUFPD: Final = RMI("shufpd", "+xmm, xmm/m128, imm8", "66 0F C6 /r ib")
PALIGNR: Final = RMI("palignr", "+xmm, xmm/m128, imm8", "66 0F 3A 0F /r ib", cpu=SSSE3)

# Blend: by a constant, by the top bits of xmm0
PBLENDW: Final = RMI("pblendw", "+xmm, xmm/m128, imm8", "66 0F 3A 0E /r ib", cpu=SSE4_1)
BLENDPS: Final = RMI("blendps", "+xmm, xmm/m128, imm8", "66 0F 3A 0C /r ib", cpu=SSE4_1)
BLENDPD: Final = RMI("blendpd", "+xmm, xmm/m128, imm8", "66 0F 3A 0D /r ib", cpu=SSE4_1)
PBLENDVB: Final = RM("pblendvb", "+xmm, xmm/m128, xmm0", "66 0F 38 10 /r", cpu=SSE4_1)
BLENDVPS: Final = RM("blendvps", "+xmm, xmm/m128, xmm0", "66 0F 38 14 /r", cpu=SSE4_1)
BLENDVPD: Final = RM("blendvpd", "+xmm, xmm/m128, xmm0", "66 0F 38 15 /r", cpu=SSE4_1)

# Sign bits to a general purpose register
PMOVMSKB: Final = RM("pmovmskb", "=r32, xmm", "66 0F D7 /r")
MOVMSKPS: Final = RM("movmskps", "=r32, xmm", "0F 50 /r")
MOVMSKPD: Final = RM("movmskpd", "=r32, xmm", "66 0F 50 /r")

# Floating point arithmetic
ADDPS: Final = RM("addps", "+xmm, xmm/m128", "0F 58 /r")
ADDPD: Final = RM("addpd", "+xmm, xmm/m128", "66 0F 58 /r")
MULPS: Final = RM("mulps", "+xmm, xmm/m128", "0F 59 /r")
MULPD: Final = RM("mulpd", "+xmm, xmm/m128", "66 0F 59 /r")
SUBPS: Final = RM("subps", "+xmm, xmm/m128", "0F 5C /r")
SUBPD: Final = RM("subpd", "+xmm, xmm/m128", "66 0F 5C /r")
MINPS: Final = RM("minps", "+xmm, xmm/m128", "0F 5D /r")
MINPD: Final = RM("minpd", "+xmm, xmm/m128", "66 0F 5D /r")
DIVPS: Final = RM("divps", "+xmm, xmm/m128", "0F 5E /r")
DIVPD: Final = RM("divpd", "+xmm, xmm/m128", "66 0F 5E /r")
MAXPS: Final = RM("maxps", "+xmm, xmm/m128", "0F 5F /r")
MAXPD: Final = RM("maxpd", "+xmm, xmm/m128", "66 0F 5F /r")
SQRTPS: Final = RM("sqrtps", "=xmm, xmm/m128", "0F 51 /r")
SQRTPD: Final = RM("sqrtpd", "=xmm, xmm/m128", "66 0F 51 /r")
CMPPS: Final = RMI("cmpps", "+xmm, xmm/m128, imm8", "0F C2 /r ib")
CMPPD: Final = RMI("cmppd", "+xmm, xmm/m128, imm8", "66 0F C2 /r ib")
ROUNDPS: Final = RMI("roundps", "=xmm, xmm/m128, imm8", "66 0F 3A 08 /r ib", cpu=SSE4_1)
ROUNDPD: Final = RMI("roundpd", "=xmm, xmm/m128, imm8", "66 0F 3A 09 /r ib", cpu=SSE4_1)

# Conversions
CVTDQ2PS: Final = RM("cvtdq2ps", "=xmm, xmm/m128", "0F 5B /r")
CVTDQ2PD: Final = RM("cvtdq2pd", "=xmm, xmm/m64", "F3 0F E6 /r")
CVTTPS2DQ: Final = RM("cvttps2dq", "=xmm, xmm/m128", "F3 0F 5B /r")
CVTTPD2DQ: Final = RM("cvttpd2dq", "=xmm, xmm/m128", "66 0F E6 /r")
CVTPS2DQ: Final = RM("cvtps2dq", "=xmm, xmm/m128", "66 0F 5B /r")
CVTPS2PD: Final = RM("cvtps2pd", "=xmm, xmm/m64", "0F 5A /r")
CVTPD2PS: Final = RM("cvtpd2ps", "=xmm, xmm/m128", "66 0F 5A /r")
