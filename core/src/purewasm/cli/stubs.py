"""`purewasm stubs`: the types of a module's exports as a `.pyi`, for `import guest` (see `purewasm.importer`).

    (module (func (export "add") (param $a i32) (param $b i32) (result i32) …) (memory (export "memory") 1))

    def add(a: int, b: int, /) -> int: ...
    memory: Memory
"""

from __future__ import annotations

import os
from keyword import iskeyword

from purewasm.cli.parser import CommandParser, FeatureOptions, add_features
from purewasm.cli.sources import STDIN, load, write
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.runtime.python_import import INSTANCE, is_reserved
from purewasm.wasm import module as wm
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import top_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purewasm.runtime.module import Module

_SUMMARY: Final = "Write a .pyi with the types of a module's exports, so that type checkers and editors know what `import guest` gives."
_EXAMPLES: Final = ("purewasm stubs guest.wasm -o guest.pyi", "purewasm stubs guest.wat")
_CLASSES: Final = {wm.MEMORY: "Memory", wm.TABLE: "Table", wm.GLOBAL: "Global", wm.TAG: "Tag"}
_NUMBERS: Final = {vt.I32: "int", vt.I64: "int", vt.F32: "float", vt.F64: "float", vt.V128: "bytes"}
_BUILTINS: Final = frozenset((*_NUMBERS.values(), "object", "tuple"))
_REFERENCES: Final = {vt.FUNC: "Function", vt.EXN: "GuestException"}


class Options(FeatureOptions):
    """What the command line says."""

    file: str
    output: str | None


def main(arguments: Sequence[str]) -> int:
    """Write the stub."""
    parser = CommandParser("stubs", _SUMMARY, _EXAMPLES)
    rows = parser.rows
    rows.positional("file", "FILE", "a .wasm or .wat file, or - for standard input")
    rows.option("-o", "--output", metavar="FILE", help="write it there, not to standard output")
    add_features(rows, default="all")
    options = parser.parse(arguments, Options())
    module = load(options.file, options.chosen_features)
    name = "a module" if options.file == STDIN else os.path.basename(options.file)
    write(options.output, format_stub(module, name).encode())
    return 0


def format_stub(module: Module, name: str) -> str:
    """Text of the `.pyi`; `name` is the file's."""
    names = _Names({export.name for export in module.wasm.exports})
    lines = list(_declarations(module, names))
    imports = ["import builtins as _builtins"] if names.hidden else []
    head = [f'"""Exports of {name}. Made by `purewasm stubs`."""', "", *imports, "import purewasm as _purewasm", ""]
    return "\n".join([*head, *lines]) + "\n"


class _Names:
    """How a stub names Python's types, where exports may have the same names."""

    def __init__(self, exports: set[str]) -> None:
        self.hidden = exports & _BUILTINS

    def of(self, valtype: int) -> str:
        """The Python type of a value."""
        number = _NUMBERS.get(valtype)
        if number is not None:
            return self.builtin(number)
        found = _REFERENCES.get(top_of(vt.heap_of(valtype)))
        if found is None:
            return self.builtin("object")
        return f"_purewasm.{found} | None" if vt.is_nullable(valtype) else f"_purewasm.{found}"

    def builtin(self, name: str) -> str:
        return f"_builtins.{name}" if name in self.hidden else name


def _declarations(module: Module, names: _Names) -> Iterator[str]:
    yield f"{INSTANCE}: _purewasm.Instance"
    for export in module.wasm.exports:
        if is_reserved(export.name) or not export.name.isidentifier() or iskeyword(export.name):
            yield f"# no name for Python code: {INSTANCE}.exports[{export.name!r}]"
        elif export.kind == wm.FUNC:
            yield _function(module, names, export)
        else:
            yield f"{export.name}: _purewasm.{_CLASSES[export.kind]}"


def _function(module: Module, names: _Names, export: wm.Export) -> str:
    functype = module.wasm.func_types[export.index].func
    parameters = [
        f"{name}: {names.of(valtype)}"
        for name, valtype in zip(_parameter_names(module.function_type(export.index).names), functype.params, strict=True)
    ]
    results = [names.of(valtype) for valtype in functype.results]
    returned = "None" if not results else results[0] if len(results) == 1 else f"{names.builtin('tuple')}[{', '.join(results)}]"
    return f"def {export.name}({', '.join([*parameters, '/'] if parameters else [])}) -> {returned}: ..."


def _parameter_names(given: tuple[str | None, ...]) -> Iterator[str]:
    """Names for parameters that callers cannot use anyway: the guest's own where Python allows them."""
    used: set[str] = set()
    for number, name in enumerate(given):
        usable = name is not None and name.isidentifier() and not iskeyword(name) and not name.startswith("__") and name not in used
        chosen = name if usable and name is not None else f"arg{number}"
        used.add(chosen)
        yield chosen
