"""Calling exported functions: arguments, results, limits of a call."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest

from core.tests.unit.runtime.guests import call as call_guest
from purewasm import I31, Exports, Function, FunctionType, LinkError, Runtime
from purewasm.wasm import float_bits

IDENTITY = """(module
  (type $nothing (func))
  (func (export "i32") (param i32) (result i32) (local.get 0))
  (func (export "i64") (param i64) (result i64) (local.get 0))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "v128") (param v128) (result v128) (local.get 0))
  (func (export "externref") (param externref) (result externref) (local.get 0))
  (func (export "funcref") (param funcref) (result funcref) (local.get 0))
  (func (export "typed") (param (ref $nothing)) (result (ref $nothing)) (local.get 0))
  (func (export "anyref") (param anyref) (result anyref) (local.get 0))
  (func (export "i31ref") (param i31ref) (result i31ref) (local.get 0))
  (func (export "exnref") (param exnref) (result exnref) (local.get 0))
  (func (export "nothing"))
  (func (export "three") (param i32 i64 f64) (result f64 i64 i32) (local.get 2) (local.get 1) (local.get 0))
)"""


@pytest.fixture
def call(runtime: Runtime) -> Callable[..., object]:
    """Calls the identity function of a type."""
    return partial(call_guest, runtime.instantiate(IDENTITY))


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        ("i32", 2**31, -(2**31)),
        ("i32", 2**32 - 1, -1),
        ("i32", -(2**31), -(2**31)),
        ("i32", True, 1),
        ("i64", 2**63, -(2**63)),
        ("i64", 2**64 - 1, -1),
        ("i64", -1, -1),
        ("f32", 1, 1.0),
        ("f32", 0.1, 0.10000000149011612),
        ("f32", 1e39, math.inf),
        ("f64", 0.1, 0.1),
        ("f64", 2**53, float(2**53)),
        ("v128", bytearray(range(16)), bytes(range(16))),
        ("externref", None, None),
        ("externref", 5, 5),
        ("funcref", None, None),
        ("anyref", 5, I31(5)),
        ("anyref", None, None),
        ("i31ref", -1, I31(-1)),
        ("exnref", None, None),
    ],
)
def test_arguments_and_results(call: Callable[..., object], name: str, value: object, result: object) -> None:
    made = call(name, value)
    assert made == result
    assert type(made) is type(result)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("i32", 2**32, OverflowError),
        ("i32", -(2**31) - 1, OverflowError),
        ("i64", 2**64, OverflowError),
        ("i32", 1.0, TypeError),
        ("i32", "1", TypeError),
        ("i64", None, TypeError),
        ("f32", "1", TypeError),
        ("f64", None, TypeError),
        ("f64", 10**400, OverflowError),
        ("v128", b"short", OverflowError),
        ("v128", 5, TypeError),
        ("funcref", print, TypeError),
        ("typed", None, TypeError),
        ("i31ref", "x", TypeError),
        ("i31ref", 2**31, OverflowError),
        ("exnref", ValueError(), TypeError),
    ],
)
def test_what_cannot_be_an_argument(call: Callable[..., object], name: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        call(name, value)
    assert call("i32", 1) == 1


@pytest.mark.parametrize("bits", [0x7FC00000, 0xFFC00001, 0x7FA00000, 0x7F800001])
def test_a_nan_of_f32_keeps_its_payload(call: Callable[..., object], bits: int) -> None:
    result = call("f32", float_bits.f32_from_bits(bits))
    assert isinstance(result, float)
    assert float_bits.f32_to_bits(result) == bits


@pytest.mark.parametrize("bits", [0x7FF8000000000000, 0xFFF8000000000001, 0x7FF0000000000001])
def test_a_nan_of_f64_keeps_its_payload(call: Callable[..., object], bits: int) -> None:
    result = call("f64", float_bits.f64_from_bits(bits))
    assert isinstance(result, float)
    assert float_bits.f64_to_bits(result) == bits


def test_an_object_of_the_host_keeps_its_identity(call: Callable[..., object]) -> None:
    for thing in (object(), [], "text", call, 2**100):
        assert call("externref", thing) is thing


def test_a_function_keeps_its_identity(runtime: Runtime) -> None:
    exports = runtime.instantiate(IDENTITY).exports
    assert exports.funcref(exports.nothing) is exports.nothing
    assert exports.typed(exports.nothing) is exports.nothing
    with pytest.raises(TypeError, match="expected"):
        exports.typed(exports.i32)


def test_no_result_one_and_several(call: Callable[..., object]) -> None:
    assert call("nothing") is None
    assert call("three", 1, 2, 3.5) == (3.5, 2, 1)


@pytest.mark.parametrize(("name", "arguments"), [("i32", ()), ("i32", (1, 2)), ("nothing", (1,)), ("three", (1, 2))])
def test_a_wrong_number_of_arguments_is_a_type_error(call: Callable[..., object], name: str, arguments: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match="argument"):
        call(name, *arguments)


def test_keywords_are_a_type_error(runtime: Runtime) -> None:
    with pytest.raises(TypeError):
        runtime.instantiate(IDENTITY).exports.i32(x0=1)


def test_what_a_function_tells_about_itself(runtime: Runtime) -> None:
    instance = runtime.instantiate('(module (func $double (export "twice") (param $x i32) (result i64) (i64.const 1)) (func (export "f")))')
    twice = instance.exports.twice
    assert isinstance(twice, Function)
    assert twice.type.params == ("i32",)
    assert twice.type.results == ("i64",)
    assert isinstance(twice.type, FunctionType)
    assert (twice.name, twice.instance) == ("double", instance)
    assert repr(twice) == "<Function double: (i32) -> i64>"
    assert instance.exports.f.name == "f"
    assert instance.exports.twice is twice


# ---- names and exports

EXPORTS = """(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "a-b") (result i32) (i32.const 1))
  (func (export "keys") (result i32) (i32.const 2))
  (func (export "") (result i32) (i32.const 3))
  (func (export "__init__") (result i32) (i32.const 4))
  (memory (export "memory") 1) (table (export "table") 2 funcref) (global (export "g") i32 (i32.const 7)) (tag (export "tag"))
)"""


def test_exports_are_attributes_and_a_mapping(runtime: Runtime) -> None:
    instance = runtime.instantiate(EXPORTS)
    exports = instance.exports
    assert exports.add(2, 3) == call_guest(instance, "add", 2, 3) == 5
    assert call_guest(instance, "a-b") == 1
    assert call_guest(instance, "") == 3
    assert exports.g.value == 7
    assert list(exports) == ["add", "a-b", "keys", "", "__init__", "memory", "table", "g", "tag"]
    assert len(exports) == 9
    assert "add" in exports
    assert "sub" not in exports
    assert exports.get("sub") is None
    assert exports.get("add") is exports.add
    assert {"add", "memory"} <= set(dir(exports))
    assert repr(exports) == "<Exports add, a-b, keys, , __init__, memory, table, g, tag>"


def test_a_guests_name_wins_over_a_method(runtime: Runtime) -> None:
    instance = runtime.instantiate(EXPORTS)
    keys: object = instance.exports.keys()
    assert keys == 2
    assert dict(instance.exports.items())["add"] is instance.exports.add
    assert len(list(instance.exports.values())) == 9
    assert call_guest(instance, "__init__") == 4


def test_names_that_the_object_itself_needs_are_reached_as_items(runtime: Runtime) -> None:
    names = ("__class__", "__dict__", "_purewasm_index", "_purewasm_make", "__getattr__", "__iter__", "\\00index")
    functions = "".join(f'(func (export "{name}") (result i32) (i32.const {i}))' for i, name in enumerate(names))
    instance = runtime.instantiate(f"(module {functions})")
    for i, name in enumerate(names):
        assert call_guest(instance, name.replace("\\00", "\0")) == i
    assert len(dict(instance.exports.items())) == len(names)
    assert isinstance(instance.exports, Exports)


def test_an_export_that_was_used_once_is_a_plain_attribute(runtime: Runtime) -> None:
    exports = runtime.instantiate(EXPORTS).exports
    add = exports.add
    assert vars(exports)["add"] is add is exports["add"]


def test_an_unknown_export_says_what_there_is(runtime: Runtime) -> None:
    exports = runtime.instantiate(EXPORTS).exports
    with pytest.raises(AttributeError, match="no export named 'sub': the module exports add, a-b"):
        exports.sub  # noqa: B018
    with pytest.raises(KeyError):
        exports["sub"]
    with pytest.raises(AttributeError, match="cannot be replaced"):
        exports.add = 1
    with pytest.raises(AttributeError, match="cannot be removed"):
        del exports.add


def test_the_memory_of_an_instance(runtime: Runtime) -> None:
    instance = runtime.instantiate(EXPORTS)
    assert instance.memory is instance.exports.memory
    several = runtime.instantiate('(module (memory 1) (memory (export "memory") 2))')
    assert several.memory.pages == 2
    hidden = runtime.instantiate("(module (memory 3))")
    assert hidden.memory.pages == 3
    with pytest.raises(LinkError, match="has no memory"):
        runtime.instantiate("(module)").memory  # noqa: B018
