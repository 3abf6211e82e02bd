"""Code that makes Python objects of machine values and machine values of Python objects.

A machine value in memory takes 16 bytes: an i32 zero-extended to 64 bits, an i64, the bits of an f32 or f64, 16 bytes of a vector, a
reference's word. Unboxing handles what is usual; for anything else it jumps to a label and has changed nothing.
"""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_A, CC_AE, CC_E, CC_NE
from purewasm.isa.x64.integer import (
    ADD_R64_RM64,
    AND_RM32_IMM32,
    CMP_R64_RM64,
    CMP_RM32_IMM8,
    CMP_RM64_IMM8,
    IMUL_R64_RM64,
    TEST_RM32_IMM32,
    TEST_RM64_R64,
)  # fmt: skip
from purewasm.isa.x64.memory import LEA_R64_M, MOV_R32_RM32, MOVSXD
from purewasm.isa.x64.registers import RAX, RCX, RDI, RDX, RSI, RSP
from purewasm.isa.x64.xmm_moves import (
    MOVDQU_XM128_XMM,
    MOVDQU_XMM_XM128,
    MOVSD_M64_XMM,
    MOVSD_XMM_M64,
)
from purewasm.light_typing import Final
from purewasm.store import layout
from purewasm.wasm import valtypes as vt

OB_TYPE: Final = 8
FLOAT_VALUE: Final = 16
BYTES_SIZE: Final = 16
BYTES_DATA: Final = 32
TUPLE_ITEMS: Final = 24


def _digit_layout() -> int:
    """How small ints lie in memory: 1 as up to CPython 3.11 (a signed size), 2 as from 3.12 (a tag), 0 for something else."""
    probes = (0, 1, -1, 12345, -12345, (1 << 30) - 1, 1 - (1 << 30))

    def signed(value: int) -> int:
        return value - ((value & 1 << 63) << 1)

    def size(number: int) -> int:
        return signed(libc.read_word(id(number) + 16))

    def digit(number: int) -> int:
        return libc.read_word(id(number) + 24) & 0xFFFF_FFFF

    if all(size(n) in (-1, 0, 1) and size(n) * digit(n) == n for n in probes if n) and size(0) == 0 and size(1 << 30) == 2:
        return 1
    if all(0 <= size(n) < 16 and (1 - (size(n) & 3)) * digit(n) == n for n in probes) and size(1 << 30) >= 16:
        return 2
    return 0


_DIGITS: Final = _digit_layout()
_INT: Final = id(int)
_FLOAT: Final = id(float)
_BYTES: Final = id(bytes)
_NONE: Final = id(None)


def check_type(a: Assembler, register: int, type_address: int, other: str) -> None:
    """Jump to `other` unless the object is exactly of the type. Uses rax."""
    a.constant(RAX, type_address)
    a.put(CMP_R64_RM64(RAX, Mem(register, OB_TYPE)))
    a.jump_if(CC_NE, other)


def unbox(a: Assembler, valtype: int, slot: int, scratch: int, other: str, unique: str) -> None:
    """The object in rdi into the slot at rsp + `slot`; `scratch` is room for 8 bytes, `unique` makes labels."""
    if valtype == vt.F64 or valtype == vt.F32:
        check_type(a, RDI, _FLOAT, other)
        a.put(MOVSD_XMM_M64(0, Mem(RDI, FLOAT_VALUE)))
        if valtype == vt.F64:
            a.put(MOVSD_M64_XMM(Mem(RSP, slot), 0))
        else:
            from purewasm.engine.native.boxing_f32 import unbox_f32  # with what it takes for a NaN

            unbox_f32(a, slot, unique)
    elif valtype == vt.V128:
        check_type(a, RDI, _BYTES, other)
        a.put(CMP_RM64_IMM8(Mem(RDI, BYTES_SIZE), 16))
        a.jump_if(CC_NE, other)
        a.put(MOVDQU_XMM_XM128(0, Mem(RDI, BYTES_DATA)), MOVDQU_XM128_XMM(Mem(RSP, slot), 0))
    else:
        check_type(a, RDI, _INT, other)
        _unbox_int(a, valtype == vt.I32, slot, scratch, other, unique)


def _unbox_int(a: Assembler, narrow: bool, slot: int, scratch: int, other: str, unique: str) -> None:
    if _DIGITS:
        a.load(RCX, RDI, 16)
        a.put(MOV_R32_RM32(RAX, Mem(RDI, 24)))
        if _DIGITS == 1:
            a.put(LEA_R64_M(RDX, Mem(RCX, 1)), CMP_RM64_IMM8(RDX, 2))
            a.jump_if(CC_A, f"{unique}large")
            a.put(IMUL_R64_RM64(RAX, RCX))
        else:
            a.put(CMP_RM64_IMM8(RCX, 16))
            a.jump_if(CC_AE, f"{unique}large")
            a.constant(RDX, 1)
            a.put(AND_RM32_IMM32(RCX, 3))
            a.put(bytes((0x48, 0x29, 0xCA)), IMUL_R64_RM64(RAX, RDX))  # sub rdx, rcx
        a.jump(f"{unique}done")
        a.label(f"{unique}large")
    a.lea(RSI, RSP, scratch)
    a.call(libc.api_address("PyLong_AsLongLongAndOverflow"))
    a.put(CMP_RM32_IMM8(Mem(RSP, scratch), 0))
    a.jump_if(CC_NE, other)
    if narrow:
        a.constant(RCX, 0x8000_0000)
        a.put(ADD_R64_RM64(RCX, RAX))
        a.constant(RDX, 0x1_8000_0000)
        a.put(CMP_R64_RM64(RCX, RDX))
        a.jump_if(CC_AE, other)
    a.label(f"{unique}done")
    if narrow:
        a.put(MOV_R32_RM32(RAX, RAX))
    a.store(RSP, slot, RAX)


def box(a: Assembler, valtype: int, slot: int, maker: int, unique: str) -> None:
    """A new reference to the public value of the slot at rsp + `slot` in rax, 0 if that failed.

    `maker`: address of a Python callable that makes the Function of a record, or what Python has of an object of the heap.
    """
    if valtype == vt.I32:
        a.put(MOVSXD(RDI, Mem(RSP, slot)))
        a.call(libc.api_address("PyLong_FromLong"))
    elif valtype == vt.I64:
        a.load(RDI, RSP, slot)
        a.call(libc.api_address("PyLong_FromLongLong"))
    elif valtype == vt.F64:
        a.put(MOVSD_XMM_M64(0, Mem(RSP, slot)))
        a.call(libc.api_address("PyFloat_FromDouble"))
    elif valtype == vt.F32:
        from purewasm.engine.native.boxing_f32 import box_f32

        box_f32(a, slot, unique)
    elif valtype == vt.V128:
        a.lea(RDI, RSP, slot)
        a.constant(RSI, 16)
        a.call(libc.api_address("PyBytes_FromStringAndSize"))
    else:
        _box_reference(a, valtype, slot, maker, unique)


def _box_reference(a: Assembler, valtype: int, slot: int, maker: int, unique: str) -> None:
    a.load(RDI, RSP, slot)
    a.constant(RAX, _NONE)
    a.put(TEST_RM64_R64(RDI, RDI))
    a.jump_if(CC_E, f"{unique}new")
    a.move(RAX, RDI)
    if maker:
        if valtype == vt.FUNCREF:
            a.load(RAX, RDI, layout.RECORD_FUNCTION)
            a.put(TEST_RM64_R64(RAX, RAX))
            a.jump_if(CC_NE, f"{unique}new")
        else:
            a.put(TEST_RM32_IMM32(RDI, layout.OBJECT_TAG | layout.I31_TAG))
            a.jump_if(CC_E, f"{unique}new")
        a.call(libc.api_address("PyLong_FromLongLong"))
        a.store(RSP, slot, RAX)
        a.constant(RDI, maker)
        a.lea(RSI, RSP, slot)
        a.constant(RDX, 1)
        a.constant(RCX, 0)
        a.call(libc.api_address("PyObject_Vectorcall"))
        a.load(RDI, RSP, slot)
        a.store(RSP, slot, RAX)
        a.call(libc.api_address("Py_DecRef"))
        a.load(RAX, RSP, slot)
        a.jump(f"{unique}end")
    a.label(f"{unique}new")
    a.store(RSP, slot, RAX)
    a.move(RDI, RAX)
    a.call(libc.api_address("Py_IncRef"))
    a.load(RAX, RSP, slot)
    a.label(f"{unique}end")
