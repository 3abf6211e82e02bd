"""The instruction set of the IR, as numbers and tables that are indexed by them.

An instruction is a tuple `(op, a, b, imm)` in the function's list; the value that it makes, if any, is named by its index there. Operands
`a` and `b` are value ids (`>= 0`), constants (`~index` into the function's list of constants, so negative) or `NO`.

Numbers below 0x100 are WebAssembly's own one-byte opcodes and mean what the specification says; 0x180 + n stands for the opcode
`0xFC n`, 0x200 + n for the vector opcode `0xFD n`, 0x320 + n for the atomic one `0xFE n` (with the end of the access as its address).
Everything from 0x100 up to 0x17F is the IR's. There an operation whose result (or, for stores, operand) can be of any class comes as four
numbers, `X + class`; `op & 3` is the class.

Compares are one operation for each operand type, with the condition as the immediate: an x86-like number whose lowest bit
negates (the numbers are those of `isa.x64.conditions`, which arm64 maps by a table), and two of our own for equal floats.
"""

from __future__ import annotations

from purewasm.ir.classes import CLASS_OF_TYPE as CLASS_OF_TYPE
from purewasm.ir.classes import FLT as FLT
from purewasm.ir.classes import INT as INT
from purewasm.ir.classes import VEC as VEC
from purewasm.ir.classes import VOID as VOID
from purewasm.light_typing import Final
from purewasm.wasm import opcodes

# Operands that are neither a value nor a constant.
NO: Final = -(1 << 40)
MEM: Final = -(1 << 41)  # the operand is in memory: the immediate says where (`passes.load_folding`)

CLASS_NAMES: Final = ("", "i", "f", "v")

# -- blocks and branches. An edge is a list of (parameter, argument) pairs, filled in while the function is built
LABEL: Final = 0x100  # imm: label; may be reached by a jump or from above
LOOP: Final = 0x101  # imm: label; head of a loop
ENDLOOP: Final = 0x102  # end of the loop's instructions: values used in it live until here
BR: Final = 0x103  # imm: (edge, label)
BR_IF: Final = 0x104  # compare a, b; imm: (condition, kind of compare, edge, label)
BR_TABLE: Final = 0x105  # a: index; imm: ((edge, label), …), the default last
RETURN: Final = 0x106  # imm: values, the pointer to further results last if there are several
TRAP: Final = 0x107  # imm: trap code
TRAP_IF: Final = 0x108  # as BR_IF; imm: (condition, kind, trap code)
FUEL: Final = 0x109  # imm: cost
CHECK: Final = 0x10A  # a: index, imm: (memory, offset, bytes); traps, or gives the address of the end of the access: INT
LEA: Final = 0x10B  # a + (b << imm), 32 bits wide
CMP32: Final = 0x10C  # 0 or 1; imm: condition
CMP64: Final = 0x10D
FCMP32: Final = 0x10E
FCMP64: Final = 0x10F
PARAM: Final = 0x110  # + class; block parameter; imm: list of the arguments of every edge
ARG: Final = 0x114  # + class; imm: place (see `backend.placement`)
CALL: Final = 0x118  # + class; imm: (args, function, signature); a direct call
CALL_IMPORT: Final = 0x11C  # + class; imm: (args, function, signature)
CALL_REF: Final = 0x120  # + class; a: function record; imm: (args, type index or -1, signature); null traps
CALL_INDIRECT: Final = 0x124  # + class; a: index; imm: (args, (type, table), signature)
BUILTIN: Final = 0x128  # + class; imm: (args, builtin, signature)
RESULT: Final = 0x12C  # + class; a: call; imm: number of the result (1 and up)
SELECT: Final = 0x130  # + class; a if condition else b; imm: (condition, kind, x, y)
GLOBAL_GET: Final = 0x134  # + class; imm: global
GLOBAL_SET: Final = 0x138  # + class; a; imm: global
TAIL_CALL: Final = 0x13C  # imm: (args, function, signature)
TAIL_CALL_IMPORT: Final = 0x13D
TAIL_CALL_REF: Final = 0x13E
TAIL_CALL_INDIRECT: Final = 0x13F
MEMORY_SIZE: Final = 0x140  # imm: (memory, log2 of the page size)
TABLE_SIZE: Final = 0x141  # imm: table
TABLE_GET: Final = 0x142  # a: index; imm: table
TABLE_SET: Final = 0x143  # a: index, b: reference; imm: table
REF_FUNC: Final = 0x144  # imm: function
ADD128_HIGH: Final = 0x145  # upper half; a, b: low halves; imm: (high of a, high of b)
SUB128_HIGH: Final = 0x146
MUL_HIGH_S: Final = 0x147  # upper 64 bits of the product
MUL_HIGH_U: Final = 0x148
CONTROL: Final = 0x149  # address of the control block
POLL: Final = 0x14A  # a: `control`, or none; at the head of a loop: lets an interruption in
BITSELECT: Final = 0x14B  # a: where the mask is 1, b: where it is 0; imm: mask
LOAD_LANE: Final = 0x14C  # a: address, b: vector; imm: (wasm opcode, offset, lane)
STORE_LANE: Final = 0x14D
MODIFY: Final = 0x14E  # a: operand, b: MEM; imm: (operation, store, address, offset, load); made by `passes.intervals`
ATOMIC_CHECK: Final = 0x14F  # as CHECK, but traps first where the access is not aligned

# -- structures, arrays and tests of references. A reference is the word of `store.layout`; offsets count from the word, tag included
OBJECT_GET: Final = 0x150  # + class; a: reference, b: index or none; imm: (load, offset, log2 of the index's scale, trap if null or -1)
OBJECT_SET: Final = 0x154  # a: reference, b: what to store; imm: ((index,) or (), store, offset, log2 of the scale, trap if null or -1)
STRUCT_NEW: Final = 0x155  # imm: (type, bytes, whether the fields are to be zero)
ARRAY_NEW: Final = 0x156  # a: length, b: 16 bytes of elements (VEC), or none: then they are written next; imm: (type, log2 of their size)
ARRAY_FILL: Final = 0x157  # a: reference, b: 16 bytes of elements (VEC); imm: ((first index, count), log2 of their size); unchecked
ARRAY_CHECK: Final = 0x158  # a: reference, b: index; traps if null or past the end
REF_TEST: Final = 0x159  # 0 or 1; a: reference, b: the constant that says the test (`TEST_…`); imm: condition, eq where it holds
REF_CAST: Final = 0x15A  # traps unless it holds; operands as REF_TEST

CALL_TAG: Final = 0x170  # + class; imm: (args, (tag, which of its functions), signature)
LANDING: Final = 0x174  # where what a call threw arrives: the exception; imm: the call
LANDING_TAG: Final = 0x175  # right behind it: the exception's tag; imm: the tags that may arrive here, -1 for all
TAG_WORD: Final = 0x176  # imm: tag

# Functions of a tag: throws an exception with the arguments; gives the values of an exception.
TAG_THROW: Final = 0
TAG_CATCH: Final = 1

FC_BASE: Final = 0x180
VECTOR_BASE: Final = 0x200
ATOMIC_BASE: Final = 0x320
OPS: Final = 0x370

NO_FALL_THROUGH: Final = (BR, BR_TABLE, RETURN, TRAP, TAIL_CALL, TAIL_CALL_IMPORT, TAIL_CALL_REF, TAIL_CALL_INDIRECT)
"""Control does not run on to what is behind these."""

# Kinds of compare in BR_IF, SELECT and TRAP_IF.
KIND_32: Final = 0
KIND_64: Final = 1
KIND_TEST32: Final = 2  # and, compared with zero
KIND_F64: Final = 3
KIND_F32: Final = 4
KIND_TEST64: Final = 5
KIND_ANY: Final = 6  # of a vector alone: whether any bit is set
KIND_REF: Final = 7  # test of a reference; the second operand is the constant that says which: equal where it holds

# Tests of references, as integers: what is asked, flags, and the type's index in the module from TEST_TYPE_SHIFT up.
TEST_WHAT: Final = 7
TEST_I31: Final = 0
TEST_STRUCT: Final = 1
TEST_ARRAY: Final = 2
TEST_EQ: Final = 3
TEST_OBJECT: Final = 4  # a structure or an array of the type, or of one below it
TEST_FUNCTION: Final = 5  # a function of the type, or of one below it
TEST_NULL: Final = 8  # holds of null too
TEST_NOT_NULL: Final = 16  # the operand is known to be no null
TEST_HEAP: Final = 32  # the operand is known to be a structure, an array or null
TEST_TYPE_SHIFT: Final = 8

# Conditions. `cc ^ 1` negates; after a compare of floats A and AE are false when unordered, FEQ and FNE are exact.
CC_B: Final = 2
CC_AE: Final = 3
CC_E: Final = 4
CC_NE: Final = 5
CC_BE: Final = 6
CC_A: Final = 7
CC_L: Final = 12
CC_GE: Final = 13
CC_LE: Final = 14
CC_G: Final = 15
CC_FEQ: Final = 16
CC_FNE: Final = 17
CONDITION_NAMES: Final = {
    CC_B: "lt_u", CC_AE: "ge_u", CC_E: "eq", CC_NE: "ne", CC_BE: "le_u", CC_A: "gt_u", CC_L: "lt_s", CC_GE: "ge_s",
    CC_LE: "le_s", CC_G: "gt_s", CC_FEQ: "feq", CC_FNE: "fne",
}  # fmt: skip
SWAPPED: Final = {
    CC_B: CC_A, CC_A: CC_B, CC_AE: CC_BE, CC_BE: CC_AE, CC_E: CC_E, CC_NE: CC_NE,
    CC_L: CC_G, CC_G: CC_L, CC_GE: CC_LE, CC_LE: CC_GE,
}  # fmt: skip
"""Condition of `b, a` that holds where the key holds of `a, b`."""

_TYPED: Final = {
    "param": PARAM, "arg": ARG, "call": CALL, "call_import": CALL_IMPORT, "call_ref": CALL_REF, "call_indirect": CALL_INDIRECT,
    "builtin": BUILTIN, "call_tag": CALL_TAG, "result": RESULT, "select": SELECT, "global_get": GLOBAL_GET, "global_set": GLOBAL_SET,
    "object_get": OBJECT_GET,
}  # fmt: skip
_PLAIN: Final = {
    "label": LABEL, "loop": LOOP, "endloop": ENDLOOP, "br": BR, "br_if": BR_IF, "br_table": BR_TABLE, "return": RETURN, "trap": TRAP,
    "trap_if": TRAP_IF, "fuel": FUEL, "atomic_check": ATOMIC_CHECK,
    "check": CHECK, "lea": LEA, "cmp32": CMP32, "cmp64": CMP64, "fcmp32": FCMP32, "fcmp64": FCMP64,
    "tail_call": TAIL_CALL, "tail_call_import": TAIL_CALL_IMPORT, "tail_call_ref": TAIL_CALL_REF,
    "tail_call_indirect": TAIL_CALL_INDIRECT, "memory_size": MEMORY_SIZE, "table_size": TABLE_SIZE, "table_get": TABLE_GET,
    "table_set": TABLE_SET, "ref_func": REF_FUNC, "add128_high": ADD128_HIGH,
    "sub128_high": SUB128_HIGH, "mul_high_s": MUL_HIGH_S, "mul_high_u": MUL_HIGH_U, "control": CONTROL, "poll": POLL,
    "bitselect": BITSELECT, "load_lane": LOAD_LANE, "store_lane": STORE_LANE, "modify": MODIFY,
    "landing": LANDING, "landing_tag": LANDING_TAG,
    "tag_word": TAG_WORD, "object_set": OBJECT_SET, "struct_new": STRUCT_NEW, "array_new": ARRAY_NEW, "array_fill": ARRAY_FILL,
    "array_check": ARRAY_CHECK, "ref_test": REF_TEST, "ref_cast": REF_CAST,
}  # fmt: skip
_GIVES_INT: Final = (
    CHECK, ATOMIC_CHECK, LEA, CMP32, CMP64, MEMORY_SIZE, TABLE_SIZE, TABLE_GET, REF_FUNC, FCMP32, FCMP64,
    ADD128_HIGH, SUB128_HIGH, MUL_HIGH_S, MUL_HIGH_U, CONTROL, LANDING, LANDING_TAG, TAG_WORD,
    STRUCT_NEW, ARRAY_NEW, REF_TEST,
)  # fmt: skip
_EFFECTS: Final = (
    LABEL, LOOP, ENDLOOP, BR, BR_IF, BR_TABLE, RETURN, TRAP, TRAP_IF, FUEL, CHECK, ATOMIC_CHECK, POLL, TAIL_CALL, TAIL_CALL_IMPORT,
    TAIL_CALL_REF, TAIL_CALL_INDIRECT, TABLE_GET, TABLE_SET, STORE_LANE, LOAD_LANE, MODIFY, LANDING, LANDING_TAG,
    OBJECT_SET, STRUCT_NEW, ARRAY_NEW, ARRAY_FILL, ARRAY_CHECK, REF_CAST,
    *(first + c for first in (CALL, CALL_IMPORT, CALL_REF, CALL_INDIRECT, CALL_TAG, BUILTIN, GLOBAL_SET, OBJECT_GET) for c in range(4)),
)  # fmt: skip
# Division traps on zero, truncation on what has no integer.
_TRAPPING_NUMERIC: Final = frozenset((*range(0x6D, 0x71), *range(0x7F, 0x83), *range(0xA8, 0xAC), *range(0xAE, 0xB2)))


_BASES: Final = {0xFC: FC_BASE, 0xFD: VECTOR_BASE, 0xFE: ATOMIC_BASE}


def number_of(code: int) -> int:
    """The IR's number of a WebAssembly opcode, for those that are IR operations as they are."""
    if code < 0x100:
        return code
    return _BASES[code >> opcodes.PREFIX_SHIFT] + (code & 0xFFF)


_CLASS_OF_LETTER: Final = {"i": INT, "I": INT, "m": INT, "f": FLT, "F": FLT, "V": VEC, ">": VOID}


def _add_wasm_operations() -> None:
    """WebAssembly's own, but those with several results and those that are not the same each time."""
    for family in ("numeric", "memory", "vector", "atomic"):
        is_atomic, is_memory = family == "atomic", family == "memory"
        for code, name, _, signature, _, _ in opcodes.FAMILIES[family]:
            result = signature[-1]
            if signature == "*" or (result != ">" and signature[-2] != ">"):
                continue
            number = code if code < 0x100 else _BASES[code >> opcodes.PREFIX_SHIFT] + (code & 0xFFF)
            NAMES[number], CLASS[number] = name, _CLASS_OF_LETTER[result]
            if is_atomic or (is_memory and result == ">"):
                EFFECT[number] = 1
    for number in _TRAPPING_NUMERIC:
        EFFECT[number] = 1


def _commutative_vectors() -> list[int]:
    """Those of integers: floats have the NaN of their first operand."""
    names = [f"v128.{name}" for name in ("and", "or", "xor")]
    for shape in ("i8x16", "i16x8", "i32x4", "i64x2"):
        names += [f"{shape}.{name}" for name in ("add", "eq", "min_s", "min_u", "max_s", "max_u", "add_sat_s", "add_sat_u", "avgr_u")]
    names += ["i16x8.mul", "i32x4.mul", "i32x4.dot_i16x8_s"]
    return [number_of(opcodes.CODE[name]) for name in names if name in opcodes.CODE]


NAMES: Final[list[str]] = [""] * OPS
CLASS: Final = bytearray(OPS)
"""Class of the result by number."""
EFFECT: Final = bytearray(OPS)
"""1 where an instruction does more than give its result: it stays though nobody uses that, and loads do not cross it."""
IS_CALL: Final = bytearray(OPS)
"""1 where caller-saved registers are lost."""
HAS_ARGS: Final = bytearray(OPS)
"""1 where `imm[0]` is a tuple of operands."""
COMMUTATIVE: Final = bytearray(OPS)
IS_LONG: Final = bytearray(OPS)
"""1 where no bound of the time is known: calls, and what fills memory."""

_add_wasm_operations()
for _name, _number in _PLAIN.items():
    NAMES[_number] = _name
for _name, _number in _TYPED.items():
    for _class in range(4):
        NAMES[_number + _class] = f"{_name}.{CLASS_NAMES[_class]}" if _class else _name
        CLASS[_number + _class] = _class if _number != GLOBAL_SET else VOID
for _number in _GIVES_INT:
    CLASS[_number] = INT
CLASS[BITSELECT] = CLASS[LOAD_LANE] = VEC
for _number in _EFFECTS:
    EFFECT[_number] = 1
for _first in (CALL, CALL_IMPORT, CALL_REF, CALL_INDIRECT, CALL_TAG, BUILTIN):
    for _class in range(4):
        IS_CALL[_first + _class] = HAS_ARGS[_first + _class] = IS_LONG[_first + _class] = 1
IS_LONG[ARRAY_NEW] = IS_LONG[ARRAY_FILL] = 1
for _number in (TAIL_CALL, TAIL_CALL_IMPORT, TAIL_CALL_REF, TAIL_CALL_INDIRECT, OBJECT_SET, ARRAY_FILL):
    HAS_ARGS[_number] = 1
for _number in (0x6A, 0x6C, 0x71, 0x72, 0x73, 0x7C, 0x7E, 0x83, 0x84, 0x85, *_commutative_vectors()):
    COMMUTATIVE[_number] = 1

COMPARE_EXCHANGES: Final = tuple(number_of(code) for code in range(0xFE048, 0xFE04F))
"""a: end of the access, b: what to store; imm: what must be there, an operand."""
LOADS: Final = frozenset((*range(0x28, 0x36), *range(VECTOR_BASE, VECTOR_BASE + 0xB), VECTOR_BASE + 0x5C, VECTOR_BASE + 0x5D))
STORES: Final = frozenset((*range(0x36, 0x3F), VECTOR_BASE + 0xB))

KEEP: Final = bytearray(EFFECT)
"""1 where an instruction stays though nobody uses its result: what has an effect, and loads, which may trap."""
for _number in LOADS:
    KEEP[_number] = 1
