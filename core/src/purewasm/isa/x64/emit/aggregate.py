"""Structures and arrays: allocation, filling, the check of an index; `fields` has the accesses.

Allocation takes the next bytes of the heap; where there are not enough, the builtin `gc_allocate` is called, out of line. It has its size
and gives its address in rax, and keeps every other register, so it is no call to the register allocator. References are in
registers and slots with their tag; what is computed from one does not outlive its instruction.
"""

from __future__ import annotations

from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.ir.builtins import GC_ALLOCATE
from purewasm.isa.x64 import control, integer, memory, xmm_moves
from purewasm.isa.x64.conditions import CC_A, CC_AE, CC_B, CC_BE, CC_E, CC_NE
from purewasm.isa.x64.emit.memory import STORE_LANE
from purewasm.isa.x64.emit.state import (
    BYTE,
    JCC8,
    LOAD64,
    LOAD_F64,
    MOV,
    MOVQ_GPR,
    STORE64,
    STORE_IMM32,
    STORE_V128,
    XMM15,
    XORPS,
    at,
    pack32,
)
from purewasm.isa.x64.registers import RAX, RDX, RSP
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout
from purewasm.traps import NULL_ARRAY, OUT_OF_BOUNDS_ARRAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

_NULL_ARRAY: Final = layout.TRAP_NUMBER[NULL_ARRAY]
_OUT_OF_BOUNDS: Final = layout.TRAP_NUMBER[OUT_OF_BOUNDS_ARRAY]
_ELEMENTS: Final = layout.ARRAY_ELEMENTS - layout.OBJECT_TAG
_LENGTH: Final = layout.ARRAY_LENGTH - layout.OBJECT_TAG
_ADD: Final = integer.ADD_R64_RM64.regs
_ADD_MEMORY: Final = integer.ADD_R64_RM64.based
_ADD_IMM8: Final = integer.ADD_RM64_IMM8.regs
_ADD_IMM32: Final = integer.ADD_RM64_IMM32.regs
_SUB_IMM8: Final = integer.SUB_RM64_IMM8.regs
_AND_IMM8: Final = integer.AND_RM64_IMM8.regs
_SHL: Final = integer.SHL_RM64_IMM8.regs
_CMP_MEMORY: Final = integer.CMP_R64_RM64.based
_CMP32_MEMORY: Final = integer.CMP_RM32_R32.based
_CMP32_IMM32: Final = integer.CMP_RM32_IMM32.based
_CMP32_IMM8: Final = integer.CMP_RM32_IMM8.based
_TEST8: Final = integer.TEST_RM8_IMM8.regs
_LEA: Final = memory.LEA_R64_M.based
_MOV32: Final = memory.MOV_R32_RM32.regs
_LOAD32: Final = memory.MOV_R32_RM32.based
_STORE32: Final = memory.MOV_RM32_R32.based
_STORE32_IMM: Final = memory.MOV_RM32_IMM32.based
_STORE_V128_AT: Final = xmm_moves.VMOVUPS_XM128_XMM.paired(1)
_CALL: Final = control.CALL_RM64.based
_CLEARED_INLINE_BYTES: Final = 256
_LARGEST_INLINE: Final = 1 << 30
"""Sizes from here on are no displacements."""


def array_check(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """Compare the length with an index. A null has its length where nothing is."""
    code = e.code
    index = e.place[b] if b >= 0 else SLOT
    array = e.integer(a, RAX)
    if b < 0:
        constant = int(e.constants[~b])
        e.traps.append((len(code), _NULL_ARRAY, e.marks[value]))
        if constant < 128:
            code += at(_CMP32_IMM8[array], _LENGTH) + BYTE[constant]
        else:
            code += at(_CMP32_IMM32[array], _LENGTH) + constant.to_bytes(4, "little")
        e.trap_if(CC_BE, _OUT_OF_BOUNDS, e.marks[value])
    elif index < SLOT:
        e.traps.append((len(code), _NULL_ARRAY, e.marks[value]))
        code += at(_CMP32_MEMORY[index][array], _LENGTH)
        e.trap_if(CC_BE, _OUT_OF_BOUNDS, e.marks[value])
    else:
        e.traps.append((len(code), _NULL_ARRAY, e.marks[value]))
        code += at(_LOAD32[RAX][array], _LENGTH) + e.slot(integer.CMP_R32_RM32.based[RAX][RSP], index)
        e.trap_if(CC_BE, _OUT_OF_BOUNDS, e.marks[value])


# -- allocation


def _call_allocate(e: Emitter, value: int) -> None:
    """Bytes in rax, then the address."""
    e.code += at(LOAD64[RDX][CONTEXT], layout.BUILTINS) + at(_CALL[RDX], 8 * GC_ALLOCATE)
    e.call_site(value)


def _store_type(e: Emitter, base: int, offset: int, type_index: int) -> None:
    e.code += at(LOAD64[RDX][CONTEXT], e.layout.type(type_index)) + at(STORE64[RDX][base], offset + layout.OBJECT_TYPE)


def struct_new(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """The register has the end of the object first, the tagged address then."""
    type_index, size, clear = imm
    code = e.code
    register = e.integer_result(value)
    _take(e, value, register, size)
    _store_type(e, register, -size, type_index)
    if clear:
        _clear(e, register, -size + layout.STRUCT_FIELDS, size - layout.STRUCT_FIELDS)
    code += at(_LEA[register][register], layout.OBJECT_TAG - size)
    e.store_integer(value, register)


def _take(e: Emitter, value: int, register: int, size: int) -> None:
    """The end of `size` new bytes in the register."""
    code = e.code
    code += at(LOAD64[RDX][CONTEXT], layout.HEAP) + at(LOAD64[register][RDX], layout.HEAP_FREE)
    code += _ADD_IMM8[register] + BYTE[size] if size < 128 else _ADD_IMM32[register] + pack32(size)
    code += at(_CMP_MEMORY[register][RDX], layout.HEAP_LIMIT)
    full, back = e.new_label(), e.new_label()
    e.jump_if(CC_A, full)
    code += at(STORE64[register][RDX], layout.HEAP_FREE)
    e.bind(back)

    def allocate() -> None:
        e.bind(full)
        e.move_constant(RAX, size)
        _call_allocate(e, value)
        e.code += at(_LEA[register][RAX], size)
        e.jump(back)

    e.cold.append(allocate)


def _clear(e: Emitter, base: int, offset: int, size: int) -> None:
    """Zeros up to a multiple of 16, from 8 behind one."""
    code = e.code
    code += at(STORE_IMM32[base], offset) + pack32(0)
    offset, size = offset + 8, size - 8
    if not size:
        return
    code += XORPS[XMM15][XMM15][XMM15]
    if size <= _CLEARED_INLINE_BYTES:
        for here in range(offset, offset + size, 16):
            code += at(STORE_V128[XMM15][base], here)
    else:
        e.move_constant(RDX, size)
        _fill_down(e, base, offset, XMM15)


def _fill_down(e: Emitter, base: int, offset: int, pattern: int) -> None:
    """Store 16 bytes again and again from base + offset + rdx down; rdx is a multiple of 16, not 0."""
    code = e.code
    turn = e.new_label()
    e.bind(turn)
    code += at(_STORE_V128_AT[pattern][base][RDX], offset - 16) + _SUB_IMM8[RDX] + BYTE[16]
    e.jump_if(CC_NE, turn)


def array_new(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    type_index, shift = imm
    if a < 0:
        _array_new_constant(e, value, int(e.constants[~a]), b, type_index, shift)
        return
    code = e.code
    length = e.place[a]
    target = e.integer_result(value)
    base = target if target != length else RAX
    _put_size(e, a, RAX, shift, layout.ARRAY_ELEMENTS)
    code += at(LOAD64[RDX][CONTEXT], layout.HEAP) + at(_ADD_MEMORY[RAX][RDX], layout.HEAP_FREE)
    code += at(_CMP_MEMORY[RAX][RDX], layout.HEAP_LIMIT)
    full, back = e.new_label(), e.new_label()
    e.jump_if(CC_A, full)
    if base != RAX:
        code += at(LOAD64[base][RDX], layout.HEAP_FREE) + at(STORE64[RAX][RDX], layout.HEAP_FREE)
    else:
        code += at(LOAD_F64[XMM15][RDX], layout.HEAP_FREE) + at(STORE64[RAX][RDX], layout.HEAP_FREE) + MOVQ_GPR[RAX][XMM15]
    e.bind(back)
    _store_type(e, base, 0, type_index)
    held = length
    if length >= SLOT:
        code += e.slot(_LOAD32[RDX][RSP], length)
        held = RDX
    code += at(_STORE32[held][base], layout.ARRAY_LENGTH)
    if b != ops.NO:
        pattern = e.vector(b, XMM15)
        _put_size(e, a, RDX, shift, 0)
        over = e.short_jump(JCC8[CC_E])
        _fill_down(e, base, layout.ARRAY_ELEMENTS, pattern)
        e.land(over)
    code += at(_LEA[target][base], layout.OBJECT_TAG)
    e.store_integer(value, target)

    def allocate() -> None:
        e.bind(full)
        _put_size(e, a, RAX, shift, layout.ARRAY_ELEMENTS)
        _call_allocate(e, value)
        if base != RAX:
            e.code += MOV[base][RAX]
        e.jump(back)

    e.cold.append(allocate)


def _put_size(e: Emitter, length: int, register: int, shift: int, more: int) -> None:
    """Bytes of the elements, as a multiple of 16, and some more, which are one too; flags: equal if there are none."""
    code = e.code
    place = e.place[length]
    code += _MOV32[register][place] if place < SLOT else e.slot(_LOAD32[register][RSP], place)
    if shift:
        code += _SHL[register] + BYTE[shift]
    code += _ADD_IMM8[register] + BYTE[more + 15] + _AND_IMM8[register] + BYTE[-16]


def _array_new_constant(e: Emitter, value: int, length: int, pattern: int, type_index: int, shift: int) -> None:
    payload = (length << shift) + 15 & -16
    size = layout.ARRAY_ELEMENTS + payload
    code = e.code
    register = e.integer_result(value)
    offset = -size
    if size >= _LARGEST_INLINE:
        e.move_constant(RAX, size)
        _call_allocate(e, value)
        if register != RAX:
            code += MOV[register][RAX]
        offset = 0
    else:
        _take(e, value, register, size)
    _store_type(e, register, offset, type_index)
    code += at(_STORE32_IMM[register], offset + layout.ARRAY_LENGTH) + length.to_bytes(4, "little")
    if pattern != ops.NO and payload:
        held = e.vector(pattern, XMM15)
        first = offset + layout.ARRAY_ELEMENTS
        if payload <= _CLEARED_INLINE_BYTES:
            for here in range(first, first + payload, 16):
                code += at(STORE_V128[held][register], here)
        else:
            e.move_constant(RDX, payload)
            _fill_down(e, register, first, held)
    code += at(_LEA[register][register], offset + layout.OBJECT_TAG)
    e.store_integer(value, register)


# -- many elements


def array_fill(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """16 bytes at a time, then what is left."""
    (start, count), shift = imm
    code = e.code
    if start < 0 and not e.constants[~start]:
        e.integer_into(RDX, a)
    else:
        e.integer_into(RDX, start)
        if shift:
            code += _SHL[RDX] + BYTE[shift]
        array = e.place[a] if a >= 0 else SLOT
        code += _ADD[RDX][array] if array < SLOT else e.slot(_ADD_MEMORY[RDX][RSP], array)
    e.integer_into(RAX, count)
    if shift:
        code += _SHL[RAX] + BYTE[shift]
    pattern = e.vector(b, XMM15)
    turn = e.new_label()
    code += _SUB_IMM8[RAX] + BYTE[16]
    over = e.short_jump(JCC8[CC_B])
    e.bind(turn)
    code += at(STORE_V128[pattern][RDX], _ELEMENTS) + _ADD_IMM8[RDX] + BYTE[16] + _SUB_IMM8[RAX] + BYTE[16]
    e.jump_if(CC_AE, turn)
    e.land(over)
    for size, row, immediate in _RESTS[: 4 - shift] if shift < 4 else ():
        code += _TEST8[RAX] + BYTE[size]
        skip = e.short_jump(JCC8[CC_E])
        code += at(row.based[pattern][RDX], _ELEMENTS) + immediate + _ADD_IMM8[RDX] + BYTE[size]
        e.land(skip)


# The lowest four bits of the count are the same when 16 has been subtracted once too often.
_RESTS: Final[tuple[tuple[int, Any, bytes], ...]] = (
    (8, xmm_moves.VMOVQ_RM64_XMM, b""), (4, xmm_moves.VMOVD_RM32_XMM, b""), (2, *STORE_LANE[0x3B]), (1, *STORE_LANE[0x3A]),
)  # fmt: skip

EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    ops.ARRAY_CHECK: array_check,
    ops.STRUCT_NEW: struct_new, ops.ARRAY_NEW: array_new, ops.ARRAY_FILL: array_fill,
}  # fmt: skip
