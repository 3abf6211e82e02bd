"""Memories and data segments (spec: validation, memory instructions)."""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.binary.gate import need
from purewasm.binary.immediates import memory_argument
from purewasm.errors import InvalidError, MalformedError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.validate.signatures import SIGNATURES, with_address
from purewasm.wasm import opcodes
from purewasm.wasm import valtypes as vt
from purewasm.wasm.features import MULTI_MEMORY
from purewasm.wasm.opcodes import CODE, FAMILIES
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from purewasm.validate.state import BodyState, HandlerTable

_WIDTH: Final = {row[0]: row[5] for rows in FAMILIES.values() for row in rows}
_MAX_OFFSET_32: Final = 0xFFFF_FFFF


def memory_address_type(state: BodyState, index: int) -> int:
    """Type of the addresses of the memory with this index."""
    if index >= len(state.address_types):
        raise InvalidError(f"unknown memory {index}: the module has {len(state.address_types)}")
    return state.address_types[index]


def check_data_segment(state: BodyState, index: int) -> None:
    """A body may only name a segment that the data count section announces."""
    number = state.module.data_count
    if number is None:
        raise MalformedError("data count section required: an instruction names a data segment")
    if index >= number:
        raise InvalidError(f"unknown data segment {index}: the module has {number}")


def memarg(state: BodyState, op: int, flags: int) -> tuple[int, int]:
    """Check a memory argument whose first byte is `flags`; (address type, log2 of the alignment)."""
    if flags & 0x40:
        need(state.enabled, MULTI_MEMORY, "an access that names its memory")
    offset, memory, align = memory_argument(state.code, flags)
    address = memory_address_type(state, memory)
    if align > _WIDTH[op]:
        raise InvalidError(f"alignment must not be larger than natural: 2**{align} where 2**{_WIDTH[op]} bytes are accessed")
    if offset > _MAX_OFFSET_32 and address == vt.I32:
        refuse_offset(offset)
    return address, align


def offset_tail(state: BodyState, first: int) -> None:
    """The rest of the offset of an access to a 32-bit memory."""
    offset = leb.u64_tail(state.code, first)
    if offset > _MAX_OFFSET_32:
        refuse_offset(offset)


def refuse_offset(offset: int) -> None:
    raise InvalidError(f"offset out of range: {offset} in a 32-bit memory")


def access(state: BodyState, op: int, flags: int) -> None:
    """A load or a store whose first byte of immediates is `flags`."""
    address, _ = memarg(state, op, flags)
    apply_signature(state, op, address)


def apply_signature(state: BodyState, op: int, address: int) -> None:
    """Pop and push what the opcode table says of an instruction that works on a memory with this type of address."""
    params, results = with_address(SIGNATURES[op], address)
    state.pop_types(params)
    state.push_types(results)


def _access(state: BodyState, op: int) -> None:
    access(state, op, next(state.code))


def _lane_access(state: BodyState, op: int) -> None:
    address, _ = memarg(state, op, next(state.code))
    lane, lanes = next(state.code), 16 >> _WIDTH[op]
    if lane >= lanes:
        raise InvalidError(f"invalid lane index {lane}: there are {lanes} lanes")
    apply_signature(state, op, address)


def _named_memory(state: BodyState) -> int:
    """Address type of the memory that an immediate names."""
    index = leb.u32(state.code)
    if index:
        need(state.enabled, MULTI_MEMORY, "an instruction that names its memory")
    return memory_address_type(state, index)


def _with_memory(state: BodyState, op: int) -> None:
    apply_signature(state, op, _named_memory(state))


def _memory_init(state: BodyState, op: int) -> None:
    segment = leb.u32(state.code)
    address = _named_memory(state)
    check_data_segment(state, segment)
    apply_signature(state, op, address)


def _data_drop(state: BodyState, _op: int) -> None:
    check_data_segment(state, leb.u32(state.code))


def _memory_copy(state: BodyState, _op: int) -> None:
    destination, source = _named_memory(state), _named_memory(state)
    number = vt.I64 if source == destination == vt.I64 else vt.I32
    state.pop_types((destination, source, number))


_BY_KIND: Final = {imm.MEMARG: _access, imm.MEMARG_LANE: _lane_access, imm.MEMORY: _with_memory}

HANDLERS: Final[HandlerTable] = {
    **{row[0]: _BY_KIND[row[2]] for row in opcodes.FAMILIES["memory"] if row[2] in _BY_KIND},
    CODE["memory.init"]: _memory_init,
    CODE["data.drop"]: _data_drop,
    CODE["memory.copy"]: _memory_copy,
}
