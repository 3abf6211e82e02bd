"""Every byte offset that compiled code reads, in one file.

Compiled code finds everything from two pinned registers: the *context* of the running instance and the base of its memory 0.
All fields are 8 bytes, little endian, unless it says otherwise. `docs` of a field say who writes it.
"""

from __future__ import annotations

from purewasm.light_typing import Final, final
from purewasm.store.declared import declared_functions
from purewasm.wasm.deftypes import FuncType
from purewasm.wasm.module import WasmModule

# ---- context of an instance: the fixed part

MEMORY0_BASE: Final = 0
"""Address of byte 0 of memory 0; constant for the life of the instance where memories are reserved."""
MEMORY0_BYTES: Final = 8
"""Present size of memory 0 in bytes; written by growth."""
CONTROL: Final = 16
"""Distance from the thread pointer (`fs`) of the word with the address of the thread's control block."""
BUILTINS: Final = 24
"""Address of the table of builtin functions (8 bytes each, index = builtin number)."""
SLOTS: Final = 32
"""Address of the function slot table: 8 bytes a function of the index space, the code address to call (defined functions only)."""
RECORDS: Final = 40
"""Address of the table of function record addresses, 8 bytes each: the imports (the record of what was imported), then the declared
functions (see `ContextLayout.declared`)."""
TYPES: Final = 48
"""Address of the table of type record addresses, 8 bytes a type index of the module."""
INSTANCE: Final = 56
"""PyObject * of the engine's own object for this instance (borrowed)."""
STACK_BYTES: Final = 64
"""Bytes of stack that an activation which starts in this instance may use."""
PENDING: Final = 72
"""Not 0: calls from Python have to look first (the instance is closed, or its meter is interrupted)."""
TURN: Final = 80
"""Address of the words of the link group's `Turn`: whose turn it is to run its instances; 0 where any thread may."""
RELEASES: Final = 88
"""Not 0: this code does not poll, so the GIL is released whenever Python has done what was asked of it."""
HEAP: Final = 96
"""Address of the words of the heap with the runtime's structures and arrays; 0 where the module has none."""
SEGMENTS: Final = 104
"""Address of what is left of the data segments: 16 bytes each, the address of the bytes and their number."""
FIXED_BYTES: Final = 112

# ---- context of a host function: the fixed part (without memory), then

HOST_CALLABLE: Final = 112
"""PyObject * of what is called (borrowed)."""
HOST_CONVERT: Final = 120
"""PyObject * of a callable that makes of its result what the generated code understands, or raises."""
HOST_CALLER: Final = 128
"""PyObject * of the `Caller` that goes in front of the arguments."""
HOST_BINDING: Final = 136
"""PyObject * of the engine's object for it (borrowed)."""
HOST_BYTES: Final = 144

# ---- function record: what a funcref points to

RECORD_CODE: Final = 0
RECORD_CONTEXT: Final = 8
RECORD_TYPE: Final = 16
"""Address of the type's record."""
RECORD_FUNCTION: Final = 24
"""PyObject * of the Function, or 0."""
RECORD_INDEX: Final = 32
RECORD_LONG: Final = 40
"""Calls from Python that release the GIL at once: that many more, since one has run for long; below 0 for all of them."""
RECORD_BYTES: Final = 48

# ---- record of a type: canonical, so that types are equal where the addresses of their records are

TYPE_KIND: Final = 0
TYPE_DEPTH: Final = 8
"""Number of supertypes."""
TYPE_SIZE: Final = 16
"""Of a structure: bytes of an object, a multiple of `OBJECT_ALIGNMENT`. Of an array: bytes of an element."""
TYPE_REFERENCES: Final = 24
"""What the collector follows. Of a structure: address of a count and that many offsets (4 bytes each) of fields that refer to objects,
or 0. Of an array: 1 where the elements do."""
TYPE_HANDLES: Final = 32
"""The same for words of Python objects: external references and exceptions."""
TYPE_OBJECT: Final = 40
"""PyObject * of the DefType (borrowed)."""
TYPE_FUNCTIONS: Final = 48
"""Like `TYPE_HANDLES`, for functions."""
TYPE_DISPLAY: Final = 64
"""Addresses of the records of the supertypes, the topmost one first, and of the type itself at its depth; zeros behind that."""
TYPE_DISPLAY_LEAST: Final = 8
"""So many entries are always there: code may look at them without a look at the depth."""
KIND_FUNC: Final = 0
KIND_STRUCT: Final = 1
KIND_ARRAY: Final = 2

# ---- structures and arrays

OBJECT_ALIGNMENT: Final = 16
OBJECT_TYPE: Final = 0
"""Address of the type's record."""
STRUCT_FIELDS: Final = 8
"""Fields in the order of their declaration, each at its natural alignment (`object_layout`)."""
ARRAY_LENGTH: Final = 8
"""4 bytes."""
ARRAY_ELEMENTS: Final = 16
OBJECT_TAG: Final = 2
"""Added to an object's address in the word of a reference; words with bit 0 set are 31-bit integers, others are Python objects."""
I31_TAG: Final = 1

# ---- words of a heap

HEAP_FREE: Final = 0
"""Address of the next free byte."""
HEAP_LIMIT: Final = 8
"""End of the free bytes there."""

# ---- words of a turn

TURN_OWNER: Final = 0
"""Address of the control block of the thread that runs instances of the group, 0 for none, 1: the first that waits is next."""
TURN_DEPTH: Final = 8
"""Number of its activations."""
TURN_WAITER: Final = 16
"""Address of the semaphore of the first thread that waits, or 0."""
TURN_BYTES: Final = 32

# ---- control block of a thread

STACK_LIMIT: Final = 0
"""Lowest stack pointer that a function may start with."""
INTERRUPT: Final = 8
"""Not 0: call the builtin `interrupt` at the next poll."""
FUEL: Final = 16
"""Signed units left."""
TRAP_PC: Final = 32
"""Address of the instruction that trapped."""
TRAP_SP: Final = 40
"""Stack pointer there."""
ENTRY_SP: Final = 48
"""Stack pointer to return to when an activation ends early: the innermost entry's frame."""
REAL_LIMIT: Final = 56
"""What STACK_LIMIT is while nothing is to be interrupted."""
THREAD_STATE: Final = 64
"""PyThreadState * of the thread while it runs guest code without the GIL, 0 while it has the GIL or Python runs."""
THREAD_BOTTOM: Final = 72
"""Lowest stack pointer that guests may have on its stack."""
ACTIVE: Final = 80
"""Number of activations."""
TRAP_OPERAND: Final = 88
"""What the register held there that has the operand of an indirect call: the index in the table."""
NEXT: Final = 96
"""Address of another thread's block, 0 at the end."""
IS_MAIN: Final = 104
"""Not 0: the thread in which Python handles signals."""
IS_FREE: Final = 112
"""Not 0: the thread has ended."""
THREAD_TOP: Final = 120
"""End of its stack."""
SEMAPHORE: Final = 128
"""What the thread waits at for its turn."""
CONTROL_BYTES: Final = 192

# ---- a cell of a global, a memory's pair, a table's pair

GLOBAL_BYTES: Final = 16
MEMORY_BASE: Final = 0
MEMORY_BYTES: Final = 8
PAIR_BYTES: Final = 16
TABLE_ELEMENTS: Final = 0
"""Address of the elements: 8 bytes each, a function record's address or a handle, 0 for null."""
TABLE_SIZE: Final = 8
"""Present number of elements."""
TABLE_ELEMENT_BYTES: Final = 8

# ---- what a context has of a tag: two function records, then

TAG_RECORDS: Final = 0
"""The record of the function that throws an exception with its arguments, then that of one that gives the values of an exception."""
TAG_OBJECT: Final = 2 * RECORD_BYTES
"""PyObject * of the Tag (borrowed): two tags are the same where these are."""
TAG_BYTES: Final = TAG_OBJECT + 8

# ---- a data segment

SEGMENT_DATA: Final = 0
SEGMENT_SIZE: Final = 8
"""0 once it is dropped, as active ones are."""
SEGMENT_BYTES: Final = 16

# ---- reservations of 32-bit memories

RESERVED_BYTES: Final = 1 << 32
"""Address space of a 32-bit memory before its guard."""
MEMORY_GUARD_BYTES: Final = 32 << 20
"""Inaccessible bytes behind that: static offsets of at least this are added to the address and checked by code. Address space is all
that they cost, and arrays of C programs lie at static offsets of megabytes."""

TRAP_CODES: Final = (
    "unreachable",
    "integer divide by zero",
    "integer overflow",
    "invalid conversion to integer",
    "out of bounds memory access",
    "out of bounds table access",
    "undefined element",
    "uninitialized element",
    "indirect call type mismatch",
    "call stack exhausted",
    "null reference",
    "null function reference",
    "cast failure",
    "all fuel consumed",
    "unaligned atomic",
    "null exception reference",
    "allocation size too large",
    "null structure reference",
    "null array reference",
    "null i31 reference",
    "out of bounds array access",
)
"""Words of `traps` by number."""
TRAP_NUMBER: Final = {code: number for number, code in enumerate(TRAP_CODES)}


@final
class ContextLayout:
    """Offsets of one module's context: the fixed part, then memories, tables and tags by pointer, own globals inline.

    - memory i (i >= 1): pair (base, bytes) at `memory(i)`; the pairs of imported memories are kept up to date by the engine;
    - table i: a pointer at `table(i)` to the table's pair, since tables are shared and grow;
    - tag i: a pointer at `tag(i)` to its records;
    - type i: where `has_inline_types`, the address of its record at `type(i)`; such modules compare types often;
    - global i: `global_cell(i)`; where `global_is_indirect(i)`, that place holds the address of the cell instead.

    `declared`: the defined functions that have records, in the order of these.
    """

    __slots__ = ("_globals", "_indirect", "_memories", "_positions", "_tables", "_tags", "_types", "declared", "has_inline_types", "size")

    def __init__(self, module: WasmModule) -> None:
        self._memories = FIXED_BYTES
        self._tables = self._memories + PAIR_BYTES * max(len(module.memory_types) - 1, 0)
        self._tags = self._tables + 8 * len(module.table_types)
        self._types = end = self._tags + 8 * len(module.tag_types)
        self.has_inline_types = not all(deftype.final and isinstance(deftype.composite, FuncType) for deftype in module.types)
        """The module has types with subtypes, or structures or arrays."""
        if self.has_inline_types:
            end += 8 * len(module.types)
        self._globals = (end + 15) & ~15
        exported = {export.index for export in module.exports if export.kind == 3}
        self._indirect = frozenset(range(module.imported_globals)) | frozenset(exported)
        self.size = self._globals + GLOBAL_BYTES * len(module.global_types)
        first = module.imported_functions
        self.declared = [index for index in declared_functions(module) if index >= first]
        self._positions = dict(zip(self.declared, range(first, first + len(self.declared)), strict=True))

    def memory(self, index: int) -> int:
        """Offset of the (base, bytes) pair of a memory; memory 0 has the first two fields of the context."""
        return MEMORY0_BASE if index == 0 else self._memories + PAIR_BYTES * (index - 1)

    def record(self, index: int) -> int:
        """Position in the table of record addresses of a function that is imported or declared."""
        return self._positions.get(index, index)

    def has_record(self, index: int) -> bool:
        """True for defined functions that are declared."""
        return index in self._positions

    def table(self, index: int) -> int:
        """Offset of the address of a table's (elements, size) pair."""
        return self._tables + 8 * index

    def type(self, index: int) -> int:
        """Offset of the address of a type's record."""
        return self._types + 8 * index

    def tag(self, index: int) -> int:
        """Offset of the address of a tag's records."""
        return self._tags + 8 * index

    def global_cell(self, index: int) -> int:
        """Offset of a global's 16 bytes; of the address of its cell where it is indirect."""
        return self._globals + GLOBAL_BYTES * index

    def global_is_indirect(self, index: int) -> bool:
        """True where the cell lies elsewhere: imported and exported globals."""
        return index in self._indirect
