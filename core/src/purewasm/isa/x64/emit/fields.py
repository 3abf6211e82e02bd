"""Accesses by address: fields of structures, elements of arrays, slots of other frames.

Loops that are entered in the middle of a function have these too (`frontend.loop`), in modules that have no objects.
"""

from __future__ import annotations

from purewasm.backend.target import SLOT
from purewasm.ir import ops
from purewasm.isa.x64 import integer, xmm_moves
from purewasm.isa.x64.emit.memory import LOAD_ROWS, STORE_IMMEDIATE, STORE_LANE, STORE_ROWS
from purewasm.isa.x64.emit.state import BYTE, LOAD_F64, XMM15, at
from purewasm.isa.x64.registers import RAX, RSP
from purewasm.light_typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.emit.state import Emitter

_V128_LOAD: Final = ops.VECTOR_BASE
_V128_STORE: Final = ops.VECTOR_BASE + 0xB
_LOADS: Final[dict[int, Any]] = {**LOAD_ROWS, _V128_LOAD: xmm_moves.VMOVUPS_XMM_XM128}
_STORES: Final[dict[int, Any]] = {**STORE_ROWS, _V128_STORE: xmm_moves.VMOVUPS_XM128_XMM}
_FLOAT_STORES: Final = (0x38, 0x39)
_ADD: Final = integer.ADD_R64_RM64.regs
_ADD_MEMORY: Final = integer.ADD_R64_RM64.based
_SHL: Final = integer.SHL_RM64_IMM8.regs


def _address(e: Emitter, reference: int, index: int, shift: int) -> tuple[int, int]:
    """(base, index) registers of an access, no index: -1; rax may be among them."""
    if index == ops.NO:
        return e.integer(reference, RAX), -1
    base = e.place[reference] if reference >= 0 else SLOT
    if shift < 4 and (base < SLOT or (index >= 0 and e.place[index] < SLOT)):
        return e.integer(reference, RAX), e.integer(index, RAX)
    e.integer_into(RAX, index)
    if shift:
        e.code += _SHL[RAX] + BYTE[shift]
    e.code += _ADD[RAX][base] if base < SLOT else e.slot(_ADD_MEMORY[RAX][RSP], base)
    return RAX, -1


def _note(e: Emitter, trap: int, value: int) -> None:
    if trap >= 0:
        e.traps.append((len(e.code), trap, e.marks[value]))


def object_get(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    load, offset, shift, trap = imm
    row = _LOADS[load]
    base, index = _address(e, a, b, shift)
    is_integer = e.insts[value][0] == ops.OBJECT_GET + ops.INT
    register = e.integer_result(value) if is_integer else e.xmm_result(value)
    _note(e, trap, value)
    e.code += at(row.based[register][base] if index < 0 else row.paired(1 << shift)[register][base][index], offset)
    if is_integer:
        e.store_integer(value, register)
    elif load == _V128_LOAD:
        e.store_vector(value, register)
    else:
        e.store_float(value, register)


def object_set(e: Emitter, value: int, a: int, b: int, imm: Any) -> None:
    args, store, offset, shift, trap = imm
    row, immediate = _STORES[store], b""
    base, index = _address(e, a, args[0] if args else ops.NO, shift)
    if store == _V128_STORE:
        register = e.vector(b, XMM15)
    elif store in _FLOAT_STORES:
        register = e.float(b, XMM15)
    elif b >= 0 and e.place[b] < SLOT:
        register = e.place[b]
    else:
        if b < 0:
            constant = int(e.constants[~b])
            if not 0x7FFF_FFFF < constant < 0xFFFF_FFFF_8000_0000 or store != 0x37:
                _store_constant(e, value, base, index, constant, imm)
                return
            e.load_constant(XMM15, constant.to_bytes(8, "little"))
        else:
            e.code += e.slot(LOAD_F64[XMM15][RSP], e.place[b])
        register = XMM15
        row, immediate = STORE_LANE[store]
    _note(e, trap, value)
    e.code += at(row.based[register][base] if index < 0 else row.paired(1 << shift)[register][base][index], offset) + immediate


def _store_constant(e: Emitter, value: int, base: int, index: int, constant: int, imm: Any) -> None:
    _, store, offset, shift, trap = imm
    row, size = STORE_IMMEDIATE[store]
    _note(e, trap, value)
    tails = row.based[base] if index < 0 else row.indexed(base, 1 << shift)[index]
    e.code += at(tails, offset) + (constant & (1 << 8 * size) - 1).to_bytes(size, "little")


EMITTERS: Final[dict[int, Callable[[Emitter, int, int, int, Any], None]]] = {
    **{ops.OBJECT_GET + c: object_get for c in (1, 2, 3)},
    ops.OBJECT_SET: object_set,
}
