"""Integers, types and sections in their shortest form, and back again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purewasm.binary import leb
from purewasm.binary import primitive_encoder as enc
from purewasm.binary.decoder import decode_module
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, FieldType, FuncType, StructType, SubType
from purewasm.wasm.features import Features
from purewasm.wasm.module import GlobalType, Limits, MemoryType, TableType


@given(st.integers(0, 2**64 - 1))
def test_unsigned_integers_are_read_back(value: int) -> None:
    assert leb.u64(iter(enc.unsigned(value))) == value


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_integers_are_read_back(value: int) -> None:
    assert leb.s64(iter(enc.signed(value))) == value


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "00"), (127, "7f"), (128, "80 01"), (16383, "ff 7f"), (16384, "80 80 01"), (2**32 - 1, "ff ff ff ff 0f")]
)
def test_unsigned_integers_are_short(value: int, encoded: str) -> None:
    assert enc.unsigned(value).hex(" ") == encoded


@pytest.mark.parametrize(("value", "encoded"), [(0, "00"), (63, "3f"), (64, "c0 00"), (-1, "7f"), (-64, "40"), (-65, "bf 7f")])
def test_signed_integers_are_short(value: int, encoded: str) -> None:
    assert enc.signed(value).hex(" ") == encoded


@pytest.mark.parametrize(
    ("valtype", "encoded"),
    [
        (vt.I32, "7f"),
        (vt.V128, "7b"),
        (vt.I8, "78"),
        (vt.FUNCREF, "70"),
        (vt.NULLEXNREF, "74"),
        (vt.ref_type(vt.ANY, False), "64 6e"),
        (vt.ref_type(3, True), "63 03"),
        (vt.ref_type(3, False), "64 03"),
        (vt.ref_type(64, False), "64 c0 00"),
    ],
)
def test_value_types(valtype: int, encoded: str) -> None:
    assert enc.value_type(valtype).hex(" ") == encoded


def test_types_of_a_decoded_module_are_numbered_by_its_indices() -> None:
    assert enc.value_type(vt.ref_type(1234, True), {1234: 2}).hex(" ") == "63 02"


@pytest.mark.parametrize(
    ("member", "encoded"),
    [
        (SubType(True, (), FuncType((vt.I32,), (vt.I64, vt.F32))), "60 01 7f 02 7e 7d"),
        (SubType(False, (), StructType((FieldType(vt.I8, True), FieldType(vt.I32, False)))), "50 00 5f 02 78 01 7f 00"),
        (SubType(True, (5,), ArrayType(FieldType(vt.ANYREF, True))), "4f 01 05 5e 6e 01"),
    ],
)
def test_type_definitions(member: SubType, encoded: str) -> None:
    assert enc.sub_type(member).hex(" ") == encoded


def test_a_group_of_one_stands_for_itself() -> None:
    assert enc.rec_group([b"\x60\0\0"]) == b"\x60\0\0"
    assert enc.rec_group([b"a", b"b"]) == b"\x4e\x02ab"
    assert enc.rec_group([]) == b"\x4e\x00"


@pytest.mark.parametrize(
    ("memory", "encoded"),
    [
        (MemoryType(Limits(1, None)), "00 01"),
        (MemoryType(Limits(1, 2)), "01 01 02"),
        (MemoryType(Limits(1, 2), shared=True), "03 01 02"),
        (MemoryType(Limits(1, None), is_64=True), "04 01"),
        (MemoryType(Limits(1, 2), page_size_log2=0), "09 01 02 00"),
    ],
)
def test_memory_types(memory: MemoryType, encoded: str) -> None:
    assert enc.memory_type(memory).hex(" ") == encoded


def test_a_page_size_of_64_kib_is_written_when_asked_for() -> None:
    assert enc.memory_type(MemoryType(Limits(1, None)), explicit_page_size=True).hex(" ") == "08 01 10"


def test_tables_and_globals() -> None:
    assert enc.table_type(TableType(vt.FUNCREF, Limits(0, 1), is_64=True)).hex(" ") == "70 05 00 01"
    assert enc.table_definition(TableType(vt.FUNCREF, Limits(0, None)), b"\xd0\x70\x0b").hex(" ") == "40 00 70 00 00 d0 70 0b"
    assert enc.global_type(GlobalType(vt.I32, True)).hex(" ") == "7f 01"


def test_a_custom_section_is_read_back() -> None:
    module = decode_module(enc.MAGIC_AND_VERSION + enc.custom_section("λ", b"abc"), Features.WASM1)
    assert module.custom("λ") == b"abc"
