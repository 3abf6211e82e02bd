"""Every instruction that a function can reach: is it one that a processor has?

`lzcnt` and `tzcnt` run on older processors too, as `bsr` and `bsf`: no test that runs code there would be sure to notice. So this decodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from purewasm.isa.x64 import float, vector, xmm_moves
from purewasm.isa.x64.address import RIP, Mem
from purewasm.isa.x64.cpu import format_features, usable
from purewasm.isa.x64.disassemble import decode, format_instruction
from purewasm.isa.x64.formats import Instruction
from purewasm.isa.x64.legalize.integer import BUILDERS
from purewasm.isa.x64.opcodes import Vex

if TYPE_CHECKING:
    from purewasm.backend.machine_code import MachineCode
    from purewasm.isa.x64.disassemble import Decoded

_SSE: Final = frozenset(
    row
    for family in (xmm_moves, float, vector)
    for row in vars(family).values()
    if isinstance(row, Instruction) and "xmm" in row.operand_text and not isinstance(row.encoding, Vex)
)
_TABLE_ENTRY: Final = 4
_FS: Final = 0x64
"""The prefix of reads of thread-local memory."""


def check_instructions(made: MachineCode, cpu: int) -> int:
    """How many instructions there are. Fails at one that the processor lacks, where SSE and AVX are mixed, at an operand that would have to
    be aligned and is not, and at a trap that belongs to nothing that can fault."""
    found = reachable(made)
    lacking = [
        f"{offset:#x}: {format_instruction(one.instruction, one.arguments)}: {format_features(one.instruction.cpu)}"
        for offset, one in found.items()
        if one.instruction.cpu & ~usable(cpu)
    ]
    assert not lacking, "; ".join(lacking)
    rows = {one.instruction for one in found.values()}
    has_vex = any(isinstance(row.encoding, Vex) and "xmm" in row.operand_text for row in rows)
    assert not (has_vex and rows & _SSE), f"function {made.index} has both SSE and AVX: {rows & _SSE}"
    for offset, decoded in found.items():
        if decoded.instruction.needs_alignment:
            for argument in decoded.arguments:
                is_free = not isinstance(argument, Mem) or _is_aligned_constant(argument, offset + decoded.length, made)
                assert is_free, (offset, decoded.instruction)
    for offset, _, _ in made.traps:
        one = found.get(offset) or decode(made.code, offset)  # nobody may come there: a division by zero behind a trap
        assert one is not None, f"a trap at {offset:#x}, where no instruction begins"
        row, arguments = one.instruction, one.arguments
        assert row.mnemonic == "hlt" or any(isinstance(argument, Mem) for argument in arguments), (offset, row)
    return len(found)


def check_flags(made: MachineCode) -> None:
    """Fails where flags are read that a shift or rotation without flags lets through: what stands for it elsewhere writes them."""
    found = reachable(made)
    for start, first in found.items():
        if first.instruction not in BUILDERS or first.instruction.writes_flags:
            continue
        offset = start + first.length
        while (one := found.get(offset)) is not None and not one.instruction.writes_flags and one.instruction.form != "D":
            assert not one.instruction.reads_flags, f"{offset:#x}: {one.instruction} reads flags from before {start:#x}"
            offset += one.length
        assert one is None or not (one.instruction.form == "D" and one.instruction.reads_flags), f"{offset:#x}: {one.instruction}"


def _is_aligned_constant(argument: Mem, end: int, made: MachineCode) -> bool:
    target = end + argument.disp
    return argument.base == RIP and made.pool_offset <= target <= len(made.code) - 16 and target % 16 == 0


def reachable(made: MachineCode) -> dict[int, Decoded]:
    """Instructions by offset, from the entry and from landing pads on."""
    found: dict[int, Decoded] = {}
    todo = [0, *[pad for _, pad, _ in made.landings]]
    while todo:
        offset = todo.pop()
        before: list[Decoded] = []
        while offset not in found:
            found_prefix = made.code[offset] == _FS
            one = decode(made.code[: made.pool_offset], offset + found_prefix)
            assert one is not None, f"{offset:#x}: {made.code[offset : offset + 16].hex(' ')} is no instruction"
            one.length += found_prefix
            found[offset] = one
            before.append(one)
            offset += one.length
            row = one.instruction
            if row.form == "D" and row.mnemonic != "call":
                (distance,) = one.arguments
                assert isinstance(distance, int)
                todo.append(offset + distance)
            if row.mnemonic == "jmp" and row.form != "D" and len(before) > 5 and before[-4].instruction.mnemonic == "lea":
                todo += _table_targets(made, offset, before)
            if row.mnemonic in ("jmp", "ret", "hlt"):
                break
    return found


def _table_targets(made: MachineCode, table: int, before: list[Decoded]) -> list[int]:
    """Where a jump table behind its jump leads to; a compare, a jump, `lea`, a load, an addition and a jump make the access."""
    count = before[-6].arguments[-1]
    assert before[-6].instruction.mnemonic == "cmp"
    assert isinstance(count, int)
    entries = [made.code[at : at + _TABLE_ENTRY] for at in range(table, table + _TABLE_ENTRY * count, _TABLE_ENTRY)]
    return [table + int.from_bytes(entry, "little", signed=True) for entry in entries]
