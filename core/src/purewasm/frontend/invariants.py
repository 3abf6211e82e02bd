"""Pure operations whose operands a loop does not change are done in front of it.

A few places are kept free in front of each loop, if the function has operations that are worth moving: a value's number is its position,
so that filling one renumbers nothing. What stays free is dead code like any other.

    (loop … (i64.mul (local.get 0) (local.get 1)) …)

    2: i64.mul 0 1          a place in front of the loop
    3: control              another one, free
    4: br -> L1
    5: loop L1
    …
    9: i64.add 7 2

A value that is moved keeps a register busy all through the loop, or is loaded from its slot there. So it has to be worth that: products,
float and vector operations, conversions. Cheap operations follow where they are computed from what was moved (the register changes
hands), or go ahead where something worth moving is computed from them. Nothing that may trap is moved: the loop may not come to it.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.wasm import opcodes

if TYPE_CHECKING:
    from purewasm.frontend.state import Builder
    from purewasm.ir.function import Inst

_PLACES: Final = 8
_LEVELS: Final = 8
"""Loops that a value is moved out of at most."""
CHEAP: Final = 1
COSTLY: Final = 2


def _costly_codes() -> frozenset[int]:
    """Opcodes of two operands at most that cannot trap, and take some cycles or instructions."""
    codes = {0x6C, 0x7E, *range(0x67, 0x6A), *range(0x79, 0x7C), *range(0x8B, 0xA7), *range(0xB2, 0xC0), *range(0xFC000, 0xFC008)}
    for code, name, _, text, _, _ in opcodes.FAMILIES["vector"]:
        operands, _, results = text.partition(">")
        if results and len(operands) < 3 and not name.endswith(("const", "_true")):
            codes.add(code)
    return frozenset(codes)


COSTLY_CODES: Final = _costly_codes()
WORTH: Final = bytearray(ops.OPS)
"""By operation."""
for _code in COSTLY_CODES:
    WORTH[ops.number_of(_code)] = COSTLY
for _op in (ops.MUL_HIGH_S, ops.MUL_HIGH_U):
    WORTH[_op] = COSTLY
for _op in (0x6A, 0x6B, *range(0x71, 0x79), 0x7C, 0x7D, *range(0x83, 0x8B), 0xA7, 0xAC, *range(0xC0, 0xC5), ops.LEA):
    WORTH[_op] = CHEAP
_INSIDE: Final = ops.MEM
"""No operand: it is computed in the loop."""
_FREE: Final = (ops.CONTROL, ops.NO, ops.NO, 0)  # nobody uses it


@final
class Room:
    """Places in front of a loop: values below `free`, from `first` on, were moved there."""

    __slots__ = ("end", "first", "free", "moved")

    def __init__(self, first: int) -> None:
        self.first = self.free = first
        self.end = first + _PLACES
        self.moved: dict[Inst, int] = {}


def keep_room(b: Builder) -> None:
    """A loop is about to begin."""
    b.move = move
    b.rooms.append(Room(len(b.insts)))
    b.insts += [_FREE] * _PLACES


def move(b: Builder, inst: Inst) -> int:
    """The value of a pure operation in front of the outermost loop possible, or -1 where it has to stay."""
    op, x, y, imm = inst
    worth, innermost = WORTH[op], b.rooms[-1]
    if not worth or (x >= innermost.free and not _is_cheap(b, x)) or (y >= innermost.free and not _is_cheap(b, y)):
        return -1
    for room in b.rooms[-_LEVELS:]:
        known = room.moved.get(inst)
        if known is not None:
            return known
        if worth == COSTLY:
            p, q = _before(b, room, x), _before(b, room, y)
            known = _put(b, room, (op, p, q, imm)) if p != _INSIDE != q else -1
        elif x < room.free and y < room.free and (x >= room.first or y >= room.first):
            known = _put(b, room, inst)
        else:
            continue
        if known >= 0:
            return known
    return -1


def _is_cheap(b: Builder, value: int) -> bool:
    return WORTH[b.insts[value][0]] == CHEAP


def _before(b: Builder, room: Room, value: int) -> int:
    """The operand in front of the loop, computed there if it is cheap, or `_INSIDE`."""
    if value < room.free:
        return value
    inst = b.insts[value]
    _, x, y, _ = inst
    if not _is_cheap(b, value) or x >= room.free or y >= room.free:
        return _INSIDE
    known = room.moved.get(inst)
    if known is None:
        known = _put(b, room, inst)
    return known if known >= 0 else _INSIDE


def _put(b: Builder, room: Room, inst: Inst) -> int:
    place = room.free
    if place == room.end:
        return -1
    room.free += 1
    b.insts[place] = inst
    room.moved[inst] = place
    return place
