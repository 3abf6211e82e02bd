"""Functions of the engine that compiled code calls by number (C calling convention; the context comes first).

Arguments are integers and references, an i32 zero-extended; a result comes back the same way. One that traps or raises does not return.
"""

from __future__ import annotations

from purewasm.ir.classes import INT
from purewasm.light_typing import Final

# name, number of arguments after the context, class of the result
BUILTINS: Final = (
    ("interrupt", 0, 0),  # preserves every register
    ("memory_grow", 2, INT),  # memory, delta -> former size in pages or -1
    ("memory_copy", 5, 0),  # destination memory, source memory, destination, source, bytes
    ("memory_fill", 4, 0),  # memory, destination, value, bytes
    ("memory_init", 5, 0),  # segment, memory, destination, source, bytes
    ("data_drop", 1, 0),  # segment
    ("table_grow", 3, INT),  # table, initial element, delta -> former size or -1
    ("table_fill", 4, 0),  # table, start, element, count
    ("table_copy", 5, 0),  # destination table, source table, destination, source, count
    ("table_init", 5, 0),  # segment, table, destination, source, count
    ("elem_drop", 1, 0),  # segment
    ("throw_ref", 1, 0),  # exception; never returns
    ("exception_keep", 1, INT),  # a caught exception -> the same, which the guest may hold from now on
    ("memory_wait32", 5, INT),  # memory, index, offset, expected value, nanoseconds -> 0 woken, 1 another value, 2 timed out
    ("memory_wait64", 5, INT),
    ("memory_notify", 4, INT),  # memory, index, offset, count -> how many were woken
    ("gc_allocate", 1, INT),  # bytes -> address, where there is not enough room in the heap; both in rax, every other register is preserved
    ("any_convert_extern", 1, INT),  # word of an external reference -> that of the same reference as `any`
    ("extern_convert_any", 1, INT),  # and back
    ("array_copy", 3, 0),  # address of the destination, of the source, bytes
    ("array_init_data", 5, 0),  # array, first index, segment, start in it, number of elements
    ("array_init_elem", 5, 0),
    ("return_context", 0, 0),  # never called: returned to, by what was tail called in another instance (`isa.x64.emit.tail_calls`)
    ("enter_loop", 2, INT),  # function, place of the loop -> address of code of the loop that is worth going on in, or 0
    ("optimize", 0, 0),  # jumped to by hot functions as they are called: calls the best code of function eax with all arguments kept
)
NUMBER: Final = {name: number for number, (name, _, _) in enumerate(BUILTINS)}
INTERRUPT: Final = NUMBER["interrupt"]
GC_ALLOCATE: Final = NUMBER["gc_allocate"]
RETURN_CONTEXT: Final = NUMBER["return_context"]
ENTER_LOOP: Final = NUMBER["enter_loop"]
OPTIMIZE: Final = NUMBER["optimize"]
