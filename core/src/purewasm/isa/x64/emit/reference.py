"""Tests and casts of references: flags that say equal where the test holds.

    lea rax, [rdi-2]; test al, 3; jne end     a structure or an array? Not where the type says that it is one or null
    mov rax, [rdi-2]                          the record of its type
    mov rax, [rax+64+8*depth]                 the record at the depth of the type that is asked for; not where that has no subtypes
    cmp rax, [r14+type]
    end:
"""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.isa.x64 import integer, memory
from purewasm.isa.x64.conditions import CC_B, CC_E, CC_NE
from purewasm.isa.x64.emit.state import BYTE, JCC8, LOAD64, at
from purewasm.isa.x64.registers import RAX, RCX
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

_LEA: Final = memory.LEA_R64_M.based
_TEST: Final = integer.TEST_RM64_R64.regs
_TEST8: Final = integer.TEST_RM8_IMM8.regs
_TEST_AL: Final = integer.TEST_RM8_R8.regs[RAX][RAX]
_CMP8: Final = integer.CMP_RM64_IMM8.regs
_CMP8_MEMORY: Final = integer.CMP_RM64_IMM8.based
_CMP_MEMORY: Final = integer.CMP_R64_RM64.based
_SET_E: Final = integer.SETCC[CC_E].regs
_SET: Final = [row.regs for row in integer.SETCC]
_MOVZX8: Final = memory.MOVZX_R32_RM8.regs
_PUSH: Final = memory.PUSH_R64.regs
_POP: Final = memory.POP_R64.regs
_TAGS: Final = layout.OBJECT_TAG | layout.I31_TAG
_KINDS: Final = {ops.TEST_STRUCT: layout.KIND_STRUCT, ops.TEST_ARRAY: layout.KIND_ARRAY}
_MASKS: Final = {ops.TEST_I31: layout.I31_TAG, ops.TEST_EQ: _TAGS}


def emit_test(e: Emitter, value: int, test: int, trap: int = -1, mark: int = 0) -> None:
    """Flags of a test: equal where it holds. A cast names its trap, which a null that does not pass may then cause by being accessed."""
    code = e.code
    word = e.integer(value, RAX)
    what = test & ops.TEST_WHAT
    ends: list[int] = []
    is_null_out = not test & (ops.TEST_NULL | ops.TEST_NOT_NULL)
    if test & ops.TEST_NULL and not test & ops.TEST_NOT_NULL:
        code += _TEST[word][word]
        ends.append(e.short_jump(JCC8[CC_E]))
    if what in _MASKS:
        code += _TEST8[word] + BYTE[_MASKS[what]] + _SET_E[RAX] + _TEST_AL
    else:
        function = what == ops.TEST_FUNCTION
        if not function and not test & ops.TEST_HEAP:
            code += at(_LEA[RAX][word], -layout.OBJECT_TAG) + _TEST8[RAX] + BYTE[_TAGS]
            ends.append(e.short_jump(JCC8[CC_NE]))
            code += at(LOAD64[RAX][RAX], layout.OBJECT_TYPE)
        else:
            if is_null_out and trap < 0:
                code += _CMP8[word] + BYTE[1]  # null is below, and not equal
                ends.append(e.short_jump(JCC8[CC_B]))
            elif is_null_out:
                e.traps.append((len(code), trap, mark))
            code += at(LOAD64[RAX][word], layout.RECORD_TYPE if function else layout.OBJECT_TYPE - layout.OBJECT_TAG)
        if what in _KINDS:
            code += at(_CMP8_MEMORY[RAX], layout.TYPE_KIND) + BYTE[_KINDS[what]]
        else:
            _compare_type(e, test >> ops.TEST_TYPE_SHIFT, ends)
    for jump in ends:
        e.land(jump)


def _compare_type(e: Emitter, index: int, ends: list[int]) -> None:
    """Compare the type whose record is in rax, or that above it at the right depth, with a type of the module."""
    code = e.code
    deftype = e.module.types[index]
    if not e.layout.has_inline_types:  # then no type has subtypes
        code += _PUSH[RCX] + at(LOAD64[RCX][CONTEXT], layout.TYPES) + at(_CMP_MEMORY[RAX][RCX], 8 * index) + _POP[RCX]
        return
    if not deftype.final:
        depth = len(deftype.ancestors) - 1
        if depth >= layout.TYPE_DISPLAY_LEAST:
            code += at(_CMP8_MEMORY[RAX], layout.TYPE_DEPTH) + BYTE[depth]
            ends.append(e.short_jump(JCC8[CC_B]))
        code += at(LOAD64[RAX][RAX], layout.TYPE_DISPLAY + 8 * depth)
    code += at(_CMP_MEMORY[RAX][CONTEXT], e.layout.type(index))


def ref_test(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    register = e.integer_result(value)
    emit_test(e, a, e.constants[~b])  # type: ignore[arg-type]
    e.code += _SET[imm][RAX] + _MOVZX8[register][RAX]
    e.store_integer(value, register)


def ref_cast(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    mark = e.marks[value]
    emit_test(e, a, e.constants[~b], imm, mark)  # type: ignore[arg-type]
    e.trap_if(CC_NE, imm, mark)


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {ops.REF_TEST: ref_test, ops.REF_CAST: ref_cast}
