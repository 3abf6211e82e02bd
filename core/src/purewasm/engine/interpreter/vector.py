"""Vector instructions: functions of the vector tables over `bytes` of 16 (spec: vector instructions).

Vector loads and stores move bytes with `struct`, whose own bounds check is the trap: a slice would come back short instead.
"""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import ATOM, PLAIN, Fragment
from purewasm.engine.interpreter.memory import address
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import opcodes
from purewasm.wasm.opcodes import immediates as imms
from purewasm.wasm.opcodes import signature
from purewasm.wasm.vector_memory import VECTOR_LANE_LOADS, VECTOR_LANE_STORES, VECTOR_LOADS
from purewasm.wasm.vectors import VECTOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.lowering import Handlers, Lowering

    MemoryArgument = tuple[int, int, int]
    LaneArgument = tuple[int, int, int, int]


def function_name(code: int) -> str:
    """Name under which generated code finds the function of an instruction."""
    return opcodes.NAME[code].replace(".", "_")


def lower_vector_constant(low: Lowering, stack: list[Fragment], imm: bytes, at: int) -> None:
    stack.append((repr(bytes(imm)), ATOM, 0, 0, 0, 0, PLAIN, "", ""))


def _call(code: int) -> Callable[[Lowering, list[Fragment], object, int], None]:
    types = signature(code)
    assert types is not None
    params, (result,) = types
    name, count = function_name(code), len(params)
    has_immediate = opcodes.BY_CODE[code][2] != imms.NONE

    def lower_call(low: Lowering, stack: list[Fragment], imm: object, at: int) -> None:
        operands = stack[-count:]
        del stack[-count:]
        texts, reads, impure = [], 0, 0
        for operand, valtype in zip(operands, params, strict=True):
            texts.append(low.canonical(operand, valtype))
            reads |= operand[4]
            impure = impure or operand[5]
        if has_immediate:
            texts.append(repr(imm))
        low.push((f"{name}({', '.join(texts)})", ATOM, 0, low.mask(result), reads, impure, PLAIN, "", ""))

    return lower_call


def _bytes_at(where: Fragment, count: int, memory: int) -> str:
    return f"bytes{count}(mem{f'_{memory}' if memory else ''}, {where[0]})[0]"


def _load(code: int) -> Callable[[Lowering, list[Fragment], MemoryArgument, int], None]:
    name = function_name(code)
    count = 1 << opcodes.BY_CODE[code][5]
    whole = opcodes.NAME[code] == "v128.load"

    def lower_load(low: Lowering, stack: list[Fragment], imm: MemoryArgument, at: int) -> None:
        low.settle_address()
        where = address(low, stack.pop(), imm[0], imm[1])
        text = _bytes_at(where, count, imm[1])
        low.push((text if whole else f"{name}({text})", ATOM, 0, 0, where[4], where[5] or at + 1, PLAIN, "", ""))

    return lower_load


def _load_lane(code: int) -> Callable[[Lowering, list[Fragment], LaneArgument, int], None]:
    name = function_name(code)
    count = 1 << opcodes.BY_CODE[code][5]

    def lower_load_lane(low: Lowering, stack: list[Fragment], imm: LaneArgument, at: int) -> None:
        low.settle_operands(2)
        vector = stack.pop()
        where = address(low, stack.pop(), imm[0], imm[1])
        text = f"{name}({_bytes_at(where, count, imm[1])}, {vector[0]}, {imm[3]})"
        low.push((text, ATOM, 0, 0, where[4] | vector[4], at + 1, PLAIN, "", ""))

    return lower_load_lane


def _store(
    low: Lowering, stack: list[Fragment], text: Callable[[str], str], count: int, imm: MemoryArgument | LaneArgument, at: int
) -> None:
    low.flush_impure()
    vector = stack.pop()
    where = address(low, stack.pop(), imm[0], imm[1])
    suffix = f"_{imm[1]}" if imm[1] else ""
    low.body.append((f"put{count}(mem{suffix}, {where[0]}, {text(vector[0])})", at))


def _lower_store(low: Lowering, stack: list[Fragment], imm: MemoryArgument, at: int) -> None:
    _store(low, stack, lambda vector: vector, 16, imm, at)


def _store_lane(code: int) -> Callable[[Lowering, list[Fragment], LaneArgument, int], None]:
    name = function_name(code)
    count = 1 << opcodes.BY_CODE[code][5]

    def lower_store_lane(low: Lowering, stack: list[Fragment], imm: LaneArgument, at: int) -> None:
        _store(low, stack, lambda vector: f"{name}({vector}, {imm[3]})", count, imm, at)

    return lower_store_lane


HANDLERS: Final[Handlers] = {
    **{code: _call(code) for code in VECTOR},
    **{code: _load(code) for code in VECTOR_LOADS},
    **{code: _load_lane(code) for code in VECTOR_LANE_LOADS},
    **{code: _store_lane(code) for code in VECTOR_LANE_STORES},
    opcodes.CODE["v128.const"]: lower_vector_constant,
    opcodes.CODE["v128.store"]: _lower_store,
}
