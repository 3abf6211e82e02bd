"""Modules as bytes, part by part: for tests of what reads them."""

from __future__ import annotations

from typing import Final

from purewasm.wasm.opcodes import CODE, PREFIX_SHIFT

HEADER: Final = b"\0asm\1\0\0\0"
EMPTY_FUNCTION: Final = b"\x60\0\0"
I32: Final = b"\x7f"
I64: Final = b"\x7e"
F32: Final = b"\x7d"
F64: Final = b"\x7c"
V128: Final = b"\x7b"
FUNCREF: Final = b"\x70"
EXTERNREF: Final = b"\x6f"
ANYREF: Final = b"\x6e"
EXNREF: Final = b"\x69"
END: Final = b"\x0b"


def unsigned(value: int) -> bytes:
    """An unsigned LEB128 integer."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """A signed LEB128 integer."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def vector(items: list[bytes]) -> bytes:
    return unsigned(len(items)) + b"".join(items)


def sized(content: bytes) -> bytes:
    return unsigned(len(content)) + content


def name(text: str) -> bytes:
    return sized(text.encode())


def section(id: int, content: bytes) -> bytes:
    return bytes((id,)) + sized(content)


def custom(text: str, content: bytes) -> bytes:
    return section(0, name(text) + content)


def module(*sections: bytes) -> bytes:
    return HEADER + b"".join(sections)


def function_type(params: bytes = b"", results: bytes = b"") -> bytes:
    """A function type of value types that take a byte each."""
    return b"\x60" + sized(params) + sized(results)


def reference(heap: int, *, null: bool = True) -> bytes:
    """A reference to the defined type with this index, or to the abstract one with this byte (negative)."""
    return (b"\x63" if null else b"\x64") + signed(heap)


def body(code: bytes, locals: list[tuple[int, bytes]] | None = None) -> bytes:
    """A function body; `code` without the final END."""
    runs = [unsigned(count) + valtype for count, valtype in locals or []]
    return sized(vector(runs) + code + END)


def opcode(text: str) -> bytes:
    """The bytes of an opcode, by its name in the table."""
    code = CODE[text]
    return bytes((code,)) if code < 0x100 else bytes((code >> PREFIX_SHIFT,)) + unsigned(code & (1 << PREFIX_SHIFT) - 1)


def assemble(*items: str | int | bytes) -> bytes:
    """Instructions: names of opcodes, unsigned integers, and bytes as they are. `assemble("local.get", 0, "drop")`."""
    return b"".join([opcode(item) if isinstance(item, str) else unsigned(item) if isinstance(item, int) else item for item in items])


def one_function(code: bytes, *, params: bytes = b"", results: bytes = b"", locals: list[tuple[int, bytes]] | None = None) -> bytes:
    """A module of a single function."""
    types = section(1, vector([function_type(params, results)]))
    return module(types, section(3, vector([b"\0"])), section(10, vector([body(code, locals)])))
