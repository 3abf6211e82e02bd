"""Exceptions: throwing and taking apart through a tag's functions, and the landing pads of calls.

Whoever unwinds to a landing pad puts the stack pointer where this function has it, the exception in rax and its tag in rdx; every other
register is lost. What the handler reads is in the frame: the allocator sees to that, and such a function saves all callee-saved registers.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.isa.x64.emit.moves import move_places
from purewasm.isa.x64.emit.state import LOAD64, at
from purewasm.isa.x64.registers import RAX, RDX, RSP
from purewasm.isa.x64.roles import CONTEXT, MEMORY
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter


def landing(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    taken = tuple([-1 if tag < 0 else e.layout.tag(tag) for tag in e.insts[value + 1][3]])
    if taken:
        e.landings.append((imm, len(e.code), taken))
    e.code += at(LOAD64[CONTEXT][RSP], e.saved_context)
    e.code += at(LOAD64[MEMORY][CONTEXT], layout.MEMORY0_BASE)
    arriving = ((value, RAX), (value + 1, RDX))
    moves = {e.place[arrived]: register for arrived, register in arriving if e.end[arrived] > arrived and e.place[arrived] != register}
    if moves:
        move_places(e, moves, set())


def landing_tag(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """`landing` has put it in its place."""


def tag_word(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    register = e.integer_result(value)
    e.code += at(LOAD64[RAX][CONTEXT], e.layout.tag(imm)) + at(LOAD64[register][RAX], layout.TAG_OBJECT)
    e.store_integer(value, register)


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    ops.LANDING: landing, ops.LANDING_TAG: landing_tag, ops.TAG_WORD: tag_word,
}  # fmt: skip
