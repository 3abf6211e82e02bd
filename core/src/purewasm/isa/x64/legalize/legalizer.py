"""The pass: finds what the processor lacks, and has it replaced.

It runs behind the emitters and before distances are filled in. Before: a function's code for a processor that has everything; after: the
same with sequences in the place of what is missing, and labels, jumps, traps, calls and constants moved with them (`edits`).
"""

from __future__ import annotations

from purewasm.errors import InternalError
from purewasm.isa.x64 import vex
from purewasm.isa.x64.address import RIP, Mem
from purewasm.isa.x64.cpu import AVX, SSE4_2
from purewasm.isa.x64.disassemble import decode
from purewasm.isa.x64.legalize.edits import Edits
from purewasm.isa.x64.legalize.integer import BUILDERS
from purewasm.isa.x64.legalize.scan import SHORT_JUMP, scan
from purewasm.isa.x64.legalize.sequence import Sequence, register_of
from purewasm.isa.x64.legalize.vector import BROADCASTS, greater64, without_avx
from purewasm.isa.x64.registers import RSP
from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purewasm.isa.x64.disassemble import Argument
    from purewasm.isa.x64.emit.state import Emitter
    from purewasm.isa.x64.formats import Instruction
    from purewasm.isa.x64.legalize.sequence import Replacement

_KEPT: Final = 20_000
"""So many sequences are remembered: a large program has a thousand, but a hostile one may have millions."""
_ENTRY_BYTES: Final = 4
"""Of a jump table, which stands between instructions."""


@final
class Legalizer:
    """Makes code run without the features that are `missing`. Sequences are kept: most instructions come again and again."""

    __slots__ = ("_known", "_missing")

    def __init__(self, missing: int) -> None:
        self._missing = missing
        self._known: dict[bytes, Replacement | None] = {}

    def run(self, e: Emitter) -> Callable[[int], int]:
        """Rewrite a function's code and all that holds offsets in it. Gives the way from old offsets to new ones."""
        code, edits = e.code, Edits()
        for first, last in _stretches(e):
            for kind, start, end in scan(code, first, last):
                instruction = bytes(code[start:end])
                if kind == SHORT_JUMP:
                    edits.add_jump(start, instruction)
                else:
                    replacement = self.replacement(instruction)
                    if replacement is not None:
                        edits.add(start, end, replacement)
        edits.apply(e)
        return edits.offset

    def replacement(self, code: bytes) -> Replacement | None:
        """What stands for an instruction; None where it can stay."""
        try:
            return self._known[code]
        except KeyError:
            if len(self._known) >= _KEPT:
                self._known.clear()
            return self._known.setdefault(code, self._make(code))

    def _make(self, code: bytes) -> Replacement | None:
        decoded = decode(code)
        if decoded is None or decoded.length != len(code):
            raise InternalError(f"x64: {code.hex(' ')} is no instruction")
        row, arguments = decoded.instruction, decoded.arguments
        if not row.cpu & self._missing:
            return None
        s = Sequence()
        if row in BUILDERS:
            _without_bits(s, row, arguments)
        elif row in BROADCASTS:
            target, source = arguments
            BROADCASTS[row](self._writer(s), target, source)
        elif row.cpu == AVX:
            self._writer(s)(row, *arguments)
        else:
            raise InternalError(f"x64: nothing stands for {row!r}")
        return s.finish()

    def _writer(self, s: Sequence) -> Callable[..., None]:
        """What writes a row of AVX for this processor."""

        def write(row: Instruction, *arguments: Argument) -> None:
            if not self._missing & AVX:
                s.operate(row, *arguments)
            elif row is vex.VPCMPGTQ and self._missing & SSE4_2:
                target, left, right = arguments
                greater64(s, target, left, right)
            else:
                without_avx(s, row, *arguments)

        return write


def _without_bits(s: Sequence, row: Instruction, arguments: tuple[Argument, ...]) -> None:
    """A bit count, shift or rotation. Its operand in memory is a slot or a constant, whose address stays while registers change."""
    target, source, *count = arguments
    if isinstance(source, Mem) and source.base not in (RSP, RIP):
        raise InternalError(f"x64: nothing stands for {row!r} of {source!r}")
    BUILDERS[row](s, register_of(target), source, register_of(count[0]) if count else 0)


def _stretches(e: Emitter) -> Iterator[tuple[int, int]]:
    """The code without its jump tables."""
    start = 0
    for entry in sorted([entry for entry, _, _ in e.table_fixups]):
        if start < entry:
            yield start, entry
        start = entry + _ENTRY_BYTES
    yield start, len(e.code)
