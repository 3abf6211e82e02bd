from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import module, section, unsigned, vector
from purewasm.binary.decoder import decode_module
from purewasm.binary.types import TypeSpace
from purewasm.errors import InvalidError, MalformedError, ModuleError, UnsupportedError
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, DefType, FieldType, FuncType, StructType, func_type
from purewasm.wasm.features import Features
from purewasm.wasm.limits import MAX_PARAMS, MAX_STRUCT_FIELDS, MAX_SUBTYPE_DEPTH


def _types(*entries: str, features: Features = Features.WASM3) -> list[DefType]:
    content = vector([bytes.fromhex(entry) for entry in entries])
    return decode_module(module(section(1, content)), features).types


def _space(types: list[DefType] | None = None, features: Features = Features.WASM3) -> TypeSpace:
    return TypeSpace(types or [], features.bits)


@pytest.mark.parametrize(
    ("text", "valtype"),
    [
        ("7f", vt.I32), ("7e", vt.I64), ("7d", vt.F32), ("7c", vt.F64), ("7b", vt.V128),
        ("70", vt.FUNCREF), ("6f", vt.EXTERNREF), ("6e", vt.ANYREF), ("6d", vt.EQREF), ("6c", vt.I31REF), ("6b", vt.STRUCTREF),
        ("6a", vt.ARRAYREF), ("69", vt.EXNREF), ("71", vt.NULLREF), ("72", vt.NULLEXTERNREF), ("73", vt.NULLFUNCREF),
        ("74", vt.NULLEXNREF), ("63 70", vt.FUNCREF), ("64 6e", vt.ref_type(vt.ANY, False)),
    ],
)  # fmt: skip
def test_value_types(text: str, valtype: int) -> None:
    assert valtype == _space().value_type(iter(bytes.fromhex(text)))


def test_references_to_defined_types_hold_their_id() -> None:
    made = func_type((vt.I32,), ())
    space = _space([made])
    assert vt.ref_type(made.id, True) == space.value_type(iter(b"\x63\0"))
    assert vt.ref_type(made.id, False) == space.reference_type(iter(b"\x64\x80\0"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("40", "malformed value type 0x40"),
        ("78", "malformed value type 0x78"),
        ("63 7f", "malformed heap type 0x7f"),
        ("63 f0 7f", "malformed heap type 0xf0"),
        ("64 80 80 80 80 10", "integer too large"),
        ("63 80 80 80 80 80 00", "integer representation too long"),
    ],
)
def test_malformed_value_types(text: str, message: str) -> None:
    with pytest.raises(MalformedError, match=f"^{message}"):
        _space().value_type(iter(bytes.fromhex(text)))


def test_a_number_is_no_reference_type() -> None:
    with pytest.raises(MalformedError, match=r"^malformed reference type 0x7f"):
        _space().reference_type(iter(b"\x7f"))


@pytest.mark.parametrize(
    ("text", "features", "feature"),
    [
        ("7b", Features.WASM1, "simd"),
        ("70", Features.WASM1, "reference-types"),
        ("6e", Features.WASM2, "gc"),
        ("69", Features.WASM2, "exceptions"),
        ("63 00", Features.WASM2, "function-references"),
        ("63 6e", Features.WASM2, "gc"),
    ],
)
def test_types_of_proposals_that_are_off(text: str, features: Features, feature: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        _space([func_type((), ())], features).value_type(iter(bytes.fromhex(text)))
    assert feature == caught.value.feature


@pytest.mark.parametrize(
    ("text", "block"), [("40", ((), ())), ("7f", ((), (vt.I32,))), ("00", ((vt.I64,), (vt.F32,))), ("63 70", ((), (vt.FUNCREF,)))]
)
def test_block_types(text: str, block: object) -> None:
    assert block == _space([func_type((vt.I64,), (vt.F32,))]).block_type(iter(bytes.fromhex(text)))


def test_block_types_that_are_none() -> None:
    with pytest.raises(MalformedError, match=r"^malformed block type 0x41"):
        _space().block_type(iter(b"\x41"))
    with pytest.raises(InvalidError, match=r"^unknown type 1"):
        _space([func_type((), ())]).block_type(iter(b"\1"))
    with pytest.raises(UnsupportedError, match="multi-value"):
        _space([func_type((), ())], Features.WASM1).block_type(iter(b"\0"))


def test_equal_types_are_one() -> None:
    first, second, other = _types("60 01 7f 00", "60 01 7f 00", "60 01 7e 00")
    assert first is second
    assert first is not other
    assert FuncType((vt.I32,), ()) == first.func


def test_structures_and_arrays() -> None:
    structure, array = _types("5f 02 78 00 7f 01", "5e 63 00 01")
    assert StructType((FieldType(vt.I8, False), FieldType(vt.I32, True))) == structure.composite
    assert ArrayType(FieldType(vt.ref_type(structure.id, True), True)) == array.composite


def test_a_group_may_refer_to_itself_and_forward() -> None:
    content = b"\1\x4e\2" + bytes.fromhex("50 00 5f 01 64 01 00") + bytes.fromhex("4f 01 00 5f 02 64 01 00 63 00 01")
    made = decode_module(module(section(1, content)), Features.WASM3)
    first, second = made.types
    assert [(0, 2)] == made.rec_groups
    assert (False, True) == (first.final, second.final)
    assert (first,) == second.supers
    assert StructType((FieldType(vt.ref_type(second.id, False), False),)) == first.composite


def test_a_type_alone_may_refer_to_itself() -> None:
    (made,) = _types("5e 63 00 01")
    assert ArrayType(FieldType(vt.ref_type(made.id, True), True)) == made.composite


@pytest.mark.parametrize(
    ("entries", "kind", "message"),
    [
        (["5f 01 63 01 00"], InvalidError, "unknown type 1"),
        (["60 00 00", "5e 63 02 00"], InvalidError, "unknown type 2"),
        (["50 01 01 60 00 00"], InvalidError, "unknown type 1: the supertype of type 0 does not exist"),
        (["4e 02 50 01 01 60 00 00 50 00 60 00 00"], InvalidError, "unknown type 1: the supertype of type 0 comes after it"),
        (["50 00 60 00 00", "50 02 00 00 60 00 00"], InvalidError, "sub type 1 names 2 supertypes"),
        (["5d 00 00"], MalformedError, "malformed definition type 0x5d"),
        (["e0 7f 00 00"], MalformedError, "integer representation too long"),
        (["5e 78 02"], MalformedError, "malformed mutability 0x02"),
        (["5e 79 00"], MalformedError, "malformed storage type 0x79"),
        (["60 01 40 00"], MalformedError, "malformed value type 0x40"),
    ],
)
def test_types_that_cannot_be(entries: list[str], kind: type[ModuleError], message: str) -> None:
    with pytest.raises(kind, match=f"^{message}"):
        _types(*entries)


@pytest.mark.parametrize(
    ("entry", "features", "feature"),
    [
        ("5f 00", Features.WASM2, "gc"),
        ("5e 7f 00", Features.WASM2, "gc"),
        ("50 00 60 00 00", Features.WASM2, "gc"),
        ("4e 00", Features.WASM2, "gc"),
        ("60 00 02 7f 7f", Features.WASM1, "multi-value"),
    ],
)
def test_definitions_of_proposals_that_are_off(entry: str, features: Features, feature: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        _types(entry, features=features)
    assert feature == caught.value.feature


def test_chains_of_supertypes_have_a_limit() -> None:
    chain = ["50 00 60 00 00"] + [f"50 01 {index:02x} 60 00 00" for index in range(MAX_SUBTYPE_DEPTH)]
    assert MAX_SUBTYPE_DEPTH + 1 == len(_types(*chain)[-1].ancestors)
    with pytest.raises(UnsupportedError, match="more than 63 supertypes"):
        _types(*chain, f"50 01 {MAX_SUBTYPE_DEPTH:02x} 60 00 00")


@pytest.mark.parametrize(
    ("start", "number", "end", "what"),
    [
        (b"\x60", MAX_PARAMS + 1, b"\0", "parameters of a function"),
        (b"\x60\0", MAX_PARAMS + 1, b"", "results of a function"),
        (b"\x5f", MAX_STRUCT_FIELDS + 1, b"\0" * (MAX_STRUCT_FIELDS + 1), "fields of a structure"),
    ],
)
def test_sizes_of_types_have_limits(start: bytes, number: int, end: bytes, what: str) -> None:
    content = b"\1" + start + unsigned(number) + b"\x7f" * number + end
    with pytest.raises(UnsupportedError, match=f"^too many {what}: {number}"):
        decode_module(module(section(1, content)), Features.WASM3)


def test_a_group_larger_than_the_section_is_found_before_it_is_built() -> None:
    with pytest.raises(MalformedError, match=r"^length out of bounds: 4294967295 types in a recursion group"):
        decode_module(module(section(1, b"\1\x4e\xff\xff\xff\xff\x0f")), Features.WASM3)
