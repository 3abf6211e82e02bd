"""One handler for each instruction, merged from the families (spec: validation, instructions).

Handlers of an instruction that belongs to a proposal that is off refuse it; all others that have no handler of their own are
described by their signature.
"""

from __future__ import annotations

from functools import lru_cache

from purewasm.binary.gate import need
from purewasm.binary.immediates import behind_prefix, known_opcode
from purewasm.errors import InternalError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate import (
    aggregate,
    atomic,
    calls,
    control,
    exceptions,
    memory,
    numeric,
    parametric,
    reference,
    signatures,
    table,
    variable,
    vector,
)
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, Handler, HandlerTable

_FAMILIES: Final = (
    control, calls, parametric, variable, table, memory, reference, numeric, vector, aggregate, exceptions, atomic
)  # fmt: skip
_OWN: Final[HandlerTable] = {code: handler for family in _FAMILIES for code, handler in family.HANDLERS.items()}


def _handler(row: opcodes.Row, enabled: int) -> Handler:
    code, name, immediate, _, feature, _ = row
    if feature and not feature & enabled:
        return _refuse
    own = _OWN.get(code)
    if own is not None:
        return own
    if immediate != imm.NONE or code not in signatures.SIGNATURES:
        raise InternalError(f"no rule validates {name}")
    return signatures.apply


def _refuse(state: BodyState, op: int) -> None:
    _, name, _, _, feature, _ = opcodes.BY_CODE[op]
    need(state.enabled, feature, f"the instruction {name}")


def _illegal(_state: BodyState, op: int) -> None:
    known_opcode(op)  # raises: no row has this code


def _prefixed(state: BodyState, op: int) -> None:
    code = behind_prefix(state.code, op)
    state.prefixed[code](state, code)


@lru_cache(maxsize=16)
def handlers_for(enabled: int) -> tuple[tuple[Handler, ...], HandlerTable]:
    """Handlers by first byte, and by code for what is behind a prefix."""
    by_code = {code: _handler(row, enabled) for code, row in opcodes.BY_CODE.items()}
    first = tuple(_prefixed if byte in opcodes.PREFIXES else by_code.get(byte, _illegal) for byte in range(256))
    return first, {code: handler for code, handler in by_code.items() if code > 0xFF}
