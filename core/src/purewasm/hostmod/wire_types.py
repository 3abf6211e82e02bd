"""The types of arguments and results: from the annotations of a Python function to checks of what arrived.

    bool  i32  u32  i64  u64  f64  str  bytes  list[T] of these  value

A result may be a tuple of these: the guest gets an array of the parts. `int` is i64, `float` is f64, `object` is value: anything that
the format carries, checked for depth only. Integers are checked against their width, text has arrived as UTF-8 already.
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Check: TypeAlias = Callable[[object], object]

i32: TypeAlias = Annotated[int, "i32"]  # noqa: PYI042 (the field's own names)
u32: TypeAlias = Annotated[int, "u32"]  # noqa: PYI042
i64: TypeAlias = Annotated[int, "i64"]  # noqa: PYI042
u64: TypeAlias = Annotated[int, "u64"]  # noqa: PYI042
f64: TypeAlias = Annotated[float, "f64"]  # noqa: PYI042

MAX_DEPTH: Final = 32
"""How deep arrays and maps of a `value` may lie in each other."""


class WireTypeError(TypeError):
    """A value that is not of its type; the message says what it should be and what it is."""


class WireType(NamedTuple):
    """A type: its name in an ABI file, and the check that returns a value or raises `WireTypeError`."""

    name: str
    check: Check


def _exact(name: str, kind: type) -> WireType:
    def check(value: object) -> object:
        if type(value) is not kind:
            raise WireTypeError(f"{name} expected, got {_describe(value)}")
        return value

    return WireType(name, check)


def _integer(name: str, low: int, high: int) -> WireType:
    def check(value: object) -> object:
        if type(value) is not int:
            raise WireTypeError(f"{name} expected, got {_describe(value)}")
        if not low <= value <= high:
            raise WireTypeError(f"{name} expected, {low} to {high}, got {value}")
        return value

    return WireType(name, check)


def _check_float(value: object) -> object:
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value)
    raise WireTypeError(f"f64 expected, got {_describe(value)}")


def _check_value(value: object) -> object:
    """Depth and kinds, without recursion: what arrived may be as deep as its sender liked."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[object] = []
        for item in level:
            if type(item) is list or type(item) is tuple:  # an extension type is a tuple of another kind
                inner += item
            elif type(item) is dict:
                if not all(type(key) is str for key in item):
                    raise WireTypeError("value expected, got a map with keys that are no str")
                inner += item.values()
            elif item is not None and type(item) not in (bool, int, float, str, bytes):
                raise WireTypeError(f"value expected, got {_describe(item)}")
        if not inner:
            return value
        level = inner
    raise WireTypeError(f"value expected, nested at most {MAX_DEPTH} deep")


def _list_of(item: WireType) -> WireType:
    name, inner = f"list<{item.name}>", item.check

    def check(value: object) -> object:
        if type(value) is not list:
            raise WireTypeError(f"{name} expected, got {_describe(value)}")
        return [inner(part) for part in value]

    return WireType(name, check)


def _tuple_of(items: tuple[WireType, ...]) -> WireType:
    name, checks = f"({', '.join(item.name for item in items)})", tuple(item.check for item in items)

    def check(value: object) -> object:
        if not isinstance(value, tuple) or len(value) != len(checks):
            raise WireTypeError(f"{name} expected, got {_describe(value)}")
        return [one(part) for one, part in zip(checks, value, strict=True)]

    return WireType(name, check)


def _describe(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text[:40]}{'…' if len(text) > 40 else ''}"


NOTHING: Final = _exact("nothing", type(None))
SCALARS: Final[dict[str, WireType]] = {
    "bool": _exact("bool", bool),
    "i32": _integer("i32", -(1 << 31), (1 << 31) - 1),
    "u32": _integer("u32", 0, (1 << 32) - 1),
    "i64": _integer("i64", -(1 << 63), (1 << 63) - 1),
    "u64": _integer("u64", 0, (1 << 64) - 1),
    "f64": WireType("f64", _check_float),
    "str": _exact("str", str),
    "bytes": _exact("bytes", bytes),
}
VALUE: Final = WireType("value", _check_value)
_PYTHON_NAMES: Final[dict[object, str]] = {bool: "bool", int: "i64", float: "f64", str: "str", bytes: "bytes"}


def wire_type(annotation: object, where: str) -> WireType:
    """The type that an annotation stands for. `TypeError` names `where` for one that is none."""
    metadata = getattr(annotation, "__metadata__", ())
    name = metadata[0] if metadata else _PYTHON_NAMES.get(annotation)
    if isinstance(name, str) and name in SCALARS:
        return SCALARS[name]
    if annotation is object:
        return VALUE
    if typing.get_origin(annotation) is list:
        return _list_of(wire_type(typing.get_args(annotation)[0], where))
    known = "bool, i32, u32, i64, u64, f64, str, bytes or a list of these"
    raise TypeError(f"{where}: no type of the ABI for annotation {annotation!r}: use {known}")


def result_type(annotation: object, where: str) -> WireType:
    """The same for what a function returns: None and tuples too."""
    if annotation is None or annotation is type(None):
        return NOTHING
    if typing.get_origin(annotation) is tuple:
        return _tuple_of(tuple(wire_type(part, where) for part in typing.get_args(annotation)))
    return wire_type(annotation, where)
