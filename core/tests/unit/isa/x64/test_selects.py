"""Selects of the operands of their own compare: minimum and maximum as C writes them, with signed zeros and NaNs of both kinds."""

from __future__ import annotations

import struct
from itertools import product
from typing import Final

import pytest

from core.tests.unit.isa.x64.loaded_code import CAN_RUN, LoadedCode
from purewasm.isa.x64.disassemble import disassemble
from purewasm.wasm.numeric import NUMERIC
from purewasm.wasm.opcodes import CODE

pytestmark = pytest.mark.skipif(not CAN_RUN, reason="needs Linux on an x86-64 processor with AVX2 and BMI2")

_VALUES: Final = {
    "f32": (0, 0x8000_0000, 0x3F80_0000, 0xBF80_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7FA0_0001, 0xFFC0_0005),
    "f64": (0, 1 << 63, 0x3FF0 << 48, 0xBFF0 << 48, 0x7FF0 << 48, 0xFFF0 << 48, 0x7FF8 << 48, (0x7FF4 << 48) + 1, (0xFFF8 << 48) + 5),
}


def _number(shape: str, bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0] if shape == "f32" else struct.unpack("<d", struct.pack("<Q", bits))[0])


@pytest.mark.parametrize("shape", ["f32", "f64"])
@pytest.mark.parametrize("negated", [False, True])
def test_a_select_by_its_own_compare_picks_the_bits_of_one_operand(shape: str, negated: bool, cpu: int) -> None:
    size = 4 if shape == "f32" else 8
    load = (f"({shape}.load (local.get 0))", f"({shape}.load offset=8 (local.get 0))")
    cases = list(product(("lt", "gt", "le", "ge", "eq", "ne"), (0, 1), (0, 1)))
    functions = []
    for number, (name, first, flip) in enumerate(cases):
        condition = f"({shape}.{name} (local.get {1 + first}) (local.get {2 - first}))"
        if negated:
            condition = f"(i32.eqz {condition})"
        select = f"(select (local.get {1 + flip}) (local.get {2 - flip}) {condition})"
        functions.append(
            f'(func (export "f{number}") (param i32) (local {shape} {shape}) (local.set 1 {load[0]}) (local.set 2 {load[1]})'
            f" ({shape}.store offset=16 (local.get 0) {select}))"
        )
    loaded = LoadedCode(f"(module (memory 1) {' '.join(functions)})", cpu)
    for number, (name, first, flip) in enumerate(cases):
        compare = NUMERIC[CODE[f"{shape}.{name}"]]
        for pair in product(_VALUES[shape], repeat=2):
            loaded.memory[:16] = pair[0].to_bytes(8, "little") + pair[1].to_bytes(8, "little")
            loaded.run(f"f{number}", 0)
            holds = bool(compare(_number(shape, pair[first]), _number(shape, pair[1 - first]))) != negated
            expected = pair[flip if holds else 1 - flip]
            assert expected == int.from_bytes(loaded.memory[16 : 16 + size], "little"), (name, first, flip, pair)


def _mnemonics(loaded: LoadedCode) -> list[str]:
    made = loaded.codes[0]
    return [str(line).split(maxsplit=1)[1].partition("  ")[2].split()[0] for line in disassemble(made.code[: made.pool_offset])]


@pytest.mark.parametrize("condition", ["i32.lt_s", "i64.gt_u", "f64.lt", "f32.ge", "f64.eq", "f64.ne"])
def test_selects_by_one_compare_compare_once(condition: str, cpu: int) -> None:
    valtype = condition[:3]
    compare = f"({condition} (local.get 1) (local.get 2))"
    loaded = LoadedCode(
        f"""(module (memory 1) (func (export "f") (param i32) (local {valtype} {valtype})
          (local.set 1 ({valtype}.load (local.get 0))) (local.set 2 ({valtype}.load offset=8 (local.get 0)))
          (select (i32.const 5) (local.get 0) {compare}) (select (f64.const 1.5) (f64.const 2.5) {compare})
          (select (i64.const 7) (i64.const 0x123456789ab) {compare}) (select (v128.const i64x2 1 2) (v128.const i64x2 3 4) {compare})
          (global.set 3) (global.set 2) (global.set 1) (global.set 0)
          (i32.store offset=16 (local.get 0) (global.get 0)) (f64.store offset=24 (local.get 0) (global.get 1))
          (i64.store offset=32 (local.get 0) (global.get 2)) (v128.store offset=40 (local.get 0) (global.get 3)))
          (global (mut i32) (i32.const 0)) (global (mut f64) (f64.const 0)) (global (mut i64) (i64.const 0))
          (global (mut v128) (v128.const i64x2 0 0)))""",
        cpu,
    )
    compares = [name for name in _mnemonics(loaded) if name.startswith(("cmp", "ucomi", "vucomi"))]
    assert len(compares) == 1, compares
    holds = NUMERIC[CODE[condition]]
    for pair in product((0, 1, 3) if valtype[0] == "i" else _VALUES[valtype], repeat=2):
        loaded.memory[:16] = pair[0].to_bytes(8, "little") + pair[1].to_bytes(8, "little")
        loaded.run("f", 0)
        operands = pair if valtype[0] == "i" else (_number(valtype, pair[0]), _number(valtype, pair[1]))
        expected = (5, 1.5, 7, 1, 2) if holds(*operands) else (0, 2.5, 0x123456789AB, 3, 4)
        assert struct.unpack_from("<i4xdqqq", loaded.memory, 16) == expected, pair


@pytest.mark.parametrize(("turns", "picked"), [(8, True), (1000, False)])
def test_the_extreme_of_a_short_sequence_is_picked_by_the_processor(turns: int, picked: bool, cpu: int) -> None:
    loaded = LoadedCode(
        f"""(module (memory 1) (func (export "f") (param i32) (local f64 f64 i32 i32)
          (local.set 1 (f64.const 100))
          (loop
            (local.set 2 (f64.load (i32.add (local.get 0) (i32.shl (local.get 3) (i32.const 3)))))
            (local.set 4 (select (local.get 3) (local.get 4) (f64.lt (local.get 2) (local.get 1))))
            (local.set 1 (select (local.get 2) (local.get 1) (f64.lt (local.get 2) (local.get 1))))
            (br_if 0 (i32.ne (local.tee 3 (i32.add (local.get 3) (i32.const 1))) (i32.const {turns}))))
          (i32.store (i32.const 16384) (local.get 4)) (f64.store (i32.const 16392) (local.get 1))))""",
        cpu,
    )
    assert any(name in ("minsd", "vminsd") for name in _mnemonics(loaded)) == picked
    numbers = [50.0 + (n * 7919 % 23) for n in range(turns)]
    struct.pack_into(f"<{turns}d", loaded.memory, 0, *numbers)
    loaded.run("f", 0)
    assert struct.unpack_from("<i4xd", loaded.memory, 16384) == (numbers.index(min(numbers)), min(numbers))


@pytest.mark.parametrize("again", ["i32.load offset=8 (local.get 0)", "i32.lt_u (i32.const 0) (i32.load offset=8 (local.get 0))"])
def test_the_maximum_of_a_sequence_that_ends_where_memory_says(again: str, cpu: int) -> None:
    loaded = LoadedCode(
        f"""(module (memory 1) (func (export "f") (param i32) (local $most f64) (local $x f64)
          (loop
            (local.set $x (f64.load (local.get 0)))
            (local.set $most (select (local.get $x) (local.get $most) (f64.gt (local.get $x) (local.get $most))))
            (local.set 0 (i32.add (local.get 0) (i32.const 16)))
            (br_if 0 ({again})))
          (f64.store (i32.const 1024) (local.get $most))))""",
        cpu,
    )
    struct.pack_into("<dQdQdQdQ", loaded.memory, 0, 1.5, 1, 7.5, 1, -2.0, 1, 3.0, 1)
    loaded.run("f", 0)
    assert struct.unpack_from("<d", loaded.memory, 1024) == (7.5,)
