"""Modules: what they tell about themselves, and that they travel."""

from __future__ import annotations

import copy
import pickle

import pytest

from purewasm import ExportDescriptor, Features, ImportDescriptor, Module, Runtime

SOURCE = """(module $calculator
  (import "env" "log" (func $log (param i32)))
  (import "env" "memory" (memory 1 4))
  (func $add (export "add") (param $left i32) (param i32) (result i64 f32) (i64.const 1) (f32.const 2))
  (table (export "t") 1 10 externref) (global (export "g") (mut f64) (f64.const 1)) (tag (export "e") (param i32))
  (export "memory" (memory 0))
  (@custom "notes" "first") (@custom "notes" "second"))"""


@pytest.fixture
def module(runtime: Runtime) -> Module:
    return runtime.compile(SOURCE)


def test_imports_and_exports(module: Module) -> None:
    assert module.name == "calculator"
    assert module.imports == [
        ImportDescriptor("env", "log", "func", "func (i32) -> ()"),
        ImportDescriptor("env", "memory", "memory", "memory 1 to 4 pages"),
    ]
    assert module.exports == [
        ExportDescriptor("add", "func", "func (left: i32, i32) -> (i64, f32)"),
        ExportDescriptor("t", "table", "table 1 to 10 externref"),
        ExportDescriptor("g", "global", "global mut f64"),
        ExportDescriptor("e", "tag", "tag (i32)"),
        ExportDescriptor("memory", "memory", "memory 1 to 4 pages"),
    ]


def test_types_with_parameter_names(module: Module) -> None:
    type_ = module.function_type(1)
    assert type_.names == ("left", None)
    assert str(type_) == "(left: i32, i32) -> (i64, f32)"


def test_custom_sections(module: Module) -> None:
    assert module.custom_sections["notes"] == b"first"
    assert "name" in module.custom_sections


def test_a_broken_name_section_counts_as_none(runtime: Runtime) -> None:
    module = runtime.compile(b"\0asm\1\0\0\0" + b"\0\x09\4name\1\xff\xff\xff")
    assert module.name is None
    assert module.names.functions == {}


def test_it_says_what_it_is(module: Module, runtime: Runtime) -> None:
    assert repr(module) == f"<Module calculator: 1 functions, {len(module.source)} bytes>"
    assert repr(runtime.compile("(module)")).startswith("<Module without a name: 0 functions")


def test_it_can_be_pickled_and_copied(module: Module, runtime: Runtime) -> None:
    imports = {"env": {"log": print, "memory": runtime.instantiate('(module (memory (export "m") 1 4))').exports.m}}
    for other in (pickle.loads(pickle.dumps(module)), copy.copy(module), copy.deepcopy(module)):
        assert isinstance(other, Module)
        assert (other.source, other.features, other.name) == (module.source, module.features, "calculator")
        assert runtime.instantiate(other, imports=imports).exports.add(1, 2) == (1, 2.0)


def test_a_pickled_module_is_validated_again() -> None:
    module = Module(b"\0asm\1\0\0\0", Features.WASM1)
    assert pickle.loads(pickle.dumps(module)).features == Features.WASM1


def test_a_module_takes_no_new_attributes(module: Module) -> None:
    with pytest.raises(AttributeError):
        module.something = 1  # type: ignore[attr-defined]
