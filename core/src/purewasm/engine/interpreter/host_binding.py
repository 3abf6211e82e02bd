"""Host functions as guests call them: raw arguments in, the host's Python values around, raw results out.

Like an entry (`entry`), each is one Python function made for its type. An exception of the host passes through unchanged.
"""

from __future__ import annotations

from types import FunctionType

from purewasm.engine.interpreter import depth
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn
from purewasm.store.function import Function
from purewasm.store.host import Caller
from purewasm.store.values import raw_f32, raw_f64, raw_i32, raw_i64, raw_v128, signed_32, signed_64, to_public, to_raw
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from purewasm.store.host import HostFunction
    from purewasm.store.instance import Instance
    from purewasm.wasm.deftypes import FuncType

_ARGUMENTS: Final = {
    vt.I32: "{x} if {x} <= 1073741823 else signed_32({x})",
    vt.I64: "{x} if {x} <= 1073741823 else signed_64({x})",
}
_RESULTS: Final = {
    vt.I32: "{r} if type({r}) is int and 0 <= {r} <= 1073741823 else raw_i32({r})",
    vt.I64: "{r} if type({r}) is int and 0 <= {r} <= 1073741823 else raw_i64({r})",
    vt.F32: "raw_f32({r})",
    vt.F64: "{r} if type({r}) is float else raw_f64({r})",
    vt.V128: "raw_v128({r})",
}


def _wrong_result(host: HostFunction, result: object) -> NoReturn:
    count = len(host.deftype.func.results)
    wanted = "None" if not count else f"a tuple of {count} values"
    raise TypeError(f"host function {host.module}.{host.name} must return {wanted}, got {type(result).__name__}: {result!r}")


_NAMES: Final[dict[str, object]] = {
    "__name__": __name__,
    "float": float,
    "int": int,
    "len": len,
    "list": list,
    "lower_limit": depth.lower_limit,
    "raise_limit": depth.raise_limit,
    "raw_f32": raw_f32,
    "raw_f64": raw_f64,
    "raw_i32": raw_i32,
    "raw_i64": raw_i64,
    "raw_v128": raw_v128,
    "signed_32": signed_32,
    "signed_64": signed_64,
    "tuple": tuple,
    "type": type,
    "wrong_result": _wrong_result,
}
_Shape = tuple[tuple[int, ...], tuple[int, ...], bool]
_makers: Final[dict[_Shape, FunctionType]] = {}


def _source(params: tuple[int, ...], results: tuple[int, ...], with_caller: bool) -> str:
    names = [f"x{i}" for i in range(len(params))]
    values = ["caller"] if with_caller else []
    values += [_ARGUMENTS.get(kind, "{x}").format(x=name) for name, kind in zip(names, params, strict=True)]
    lines = [
        "def make(fn, caller, convert, host):",
        f" def raw({', '.join(names)}):",
        "  lowered = lower_limit()",
        f"  try: r = fn({', '.join(values)})",
        "  finally:",
        "   if lowered: raise_limit()",
    ]
    if not results:
        lines.append("  if r is not None: wrong_result(host, r)")
    elif len(results) == 1:
        lines.append(f"  return {_RESULTS.get(results[0], 'convert[0]({r})').format(r='r')}")
    else:
        lines.append(f"  if type(r) not in (tuple, list) or len(r) != {len(results)}: wrong_result(host, r)")
        parts = [_RESULTS.get(kind, f"convert[{i}]({{r}})").format(r=f"y{i}") for i, kind in enumerate(results)]
        lines.append(f"  {', '.join(f'y{i}' for i in range(len(results)))} = r")
        lines.append(f"  return ({', '.join(parts)})")
    lines.append(" return raw")
    return "\n".join(lines) + "\n"


def _kind(valtype: int) -> int:
    return valtype if valtype < vt.REF_BASE else vt.EXTERNREF


def _maker(functype: FuncType, with_caller: bool) -> FunctionType:
    shape = tuple(map(_kind, functype.params)), tuple(map(_kind, functype.results)), with_caller
    known = _makers.get(shape)
    if known is None:
        namespace = dict(_NAMES)
        exec(compile(_source(*shape), "<host>", "exec"), namespace)
        made = namespace["make"]
        assert isinstance(made, FunctionType)
        known = _makers[shape] = made
    return known


def bind_host(host: HostFunction, instance: Instance | None) -> Function:
    """The host function as `instance` imports it (None: called by the host itself)."""
    functype = host.deftype.func
    caller = Caller(instance, host.owner) if host.wants_caller else None
    raw = _maker(functype, host.wants_caller)(host.fn, caller, tuple(map(to_raw, functype.results)), host)
    convert = tuple(map(to_raw, functype.params))
    name = f"{host.module}.{host.name}".strip(".") or None

    def invoke(*arguments: object) -> object:
        if len(arguments) != len(convert):
            raise TypeError(f"{name or 'host function'} takes {len(convert)} arguments, got {len(arguments)}")
        result = raw(*[one(argument) for one, argument in zip(convert, arguments, strict=True)])
        if len(functype.results) < 2:
            return to_public(result, functype.results[0]) if functype.results else None
        return tuple(to_public(value, valtype) for value, valtype in zip(result, functype.results, strict=True))

    return Function(host.deftype, raw, invoke, instance=instance, name=name)
