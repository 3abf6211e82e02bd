"""Constant expressions (spec: validation, constant expressions).

They are bodies of which only some instructions are allowed, so the handlers of bodies check them.
"""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.binary.gate import need
from purewasm.errors import InvalidError, ModuleError
from purewasm.light_library import lru_cache
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.dispatch import Handlers, handlers_for
from purewasm.wasm import opcodes
from purewasm.wasm.features import EXTENDED_CONST, GC, MVP
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, Handler, HandlerTable
    from purewasm.wasm.module import ConstExpr

# What may stand in a constant expression, with the proposal that made it constant (beyond the one that brought it).
_CONSTANT: Final = {
    "i32.const": MVP, "i64.const": MVP, "f32.const": MVP, "f64.const": MVP, "v128.const": MVP, "ref.null": MVP,
    "ref.func": MVP, "global.get": MVP, "end": MVP,
    "i32.add": EXTENDED_CONST, "i32.sub": EXTENDED_CONST, "i32.mul": EXTENDED_CONST,
    "i64.add": EXTENDED_CONST, "i64.sub": EXTENDED_CONST, "i64.mul": EXTENDED_CONST,
    "ref.i31": GC, "struct.new": GC, "struct.new_default": GC, "array.new": GC, "array.new_default": GC,
    "array.new_fixed": GC, "any.convert_extern": GC, "extern.convert_any": GC,
}  # fmt: skip
_FEATURE: Final = {CODE[name]: feature for name, feature in _CONSTANT.items()}
_GLOBAL_GET: Final = CODE["global.get"]


@lru_cache(maxsize=16)
def constant_handlers(enabled: int) -> tuple[tuple[Handler, ...], HandlerTable]:
    """As `dispatch.handlers_for`, less what is not constant."""
    first, prefixed = handlers_for(enabled)
    return (
        tuple([_handler(byte, handler, enabled) for byte, handler in enumerate(first)]),
        Handlers(lambda code: _handler(code, prefixed[code], enabled)),
    )


def _handler(code: int, handler: Handler, enabled: int) -> Handler:
    if code == _GLOBAL_GET:
        return _global_get
    if code not in opcodes.BY_CODE:
        return handler
    feature = _FEATURE.get(code)
    if feature is None:
        return _refuse
    return handler if not feature or feature & enabled else _refuse_feature


def _refuse(_state: BodyState, op: int) -> None:
    raise InvalidError(f"constant expression required: {opcodes.NAME[op]} is not constant")


def _refuse_feature(state: BodyState, op: int) -> None:
    need(state.enabled, _FEATURE[op], f"{opcodes.NAME[op]} in a constant expression")


def _global_get(state: BodyState, _op: int) -> None:
    index = leb.u32(state.code)
    if index >= state.visible_globals:
        reason = "is defined later" if index < len(state.globals) else "does not exist"
        raise InvalidError(f"unknown global {index}: it {reason}")
    if state.settable[index]:
        raise InvalidError(f"constant expression required: global {index} is mutable")
    state.push(state.globals[index])


def check_constant(state: BodyState, expression: ConstExpr, expected: int, what: str) -> None:
    """A constant expression that gives a value of type `expected`. `what` it is for goes into the message."""
    handlers = state.handlers
    state.begin(state.module.source[expression.start : expression.end], (expected,))
    try:
        for op in state.code:
            handlers[op](state, op)
            if not state.frames:
                return
    except ModuleError as error:
        error.message, error.offset = f"{error.message} (in {what})", expression.start
        raise
