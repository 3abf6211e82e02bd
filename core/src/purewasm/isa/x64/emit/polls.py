"""Polls, at loops and at the functions' entries, where they are the check of the stack as well."""

from __future__ import annotations

from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.ir.builtins import INTERRUPT as INTERRUPT_BUILTIN
from purewasm.isa.x64 import control, integer
from purewasm.isa.x64.conditions import CC_B, CC_E
from purewasm.isa.x64.emit.state import LOAD64, at
from purewasm.isa.x64.registers import RAX, RSP
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout
from purewasm.traps import CALL_STACK_EXHAUSTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

_EXHAUSTED: Final = layout.TRAP_NUMBER[CALL_STACK_EXHAUSTED]
_CMP: Final = integer.CMP_R64_RM64.based
_CMP8: Final = integer.CMP_RM64_IMM8.based
_CALL: Final = control.CALL_RM64.based


def poll(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """An interruption raises the stack limit, and the compare with that is one operation with its jump."""
    code = e.code
    held = e.place[a] if a >= 0 else SLOT
    if held >= SLOT:
        code += e.load_control
        held = RAX
    start = len(code)
    code += at(_CMP[RSP][held], layout.STACK_LIMIT)
    e.pad(start, len(code) - start + 6)
    interrupted, back = e.new_label(), e.new_label()
    e.jump_if(CC_B, interrupted)
    e.bind(back)
    e.cold.append(lambda: _call_interrupt(e, value, interrupted, back))


def _call_interrupt(e: Emitter, value: int, interrupted: int, back: int) -> None:
    """A small frame may lie below the limit without any interruption."""
    e.bind(interrupted)
    code = e.code
    code += e.load_control
    code += at(_CMP8[RAX], layout.INTERRUPT) + b"\0"
    e.jump_if(CC_E, back)
    code += at(LOAD64[RAX][CONTEXT], layout.BUILTINS)
    code += at(_CALL[RAX], 8 * INTERRUPT_BUILTIN)
    e.call_site(value)
    e.jump(back)


def out_of_stack(e: Emitter, start: int, short: int) -> None:
    """At `short`, with the control block's address in rax: an interruption, after which the check at `start` is made again, or a trap."""
    e.bind(short)
    code, place = e.code, e.function.place
    code += at(_CMP8[RAX], layout.INTERRUPT) + b"\0"
    e.trap_if(CC_E, _EXHAUSTED, place)
    code += at(LOAD64[RAX][CONTEXT], layout.BUILTINS) + at(_CALL[RAX], 8 * INTERRUPT_BUILTIN)
    e.call_sites.append((len(code), place, 0))
    e.jump(start)


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {ops.POLL: poll}
