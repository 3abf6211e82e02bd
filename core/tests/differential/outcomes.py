"""What a module does, seen from outside: instantiate it, call its exports in order, look at its memories and globals.

Two runtimes are asked the same. An outcome is comparable text: results with floats by their bits (any NaN is "nan"), a trap by its
code. What depends on the runtime ends the comparison instead: how deep a recursion may go, how much memory there is. Random programs
may take longer than anybody waits: what is compared are calls that the other runtime makes with a limited number of instructions.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import wasmtime

from purewasm import Features, FuelExhausted, GuestException, Instance, LinkError, Runtime, RuntimeConfig, Trap, traps
from purewasm.binary.decoder import decode_module
from purewasm.binary.encoder import encode_module
from purewasm.wasm import module as wm
from purewasm.wasm import valtypes as vt
from purewasm.wasm.limits import MAX_TABLE_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Values = tuple[object, ...]


class Call(NamedTuple):
    """A call to make: the export's name and public arguments."""

    name: str
    arguments: Values


INCONCLUSIVE: Final = "inconclusive"
OUT_OF_FUEL: Final = "out of fuel"
_TRAPS: Final = {
    "MEMORY_OUT_OF_BOUNDS": traps.OUT_OF_BOUNDS_MEMORY,
    "HEAP_MISALIGNED": traps.UNALIGNED_ATOMIC,
    "TABLE_OUT_OF_BOUNDS": traps.OUT_OF_BOUNDS_TABLE,
    "INDIRECT_CALL_TO_NULL": traps.UNINITIALIZED_ELEMENT,
    "BAD_SIGNATURE": traps.INDIRECT_CALL_TYPE,
    "INTEGER_OVERFLOW": traps.INTEGER_OVERFLOW,
    "INTEGER_DIVISION_BY_ZERO": traps.INTEGER_DIVIDE_BY_ZERO,
    "BAD_CONVERSION_TO_INTEGER": traps.INVALID_CONVERSION,
    "UNREACHABLE": traps.UNREACHABLE,
    "ATOMIC_WAIT_NON_SHARED_MEMORY": traps.EXPECTED_SHARED,
    "NULL_REFERENCE": traps.NULL_REFERENCE,
    "ARRAY_OUT_OF_BOUNDS": traps.OUT_OF_BOUNDS_ARRAY,
    "CAST_FAILURE": traps.CAST_FAILURE,
    "UNCAUGHT_EXCEPTION": "exception",
}
_OWN: Final = {
    traps.UNDEFINED_ELEMENT: traps.OUT_OF_BOUNDS_TABLE,  # the other runtime has one code for both
    traps.NULL_FUNCTION: traps.NULL_REFERENCE,
    traps.NULL_STRUCTURE: traps.NULL_REFERENCE,
    traps.NULL_ARRAY: traps.NULL_REFERENCE,
    traps.NULL_I31: traps.NULL_REFERENCE,
    traps.NULL_EXCEPTION: traps.NULL_REFERENCE,
}


def shown(value: object) -> str:
    """Comparable text of a value."""
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value).hex()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    return str(value) if isinstance(value, int) else "null" if value is None else "reference"


def _shown_results(result: object) -> str:
    values = result if isinstance(result, (tuple, list)) else (result,)
    return " ".join(map(shown, values))


# ---- the other runtime


def _oracle_config() -> wasmtime.Config:
    config = wasmtime.Config()
    for name in (
        "threads", "simd", "multi_memory", "memory64", "function_references", "gc", "tail_call", "exceptions", "relaxed_simd",
        "relaxed_simd_deterministic", "wide_arithmetic", "custom_page_sizes",
    ):  # fmt: skip
        setattr(config, f"wasm_{name}", True)
    config.consume_fuel = True
    config.cranelift_opt_level = "none"
    return config


_engine: Final = wasmtime.Engine(_oracle_config())
_FUEL: Final = 1_000_000
"""Instructions of a call that is compared; the interpreter makes them in a second."""
_MEMORY_PAGES: Final = 1024
"""A random `memory.grow` may ask for all there is; the state of a memory is read as a whole."""


def _oracle_trap(error: Exception) -> str:
    if isinstance(error, wasmtime.Trap):
        code = error.trap_code
        name = code.name if code is not None else ""
        if name in _TRAPS:
            return f"trap {_TRAPS[name]}"
        if name == "OUT_OF_FUEL":
            return OUT_OF_FUEL
    return "trap exception" if "thrown Wasm exception" in str(error) else INCONCLUSIVE


def oracle_outcomes(binary: bytes, calls: list[Call]) -> Iterator[str]:
    """Outcomes in wasmtime; ends after an inconclusive one, and where fuel runs out."""
    store = wasmtime.Store(_engine)
    store.set_limits(memory_size=_MEMORY_PAGES << 16, table_elements=MAX_TABLE_ELEMENTS)
    store.set_fuel(_FUEL)
    try:
        module = wasmtime.Module(_engine, binary)
        instance = wasmtime.Instance(store, module, [])
    except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
        yield _oracle_trap(error)
        return
    yield "instantiated"
    exports = instance.exports(store)
    for call in calls:
        function = exports[call.name]
        assert isinstance(function, wasmtime.Func)
        store.set_fuel(_FUEL)
        try:
            outcome = f"returned {_shown_results(function(store, *call.arguments))}"
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            outcome = _oracle_trap(error)
        yield outcome
        if outcome in (INCONCLUSIVE, OUT_OF_FUEL):
            return
    for name, extern in sorted(exports.items()):
        if isinstance(extern, wasmtime.Memory):
            data = bytes(extern.get_buffer_ptr(store)[: extern.data_len(store)])
            yield f"memory {name} {len(data)} {hashlib.sha256(data).hexdigest()}"
        elif isinstance(extern, wasmtime.Global) and str(extern.type(store).content) in ("i32", "i64", "f32", "f64"):
            yield f"global {name} {shown(extern.value(store))}"


def calls_that_end(binary: bytes, calls: Iterable[Call]) -> list[Call] | None:
    """Those calls that end soon in wasmtime when they are made on one instance in this order, up to an inconclusive one.

    None where making the instance takes too long. Other calls would run on an engine without fuel for hours.
    """
    kept = list(calls)
    while True:
        outcomes = list(oracle_outcomes(binary, kept))
        made = len(outcomes) - 1
        if outcomes[-1] == OUT_OF_FUEL:
            if not made:
                return None
            del kept[made - 1]
        else:
            return kept[:made] if outcomes[-1] == INCONCLUSIVE else kept


# ---- purewasm


def _own_trap(error: Trap | GuestException) -> str:
    if isinstance(error, GuestException):
        return "trap exception"
    if isinstance(error, FuelExhausted):
        return OUT_OF_FUEL
    if error.code == traps.CALL_STACK_EXHAUSTED or error.code not in traps.ALL_CODES:
        return INCONCLUSIVE
    return f"trap {_OWN.get(error.code, error.code)}"


def own_outcomes(binary: bytes, calls: list[Call], runtime: Runtime, fuel: int | None = None) -> Iterator[str]:
    """Outcomes in a runtime of ours; ends after an inconclusive one.

    With `fuel`, which all calls share, no call comes after the one that it runs out in, and the last outcome says how much of it is left.
    """
    try:
        instance = runtime.instantiate(binary, fuel=fuel)
    except (Trap, GuestException) as error:
        yield _own_trap(error)
        return
    except LinkError:
        yield INCONCLUSIVE
        return
    yield "instantiated"
    for call in calls:
        try:
            outcome = f"returned {_shown_results(instance.exports[call.name](*call.arguments))}"  # type: ignore[operator]
        except (Trap, GuestException) as error:
            outcome = _own_trap(error)
        yield outcome
        if outcome == INCONCLUSIVE:
            return
        if outcome == OUT_OF_FUEL:
            break
    yield from _own_state(instance)
    if fuel is not None:
        yield f"fuel left {instance.meter.fuel}"


def _own_state(instance: Instance) -> Iterator[str]:
    for export in sorted(instance.wasm.exports, key=lambda export: export.name):
        if export.kind == wm.MEMORY:
            data = bytes(instance.memories[export.index].data)
            yield f"memory {export.name} {len(data)} {hashlib.sha256(data).hexdigest()}"
        elif export.kind == wm.GLOBAL and instance.globals[export.index].type.valtype in (vt.I32, vt.I64, vt.F32, vt.F64):
            yield f"global {export.name} {shown(instance.globals[export.index].value)}"


def new_runtime(engine: str, **options: object) -> Runtime:
    """A runtime for comparisons, with every feature."""
    return Runtime(RuntimeConfig(engine=engine, features=Features.all(), memory_limit_pages=_MEMORY_PAGES), **options)


NUMBERS: Final = (vt.I32, vt.I64, vt.F32, vt.F64)


def with_plain_exports(binary: bytes, features: Features) -> tuple[bytes, list[tuple[str, tuple[int, ...]]]]:
    """The module with only those exports that the other runtime's Python package can handle, and (name, parameter types) of functions.

    They are memories, globals of numbers, and functions over numbers. A function may do anything inside.
    """
    module = decode_module(binary, features)
    kept: list[wm.Export] = []
    functions: list[tuple[str, tuple[int, ...]]] = []
    for export in module.exports:
        if export.kind == wm.MEMORY or (export.kind == wm.GLOBAL and module.global_types[export.index].valtype in NUMBERS):
            kept.append(export)
        elif export.kind == wm.FUNC:
            functype = module.func_types[export.index].func
            if all(valtype in NUMBERS for valtype in (*functype.params, *functype.results)):
                kept.append(export)
                functions.append((export.name, functype.params))
    module.exports = kept
    return encode_module(module), functions


def differences(binary: bytes, calls: list[Call], runtime: Runtime) -> list[str]:
    """What the two runtimes do not agree on; empty where they do, as far as they can be compared."""
    found = []
    ending = calls_that_end(binary, calls)
    if ending is None:
        return []
    calls = ending
    for number, (own, other) in enumerate(zip(own_outcomes(binary, calls, runtime), oracle_outcomes(binary, calls), strict=False)):
        if INCONCLUSIVE in (own, other):
            break
        if own != other:
            what = f"{calls[number - 1]}" if 0 < number <= len(calls) else "state"
            found.append(f"{what}: {own} instead of {other}")
    return found
