"""The opcode column of Intel's manual, read into what an encoder needs.

Input is the manual's own notation, in the order of the bytes:

    66 REX.W 0F 6E /r               prefixes, REX.W, opcode bytes, ModRM with a register
    F0 81 /0 id                     /0 to /7: ModRM.reg holds a digit; ib iw id io: immediate; cb cd: branch distance
    B8+r id                         the register is in the low bits of the opcode
    VEX.128.66.0F38.W0 F7 /r        vector length (128, LZ, LIG), prefix (66 F3 F2 or none), map, W (W0 W1 WIG)
    VEX.128.66.0F3A.W0 4C /r /is4   /is4: a fourth register in the top half of a last byte

Output is a `Legacy` or a `Vex`, whose `head` gives every byte before ModRM from the top bits of the registers.

Intel SDM volume 2, 2.1 "Instruction Format for Protected Mode …", 2.2.1 "REX Prefixes", 2.3 "AVX", 3.1.1.1 "Opcode Column".
"""

from __future__ import annotations

from purewasm.errors import InternalError
from purewasm.light_typing import Final, final

PREFIXES: Final = frozenset((0x66, 0xF0, 0xF2, 0xF3))

_IMMEDIATE_BYTES: Final = {"ib": 1, "iw": 2, "id": 4, "io": 8, "cb": 1, "cd": 4}
_VEX_PREFIX: Final = {"66": 1, "F3": 2, "F2": 3}
VEX_MAPS: Final = {"0F": 1, "0F38": 2, "0F3A": 3}


@final
class Legacy:
    """Prefixes, REX and opcode bytes. `digit` is -1 where ModRM.reg holds a register or there is no ModRM."""

    __slots__ = ("digit", "has_modrm", "immediate_bytes", "opcode", "prefix", "register_in_opcode", "w")

    def __init__(
        self, prefix: bytes, w: int, opcode: bytes, *, digit: int, has_modrm: bool, register_in_opcode: bool, immediate_bytes: int
    ) -> None:
        self.prefix, self.w, self.opcode = prefix, w, opcode
        self.digit, self.has_modrm, self.register_in_opcode = digit, has_modrm, register_in_opcode
        self.immediate_bytes = immediate_bytes

    def head(self, r: int, x: int, b: int, v: int = 0, byte_register: bool = False) -> bytes:
        """Bytes before ModRM. `r`, `x`, `b` are bit 3 of the registers; `byte_register` asks for a REX that is otherwise empty."""
        rex = 0x40 | self.w << 3 | r << 2 | x << 1 | b
        # Mandatory prefixes stand before REX: the processor ignores a REX that is not the last prefix.
        return self.prefix + (bytes((rex,)) if rex != 0x40 or byte_register else b"") + self.opcode


@final
class Vex:
    """A VEX prefix and one opcode byte."""

    __slots__ = ("digit", "has_modrm", "immediate_bytes", "map", "opcode", "pp", "w")

    def __init__(self, pp: int, opcode_map: int, w: int, opcode: int, *, digit: int, has_modrm: bool, immediate_bytes: int) -> None:
        self.pp, self.map, self.w, self.opcode = pp, opcode_map, w, opcode
        self.digit, self.has_modrm, self.immediate_bytes = digit, has_modrm, immediate_bytes

    def head(self, r: int, x: int, b: int, v: int = 0, byte_register: bool = False) -> bytes:
        """Bytes before ModRM; `v` is the whole register number of VEX.vvvv, 0 where there is none. Two bytes where they suffice."""
        low = (15 - v) << 3 | self.pp
        if self.map == 1 and not (x or b or self.w):
            return bytes((0xC5, (1 - r) << 7 | low, self.opcode))
        return bytes((0xC4, (1 - r) << 7 | (1 - x) << 6 | (1 - b) << 5 | self.map, self.w << 7 | low, self.opcode))


def parse_opcode(text: str) -> Legacy | Vex:
    """Read one cell of the opcode column. A cell that breaks the notation is an `InternalError`."""
    digit, has_modrm, immediate_bytes, w, in_opcode = -1, False, 0, 0, False
    vex: list[str] = []
    bytes_ = bytearray()
    for token in text.split():
        if token == "/r":
            has_modrm = True
        elif token == "/is4":
            immediate_bytes = 1
        elif token[0] == "/":
            has_modrm, digit = True, int(token[1:])
        elif token in _IMMEDIATE_BYTES:
            immediate_bytes += _IMMEDIATE_BYTES[token]
        elif token == "REX.W":
            w = 1
        elif token[:4] == "VEX.":
            vex = token.split(".")[1:]
        else:
            if token[-2:] == "+r":
                in_opcode, token = True, token[:-2]
            bytes_.append(int(token, 16))
    if vex:
        pp = _VEX_PREFIX.get(vex[1], 0)
        opcode_map = VEX_MAPS[vex[2 if pp else 1]]
        if vex[0] not in ("128", "LZ", "LIG") or len(bytes_) != 1 or vex[-1] not in ("W0", "W1", "WIG"):
            raise InternalError(f"x64: bad opcode column {text!r}")
        return Vex(pp, opcode_map, int(vex[-1] == "W1"), bytes_[0], digit=digit, has_modrm=has_modrm, immediate_bytes=immediate_bytes)
    start = 0
    # `66 90` and `F3 90` have a prefix too; a last byte is always the opcode.
    while start < len(bytes_) - 1 and bytes_[start] in PREFIXES:
        start += 1
    return Legacy(
        bytes(bytes_[:start]), w, bytes(bytes_[start:]),
        digit=digit, has_modrm=has_modrm, register_in_opcode=in_opcode, immediate_bytes=immediate_bytes,
    )  # fmt: skip
