"""Everything that generated code calls by name and that belongs to no instance: it is the `__builtins__` of that code."""

from __future__ import annotations

from math import inf

from purewasm import traps
from purewasm.engine.interpreter import atomic_operations, bulk_operations, gc_operations
from purewasm.engine.interpreter.stubs import tail_of
from purewasm.engine.interpreter.tail_call import TailCall
from purewasm.errors import GuestException, Trap, WasmError
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn
from purewasm.store.gc import I31, ArrayObject, StructObject
from purewasm.wasm import opcodes
from purewasm.wasm.float_bits import round_f32
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.vector_memory import VECTOR_LANE_LOADS, VECTOR_LANE_STORES, VECTOR_LOADS
from purewasm.wasm.vectors import VECTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def unreachable() -> NoReturn:
    raise Trap(traps.UNREACHABLE)


def interrupted(make: Callable[[], WasmError]) -> NoReturn:
    raise make()


def _by_name(table: Mapping[int, Callable[..., object]]) -> dict[str, object]:
    return {opcodes.NAME[code].replace(".", "_"): function for code, function in table.items()}


INTRINSICS: Final[dict[str, object]] = {
    **_by_name(NUMERIC),
    **_by_name(VECTOR),
    **_by_name(VECTOR_LOADS),
    **_by_name(VECTOR_LANE_LOADS),
    **_by_name(VECTOR_LANE_STORES),
    **bulk_operations.FUNCTIONS,
    **gc_operations.FUNCTIONS,
    **atomic_operations.FUNCTIONS,
    "ArrayObject": ArrayObject,
    "GuestException": GuestException,
    "I31": I31,
    "StructObject": StructObject,
    "TailCall": TailCall,
    "cell": memoryview(bytearray(4)).cast("f"),
    "float": float,
    "inf": inf,
    "interrupted": interrupted,
    "len": len,
    "round_f32": round_f32,
    "tail_of": tail_of,
    "type": type,
    "unreachable": unreachable,
}
