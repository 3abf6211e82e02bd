"""The types of the subset, and what WebAssembly makes of each.

| type | on the stack | in memory |
| --- | --- | --- |
| i32 u32 i64 u64 f32 f64 | itself | 4 or 8 bytes |
| bool | i32, 0 or 1 | 1 byte |
| str, bytes | i32, an address | u32 bytes, u32 characters, the bytes (of a str in UTF-8) |
| list, tuple | i32, an address | u32 items, u32 room, u32 address of the items |
| dataclass | i32, an address | the fields, each at a multiple of its size |
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Type:
    """A type: its name in Python, WebAssembly's value type ("" for None), and its size in memory."""

    name: str
    wasm: str
    size: int

    @property
    def load(self) -> str:
        """The instruction that reads one from memory."""
        return "i32.load8_u" if self.size == 1 else f"{self.wasm}.load"

    @property
    def store(self) -> str:
        """The instruction that writes one to memory."""
        return "i32.store8" if self.size == 1 else f"{self.wasm}.store"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Integer(Type):
    """A whole number."""

    is_signed: bool

    @property
    def bits(self) -> int:
        """32 or 64."""
        return self.size * 8

    @property
    def sign(self) -> str:
        """The ending of instructions that care."""
        return "_s" if self.is_signed else "_u"

    @property
    def lowest(self) -> int:
        """The least value."""
        return -(1 << (self.bits - 1)) if self.is_signed else 0

    @property
    def highest(self) -> int:
        """The greatest value."""
        return self.lowest + (1 << self.bits) - 1

    def wrap(self, value: int) -> int:
        """The value that `value` becomes in this width."""
        return (value - self.lowest) % (1 << self.bits) + self.lowest


@dataclass(frozen=True)
class Float(Type):
    """A floating-point number."""


@dataclass(frozen=True)
class Sequence(Type):
    """A list, or a tuple of any number of items of one type, which does not change."""

    item: Type
    is_fixed: bool


@dataclass(frozen=True, eq=False)
class Struct(Type):
    """A dataclass; `fields` fill up after all classes are known, for they may name each other."""

    fields: dict[str, Field] = field(default_factory=dict)
    methods: dict[str, object] = field(default_factory=dict)
    """The functions that are called on one."""

    @property
    def total_bytes(self) -> int:
        """The size of one."""
        return max((part.offset + part.type.size for part in self.fields.values()), default=0)

    def add(self, name: str, kind: Type, default: ast.expr | None) -> None:
        """Put a field after those that there are."""
        offset = -(-self.total_bytes // kind.size) * kind.size
        self.fields[name] = Field(kind, offset, default)


@dataclass(frozen=True)
class Field:
    """A field of a dataclass."""

    type: Type
    offset: int
    default: ast.expr | None


I32: Final = Integer("i32", "i32", 4, True)
U32: Final = Integer("u32", "i32", 4, False)
I64: Final = Integer("i64", "i64", 8, True)
U64: Final = Integer("u64", "i64", 8, False)
F32: Final = Float("f32", "f32", 4)
F64: Final = Float("f64", "f64", 8)
BOOL: Final = Type("bool", "i32", 1)
STR: Final = Type("str", "i32", 4)
BYTES: Final = Type("bytes", "i32", 4)
NONE: Final = Type("None", "", 0)
WHOLE: Final = Type("int literal", "", 0)
"""A whole number in the source, which takes the type that its place asks for; int (i64) where none does."""
FRACTION: Final = Type("float literal", "", 0)
"""The same of a number with a fraction: f32 or f64."""

TYPES: Final[dict[str, Type]] = {
    **{kind.name: kind for kind in (I32, U32, I64, U64, F32, F64, BOOL, STR, BYTES)},
    "int": I64,
    "float": F64,
}


def list_of(item: Type) -> Sequence:
    """The type `list[item]`."""
    return Sequence(f"list[{item}]", "i32", 4, item, False)


def tuple_of(item: Type) -> Sequence:
    """The type `tuple[item, ...]`."""
    return Sequence(f"tuple[{item}, ...]", "i32", 4, item, True)


def is_number(kind: Type) -> bool:
    """Arithmetic applies."""
    return isinstance(kind, Integer | Float) or kind in (WHOLE, FRACTION)


def is_text(kind: Type) -> bool:
    """`str` and `bytes`, which lie in memory alike."""
    return kind in (STR, BYTES)


def is_reference(kind: Type) -> bool:
    """Values are addresses of memory that the arena gave."""
    return is_text(kind) or isinstance(kind, Sequence | Struct)
