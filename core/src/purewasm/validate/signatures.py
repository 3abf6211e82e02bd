"""Instructions that the opcode table's signature describes completely (spec: validation, numeric and vector instructions)."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import opcodes

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, Types

Signature = tuple["Types", "Types"]

_SIGNATURE_BY_TEXT: Final[dict[str, Signature]] = {}


def _signature(row: opcodes.Row) -> Signature | None:
    """As `opcodes.signature`; rows with one text share one object."""
    known = _SIGNATURE_BY_TEXT.get(row[3])
    if known is None:
        made = opcodes.signature(row[0])
        if made is None:
            return None
        known = _SIGNATURE_BY_TEXT.setdefault(row[3], made)
    return known


SIGNATURES: Final[dict[int, Signature]] = {
    code: signature for code, row in opcodes.BY_CODE.items() if (signature := _signature(row)) is not None
}


def with_address(signature: Signature, address: int) -> Signature:
    """A signature with the type of a memory's addresses filled in."""
    params, results = signature
    return _fill(params, address), _fill(results, address)


def _fill(types: Types, address: int) -> Types:
    return tuple([address if valtype == opcodes.ADDRESS else valtype for valtype in types])


def apply(state: BodyState, op: int) -> None:
    """Pop and push what the signature says. The immediates have been read."""
    params, results = SIGNATURES[op]
    state.pop_types(params)
    state.push_types(results)
