"""The custom section `metadata.code.branch_hint`: which way branches are likely to go (branch hinting proposal)."""

from __future__ import annotations

from purewasm.binary.reader import Reader
from purewasm.errors import ModuleError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import opcodes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from purewasm.binary.body import Body

Hints = dict[int, dict[int, int]]
"""By function index: 0 (unlikely) or 1 (likely) by offset in the body, its locals included."""

HINTED: Final = frozenset((opcodes.CODE["if"], opcodes.CODE["br_if"]))


def decode_branch_hints(section: bytes) -> Hints | None:
    """The hints of a section; None where it is broken or its functions and offsets are not in order."""
    reader = Reader(section, 0, len(section))
    hints: Hints = {}
    try:
        for _ in range(reader.length("functions")):
            function = reader.u32()
            if hints and function <= max(hints):
                return None
            of_function = hints.setdefault(function, {})
            for _ in range(reader.length("hints")):
                offset, size, value = reader.u32(), reader.u32(), reader.byte()
                if size != 1 or value > 1 or (of_function and offset <= max(of_function)):
                    return None
                of_function[offset] = value
    except (ModuleError, StopIteration):
        return None
    return None if reader.remaining or not all(hints.values()) else hints


def can_be_annotations(hints: Hints, body_of: Callable[[int], tuple[int, Body] | None]) -> bool:
    """True where every hint belongs to an `if` or `br_if`. `body_of` gives a function's body and where it starts in the source."""
    for function, of_function in hints.items():
        found = body_of(function)
        if found is None or not _all_hinted(of_function, *found):
            return False
    return True


def _all_hinted(hints: Mapping[int, int], start: int, body: Body) -> bool:
    branches = {offset - start for op, offset in zip(body.ops, body.offsets, strict=True) if op in HINTED}
    return branches.issuperset(hints)
