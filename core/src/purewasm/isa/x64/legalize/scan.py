"""Finding the instructions in code of this compiler that older processors lack, and its short jumps.

Lengths of instructions are a regular language: prefixes, opcode, ModRM, SIB, displacement and immediate say where the next one begins.
So one regular expression, made of the rows of the instruction tables, runs over all that any processor has, at the speed of
Python's `re`, and stops at what somebody has to look at. An opcode of no row stops it too, and is an `InternalError`.

Intel SDM volume 2, 2.1 "Instruction Format for Protected Mode …".
"""

from __future__ import annotations

import re

from purewasm.errors import InternalError
from purewasm.isa.x64.cpu import BMI1, LZCNT, POPCNT
from purewasm.isa.x64.instructions import named_rows
from purewasm.isa.x64.opcodes import VEX_MAPS, Legacy, Vex
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.isa.x64.formats import Instruction

LACKING: Final = 1
"""An instruction that not every processor has: VEX, or a bit count."""
SHORT_JUMP: Final = 2
"""A jump whose distance is one byte."""

_COUNTS: Final = POPCNT | LZCNT | BMI1
_FS: Final = b"\\x64?+"
"""A segment may stand before anything: the address of the control block is read through one."""


def _set(values: set[int]) -> bytes:
    """One byte of a set, written as ranges: that is what takes the time when the expression is compiled."""
    ends = [value for value in sorted(values) if value + 1 not in values]
    starts = [value for value in sorted(values) if value - 1 not in values]
    return b"[" + b"".join(b"\\x%02x-\\x%02x" % pair for pair in zip(starts, ends, strict=True)) + b"]"


def _modrm(digits: frozenset[int]) -> bytes:
    """ModRM with one of these in its middle field, with all that belongs to the address."""

    def fields(mod: int, low: set[int]) -> bytes:
        return _set({mod << 6 | digit << 3 | rm for digit in digits for rm in low})

    usual = {0, 1, 2, 3, 6, 7}
    without_base = _set({sib for sib in range(256) if sib & 7 == 5})
    with_base = _set({sib for sib in range(256) if sib & 7 != 5})
    return b"|".join(
        (
            fields(3, set(range(8))),
            fields(0, usual),
            fields(0, {4}) + b"(?:" + with_base + b"|" + without_base + b".{4})",
            fields(0, {5}) + b".{4}",
            fields(1, {*usual, 5}) + b".",
            fields(1, {4}) + b"..",
            fields(2, {*usual, 5}) + b".{4}",
            fields(2, {4}) + b".{5}",
        )
    )


_ALL_DIGITS: Final = frozenset(range(8))
_Shape = tuple[frozenset[int], int]
"""Digits in ModRM (none: there is no ModRM), bytes of the immediate."""


def _tails(opcodes: dict[_Shape, set[int]]) -> bytes:
    """Opcode bytes by what follows them."""
    parts = []
    for (digits, immediate), values in opcodes.items():
        modrm = b"(?:" + _modrm(digits) + b")" if digits else b""
        parts.append(_set(values) + modrm + b".{%d}" % immediate)
    return b"(?:" + b"|".join(parts) + b")"


def _shape(row: Instruction) -> _Shape:
    encoding = row.encoding
    digits = frozenset((encoding.digit,)) if encoding.digit >= 0 else _ALL_DIGITS
    return digits if encoding.has_modrm else frozenset(), encoding.immediate_bytes


_ESCAPES: Final = (b"\x0f\x38", b"\x0f\x3a", b"\x0f")
_REX: Final = {0: b"[\\x40-\\x47]?+", 1: b"[\\x48-\\x4f]", -1: b"[\\x40-\\x4f]?+"}
"""By W; -1 where it makes no difference."""


def _legacy(rows: list[Instruction]) -> bytes:
    """Instructions without VEX: prefixes, REX, escape bytes, then opcodes by what follows them."""
    opcodes: dict[tuple[bytes, bytes, int], set[tuple[int, _Shape]]] = {}
    for row in rows:
        encoding = row.encoding
        assert isinstance(encoding, Legacy)
        escape = next((escape for escape in _ESCAPES if encoding.opcode.startswith(escape)), b"")
        first = encoding.opcode[len(escape)]
        fixed = encoding.opcode[len(escape) + 1 :]  # `mfence` and its like have a second byte where others have ModRM
        shape = (frozenset[int](), len(fixed)) if fixed else _shape(row)
        for low in range(8) if encoding.register_in_opcode else (0,):
            opcodes.setdefault((encoding.prefix, escape, first + low), set()).add((encoding.w, shape))
    groups: dict[bytes, dict[int, dict[bytes, dict[_Shape, set[int]]]]] = {}
    for (prefix, escape, opcode), forms in opcodes.items():
        immediates = {(bool(digits), immediate) for _, (digits, immediate) in forms}
        if len(immediates) == 1:  # one length for all: W and digits do not matter
            forms = {(-1, (_ALL_DIGITS if has_modrm else frozenset(), immediate)) for has_modrm, immediate in immediates}
        for w, shape in forms:
            groups.setdefault(prefix, {}).setdefault(w, {}).setdefault(escape, {}).setdefault(shape, set()).add(opcode)
    parts = []
    for prefix, by_w in groups.items():
        for w, by_escape in by_w.items():
            maps = b"|".join(_literal(escape) + _tails(shapes) for escape, shapes in by_escape.items())
            parts.append(_literal(prefix) + _REX[w] + b"(?:" + maps + b")")
    return b"|".join(parts)


def _literal(value: bytes) -> bytes:
    return b"".join([b"\\x%02x" % byte for byte in value])


def _vex(rows: list[Instruction]) -> bytes:
    """Both forms of the prefix, then the opcode as map and shape have it."""
    maps: dict[int, dict[_Shape, set[int]]] = {number: {} for number in VEX_MAPS.values()}
    for row in rows:
        encoding = row.encoding
        assert isinstance(encoding, Vex)
        shape = (_ALL_DIGITS if encoding.has_modrm else frozenset(), encoding.immediate_bytes)
        maps[encoding.map].setdefault(shape, set()).add(encoding.opcode)
    parts = [b"\\xc5." + _tails(maps[1])]
    for number, opcodes in maps.items():
        parts.append(b"\\xc4" + _set({bits << 5 | number for bits in range(8)}) + b"." + _tails(opcodes))
    return b"|".join(parts)


def _pattern() -> re.Pattern[bytes]:
    plain: list[Instruction] = []
    counts: list[Instruction] = []
    vex: list[Instruction] = []
    jumps: list[Instruction] = []
    for _, row in named_rows():
        if isinstance(row.encoding, Vex):
            vex.append(row)
        elif row.form == "D" and row.encoding.immediate_bytes == 1:
            jumps.append(row)
        else:
            (counts if row.cpu & _COUNTS else plain).append(row)
    return re.compile(
        b"(?:" + _FS + b"(?:" + _legacy(plain) + b"))*+"
        b"(?:(" + _vex(vex) + b"|" + _legacy(counts) + b")|(" + _legacy(jumps) + b")|\\Z)",
        re.DOTALL,
    )  # fmt: skip


_compiled: Final[list[re.Pattern[bytes]]] = []


def scan(code: bytearray, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(kind, start, end) of each instruction between the two offsets that is `LACKING` or a `SHORT_JUMP`."""
    if not _compiled:
        _compiled.append(_pattern())
    match = _compiled[0].match
    while start < end:
        found = match(code, start, end)
        if found is None:
            raise InternalError(f"x64: the code after {start:#x} is of no row: {bytes(code[start : start + 64]).hex(' ')}")
        kind = found.lastindex
        if kind is None:
            return
        first, start = found.span(kind)
        yield kind, first, start
