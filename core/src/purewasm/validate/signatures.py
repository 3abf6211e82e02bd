"""Instructions that the opcode table's signature describes completely (spec: validation, numeric and vector instructions)."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import opcodes

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, Types

SIGNATURES: Final[dict[int, opcodes.Signature]] = {
    code: signature for code in opcodes.BY_CODE if (signature := opcodes.signature(code)) is not None
}


def with_address(signature: opcodes.Signature, address: int) -> opcodes.Signature:
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
