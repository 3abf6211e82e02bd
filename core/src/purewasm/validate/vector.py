"""Vectors (spec: validation, vector instructions): what has an immediate here, everything else by its signature."""

from __future__ import annotations

from purewasm.binary.immediates import raw_bytes
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.signatures import apply
from purewasm.wasm import valtypes as vt
from purewasm.wasm.opcodes import CODE, FAMILIES
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable

_SHUFFLE_LANES: Final = 32

# The shape leads the name: `i16x8.extract_lane_s` chooses one of 8.
_LANES: Final = {row[0]: int(row[1].partition(".")[0].partition("x")[2]) for row in FAMILIES["vector"] if row[2] == imm.LANE}


def _v128_const(state: BodyState, _op: int) -> None:
    raw_bytes(state.code, 16)
    state.push(vt.V128)


def _shuffle(state: BodyState, op: int) -> None:
    lane = max(raw_bytes(state.code, 16))
    if lane >= _SHUFFLE_LANES:
        raise InvalidError(f"invalid lane index {lane}: there are {_SHUFFLE_LANES} lanes")
    apply(state, op)


def _lane(state: BodyState, op: int) -> None:
    lane, lanes = next(state.code), _LANES[op]
    if lane >= lanes:
        raise InvalidError(f"invalid lane index {lane}: there are {lanes} lanes")
    apply(state, op)


HANDLERS: Final[HandlerTable] = {
    CODE["v128.const"]: _v128_const,
    CODE["i8x16.shuffle"]: _shuffle,
    **dict.fromkeys(_LANES, _lane),
}
