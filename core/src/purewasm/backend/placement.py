"""The calling convention of compiled code: where arguments and results are. `RATIONALE.md` says why it is as it is.

Arguments take the machine's argument registers in order, integers and references one file, floats and vectors the other; the rest lies
on the stack, 8 bytes each, vectors 16 at multiples of 16. The function called removes its stack arguments, so that a tail call to
a function with more of them can make room. The first result is in a register; if there are more, the caller passes the address of an
area as one more integer argument at the end, and result `i` lies at 16 * i there.
"""

from __future__ import annotations

from purewasm.backend.target import STACK_ARGUMENT
from purewasm.ir.classes import INT, VEC
from purewasm.light_library import lru_cache
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.backend.target import ArgumentRegisters, Target

RESULT_BYTES: Final = 16


def place_arguments(target: Target | ArgumentRegisters, classes: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """The place of each argument, and the bytes of those on the stack (a multiple of 16)."""
    return _place(classes, target.int_arguments, target.vector_arguments)


@lru_cache(maxsize=4096)
def _place(classes: tuple[int, ...], ints: tuple[int, ...], vectors: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    places = []
    int_count = vector_count = stack_bytes = 0
    for value_class in classes:
        if value_class == INT and int_count < len(ints):
            places.append(ints[int_count])
            int_count += 1
        elif value_class != INT and vector_count < len(vectors):
            places.append(vectors[vector_count])
            vector_count += 1
        else:
            if value_class == VEC:
                stack_bytes += stack_bytes & 8
            places.append(STACK_ARGUMENT + stack_bytes)
            stack_bytes += 16 if value_class == VEC else 8
    return tuple(places), (stack_bytes + 15) & ~15
