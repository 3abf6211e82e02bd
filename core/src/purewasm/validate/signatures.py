"""Instructions that the opcode table's signature describes completely (spec: validation, numeric and vector instructions)."""

from __future__ import annotations

from purewasm.errors import InternalError
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.wasm import opcodes

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, Types


@final
class _Signatures(dict[int, opcodes.Signature]):
    """Of instructions that have a fixed one, as they are asked for."""

    __slots__ = ()

    def __missing__(self, code: int) -> opcodes.Signature:
        made = opcodes.signature(code)
        if made is None:
            raise InternalError(f"{opcodes.NAME[code]} has no fixed signature")
        self[code] = made
        return made


SIGNATURES: Final = _Signatures()


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
