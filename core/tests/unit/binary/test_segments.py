from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import EMPTY_FUNCTION, END, body, module, section, sized, unsigned, vector
from purewasm.binary.decoder import decode_module
from purewasm.errors import InvalidError, MalformedError, ModuleError, UnsupportedError
from purewasm.wasm import valtypes as vt
from purewasm.wasm.features import Features
from purewasm.wasm.limits import MAX_FUNCTION_BYTES, MAX_LOCALS
from purewasm.wasm.module import ACTIVE, DECLARATIVE, PASSIVE, Code, ConstExpr, WasmModule

ALL = Features.all()
ZERO = b"\x41\0" + END
NULL = b"\xd0\x70" + END
FUNCTION = b"\xd2\0" + END
TYPES = section(1, vector([EMPTY_FUNCTION]))
NON_NULL = vt.ref_type(vt.FUNC, False)


def _segment(id_: int, entry: bytes, features: Features = ALL) -> WasmModule:
    return decode_module(module(section(id_, vector([entry]))), features)


def _text(made: WasmModule, expression: ConstExpr | int | None) -> bytes:
    assert isinstance(expression, ConstExpr)
    return made.source[expression.start : expression.end]


@pytest.mark.parametrize(
    ("entry", "mode", "table", "offset", "reftype", "items"),
    [
        (b"\0" + ZERO + b"\2\1\0", ACTIVE, 0, ZERO, NON_NULL, (1, 0)),
        (b"\1\0\1\x80\1", PASSIVE, 0, None, NON_NULL, (128,)),
        (b"\2\5" + ZERO + b"\0\0", ACTIVE, 5, ZERO, NON_NULL, ()),
        (b"\3\0\1\0", DECLARATIVE, 0, None, NON_NULL, (0,)),
        (b"\4" + ZERO + b"\1" + NULL, ACTIVE, 0, ZERO, vt.FUNCREF, (NULL,)),
        (b"\5\x6f\0", PASSIVE, 0, None, vt.EXTERNREF, ()),
        (b"\6\1" + ZERO + b"\x64\x70\2" + FUNCTION + FUNCTION, ACTIVE, 1, ZERO, NON_NULL, (FUNCTION, FUNCTION)),
        (b"\7\x70\1" + FUNCTION, DECLARATIVE, 0, None, vt.FUNCREF, (FUNCTION,)),
    ],
)
def test_all_eight_forms_of_element_segments(
    entry: bytes, mode: int, table: int, offset: bytes | None, reftype: int, items: tuple[int | bytes, ...]
) -> None:
    made = _segment(9, entry)
    (segment,) = made.elements
    assert (mode, table, reftype) == (segment.mode, segment.table, segment.reftype)
    assert offset == (None if segment.offset is None else _text(made, segment.offset))
    assert items == tuple(item if isinstance(item, int) else _text(made, item) for item in segment.items)


def test_functions_are_nullable_where_types_cannot_say_otherwise() -> None:
    assert vt.FUNCREF == _segment(9, b"\1\0\0", Features.WASM2).elements[0].reftype


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (b"\x08", "malformed elements segment kind 8"),
        (b"\1\1\0", "malformed element kind 0x01"),
        (b"\5\x7f\0", "malformed reference type 0x7f"),
        (b"\1\0\x7f\0", "length out of bounds: 127 items in an element segment"),
        (b"\5\x70\1\xd0", "unexpected end of section or function"),
    ],
)
def test_malformed_element_segments(entry: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=f"^{message}"):
        _segment(9, entry)


@pytest.mark.parametrize(("entry", "feature"), [(b"\1\0\0", "reference-types"), (b"\5\x70\0", "reference-types")])
def test_newer_segments_need_their_proposal(entry: bytes, feature: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        _segment(9, entry, Features.WASM1)
    assert feature == caught.value.feature


@pytest.mark.parametrize(
    ("entry", "mode", "memory", "content"),
    [
        (b"\0" + ZERO + sized(b"abc"), ACTIVE, 0, b"abc"),
        (b"\1" + sized(b""), PASSIVE, 0, b""),
        (b"\2\3" + ZERO + sized(b"x"), ACTIVE, 3, b"x"),
    ],
)
def test_all_three_forms_of_data_segments(entry: bytes, mode: int, memory: int, content: bytes) -> None:
    made = _segment(11, entry)
    (segment,) = made.data
    assert (mode, memory) == (segment.mode, segment.memory)
    assert (mode == ACTIVE) == (segment.offset is not None)
    assert content == made.source[segment.start : segment.end]


def test_an_offset_may_be_long() -> None:
    code = b"\x41\1" + b"\x41\1\x6a" * 1000 + END
    made = _segment(11, b"\0" + code + sized(b"x"))
    assert code == _text(made, made.data[0].offset)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (b"\3\0", "malformed data segment kind 3"),
        (b"\4\0", "malformed data segment kind 4"),
        (b"\1\5ab", "unexpected end of section or function: a data segment of 5 bytes where 2 are left"),
        (b"\0\x41\0", "unexpected end of section or function"),
        (b"\0\xff\x0b\0", "illegal opcode ff"),
    ],
)
def test_malformed_data_segments(entry: bytes, message: str) -> None:
    with pytest.raises(MalformedError, match=f"^{message}"):
        _segment(11, entry)


def test_passive_data_needs_its_proposal() -> None:
    with pytest.raises(UnsupportedError, match="bulk-memory"):
        _segment(11, b"\1\0", Features.WASM1)


def test_a_data_section_with_something_behind_it() -> None:
    with pytest.raises(MalformedError, match=r"^section size mismatch"):
        decode_module(module(section(11, vector([b"\1\0"]) + b"\0")), ALL)


# ---- bodies


def _bodies(*bodies: bytes, behind: bytes = b"") -> WasmModule:
    functions = section(3, vector([b"\0"] * len(bodies)))
    return decode_module(module(TYPES, functions, section(10, vector(list(bodies)) + behind)), ALL)


def test_bodies_are_found_and_not_read() -> None:
    made = _bodies(body(b"\x01\xff"), body(b"", [(3, b"\x7f"), (1, b"\x7e")]))
    first, second = made.codes
    assert ((), ((3, vt.I32), (1, vt.I64))) == (first.locals, second.locals)
    assert (b"\x01\xff\x0b", b"\x0b") == (made.source[first.start : first.end], made.source[second.start : second.end])


def test_runs_of_no_locals_are_dropped() -> None:
    made = _bodies(body(b"", [(0, b"\x7f"), (2, b"\x7d"), (0, b"\x70")]))
    assert ((2, vt.F32),) == made.codes[0].locals


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (sized(b"\1\xff\xff\xff\xff\x0f\x7f\x0b"), UnsupportedError, "too many locals in function 0: 4294967295"),
        (sized(b"\2\xff\xff\xff\xff\x0f\x7f\2\x7e\x0b"), MalformedError, "too many locals: function 0 has more than 2\\*\\*32"),
        (sized(b"\1" + unsigned(MAX_LOCALS + 1) + b"\x7f\x0b"), UnsupportedError, "too many locals in function 0: 50001"),
        (sized(b"\1\x80\x80\x80\x80\x10\x7f\x0b"), MalformedError, "integer too large"),
        (sized(b"\1\1\x40\x0b"), MalformedError, "malformed value type 0x40"),
        (sized(b"\1\1\x64\5\x0b"), InvalidError, "unknown type 5"),
        (sized(b""), MalformedError, "unexpected end of section or function: function 0 ends among its locals"),
        (sized(b"\2\1\x7f"), MalformedError, "unexpected end of section or function: function 0 ends among its locals"),
        (b"\x05\0\x0b", MalformedError, "unexpected end of section or function: the body of function 0 has 5 bytes"),
    ],
)
def test_bodies_that_cannot_be(content: bytes, kind: type[ModuleError], message: str) -> None:
    with pytest.raises(kind, match=f"^{message}") as caught:
        _bodies(content)
    assert caught.value.offset is not None


def test_the_limit_of_locals_itself() -> None:
    assert _bodies(body(b"", [(MAX_LOCALS, b"\x7f")])).codes[0] == Code(((MAX_LOCALS, vt.I32),), 27, 28)


def test_a_body_has_a_limit() -> None:
    with pytest.raises(UnsupportedError, match="bytes in the body of function 0"):
        _bodies(body(b"\x01" * MAX_FUNCTION_BYTES))


def test_something_behind_the_last_body() -> None:
    with pytest.raises(MalformedError, match=r"^section size mismatch: 1 bytes"):
        _bodies(body(b""), behind=b"\0")


def test_more_bodies_than_bytes() -> None:
    with pytest.raises(MalformedError, match=r"^length out of bounds: 4294967295 function bodies"):
        decode_module(module(section(10, b"\xff\xff\xff\xff\x0f\0")), ALL)
