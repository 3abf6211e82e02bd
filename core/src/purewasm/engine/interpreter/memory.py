"""Loads, stores and bulk operations (spec: memory instructions).

Memory k is known to the generated code by views of its bytes, names that `binding` resolves: `mem_k` are the bytes themselves, `u32_k`
and so on are memories of aligned 32-bit numbers, and `vu32_k` is a tuple of four such views that start at bytes 0, 1, 2 and 3, so
that `vu32_k[a & 3][a >> 2]` reads at any address. Addresses are never negative, so the IndexError of a view is the trap, exactly.
"""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import (
    AND,
    ATOM,
    CONST,
    MASK32,
    MASK64,
    MAX_TEXT,
    NAME,
    PLAIN,
    SHIFT,
    SUM,
    TWIN,
    Fragment,
    inside,
)
from purewasm.engine.interpreter.normalise import unsigned
from purewasm.engine.interpreter.tree import Body, If
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.valtypes import I32, I64

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.lowering import Handlers, Lowering

    MemoryArgument = tuple[int, int, int]
    Handler = Callable[[Lowering, list[Fragment], MemoryArgument, int], None]


def address_type(low: Lowering, memory: int) -> int:
    return I64 if low.module.memory_types[memory].is_64 else I32


def address(low: Lowering, operand: Fragment, offset: int, memory: int) -> Fragment:
    """The effective address: the canonical operand plus the offset, never wrapped."""
    mask = MASK64 if low.module.memory_types[memory].is_64 else MASK32
    if operand[6] == CONST:
        value = operand[2] + offset
        return (str(value), ATOM, value, value, 0, 0, CONST, "", "")
    if operand[2] >= 0 and operand[3] <= mask:
        text, prec = operand[0], operand[1]
    else:
        text, prec = unsigned(operand, mask, low.compact)
    if offset:
        text, prec = f"{text if prec >= SUM else f'({text})'} + {offset}", SUM
    return (text, prec, 0, mask + offset, operand[4], operand[5], PLAIN, "", "")


def element(view: str, shift: int, where: Fragment, memory: int) -> str:
    """Text of the element of `1 << shift` bytes at an address."""
    suffix = f"_{memory}" if memory else ""
    text, prec = where[0], where[1]
    if not shift:
        return f"{view}{suffix}[{text}]"
    low_bits = (1 << shift) - 1
    if where[6] == CONST:
        value = where[2]
        if not value & low_bits:
            return f"{view}{suffix}[{value >> shift}]"
        return f"v{view}{suffix}[{value & low_bits}][{value >> shift}]"
    if prec == NAME:
        return f"v{view}{suffix}[{text} & {low_bits}][{text} >> {shift}]"
    return f"v{view}{suffix}[(t := {text}) & {low_bits}][t >> {shift}]"


def _load(view: str, shift: int, lo: int, hi: int, twin: str = "") -> Handler:
    def lower_load(low: Lowering, stack: list[Fragment], imm: MemoryArgument, at: int) -> None:
        offset, memory, _ = imm
        low.settle_address()
        where = address(low, stack[-1], offset, memory)
        text = element(view, shift, where, memory)
        if twin:
            made = (text, ATOM, lo, hi, where[4], where[5] or at + 1, TWIN, element(twin, shift, where, memory), "")
        else:
            made = (text, ATOM, lo, hi, where[4], where[5] or at + 1, PLAIN, "", "")
        stack[-1] = made
        if len(text) > MAX_TEXT:
            low.shorten()

    return lower_load


def _load_f32(low: Lowering, stack: list[Fragment], imm: MemoryArgument, at: int) -> None:
    """Reading an f32 makes a signalling NaN quiet: a NaN is read again as bits."""
    offset, memory, _ = imm
    low.settle_address()
    where = address(low, stack[-1], offset, memory)
    if where[6] == CONST or where[1] == NAME:
        bits = element("u32", 2, where, memory)
    else:
        suffix = f"_{memory}" if memory else ""
        bits = f"vu32{suffix}[t & 3][t >> 2]"
    text = f"u if (u := {element('r32', 2, where, memory)}) == u else f32_reinterpret_i32({bits})"
    stack[-1] = (f"({text})", ATOM, 0, 0, where[4], where[5] or at + 1, PLAIN, "", "")
    if len(text) > MAX_TEXT:
        low.shorten()


def _settle_store(low: Lowering, stack: list[Fragment]) -> tuple[Fragment, Fragment]:
    """(address operand, value) of a store. Python evaluates the value first, the guest the address."""
    if stack[-2][5]:
        low.flush_impure()
    else:
        for position in range(len(stack) - 2):
            if stack[position][5]:
                low.materialise(position)
    value = stack.pop()
    return stack.pop(), value


def _store(view: str, shift: int, bits: int, width: int, twin: str) -> Handler:
    """`bits` are stored of a value of `width` bits."""
    full, half = 1 << bits, 1 << bits - 1

    def lower_store(low: Lowering, stack: list[Fragment], imm: MemoryArgument, at: int) -> None:
        operand, value = _settle_store(low, stack)
        where = address(low, operand, imm[0], imm[1])
        name, text = view, value[0]
        if value[6] == CONST:
            text = str(value[2] & full - 1)
        elif value[2] >= 0 and value[3] < full:
            pass
        elif twin and value[2] >= -half and value[3] < half:
            name = twin
        elif bits == width:
            text = unsigned(value, full - 1, low.compact)[0]
        else:
            text = f"{inside(value, AND)} & {full - 1}"
        low.body.append((f"{element(name, shift, where, imm[1])} = {text}", at))

    return lower_store


def _store_f64(low: Lowering, stack: list[Fragment], imm: MemoryArgument, at: int) -> None:
    operand, value = _settle_store(low, stack)
    where = address(low, operand, imm[0], imm[1])
    low.body.append((f"{element('r64', 3, where, imm[1])} = {value[0]}", at))


def _store_f32(low: Lowering, stack: list[Fragment], imm: MemoryArgument, at: int) -> None:
    """Writing an f32 makes a signalling NaN quiet: a NaN is written as bits."""
    if stack[-1][1] != NAME:
        low.flush_impure()
        low.materialise(len(stack) - 1)
    operand, value = _settle_store(low, stack)
    where = address(low, operand, imm[0], imm[1])
    number, bits = Body(), Body()
    number.append((f"{element('r32', 2, where, imm[1])} = {value[0]}", at))
    bits.append((f"{element('u32', 2, where, imm[1])} = i32_reinterpret_f32({value[0]})", at))
    low.body.append(If(f"{value[0]} == {value[0]}", f"{value[0]} != {value[0]}", at, number, bits))


# ---- sizes and bulk operations: functions over the memory itself, `M_k`


def lower_memory_size(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    memory = low.module.memory_types[imm]
    suffix = f"_{imm}" if imm else ""
    shift = memory.page_size_log2
    text = f"len(mem{suffix}) >> {shift}" if shift else f"len(mem{suffix})"
    stack.append((text, SHIFT if shift else ATOM, 0, MASK64 if memory.is_64 else MASK32, 0, at + 1, PLAIN, "", ""))


def lower_memory_grow(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    valtype = address_type(low, imm)
    delta = low.canonical(stack.pop(), valtype)
    mask = MASK64 if valtype == I64 else MASK32
    low.push_statement(f"memory_grow(M{imm}, {delta}) & {mask}", at, 0, mask)


def _bulk(low: Lowering, stack: list[Fragment], text: str, types: tuple[int, int, int], at: int) -> None:
    low.flush_impure()
    operands = stack[-3:]
    del stack[-3:]
    texts = [low.canonical(operand, valtype) for operand, valtype in zip(operands, types, strict=True)]
    low.body.append((f"{text}, {', '.join(texts)})", at))
    low.poll(at)


def lower_memory_init(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    segment, memory = imm
    _bulk(low, stack, f"memory_init(M{memory}, D, {segment}", (address_type(low, memory), I32, I32), at)


def lower_data_drop(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    low.flush_impure()
    low.body.append((f"D[{imm}] = b''", at))


def lower_memory_copy(low: Lowering, stack: list[Fragment], imm: tuple[int, int], at: int) -> None:
    target, source = imm
    types = address_type(low, target), address_type(low, source)
    _bulk(low, stack, f"memory_copy(M{target}, M{source}", (*types, I32 if I32 in types else I64), at)


def lower_memory_fill(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    valtype = address_type(low, imm)
    _bulk(low, stack, f"memory_fill(M{imm}", (valtype, I32, valtype), at)


HANDLERS: Final[Handlers] = {
    0x28: _load("u32", 2, 0, MASK32, "i32"),
    0x29: _load("u64", 3, 0, MASK64, "i64"),
    0x2A: _load_f32,
    0x2B: _load("r64", 3, 0, 0),
    0x2C: _load("i8", 0, -0x80, 0x7F),
    0x2D: _load("mem", 0, 0, 0xFF),
    0x2E: _load("i16", 1, -0x8000, 0x7FFF),
    0x2F: _load("u16", 1, 0, 0xFFFF),
    0x30: _load("i8", 0, -0x80, 0x7F),
    0x31: _load("mem", 0, 0, 0xFF),
    0x32: _load("i16", 1, -0x8000, 0x7FFF),
    0x33: _load("u16", 1, 0, 0xFFFF),
    0x34: _load("i32", 2, -0x8000_0000, 0x7FFF_FFFF),
    0x35: _load("u32", 2, 0, MASK32),
    0x36: _store("u32", 2, 32, 32, "i32"),
    0x37: _store("u64", 3, 64, 64, "i64"),
    0x38: _store_f32,
    0x39: _store_f64,
    0x3A: _store("mem", 0, 8, 32, ""),
    0x3B: _store("u16", 1, 16, 32, "i16"),
    0x3C: _store("mem", 0, 8, 64, ""),
    0x3D: _store("u16", 1, 16, 64, "i16"),
    0x3E: _store("u32", 2, 32, 64, "i32"),
    0x3F: lower_memory_size,
    0x40: lower_memory_grow,
    0xFC008: lower_memory_init,
    0xFC009: lower_data_drop,
    0xFC00A: lower_memory_copy,
    0xFC00B: lower_memory_fill,
}
