"""Value types, storage types and heap types as plain ints (spec: structure, types).

Number and vector types are their binary codes. A reference type packs its heap type and nullability into one int above
`REF_BASE`, so that a type is compared, hashed and put in a tuple as fast as any int. A heap type is negative for an abstract
one (the s33 number of the binary format) and the id of a `deftypes.DefType` otherwise: ids are given out per process to
canonical types (equal types have equal ids), so two modules agree on them and type equality is int equality everywhere.
"""

from __future__ import annotations

from purewasm.light_typing import Final

I32: Final = 0x7F
I64: Final = 0x7E
F32: Final = 0x7D
F64: Final = 0x7C
V128: Final = 0x7B
I8: Final = 0x78  # storage types of fields, never on the operand stack
I16: Final = 0x77
BOTTOM: Final = 0  # what the stack of unreachable code holds; never in a module

# abstract heap types: the signed LEB number of the binary format
NOEXN: Final = -0x0C
NOFUNC: Final = -0x0D
NOEXTERN: Final = -0x0E
NONE: Final = -0x0F
FUNC: Final = -0x10
EXTERN: Final = -0x11
ANY: Final = -0x12
EQ: Final = -0x13
I31: Final = -0x14
STRUCT: Final = -0x15
ARRAY: Final = -0x16
EXN: Final = -0x17

BOTTOM_HEAP: Final = -0x40  # below every heap type; like BOTTOM only on the stack of unreachable code

REF_BASE: Final = 0x100
_BIAS: Final = 0x40  # makes every heap number non-negative


def ref_type(heap: int, nullable: bool) -> int:
    """The reference type `(ref null? heap)`."""
    return REF_BASE + ((heap + _BIAS) << 1 | nullable)


def is_ref(valtype: int) -> bool:
    return valtype >= REF_BASE


def heap_of(reftype: int) -> int:
    """Heap type of a reference type."""
    return ((reftype - REF_BASE) >> 1) - _BIAS


def is_nullable(reftype: int) -> bool:
    return bool(reftype & 1)


def is_defaultable(valtype: int) -> bool:
    """True where a local of this type starts with a value (zero or null)."""
    return valtype < REF_BASE or bool(valtype & 1)


BOTTOM_REF: Final = ref_type(BOTTOM_HEAP, False)
FUNCREF: Final = ref_type(FUNC, True)
EXTERNREF: Final = ref_type(EXTERN, True)
ANYREF: Final = ref_type(ANY, True)
EQREF: Final = ref_type(EQ, True)
I31REF: Final = ref_type(I31, True)
STRUCTREF: Final = ref_type(STRUCT, True)
ARRAYREF: Final = ref_type(ARRAY, True)
EXNREF: Final = ref_type(EXN, True)
NULLREF: Final = ref_type(NONE, True)
NULLFUNCREF: Final = ref_type(NOFUNC, True)
NULLEXTERNREF: Final = ref_type(NOEXTERN, True)
NULLEXNREF: Final = ref_type(NOEXN, True)

HEAP_NAMES: Final = {
    NOEXN: "noexn", NOFUNC: "nofunc", NOEXTERN: "noextern", NONE: "none", FUNC: "func", EXTERN: "extern", ANY: "any",
    EQ: "eq", I31: "i31", STRUCT: "struct", ARRAY: "array", EXN: "exn",
}  # fmt: skip
HEAP_BY_NAME: Final = {name: heap for heap, name in HEAP_NAMES.items()}

# the short names of nullable abstract references, in the text format and in messages
SHORT_NAMES: Final = {
    FUNCREF: "funcref", EXTERNREF: "externref", ANYREF: "anyref", EQREF: "eqref", I31REF: "i31ref", STRUCTREF: "structref",
    ARRAYREF: "arrayref", EXNREF: "exnref", NULLREF: "nullref", NULLFUNCREF: "nullfuncref", NULLEXTERNREF: "nullexternref",
    NULLEXNREF: "nullexnref",
}  # fmt: skip
NUMBER_NAMES: Final = {I32: "i32", I64: "i64", F32: "f32", F64: "f64", V128: "v128"}
STORAGE_NAMES: Final = {I8: "i8", I16: "i16"}
VALTYPE_BY_NAME: Final = {name: code for table in (NUMBER_NAMES, SHORT_NAMES) for code, name in table.items()}
BITS: Final = {I32: 32, I64: 64, F32: 32, F64: 64, V128: 128, I8: 8, I16: 16}


def format_heap(heap: int) -> str:
    """Text of a heap type; a concrete one is shown by its process-wide id."""
    return HEAP_NAMES.get(heap) or ("bot" if heap == BOTTOM_HEAP else f"type#{heap}")


def format_type(valtype: int) -> str:
    """Text of a value or storage type, as the text format writes it."""
    if valtype >= REF_BASE:
        short = SHORT_NAMES.get(valtype)
        return short or f"(ref {'null ' if valtype & 1 else ''}{format_heap(heap_of(valtype))})"
    return NUMBER_NAMES.get(valtype) or STORAGE_NAMES.get(valtype) or ("bot" if valtype == BOTTOM else f"0x{valtype:x}")


def format_types(valtypes: tuple[int, ...] | list[int]) -> str:
    """Text of a sequence of types: `[i32 i64]`."""
    return f"[{' '.join(map(format_type, valtypes))}]"
