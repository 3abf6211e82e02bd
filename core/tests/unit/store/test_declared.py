"""Which functions of a module references can be made of."""

from __future__ import annotations

import pytest

from purewasm import Features
from purewasm.binary.decoder import decode_module
from purewasm.runtime.source import read_source
from purewasm.store.declared import declared_functions
from purewasm.store.layout import ContextLayout
from purewasm.wasm.module import WasmModule


def parsed(text: str) -> WasmModule:
    return decode_module(read_source(text, Features.WASM3), Features.WASM3)


@pytest.mark.parametrize(
    ("fields", "declared"),
    [
        ("(func) (func)", []),
        ('(func) (func (export "f"))', [1]),
        ("(table 4 funcref) (func) (func) (func) (elem (i32.const 0) func 2 0 2)", [2, 0]),
        ("(func) (func) (elem declare func 1)", [1]),
        ("(func) (func) (elem funcref (ref.null func) (ref.func 1) (item ref.func 0))", [1, 0]),
        ("(func) (func) (global funcref (ref.func 1)) (global i32 (i32.const 0)) (global funcref (ref.null func))", [1]),
        ("(func) (func) (table 2 2 (ref func) (ref.func 1))", [1]),
        ("(func) (func) (start 1)", [1]),
        ("(type $s (struct (field funcref))) (func) (func) (global (ref $s) (struct.new $s (ref.func 1)))", [1]),
        ('(import "m" "f" (func)) (func) (export "f" (func 0)) (elem func 1 0)', [1, 0]),
    ],
)
def test_every_way_to_declare_a_function(fields: str, declared: list[int]) -> None:
    assert declared_functions(parsed(f"(module {fields})")) == declared


def test_records_are_those_of_imports_and_then_of_declared_functions() -> None:
    imports = '(import "m" "f" (func)) (import "m" "g" (func))'
    layout = ContextLayout(parsed(f"(module {imports} (func) (func) (func) (elem func 4 0 3))"))
    assert layout.declared == [4, 3]
    assert [layout.record(index) for index in (0, 1, 4, 3)] == [0, 1, 2, 3]
    assert [layout.has_record(index) for index in range(5)] == [False, False, False, True, True]
