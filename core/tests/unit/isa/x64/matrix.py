"""Arguments to try every row of the instruction tables with: all registers, all kinds of address, constants at their borders.

Combinations are rotated rather than multiplied: each register meets each place and each address meets each row, while the
number of cases stays at some hundred for a row.
"""

from __future__ import annotations

from itertools import cycle, product
from typing import TYPE_CHECKING, Final

from purewasm.isa.x64.address import NO_REGISTER, RIP, Mem
from purewasm.isa.x64.registers import RSP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.isa.x64.formats import Instruction
    from purewasm.isa.x64.operands import Operand

Argument = int | Mem
Case = tuple[Argument, ...]

_DISPLACEMENTS: Final = (0, 1, -1, 8, 127, 128, -128, -129, 4096, 0x7FFF_FFFF, -0x8000_0000)
_INDEXES: Final = tuple(register for register in range(16) if register != RSP)

# By the number of registers in an instruction: which to multiply out. Of pairs, each row gets a third, neighbours another third.
_REGISTERS: Final = {1: range(16), 2: range(16), 3: (0, 3, 5, 8, 12, 15), 4: (0, 6, 9, 15)}
_STEP: Final = 3


def _addresses() -> Iterator[Mem]:
    for base in range(16):
        for disp in (0, 5, -128, 1 << 20):
            yield Mem(base, disp)
    for disp in _DISPLACEMENTS:
        yield Mem(15, disp, index=1)
        yield Mem(4, disp)
        yield Mem(13, disp)
        yield Mem(RIP, disp)
    scales = cycle((1, 2, 4, 8))
    displacements = cycle(_DISPLACEMENTS)
    for base, index in product(range(16), _INDEXES):
        yield Mem(base, next(displacements), index=index, scale=next(scales))
    for index, scale in product(_INDEXES, (1, 2, 4, 8)):
        yield Mem(NO_REGISTER, 64, index=index, scale=scale)
    yield Mem(NO_REGISTER, 0x1000)
    yield Mem(NO_REGISTER, -16)


ADDRESSES: Final = tuple(_addresses())
# One of each kind: plain, SIB forced, displacement forced, index, both extended, rip, borders of the displacement.
FEW_ADDRESSES: Final = (
    Mem(3), Mem(4, 8), Mem(5), Mem(12), Mem(13, -128), Mem(15, 127, index=1), Mem(15, 128, index=12, scale=4), Mem(RIP, 0x1000),
)  # fmt: skip


def constants(operand: Operand) -> tuple[int, ...]:
    """The borders of a constant operand, and some values between."""
    bits = operand.constant_bits
    if operand.word == "rel32":  # an assembler takes rel8 for shorter ones
        return (0x1000, -0x1000, 0x7FFF_FF00, -0x7FFF_FF00)
    if operand.signed:
        return (0, 1, -1, 9, 10, -10, (1 << bits - 1) - 1, -1 << bits - 1)
    return (0, 1, 8, 0x12, (1 << bits - 1) - 1, 1 << bits - 1, (1 << bits) - 1)


def cases(row: Instruction, addresses: tuple[Mem, ...] | None = None) -> Iterator[Case]:
    """Arguments for calls of `row`: between registers, then with addresses, a part of `ADDRESSES` unless they are given."""
    turn = sum(map(ord, row.opcode + row.mnemonic))
    if addresses is None:
        addresses = FEW_ADDRESSES + ADDRESSES[turn % 5 :: 5]
    places = row.arguments
    registers = [operand for operand in places if operand.register]
    rotating = {operand: cycle(constants(operand)) for operand in places if operand.constant_bits}
    if all(operand.register or operand.constant_bits for operand in places):
        if not registers:
            yield from product(*(constants(operand) for operand in places))
        for chosen in product(_REGISTERS[len(registers)], repeat=len(registers)) if registers else ():
            if len(chosen) == 2 and (sum(chosen) + turn) % _STEP:
                continue
            given = iter(chosen)
            yield tuple(next(rotating[operand]) if operand in rotating else next(given) for operand in places)
    if row.memory_operand is not None:
        # A stride that is prime to 16 so that the places do not run in step.
        others = cycle(register * 5 & 15 for register in range(17))
        for address in addresses:
            yield tuple(
                address if operand.memory_bits >= 0 else next(rotating[operand]) if operand in rotating else next(others)
                for operand in places
            )


def few_cases(row: Instruction) -> list[Case]:
    """Low and high registers, and two kinds of address; neighbours in the tables get others. For the recorded listing."""
    between = list(cases(row, ()))
    picked = [between[1 % len(between)], between[len(between) * 5 // 7]] if between else []
    if row.memory_operand is not None:
        turn = sum(map(ord, row.opcode + row.mnemonic)) % len(FEW_ADDRESSES)
        picked += list(cases(row, (FEW_ADDRESSES[turn], FEW_ADDRESSES[turn - 3])))[-2:]
    return picked
