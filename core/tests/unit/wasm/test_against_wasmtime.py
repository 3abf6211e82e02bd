"""Every numeric and vector operation on random and border operands, compared with wasmtime bit for bit.

Where the spec lets a NaN result be any of a set, ours has to be in the set and theirs may be another one of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tests.unit.wasm.operands import operands
from core.tests.unit.wasm.wasmtime_operations import Operations, to_bytes
from purewasm.errors import Trap
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.opcodes import BY_CODE, FAMILIES
from purewasm.wasm.opcodes import immediates as imm
from purewasm.wasm.vectors import VECTOR

if TYPE_CHECKING:
    from core.tests.unit.wasm.straight_line import Raw

_FUNCTIONS = {**NUMERIC, **VECTOR}
_ROUNDS = 5  # examples of ten tuples of operands each

# wasmtime's deterministic mode fuses; the deterministic profile of the spec does not.
_OTHER_CHOICE = frozenset(f"{shape}.relaxed_{name}" for shape in ("f32x4", "f64x2") for name in ("madd", "nmadd"))

# Instructions whose NaN results the spec leaves open: the suffix of their names.
_GENERATES_NAN = frozenset(
    ("add", "sub", "mul", "div", "sqrt", "min", "max", "ceil", "floor", "trunc", "nearest", "relaxed_min", "relaxed_max")
) | {"demote_f64", "promote_f32", "demote_f64x2_zero", "promote_low_f32x4"}

_LANES_OF_SHUFFLES = (
    bytes(range(16)),
    bytes(range(31, 15, -1)),
    bytes((0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)),
    bytes((31, 0, 15, 16, 7, 7, 24, 8, 9, 10, 31, 30, 1, 2, 3, 0)),
)


def immediates(code: int) -> list[bytes]:
    """Bytes of the immediates that an operation is tried with."""
    kind, name = BY_CODE[code][2], BY_CODE[code][1]
    if kind == imm.LANE:
        return [bytes((lane,)) for lane in range(int(name.split(".")[0].split("x")[1]))]
    if kind == imm.LANES:
        return list(_LANES_OF_SHUFFLES)
    return [b""] if kind == imm.NONE else []  # constants have nothing to compute


OPERATIONS = [
    (code, immediate)
    for family in ("numeric", "vector")
    for code, name, *_ in FAMILIES[family]
    if name not in _OTHER_CHOICE
    for immediate in immediates(code)
]


@pytest.fixture(scope="module")
def wasmtime_operations() -> Operations:
    return Operations(OPERATIONS)


def ours(code: int, immediate: bytes, values: tuple[Raw, ...]) -> list[Raw] | str:
    extra = [immediate if BY_CODE[code][2] == imm.LANES else immediate[0]] if immediate else []
    try:
        result = _FUNCTIONS[code](*values, *extra)
    except Trap as trap:
        return str(trap)
    return list(result) if isinstance(result, tuple) else [result]


def lane_bits(letter: str, name: str) -> int:
    """Width of the floating-point numbers in a value; 0 if there are none."""
    return {"f": 32, "F": 64}.get(letter, 0) if letter != "V" else {"f32x4": 32, "f64x2": 64}.get(name.split(".")[0], 0)


def split(data: bytes, bits: int) -> list[int]:
    return [int.from_bytes(data[at : at + bits // 8], "little") for at in range(0, len(data), bits // 8)]


def is_nan(bits: int, width: int) -> bool:
    return bits & (1 << width - 1) - 1 > (0x7F80_0000 if width == 32 else 0x7FF0_0000_0000_0000)


def is_canonical(bits: int, width: int) -> bool:
    return bits & (1 << width - 1) - 1 == (0x7FC0_0000 if width == 32 else 0x7FF8_0000_0000_0000)


def has_odd_nan(params: str, values: tuple[Raw, ...]) -> bool:
    """Whether an operand may be a NaN that is not canonical (read as any width, to be on the safe side)."""
    return any(
        is_nan(lane, width) and not is_canonical(lane, width)
        for letter, value in zip(params, values, strict=True)
        if letter in "fFV"
        for width in ((32,) if letter == "f" else (64,) if letter == "F" else (32, 64))
        for lane in split(to_bytes(letter, value), width)
    )


def agree(code: int, values: tuple[Raw, ...], mine: Raw, theirs: Raw) -> bool:
    name, signature = BY_CODE[code][1], BY_CODE[code][3]
    params, _, results = signature.partition(">")
    mine_bytes, their_bytes = to_bytes(results[0], mine), to_bytes(results[0], theirs)
    width = lane_bits(results[0], name)
    if not width or name.partition(".")[2] not in _GENERATES_NAN:
        return mine_bytes == their_bytes
    odd = has_odd_nan(params, values)
    quiet = 1 << (22 if width == 32 else 51)
    return all(
        a == b or (is_nan(a, width) and is_nan(b, width) and a & quiet != 0 and (odd or is_canonical(a, width)))
        for a, b in zip(split(mine_bytes, width), split(their_bytes, width), strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(OPERATIONS)), ids=lambda n: f"{BY_CODE[OPERATIONS[n][0]][1]}-{OPERATIONS[n][1].hex()}")
@settings(max_examples=_ROUNDS)
@given(data=st.data())
def test_operation_agrees(wasmtime_operations: Operations, index: int, data: st.DataObject) -> None:
    code, immediate = OPERATIONS[index]
    _, name, _, signature, _, _ = BY_CODE[code]
    for values in data.draw(st.lists(operands(name, signature.partition(">")[0]), min_size=10, max_size=10)):
        mine, theirs = ours(code, immediate, values), wasmtime_operations.run(index, values)
        if isinstance(mine, str) or isinstance(theirs, str):
            assert mine == theirs, (name, values)
        else:
            assert len(mine) == len(theirs)
            assert all(agree(code, values, *pair) for pair in zip(mine, theirs, strict=True)), (name, values, mine, theirs)
