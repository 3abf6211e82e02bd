from __future__ import annotations

import pytest

from core.tests.unit.binary.module_bytes import EMPTY_FUNCTION, END, FUNCREF, I32, module, name, section, unsigned, vector
from purewasm.binary.decoder import decode_module
from purewasm.errors import InvalidError, MalformedError, ModuleError, UnsupportedError
from purewasm.wasm import valtypes as vt
from purewasm.wasm.features import Features
from purewasm.wasm.limits import MAX_MEMORIES
from purewasm.wasm.module import FUNC, GLOBAL, MEMORY, TABLE, TAG, Export, GlobalType, Import, Limits, MemoryType, TableType, WasmModule

ALL = Features.all()
TYPES = section(1, vector([EMPTY_FUNCTION]))
ZERO = b"\x41\0" + END


def _decode(id_: int, *entries: bytes, before: bytes = TYPES, features: Features = ALL) -> WasmModule:
    return decode_module(module(before, section(id_, vector(list(entries)))), features)


def _refuse(kind: type[ModuleError], message: str, id_: int, *entries: bytes, features: Features = ALL) -> ModuleError:
    with pytest.raises(kind, match=f"^{message}") as caught:
        _decode(id_, *entries, features=features)
    return caught.value


@pytest.mark.parametrize(
    ("text", "memory"),
    [
        ("00 01", MemoryType(Limits(1, None))),
        ("01 01 02", MemoryType(Limits(1, 2))),
        ("03 01 02", MemoryType(Limits(1, 2), shared=True)),
        ("04 80 80 80 80 10", MemoryType(Limits(1 << 32, None), is_64=True)),
        ("07 00 01", MemoryType(Limits(0, 1), is_64=True, shared=True)),
        ("08 00 00", MemoryType(Limits(0, None), page_size_log2=0)),
        ("09 00 05 10", MemoryType(Limits(0, 5), page_size_log2=16)),
    ],
)
def test_memories(text: str, memory: MemoryType) -> None:
    made = _decode(5, bytes.fromhex(text))
    assert [memory] == made.memories == made.memory_types


@pytest.mark.parametrize("flags", [0x10, 0x20, 0x80, 0xFF])
def test_flags_that_no_memory_has(flags: int) -> None:
    _refuse(MalformedError, f"malformed limits flags 0x{flags:02x} of a memory", 5, bytes((flags, 0, 0)))


@pytest.mark.parametrize("flags", [0x02, 0x08, 0x10, 0x80])
def test_flags_that_no_table_has(flags: int) -> None:
    _refuse(MalformedError, f"malformed limits flags 0x{flags:02x} of a table", 4, FUNCREF + bytes((flags, 0, 0)))


@pytest.mark.parametrize(("text", "feature"), [("03 00 01", "threads"), ("04 00", "memory64"), ("08 00 00", "custom-page-sizes")])
def test_memories_of_proposals_that_are_off(text: str, feature: str) -> None:
    error = _refuse(UnsupportedError, "", 5, bytes.fromhex(text), features=ALL.without(feature))
    assert isinstance(error, UnsupportedError)
    assert feature == error.feature


def test_a_flag_that_is_off_and_followed_by_nothing_is_malformed() -> None:
    _refuse(MalformedError, "malformed limits flags 0x08", 5, b"\x08", features=Features.WASM3)


def test_a_page_size_too_large_for_any_number() -> None:
    _refuse(MalformedError, r"invalid custom page size: 2\*\*65", 5, b"\x08\0\x41")


def test_a_second_memory_or_table_needs_its_proposal() -> None:
    _refuse(UnsupportedError, "multiple memories", 5, b"\0\0", b"\0\0", features=Features.WASM2)
    _refuse(UnsupportedError, "multiple tables", 4, b"\x70\0\0", b"\x70\0\0", features=Features.WASM1)
    assert len(_decode(5, b"\0\0", b"\0\0").memories) == 2


def test_the_number_of_memories_has_a_limit() -> None:
    _decode(5, *[b"\0\0"] * MAX_MEMORIES)
    _refuse(UnsupportedError, "too many memories: 101", 5, *[b"\0\0"] * (MAX_MEMORIES + 1))


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("70 00 0a", TableType(vt.FUNCREF, Limits(10, None))),
        ("6f 01 01 02", TableType(vt.EXTERNREF, Limits(1, 2))),
        ("63 70 05 01 02", TableType(vt.FUNCREF, Limits(1, 2), is_64=True)),
    ],
)
def test_tables(text: str, table: TableType) -> None:
    made = _decode(4, bytes.fromhex(text))
    assert [table] == made.table_types
    assert made.tables[0].init is None


def test_a_table_with_an_initial_value() -> None:
    made = _decode(4, b"\x40\0\x64\x70\0\1" + b"\xd2\0" + END, b"\x70\0\0")
    init = made.tables[0].init
    assert init is not None
    assert made.source[init.start : init.end] == b"\xd2\0" + END
    assert vt.ref_type(vt.FUNC, False) == made.tables[0].type.reftype
    assert made.tables[1].init is None


def test_malformed_tables() -> None:
    _refuse(MalformedError, "malformed table: 0x01 where a zero byte is expected", 4, b"\x40\1\x70\0\1" + ZERO)
    _refuse(MalformedError, "malformed reference type 0x7f", 4, b"\x7f\0\1")
    _refuse(UnsupportedError, "a table with an initial value", 4, b"\x40\0\x70\0\1" + ZERO, features=Features.WASM2)


def test_imports_of_every_kind() -> None:
    entries = [b"\0\0", b"\1\x70\0\1", b"\2\1\1\2", b"\3\x7f\1", b"\4\0\0", b"\0\0"]
    made = _decode(2, *[name("m") + name(f"n{i}") + entry for i, entry in enumerate(entries)])
    function, table, memory = made.types[0], TableType(vt.FUNCREF, Limits(1, None)), MemoryType(Limits(1, 2))
    assert [
        Import("m", "n0", FUNC, function),
        Import("m", "n1", TABLE, table),
        Import("m", "n2", MEMORY, memory),
        Import("m", "n3", GLOBAL, GlobalType(vt.I32, True)),
        Import("m", "n4", TAG, function),
        Import("m", "n5", FUNC, function),
    ] == made.imports
    counts = (made.imported_functions, made.imported_tables, made.imported_memories, made.imported_globals, made.imported_tags)
    assert counts == (2, 1, 1, 1, 1)
    assert ([function, function], [table], [memory]) == (made.func_types, made.table_types, made.memory_types)


def test_malformed_imports() -> None:
    _refuse(MalformedError, "malformed import kind 0x05 of 'm' 'n'", 2, name("m") + name("n") + b"\5\0")
    _refuse(MalformedError, "malformed UTF-8 encoding", 2, b"\1\xff" + name("n") + b"\0\0")
    _refuse(MalformedError, "malformed tag attribute 0x01", 2, name("m") + name("n") + b"\4\1\0")
    _refuse(MalformedError, "malformed mutability 0x02", 2, name("m") + name("n") + b"\3\x7f\2")
    _refuse(InvalidError, "unknown type 1", 2, name("m") + name("n") + b"\0\1")


def test_mutable_globals_cross_modules_only_with_their_proposal() -> None:
    imported = name("m") + name("n") + b"\3\x7f\1"
    error = _refuse(UnsupportedError, "", 2, imported, features=Features())
    assert isinstance(error, UnsupportedError)
    assert error.feature == "mutable-globals"


def test_functions_come_after_imported_ones() -> None:
    types = section(1, vector([EMPTY_FUNCTION, b"\x60\1\x7f\0"]))
    imports = section(2, vector([name("m") + name("n") + b"\0\1"]))
    made = decode_module(module(types, imports, section(3, b"\2\0\1"), section(10, b"\2\2\0\x0b\2\0\x0b")), ALL)
    assert [0, 1] == made.functions
    assert [made.types[1], made.types[0], made.types[1]] == made.func_types


def test_a_function_of_an_unknown_type() -> None:
    _refuse(InvalidError, "unknown type 1: the module has 1", 3, b"\1")


def test_tags() -> None:
    made = _decode(13, b"\0\0")
    assert ([0], made.types) == (made.tags, made.tag_types)


def test_globals_keep_their_expression_in_the_source() -> None:
    made = _decode(6, I32 + b"\1" + b"\x41\x80\x80\1" + END, I32 + b"\0" + ZERO)
    assert [GlobalType(vt.I32, True), GlobalType(vt.I32, False)] == made.global_types
    first, second = (made.source[entry.init.start : entry.init.end] for entry in made.globals)
    assert (first, second) == (b"\x41\x80\x80\1" + END, ZERO)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b"\x41\0", "unexpected end of section or function"),
        (b"\x41", "unexpected end of section or function"),
        (b"\xff\0\x0b", "illegal opcode ff"),
        (b"\xfc\x7f\x0b", "illegal opcode fc 7f"),
        (b"\xfb\x80\x80\1\x0b", "illegal opcode fb 4000"),
        (b"\x41\x80\x80\x80\x80\x08\x0b", "integer too large"),
    ],
)
def test_malformed_expressions(code: bytes, message: str) -> None:
    _refuse(MalformedError, message, 6, I32 + b"\0" + code)


def test_blocks_nest_inside_an_expression() -> None:
    code = b"\x02\x40\x03\x40\x0b\x0b\x41\0\x0b"  # not constant, but well-formed
    made = _decode(6, I32 + b"\0" + code)
    assert code == made.source[made.globals[0].init.start : made.globals[0].init.end]


def test_exports_and_start() -> None:
    sections = section(7, vector([name("f") + b"\0\0", name("") + b"\2" + unsigned(300)])), section(8, b"\x80\2")
    made = decode_module(module(*sections), ALL)
    assert [Export("f", FUNC, 0), Export("", MEMORY, 300)] == made.exports
    assert made.start == 256
    _refuse(MalformedError, "malformed export kind 0x05 of 'f'", 7, name("f") + b"\5\0")
