"""Memory operands: `[base + index * scale + displacement]`, `[rip + displacement]` and `[displacement]`.

`address_tails` is the one place that knows ModRM, SIB and displacement; the general encoder (`Mem.tail`) and the
precomputed templates both take what they need from it. The irregular cases that it covers:

- `rsp` and `r12` as base need a SIB byte, since 4 in ModRM.rm means "SIB follows";
- `rbp` and `r13` as base have no form without displacement, since 5 with mod 0 means "rip";
- `rsp` cannot be an index (4 in SIB.index means "no index"); `r12` can, REX.X tells them apart;
- an index without a base always carries 32 bits of displacement.

Intel SDM volume 2, 2.1.5 "Addressing-Mode Encoding of ModR/M and SIB Bytes" and 2.2.1.6 "RIP-Relative Addressing".
"""

from __future__ import annotations

from struct import Struct

from purewasm.errors import InternalError
from purewasm.isa.x64.registers import NAMES_64, R15, RBP, RSP
from purewasm.light_typing import Final, final

NO_REGISTER: Final = -1
RIP: Final = -2

# The three ways that an address can end: complete with displacement zero, or open for one byte or four bytes of displacement.
Tails = tuple[bytes, bytes, bytes]

pack_i32: Final = Struct("<i").pack
# One byte of displacement or immediate, indexed by -128..127: a negative index counts from the end, which is two's complement.
BYTE: Final[list[bytes]] = list(Struct("256c").unpack(bytes(range(256))))

_SCALE_BITS: Final = {1: 0x00, 2: 0x40, 4: 0x80, 8: 0xC0}


def address_tails(field: int, base: int, index: int, scale: int) -> Tails:
    """ModRM and SIB for `field` (0..7) in ModRM.reg: with displacement zero complete, without disp8, without disp32."""
    if index == NO_REGISTER and base & 7 != RSP:
        mod0 = bytes((field << 3 | base & 7,))
        sib = b""
    else:
        mod0 = bytes((field << 3 | 4,))
        sib = bytes(((0 if index == NO_REGISTER else _SCALE_BITS[scale]) | (index & 7 if index >= 0 else 4) << 3 | base & 7,))
    disp8 = bytes((mod0[0] | 0x40,)) + sib
    disp32 = bytes((mod0[0] | 0x80,)) + sib
    zero = disp8 + b"\0" if base & 7 == RBP else mod0 + sib
    return zero, disp8, disp32


@final
class Mem:
    """A memory operand. `base` is a register, `RIP` or `NO_REGISTER`; the displacement of `RIP` counts from the instruction's end."""

    __slots__ = ("base", "disp", "index", "scale")

    def __init__(self, base: int, disp: int = 0, *, index: int = NO_REGISTER, scale: int = 1) -> None:
        if not RIP <= base <= R15 or not NO_REGISTER <= index <= R15 or index == RSP or scale not in _SCALE_BITS:
            raise InternalError(f"x64: no address has base {base}, index {index}, scale {scale}")
        if base == RIP and index != NO_REGISTER:
            raise InternalError("x64: an address relative to rip has no index")
        if not -0x8000_0000 <= disp <= 0x7FFF_FFFF:
            raise InternalError(f"x64: displacement {disp} does not fit in 32 bits")
        self.base, self.disp, self.index, self.scale = base, disp, index, scale

    @property
    def rex_x(self) -> int:
        return 1 if self.index > 7 else 0

    @property
    def rex_b(self) -> int:
        return 1 if self.base > 7 else 0

    def tail(self, field: int) -> bytes:
        """ModRM, SIB and displacement, with `field` (0..7) in ModRM.reg; the displacement as short as it can be."""
        base, disp = self.base, self.disp
        if base == RIP:
            return bytes((field << 3 | 5,)) + pack_i32(disp)
        if base == NO_REGISTER:
            sib = _SCALE_BITS[self.scale] | (self.index & 7) << 3 | 5 if self.index >= 0 else 0x25
            return bytes((field << 3 | 4, sib)) + pack_i32(disp)
        zero, disp8, disp32 = address_tails(field, base, self.index, self.scale)
        if disp == 0:
            return zero
        return disp8 + BYTE[disp] if -128 <= disp <= 127 else disp32 + pack_i32(disp)

    def __repr__(self) -> str:
        parts = []
        if self.base != NO_REGISTER:
            parts.append("rip" if self.base == RIP else NAMES_64[self.base])
        if self.index != NO_REGISTER:
            parts.append(f"{NAMES_64[self.index]}*{self.scale}")
        text = "+".join(parts)
        if not text:
            return f"[{self.disp & 0xFFFF_FFFF_FFFF_FFFF:#x}]"
        return f"[{text}{self.disp:+#x}]" if self.disp else f"[{text}]"
