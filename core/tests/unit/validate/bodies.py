"""One function body validated in a module that has something of everything.

Types: 0 `[f32] -> []`, 1 `[] -> []`, 2 `[i32] -> [i64]`, 3 a structure (mut i32, mut i8, f64), 4 an array of mut i32, 5 of i8,
6 of mut funcref, 7 an open structure without fields, 8 a structure (i32) under it, 9 a structure ((ref 3)), 10 `[i64 i32] -> [i32 i64]`,
11 `[i32] -> []`, 12 an array of mut (ref null 7), 13 an array of mut (ref null 8), 14 `[] -> [(ref 1)]`, 15 the function's own.
Functions: 0 of type 1 (declared), 1 of type 2, 2 the one under test, 3 of type 10, 4 of type 14.
Tables: 0 of funcref, 1 of externref, 2 of funcref with 64-bit indices, 3 of (ref null 1). Memories: 0 plain, 1 of 64 bits, 2 shared.
Tags: 0 without values, 1 with an i32. Globals: 0 i32, 1 mut i64, 2 mut funcref, 3 mut (ref 1).
Element segments: 0 of functions, 1 of externref. Data segments: 0.
"""

from __future__ import annotations

from typing import Final

import pytest

from core.tests.unit.binary.module_bytes import (
    END,
    EXTERNREF,
    F32,
    F64,
    FUNCREF,
    I32,
    I64,
    assemble,
    body,
    function_type,
    module,
    name,
    reference,
    section,
    vector,
)
from purewasm.binary.decoder import decode_module
from purewasm.errors import InvalidError, MalformedError, ModuleError, UnsupportedError
from purewasm.validate.module import validate_module
from purewasm.wasm.features import Features

ALL: Final = Features.all()
EMPTY_BLOCK: Final = b"\x40"
I8: Final = b"\x78"
_MUTABLE: Final = b"\1"
_CONST: Final = b"\0"
_UNREACHABLE: Final = body(b"\0")

OWN_TYPE: Final = 15
_TYPES: Final = [
    function_type(F32),
    function_type(),
    function_type(I32, I64),
    b"\x5f\3" + I32 + _MUTABLE + I8 + _MUTABLE + F64 + _CONST,
    b"\x5e" + I32 + _MUTABLE,
    b"\x5e" + I8 + _CONST,
    b"\x5e" + FUNCREF + _MUTABLE,
    b"\x50\0\x5f\0",
    b"\x50\1\7\x5f\1" + I32 + _CONST,
    b"\x5f\1" + reference(3, null=False) + _CONST,
    function_type(I64 + I32, I32 + I64),
    function_type(I32),
    b"\x5e" + reference(7) + _MUTABLE,
    b"\x5e" + reference(8) + _MUTABLE,
    b"\x60\0\1" + reference(1, null=False),
]


def around(code: bytes, *, signature: bytes, locals: list[tuple[int, bytes]] | None = None, data_count: bool = True) -> bytes:
    """The module with `code` as the body of function 2, whose type is `signature`."""
    return module(
        section(1, vector([*_TYPES, signature])),
        section(2, vector([name("m") + name("f") + b"\0\1", name("m") + name("g") + b"\0\2"])),
        section(3, vector([bytes((OWN_TYPE,)), b"\x0a", b"\x0e"])),
        section(4, vector([FUNCREF + b"\0\1", EXTERNREF + b"\0\1", FUNCREF + b"\4\1", reference(1) + b"\0\1"])),
        section(5, vector([b"\0\1", b"\4\1", b"\3\1\2"])),
        section(13, vector([b"\0\1", b"\0\x0b"])),
        section(
            6,
            vector(
                [
                    I32 + b"\0\x41\0" + END,
                    I64 + b"\1\x42\0" + END,
                    FUNCREF + b"\1\xd0\x70" + END,
                    reference(1, null=False) + b"\1\xd2\0" + END,
                ]
            ),
        ),
        section(9, vector([b"\1\0\1\0", b"\5" + EXTERNREF + b"\0"])),
        section(12, b"\1") if data_count else b"",
        section(10, vector([body(code, locals), _UNREACHABLE, _UNREACHABLE])),
        section(11, vector([b"\1\1x"])),
    )


def validate(source: bytes, features: Features = ALL) -> None:
    validate_module(decode_module(source, features), features)


def accept(
    *items: str | int | bytes,
    params: bytes = b"",
    results: bytes = b"",
    locals: list[tuple[int, bytes]] | None = None,
    signature: bytes | None = None,
    features: Features = ALL,
) -> None:
    """The body is valid. `params` and `results` are types of a byte each; `signature` a whole function type instead."""
    validate(around(assemble(*items), signature=signature or function_type(params, results), locals=locals), features)


def refuse(
    message: str,
    *items: str | int | bytes,
    params: bytes = b"",
    results: bytes = b"",
    locals: list[tuple[int, bytes]] | None = None,
    signature: bytes | None = None,
    kind: type[ModuleError] = InvalidError,
    features: Features = ALL,
) -> ModuleError:
    """The body is refused with a message that begins like this (a regular expression), at an offset."""
    source = around(assemble(*items), signature=signature or function_type(params, results), locals=locals)
    with pytest.raises(kind, match=f"^{message}") as caught:
        validate(source, features)
    assert caught.value.offset is not None
    return caught.value


def malformed(message: str, *items: str | int | bytes) -> ModuleError:
    """As `refuse`, for what is malformed inside the body."""
    return refuse(message, *items, kind=MalformedError)


def needs(feature: str, *items: str | int | bytes, results: bytes = b"") -> None:
    """The body is refused because a proposal is off that it needs."""
    error = refuse("", *items, results=results, kind=UnsupportedError, features=ALL.without(feature))
    assert isinstance(error, UnsupportedError)
    assert feature == error.feature
