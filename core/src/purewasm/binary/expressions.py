"""Finding the end of an instruction sequence by reading through it (spec: binary format, expressions)."""

from __future__ import annotations

from purewasm.binary.immediates import READERS, read_opcode
from purewasm.errors import MalformedError, ModuleError
from purewasm.light_library import length_hint
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import opcodes
from purewasm.wasm.module import ConstExpr
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.binary.types import TypeSpace

_KIND: Final = {code: row[2] for code, row in opcodes.BY_CODE.items()}
_CLOSING: Final = frozenset((opcodes.CODE["end"], opcodes.CODE["delegate"]))
_OPENING: Final = frozenset((imm.BLOCK, imm.TRY_TABLE))


def skip_expression(code: Iterator[int], space: TypeSpace) -> None:
    """Read up to and including the `end` of the expression that begins here; StopIteration where there is none."""
    depth = 1
    while depth:
        opcode = read_opcode(code)
        kind = _KIND[opcode]
        READERS[kind](code, space)
        if opcode in _CLOSING:
            depth -= 1
        elif kind in _OPENING:
            depth += 1


def expression_at(source: bytes, start: int, end: int, space: TypeSpace) -> ConstExpr:
    """The constant expression that begins at `start`; StopIteration where it would pass `end`.

    Nearly all are a few bytes long, so a small window is tried before a larger one: nothing is copied in proportion to the module.
    """
    size = 32
    while True:
        window = source[start : min(start + size, end)]
        code = iter(window)
        try:
            skip_expression(code, space)
        except (StopIteration, MalformedError):  # also malformed: a vector that does not fit the window
            if start + size >= end:
                raise
            size *= 16
        else:
            return ConstExpr(start, start + len(window) - length_hint(code))


def start_of_instruction(body: bytes, position: int, space: TypeSpace) -> tuple[int, int]:
    """(offset, opcode) of the instruction of a body that the byte before `position` belongs to.

    For messages: an error knows how far reading had come, not where the instruction began. All opcodes up to there are known
    ones. StopIteration where the body ends in the middle of the instruction.
    """
    code = iter(body)
    while True:
        start = len(body) - length_hint(code)
        opcode = read_opcode(code)
        try:
            READERS[_KIND[opcode]](code, space)
        except ModuleError:  # the one that is being placed: it was found in the middle of the immediates
            return start, opcode
        if len(body) - length_hint(code) >= position:
            return start, opcode
