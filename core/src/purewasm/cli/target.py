"""Which function of a module `purewasm run` calls, and with what."""

from __future__ import annotations

from purewasm.cli.failure import misuse
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, NoReturn
from purewasm.wasm import module as wm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.runtime.module import Module
    from purewasm.wasm.deftypes import FuncType

_PROGRAM: Final = "_start"


class Target(NamedTuple):
    """The function to call, its type and its arguments."""

    name: str
    type: FuncType
    arguments: tuple[object, ...]


def choose_export(module: Module, file: str, name: str, words: Sequence[str]) -> Target:
    """The exported function of this name, with the arguments that the words stand for."""
    index = _functions(module).get(name)
    if index is None:
        _unknown(module, file, name)
    return Target(name, module.wasm.func_types[index].func, _arguments(module, index, name, words))


def choose_program(module: Module, file: str) -> Target | None:
    """`_start`; None where a module has none, but a start function, so that instantiating it does everything."""
    functions = _functions(module)
    index = functions.get(_PROGRAM)
    if index is not None:
        functype = module.wasm.func_types[index].func
        if functype.params or functype.results:
            misuse(f"{file}: {_PROGRAM} has the type {module.function_type(index)}, not that of a program, () -> ()")
        return Target(_PROGRAM, functype, ())
    if module.wasm.start is None:
        misuse(
            f"{file} is no program, it exports no function {_PROGRAM}: "
            f"call a function with --invoke NAME (there are: {', '.join(functions) or 'none'})"
        )
    return None


def _functions(module: Module) -> dict[str, int]:
    """Exported functions: index by name."""
    return {export.name: export.index for export in module.wasm.exports if export.kind == wm.FUNC}


def _unknown(module: Module, file: str, name: str) -> NoReturn:
    functions = _functions(module)
    other = next((export.kind for export in module.exports if export.name == name), None)
    if other is not None:
        misuse(f"{file}: the export {name!r} is a {other}, not a function")
    from difflib import get_close_matches  # programs that run do not need it

    near = get_close_matches(name, functions, 3)
    suggestion = f"did you mean {' or '.join(near)}?" if near else f"it exports the functions: {', '.join(functions) or 'none'}"
    misuse(f"{file} exports no function {name!r}: {suggestion}")


def _arguments(module: Module, index: int, name: str, words: Sequence[str]) -> tuple[object, ...]:
    from purewasm.cli.values import parse_argument  # programs have no arguments of this kind

    described, valtypes = module.function_type(index), module.wasm.func_types[index].func.params
    if len(words) != len(valtypes):
        misuse(f"{name} {described} takes {len(valtypes)} argument{'' if len(valtypes) == 1 else 's'}, got {len(words)}")
    values: list[object] = []
    for number, (word, valtype) in enumerate(zip(words, valtypes, strict=True)):
        try:
            values.append(parse_argument(word, valtype))
        except (TypeError, ValueError, OverflowError) as error:
            called = described.names[number]
            misuse(f"argument {number + 1}{f' ({called})' if called else ''} of {name}: {error}")
    return tuple(values)
