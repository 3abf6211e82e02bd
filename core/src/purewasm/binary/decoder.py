"""Bytes of a module to `WasmModule` (spec: binary format, modules).

Everything outside function bodies is read, strictly; bodies are found, not read. A module that comes out has the form of one;
whether it is valid is for `purewasm.validate` to say, which also finds what is malformed inside bodies.
"""

from __future__ import annotations

from purewasm.binary import leb, sections, segments, types
from purewasm.binary.gate import need, refuse_above
from purewasm.binary.reader import LENGTH_OUT_OF_BOUNDS, UNEXPECTED_END, Reader, integer_at
from purewasm.binary.types import TypeSpace
from purewasm.errors import MalformedError, ModuleError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm.features import BULK_MEMORY, EXCEPTIONS, LEGACY_EXCEPTIONS, Features
from purewasm.wasm.limits import MAX_MODULE_BYTES
from purewasm.wasm.module import CustomSection, WasmModule

if TYPE_CHECKING:
    from collections.abc import Callable

    SectionDecoder = Callable[[Reader, WasmModule, TypeSpace], None]

MAGIC: Final = b"\0asm"
VERSION: Final = b"\x01\0\0\0"
_COMPONENT_VERSION: Final = b"\x0d\0\x01\0"
_HEADER_BYTES: Final = len(MAGIC) + len(VERSION)

_CUSTOM: Final = 0
_TAG: Final = 13
_CODE: Final = 10
_DATA: Final = 11
_DATA_COUNT: Final = 12

# Sections in the order in which a module has them: id and what reads it. Code and data are read in place, see `_decode_section`.
_SECTIONS: Final[tuple[tuple[int, str, SectionDecoder | None], ...]] = (
    (1, "type", types.decode_type_section),
    (2, "import", sections.decode_import_section),
    (3, "function", sections.decode_function_section),
    (4, "table", sections.decode_table_section),
    (5, "memory", sections.decode_memory_section),
    (_TAG, "tag", sections.decode_tag_section),
    (6, "global", sections.decode_global_section),
    (7, "export", sections.decode_export_section),
    (8, "start", sections.decode_start_section),
    (9, "element", segments.decode_element_section),
    (_DATA_COUNT, "data count", sections.decode_data_count_section),
    (_CODE, "code", None),
    (_DATA, "data", None),
)
_ORDER: Final = {id_: place for place, (id_, _, _) in enumerate(_SECTIONS, 1)}


def decode_module(source: bytes, features: Features, *, known: bool = False) -> WasmModule:
    """The module that `source` holds. Of one that is `known` to be valid less is read: the locals of bodies when they are looked at.

    Raises MalformedError for bytes that are no module, UnsupportedError for a proposal that is not in `features` and for
    implementation limits, InvalidError for types that do not exist (they cannot even be represented).
    """
    refuse_above(MAX_MODULE_BYTES, len(source), "bytes in a module")
    _check_header(source)
    module = WasmModule(source)
    space = TypeSpace(module.types, features.bits)
    try:
        _decode_sections(module, space, known)
        _check_counts(module)
    except MalformedError:
        segments.check_form(module)  # a bad body before it is the better message
        raise
    return module


def _decode_sections(module: WasmModule, space: TypeSpace, known: bool) -> None:
    source, position, last = module.source, _HEADER_BYTES, _CUSTOM
    while position < len(source):
        id_, start, end = _section_header(source, position)
        if id_ == _CUSTOM:
            module.customs.append(_custom_section(source, start, end, last))
        else:
            if last and _ORDER[id_] <= _ORDER[last]:
                name, before = _SECTIONS[_ORDER[id_] - 1][1], _SECTIONS[_ORDER[last] - 1][1]
                raise MalformedError(f"unexpected content after last section: {name} section after {before} section", offset=position)
            last = id_
            _decode_section(id_, start, end, module, space, known)
        position = end


def _check_header(source: bytes) -> None:
    magic, version = source[: len(MAGIC)], source[len(MAGIC) : _HEADER_BYTES]
    if len(magic) < len(MAGIC):
        raise MalformedError(f"{UNEXPECTED_END}: a module begins with 8 bytes, and here are {len(source)}", offset=len(source))
    if magic != MAGIC:
        raise MalformedError(f"magic header not detected: a module begins with 00 61 73 6d, this with {magic.hex(' ')}", offset=0)
    if len(version) < len(VERSION):
        raise MalformedError(f"{UNEXPECTED_END}: a module begins with 8 bytes, and here are {len(source)}", offset=len(source))
    if version != VERSION:
        hint = ": this is a component, not a core module" if version == _COMPONENT_VERSION else f" {version.hex(' ')}"
        raise MalformedError(f"unknown binary version{hint}", offset=len(MAGIC))


def _section_header(source: bytes, position: int) -> tuple[int, int, int]:
    """(id, start of the content, end of the content) of the section at `position`."""
    id_ = source[position]
    if id_ != _CUSTOM and id_ not in _ORDER:
        raise MalformedError(f"malformed section id {id_}", offset=position)
    try:
        size, start = integer_at(source, position + 1, len(source))
    except StopIteration:
        raise MalformedError(f"{UNEXPECTED_END}: no size of the section", offset=len(source)) from None
    except MalformedError as error:
        error.offset = position + 1
        raise
    if size > len(source) - start:
        left = len(source) - start
        raise MalformedError(f"{LENGTH_OUT_OF_BOUNDS}: a section of {size} bytes where {left} are left", offset=position + 1)
    return id_, start, start + size


def _decode_section(id_: int, start: int, end: int, module: WasmModule, space: TypeSpace, known: bool) -> None:
    _, name, decode = _SECTIONS[_ORDER[id_] - 1]
    try:
        if id_ == _TAG:
            need(space.enabled, EXCEPTIONS | LEGACY_EXCEPTIONS, "a tag section")
        elif id_ == _DATA_COUNT:
            need(space.enabled, BULK_MEMORY, "a data count section")
        if decode is not None:
            _decode_from_reader(Reader(module.source, start, end), decode, module, space)
        elif id_ == _CODE:
            segments.decode_code_section(module.source, start, end, module, space, known=known)
        else:
            segments.decode_data_section(module.source, start, end, module, space)
    except StopIteration:
        raise MalformedError(f"{UNEXPECTED_END}: the {name} section ends too early", offset=end) from None
    except ModuleError as error:
        if error.offset is None:
            error.offset = start
        error.message = f"{error.message} ({name} section)"
        raise


def _decode_from_reader(reader: Reader, decode: SectionDecoder, module: WasmModule, space: TypeSpace) -> None:
    """One section from its first byte to its last."""
    try:
        decode(reader, module, space)
        if reader.remaining > 0:
            raise MalformedError(f"section size mismatch: {reader.remaining} bytes behind the last element", offset=reader.position)
    except ModuleError as error:
        # Behind the end of the section only a bad integer or length says more than that the section is too short.
        if reader.remaining < 0 and not error.message.startswith((leb.TOO_LONG, leb.TOO_LARGE, LENGTH_OUT_OF_BOUNDS)):
            raise StopIteration from None
        if error.offset is None:
            error.offset = max(reader.position - 1, reader.start)
        raise
    if reader.remaining < 0:
        raise StopIteration


def _custom_section(source: bytes, start: int, end: int, after: int) -> CustomSection:
    try:
        # The name is read from a reader of its own: the contents of the section may be large.
        size, begin = integer_at(source, start, end)
        name = Reader(source, start, min(begin + size, end)).name()
    except StopIteration:
        raise MalformedError(f"{UNEXPECTED_END}: a custom section without a name", offset=end) from None
    except ModuleError as error:
        error.offset = start
        raise
    return CustomSection(name, source[begin + size : end], after)


def _check_counts(module: WasmModule) -> None:
    """Numbers that two sections state must agree."""
    if len(module.functions) != len(module.codes):
        raise MalformedError(
            "function and code section have inconsistent lengths: "
            f"{len(module.functions)} functions are declared and {len(module.codes)} bodies are there"
        )
    if module.data_count is not None and module.data_count != len(module.data):
        raise MalformedError(
            "data count and data section have inconsistent lengths: "
            f"{module.data_count} segments are announced and {len(module.data)} are there"
        )
