"""Live intervals, spill weights and load folding, in one forward sweep.

A value's interval runs from its index to `end`: its last use, or the end of the outermost loop that uses it without containing it.
That is exact enough because the list is in an order in which only loop ends go back and loops are contiguous; no sets of live values
are needed. A load that has one use, with nothing between that could change memory or trap (another access, say), becomes part of its
user where the machine can do that:

    5: i32.load 3 +8            5: (dead)
    6: i32.add 4 5       ->     6: i32.add 4 [3 + 8]

A store of what was loaded from the same place and changed becomes one instruction too:

    5: i32.load 3 +8
    6: i32.add 5 c2
    7: i32.store 3 6 +8   ->     7: modify c2 (add, store) [3 + 8]

The address of an access is sunk into it where nothing else uses it: the machine computes it in a scratch register, so no register is
taken from where WebAssembly computes a store's address, before its value, until there.

A parameter of a loop that is left in the middle and ends in a branch back has a hole: from its last use in the loop, or the last way
out, to the loop's end.
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.passes.operand_kinds import ARGUMENTS, KIND, LIST, ONE, PARAMETER, SELECTION

if TYPE_CHECKING:
    from purewasm.ir.function import Function, Inst

_MAX_WEIGHT: Final = 4096
_LIMIT: Final = 0x7FFF_0000
_SUM_DISTANCE: Final = 8
"""A sum of two values is sunk no farther: it may keep two registers busy to free one."""
_SUMS: Final = (0x6A, ops.LEA)
_ALU32: Final = (0x6A, 0x6B, 0x71, 0x72, 0x73)
_ALU64: Final = (0x7C, 0x7D, 0x83, 0x84, 0x85)
_SUBTRACT: Final = (0x6B, 0x7D)
_MODIFIED: Final = {
    0x36: (_ALU32, (0x28,)), 0x37: (_ALU64, (0x29,)), 0x3A: (_ALU32, (0x2C, 0x2D)), 0x3B: (_ALU32, (0x2E, 0x2F)),
    0x3C: (_ALU64, (0x30, 0x31)), 0x3D: (_ALU64, (0x32, 0x33)), 0x3E: (_ALU64, (0x34, 0x35)),
}  # fmt: skip
"""By store: operations whose lowest bits depend on those of their operands alone, and loads of as many bytes."""
_ACCESS: Final = bytearray(ops.OPS)
for _op in (*ops.LOADS, *ops.STORES, ops.LOAD_LANE, ops.STORE_LANE):
    _ACCESS[_op] = 1
_MEM: Final = ops.MEM
_I32_LOAD: Final = 0x28
_I64_LOAD: Final = 0x29
_BYTE_LOAD: Final = 0x2D


@final
class Intervals:
    """`end`, `weight` and `hint` (a parameter that takes this value, or -1) by value id; positions of calls, ascending; sunk addresses."""

    __slots__ = ("calls", "end", "hint", "holes", "loops", "sunk", "tail_calls", "weight")

    def __init__(self, count: int) -> None:
        self.end = [0] * count
        self.weight = [0] * count
        self.hint = [-1] * count
        self.calls: list[int] = []
        self.tail_calls: list[int] = []
        self.loops: dict[int, tuple[int, set[int]]] = {}
        """By position of a loop's head: the position of its end, and the values from outside that are used in it."""
        self.holes: dict[int, tuple[int, int]] = {}
        """By parameter of a loop: from where to the loop's end no turn needs it any more, though it may be needed behind the loop."""
        self.sunk: dict[int, tuple[int, ...]] = {}
        """Values that each sunk address is computed from."""


def find_intervals(function: Function, live: bytearray, foldable: list[int]) -> Intervals:
    """`foldable[op]` is the load that can be the second operand of `op`, or 0. Changes the instructions it folds into."""
    insts, constants = function.insts, function.constants
    found = Intervals(len(insts))
    end, weight, hint, calls = found.end, found.weight, found.hint, found.calls
    effect, kind_of, is_call, commutative = ops.EFFECT, KIND, ops.IS_CALL, ops.COMMUTATIVE
    w = 1
    loop_start = -1
    extended: set[int] = set()  # defined before the innermost loop, used in it
    outer: list[tuple[int, set[int], int]] = []
    leaving: dict[int, int] = {}  # by label that is not bound yet, or of a loop: the last branch to it
    last = -1  # effect or access: a load does not cross one, since either may trap
    floor = -1  # the last call or the innermost loop's head: no address is sunk across it
    access, sunk = _ACCESS, found.sunk
    value = -1
    for op, a, b, imm in insts:
        value += 1
        if not live[value]:
            continue
        load = foldable[op]
        address = -1
        if load and (b >= 0 or a >= 0):
            folded = -1
            if op != ops.BR_IF and op != ops.TRAP_IF:
                if b >= 0 and live[b] == 1 and b >= last and insts[b][0] == load and 0 <= insts[b][3] < _LIMIT:
                    folded = b
                elif (
                    a >= 0 and a != b and live[a] == 1 and a >= last and commutative[op]
                    and insts[a][0] == load and 0 <= insts[a][3] < _LIMIT
                ):  # fmt: skip
                    folded, a = a, b
                if folded >= 0:
                    address, offset = insts[folded][1], insts[folded][3]
                    b = _MEM
                    insts[value] = (op, a, b, (address, offset, folded))
            else:
                kind = imm[1]
                if a >= 0 and live[a] == 1 and a >= last:
                    loaded = insts[a][0]
                    if loaded in _COMPARED[kind] and 0 <= insts[a][3] < _LIMIT and _fits(loaded, imm[0], kind, b, constants):
                        folded = a
                if folded < 0 and b >= 0 and b >= last and live[b] == 1 and insts[b][0] in _COMPARED_SECOND[kind] \
                        and 0 <= insts[b][3] < _LIMIT:  # fmt: skip
                    folded = b
                if folded >= 0:
                    address, offset = insts[folded][1], insts[folded][3]
                    if folded == a:
                        a = _MEM
                    else:
                        b = _MEM
                    insts[value] = (op, a, b, (*imm, address, offset, folded))
            if folded >= 0:
                live[folded] = 0
                last = value
        elif access[op]:
            address = a
            if b >= 0 and live[b] == 1 and op in _MODIFIED and _modify(insts, live, value, last):
                _, a, b, _ = insts[value]
            else:
                a = -1
            last = value
        if address >= 0:
            if not live[address]:
                parts = sunk[address]  # into a load, which itself went into this instruction
            elif live[address] == 1 and address > floor and insts[address][0] in _SUMS:
                parts = _sink(insts, live, sunk, address, value, floor)
            else:
                parts = (address,)
            for x in parts:
                end[x] = value
                weight[x] += w
                if x < loop_start:
                    extended.add(x)
        if effect[op]:
            last = value
        if a >= 0:
            end[a] = value
            weight[a] += w
            if a < loop_start:
                extended.add(a)
        if b >= 0:
            end[b] = value
            weight[b] += w
            if b < loop_start:
                extended.add(b)
        kind = kind_of[op]
        if kind:
            if kind == PARAMETER:
                weight[value] += w
                continue
            if kind == ARGUMENTS:
                read = imm[0]
                if is_call[op]:
                    calls.append(value)
                    floor = value
                else:
                    found.tail_calls.append(value)
            elif kind == SELECTION:
                read = imm[2:4]
            elif kind == ONE:
                read = (imm,)
            elif kind == LIST:
                read = imm[0]
            else:
                read = imm
            for x in read:
                if x >= 0:
                    end[x] = value
                    weight[x] += w
                    if x < loop_start:
                        extended.add(x)
        elif op == ops.BR_IF or op == ops.BR:
            if loop_start >= 0:
                leaving[imm[3] if op == ops.BR_IF else imm[1]] = value
            for parameter, x in imm[2] if op == ops.BR_IF else imm[0]:
                if x >= 0 and live[parameter]:
                    end[x] = value
                    weight[x] += w
                    if x < loop_start:
                        extended.add(x)
                    if hint[x] < 0 or parameter < value:  # an edge back is taken more often than one that leaves the loop
                        hint[x] = parameter
        elif op == ops.LABEL:
            if leaving:
                leaving.pop(imm, None)
        elif op == ops.LOOP:
            outer.append((loop_start, extended, w))
            floor = loop_start = value
            extended = set()
            if w < _MAX_WEIGHT:
                w *= 8
        elif op == ops.ENDLOOP:
            inner = extended
            for x in inner:
                end[x] = value
            found.loops[loop_start] = value, inner
            leaving.pop(imm, None)
            if insts[value - 1][0] in ops.NO_FALL_THROUGH and not function.pads:
                _find_holes(insts, live, found, loop_start, value, max(leaving.values(), default=-1))
            loop_start, extended, w = outer.pop()
            for x in inner:
                if x < loop_start:
                    extended.add(x)
        elif op == ops.BR_TABLE:
            for edge, label in imm:
                if loop_start >= 0:
                    leaving[label] = value
                for parameter, x in edge:
                    if x >= 0 and live[parameter]:
                        end[x] = value
                        weight[x] += w
                        if x < loop_start:
                            extended.add(x)
                        if hint[x] < 0:
                            hint[x] = parameter
    return found


def _find_holes(insts: list[Inst], live: bytearray, found: Intervals, start: int, end: int, leaves: int) -> None:
    """Parameters of the loop that ends here, behind a branch. The last one that leaves it may be to where they are needed."""
    value = start + 1
    while ops.PARAM < insts[value][0] < ops.ARG:
        if live[value]:
            from_ = max(found.end[value], leaves)
            if from_ < end:
                found.holes[value] = from_, end
        value += 1


def _sink(insts: list[Inst], live: bytearray, sunk: dict[int, tuple[int, ...]], address: int, value: int, floor: int) -> tuple[int, ...]:
    """The values that the access at `value` needs for its address now."""
    _, p, q, _ = insts[address]
    if q == _MEM or (q >= 0 and value - address > _SUM_DISTANCE):
        return (address,)
    parts: tuple[int, ...] = (p, q)
    if q < 0:
        parts = (p,)
        if live[p] == 1 and p > floor and value - p < _SUM_DISTANCE and insts[p][0] in _SUMS and insts[p][2] >= 0:
            parts = insts[p][1:3]
            live[p] = 0
            sunk[p] = ()
    live[address] = 0
    sunk[address] = parts
    return parts


def _modify(insts: list[Inst], live: bytearray, value: int, last: int) -> bool:
    """Whether the store at `value`, of an operation that nothing else uses, could be made a modification of memory."""
    op, address, changed, offset = insts[value]
    operations, loads = _MODIFIED[op]
    operation, x, y, memory = insts[changed]
    if operation not in operations:
        return False
    if y == _MEM:
        if changed < last or memory[:2] != (address, offset) or operation in _SUBTRACT or op > 0x37:
            return False
        load = memory[2]
    else:
        load = x
        if not _is_loaded(insts, live, x, address, offset, loads, last):
            load, y = y, x
            if operation in _SUBTRACT or not _is_loaded(insts, live, load, address, offset, loads, last):
                return False
        x = y
    live[changed] = live[load] = 0
    insts[value] = (ops.MODIFY, x, _MEM, (operation, op, address, offset, load))
    return True


def _is_loaded(insts: list[Inst], live: bytearray, x: int, address: int, offset: int, loads: tuple[int, ...], last: int) -> bool:
    return x >= last and x >= 0 and live[x] == 1 and insts[x][0] in loads and insts[x][1] == address and insts[x][3] == offset >= 0


def _fits(loaded: int, condition: int, kind: int, b: int, constants: list[int | bytes]) -> bool:
    """Whether a compare of what is in memory with `b` can be done there. A byte can be compared with a byte, unsigned."""
    if loaded != _BYTE_LOAD:
        return True
    if not -(1 << 40) < b < 0:
        return False
    constant = constants[~b]
    if not isinstance(constant, int) or constant > 0xFF:
        return False
    return kind == ops.KIND_TEST32 or condition <= ops.CC_A


# Loads that a compare of each kind can have as its first operand, and as its second.
_COMPARED: Final = ((_I32_LOAD, _BYTE_LOAD), (_I64_LOAD,), (_I32_LOAD, _BYTE_LOAD), (), (), (), (), ())
_COMPARED_SECOND: Final = ((_I32_LOAD,), (_I64_LOAD,), (), (0x2B,), (0x2A,), (), (), ())
