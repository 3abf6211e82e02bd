"""Atomic accesses (threads proposal): like loads and stores, but the alignment is exactly the natural one."""

from __future__ import annotations

from purewasm.binary.immediates import READERS
from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.memory import apply_signature, memarg
from purewasm.wasm.opcodes import BY_CODE, CODE, FAMILIES
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable


def _access(state: BodyState, op: int) -> None:
    address, align = memarg(state, op, next(state.code))
    width = BY_CODE[op][5]
    if align < width:
        raise InvalidError(f"atomic alignment must be natural: 2**{align} where 2**{width} bytes are accessed")
    apply_signature(state, op, address)


def _fence(state: BodyState, _op: int) -> None:
    READERS[imm.ZERO_BYTE](state.code, state.space)


HANDLERS: Final[HandlerTable] = {
    **{row[0]: _access for row in FAMILIES["atomic"] if row[2] == imm.MEMARG},
    CODE["atomic.fence"]: _fence,
}
