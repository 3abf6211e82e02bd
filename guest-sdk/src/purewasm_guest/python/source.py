"""Source files to definitions: imports, dataclasses, signatures and module constants; no body of a function is looked at here."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import Final

from purewasm_guest.python.definitions import (
    Constant,
    Definition,
    Function,
    IntrinsicName,
    Marker,
    Parameter,
    SourceModule,
    Variable,
)
from purewasm_guest.python.errors import CompileError
from purewasm_guest.python.memory import INTRINSICS
from purewasm_guest.python.types import BOOL, NONE, TYPES, Float, Integer, Struct, Type, is_reference, list_of, tuple_of

SDK: Final = Path(__file__).parents[1] / "sdk" / "python"
_KNOWN: Final[dict[str, dict[str, Definition]]] = {
    "__future__": {},
    "purewasm_guest.python": {
        **{name: TYPES[name] for name in ("i32", "i64", "u32", "u64", "f32", "f64")},
        "export": Marker("export"),
        "host": Marker("host"),
    },
    "purewasm_guest.python.memory": {
        **{name: IntrinsicName(name) for name in INTRINSICS},
        **{name: Marker(name) for name in ("reserve", "allocate")},
    },
    "dataclasses": {"dataclass": Marker("dataclass")},
    "typing": {"Final": Marker("Final")},
}
_SDK_NAME: Final = "purewasm_guest.sdk.python"
_PRELUDE_NAME: Final = "purewasm_guest.python.prelude"
_BUILT_AGAINST: Final = "__hostmods__"


class Loader:
    """Reads a guest's files, each once."""

    def __init__(self, sdk: Path) -> None:
        self._sdk = sdk
        self._own: Final = {f"{_SDK_NAME}.": sdk, f"{_PRELUDE_NAME}.": Path(__file__).with_name("prelude")}
        """Modules that are written in the subset, and lie elsewhere than the guest."""
        self.modules: dict[Path, SourceModule] = {}
        self._unfinished: set[Path] = set()
        self._names: set[str] = set()

    def load(self, path: Path) -> SourceModule:
        """The module of a file, and before it those that it imports."""
        if path in self.modules:
            return self.modules[path]
        tree = _parse(path)
        module = SourceModule(path, self._name(path.stem.replace(".", "_")))
        self._unfinished.add(path)
        _Reader(self, module).read(tree)
        self._unfinished.discard(path)
        self.modules[path] = module
        return module

    def _name(self, name: str) -> str:
        """A module's name, longer where there is another one of it."""
        while name in self._names:
            name += "_"
        self._names.add(name)
        return name

    def find(self, name: str, importer: SourceModule, node: ast.AST) -> SourceModule | dict[str, Definition]:
        """What `import name` means in a file."""
        if name in _KNOWN:
            return _KNOWN[name]
        start = next((start for start in self._own if name.startswith(start)), "")
        path = self._own.get(start, importer.path.parent).joinpath(*name.removeprefix(start).split(".")).with_suffix(".py")
        if path in self._unfinished:
            raise importer.error(node, f"{name} imports this module too: move what both need into a third one")
        if path.is_file():
            return self.load(path)
        known = ", ".join(sorted(path.stem for path in self._sdk.glob("[a-z]*.py")))
        problem = f"there is no module {name} for guests: they import files beside them, and from {_SDK_NAME} {known}"
        raise importer.error(node, problem)


def _parse(path: Path) -> ast.Module:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
        with warnings.catch_warnings(action="ignore"):
            compile(tree, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        place = ast.Pass(lineno=error.lineno or 1, col_offset=(error.offset or 1) - 1)
        raise CompileError(path, place, f"this is no Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise CompileError(path, None, f"Python itself cannot read it: {error}") from None
    except OSError as error:
        raise CompileError(path, None, f"cannot be read: {error.strerror}") from None
    return tree


class _Reader:
    """The walk over one file's top level."""

    def __init__(self, loader: Loader, module: SourceModule) -> None:
        self._loader, self._module = loader, module
        self._names = module.names

    def read(self, tree: ast.Module) -> None:
        changed = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
        classes, functions = [], []
        for node in tree.body:
            match node:
                case ast.Import():
                    self._import(node)
                case ast.ImportFrom():
                    self._import_from(node)
                case ast.ClassDef():
                    self._define(node.name, node, Struct(node.name, "i32", 4))
                    classes.append(node)
                case ast.FunctionDef():
                    functions.append(node)
                case ast.Assign() | ast.AnnAssign():
                    pass
                case ast.Expr(value=ast.Constant(value=str())):
                    pass
                case _:
                    raise self._module.error(node, "a guest's module has imports, constants, dataclasses and functions, not this")
        for class_node in classes:
            self._class(class_node)
        for node in tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                self._assign(node, changed)
        for function in functions:
            self._define(function.name, function, self._function(function, function.name, None))

    def _define(self, name: str, node: ast.AST, what: Definition) -> None:
        if name in self._names:
            raise self._module.error(node, f"{name} is defined twice: a module's name stands for one thing")
        self._names[name] = what

    def _import(self, node: ast.Import) -> None:
        for name in node.names:
            found = self._loader.find(name.name, self._module, node)
            if not isinstance(found, SourceModule):
                raise self._module.error(node, f"say `from {name.name} import …`")
            if "." in name.name and name.asname is None:
                raise self._module.error(node, f"say `import {name.name} as …`")
            self._define(name.asname or name.name, node, found)

    def _import_from(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None:
            raise self._module.error(node, "a guest's modules are imported by their full names, without a dot before")
        if node.module == "__future__":
            return
        if node.module == _SDK_NAME:
            for name in node.names:
                module = self._loader.find(f"{_SDK_NAME}.{name.name}", self._module, node)
                assert isinstance(module, SourceModule)
                self._define(name.asname or name.name, node, module)
            return
        found = self._loader.find(node.module, self._module, node)
        names = found.names if isinstance(found, SourceModule) else found
        for name in node.names:
            if name.name not in names:
                raise self._module.error(node, f"{node.module} has no {name.name!r} for guests: there is {', '.join(names)}")
            self._define(name.asname or name.name, node, names[name.name])

    def _class(self, node: ast.ClassDef) -> None:
        marks = [self._names.get(mark.id) for mark in node.decorator_list if isinstance(mark, ast.Name)]
        if marks != [Marker("dataclass")] or len(node.decorator_list) != 1:
            raise self._module.error(node, f"class {node.name} has to be a @dataclass, without options")
        if node.bases or node.keywords:
            raise self._module.error(node, f"class {node.name} has bases: a guest's dataclasses have none")
        struct = self._names[node.name]
        assert isinstance(struct, Struct)
        for item in node.body:
            match item:
                case ast.AnnAssign(target=ast.Name(id=name)):
                    struct.add(name, self.annotation(item.annotation), item.value)
                case ast.FunctionDef():
                    struct.methods[item.name] = self._function(item, f"{node.name}.{item.name}", struct)
                case ast.Expr(value=ast.Constant(value=str())) | ast.Pass():
                    pass
                case _:
                    raise self._module.error(item, "a dataclass has fields, `name: type`, and methods")

    def _assign(self, node: ast.Assign | ast.AnnAssign, changed: set[str]) -> None:
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if not isinstance(target, ast.Name) or node.value is None or (isinstance(node, ast.Assign) and len(node.targets) > 1):
            raise self._module.error(node, "a constant of a module is `NAME = value`")
        if target.id == _BUILT_AGAINST:
            if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, bytes)):
                raise self._module.error(node, f"{_BUILT_AGAINST} is the bytes of the section `hostmods`")
            self._module.built_against = node.value.value
            return
        declared = None
        if isinstance(node, ast.AnnAssign):
            given = node.annotation
            if isinstance(given, ast.Subscript) and self._is_final(given.value):
                given = given.slice
            declared = None if self._is_final(given) else self.annotation(given)
        if target.id in changed:
            self._define(target.id, node, self._variable(target.id, node.value, declared))
        else:
            self._define(target.id, node, Constant(self._module, node.value, declared))

    def _variable(self, name: str, node: ast.expr, declared: Type | None) -> Variable:
        try:
            value = ast.literal_eval(node)
        except ValueError:
            value = None
        if declared is None and isinstance(value, bool | int | float):
            declared = TYPES[type(value).__name__]
        is_bool = declared == BOOL and type(value) is bool
        is_fit = {Integer: type(value) is int, Float: type(value) in (int, float)}.get(type(declared), is_bool)
        if declared is None or not is_fit:
            raise self._module.error(node, f"{name}, which functions change, is a number or bool and starts with a literal of it")
        if isinstance(declared, Integer) and not declared.lowest <= int(value) <= declared.highest:
            raise self._module.error(node, f"{value} does not fit {declared}")
        number = float(value).hex() if isinstance(declared, Float) else str(int(value))
        return Variable(self._module.symbol(name), declared, f"{declared.wasm}.const {number}")

    def _is_final(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self._names.get(node.id) == Marker("Final")

    def _function(self, node: ast.FunctionDef, name: str, owner: Struct | None) -> Function:
        given = node.args
        if given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs:
            raise self._module.error(node, f"{name} has parameters of another kind than `name: type` and `name: type = default`")
        defaults: list[ast.expr | None] = [*[None] * (len(given.args) - len(given.defaults)), *given.defaults]
        parameters = []
        for index, (argument, default) in enumerate(zip(given.args, defaults, strict=True)):
            if owner is not None and not index:
                parameters.append(Parameter(argument.arg, owner, None))
                continue
            if argument.annotation is None:
                raise self._module.error(argument, f"parameter {argument.arg} of {name} has no type: `{argument.arg}: int`, for example")
            parameters.append(Parameter(argument.arg, self.annotation(argument.annotation), default))
        if owner is not None and not parameters:
            raise self._module.error(node, f"method {name} has no self")
        result = NONE if node.returns is None else self.result(node.returns)
        made = Function(self._module.symbol(name), self._module, node, parameters, result)
        for mark in node.decorator_list:
            self._decorate(made, mark, owner)
        return made

    def _decorate(self, made: Function, mark: ast.expr, owner: Struct | None) -> None:
        call = mark if isinstance(mark, ast.Call) else None
        name = call.func if call else mark
        what = self._names.get(name.id) if isinstance(name, ast.Name) else None
        texts = [word.value for word in call.args if isinstance(word, ast.Constant) and isinstance(word.value, str)] if call else []
        if owner is None and what == Marker("export") and (call is None or len(texts) == len(call.args) == 1):
            made.exported = texts[0] if texts else made.node.name
        elif owner is None and what == Marker("host") and call is not None and len(texts) == len(call.args) == 2:
            made.imported = (texts[0], texts[1])
        else:
            raise self._module.error(mark, 'a decorator of a function is @export, @export("name") or @host("module", "name")')

    def result(self, node: ast.expr) -> Type:
        """The type that a function's result has."""
        return NONE if isinstance(node, ast.Constant) and node.value is None else self.annotation(node)

    def annotation(self, node: ast.expr) -> Type:
        """The type that an annotation names."""
        match node:
            case ast.Constant(value=str(text)):
                try:
                    return self.annotation(ast.parse(text, mode="eval").body)
                except SyntaxError:
                    raise self._module.error(node, f"{text!r} is no type") from None
            case ast.Name(id=name):
                found = self._names.get(name, TYPES.get(name) if name in ("int", "float", "bool", "str", "bytes") else None)
                if isinstance(found, Type):
                    return found
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                module = self._names.get(name)
                if isinstance(module, SourceModule) and isinstance(found := module.names.get(attribute), Type):
                    return found
            case ast.Subscript(value=ast.Name(id="list"), slice=item) if not isinstance(item, ast.Tuple):
                return list_of(self.annotation(item))
            case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[item, ast.Constant(value=value)])) if value is ...:
                return tuple_of(self.annotation(item))
        known = "int float bool str bytes, i32 i64 u32 u64 f32 f64 of purewasm_guest.python, list[…], tuple[…, ...] and dataclasses"
        raise self._module.error(node, f"{ast.unparse(node)} is no type of guests: there are {known}")


def annotation_in(module: SourceModule, node: ast.expr) -> Type:
    """The type that an annotation in a function's body names."""
    return _Reader(Loader(SDK), module).annotation(node)


def is_exportable(kind: Type) -> bool:
    """A parameter or result of an exported or imported function may have it."""
    return not is_reference(kind)
