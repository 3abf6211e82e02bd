"""What vector loads and stores do to the bytes that they exchange with memory (spec: memory instructions).

Bounds and addresses are the engine's business: a function here gets exactly the bytes that its instruction reads, as `bytes`, or
gives those that it writes.

    VECTOR_LOADS[code](data) -> v128                    load, load extending, splatting, or clearing the rest
    VECTOR_LANE_LOADS[code](data, vector, lane) -> v128 one lane replaced
    VECTOR_LANE_STORES[code](vector, lane) -> data      one lane
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.opcodes import CODE
from purewasm.wasm.vector_lanes import extend_functions

if TYPE_CHECKING:
    from collections.abc import Callable

    Load = Callable[[bytes], bytes]
    LaneLoad = Callable[[bytes, bytes, int], bytes]
    LaneStore = Callable[[bytes, int], bytes]


def load_whole(data: bytes) -> bytes:
    return data


def load_zero(data: bytes) -> bytes:
    return data.ljust(16, b"\0")


def _splat(width_bytes: int) -> Load:
    lanes = 16 // width_bytes

    def load_splat(data: bytes) -> bytes:
        return data * lanes

    return load_splat


def _lane_load(width_bytes: int) -> LaneLoad:
    def load_lane(data: bytes, vector: bytes, lane: int) -> bytes:
        at = lane * width_bytes
        return vector[:at] + data + vector[at + width_bytes :]

    return load_lane


def _lane_store(width_bytes: int) -> LaneStore:
    def store_lane(vector: bytes, lane: int) -> bytes:
        at = lane * width_bytes
        return vector[at : at + width_bytes]

    return store_lane


_8x8_s, _8x8_u = extend_functions(1, 0, 8)
_16x4_s, _16x4_u = extend_functions(2, 0, 8)
_32x2_s, _32x2_u = extend_functions(4, 0, 8)

VECTOR_LOADS: Final[dict[int, Load]] = {
    CODE["v128.load"]: load_whole,
    CODE["v128.load8x8_s"]: _8x8_s,
    CODE["v128.load8x8_u"]: _8x8_u,
    CODE["v128.load16x4_s"]: _16x4_s,
    CODE["v128.load16x4_u"]: _16x4_u,
    CODE["v128.load32x2_s"]: _32x2_s,
    CODE["v128.load32x2_u"]: _32x2_u,
    CODE["v128.load32_zero"]: load_zero,
    CODE["v128.load64_zero"]: load_zero,
    **{CODE[f"v128.load{8 * size}_splat"]: _splat(size) for size in (1, 2, 4, 8)},
}
VECTOR_LANE_LOADS: Final[dict[int, LaneLoad]] = {CODE[f"v128.load{8 * size}_lane"]: _lane_load(size) for size in (1, 2, 4, 8)}
VECTOR_LANE_STORES: Final[dict[int, LaneStore]] = {CODE[f"v128.store{8 * size}_lane"]: _lane_store(size) for size in (1, 2, 4, 8)}
