"""Everything around bodies: declarations, segments, exports, start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.tests.unit.binary.module_bytes import (
    EMPTY_FUNCTION,
    END,
    EXTERNREF,
    FUNCREF,
    I32,
    assemble,
    body,
    function_type,
    module,
    name,
    reference,
    section,
    signed,
    unsigned,
    vector,
)
from core.tests.unit.validate.bodies import validate
from purewasm.binary.decoder import decode_module
from purewasm.errors import InvalidError, UnsupportedError
from purewasm.validate.module import validate_module
from purewasm.wasm.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = Features.all()
TYPES = section(1, vector([EMPTY_FUNCTION, function_type(I32), function_type(b"", I32), b"\x5f\0"]))
ZERO = b"\x41\0" + END
ZERO64 = b"\x42\0" + END
NULL = b"\xd0\x70" + END


def _accept(*sections: bytes, features: Features = ALL) -> None:
    validate(module(*sections), features)


def _refuse(message: str, *sections: bytes, features: Features = ALL) -> None:
    with pytest.raises(InvalidError, match=f"^{message}"):
        validate(module(*sections), features)


def _imported(entry: bytes) -> bytes:
    return section(2, vector([name("m") + name("n") + entry]))


# ---- declarations


@pytest.mark.parametrize(
    "entry",
    [
        b"\0" + unsigned(65536), b"\1\0" + unsigned(65536), b"\4" + unsigned(1 << 48), b"\x08" + unsigned(0xFFFF_FFFF) + b"\0",
        b"\x0c" + unsigned((1 << 64) - 1) + b"\0", b"\3\1\1",
    ],
)  # fmt: skip
def test_memories(entry: bytes) -> None:
    _accept(section(5, vector([entry])))
    _accept(_imported(b"\2" + entry))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (b"\0" + unsigned(65537), r"memory size must be at most 65536 pages \(4GiB\)"),
        (b"\1\0" + unsigned(65537), r"memory size must be at most 65536 pages \(4GiB\)"),
        (b"\4" + unsigned((1 << 48) + 1), "memory size must be at most 281474976710656 pages"),
        (b"\x08" + unsigned(1 << 32) + b"\0", "memory size must be at most 4294967295 pages"),
        (b"\1\2\1", "size minimum must not be greater than maximum: 2 and 1 in memory 0"),
        (b"\2\1", "shared memory must have maximum"),
        (b"\x08\0\1", r"invalid custom page size: 2\*\*1 bytes"),
        (b"\x08\0\x11", r"invalid custom page size: 2\*\*17 bytes"),
    ],
)
def test_memories_that_cannot_be(entry: bytes, message: str) -> None:
    _refuse(message, section(5, vector([entry])))
    _refuse(message, _imported(b"\2" + entry))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (FUNCREF + b"\0" + unsigned(1 << 32), "table size must be at most 4294967295"),
        (FUNCREF + b"\1\0" + unsigned(1 << 32), "table size must be at most 4294967295"),
        (FUNCREF + b"\1\2\1", "size minimum must not be greater than maximum: 2 and 1 in table 0"),
    ],
)
def test_tables_that_cannot_be(entry: bytes, message: str) -> None:
    _refuse(message, section(4, vector([entry])))
    _refuse(message, _imported(b"\1" + entry))


def test_tables() -> None:
    _accept(section(4, vector([FUNCREF + b"\0" + unsigned((1 << 32) - 1), EXTERNREF + b"\5\1" + unsigned((1 << 64) - 1)])))


def test_tables_without_null_need_a_value() -> None:
    functions = section(3, b"\1\0"), section(10, vector([body(b"")]))
    table = b"\x40\0" + reference(0, null=False) + b"\0\1"
    _accept(TYPES, functions[0], section(4, vector([table + b"\xd2\0" + END])), functions[1])
    _refuse(
        r"type mismatch: table 0 of \[\(ref 0\)\] needs an initial value", TYPES, section(4, vector([reference(0, null=False) + b"\0\1"]))
    )
    _refuse("type mismatch", TYPES, section(4, vector([table + b"\xd0\0" + END])))
    _refuse("unknown global 0", TYPES, section(4, vector([table + b"\x23\0" + END])), section(6, vector([FUNCREF + b"\0" + NULL])))


def test_functions_and_tags_have_function_types() -> None:
    _refuse("unknown type: the type of function 0", TYPES, section(3, b"\1\3"), section(10, vector([body(b"")])))
    _refuse("unknown type: the type of tag 0", TYPES, section(13, b"\1\0\3"))
    _refuse("non-empty tag result type: tag 0", TYPES, section(13, b"\1\0\2"))
    _refuse("non-empty tag result type: tag 0", TYPES, _imported(b"\4\0\2"))
    _accept(TYPES, section(13, b"\1\0\1"))


# ---- segments


def _with_table(segment: bytes, table: bytes = FUNCREF + b"\0\1") -> tuple[bytes, ...]:
    return (
        TYPES, section(3, b"\1\0"), section(4, vector([table])), section(6, vector([I32 + b"\0" + ZERO])),
        section(9, vector([segment])), section(10, vector([body(b"")])),
    )  # fmt: skip


def test_element_segments() -> None:
    _accept(*_with_table(b"\0" + ZERO + b"\1\0"))
    _accept(*_with_table(b"\0\x23\0" + END + b"\1\0"))
    _accept(*_with_table(b"\0" + ZERO64 + b"\1\0", FUNCREF + b"\4\1"))
    _accept(*_with_table(b"\4" + ZERO + b"\2" + NULL + b"\xd2\0" + END))
    _accept(*_with_table(b"\0" + ZERO + b"\1\0", b"\x40\0\x64\x70\0\1\xd2\0" + END))
    _refuse("type mismatch: element segment 0", *_with_table(b"\4" + ZERO + b"\1" + NULL, b"\x40\0\x64\x70\0\1\xd2\0" + END))
    _refuse("type mismatch: element segment 0", *_with_table(b"\0" + ZERO + b"\0", EXTERNREF + b"\0\1"))
    _refuse("type mismatch", *_with_table(b"\0" + ZERO64 + b"\1\0"))
    _refuse("type mismatch", *_with_table(b"\5\x70\1" + ZERO))
    _refuse("type mismatch", *_with_table(b"\5\x64\x70\1" + NULL))
    _refuse("unknown function 1 in element segment 0", *_with_table(b"\1\0\1\1"))
    _refuse("unknown table 1", *_with_table(b"\2\1" + ZERO + b"\0\0"))
    _refuse("constant expression required", *_with_table(b"\0\x01" + ZERO + b"\1\0"))


def test_data_segments() -> None:
    memory = section(5, vector([b"\0\1"]))
    _accept(memory, section(11, vector([b"\0" + ZERO + b"\1x", b"\1\0"])))
    _accept(section(5, vector([b"\4\1"])), section(11, vector([b"\0" + ZERO64 + b"\1x"])))
    _refuse("type mismatch", memory, section(11, vector([b"\0" + ZERO64 + b"\1x"])))
    _refuse("unknown memory 0", section(11, vector([b"\0" + ZERO + b"\1x"])))
    _refuse("unknown memory 1", memory, section(11, vector([b"\2\1" + ZERO + b"\1x"])))


# ---- exports, start, references


def test_exports() -> None:
    entries = [name("f") + b"\0\0", name("t") + b"\1\0", name("g") + b"\3\0"]
    base = _with_table(b"\1\0\0")
    _accept(*base[:4], section(7, vector(entries)), *base[4:])
    _refuse("duplicate export name 'f'", *base[:4], section(7, vector([*entries, name("f") + b"\3\0"])), *base[4:])


@pytest.mark.parametrize(("kind", "noun"), list(enumerate(["function", "table", "memory", "global", "tag"])))
def test_exports_of_what_is_not_there(kind: int, noun: str) -> None:
    _refuse(f"unknown {noun} 7 is exported as 'x'", section(7, vector([name("x") + bytes((kind, 7))])))


def test_mutable_globals_are_exported_only_with_their_proposal() -> None:
    source = module(section(6, vector([I32 + b"\1" + ZERO])), section(7, vector([name("g") + b"\3\0"])))
    validate(source, Features.WASM1)
    with pytest.raises(UnsupportedError, match="mutable-globals"):
        validate(source, Features())


def test_start() -> None:
    functions = section(3, vector([b"\0", b"\1"])), section(10, vector([body(b""), body(b"")]))
    _accept(TYPES, functions[0], section(8, b"\0"), functions[1])
    _refuse("start function must have the type", TYPES, functions[0], section(8, b"\1"), functions[1])
    _refuse("unknown function 2", TYPES, functions[0], section(8, b"\2"), functions[1])


@pytest.mark.parametrize(
    ("id_", "content"),
    [
        (7, vector([name("f") + b"\0\0"])),
        (6, vector([FUNCREF + b"\0\xd2\0" + END])),
        (9, vector([b"\3\0\1\0"])),
        (9, vector([b"\1\0\1\0"])),
        (9, vector([b"\7\x70\1\xd2\0" + END])),
        (4, vector([b"\x40\0\x70\0\1\xd2\0" + END])),
    ],
)
def test_what_declares_a_function_for_references(id_: int, content: bytes) -> None:
    before, after = (TYPES, section(3, b"\1\0")), section(10, vector([body(assemble("ref.func", 0, "drop"))]))
    _accept(*before, section(id_, content), after)
    _refuse("undeclared function reference 0", *before, after)


def test_the_start_does_not_declare() -> None:
    bodies = section(10, vector([body(assemble("ref.func", 0, "drop"))]))
    _refuse("undeclared function reference 0", TYPES, section(3, b"\1\0"), section(8, b"\0"), bodies)


def test_every_body_is_checked() -> None:
    bodies = section(10, vector([body(b""), body(assemble("i32.const", signed(1)))]))
    _refuse(r"type mismatch: .* \(end in function 1\)", TYPES, section(3, b"\2\0\0"), bodies)


@pytest.mark.parametrize(("checked_from", "is_refused"), [(16, False), (18, True), (20, True)])
def test_what_others_have_checked_is_left_to_them(checked_from: int, *, is_refused: bool) -> None:
    """Function 17 of 20 is not valid."""
    contents = [body(assemble("i32.const", signed(1)) if index == 17 else b"") for index in range(20)]
    source = module(TYPES, section(3, vector([b"\0"] * 20)), section(10, vector(contents)))
    checks: list[Callable[[int], None]] = []

    def bodies_follow(check: Callable[[int], None]) -> Callable[[], int]:
        checks.append(check)
        return lambda: checked_from

    if is_refused:
        with pytest.raises(InvalidError, match="end in function 17"):
            validate_module(decode_module(source, ALL), ALL, bodies_follow)
    else:
        validate_module(decode_module(source, ALL), ALL, bodies_follow)
    checks[0](16)
    with pytest.raises(InvalidError, match="end in function 17"):
        checks[0](17)
