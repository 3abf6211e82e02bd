"""A function's code moved apart: replacements of other lengths put in, and everything that knows an offset told.

Distances are filled in later, by label, so the only ones to look after are those of short jumps, which are there already: where one
does not reach any more it becomes a long one.
"""

from __future__ import annotations

from purewasm.isa.x64.address import BYTE, pack_i32
from purewasm.isa.x64.control import JCC_REL32, JMP_REL8, JMP_REL32
from purewasm.light_library import bisect_right
from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from purewasm.isa.x64.emit.state import Emitter
    from purewasm.isa.x64.legalize.sequence import Replacement

_JMP8: Final = JMP_REL8.code
_SHORT_BYTES: Final = 2


@final
class Edits:
    """What is replaced, in the order of the code: old place, new size."""

    __slots__ = ("_ends", "_jumps", "_replacements", "_shifts", "_sizes", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._sizes: list[int] = []
        self._replacements: list[Replacement | None] = []
        self._jumps: list[tuple[int, int, bytes]] = []
        """(index, old target, head of its long form)."""
        self._shifts: list[int] = []
        """How far what stands behind each of them moves."""

    def add(self, start: int, end: int, replacement: Replacement) -> None:
        """An instruction and what stands for it."""
        self._starts.append(start)
        self._ends.append(end)
        self._sizes.append(len(replacement.code))
        self._replacements.append(replacement)

    def add_jump(self, start: int, code: bytes) -> None:
        """A short jump, which may have to become a long one."""
        end = start + _SHORT_BYTES
        head = JMP_REL32.code if code[:1] == _JMP8 else JCC_REL32[code[0] & 15].code
        self._jumps.append((len(self._starts), end + int.from_bytes(code[1:], "little", signed=True), head))
        self._starts.append(start)
        self._ends.append(end)
        self._sizes.append(_SHORT_BYTES)
        self._replacements.append(None)

    def offset(self, old: int) -> int:
        """The new offset of an instruction, or of what stands behind one."""
        before = bisect_right(self._ends, old)
        return old + self._shifts[before - 1] if before else old

    def apply(self, e: Emitter) -> None:
        """All of it."""
        self._lay_out()
        self._write(e)
        self._move(e)

    def _lay_out(self) -> None:
        """New places of everything. Jumps only grow, so this ends."""
        grown = True
        while grown:
            shift = 0
            self._shifts = [
                shift := shift + start - end + size for start, end, size in zip(self._starts, self._ends, self._sizes, strict=True)
            ]
            grown = False
            for index, target, head in self._jumps:
                if self._sizes[index] == _SHORT_BYTES and not -128 <= self._distance(index, target) < 128:
                    self._sizes[index] = len(head) + 4
                    grown = True

    def _distance(self, index: int, target: int) -> int:
        return self.offset(target) - self.offset(self._ends[index])

    def _write(self, e: Emitter) -> None:
        jumps = {index: (target, head) for index, target, head in self._jumps}
        old, code, last = e.code, bytearray(), 0
        for index, (start, end, replacement) in enumerate(zip(self._starts, self._ends, self._replacements, strict=True)):
            code += old[last:start]
            if replacement is not None:
                code += replacement.code
            else:
                target, head = jumps[index]
                distance = self._distance(index, target)
                code += old[start : start + 1] + BYTE[distance] if self._sizes[index] == _SHORT_BYTES else head + pack_i32(distance)
            last = end
        e.code = code + old[last:]

    def _move(self, e: Emitter) -> None:
        """Whatever holds an offset."""
        to = self.offset
        faults = {
            start: replacement.fault for start, replacement in zip(self._starts, self._replacements, strict=True) if replacement is not None
        }
        e.labels = [offset if offset < 0 else to(offset) for offset in e.labels]
        e.fixups = [(to(jump), label) for jump, label in e.fixups]
        e.table_fixups = [(to(entry), label, to(table)) for entry, label, table in e.table_fixups]
        e.stubs = {trap: [to(jump) for jump in jumps] for trap, jumps in e.stubs.items()}
        e.traps = [(to(offset) + faults.get(offset, 0), trap, place) for offset, trap, place in e.traps]
        e.call_sites = [(to(offset), place, stack_bytes) for offset, place, stack_bytes in e.call_sites]
        e.covered = {call: [to(offset) for offset in offsets] for call, offsets in e.covered.items()}
        e.landings = [(call, to(offset), tags) for call, offset, tags in e.landings]
        e.pool_fixups = self._move_constants(e.pool_fixups)

    def _move_constants(self, fixups: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
        """Distances to constants: those within replaced instructions, those elsewhere, and those of replacements alone."""
        moved = []
        for offset, behind, constant in fixups:
            index = bisect_right(self._ends, offset)
            replacement = self._replacements[index] if index < len(self._starts) and self._starts[index] < offset else None
            if replacement is None:
                moved.append((self.offset(offset), behind, constant))
            else:
                moved.append((self.offset(self._starts[index]) + replacement.distance, replacement.behind, constant))
        for start, replacement in zip(self._starts, self._replacements, strict=True):
            if replacement is not None and replacement.constants:
                new = self.offset(start)
                moved += [(new + place, behind, constant) for place, behind, constant in replacement.constants]
        return moved
