"""One function in IR, and what the passes find out about it."""

from __future__ import annotations

from purewasm.light_typing import Any, final

Edge = list[tuple[int, int]]
"""(parameter, argument) pairs: a parallel move that happens when control takes the edge."""
# The immediate's type depends on the operation (`ir.ops`); the verifier checks it, the type checker cannot.
Inst = tuple[int, int, int, Any]


@final
class Function:
    """Instructions in program order; loops are contiguous, and every other branch goes forward."""

    __slots__ = ("constants", "index", "insts", "labels", "loops", "pads", "place", "places", "results", "unpolled")

    def __init__(self, index: int, insts: list[Inst], constants: list[int | bytes]) -> None:
        self.index, self.insts, self.constants = index, insts, constants
        self.labels = 1
        """Labels are below this number."""
        self.places: dict[int, int] = {}
        """Place in the module's bytes of instructions that may trap or call, by value id."""
        self.pads: dict[int, int] = {}
        """By call: the `landing` where what it throws arrives. It is the first instruction behind a label that nothing branches to."""
        self.results: tuple[int, ...] = ()
        """Classes of the results."""
        self.loops: list[tuple[int, int]] = []
        """(`loop`, `endloop`) of each loop, inner ones before those around them."""
        self.place = 0
        """Where the body begins in the module."""
        self.unpolled = 0
        """Instructions that loops without polls execute at most, all together (`passes.polls`)."""
