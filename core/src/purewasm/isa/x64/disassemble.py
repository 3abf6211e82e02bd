"""Machine code back to text, in Intel syntax, for everything that the encoder can write.

Input: bytes and the address that they are for. Output: lines (`address`, `code`, `text`) that the GNU assembler reads with
`.intel_syntax noprefix`. Built from the same rows as the encoder: a row is found by prefixes, map and opcode byte, then the row
says what the operands are. What no row can have written, or is cut off, comes out as `.byte`; nothing raises.

`decode` gives the row and its arguments, `format_instruction` the text of a row with arguments:

    decode(row(*arguments)) == (row, arguments), and the text of both is the same.
"""

from __future__ import annotations

from purewasm.isa.x64.address import NO_REGISTER, RIP, Mem
from purewasm.isa.x64.instructions import named_rows
from purewasm.isa.x64.opcodes import PREFIXES, Legacy, Vex
from purewasm.isa.x64.registers import NAMES, RSP
from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from purewasm.isa.x64.formats import Instruction
    from purewasm.isa.x64.operands import Operand

Argument = int | Mem

_SIZE_WORDS: Final = {0: "", 8: "byte ptr ", 16: "word ptr ", 32: "dword ptr ", 64: "qword ptr ", 128: "xmmword ptr "}

_SEGMENTS: Final = {0x64: "fs", 0x65: "gs"}
"""Prefixes that no row has: the address counts from the thread's own data."""

# Rows by what is known before ModRM: prefixes in order, or VEX and its prefix; opcode map and byte.
_Key = tuple[bytes, int, int]
_INDEX: Final[dict[_Key, list[Instruction]]] = {}


@final
class Decoded:
    """One instruction: its row, the arguments that a call of the row takes, its length in bytes."""

    __slots__ = ("arguments", "instruction", "length")

    def __init__(self, instruction: Instruction, arguments: tuple[Argument, ...], length: int) -> None:
        self.instruction, self.arguments, self.length = instruction, arguments, length


@final
class Line:
    """One line of a listing."""

    __slots__ = ("address", "code", "text")

    def __init__(self, address: int, code: bytes, text: str) -> None:
        self.address, self.code, self.text = address, code, text

    def __str__(self) -> str:
        return f"{self.address:8x}:  {self.code.hex(' '):<30}  {self.text}".rstrip()


def disassemble(code: bytes, address: int = 0, symbols: Mapping[int, str] | None = None) -> Iterator[Line]:
    """Lines for all of `code`. `symbols` names addresses: branch targets and what is addressed relative to rip get them as a comment."""
    offset = 0
    while offset < len(code):
        segment = _SEGMENTS.get(code[offset])
        start = offset + (segment is not None)
        decoded = decode(code, start)
        if decoded is None or (segment and not _addresses(decoded)):
            yield Line(address + offset, code[offset : offset + 1], f".byte {code[offset]:#x}")
            offset += 1
            continue
        end = start + decoded.length
        text = format_instruction(decoded.instruction, decoded.arguments, address + end)
        if segment:
            text = text.replace("[", f"{segment}:[")
        target = _target(decoded, address + end)
        if target is not None:
            name = (symbols or {}).get(target)
            if name is not None or decoded.instruction.form != "D":
                text += f"  # {target:#x}" + (f" {name}" if name else "")
        yield Line(address + offset, code[offset:end], text)
        offset = end


def _addresses(decoded: Decoded) -> bool:
    return any(isinstance(argument, Mem) for argument in decoded.arguments)


def _target(decoded: Decoded, end: int) -> int | None:
    """The address that an instruction points to by its distance from `end`."""
    for argument in decoded.arguments:
        if isinstance(argument, Mem):
            return end + argument.disp if argument.base == RIP else None
        if decoded.instruction.form == "D":
            return end + argument
    return None


# -- text --------------------------------------------------------------------------------------------------------------


def format_instruction(instruction: Instruction, arguments: Sequence[Argument], end: int = 0) -> str:
    """`end` is the address after the instruction, from where branches count."""
    given = iter(arguments)
    words = [operand.word if operand.is_fixed else _format_argument(operand, next(given), end) for operand in instruction.operands]
    return f"{instruction.mnemonic} {', '.join(words)}".rstrip()


def _format_argument(operand: Operand, argument: Argument, end: int) -> str:
    if isinstance(argument, Mem):
        return _SIZE_WORDS[operand.memory_bits] + repr(argument)
    if operand.word[:3] == "rel":
        return f"{end + argument:#x}"
    if operand.constant_bits:
        value = argument if operand.signed else argument & (1 << operand.constant_bits) - 1
        return str(value) if -10 < value < 10 else f"{value:#x}"
    return NAMES[operand.register][argument]


# -- decoding ----------------------------------------------------------------------------------------------------------


def decode(code: bytes, offset: int = 0) -> Decoded | None:
    """The instruction at `offset`, or None where no row fits or the bytes end too soon."""
    if not _INDEX:
        _build_index()
    try:
        if code[offset] in (0xC4, 0xC5):
            return _decode_vex(code, offset)
        return _decode_legacy(code, offset)
    except IndexError:
        return None


def _build_index() -> None:
    for _, row in named_rows():
        encoding = row.encoding
        if isinstance(encoding, Vex):
            _INDEX.setdefault((b"V" + bytes((encoding.pp,)), encoding.map, encoding.opcode), []).append(row)
            continue
        opcode_map, position = _opcode_map(encoding.opcode, 0)
        opcode = encoding.opcode[position]
        for low in range(8) if encoding.register_in_opcode else (0,):
            _INDEX.setdefault((bytes(sorted(encoding.prefix)), opcode_map, opcode + low), []).append(row)


def _opcode_map(code: bytes, position: int) -> tuple[int, int]:
    """Number of the opcode map, and where the opcode byte is."""
    if code[position] != 0x0F:
        return 0, position
    following = code[position + 1]
    return (2, position + 2) if following == 0x38 else (3, position + 2) if following == 0x3A else (1, position + 1)


@final
class _Fields:
    """What prefixes say: bit 3 of the registers, W, VEX.vvvv, and whether there was a REX."""

    __slots__ = ("b", "has_rex", "r", "v", "w", "x")

    def __init__(self, w: int, r: int, x: int, b: int, v: int, has_rex: bool) -> None:
        self.w, self.r, self.x, self.b, self.v, self.has_rex = w, r << 3, x << 3, b << 3, v, has_rex


def _decode_legacy(code: bytes, start: int) -> Decoded | None:
    position = start
    while code[position] in PREFIXES:
        position += 1
    prefix = bytes(sorted(code[start:position]))
    rex = code[position] if code[position] >> 4 == 4 else 0
    position += rex != 0
    fields = _Fields(rex >> 3 & 1, rex >> 2 & 1, rex >> 1 & 1, rex & 1, 0, rex != 0)
    opcode_map, position = _opcode_map(code, position)
    for row in _INDEX.get((prefix, opcode_map, code[position]), ()):
        encoding = row.encoding
        if isinstance(encoding, Legacy) and encoding.w == fields.w:
            # `mfence` and its like have one byte more where others have ModRM.
            rest = encoding.opcode[_opcode_map(encoding.opcode, 0)[1] + 1 :]
            after = position + 1 + len(rest)
            if code[position + 1 : after] == rest:
                decoded = _decode_row(row, code, start, after, fields)
                if decoded is not None:
                    return decoded
    return None


def _decode_vex(code: bytes, start: int) -> Decoded | None:
    if code[start] == 0xC5:
        first, second, opcode_map, position = code[start + 1] & 0x80 | 0x60, code[start + 1] & 0x7F, 1, start + 2
    else:
        first, second, position = code[start + 1], code[start + 2], start + 3
        opcode_map = first & 31
    fields = _Fields(second >> 7, ~first >> 7 & 1, ~first >> 6 & 1, ~first >> 5 & 1, ~second >> 3 & 15, False)
    if second & 4:  # 256 bits
        return None
    for row in _INDEX.get((b"V" + bytes((second & 3,)), opcode_map, code[position]), ()):
        encoding = row.encoding
        if encoding.w == fields.w and ("V" in row.form or not fields.v):
            decoded = _decode_row(row, code, start, position + 1, fields)
            if decoded is not None:
                return decoded
    return None


def _decode_row(row: Instruction, code: bytes, start: int, position: int, fields: _Fields) -> Decoded | None:
    """The arguments of `row`, whose opcode ends before `position`; None if what follows is not of this row."""
    encoding, opcode = row.encoding, code[position - 1]
    reg = 0
    rm: Argument = 0
    if encoding.has_modrm:
        modrm = code[position]
        reg = modrm >> 3 & 7
        if encoding.digit not in (-1, reg):
            return None
        operand = row.arguments[row.form.index("M")]
        if not operand.register if modrm >= 0xC0 else operand.memory_bits < 0:
            return None
        reg |= fields.r
        rm, position = _decode_rm(code, position, fields)
    values: dict[str, Argument] = {"R": reg, "M": rm, "V": fields.v, "O": opcode & 7 | fields.b}
    if "S" in row.form:
        values["S"] = code[position] >> 4
    arguments: list[Argument] = []
    for letter, operand in zip(row.form, row.arguments, strict=False):  # ZO has letters but no arguments
        if operand.constant_bits:
            raw = code[position : position + (operand.constant_bits >> 3)]
            arguments.append(int.from_bytes(raw, "little", signed=operand.signed))
            continue
        # Without REX 4 to 7 are ah, ch, dh, bh, which the encoder never writes.
        if operand.register == "r8" and values[letter] in (4, 5, 6, 7) and not fields.has_rex:
            return None
        arguments.append(values[letter])
    position += encoding.immediate_bytes
    return Decoded(row, tuple(arguments), position - start) if position <= len(code) else None


def _decode_rm(code: bytes, position: int, fields: _Fields) -> tuple[Argument, int]:
    """The operand in ModRM.rm, and the position after it."""
    modrm = code[position]
    mod, low = modrm >> 6, modrm & 7
    position += 1
    if mod == 3:
        return low | fields.b, position
    base, index, scale = low | fields.b, NO_REGISTER, 1
    if low == RSP:
        sib = code[position]
        position += 1
        index, scale, base = sib >> 3 & 7 | fields.x, 1 << (sib >> 6), sib & 7 | fields.b
        if index == RSP:
            index, scale = NO_REGISTER, 1
    disp_bytes = (0, 1, 4)[mod]
    if mod == 0 and base & 7 == 5:
        base, disp_bytes = NO_REGISTER if low == RSP else RIP, 4
    raw = code[position : position + disp_bytes]
    if len(raw) < disp_bytes:
        raise IndexError("the code ends within an address")
    return Mem(base, int.from_bytes(raw, "little", signed=True), index=index, scale=scale), position + disp_bytes
