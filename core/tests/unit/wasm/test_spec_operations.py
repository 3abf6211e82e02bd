"""The official testsuite's assertions about single operations, where a copy of the suite and `wasm-tools` are at hand.

Each script becomes JSON and binary modules; every function of straight-line code in them runs on the functions of
`purewasm.wasm`, and each assertion about it must hold.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.tests.unit.wasm.definitions import vector_of
from core.tests.unit.wasm.straight_line import NotStraightLineError, OutOfBoundsError, StraightLine
from purewasm.binary.decoder import decode_module
from purewasm.errors import Trap
from purewasm.wasm.features import Features
from purewasm.wasm.float_bits import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits

if TYPE_CHECKING:
    from core.tests.unit.wasm.straight_line import Raw

SUITE = Path(os.environ.get("PUREWASM_SPEC", Path(__file__).parents[5] / "shared" / "spec"))
_SCRIPTS = """
    i32 i64 int_exprs int_literals f32 f32_bitwise f32_cmp f64 f64_bitwise f64_cmp float_exprs float_literals float_misc conversions const
    simd_bit_shift simd_bitwise simd_boolean simd_const simd_conversions simd_f32x4 simd_f32x4_arith simd_f32x4_cmp simd_f32x4_pmin_pmax
    simd_f32x4_rounding simd_f64x2 simd_f64x2_arith simd_f64x2_cmp simd_f64x2_pmin_pmax simd_f64x2_rounding simd_i16x8_arith
    simd_i16x8_arith2 simd_i16x8_cmp simd_i16x8_extadd_pairwise_i8x16 simd_i16x8_extmul_i8x16 simd_i16x8_q15mulr_sat_s
    simd_i16x8_sat_arith simd_i32x4_arith simd_i32x4_arith2 simd_i32x4_cmp simd_i32x4_dot_i16x8 simd_i32x4_extadd_pairwise_i16x8
    simd_i32x4_extmul_i16x8 simd_i32x4_trunc_sat_f32x4 simd_i32x4_trunc_sat_f64x2 simd_i64x2_arith simd_i64x2_arith2 simd_i64x2_cmp
    simd_i64x2_extmul_i32x4 simd_i8x16_arith simd_i8x16_arith2 simd_i8x16_cmp simd_i8x16_sat_arith simd_int_to_int_extend simd_lane
    simd_splat simd_load simd_load_extend simd_load_splat simd_load_zero simd_load8_lane simd_load16_lane simd_load32_lane
    simd_load64_lane simd_store8_lane simd_store16_lane simd_store32_lane simd_store64_lane simd_address simd_align
    i16x8_relaxed_q15mulr_s i32x4_relaxed_trunc i8x16_relaxed_swizzle relaxed_dot_product relaxed_laneselect relaxed_madd_nmadd
    relaxed_min_max proposals/wide-arithmetic/wide-arithmetic
"""

_CANONICAL = {"f32": 0x7FC0_0000, "f64": 0x7FF8_0000_0000_0000}

Value = dict[str, Any]  # a value of the JSON form
pytestmark = [
    pytest.mark.skipif(not (SUITE / "i32.wast").is_file(), reason="no copy of the WebAssembly testsuite (PUREWASM_SPEC)"),
    pytest.mark.skipif(not shutil.which("wasm-tools"), reason="wasm-tools is not installed"),
]


def raw(value: Value) -> Raw:
    kind = value["type"]
    if kind == "v128":
        return vector_of([int(lane) for lane in value["value"]], int(value["lane_type"][1:]))
    bits = int(value["value"])
    if kind == "f32":
        return f32_from_bits(bits)
    if kind == "f64":
        return f64_from_bits(bits)
    return bits & (0xFFFF_FFFF if kind == "i32" else 0xFFFF_FFFF_FFFF_FFFF)


def bits_match(kind: str, bits: int, expected: str) -> bool:
    if not expected.startswith("nan:"):
        return bits == int(expected) & (1 << int(kind[1:])) - 1
    magnitude = bits & (1 << int(kind[1:]) - 1) - 1
    if expected == "nan:canonical":
        return magnitude == _CANONICAL[kind]
    return magnitude & _CANONICAL[kind] == _CANONICAL[kind]


def matches(actual: Raw, expected: Value) -> bool:
    kind = expected["type"]
    if kind == "either":
        return any(matches(actual, choice) for choice in expected["values"])
    if kind == "v128":
        assert isinstance(actual, bytes)
        assert len(actual) == 16
        lane, size = expected["lane_type"], int(expected["lane_type"][1:]) // 8
        lanes = [int.from_bytes(actual[at : at + size], "little") for at in range(0, 16, size)]
        return all(bits_match(lane, *pair) for pair in zip(lanes, expected["value"], strict=True))
    if kind in ("f32", "f64"):
        assert isinstance(actual, float)
        return bits_match(kind, f32_to_bits(actual) if kind == "f32" else f64_to_bits(actual), expected["value"])
    assert isinstance(actual, int)
    return type(actual) is int and bits_match(kind, actual, expected["value"])


def failure(current: StraightLine, command: Value) -> str | None:
    """What is wrong with an assertion, None if it holds."""
    action = command["action"]
    arguments = [raw(value) for value in action["args"]]
    try:
        results = current.call(action["field"], arguments)
    except (Trap, OutOfBoundsError) as error:
        words = "out of bounds memory access" if isinstance(error, OutOfBoundsError) else str(error)
        return None if command["type"] == "assert_trap" and words == command["text"] else f"trap: {words}"
    if command["type"] == "assert_trap":
        return f"no trap but {results}"
    if len(results) == len(command["expected"]) and all(map(matches, results, command["expected"])):
        return None
    return f"{action['field']}{arguments} is {results}, not {command['expected']}"


@pytest.mark.slow
@pytest.mark.parametrize("script", _SCRIPTS.split())
def test_assertions_about_operations_hold(script: str, tmp_path: Path) -> None:
    target = tmp_path / "script.json"
    subprocess.run(
        ["wasm-tools", "json-from-wast", str(SUITE / f"{script}.wast"), "--wasm-dir", str(tmp_path), "-o", str(target)], check=True
    )
    current: StraightLine | None = None
    held = 0
    for command in json.loads(target.read_text())["commands"]:
        if command["type"] == "module":
            current = StraightLine(decode_module((tmp_path / command["filename"]).read_bytes(), Features.all()))
        elif command["type"] in ("assert_return", "assert_trap", "action") and command["action"]["type"] == "invoke":
            assert current is not None
            try:
                wrong = failure(current, {"expected": [], **command})
            except NotStraightLineError:
                continue
            assert wrong is None, f"{script}.wast:{command['line']}: {wrong}"
            held += 1
    assert held or script == "i32x4_relaxed_trunc", "no assertion of this script could be tried"  # (it has none)
