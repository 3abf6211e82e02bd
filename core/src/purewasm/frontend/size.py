"""How much the front end makes of a function where control flow joins, before any of it is made.

Each way to the end of a block carries the values of all locals until the block is closed (`state.Block.snapshots`), and each local that
the block assigns may become a parameter with an operand for every way. Both are products of two numbers that a hostile body chooses,
as are the results of its calls.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purewasm.binary.body import Body
    from purewasm.wasm.module import WasmModule

MOST_OPERANDS: Final = 4_000_000
"""Of block parameters, and results of calls behind the first, taken together: some hundred bytes and microseconds each."""
MOST_CARRIED: Final = 60_000_000
"""Values that are carried at the same time: 8 bytes each."""

MOST_COMPARED: Final = 300_000_000
"""Values that are carried in all: each is copied, and compared where its block ends."""

_LOOP: Final = 0x03
_IF: Final = 0x04
_OPENS: Final = frozenset((0x02, 0x03, 0x04, 0x06, 0x1F))
_TRIES: Final = frozenset((0x06, 0x1F))
_BRANCHES: Final = frozenset((0x0C, 0x0D, 0xD5, 0xD6))
_ARMS: Final = frozenset((0x05, 0x07, 0x19))
_CALLS: Final = frozenset((0x08, 0x09, 0x0A, 0x10, 0x11, 0x14))


@final
class _Open:
    __slots__ = ("assigned", "carried", "op", "results", "ways")

    def __init__(self, op: int, results: int) -> None:
        self.op, self.results = op, results
        self.ways = self.carried = 0
        self.assigned: set[int] = set()


def is_too_large(module: WasmModule, body: Body, local_count: int) -> bool:
    """True where the joins and calls of a body take more memory than one function may."""
    blocks = [_Open(0x02, 0)]
    operands = carried = compared = 0
    imms: list[Any] = body.imms
    for op, imm in zip(body.ops, imms, strict=True):
        if op == 0x21 or op == 0x22:
            blocks[-1].assigned.add(imm)
        elif op in _OPENS:
            blocks.append(_Open(op, len(imm[0]) + len(imm[1])))
            if op == _IF:
                blocks[-1].carried = 1  # to where its arms begin
                carried += local_count
        elif op == 0x0B or op == 0x18:
            closed = blocks.pop()
            operands += (closed.ways + 2) * (len(closed.assigned) + closed.results)
            carried -= closed.carried * local_count
            compared += closed.carried * local_count
            if blocks:
                _merge(blocks[-1], closed)
        else:
            if op == 0x10 or op == 0x11 or op == 0x14:
                called = module.func_types[imm] if op == 0x10 else module.types[imm[0] if op == 0x11 else imm]
                operands += len(called.func.results) >> 1
            for depth in _targets(op, imm, blocks):
                blocks[-1 - depth].ways += 1
                if blocks[-1 - depth].op != _LOOP:
                    blocks[-1 - depth].carried += 1
                    carried += local_count
        if operands > MOST_OPERANDS or carried > MOST_CARRIED or compared > MOST_COMPARED:
            return True
    return False


def _targets(op: int, imm: Any, blocks: list[_Open]) -> Iterable[int]:
    """Depths of the blocks to which values are carried from here."""
    if op in _BRANCHES:
        return (imm,)
    if op == 0x0E:
        return set(imm)
    if op in _ARMS:
        return (0,)
    if op in _CALLS:
        return next(((depth,) for depth, block in enumerate(reversed(blocks)) if block.op in _TRIES), ())
    return ()


def _merge(outer: _Open, inner: _Open) -> None:
    if len(inner.assigned) > len(outer.assigned):
        outer.assigned, inner.assigned = inner.assigned, outer.assigned
    outer.assigned |= inner.assigned
