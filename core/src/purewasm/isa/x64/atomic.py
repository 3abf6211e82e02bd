"""Atomic access to memory: exchange, compare and exchange, locked arithmetic, fences.

Aligned loads and stores are atomic as they are, loads acquire and stores release; a sequentially consistent store is `xchg` (or a
`mov` and `mfence`). `xchg` with memory locks without a prefix; between registers it is a plain swap. The forms without
`lock` are for memories that no other thread sees.
"""

from __future__ import annotations

from purewasm.isa.x64.formats import MI, MR, ZO
from purewasm.light_typing import Final

# LOCK CMPXCHG: compares with al/ax/eax/rax; the zero flag says whether it stored, otherwise the accumulator holds what is there
LOCK_CMPXCHG_M8_R8: Final = MR("lock cmpxchg", "+m8, r8", "F0 0F B0 /r", flags="w", implicit="+rax")
LOCK_CMPXCHG_M16_R16: Final = MR("lock cmpxchg", "+m16, r16", "66 F0 0F B1 /r", flags="w", implicit="+rax")
LOCK_CMPXCHG_M32_R32: Final = MR("lock cmpxchg", "+m32, r32", "F0 0F B1 /r", flags="w", implicit="+rax")
LOCK_CMPXCHG_M64_R64: Final = MR("lock cmpxchg", "+m64, r64", "F0 REX.W 0F B1 /r", flags="w", implicit="+rax")

# LOCK XADD: the register gets the old value
LOCK_XADD_M8_R8: Final = MR("lock xadd", "+m8, +r8", "F0 0F C0 /r", flags="w")
LOCK_XADD_M16_R16: Final = MR("lock xadd", "+m16, +r16", "66 F0 0F C1 /r", flags="w")
LOCK_XADD_M32_R32: Final = MR("lock xadd", "+m32, +r32", "F0 0F C1 /r", flags="w")
LOCK_XADD_M64_R64: Final = MR("lock xadd", "+m64, +r64", "F0 REX.W 0F C1 /r", flags="w")

# CMPXCHG: compares with al/ax/eax/rax; the zero flag says whether it stored, otherwise the accumulator holds what is there
CMPXCHG_RM8_R8: Final = MR("cmpxchg", "+r/m8, r8", "0F B0 /r", flags="w", implicit="+rax")
CMPXCHG_RM16_R16: Final = MR("cmpxchg", "+r/m16, r16", "66 0F B1 /r", flags="w", implicit="+rax")
CMPXCHG_RM32_R32: Final = MR("cmpxchg", "+r/m32, r32", "0F B1 /r", flags="w", implicit="+rax")
CMPXCHG_RM64_R64: Final = MR("cmpxchg", "+r/m64, r64", "REX.W 0F B1 /r", flags="w", implicit="+rax")

# XADD: the register gets the old value
XADD_RM8_R8: Final = MR("xadd", "+r/m8, +r8", "0F C0 /r", flags="w")
XADD_RM16_R16: Final = MR("xadd", "+r/m16, +r16", "66 0F C1 /r", flags="w")
XADD_RM32_R32: Final = MR("xadd", "+r/m32, +r32", "0F C1 /r", flags="w")
XADD_RM64_R64: Final = MR("xadd", "+r/m64, +r64", "REX.W 0F C1 /r", flags="w")

# LOCK ADD: where the old value is not wanted
LOCK_ADD_M8_R8: Final = MR("lock add", "+m8, r8", "F0 00 /r", flags="w")
LOCK_ADD_M16_R16: Final = MR("lock add", "+m16, r16", "66 F0 01 /r", flags="w")
LOCK_ADD_M32_R32: Final = MR("lock add", "+m32, r32", "F0 01 /r", flags="w")
LOCK_ADD_M64_R64: Final = MR("lock add", "+m64, r64", "F0 REX.W 01 /r", flags="w")
LOCK_ADD_M8_IMM8: Final = MI("lock add", "+m8, imm8", "F0 80 /0 ib", flags="w")
LOCK_ADD_M16_IMM8: Final = MI("lock add", "+m16, simm8", "66 F0 83 /0 ib", flags="w")
LOCK_ADD_M16_IMM16: Final = MI("lock add", "+m16, imm16", "66 F0 81 /0 iw", flags="w")
LOCK_ADD_M32_IMM8: Final = MI("lock add", "+m32, simm8", "F0 83 /0 ib", flags="w")
LOCK_ADD_M32_IMM32: Final = MI("lock add", "+m32, imm32", "F0 81 /0 id", flags="w")
LOCK_ADD_M64_IMM8: Final = MI("lock add", "+m64, simm8", "F0 REX.W 83 /0 ib", flags="w")
LOCK_ADD_M64_IMM32: Final = MI("lock add", "+m64, simm32", "F0 REX.W 81 /0 id", flags="w")

# LOCK OR
LOCK_OR_M8_R8: Final = MR("lock or", "+m8, r8", "F0 08 /r", flags="w")
LOCK_OR_M16_R16: Final = MR("lock or", "+m16, r16", "66 F0 09 /r", flags="w")
LOCK_OR_M32_R32: Final = MR("lock or", "+m32, r32", "F0 09 /r", flags="w")
LOCK_OR_M64_R64: Final = MR("lock or", "+m64, r64", "F0 REX.W 09 /r", flags="w")
LOCK_OR_M8_IMM8: Final = MI("lock or", "+m8, imm8", "F0 80 /1 ib", flags="w")
LOCK_OR_M16_IMM8: Final = MI("lock or", "+m16, simm8", "66 F0 83 /1 ib", flags="w")
LOCK_OR_M16_IMM16: Final = MI("lock or", "+m16, imm16", "66 F0 81 /1 iw", flags="w")
LOCK_OR_M32_IMM8: Final = MI("lock or", "+m32, simm8", "F0 83 /1 ib", flags="w")
LOCK_OR_M32_IMM32: Final = MI("lock or", "+m32, imm32", "F0 81 /1 id", flags="w")
LOCK_OR_M64_IMM8: Final = MI("lock or", "+m64, simm8", "F0 REX.W 83 /1 ib", flags="w")
LOCK_OR_M64_IMM32: Final = MI("lock or", "+m64, simm32", "F0 REX.W 81 /1 id", flags="w")

# LOCK AND
LOCK_AND_M8_R8: Final = MR("lock and", "+m8, r8", "F0 20 /r", flags="w")
LOCK_AND_M16_R16: Final = MR("lock and", "+m16, r16", "66 F0 21 /r", flags="w")
LOCK_AND_M32_R32: Final = MR("lock and", "+m32, r32", "F0 21 /r", flags="w")
LOCK_AND_M64_R64: Final = MR("lock and", "+m64, r64", "F0 REX.W 21 /r", flags="w")
LOCK_AND_M8_IMM8: Final = MI("lock and", "+m8, imm8", "F0 80 /4 ib", flags="w")
LOCK_AND_M16_IMM8: Final = MI("lock and", "+m16, simm8", "66 F0 83 /4 ib", flags="w")
LOCK_AND_M16_IMM16: Final = MI("lock and", "+m16, imm16", "66 F0 81 /4 iw", flags="w")
LOCK_AND_M32_IMM8: Final = MI("lock and", "+m32, simm8", "F0 83 /4 ib", flags="w")
LOCK_AND_M32_IMM32: Final = MI("lock and", "+m32, imm32", "F0 81 /4 id", flags="w")
LOCK_AND_M64_IMM8: Final = MI("lock and", "+m64, simm8", "F0 REX.W 83 /4 ib", flags="w")
LOCK_AND_M64_IMM32: Final = MI("lock and", "+m64, simm32", "F0 REX.W 81 /4 id", flags="w")

# LOCK SUB
LOCK_SUB_M8_R8: Final = MR("lock sub", "+m8, r8", "F0 28 /r", flags="w")
LOCK_SUB_M16_R16: Final = MR("lock sub", "+m16, r16", "66 F0 29 /r", flags="w")
LOCK_SUB_M32_R32: Final = MR("lock sub", "+m32, r32", "F0 29 /r", flags="w")
LOCK_SUB_M64_R64: Final = MR("lock sub", "+m64, r64", "F0 REX.W 29 /r", flags="w")
LOCK_SUB_M8_IMM8: Final = MI("lock sub", "+m8, imm8", "F0 80 /5 ib", flags="w")
LOCK_SUB_M16_IMM8: Final = MI("lock sub", "+m16, simm8", "66 F0 83 /5 ib", flags="w")
LOCK_SUB_M16_IMM16: Final = MI("lock sub", "+m16, imm16", "66 F0 81 /5 iw", flags="w")
LOCK_SUB_M32_IMM8: Final = MI("lock sub", "+m32, simm8", "F0 83 /5 ib", flags="w")
LOCK_SUB_M32_IMM32: Final = MI("lock sub", "+m32, imm32", "F0 81 /5 id", flags="w")
LOCK_SUB_M64_IMM8: Final = MI("lock sub", "+m64, simm8", "F0 REX.W 83 /5 ib", flags="w")
LOCK_SUB_M64_IMM32: Final = MI("lock sub", "+m64, simm32", "F0 REX.W 81 /5 id", flags="w")

# LOCK XOR
LOCK_XOR_M8_R8: Final = MR("lock xor", "+m8, r8", "F0 30 /r", flags="w")
LOCK_XOR_M16_R16: Final = MR("lock xor", "+m16, r16", "66 F0 31 /r", flags="w")
LOCK_XOR_M32_R32: Final = MR("lock xor", "+m32, r32", "F0 31 /r", flags="w")
LOCK_XOR_M64_R64: Final = MR("lock xor", "+m64, r64", "F0 REX.W 31 /r", flags="w")
LOCK_XOR_M8_IMM8: Final = MI("lock xor", "+m8, imm8", "F0 80 /6 ib", flags="w")
LOCK_XOR_M16_IMM8: Final = MI("lock xor", "+m16, simm8", "66 F0 83 /6 ib", flags="w")
LOCK_XOR_M16_IMM16: Final = MI("lock xor", "+m16, imm16", "66 F0 81 /6 iw", flags="w")
LOCK_XOR_M32_IMM8: Final = MI("lock xor", "+m32, simm8", "F0 83 /6 ib", flags="w")
LOCK_XOR_M32_IMM32: Final = MI("lock xor", "+m32, imm32", "F0 81 /6 id", flags="w")
LOCK_XOR_M64_IMM8: Final = MI("lock xor", "+m64, simm8", "F0 REX.W 83 /6 ib", flags="w")
LOCK_XOR_M64_IMM32: Final = MI("lock xor", "+m64, simm32", "F0 REX.W 81 /6 id", flags="w")

# MFENCE, LFENCE, SFENCE, PAUSE
MFENCE: Final = ZO("mfence", "", "0F AE F0")
LFENCE: Final = ZO("lfence", "", "0F AE E8")
SFENCE: Final = ZO("sfence", "", "0F AE F8")
PAUSE: Final = ZO("pause", "", "F3 90")
