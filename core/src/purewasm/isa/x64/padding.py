"""Bytes that do nothing: long `nop`s, alignment, and keeping branches off 32-byte boundaries.

**The JCC erratum** (Intel, "Mitigations for Jump Conditional Code Erratum", 2019; Skylake to Cascade Lake): a jump that crosses or
ends at a 32-byte boundary is not kept in the cache of decoded instructions, which costs up to 30 % in a hot loop, and makes every
measurement depend on where the code happens to lie. A `cmp`, `test`, `add`, `sub`, `and`, `inc` or `dec` that fuses with the jump
counts as part of it. So before such a group of `size` bytes, at `offset` in code that starts at a multiple of 32:

    code += BRANCH_PADDING[size][offset & 31]

The same holds of `jmp`, `call` and `ret`. In code that runs once, the bytes are not worth it; on processors without the erratum
(`cpu.JCC_ERRATUM`) they only cost.

Intel SDM volume 2, NOP: "Recommended Multi-Byte Sequence of NOP Instruction".
"""

from __future__ import annotations

from purewasm.isa.x64.templates import Bytes2, table2
from purewasm.light_typing import Final

BRANCH_BOUNDARY_BYTES: Final = 32
# The longest group that has a place between two boundaries; also the largest index of BRANCH_PADDING.
LONGEST_BRANCH_BYTES: Final = BRANCH_BOUNDARY_BYTES - 1


# One instruction for each length up to 9 bytes, as the manual recommends; longer ones need prefixes that decoders are slow with.
_NOPS: Final = tuple(
    map(
        bytes.fromhex,
        (
            "", "90", "66 90", "0F 1F 00", "0F 1F 40 00", "0F 1F 44 00 00", "66 0F 1F 44 00 00",
            "0F 1F 80 00 00 00 00", "0F 1F 84 00 00 00 00 00", "66 0F 1F 84 00 00 00 00 00",
        ),
    )
)  # fmt: skip
_LONGEST: Final = len(_NOPS) - 1
_INT3: Final = b"\xcc"


def nops(size: int) -> bytes:
    """`size` bytes of `nop`, in as few instructions as can be."""
    return _NOPS[_LONGEST] * (size // _LONGEST) + _NOPS[size % _LONGEST]


def align(offset: int, alignment: int) -> bytes:
    """`nop`s from `offset` up to a multiple of `alignment`: for loop heads, which execution runs into."""
    return nops(-offset % alignment)


def fill(offset: int, alignment: int) -> bytes:
    """`int3`s from `offset` up to a multiple of `alignment`: between functions, where execution must not come."""
    return _INT3 * (-offset % alignment)


def _padding_row(size: int) -> list[bytes]:
    return [nops(32 - place if place + size >= 32 and place else 0) for place in range(32)]


# By size of the branch (with the compare that fuses) and its offset in a block of 32: what must go before it.
BRANCH_PADDING: Final[Bytes2] = table2(_padding_row, LONGEST_BRANCH_BYTES + 1)
