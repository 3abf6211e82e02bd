"""Broken modules: whatever happens to the bytes, only a ModuleError comes out, and what is accepted can be decoded.

Every case follows from a seed, which the failure names.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from core.tests.unit.binary.every_instruction import every_instruction, immediate, instruction
from core.tests.unit.binary.module_bytes import (
    HEADER,
    assemble,
    custom,
    function_type,
    module,
    name,
    opcode,
    section,
    unsigned,
    vector,
)
from core.tests.unit.validate.bodies import around
from purewasm.binary.body import decode_body, decode_const
from purewasm.binary.decoder import decode_module
from purewasm.binary.names import decode_names
from purewasm.binary.reader import integer_at
from purewasm.errors import ModuleError
from purewasm.validate.module import validate_module
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL: Final = Features.all()
FEATURES: Final = (ALL, Features.WASM3, Features.WASM2, Features.WASM1)
CASES_PER_MODULE: Final = 500
# Bytes that mean something somewhere: types, flags, prefixes, opcodes of blocks, ends of integers.
TELLING_BYTES: Final = bytes.fromhex("00 01 02 03 04 05 06 07 0b 20 21 40 41 4e 50 5e 5f 60 63 64 69 6e 6f 70 7b 7e 7f 80 fb fc fd fe ff")

_NAMES: Final = custom("name", section(0, name("m")) + section(1, vector([unsigned(2) + name("f")])))
_TYPES: Final = "01 4e 03 50 00 5f 01 63 01 00 50 01 00 5f 02 63 01 00 7f 01 60 02 64 00 7f 01 63 02"
_CODE: Final = assemble(
    "block", b"\x7f", "local.get", 0, "i32.const", b"\xff\x00", "br_table", 1, 0, 0, "end",
    "if", b"\x40", "i64.const", 0, "i32.const", 1, "call", 3, "drop", "drop", "else",
    "i32.const", 8, "f32.load", b"\x42\0", 300, "drop", "end", "loop", b"\x40", "local.get", 0, "br_if", 0, "end",
)  # fmt: skip

MODULES: Final = {
    "header": HEADER,
    "rec-groups": module(section(1, bytes.fromhex(_TYPES)), custom("x", b"abc")),
    "everything": around(_CODE, signature=function_type(b"\x7f"), locals=[(3, b"\x7b"), (1, b"\x64\1")]) + _NAMES,
    **{family: every_instruction(rows) for family, rows in FAMILIES.items()},
}


def _try(source: bytes, features: Features, what: object) -> bool:
    """Decode and validate; True if the module is accepted."""
    try:
        made = decode_module(source, features)
        validate_module(made, features)
    except ModuleError as error:
        if not str(error) or not 0 <= (error.offset or 0) <= len(source):
            raise AssertionError(f"a poor message for {what}: {error!r}") from error
        return False
    except Exception as error:
        raise AssertionError(f"{type(error).__name__} for {what}: {source.hex()}") from error
    for code in made.codes:
        decoded = decode_body(made, code)
        assert len(decoded.ops) == len(decoded.imms) == len(decoded.offsets), what
        assert decoded.offsets[-1] == code.end - 1, what
    for entry in made.globals:
        assert decode_const(made, entry.init).offsets[-1] == entry.init.end - 1, what
    names = decode_names(made)
    assert isinstance(names.functions, dict), what
    return True


@pytest.mark.parametrize("title", MODULES)
def test_the_modules_themselves_are_valid(title: str) -> None:
    assert _try(MODULES[title], ALL, title)


@pytest.mark.slow
@pytest.mark.parametrize("title", MODULES)
def test_truncation_at_every_byte(title: str) -> None:
    source = MODULES[title]
    boundaries = {end for _, _, end in _sections(source)} | {len(HEADER)}
    for length in range(len(source)):
        accepted = _try(source[:length], ALL, (title, length))
        assert not accepted or length in boundaries


@pytest.mark.slow
@pytest.mark.parametrize("title", MODULES)
def test_every_section_cut_short_and_saying_so(title: str) -> None:
    source = MODULES[title]
    for start, content, end in _sections(source):
        step = max(1, (end - content) // 100)
        for length in range(0, end - content, step):
            _try(source[:start] + section(source[start], source[content : content + length]) + source[end:], ALL, (title, start, length))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_instruction_cut_short(family: str) -> None:
    for row in FAMILIES[family]:
        code = instruction(row)
        for length in range(len(code) + 1):
            _try(around(code[:length], signature=function_type()), ALL, (row[1], length))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_instruction_with_other_immediates(family: str) -> None:
    for row in FAMILIES[family]:
        start, end = opcode("unreachable") + opcode(row[1]), opcode("unreachable")
        content = immediate(row)
        for place in range(len(content)):
            for byte in TELLING_BYTES:
                changed = content[:place] + bytes((byte,)) + content[place + 1 :]
                _try(around(start + changed + end, signature=function_type()), ALL, (row[1], place, byte))


@pytest.mark.slow
@pytest.mark.parametrize("title", MODULES)
def test_bits_flipped_and_bytes_changed(title: str) -> None:
    source = MODULES[title]
    for case in range(CASES_PER_MODULE):
        rng = random.Random(f"{title} {case}")
        changed = bytearray(source)
        for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
            _change(changed, rng)
        _try(bytes(changed), rng.choice(FEATURES), (title, case))


@pytest.mark.slow
def test_noise() -> None:
    for case in range(2000):
        rng = random.Random(case)
        sections = [section(rng.randrange(15), rng.randbytes(rng.randrange(40))) for _ in range(rng.randrange(4))]
        _try(HEADER + b"".join(sections), ALL, ("sections", case))
        _try(around(rng.randbytes(rng.randrange(20)), signature=function_type()), ALL, ("body", case))
        code = b"".join([rng.choice((TELLING_BYTES, rng.randbytes(8)))[rng.randrange(8) :][:2] for _ in range(rng.randrange(12))])
        _try(around(b"\0" + code, signature=function_type()), ALL, ("unreachable body", case))


def _change(content: bytearray, rng: random.Random) -> None:
    """One mutation in place."""
    if not content:
        return
    place, kind = rng.randrange(len(content)), rng.randrange(6)
    if kind == 0:
        content[place] ^= 1 << rng.randrange(8)
    elif kind == 1:
        content[place] = rng.randrange(256)
    elif kind == 2:
        content[place] = rng.choice(TELLING_BYTES)
    elif kind == 3:
        del content[place]
    elif kind == 4:
        content.insert(place, rng.choice(TELLING_BYTES))
    else:
        other = rng.randrange(len(content))
        content[place], content[other] = content[other], content[place]


def _sections(source: bytes) -> Iterator[tuple[int, int, int]]:
    """Start, start of the content and end of each section."""
    position = len(HEADER)
    while position < len(source):
        size, content = integer_at(source, position + 1, len(source))
        yield position, content, content + size
        position = content + size
