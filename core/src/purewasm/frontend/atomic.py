"""Atomic accesses: the checked end of the access, then the operation there. Waiting and waking are functions of the engine."""

from __future__ import annotations

from purewasm.frontend.memory import emit_builtin
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder

NO: Final = ops.NO
_WIDTH_BYTES: Final = {row[0]: 1 << row[5] for row in opcodes.FAMILIES["atomic"]}


def _address(b: Builder, op: int, imm: Any) -> int:
    return b.effect((ops.ATOMIC_CHECK, b.stack.pop(), NO, (imm[1], imm[0], _WIDTH_BYTES[op])))


def load(b: Builder, op: int, imm: Any) -> bool:
    b.stack.append(b.effect((ops.number_of(op), _address(b, op, imm), NO, 0)))
    return False


def store(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack.pop()
    b.effect((ops.number_of(op), _address(b, op, imm), value, 0))
    return False


def modify(b: Builder, op: int, imm: Any) -> bool:
    value = b.stack.pop()
    b.stack.append(b.effect((ops.number_of(op), _address(b, op, imm), value, 0)))
    return False


def compare_exchange(b: Builder, op: int, imm: Any) -> bool:
    value, expected = b.stack.pop(), b.stack.pop()
    b.stack.append(b.effect((ops.number_of(op), _address(b, op, imm), value, expected)))
    return False


def _builtin(name: str) -> Callable[[Builder, int, Any], bool]:
    def call(b: Builder, op: int, imm: Any) -> bool:
        index, *operands = b.pop_many(2 if name == "memory_notify" else 3)
        b.stack.append(emit_builtin(b, name, b.constant(imm[1]), index, b.constant(imm[0]), *operands))
        return False

    return call


def fence(b: Builder, op: int, imm: Any) -> bool:
    b.effect((ops.number_of(op), NO, NO, 0))
    return False


HANDLERS: Final[dict[int, Callable[[Builder, int, Any], bool]]] = {
    0xFE000: _builtin("memory_notify"), 0xFE001: _builtin("memory_wait32"), 0xFE002: _builtin("memory_wait64"), 0xFE003: fence,
}  # fmt: skip
_BY_TYPES: Final = {(1, 1): load, (2, 0): store, (2, 1): modify, (3, 1): compare_exchange}
for _code in _WIDTH_BYTES:
    if _code not in HANDLERS:
        _types = signature(_code)
        assert _types is not None
        HANDLERS[_code] = _BY_TYPES[len(_types[0]), len(_types[1])]
