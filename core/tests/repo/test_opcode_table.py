"""THE opcode table and its users: each row reaches decoder, validator, text format and interpreter, and there is no second table."""

from __future__ import annotations

from importlib import import_module

import pytest

from purewasm.binary.immediates import READERS, read_opcode
from purewasm.binary.instruction_encoder import ENCODERS, OPCODE_BYTES
from purewasm.engine.interpreter.lower import HANDLERS as LOWERINGS
from purewasm.text.body_printer import FORMATTERS
from purewasm.validate import dispatch
from purewasm.wasm import opcodes
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import immediates

# Rows that a layer keeps in the file of another family: a branch on a reference is lowered beside the test of the reference.
BORROWED = {
    ("purewasm.engine.interpreter", "reference"): {"br_on_null", "br_on_non_null", "br_on_cast", "br_on_cast_fail"},
    # accesses of v128 to memory are lowered with the other vector instructions
    ("purewasm.engine.interpreter", "vector"): {row[1] for row in opcodes.FAMILIES["memory"] if row[1].startswith("v128.")},
}

ROWS = [row for rows in opcodes.FAMILIES.values() for row in rows]


def test_no_code_stands_in_two_rows() -> None:
    codes = [row[0] for row in ROWS]
    assert len(codes) == len(set(codes))


def test_no_name_stands_in_two_rows() -> None:
    names = [row[1] for row in ROWS]
    assert len(names) == len(set(names))


def test_a_code_is_a_byte_or_a_number_behind_a_prefix() -> None:
    for code, name, *_ in ROWS:
        prefix = code >> opcodes.PREFIX_SHIFT
        assert (prefix in opcodes.PREFIXES) if code > 0xFF else code not in opcodes.PREFIXES, name


def test_every_row_is_well_formed() -> None:
    bits = Features.all().bits
    for _, name, immediate, signature, feature, width in ROWS:
        assert 0 <= immediate < immediates.KINDS, name
        assert feature & ~bits == 0, name
        assert 0 <= width <= 4, name
        assert signature == "*" or signature.count(">") == 1, name
        assert set(signature) <= set("iIfFVm>*"), name


def test_accesses_to_memory_have_a_width_and_others_have_none() -> None:
    for _, name, immediate, _, _, width in ROWS:
        if width:
            assert immediate in (immediates.MEMARG, immediates.MEMARG_LANE), name


@pytest.mark.parametrize("family", opcodes.FAMILIES)
def test_every_row_of_a_family_is_decoded_and_encoded(family: str) -> None:
    for code, name, immediate, *_ in opcodes.FAMILIES[family]:
        written = OPCODE_BYTES[code]
        assert read_opcode(iter(written)) == code, name
        assert callable(READERS[immediate]), name
        assert callable(ENCODERS[immediate]), name


@pytest.mark.parametrize("family", opcodes.FAMILIES)
def test_every_row_of_a_family_has_a_text_form(family: str) -> None:
    for code, name, immediate, *_ in opcodes.FAMILIES[family]:
        assert callable(FORMATTERS[immediate]), name
        assert opcodes.CODE[name] == code


@pytest.mark.parametrize("family", opcodes.FAMILIES)
def test_every_row_of_a_family_is_validated(family: str) -> None:
    first, prefixed = dispatch.handlers_for(Features.all().bits)
    illegal = {first[byte] for byte in range(256) if byte not in opcodes.BY_CODE and byte not in opcodes.PREFIXES}
    found = {row[1]: prefixed[row[0]] if row[0] > 0xFF else first[row[0]] for row in opcodes.FAMILIES[family]}
    later = {name: dispatch._own(opcodes.CODE[name]) for name, handler in found.items() if handler is dispatch._later}
    assert [name for name, handler in {**found, **later}.items() if handler is None or handler in illegal] == []


@pytest.mark.parametrize("family", opcodes.FAMILIES)
def test_every_row_of_a_family_is_lowered_by_the_interpreter(family: str) -> None:
    assert [row[1] for row in opcodes.FAMILIES[family] if row[0] not in LOWERINGS] == []


def test_nothing_is_validated_or_lowered_that_is_not_in_the_table() -> None:
    assert set(LOWERINGS) <= set(opcodes.BY_CODE)
    assert set(dispatch._OWN) <= set(opcodes.BY_CODE)


@pytest.mark.parametrize("layer", ["purewasm.validate", "purewasm.engine.interpreter"])
@pytest.mark.parametrize("family", opcodes.FAMILIES)
def test_the_file_of_a_family_handles_rows_of_that_family(layer: str, family: str) -> None:
    handled: dict[int, object] = import_module(f"{layer}.{family}").HANDLERS
    foreign = {opcodes.NAME[code] for code in handled if opcodes.family_of(code) != family}
    assert foreign == BORROWED.get((layer, family), set())
