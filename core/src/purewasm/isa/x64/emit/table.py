"""Tables and function references. A table is reached through the context: address of its pair, there elements and size."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.isa.x64 import integer, memory
from purewasm.isa.x64.conditions import CC_AE
from purewasm.isa.x64.emit.state import LOAD64, STORE64, at
from purewasm.isa.x64.registers import RAX, RDX
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store import layout
from purewasm.traps import OUT_OF_BOUNDS_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

OUT_OF_BOUNDS_TABLE_TRAP: Final = layout.TRAP_NUMBER[OUT_OF_BOUNDS_TABLE]
CMP_MEMORY: Final = integer.CMP_R64_RM64.based
ELEMENT: Final = memory.MOV_R64_RM64.paired(8)
_LEA_ELEMENT: Final = memory.LEA_R64_M.paired(8)


def _element_address(e: Emitter, index: int, table: int, mark: int) -> int:
    """Check an index; the elements are at rax then. Gives the register of the index."""
    register = e.integer(index, RDX)
    code = e.code
    code += at(LOAD64[RAX][CONTEXT], e.layout.table(table))
    code += at(CMP_MEMORY[register][RAX], layout.TABLE_SIZE)
    e.trap_if(CC_AE, OUT_OF_BOUNDS_TABLE_TRAP, mark)
    code += at(LOAD64[RAX][RAX], layout.TABLE_ELEMENTS)
    return register


def table_get(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    register = _element_address(e, a, imm, e.marks[value])
    target = e.integer_result(value)
    e.code += at(ELEMENT[target][RAX][register], 0)
    e.store_integer(value, target)


def table_set(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    register = _element_address(e, a, imm, e.marks[value])
    e.code += at(_LEA_ELEMENT[RAX][RAX][register], 0)
    e.code += at(STORE64[e.integer(b, RDX)][RAX], 0)


def table_size(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    register = e.integer_result(value)
    e.code += at(LOAD64[RAX][CONTEXT], e.layout.table(imm)) + at(LOAD64[register][RAX], layout.TABLE_SIZE)
    e.store_integer(value, register)


def ref_func(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    register = e.integer_result(value)
    e.code += at(LOAD64[RAX][CONTEXT], layout.RECORDS) + at(LOAD64[register][RAX], 8 * e.layout.record(imm))
    e.store_integer(value, register)


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    ops.TABLE_GET: table_get, ops.TABLE_SET: table_set, ops.TABLE_SIZE: table_size, ops.REF_FUNC: ref_func,
}  # fmt: skip
