"""Calls: direct ones through the slot table, others through function records.

Arguments are moved first, all at once; the checks of an indirect call follow, in rax, r10 and r11, which no argument uses. A call that
may enter another instance changes the context and the memory base, and puts them back from the frame.
"""

from __future__ import annotations

from purewasm.backend.placement import place_arguments
from purewasm.backend.target import STACK_ARGUMENT
from purewasm.ir import ops
from purewasm.isa.x64 import integer, memory
from purewasm.isa.x64.conditions import CC_AE, CC_B, CC_E, CC_NE
from purewasm.isa.x64.emit.builtins import CALL_MEMORY, by_class, store_result
from purewasm.isa.x64.emit.moves import move_values
from purewasm.isa.x64.emit.state import LOAD64, LOAD_F64, LOAD_V128, MOV, STORE64, at
from purewasm.isa.x64.emit.table import CMP_MEMORY, ELEMENT
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS
from purewasm.isa.x64.registers import RAX, RSP
from purewasm.isa.x64.roles import CONTEXT, MEMORY, SECOND_REGISTER, TARGET_REGISTER
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout
from purewasm.traps import INDIRECT_CALL_TYPE, NULL_FUNCTION, UNDEFINED_ELEMENT, UNINITIALIZED_ELEMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.context import Signature
    from purewasm.isa.x64.emit.state import Emitter

_UNDEFINED: Final = layout.TRAP_NUMBER[UNDEFINED_ELEMENT]
_UNINITIALIZED: Final = layout.TRAP_NUMBER[UNINITIALIZED_ELEMENT]
_MISMATCH: Final = layout.TRAP_NUMBER[INDIRECT_CALL_TYPE]
_NULL: Final = layout.TRAP_NUMBER[NULL_FUNCTION]
_LEA: Final = memory.LEA_R64_M.based
_TEST: Final = integer.TEST_RM64_R64.regs
_CMP8_MEMORY: Final = integer.CMP_RM64_IMM8.based


def _arguments(e: Emitter, args: tuple[int, ...], signature: Signature, also: tuple[tuple[int, int], ...] = ()) -> int:
    """Put arguments where the convention has them, the pointer to further results last; the bytes of those on the stack."""
    classes, results = signature
    if len(results) > 1:
        places, stack_bytes = place_arguments(GUEST_ARGUMENTS, (*classes, ops.INT))
    else:
        places, stack_bytes = place_arguments(GUEST_ARGUMENTS, classes)
    move_values(e, [*zip(places, args, strict=False), *also])
    if len(results) > 1:
        area = places[-1]
        register = area if area < 16 else RAX
        e.code += at(_LEA[register][RSP], e.results_at)
        if area >= 16:
            e.code += at(STORE64[RAX][RSP], area - STACK_ARGUMENT)
    return stack_bytes


def _finish(e: Emitter, value: int, stack_bytes: int) -> None:
    """Behind a call instruction: its return address, stack arguments gone, the first result in its place."""
    e.call_site(value, stack_bytes)
    if stack_bytes:
        e.code += at(_LEA[RSP][RSP], -stack_bytes)


def call(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, function, signature = imm
    stack_bytes = _arguments(e, args, signature)
    e.code += at(LOAD64[RAX][CONTEXT], layout.SLOTS) + at(CALL_MEMORY[RAX], 8 * function)
    _finish(e, value, stack_bytes)
    store_result(e, value)


def _enter(e: Emitter, value: int, stack_bytes: int) -> None:
    """Call the record in rax, in its own context, and come back to ours."""
    _enter_instance(e, value, stack_bytes)
    store_result(e, value)


def _enter_instance(e: Emitter, value: int, stack_bytes: int) -> None:
    code = e.code
    code += at(LOAD64[CONTEXT][RAX], layout.RECORD_CONTEXT)
    code += at(LOAD64[MEMORY][CONTEXT], layout.MEMORY0_BASE)
    code += at(CALL_MEMORY[RAX], layout.RECORD_CODE)
    _finish(e, value, stack_bytes)
    code += at(LOAD64[CONTEXT][RSP], e.saved_context)
    code += at(LOAD64[MEMORY][CONTEXT], layout.MEMORY0_BASE)


def _enter_mostly_ours(e: Emitter, value: int, stack_bytes: int) -> None:
    """The same for a record that is this instance's own more often than not: another instance is entered out of line."""
    code = e.code
    code += at(CMP_MEMORY[CONTEXT][RAX], layout.RECORD_CONTEXT)
    other, back = e.new_label(), e.new_label()
    e.jump_if(CC_NE, other)
    code += at(CALL_MEMORY[RAX], layout.RECORD_CODE)
    _finish(e, value, stack_bytes)
    e.bind(back)
    store_result(e, value)

    def enter_other() -> None:
        e.bind(other)
        _enter_instance(e, value, stack_bytes)
        e.jump(back)

    e.cold.append(enter_other)


def call_import(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, function, signature = imm
    stack_bytes = _arguments(e, args, signature)
    e.code += at(LOAD64[RAX][CONTEXT], layout.RECORDS) + at(LOAD64[RAX][RAX], 8 * function)
    _enter(e, value, stack_bytes)


def call_tag(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, (tag, which), signature = imm
    stack_bytes = _arguments(e, args, signature)
    e.code += at(LOAD64[RAX][CONTEXT], e.layout.tag(tag))
    e.code += at(_LEA[RAX][RAX], layout.TAG_RECORDS + layout.RECORD_BYTES * which)
    _enter(e, value, stack_bytes)


def call_ref(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, _, signature = imm
    stack_bytes = _arguments(e, args, signature, ((TARGET_REGISTER, a),))
    record_from_reference(e, value)
    _enter_mostly_ours(e, value, stack_bytes)


def call_indirect(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, target, signature = imm
    stack_bytes = _arguments(e, args, signature, ((TARGET_REGISTER, a),))
    record_from_table(e, value, target)
    _enter_mostly_ours(e, value, stack_bytes)


def record_from_reference(e: Emitter, value: int) -> None:
    e.code += MOV[RAX][TARGET_REGISTER] + _TEST[RAX][RAX]
    e.trap_if(CC_E, _NULL, e.marks[value])


def record_from_table(e: Emitter, value: int, target: tuple[int, int]) -> None:
    """The record at index r11 of the table, checked, in rax."""
    type_index, table = target
    code, mark = e.code, e.marks[value]
    code += at(LOAD64[RAX][CONTEXT], e.layout.table(table))
    code += at(CMP_MEMORY[TARGET_REGISTER][RAX], layout.TABLE_SIZE)
    e.trap_if(CC_AE, _UNDEFINED, mark)
    code += at(LOAD64[RAX][RAX], layout.TABLE_ELEMENTS) + at(ELEMENT[RAX][RAX][TARGET_REGISTER], 0) + _TEST[RAX][RAX]
    e.trap_if(CC_E, _UNINITIALIZED, mark)
    if e.layout.has_inline_types:
        code += at(LOAD64[SECOND_REGISTER][CONTEXT], e.layout.type(type_index))
    else:
        code += at(LOAD64[SECOND_REGISTER][CONTEXT], layout.TYPES) + at(LOAD64[SECOND_REGISTER][SECOND_REGISTER], 8 * type_index)
    code += at(CMP_MEMORY[SECOND_REGISTER][RAX], layout.RECORD_TYPE)
    wanted = e.module.types[type_index]
    if wanted.final:
        e.trap_if(CC_NE, _MISMATCH, mark)
        return
    other, back = e.new_label(), e.new_label()
    e.jump_if(CC_NE, other)
    e.bind(back)
    e.cold.append(lambda: _check_display(e, len(wanted.ancestors) - 1, mark, other, back))


def _check_display(e: Emitter, depth: int, mark: int, other: int, back: int) -> None:
    """The function's type may be a subtype: is the type that is asked for (r10), which has so many supertypes, among its own?"""
    e.bind(other)
    code = e.code
    code += at(LOAD64[TARGET_REGISTER][RAX], layout.RECORD_TYPE)
    if depth >= layout.TYPE_DISPLAY_LEAST:
        code += at(_CMP8_MEMORY[TARGET_REGISTER], layout.TYPE_DEPTH) + bytes((depth,))
        e.trap_if(CC_B, _MISMATCH, mark)
    code += at(CMP_MEMORY[SECOND_REGISTER][TARGET_REGISTER], layout.TYPE_DISPLAY + 8 * depth)
    e.jump_if(CC_E, back)
    e.trap_always(_MISMATCH, mark)


def result(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    """A further result, out of the area: right behind the call, before another one can use it."""
    from_area = e.results_at + 16 * imm
    value_class = e.insts[value][0] & 3
    if value_class == ops.INT:
        register = e.integer_result(value)
        e.code += at(LOAD64[register][RSP], from_area)
        e.store_integer(value, register)
    elif value_class == ops.VEC:
        register = e.xmm_result(value)
        e.code += at(LOAD_V128[register][RSP], from_area)
        e.store_vector(value, register)
    else:
        register = e.xmm_result(value)
        e.code += at(LOAD_F64[register][RSP], from_area)
        e.store_float(value, register)


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    **by_class(call, ops.CALL), **by_class(call_import, ops.CALL_IMPORT), **by_class(call_ref, ops.CALL_REF),
    **by_class(call_indirect, ops.CALL_INDIRECT), **by_class(call_tag, ops.CALL_TAG),
    **by_class(result, ops.RESULT),
}  # fmt: skip
