"""One handler for each instruction, merged from the families (spec: validation, instructions).

Handlers of an instruction that belongs to a proposal that is off refuse it; all others that have no handler of their own are
described by their signature. Families that many modules have nothing of are imported when the first of their instructions comes.
"""

from __future__ import annotations

from purewasm.binary.gate import need
from purewasm.binary.immediates import behind_prefix, known_opcode
from purewasm.errors import InternalError
from purewasm.light_importing import import_module
from purewasm.light_library import lru_cache
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate import calls, control, memory, numeric, parametric, signatures, table, variable
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.validate.state import BodyState, Handler, HandlerTable

_FAMILIES: Final = (control, calls, parametric, variable, table, memory, numeric)
_OWN: Final[HandlerTable] = {code: handler for family in _FAMILIES for code, handler in family.HANDLERS.items()}
_FAMILY_BEHIND: Final = {0xFB: "aggregate", 0xFD: "vector", 0xFE: "atomic"}
_LATER: Final = {row[0]: family for family in ("reference", "exceptions") for row in opcodes.FAMILIES[family]}
"""Instructions of two more such families, most of single bytes."""


def _own(code: int) -> Handler | None:
    """The handler that an instruction has for itself."""
    family = _LATER.get(code) or _FAMILY_BEHIND.get(code >> opcodes.PREFIX_SHIFT)
    if family is not None and code not in _OWN:
        _OWN.update(import_module(f"purewasm.validate.{family}").HANDLERS)
    return _OWN.get(code)


def _later(state: BodyState, op: int) -> None:
    """The handler of an instruction whose family is imported when it comes."""
    handler = _OWN.get(op) or _own(op)
    if handler is None:
        raise InternalError(f"no rule validates {opcodes.NAME[op]}")
    handler(state, op)


def _handler(row: opcodes.Row, enabled: int) -> Handler:
    code, name, immediate, _, feature, _ = row
    if feature and not feature & enabled:
        return _refuse
    if code in _LATER and code not in _OWN:
        return _later
    own = _own(code)
    if own is not None:
        return own
    if immediate != imm.NONE or opcodes.signature(code) is None:
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


class Handlers(dict[int, "Handler"]):
    """Handlers by code, made when they are needed."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[int], Handler]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, code: int) -> Handler:
        made = self[code] = self._make(code)
        return made


@lru_cache(maxsize=16)
def handlers_for(enabled: int) -> tuple[tuple[Handler, ...], HandlerTable]:
    """Handlers by first byte, and by code for what is behind a prefix."""
    by_byte = {code: _handler(row, enabled) for code, row in opcodes.BY_CODE.items() if code <= 0xFF}
    first = tuple([_prefixed if byte in opcodes.PREFIXES else by_byte.get(byte, _illegal) for byte in range(256)])
    return first, Handlers(lambda code: _handler(opcodes.BY_CODE[code], enabled))
