"""Every row of the instruction tables with its name, for what looks at all of them: the disassembler, tests, statistics.

A compiler does not come here: it imports the rows that it uses from their families.
"""

from __future__ import annotations

from purewasm.isa.x64 import atomic, bmi, control, float, integer, memory, vector, vex, xmm_moves
from purewasm.isa.x64.formats import Instruction
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FAMILIES: Final = (integer, memory, bmi, control, atomic, xmm_moves, float, vector, vex)


def named_rows() -> Iterator[tuple[str, Instruction]]:
    """All rows in the order of the tables. Rows of a family by condition are called `JCC_REL32[4]`."""
    for family in FAMILIES:
        for name, value in vars(family).items():
            if isinstance(value, Instruction):
                yield name, value
            elif isinstance(value, tuple):
                for cc, row in enumerate(value):
                    if isinstance(row, Instruction):
                        yield f"{name}[{cc}]", row
