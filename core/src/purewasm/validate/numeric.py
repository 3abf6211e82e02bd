"""Numbers (spec: validation, numeric instructions): constants here, everything else by its signature."""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.binary.immediates import raw_bytes
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable


def _i32_const(state: BodyState, _op: int) -> None:
    leb.s32(state.code)
    state.push(vt.I32)


def _i64_const(state: BodyState, _op: int) -> None:
    leb.s64(state.code)
    state.push(vt.I64)


def _f32_const(state: BodyState, _op: int) -> None:
    raw_bytes(state.code, 4)
    state.push(vt.F32)


def _f64_const(state: BodyState, _op: int) -> None:
    raw_bytes(state.code, 8)
    state.push(vt.F64)


HANDLERS: Final[HandlerTable] = {
    CODE["i32.const"]: _i32_const,
    CODE["i64.const"]: _i64_const,
    CODE["f32.const"]: _f32_const,
    CODE["f64.const"]: _f64_const,
}
