"""Condition codes: the low four bits of `jcc`, `setcc` and `cmovcc`.

A condition and its opposite differ in bit 0, so `cc ^ 1` negates. `SWAPPED[cc]` is the condition that holds of `b, a`
where `cc` holds of `a, b`, for a compare whose operands change places.

After `ucomiss`/`ucomisd a, b`: CF = a < b or unordered, ZF = a == b or unordered, PF = unordered. So `a > b` is `CC_A` and
`a >= b` is `CC_AE` (both false when unordered), `a < b` is `CC_A` of `b, a`, `a == b` is `CC_NP` and `CC_E` together.

Intel SDM volume 1, appendix B "EFLAGS Condition Codes".
"""

from __future__ import annotations

from purewasm.light_typing import Final

CC_O: Final = 0  # overflow
CC_NO: Final = 1
CC_B: Final = 2  # below, unsigned; also carry
CC_AE: Final = 3
CC_E: Final = 4  # equal, zero
CC_NE: Final = 5
CC_BE: Final = 6
CC_A: Final = 7  # above, unsigned
CC_S: Final = 8  # sign, negative
CC_NS: Final = 9
CC_P: Final = 10  # parity; unordered after ucomis
CC_NP: Final = 11
CC_L: Final = 12  # less, signed
CC_GE: Final = 13
CC_LE: Final = 14
CC_G: Final = 15  # greater, signed

CONDITION_NAMES: Final = ("o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g")

# Only the orders change places; conditions on one flag have no mirror image and stay.
SWAPPED: Final = (CC_O, CC_NO, CC_A, CC_BE, CC_E, CC_NE, CC_AE, CC_B, CC_S, CC_NS, CC_P, CC_NP, CC_G, CC_LE, CC_GE, CC_L)
