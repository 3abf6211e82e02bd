"""What the machine-independent back end knows of a machine.

Places of values are ints: a general purpose register is its number, a vector register its number + 16, from 32 on they are stack slots
of 8 bytes. `store.layout` and these numbers are all that the two sides share.
"""

from __future__ import annotations

from purewasm.light_typing import Final, NamedTuple

VECTOR_REGISTER: Final = 16
SLOT: Final = 32
STACK_ARGUMENT: Final = 1 << 24
"""From here on a place is an argument on the stack: its offset in bytes is added. More slots than a body of the largest size has bytes."""


SUNK: Final = 1 << 26
"""The place of an address that its only user computes itself (`passes.intervals`)."""


class ArgumentRegisters(NamedTuple):
    """Where arguments are passed."""

    int_arguments: tuple[int, ...]
    vector_arguments: tuple[int, ...]


class Target(NamedTuple):
    """A machine's registers and what it can fold. Registers are in the order in which they are given out."""

    name: str
    int_registers: tuple[int, ...]
    """Every allocatable one."""
    saved_registers: tuple[int, ...]
    """Those that calls preserve."""
    vector_registers: tuple[int, ...]
    int_arguments: tuple[int, ...]
    vector_arguments: tuple[int, ...]
    int_result: int
    vector_result: int
    unused_int: int
    """Where a result goes that nobody reads: a scratch register."""
    unused_vector: int
    foldable: list[int]
    """By operation: the load that it can have as its second operand, 0 for none."""
    spoiled_register: int
    """Allocatable, but some operations need it: neither a value that lives there nor one they read or make can have it."""
    spoiling: bytes
    """1 by operation for those."""
