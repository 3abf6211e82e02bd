"""Kinds of immediates, with what the binary format holds and what `binary.body` makes of it (the value engines see).

All integers are unsigned Python ints unless it says otherwise. A heap type is an int as in `valtypes`.
"""

from __future__ import annotations

from purewasm.light_typing import Final

NONE: Final = 0  # nothing; value None
BLOCK: Final = 1  # a block type; value (params, results), tuples of value types
LABEL: Final = 2  # label depth
LABELS: Final = 3  # br_table: vector of depths and a default; value: tuple of depths, the default last
FUNC: Final = 4  # function index
TYPE: Final = 5  # type index (value: the index, as the module numbers its types)
TYPE_TABLE: Final = 6  # call_indirect; value (type index, table index)
TABLE: Final = 7  # table index
TABLE_TABLE: Final = 8  # table.copy; value (destination, source)
ELEM_TABLE: Final = 9  # table.init; value (element segment, table)
ELEM: Final = 10  # element segment index
DATA: Final = 11  # data segment index
DATA_MEMORY: Final = 12  # memory.init; value (data segment, memory)
MEMORY: Final = 13  # memory index
MEMORY_MEMORY: Final = 14  # memory.copy; value (destination, source)
LOCAL: Final = 15  # local index
GLOBAL: Final = 16  # global index
MEMARG: Final = 17  # value (offset, memory index, log2 of alignment)
MEMARG_LANE: Final = 18  # value (offset, memory index, log2 of alignment, lane)
LANE: Final = 19  # a byte: lane index
LANES: Final = 20  # i8x16.shuffle; value 16 bytes
I32_CONST: Final = 21  # value unsigned, 0 … 2**32-1
I64_CONST: Final = 22  # value unsigned, 0 … 2**64-1
F32_CONST: Final = 23  # value: the 4 bytes, little endian
F64_CONST: Final = 24  # value: the 8 bytes, little endian
V128_CONST: Final = 25  # value: the 16 bytes
HEAP: Final = 26  # a heap type (ref.null, ref.test, ref.cast; nullability is the opcode's)
TYPES: Final = 27  # select t; value tuple of value types
TAG: Final = 28  # tag index
TRY_TABLE: Final = 29  # value (params, results, catches), a catch is (kind, tag index or -1, label depth); kinds below
CAST_LABEL: Final = 30  # br_on_cast…; value (label depth, source reference type, target reference type)
TYPE_FIELD: Final = 31  # value (type index, field index)
TYPE_COUNT: Final = 32  # array.new_fixed; value (type index, number of operands)
TYPE_DATA: Final = 33  # value (type index, data segment)
TYPE_ELEM: Final = 34  # value (type index, element segment)
TYPE_TYPE: Final = 35  # array.copy; value (destination type index, source type index)
ZERO_BYTE: Final = 36  # atomic.fence: one byte, 0; value None

KINDS: Final = 37

CATCH: Final = 0
CATCH_REF: Final = 1
CATCH_ALL: Final = 2
CATCH_ALL_REF: Final = 3
CATCH_NAMES: Final = ("catch", "catch_ref", "catch_all", "catch_all_ref")
