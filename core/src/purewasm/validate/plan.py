"""What the hot loop of `body` does with each opcode byte: a kind and two numbers, derived from the opcode table.

An instruction that is switched off, that no memory serves, or that simply is not frequent has the kind HANDLER.
"""

from __future__ import annotations

from purewasm.light_library import lru_cache
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import opcodes
from purewasm.wasm import valtypes as vt
from purewasm.wasm.opcodes import CODE
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState

# In the order in which the loop asks for them: the most frequent first.
I32_CONST: Final = 0
BINARY: Final = 1  # [a a] -> [b]
LOCAL_SET: Final = 2
END: Final = 3
BR_IF: Final = 4
LOCAL_TEE: Final = 5
BLOCK: Final = 6  # block, loop, if
LOAD: Final = 7  # alignment at most a, [i32] -> [b]
STORE: Final = 8  # alignment at most a, [i32 b] -> []
CALL: Final = 9
UNARY: Final = 10  # [a] -> [b]
BR: Final = 11
GLOBAL_GET: Final = 12
GLOBAL_SET: Final = 13
UNREACHABLE: Final = 14
SELECT: Final = 15
DROP: Final = 16
HANDLER: Final = 17

Plan = tuple[tuple[int, int, int], ...]

_BY_NAME: Final = {
    "i32.const": I32_CONST, "local.set": LOCAL_SET, "end": END, "br_if": BR_IF, "local.tee": LOCAL_TEE, "block": BLOCK,
    "loop": BLOCK, "if": BLOCK, "call": CALL, "br": BR, "global.get": GLOBAL_GET, "global.set": GLOBAL_SET,
    "unreachable": UNREACHABLE, "select": SELECT, "drop": DROP,
}  # fmt: skip
_BY_CODE: Final = {CODE[name]: kind for name, kind in _BY_NAME.items()}
_HANDLER: Final = (HANDLER, 0, 0)


def plan_for(state: BodyState) -> Plan:
    """The plan for bodies of one module."""
    return _plan(state.enabled, bool(state.address_types) and state.address_types[0] == vt.I32)


@lru_cache(maxsize=16)
def _plan(enabled: int, plain_memory: bool) -> Plan:
    return tuple([_entry(opcodes.BY_CODE.get(byte), enabled, plain_memory) for byte in range(256)])


def _entry(row: opcodes.Row | None, enabled: int, plain_memory: bool) -> tuple[int, int, int]:
    if row is None or (row[4] and not row[4] & enabled):
        return _HANDLER
    code, _, immediate, _, _, width = row
    if code in _BY_CODE:
        return _BY_CODE[code], 0, 0
    signature = opcodes.signature(code)
    if signature is None:
        return _HANDLER
    params, results = signature
    if immediate == imm.NONE and len(results) == 1:
        if len(params) == 1:
            return UNARY, params[0], results[0]
        if len(params) == 2 and params[0] == params[1]:
            return BINARY, params[0], results[0]
    if immediate == imm.MEMARG and plain_memory:
        if len(params) == 1:
            return LOAD, width, results[0]
        if not results:
            return STORE, width, params[1]
    return _HANDLER
