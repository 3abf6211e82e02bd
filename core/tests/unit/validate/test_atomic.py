from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import I32, I64
from core.tests.unit.validate.bodies import accept, malformed, refuse
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import immediates as imm

TYPES = {"i": I32, "I": I64}
ROWS = [row for row in opcodes.FAMILIES["atomic"] if row[2] == imm.MEMARG]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
@pytest.mark.parametrize(("memory", "address"), [(0, "i"), (1, "I"), (2, "i")])
def test_accesses(row: opcodes.Row, memory: int, address: str) -> None:
    name, width = row[1], row[5]
    params, _, results = row[3].replace("m", address).partition(">")
    wanted, made = b"".join([TYPES[c] for c in params]), b"".join([TYPES[c] for c in results])
    read = tuple(item for index in range(len(params)) for item in ("local.get", index))
    accept(*read, name, 0x40 | width, memory, 8, params=wanted, results=made)
    refuse("alignment must not be larger than natural", *read, name, 0x40 | width + 1, memory, 8, params=wanted, results=made)
    refuse("type mismatch", *read[2:], name, 0x40 | width, memory, 8, params=wanted, results=made)
    if width:
        refuse("atomic alignment must be natural", *read, name, 0x40 | width - 1, memory, 8, params=wanted, results=made)


def test_fences() -> None:
    accept("atomic.fence", 0)
    malformed("zero byte expected", "atomic.fence", 1)


def test_offsets_and_memories() -> None:
    refuse("offset out of range", "i32.const", 0, "i32.atomic.load", 2, 1 << 32, "drop")
    refuse("unknown memory 3", "i32.const", 0, "i32.atomic.load", 0x42, 3, 0, "drop")
