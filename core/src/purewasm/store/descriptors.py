"""Types as users see them: value types are strings (`"i32"`, `"(ref null func)"`), the rest small named tuples."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, NamedTuple
from purewasm.wasm import module as wm
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import DefType, FuncType, func_type

if TYPE_CHECKING:
    from collections.abc import Iterable


class FunctionType(NamedTuple):
    """Parameter and result types of a function; `names` are the parameters' names where the name section has them."""

    params: tuple[str, ...]
    results: tuple[str, ...]
    names: tuple[str | None, ...] = ()

    def __str__(self) -> str:
        names = self.names or (None,) * len(self.params)
        params = ", ".join(f"{name}: {t}" if name else t for name, t in zip(names, self.params, strict=True))
        results = ", ".join(self.results)
        return f"({params}) -> {results if len(self.results) == 1 else f'({results})'}"


def describe_function(type: FuncType, names: tuple[str | None, ...] = ()) -> FunctionType:
    """The public form of a function type."""
    return FunctionType(tuple(map(vt.format_type, type.params)), tuple(map(vt.format_type, type.results)), names)


def parse_valtype(name: str) -> int:
    """The value type of a name such as `"i32"` or `"externref"`. ValueError for any other."""
    found = vt.VALTYPE_BY_NAME.get(name)
    if found is None:
        raise ValueError(f"unknown value type {name!r}: one of {', '.join(vt.VALTYPE_BY_NAME)}")
    return found


def parse_function_type(params: Iterable[str], results: Iterable[str]) -> DefType:
    """The canonical function type of two sequences of names."""
    for names in (params, results):
        if isinstance(names, str):
            raise TypeError(f'types are a sequence of names, such as ["i32", "i64"], not one text: {names!r}')
    return func_type(tuple(map(parse_valtype, params)), tuple(map(parse_valtype, results)))


def format_extern_type(kind: int, type: object) -> str:
    """Text of an import's or export's type, for messages and listings."""
    if isinstance(type, DefType):
        text = str(describe_function(type.func))
        return f"{wm.KIND_NAMES[kind]} {text if kind == wm.FUNC else text.partition(' -> ')[0]}"
    if isinstance(type, wm.MemoryType):
        return f"memory{' i64' if type.is_64 else ''} {_format_limits(type.limits)} pages{' shared' if type.shared else ''}"
    if isinstance(type, wm.TableType):
        return f"table{' i64' if type.is_64 else ''} {_format_limits(type.limits)} {vt.format_type(type.reftype)}"
    if isinstance(type, wm.GlobalType):
        return f"global {'mut ' if type.mutable else ''}{vt.format_type(type.valtype)}"
    return wm.KIND_NAMES[kind]


def _format_limits(limits: wm.Limits) -> str:
    return f"{limits.min}" if limits.max is None else f"{limits.min} to {limits.max}"
