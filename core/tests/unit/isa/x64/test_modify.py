"""Memory changed in place, run: every operation and width, with operands in registers, in slots and constant."""

from __future__ import annotations

import random
from itertools import product
from typing import Final

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.opcodes import CODE

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

# type, suffix of the load, of the store, width in bytes
_ACCESSES: Final = (
    ("i32", "", "", 4), ("i64", "", "", 8), ("i32", "8_u", "8", 1), ("i32", "8_s", "8", 1), ("i32", "16_u", "16", 2),
    ("i32", "16_s", "16", 2), ("i64", "8_u", "8", 1), ("i64", "16_s", "16", 2), ("i64", "32_u", "32", 4), ("i64", "32_s", "32", 4),
)  # fmt: skip
_CONSTANTS: Final = (1, 0xFFFF_FFFF_FFFF_FFFF, 0x1234, 0x8000_0001, 0x1234_5678_9ABC_DEF0)
_PRESSURE: Final = 16


def _function(name: str, access: tuple[str, str, str, int], operation: str, operand: str, order: int, pressed: bool) -> str:
    """The address is a local that is used again; with pressure it and the operand are in slots."""
    shape, loaded, stored, _ = access
    load = f"({shape}.load{loaded} offset=8 (local.get 1))"
    value = f"({shape}.{operation} {load} {operand})" if order == 0 else f"({shape}.{operation} {operand} {load})"
    declared = "".join(f"(local $p{i} i64)" for i in range(_PRESSURE))
    before = "".join(f"(local.set $p{i} (i64.load offset={512 + 8 * i} (local.get 0)))" for i in range(_PRESSURE)) if pressed else ""
    use = "".join(f"(i64.store offset={1024 + 8 * i} (local.get 0) (local.get $p{i}))" for i in range(_PRESSURE)) if pressed else ""
    return (
        f'(func (export "{name}") (param i32) (local i32 {shape}) {declared} (local.set 1 (local.get 0))'
        f" (local.set 2 ({shape}.load (local.get 0))) {before} {use} {use}"
        f" ({shape}.store{stored} offset=8 (local.get 1) {value}) {use})"
    )


@pytest.mark.parametrize("operation", ["add", "sub", "and", "or", "xor"])
@pytest.mark.parametrize("access", _ACCESSES, ids=lambda access: f"{access[0]}.{access[1] or 'full'}")
def test_memory_is_changed_as_load_operation_and_store_would(operation: str, access: tuple[str, str, str, int], cpu: int) -> None:
    shape, _, _, width = access
    bits = int(shape[1:])
    operands = ["(local.get 2)", *(f"({shape}.const {constant % (1 << bits)})" for constant in _CONSTANTS)]
    cases = list(product(enumerate(operands), (0, 1), (False, True)))
    functions = [
        _function(f"f{number}", access, operation, operand, order, pressed) for number, ((_, operand), order, pressed) in enumerate(cases)
    ]
    loaded = LoadedCode(f"(module (memory 1) {' '.join(functions)})", cpu)
    exact = NUMERIC[CODE[f"{shape}.{operation}"]]
    rng = random.Random(operation)
    for number, ((kind, _), order, _) in enumerate(cases):
        for _ in range(3):
            old, other = rng.getrandbits(8 * width), rng.getrandbits(bits)
            around = rng.randbytes(8)
            loaded.memory[:24] = other.to_bytes(8, "little") + old.to_bytes(width, "little") + bytes(8 - width) + around
            loaded.run(f"f{number}", 0)
            operand_value = other if kind == 0 else _CONSTANTS[kind - 1] % (1 << bits)
            expected = exact(old, operand_value) if order == 0 else exact(operand_value, old)
            assert isinstance(expected, int)
            assert (expected % (1 << 8 * width)).to_bytes(width, "little") + bytes(8 - width) == loaded.memory[8:16], cases[number]
            assert around == loaded.memory[16:24]
