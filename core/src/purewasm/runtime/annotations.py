"""Function types from the annotations of a Python function."""

from __future__ import annotations

from types import FunctionType

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store.host import wants_caller
from purewasm.wasm.valtypes import VALTYPE_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

_PYTHON_TYPES: Final = {"int": "i64", "float": "f64", "bool": "i32", "bytes": "v128", "object": "externref"}


def signature_of(fn: Callable[..., object]) -> tuple[list[str], list[str]]:
    """(parameter types, result types) of an annotated function, `Caller` left out. `TypeError` says what is missing."""
    function = getattr(fn, "__func__", fn)
    if not isinstance(function, FunctionType):
        raise TypeError(f"{fn!r} has no annotations: use add_function(name, fn, params, results)")
    code = function.__code__
    skip = (0 if function is fn else 1) + wants_caller(fn)
    notes = function.__annotations__
    params = []
    for name in code.co_varnames[skip : code.co_argcount]:
        if name not in notes:
            raise TypeError(f"parameter {name!r} of {function.__qualname__} has no annotation: say i32, i64, f32, f64, v128 or externref")
        params.append(_type_name(notes[name], function.__qualname__))
    return params, _results(notes.get("return"), function.__qualname__)


def _results(note: object, where: str) -> list[str]:
    if note is None or note in ("None", type(None)):
        return []
    if isinstance(note, str):
        text = note.strip()
        head, bracket, inner = text.partition("[")
        if bracket and head.strip().lower().rpartition(".")[2] == "tuple":
            return [_type_name(part, where) for part in inner.rpartition("]")[0].split(",") if part.strip() not in ("", "()")]
        return [_type_name(text, where)]
    if getattr(note, "__origin__", None) is tuple:
        return [_type_name(part, where) for part in getattr(note, "__args__", ())]
    return [_type_name(note, where)]


def _type_name(note: object, where: str) -> str:
    metadata = getattr(note, "__metadata__", None)
    if metadata:
        return str(metadata[0])
    text = note if isinstance(note, str) else getattr(note, "__name__", repr(note))
    name = text.strip().strip("'\"").rpartition(".")[2]
    if name in VALTYPE_BY_NAME:
        return name
    if name in _PYTHON_TYPES:
        return _PYTHON_TYPES[name]
    raise TypeError(
        f"{where}: no WebAssembly type for annotation {text!r}: use i32, i64, f32, f64, v128, externref, int, float, bool"
    )
