"""What users may rely on: a change of these names is a change of the API, and says so in the changelog."""

from __future__ import annotations

import ast
import types

import purewasm
from core.tests.repo.source_tree import CORE, imports_of

PUBLIC_NAMES = """
    ArrayObject Caller CompilationCache ExportDescriptor Exports Features FileStorage Frame FuelExhausted Function FunctionType Global
    GuestException GuestExit HostModule I31 ImportDescriptor Instance InternalError Interrupted InvalidError LinkError MalformedError Memory
    MemoryAccessError Module ModuleError Runtime RuntimeConfig StructObject Table Tag Trap UnsupportedError WasmError __version__
    externref f32 f64 i32 i64 v128
""".split()


def test_the_public_names_are_these() -> None:
    assert sorted(purewasm.__all__) == sorted(PUBLIC_NAMES)


def test_every_public_name_is_there() -> None:
    assert [name for name in PUBLIC_NAMES if not hasattr(purewasm, name)] == []


def test_the_package_holds_nothing_else_that_looks_public() -> None:
    others = {
        name
        for name, value in vars(purewasm).items()
        if not name.startswith("_") and name not in ("annotations", "TYPE_CHECKING") and not isinstance(value, types.ModuleType)
    }
    assert others <= set(PUBLIC_NAMES)


def test_public_classes_and_functions_say_what_they_are() -> None:
    undocumented = [
        name for name in PUBLIC_NAMES if isinstance(thing := getattr(purewasm, name), type) and not (thing.__doc__ or "").strip()
    ]
    assert undocumented == []


def test_type_checkers_and_python_find_each_name_in_the_same_module() -> None:
    for_checkers = {found.name for found in imports_of(CORE / "__init__.py", "purewasm") if found.name.startswith("purewasm.")}
    by_value = ast.literal_eval(ast.unparse(_assigned("_HOME")))
    at_run_time = {f"{module}.{name}" for module, names in by_value.items() for name in names.split()}
    assert for_checkers == at_run_time | {"purewasm._version.__version__", "purewasm.import_order", "purewasm.light_importing"}


def _assigned(name: str) -> ast.expr:
    for node in ast.parse((CORE / "__init__.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return node.value
    raise LookupError(f"{name} is not assigned in the package")


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(purewasm, "Rumtime")


def test_dir_lists_the_public_names() -> None:
    assert set(PUBLIC_NAMES) <= set(dir(purewasm))
