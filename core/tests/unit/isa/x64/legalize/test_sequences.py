"""Every sequence that stands for an instruction, beside that instruction, run on this machine: all registers, flags and memory must agree.

Operands are in every combination of equal and different registers, and in each kind of memory that the compiler uses.
"""

from __future__ import annotations

from itertools import product
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from core.tests.unit.isa.x64.legalize.machine_state import Bench, Left, State
from core.tests.unit.isa.x64.loaded_code import CAN_RUN
from purewasm.isa.x64 import vector, vex
from purewasm.isa.x64.address import RIP, Mem
from purewasm.isa.x64.cpu import AVX, AVX2, BMI1, BMI2, LZCNT, POPCNT, SSE4_2
from purewasm.isa.x64.legalize.integer import BUILDERS
from purewasm.isa.x64.legalize.legalizer import Legalizer
from purewasm.isa.x64.legalize.sequence import Replacement
from purewasm.isa.x64.legalize.vector import BROADCASTS, COUNTERPARTS
from purewasm.isa.x64.machine import SCRATCH
from purewasm.isa.x64.registers import R8, R12, R15, RAX, RBX, RCX, RDX, RSP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from purewasm.isa.x64.disassemble import Argument
    from purewasm.isa.x64.formats import Instruction
    from purewasm.isa.x64.operands import Operand

    IsSame = Callable[[Instruction, Left, Left], bool]
    Forms = Callable[[Instruction], Iterator[tuple[Argument, ...]]]

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_VECTORS: Final = (1, 9, 14)
_INTEGERS: Final = (RAX, RCX, RDX, RBX, R8)
_COUNTED_BITS: Final = BMI1 | BMI2 | LZCNT | POPCNT
_OLDEST: Final = AVX | AVX2 | SSE4_2 | _COUNTED_BITS
_STATES: Final = 12
_RUNS: Final = 2
_ALIGNED: Final = ("vmovaps", "vmovdqa")


def _places(row: Instruction, operand: Operand) -> list[Argument]:
    """What an operand can be."""
    found: list[Argument] = []
    if operand.register == "xmm":
        found += _VECTORS
    elif operand.register:
        found += _INTEGERS if row in BUILDERS else _INTEGERS[:2]
    if operand.memory_bits > 0:
        found += [Mem(RSP, 32)]
        if row not in BUILDERS and row.mnemonic not in _ALIGNED:
            found += [Mem(RSP, 41), Mem(R15, 24, index=R12), Mem(R12, -3, index=R15)]
        if not operand.writes:
            found.append(Mem(RIP))
    return found


def _constants(row: Instruction) -> tuple[int, ...]:
    if row.mnemonic.startswith("vcmp"):
        return tuple(range(8))
    return (8, 9, 10, 11) if row.mnemonic.startswith("vround") else (0, 3, 33, 0xB1)


def _forms(row: Instruction) -> Iterator[tuple[Argument, ...]]:
    registers = [operand for operand in row.arguments if not operand.constant_bits]
    constants = _constants(row) if len(registers) < len(row.arguments) else (None,)
    for places in product(*[_places(row, operand) for operand in registers]):
        for constant in constants:
            yield places if constant is None else (*places, constant)


def _encode(row: Instruction, arguments: tuple[Argument, ...]) -> bytes:
    encode: Callable[..., bytes] = row  # type: ignore[assignment]
    return encode(*arguments)


def _pieces(row: Instruction, form: tuple[Argument, ...], replacement: Replacement, rng: Random, bench: Bench) -> tuple[int, int]:
    """The instruction and its replacement, loaded with the same constant."""
    code = _encode(row, form)
    constant = State(rng).vectors[0]
    old: list[tuple[int, int, bytes]] = []
    new = list(replacement.constants)
    if any(isinstance(argument, Mem) and argument.base == RIP for argument in form):
        behind = row.encoding.immediate_bytes
        old.append((len(code) - behind - 4, behind, constant))
        new.append((replacement.distance, replacement.behind, constant))
    return bench.add(code, old), bench.add(replacement.code, new)


def _compare(rows: Sequence[Instruction], missing: int, is_same: IsSame, forms: Forms | None = None) -> int:
    """How many forms there are; fails at one whose replacement leaves something else behind."""
    rng, bench, legalizer = Random(1), Bench(), Legalizer(missing)
    pairs = []
    for row in rows:
        for form in (forms or _forms)(row):
            replacement = legalizer.replacement(_encode(row, form))
            assert replacement is not None, row
            pairs.append((row, form, replacement, *_pieces(row, form, replacement, rng, bench)))
    bench.load()
    states = [State(rng) for _ in range(_STATES)]
    for state in states:
        state.integers[R12] = rng.randrange(16, 64)
    for row, form, replacement, old, new in pairs:
        for state in rng.sample(states, _RUNS):
            expected, actual = bench.run(old, state), bench.run(new, state)
            assert is_same(row, expected, actual), (row, form, replacement.code.hex(" "), state.vectors, state.integers, expected, actual)
    return len(pairs)


def _all_but_scratch(row: Instruction, expected: Left, actual: Left) -> bool:
    expected[0][SCRATCH] = actual[0][SCRATCH] = b""
    return expected == actual


def _all_but_flags(row: Instruction, expected: Left, actual: Left) -> bool:
    return expected[:2] == actual[:2] and expected[3:] == actual[3:]


def test_vectors_without_avx() -> None:
    assert _compare([*COUNTERPARTS, *BROADCASTS], _OLDEST, _all_but_scratch) > 5000


def test_vectors_with_sse42() -> None:
    legalizer = Legalizer(_OLDEST & ~SSE4_2)
    assert legalizer.replacement(vex.VPCMPGTQ(1, 1, 2)) == Replacement(vector.PCMPGTQ(1, 2), 0, 0, 0, ())
    assert _compare([vex.VPCMPGTQ], _OLDEST & ~SSE4_2, _all_but_scratch) > 50


def test_vectors_without_avx2() -> None:
    assert _compare(list(BROADCASTS), AVX2, _all_but_scratch) > 10


def test_blends() -> None:
    rows = [vex.VBLENDVPD]
    forms = list(product(_VECTORS, repeat=4))
    assert _compare(rows, _OLDEST, _all_but_scratch, lambda _: iter(forms)) == len(forms)


@pytest.mark.parametrize("missing", [_COUNTED_BITS, _OLDEST], ids=["avx", "sse4.1"])
def test_shifts_rotations_and_counts(missing: int) -> None:
    assert _compare(list(BUILDERS), missing, _all_but_flags) > 1000
