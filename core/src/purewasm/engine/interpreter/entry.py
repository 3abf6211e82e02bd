"""Public entries: what `Function.invoke` is for a guest's function.

An entry checks and converts the arguments, calls, and converts results and errors. It is one Python function made for the function's
type, because a loop over types would cost more than the call. The entry of a function that calls others also makes room for the
guest's recursion (`depth`); a leaf needs none.
"""

from __future__ import annotations

from types import FunctionType

from purewasm.engine.interpreter import depth
from purewasm.engine.interpreter.backtrace import ENTRY, explain
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.store.values import raw_f32, raw_f64, raw_i32, raw_i64, raw_v128, signed_32, signed_64, to_raw
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.store.function import Function
    from purewasm.wasm.deftypes import FuncType

# How an argument that needs no conversion is told: the usual case takes one test.
_CHECKS: Final = {
    vt.I32: "  if type(x{i}) is not int or not 0 <= x{i} <= 1073741823: x{i} = raw_i32(x{i})",
    vt.I64: "  if type(x{i}) is not int or not 0 <= x{i} <= 1073741823: x{i} = raw_i64(x{i})",
    vt.F32: "  x{i} = raw_f32(x{i})",
    vt.F64: "  if type(x{i}) is not float: x{i} = raw_f64(x{i})",
    vt.V128: "  x{i} = raw_v128(x{i})",
}
_RESULTS: Final = {
    vt.I32: "{r} if {r} <= 1073741823 else signed_32({r})",
    vt.I64: "{r} if {r} <= 1073741823 else signed_64({r})",
}
_NAMES: Final[dict[str, object]] = {
    "__name__": __name__,
    "BaseException": BaseException,
    "enter": depth.enter,
    "explain": explain,
    "int": int,
    "leave": depth.leave,
    "float": float,
    "raw_f32": raw_f32,
    "raw_f64": raw_f64,
    "raw_i32": raw_i32,
    "raw_i64": raw_i64,
    "raw_v128": raw_v128,
    "signed_32": signed_32,
    "signed_64": signed_64,
    "type": type,
}
_Shape = tuple[tuple[int, ...], tuple[int, ...], bool]
_makers: Final[dict[_Shape, Callable[..., FunctionType]]] = {}


def _kind(valtype: int) -> int:
    """A type as far as the text of an entry depends on it: all references are alike."""
    return valtype if valtype < vt.REF_BASE else vt.EXTERNREF


def _source(params: tuple[int, ...], results: tuple[int, ...], leaf: bool) -> str:
    names = [f"x{i}" for i in range(len(params))]
    lines = ["def make(function, frames, convert):", f" def invoke({', '.join(names)}):"]
    for i, kind in enumerate(params):
        lines.append(_CHECKS.get(kind, "  x{i} = convert[{i}](x{i})").format(i=i))
    if not leaf:
        lines.append("  depth = enter(frames)")
    lines += [
        f"  try: r = function.raw({', '.join(names)})",
        "  except BaseException as error:",
        "   other = explain(error)",
        "   if other is None: raise",
        "   raise other from other.__cause__",
    ]
    if not leaf:
        # once more where a signal handler raises in the midst of it
        lines += ["  finally:", "   try: leave(depth)", "   except BaseException:", "    leave(depth)", "    raise"]
    if len(results) == 1:
        lines.append(f"  return {_RESULTS.get(results[0], '{r}').format(r='r')}")
    elif results:
        parts = [_RESULTS.get(kind, "{r}").format(r=f"y{i}") for i, kind in enumerate(results)]
        lines.append(f"  {', '.join(f'y{i}' for i in range(len(results)))} = r")
        lines.append(f"  return ({', '.join(parts)})")
    lines.append(" return invoke")
    return "\n".join(lines) + "\n"


def _maker(functype: FuncType, leaf: bool) -> Callable[..., FunctionType]:
    shape = tuple(map(_kind, functype.params)), tuple(map(_kind, functype.results)), leaf
    known = _makers.get(shape)
    if known is None:
        namespace = dict(_NAMES)
        exec(compile(_source(*shape), ENTRY, "exec"), namespace)
        made = namespace["make"]
        assert isinstance(made, FunctionType)
        known = _makers[shape] = made
    return known


def make_entry(function: Function, frames: int, leaf: bool) -> Callable[..., object]:
    """The public entry of a function whose `raw` is set; `frames`: room for recursion."""
    functype = function.deftype.func
    convert = tuple(map(to_raw, functype.params))
    invoke = _maker(functype, leaf)(function, frames, convert)
    invoke.__name__ = invoke.__qualname__ = function.name or f"func[{function.index}]"  # in the message of a wrong number of arguments
    return invoke


def call_raw(function: Function, arguments: tuple[object, ...], frames: int) -> object:
    """Call with raw arguments from outside of the guest; errors come out as they do of an entry."""
    before = depth.enter(frames)
    try:
        return function.raw(*arguments)
    except BaseException as error:
        other = explain(error)
        if other is None:
            raise
        raise other from other.__cause__
    finally:
        depth.leave(before)
