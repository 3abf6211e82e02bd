"""A guest's source file to a module: every exported function, and what it needs, as text that the core assembles.

Memory: 16 bytes that stay free, so that no object has the address 0; constants; reserved bytes; the arena.
"""

from __future__ import annotations

import ast
import struct
from pathlib import Path
from typing import Final

from purewasm import Features
from purewasm.text.assembler import assemble
from purewasm_guest.python.definitions import Constant, Function, SourceModule, Value, Variable, quoted
from purewasm_guest.python.exports import allocate_export, needs_allocate, wrapper
from purewasm_guest.python.expressions import ExpressionScope
from purewasm_guest.python.scope import Scope
from purewasm_guest.python.source import SDK, Loader, is_exportable
from purewasm_guest.python.statements import FunctionCompiler
from purewasm_guest.python.types import NONE, Float, Sequence, Type

_PRELUDE: Final = tuple(Path(__file__).parent / "prelude" / f"{name}.py" for name in ("arena", "numbers", "lists", "text"))
_PAGE: Final = 65_536
_FIRST_ADDRESS: Final = 16
_FEATURES: Final = Features("mutable-globals", "bulk-memory", "multi-value")


def compile_guest(path: Path, sdk: Path = SDK) -> bytes:
    """The module of a guest's source. `CompileError` says what is outside the subset, and where. `sdk` holds the files of host modules."""
    return _Guest(path, sdk).module()


class _Guest:
    """One guest: what its functions use, gathered while they are compiled."""

    def __init__(self, path: Path, sdk: Path) -> None:
        self._loader = Loader(sdk)
        self._main = self._loader.load(path.resolve())
        self._prelude = {name: what for path in _PRELUDE for name, what in self._loader.load(path).names.items()}
        self._wanted: list[Function] = []
        self._used: dict[Function, str] = {}
        self._texts: dict[tuple[bytes, int], int] = {}
        self._data = bytearray()

    # What functions ask for

    def use(self, function: Function) -> str:
        if function not in self._used:
            self._used[function] = function.symbol
            self._wanted.append(function)
        return self._used[function]

    def runtime(self, name: str) -> str:
        function = self._prelude[name]
        assert isinstance(function, Function), name
        return f"call {self.use(function)}"

    def _place(self, content: bytes) -> int:
        self._data += bytes(-len(self._data) % 8)
        address = _FIRST_ADDRESS + len(self._data)
        self._data += content
        return address

    def text(self, content: bytes, characters: int) -> int:
        key = content, characters
        if key not in self._texts:
            self._texts[key] = self._place(struct.pack("<II", len(content), characters) + content)
        return self._texts[key]

    def fixed(self, kind: Sequence, items: tuple[object, ...]) -> int:
        content = b"".join(self._packed(kind.item, item) for item in items)
        address = self._place(content)
        return self._place(struct.pack("<IIII", len(items), len(items), address, 0))

    def _packed(self, kind: Type, item: object) -> bytes:
        if isinstance(item, str):
            return struct.pack("<I", self.text(item.encode(), len(item)))
        if isinstance(item, bytes):
            return struct.pack("<I", self.text(item, len(item)))
        if isinstance(kind, Float) and isinstance(item, float):
            return struct.pack("<d" if kind.size == 8 else "<f", item)
        if isinstance(item, int):
            return (item % (1 << 8 * kind.size)).to_bytes(kind.size, "little")
        assert isinstance(kind, Sequence)
        assert isinstance(item, tuple)
        return struct.pack("<I", self.fixed(kind, item))

    def reserve(self, size: int) -> int:
        return self._place(bytes(size))

    def constant(self, constant: Constant) -> Value:
        if constant.is_being_evaluated:
            raise constant.module.error(constant.node, "the constant needs its own value")
        if constant.value is None:
            constant.is_being_evaluated = True
            constant.value = self._evaluate(constant.module, constant.node, constant.declared)
            constant.is_being_evaluated = False
        return constant.value

    def default(self, module: SourceModule, node: ast.expr, kind: Type) -> Value:
        return self._evaluate(module, node, kind)

    def _evaluate(self, module: SourceModule, node: ast.expr, kind: Type | None) -> Value:
        scope: Scope = ExpressionScope(self, module, None)
        value = scope.value(node, kind) if kind is None else scope.typed(node, kind)
        if value.constant is None:
            raise module.error(node, "a constant is a number, bool, str, bytes, tuple of those, or reserve(…), and arithmetic of numbers")
        return value

    # The module

    def module(self) -> bytes:
        """The bytes."""
        exported = [
            function
            for module in self._loader.modules.values()
            for function in module.names.values()
            if isinstance(function, Function) and function.exported is not None and function.module is module
        ]
        if not any(function.module is self._main for function in exported):
            raise self._main.error(None, "nothing is exported: write @export above a function")
        self._check_names(exported)
        wrappers = [wrapper(self, function) for function in exported]
        if any(map(needs_allocate, exported)):
            wrappers.append(allocate_export(self))
        functions = []
        while self._wanted:
            function = self._wanted.pop()
            if function.imported is None:
                functions.append(self._function(function))
        text = "\n".join([*self._imports(), *self._memory(), *self._variables(), *functions, *wrappers, *self._customs()])
        return assemble(f"(module {text})", _FEATURES)

    def _check_names(self, exported: list[Function]) -> None:
        seen: dict[str, Function] = {}
        for function in exported:
            name = str(function.exported)
            if name in seen or name in ("memory", "allocate"):
                raise function.module.error(function.node, f"there is another export {name!r}: say @export(\"…\") with a name of its own")
            seen[name] = function

    def _function(self, function: Function) -> str:
        scope = FunctionCompiler(self, function)
        try:
            body = scope.body()
        except RecursionError:
            raise function.module.error(function.node, "the function is nested too deeply: split it") from None
        count = len(function.parameters)
        parameters, inner = " ".join(scope.locals[:count]), " ".join(scope.locals[count:])
        result = f"(result {function.result.wasm})" if function.result != NONE else ""
        return f"(func {function.symbol} (param {parameters}) {result} (local {inner})\n{chr(10).join(body)})"

    def _imports(self) -> list[str]:
        found = []
        for function in self._used:
            if function.imported is None:
                continue
            kinds = [parameter.type for parameter in function.parameters]
            if not all(map(is_exportable, [*kinds, function.result])):
                raise function.module.error(function.node, "an import takes and returns numbers and bools, and addresses")
            module, name = map(quoted, function.imported)
            result = f"(result {function.result.wasm})" if function.result != NONE else ""
            parameters = " ".join(kind.wasm for kind in kinds)
            found.append(f"(import {module} {name} (func {function.symbol} (param {parameters}) {result}))")
        return found

    def _memory(self) -> list[str]:
        end = _FIRST_ADDRESS + len(self._data)
        base = -(-end // 8) * 8
        content = bytes(self._data).rstrip(b"\0")
        data = [f"(data (i32.const {_FIRST_ADDRESS}) {quoted(content)})"] if content else []
        return [f'(memory (export "memory") {-(-base // _PAGE)})', f"(global $heap_base i32 (i32.const {base}))", *data]

    def _variables(self) -> list[str]:
        return [
            f"(global {variable.symbol} (mut {variable.type.wasm}) ({variable.initial}))"
            for module in self._loader.modules.values()
            for variable in module.names.values()
            if isinstance(variable, Variable)
        ]

    def _customs(self) -> list[str]:
        content = b"".join(module.built_against for module in self._loader.modules.values())
        return [f'(@custom "hostmods" {quoted(content)})'] if content else []
