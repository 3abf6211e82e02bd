"""Which modules have to do with structures and arrays."""

from __future__ import annotations

import pytest

from purewasm import Features
from purewasm.runtime.module import Module
from purewasm.text.assembler import assemble
from purewasm.wasm.module import WasmModule


def decoded(text: str, longer: tuple[bytes, bytes] = (b"", b"")) -> WasmModule:
    """A module; of its bytes the former are replaced by the latter, as many."""
    wasm = assemble(text.encode(), Features.WASM3)
    assert longer[0] in wasm
    return Module(wasm.replace(*longer)).wasm


def uses_heap(module: WasmModule) -> bool:
    from purewasm.engine.native.heap_users import uses_heap

    return uses_heap(module)


@pytest.mark.parametrize(
    "text",
    [
        "(module)",
        '(module (memory 1) (func (export "f") (param i32) (result i32) (i32.load (local.get 0))))',
        "(module (func (param externref) (drop (local.get 0))) (table 1 funcref))",
        '(module (memory 1) (data "\\fb\\1a\\fb\\1b"))',
        "(module (func (drop (i64.const 0x1afb1afb1afb1afb))))",
        "(module (func (drop (f64.const nan:0xb1afb1afb1afb))))",
        "(module (func) (func (drop (f32.const 0x1.f634fap-73))))",
    ],
)
def test_modules_without_objects(text: str) -> None:
    assert not uses_heap(decoded(text))


@pytest.mark.parametrize(
    "text",
    [
        "(module (type (struct (field i32))))",
        "(module (table 1 anyref))",
        "(module (global anyref (ref.null any)))",
        "(module (func (param anyref)))",
        "(module (func (param externref) (drop (any.convert_extern (local.get 0)))))",
        "(module (func (param externref) (drop (extern.convert_any (any.convert_extern (local.get 0))))))",
        "(module (func (drop (f64.const nan:0xb1afb1afb1afb))) (func (drop (any.convert_extern (ref.null extern)))))",
    ],
)
def test_modules_that_may_have_some(text: str) -> None:
    assert uses_heap(decoded(text))


def test_a_number_that_is_longer_than_it_has_to_be() -> None:
    text = "(module (func (drop (any.convert_extern (ref.null extern)))  nop nop))"
    assert uses_heap(decoded(text, (b"\xfb\x1a\x1a\x01\x01", b"\xfb\x9a\x80\x00\x1a")))
