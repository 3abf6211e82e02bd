"""Locals and globals (spec: variable instructions)."""

from __future__ import annotations

from purewasm.engine.interpreter.fragments import ATOM, PLAIN, Fragment
from purewasm.engine.interpreter.normalise import unsigned
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.engine.interpreter.lowering import Handlers, Lowering


def lower_local_get(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    stack.append(low.local(imm))


def _assign_local(low: Lowering, stack: list[Fragment], index: int, at: int) -> None:
    value = stack.pop()
    text, impure = value[0], value[5]
    if stack:
        if impure:
            low.flush_impure()
        low.flush_local(index)
    mask = low.local_masks[index]
    if mask and (value[2] < 0 or value[3] > mask):
        text = unsigned(value, mask, low.compact)[0]
    name = f"l{index}"
    if text != name:
        low.body.append((f"{name} = {text}", impure - 1 if impure else at))


def lower_local_set(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    _assign_local(low, stack, imm, at)


def lower_local_tee(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    _assign_local(low, stack, imm, at)
    stack.append(low.local(imm))


def lower_global_get(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    valtype, mutable = low.module.global_types[imm]
    mask = low.mask(valtype)
    if not mutable:
        stack.append((f"g{imm}", ATOM, 0, mask, 0, 0, PLAIN, "", ""))
    else:
        text = f"g{imm}" if low.context.is_private_global(imm) else f"G{imm}.raw"
        stack.append((text, ATOM, 0, mask, 0, at + 1, PLAIN, "", ""))


def lower_global_set(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    value = stack.pop()
    low.flush_impure()
    text = low.canonical(value, low.module.global_types[imm].valtype)
    if low.context.is_private_global(imm):
        low.globals_written.add(imm)
        name = f"g{imm}"
    else:
        name = f"G{imm}.raw"
    low.body.append((f"{name} = {text}", value[5] - 1 if value[5] else at))


HANDLERS: Final[Handlers] = {
    0x20: lower_local_get,
    0x21: lower_local_set,
    0x22: lower_local_tee,
    0x23: lower_global_get,
    0x24: lower_global_set,
}
