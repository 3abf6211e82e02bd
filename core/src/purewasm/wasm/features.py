"""Proposals that can be switched on and off one by one.

`Features` is an immutable set of proposal names. A proposal that has been merged into a version of the spec belongs to
`Features.WASM1`, `.WASM2` or `.WASM3`; the others (`threads`, `legacy-exceptions`, `custom-page-sizes`, `wide-arithmetic`)
are off until asked for.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, ClassVar, Final, final

if TYPE_CHECKING:
    from collections.abc import Iterator

# One bit per proposal; the order is the order of the version that took it in.
_WASM1: Final = ("mutable-globals",)
_WASM2: Final = ("sign-extension", "saturating-float-to-int", "multi-value", "reference-types", "bulk-memory", "simd")
_WASM3: Final = (
    "extended-const",
    "tail-call",
    "multi-memory",
    "memory64",
    "function-references",
    "gc",
    "exceptions",
    "relaxed-simd",
)
_OPT_IN: Final = ("threads", "legacy-exceptions", "custom-page-sizes", "wide-arithmetic")
NAMES: Final = _WASM1 + _WASM2 + _WASM3 + _OPT_IN

BIT: Final = {name: 1 << i for i, name in enumerate(NAMES)}
MVP: Final = 0
SIGN_EXTENSION: Final = BIT["sign-extension"]
SATURATING: Final = BIT["saturating-float-to-int"]
MULTI_VALUE: Final = BIT["multi-value"]
MUTABLE_GLOBALS: Final = BIT["mutable-globals"]
REFERENCE_TYPES: Final = BIT["reference-types"]
BULK_MEMORY: Final = BIT["bulk-memory"]
SIMD: Final = BIT["simd"]
EXTENDED_CONST: Final = BIT["extended-const"]
TAIL_CALL: Final = BIT["tail-call"]
MULTI_MEMORY: Final = BIT["multi-memory"]
MEMORY64: Final = BIT["memory64"]
FUNCTION_REFERENCES: Final = BIT["function-references"]
GC: Final = BIT["gc"]
EXCEPTIONS: Final = BIT["exceptions"]
RELAXED_SIMD: Final = BIT["relaxed-simd"]
THREADS: Final = BIT["threads"]
LEGACY_EXCEPTIONS: Final = BIT["legacy-exceptions"]
CUSTOM_PAGE_SIZES: Final = BIT["custom-page-sizes"]
WIDE_ARITHMETIC: Final = BIT["wide-arithmetic"]


def name_of(bit: int) -> str:
    """Name of the proposal with this bit (of the lowest one, if there are several)."""
    return NAMES[(bit & -bit).bit_length() - 1]


@final
class Features:
    """An immutable set of proposals. `"simd" in features`, iteration and comparison work as for a set of names."""

    __slots__ = ("bits",)
    bits: int
    WASM1: ClassVar[Features]
    WASM2: ClassVar[Features]
    WASM3: ClassVar[Features]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "bits", _bits(names))

    @classmethod
    def from_bits(cls, bits: int) -> Features:
        """The set with these bits (the constants of this module)."""
        made = cls()
        object.__setattr__(made, "bits", bits)
        return made

    @classmethod
    def all(cls) -> Features:
        """Every proposal that purewasm knows, also those that no version of the spec has taken in yet."""
        return cls(*NAMES)

    def with_(self, *names: str) -> Features:
        """This set and the named proposals. ValueError for a name that nobody knows."""
        return Features.from_bits(self.bits | _bits(names))

    def without(self, *names: str) -> Features:
        """This set less the named proposals. ValueError for a name that nobody knows."""
        return Features.from_bits(self.bits & ~_bits(names))

    def __contains__(self, name: str) -> bool:
        return bool(self.bits & _bits((name,)))

    def __iter__(self) -> Iterator[str]:
        return (name for name in NAMES if self.bits & BIT[name])

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Features) and self.bits == other.bits

    def __hash__(self) -> int:
        return hash(self.bits)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Features is immutable: use with_() or without()")

    def __reduce__(self) -> tuple[object, ...]:
        return (Features, tuple(self))

    def __repr__(self) -> str:
        return f"Features({', '.join(map(repr, self))})"


def _bits(names: tuple[str, ...]) -> int:
    bits = 0
    for name in names:
        bit = BIT.get(name)
        if bit is None:
            raise ValueError(f"unknown feature {name!r}: one of {', '.join(NAMES)}")
        bits |= bit
    return bits


Features.WASM1 = Features(*_WASM1)
Features.WASM2 = Features(*_WASM1, *_WASM2)
Features.WASM3 = Features(*_WASM1, *_WASM2, *_WASM3)
