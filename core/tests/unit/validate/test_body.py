"""The pass over a body: its end, its errors and their places. What instructions ask for is tested by family."""

from __future__ import annotations

import pytest

from core.tests.unit.binary.every_instruction import ROWS, every_instruction
from core.tests.unit.binary.module_bytes import HEADER, assemble, custom, function_type, module, name, section, sized, unsigned, vector
from core.tests.unit.validate.bodies import ALL, accept, around, malformed, refuse, validate
from purewasm.errors import InvalidError, MalformedError, UnsupportedError
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import Row

TYPES = section(1, vector([function_type()]))


def _bodies(*bodies: bytes, behind: bytes = b"") -> bytes:
    return module(TYPES, section(3, vector([b"\0"] * len(bodies))), section(10, vector([sized(content) for content in bodies]))) + behind


def test_every_instruction_of_the_table_is_valid_somewhere() -> None:
    validate(every_instruction())


@pytest.mark.parametrize("row", [row for row in ROWS if row[4]], ids=lambda row: row[1])
def test_every_instruction_is_refused_without_its_proposal(row: Row) -> None:
    off = Features.from_bits(ALL.bits & ~row[4])
    names = {name for name in ALL if name not in off}
    source = around(assemble("unreachable", row[1], bytes(20)), signature=function_type())
    with pytest.raises(UnsupportedError) as caught:
        validate(source, off)
    assert caught.value.feature in names


def test_a_body_ends_with_the_end_of_its_function() -> None:
    validate(_bodies(b"\0\x0b"))
    with pytest.raises(MalformedError, match=r"^section size mismatch: 1 bytes behind the END opcode \(function 0\)"):
        validate(_bodies(b"\0\x0b\x01"))
    with pytest.raises(MalformedError, match=r"^unexpected end of section or function: no END opcode"):
        validate(_bodies(b"\0\x01"))
    with pytest.raises(MalformedError, match=r"^END opcode expected \(function 0\)"):
        validate(_bodies(b"\0\x01", b"\0\x0b"))
    with pytest.raises(MalformedError, match=r"^section size mismatch: the END opcode lies behind"):
        validate(_bodies(b"\0\x01", behind=section(11, b"\0")))


@pytest.mark.parametrize(
    "code", [b"\x20", b"\x41\x80", b"\x28\2", b"\x02", b"\xfd", b"\xfd\x0c\0\0", b"\x0e\2\0\0", b"\x11\0", b"\x44\0\0"]
)
def test_an_instruction_cut_short(code: bytes) -> None:
    with pytest.raises(MalformedError, match=r"^(unexpected end of section or function|length out of bounds)"):
        validate(_bodies(b"\0\0" + code, behind=section(11, b"\0")))


@pytest.mark.parametrize("text", ["ff", "16", "27", "c5", "fb 1f", "fc 12", "fd 9a 01", "fe 04"])
def test_illegal_opcodes(text: str) -> None:
    malformed(f"illegal opcode {text[:2]}", bytes.fromhex(text))
    malformed(f"illegal opcode {text[:2]}", "unreachable", bytes.fromhex(text))


def test_errors_are_placed_at_their_instruction() -> None:
    code = assemble("i32.const", 300, "drop", "block", b"\x40", "local.get", 300, "end")
    source = around(code, signature=function_type())
    with pytest.raises(InvalidError, match=r"^unknown local 300 \(local.get in function 2\)") as caught:
        validate(source)
    assert source.index(code) + 6 == caught.value.offset
    assert str(caught.value).endswith(f"(at offset 0x{source.index(code) + 6:x})")


@pytest.mark.parametrize(
    ("code", "place"),
    [
        (("i32.const", 0, "i64.eqz", "drop"), 2),
        (("i32.const", 0, "block", b"\x40", "i64.const", 0, "i32.store", 2, 300, "end"), 6),
        (("nop", "ref.null", b"\xe3\0", "drop"), 1),
        (("nop", "i8x16.shuffle", bytes(15) + b"\x20"), 1),
        (("nop", "call", 300), 1),
        (("nop", "br_if", 7), 1),
        (("nop", "nop", "global.get", 99), 2),
    ],
)
def test_places_of_all_kinds_of_errors(code: tuple[str | int | bytes, ...], place: int) -> None:
    content = assemble(*code)
    error = refuse("", *code)
    assert around(content, signature=function_type()).index(content) + place == error.offset


def test_malformed_integers_are_placed_at_their_last_byte() -> None:
    content = assemble("nop", "local.get", b"\x80\x80\x80\x80\x10")
    error = malformed("integer too large", content)
    assert around(content, signature=function_type()).index(content) + len(content) - 1 == error.offset


def test_errors_name_the_function() -> None:
    names = custom("name", section(1, vector([unsigned(2) + name("broken")])))
    with pytest.raises(InvalidError, match=r"\(drop in function 2 'broken'\)"):
        validate(around(assemble("drop"), signature=function_type()) + names)


def test_many_types_are_not_all_shown() -> None:
    error = refuse("type mismatch", "i32.const", 0, "call", 2, params=b"\x7f" * 900)
    assert len(str(error)) < 400


def test_a_long_body_is_no_matter() -> None:
    accept("i32.const", 0, "drop", b"\x41\0\x1a" * 20_000)


def test_an_empty_module_is_valid() -> None:
    validate(HEADER, Features.WASM1)
