from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tests.unit.wasm.definitions import signed, vector_of
from purewasm.wasm.opcodes import CODE, FAMILIES
from purewasm.wasm.vector_memory import VECTOR_LANE_LOADS, VECTOR_LANE_STORES, VECTOR_LOADS

vectors = st.binary(min_size=16, max_size=16)
sizes = pytest.mark.parametrize("size", [1, 2, 4, 8])


def test_every_vector_access_to_memory_has_a_function() -> None:
    rows = {code: name for code, name, *_ in FAMILIES["memory"] if name.startswith("v128.") and name != "v128.store"}
    assert {*VECTOR_LOADS, *VECTOR_LANE_LOADS, *VECTOR_LANE_STORES} == set(rows)
    assert {rows[code].removesuffix("_lane") for code in VECTOR_LANE_STORES} == {f"v128.store{8 * size}" for size in (1, 2, 4, 8)}


@given(vectors)
def test_plain_load(data: bytes) -> None:
    assert VECTOR_LOADS[CODE["v128.load"]](data) == data


@pytest.mark.parametrize(("name", "size"), [("8x8", 1), ("16x4", 2), ("32x2", 4)])
@given(data=st.binary(min_size=8, max_size=8))
def test_extending_loads(name: str, size: int, data: bytes) -> None:
    lanes = [int.from_bytes(data[at : at + size], "little") for at in range(0, 8, size)]
    assert VECTOR_LOADS[CODE[f"v128.load{name}_u"]](data) == vector_of(lanes, 16 * size)
    assert VECTOR_LOADS[CODE[f"v128.load{name}_s"]](data) == vector_of([signed(lane, 8 * size) for lane in lanes], 16 * size)


@sizes
@given(data=vectors)
def test_splatting_loads(size: int, data: bytes) -> None:
    assert VECTOR_LOADS[CODE[f"v128.load{8 * size}_splat"]](data[:size]) == data[:size] * (16 // size)


@pytest.mark.parametrize("size", [4, 8])
@given(data=vectors)
def test_loads_that_clear_the_rest(size: int, data: bytes) -> None:
    assert VECTOR_LOADS[CODE[f"v128.load{8 * size}_zero"]](data[:size]) == data[:size] + bytes(16 - size)


@sizes
@given(data=vectors, vector=vectors)
def test_lanes_to_and_from_memory(size: int, data: bytes, vector: bytes) -> None:
    for lane in range(16 // size):
        pieces = [vector[at : at + size] for at in range(0, 16, size)]
        assert VECTOR_LANE_STORES[CODE[f"v128.store{8 * size}_lane"]](vector, lane) == pieces[lane]
        pieces[lane] = data[:size]
        assert VECTOR_LANE_LOADS[CODE[f"v128.load{8 * size}_lane"]](data[:size], vector, lane) == b"".join(pieces)
