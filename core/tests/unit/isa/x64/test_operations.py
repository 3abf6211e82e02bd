"""Every numeric and vector instruction as machine code, against the exact arithmetic of `wasm.numeric` and `wasm.vectors`.

Each operation is compiled with its operands in registers, as constants, and under pressure (so that they are spilled), and run on
edge values and on random ones. Where the operation traps, nothing is run: traps are the engine's tests.
"""

from __future__ import annotations

import random
import struct
from typing import Any, Final

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode
from purewasm.errors import Trap
from purewasm.wasm import opcodes
from purewasm.wasm.float_bits import f32_from_bytes, f32_to_bytes
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.opcodes import immediates as kinds
from purewasm.wasm.vectors import VECTOR

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_TYPES: Final = {"i": "i32", "I": "i64", "f": "f32", "F": "f64", "V": "v128"}
_SIZES: Final = {"i": 4, "I": 8, "f": 4, "F": 8, "V": 16}
_INTS32: Final = (0, 1, 2, 31, 32, 0x7F, 0x80, 0xFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF)
_INTS64: Final = (
    *_INTS32, 63, 64, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 1, 0xFFFF_FFFF_0000_0001, 0x1234_5678_9ABC_DEF0,
)  # fmt: skip
_FLOATS: Final = (
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-300, 3.4e38, -3.4e38, 2.0**31, -(2.0**31), 2.0**31 - 1, -(2.0**31) - 1, 2.0**32,
    2.0**32 - 1, 2.0**63, -(2.0**63), 2.0**64, 2.0**64 - 2048, 4294967295.5, -0.9, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip
_F32_NANS: Final = (0x7F800001, 0xFFC12345, 0x7FA00000)
_F64_NANS: Final = (0x7FF0000000000001, 0xFFF8123456789ABC)


def _samples(kind: str, rng: random.Random) -> list[bytes]:
    """Bytes of operands of one type."""
    if kind == "i":
        return [x.to_bytes(4, "little") for x in (*_INTS32, *(rng.getrandbits(32) for _ in range(6)))]
    if kind == "I":
        return [x.to_bytes(8, "little") for x in (*_INTS64, *(rng.getrandbits(64) for _ in range(6)))]
    if kind == "f":
        known = [f32_to_bytes(max(-3.4e38, min(3.4e38, x)) if abs(x) < float("inf") and x == x else x) for x in _FLOATS]
        return known + [x.to_bytes(4, "little") for x in (*_F32_NANS, *(rng.getrandbits(32) for _ in range(6)))]
    if kind == "F":
        known = [struct.pack("<d", x) for x in _FLOATS]
        return known + [x.to_bytes(8, "little") for x in (*_F64_NANS, *(rng.getrandbits(64) for _ in range(6)))]
    return [
        b"".join(rng.choice(lanes) for _ in range(16 // len(lanes[0])))
        for lanes in (_samples(lane, rng) for lane in "iIfF")
        for _ in range(8)
    ] + [bytes(rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.getrandbits(8))) for _ in range(16)) for _ in range(12)]


def _raw(kind: str, data: bytes) -> Any:
    if kind in "iI":
        return int.from_bytes(data, "little")
    if kind == "f":
        return f32_from_bytes(data)
    return struct.unpack("<d", data)[0] if kind == "F" else data


def _bytes(kind: str, raw: Any) -> bytes:
    if kind in "iI":
        return int(raw).to_bytes(_SIZES[kind], "little")
    if kind == "f":
        return f32_to_bytes(raw)
    return struct.pack("<d", raw) if kind == "F" else bytes(raw)


def _same(kind: str, expected: bytes, actual: bytes, name: str) -> bool:
    """Equal, or both NaN where the specification leaves the payload open."""
    if expected == actual:
        return True
    if name.startswith(("f32.", "f32x4")) and len(expected) >= 4:
        return all(x == y or (_is_nan32(x) and _is_nan32(y)) for x, y in zip(_words(expected, 4), _words(actual, 4), strict=True))
    if name.startswith(("f64.", "f64x2")) and len(expected) >= 8:
        return all(x == y or (_is_nan64(x) and _is_nan64(y)) for x, y in zip(_words(expected, 8), _words(actual, 8), strict=True))
    return False


def _words(data: bytes, size: int) -> list[int]:
    return [int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size)]


def _is_nan32(bits: int) -> bool:
    return bits & 0x7FFFFFFF > 0x7F800000 and bool(bits & 0x400000)


def _is_nan64(bits: int) -> bool:
    return bits & (1 << 63) - 1 > 0x7FF << 52 and bool(bits & 1 << 51)


def _load(kind: str, offset: int) -> str:
    return f"({_TYPES[kind]}.load offset={offset} (local.get 0))"


def _constant(kind: str, data: bytes) -> str:
    if kind in "iI":
        return f"({_TYPES[kind]}.const {int.from_bytes(data, 'little')})"
    if kind == "V":
        return f"(v128.const i8x16 {' '.join(map(str, data))})"
    integer = _constant("i" if kind == "f" else "I", data)
    return f"({_TYPES[kind]}.reinterpret_{'i32' if kind == 'f' else 'i64'} {integer})"


def _store(results: str, body: str) -> str:
    if len(results) == 1:
        return f"({_TYPES[results]}.store offset=256 (local.get 0) {body})"
    halves = "".join(f"(i64.store offset={at} (local.get 0) (local.get {name}))" for at, name in ((256, "$low"), (264, "$high")))
    return f"{body} (local.set $high) (local.set $low) {halves}"


def _function(export: str, body: str) -> str:
    return f'(func (export "{export}") (param i32) (local $low i64) (local $high i64) {body})'


_PRESSURE: Final = 16


def _pressed(kind_of_results: str, name: str, params: str) -> str:
    """The operation between the loads and the uses of more values than there are registers, its operands loaded first."""
    declare = "".join(f"(local $p{i} {_TYPES[kind]})" for i, kind in enumerate(params))
    declare += "".join(f"(local $i{i} i64) (local $f{i} f64)" for i in range(_PRESSURE)) + "(local $low i64) (local $high i64)"
    before = "".join(f"(local.set $p{i} {_load(kind, 16 * i)})" for i, kind in enumerate(params))
    before += "".join(
        f"(local.set $i{i} (i64.load offset={512 + 8 * i} (local.get 0))) (local.set $f{i} (f64.load offset={512 + 8 * i} (local.get 0)))"
        for i in range(_PRESSURE)
    )
    uses = "".join(
        f"(i64.store offset={1024 + 8 * i} (local.get 0) (local.get $i{i}))"
        f"(f64.store offset={2048 + 8 * i} (local.get 0) (local.get $f{i}))"
        for i in range(_PRESSURE)
    )
    operation = f"({name} {' '.join(f'(local.get $p{i})' for i in range(len(params)))})"
    # Used again behind the operation and often in front of it, the extra values win the registers.
    return f'(func (export "pressed") (param i32) {declare} {before} {uses} {uses} {_store(kind_of_results, operation)} {uses})'


def _rows(families: dict[str, Any]) -> list[Any]:
    rows = []
    for family in families:
        for code, name, immediate, text, _, _ in opcodes.FAMILIES[family]:
            params, _, results = text.partition(">")
            if params and immediate in (kinds.NONE, kinds.LANE, kinds.LANES):
                rows.append(pytest.param(code, name, immediate, params, results, id=name))
    return rows


def _expected(code: int, operands: tuple[Any, ...], immediate: Any) -> Any:
    function: Any = NUMERIC.get(code) or VECTOR[code]
    return function(*operands) if immediate is None else function(*operands, immediate)


@pytest.mark.parametrize(("code", "name", "immediate", "params", "results"), _rows({"numeric": NUMERIC, "vector": VECTOR}))
def test_an_operation_gives_what_the_arithmetic_says(code: int, name: str, immediate: int, params: str, results: str, cpu: int) -> None:
    rng = random.Random(name)
    given: Any = None
    text = name
    if immediate == kinds.LANE:
        given = rng.randrange(16 // {"i8": 1, "i1": 2, "i3": 4, "f3": 4, "i6": 8, "f6": 8}[name[:2]])
        text = f"{name} {given}"
    elif immediate == kinds.LANES:
        given = bytes(rng.randrange(32) for _ in range(16))
        text = f"{name} {' '.join(map(str, given))}"
    samples = [_samples(kind, rng) for kind in params]
    cases = [tuple(rng.choice(column) for column in samples) for _ in range(300)]
    plain = f"({text} {' '.join(_load(kind, 16 * i) for i, kind in enumerate(params))})"
    functions = [_function("plain", _store(results, plain)), _pressed(results, text, params)]
    constant_cases = []
    for number in range(6):
        case = cases[number]
        for mask in range(1, 1 << len(params)):
            operands = " ".join(_constant(kind, case[i]) if mask >> i & 1 else _load(kind, 16 * i) for i, kind in enumerate(params))
            export = f"c{number}_{mask}"
            try:
                _expected(code, tuple(map(_raw, params, case)), given)
            except Trap:
                continue
            constant_cases.append((export, case))
            functions.append(_function(export, _store(results, f"({text} {operands})")))
    loaded = LoadedCode(f"(module (memory 16) {' '.join(functions)})", cpu)
    for export, case in [(export, case) for case in cases for export in ("plain", "pressed")] + constant_cases:
        raws = tuple(map(_raw, params, case))
        try:
            expected = _expected(code, raws, given)
        except Trap:
            continue
        for i, data in enumerate(case):
            loaded.memory[4096 + 16 * i : 4096 + 16 * i + len(data)] = data
        loaded.run(export, 4096)
        values = expected if isinstance(expected, tuple) else (expected,)
        wanted = b"".join(_bytes(kind, value) for kind, value in zip(results, values, strict=True))
        actual = bytes(loaded.memory[4096 + 256 : 4096 + 256 + len(wanted)])
        what = f"{export} {[data.hex() for data in case]}: {wanted.hex()} expected, {actual.hex()} given"
        assert _same(results, wanted, actual, name), what
