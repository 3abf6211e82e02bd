"""Imports: where they come from, and what is said when they are missing or do not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from purewasm import Caller, Function, HostModule, Instance, LinkError, Memory, Runtime, Table, i32

USES_F = """(module (import "env" "f" (func $f (param i32) (result i32)))
  (func (export "g") (param i32) (result i32) (call $f (local.get 0))))"""


def host(offset: int, name: str = "env") -> HostModule:
    module = HostModule(name)
    module.add_function("f", lambda x: x + offset, ["i32"], ["i32"])
    return module


def result(runtime: Runtime, imports: object = None) -> object:
    return runtime.instantiate(USES_F, imports=imports).exports.g(1)  # type: ignore[arg-type]


# ---- where imports come from


def test_a_registered_host_module(runtime: Runtime) -> None:
    host(10).register(runtime)
    assert result(runtime) == 11


def test_a_host_module_for_one_instance(runtime: Runtime) -> None:
    assert result(runtime, host(20)) == 21
    assert result(runtime, [host(30, "other"), host(40)]) == 41
    assert result(runtime, {"env": host(50, "called differently")}) == 51
    with pytest.raises(LinkError):
        result(runtime)


def test_a_dict_of_callables(runtime: Runtime) -> None:
    assert result(runtime, {"env": {"f": lambda x: x * 2}}) == 2
    assert result(runtime, {"env": {"f": abs}, "unused": {}}) == 1


def test_a_callable_may_ask_for_its_caller(runtime: Runtime) -> None:
    def f(caller: Caller, x: int) -> int:
        return x + len(caller.exports)

    class Adder:
        def __call__(self, caller: Caller, x: int) -> int:
            return x + 100 * len(caller.exports)

    assert result(runtime, {"env": {"f": f}}) == 2
    assert result(runtime, {"env": {"f": Adder()}}) == 101


def test_a_named_instance(runtime: Runtime) -> None:
    runtime.instantiate('(module (func (export "f") (param i32) (result i32) (i32.const 7)))', name="env")
    assert result(runtime) == 7


def test_an_instance_in_a_dict(runtime: Runtime) -> None:
    provider = runtime.instantiate('(module (func (export "f") (param i32) (result i32) (i32.const 8)))')
    assert result(runtime, {"env": provider}) == 8
    assert result(runtime, {"env": {"f": provider.exports.f}}) == 8


def test_what_is_given_to_the_instance_wins(runtime: Runtime) -> None:
    host(10).register(runtime)
    assert result(runtime, host(20)) == 21
    assert result(runtime, {"env": {"other": abs}}) == 11
    assert result(runtime) == 11


def test_aliases(runtime: Runtime) -> None:
    module = HostModule("new", aliases=["env"])
    module.add_function("f", lambda x: x + 5, ["i32"], ["i32"])
    assert result(runtime, module) == 6
    module.register(runtime)
    assert result(runtime) == 6


def test_memories_tables_globals_and_tags_can_be_shared(runtime: Runtime) -> None:
    exporter = runtime.instantiate(
        '(module (memory (export "m") 1) (table (export "t") 2 funcref) (global (export "g") (mut i32) (i32.const 5)) (tag (export "e")))'
    )
    importer = runtime.instantiate(
        """(module (import "x" "m" (memory 1)) (import "x" "t" (table 2 funcref))
          (import "x" "g" (global $g (mut i32))) (import "x" "e" (tag $e))
          (func (export "store") (i32.store8 (i32.const 3) (i32.const 7)) (global.set $g (i32.const 9)))
          (func (export "throw") (throw $e))
          (elem (i32.const 1) func 0))""",
        imports={"x": dict(exporter.exports.items())},
    )
    importer.exports.store()
    assert exporter.exports.m[3] == 7
    assert exporter.exports.g.value == 9
    assert exporter.exports.t[1] is importer.exports.store
    with pytest.raises(Exception, match="uncaught exception") as caught:
        importer.exports.throw()
    assert caught.value.tag is exporter.exports.e  # type: ignore[attr-defined]


def test_an_import_can_be_exported_again(runtime: Runtime) -> None:
    first = runtime.instantiate('(module (func (export "f") (param i32) (result i32) (i32.const 3)))', name="env")
    middle = runtime.instantiate('(module (import "env" "f" (func $f (param i32) (result i32))) (export "again" (func $f)))')
    assert middle.exports.again is first.exports.f
    hosted = runtime.instantiate(
        '(module (import "env" "f" (func $f (param i32) (result i32))) (export "again" (func $f)))', imports=host(1)
    ).exports.again
    assert isinstance(hosted, Function)
    assert hosted(5) == 6
    with pytest.raises(TypeError, match="argument"):
        hosted(5, 6)


def test_a_host_function_called_by_the_host_has_its_importer_as_caller(runtime: Runtime) -> None:
    module = HostModule("env")

    @module.function
    def f(caller: Caller, x: i32) -> i32:
        return x + caller.memory.pages

    instance = runtime.instantiate(
        '(module (import "env" "f" (func $f (param i32) (result i32))) (memory 3) (export "f" (func $f)))', imports=module
    )
    assert instance.exports.f(1) == 4


# ---- what is missing


def test_a_missing_module_is_named_with_what_there_is(runtime: Runtime) -> None:
    host(1, "other").register(runtime)
    with pytest.raises(LinkError, match="unknown import") as caught:
        result(runtime)
    assert str(caught.value) == (
        "unknown import env.f: expected func (i32) -> i32, but no module 'env' is registered (registered: 'other')"
    )


def test_a_missing_name_is_told_from_a_missing_module(runtime: Runtime) -> None:
    with pytest.raises(LinkError, match=r"unknown import env\.f: expected func \(i32\) -> i32, but module 'env' has no such name"):
        result(runtime, HostModule("env"))
    with pytest.raises(LinkError, match="but module 'env' has no such name"):
        result(runtime, {"env": {}})
    runtime.instantiate("(module)", name="env")
    with pytest.raises(LinkError, match="but module 'env' has no such name"):
        result(runtime)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("(func (param i64) (result f32 f64))", "func (i64) -> (f32, f64)"),
        ("(memory 2 3)", "memory 2 to 3 pages"),
        ("(table 1 externref)", "table 1 externref"),
        ("(global (mut i64))", "global mut i64"),
        ("(tag (param i32))", "tag (i32)"),
    ],
)
def test_every_kind_of_import_says_what_it_should_be(runtime: Runtime, wanted: str, text: str) -> None:
    with pytest.raises(LinkError, match="unknown import") as caught:
        runtime.instantiate(f'(module (import "a" "b" {wanted}))')
    assert f"unknown import a.b: expected {text}, but no module 'a'" in str(caught.value)


# ---- what does not fit

EXPORTER = """(module (func (export "f") (param i32) (result i32) (local.get 0)) (memory (export "m") 1 2) (table (export "t") 3 5 funcref)
  (global (export "c") i32 (i32.const 1)) (global (export "v") (mut i32) (i32.const 1)) (tag (export "e") (param i32)))"""


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("f", "(func (param i64) (result i32))", "expected func (i64) -> i32, got func (i32) -> i32"),
        ("f", "(func)", "expected func () -> (), got func (i32) -> i32"),
        ("f", "(memory 1)", "expected memory 1 pages, got func (i32) -> i32"),
        ("m", "(memory 2)", "expected memory 2 pages, got memory 1 to 2 pages"),
        ("m", "(memory 1 1)", "expected memory 1 to 1 pages, got memory 1 to 2 pages"),
        ("m", "(memory i64 1 2)", "expected memory i64 1 to 2 pages, got memory 1 to 2 pages"),
        ("m", "(global i32)", "expected global i32, got memory 1 to 2 pages"),
        ("t", "(table 4 funcref)", "expected table 4 funcref, got table 3 to 5 funcref"),
        ("t", "(table 1 externref)", "expected table 1 externref, got table 3 to 5 funcref"),
        ("t", "(table 1 4 funcref)", "expected table 1 to 4 funcref, got table 3 to 5 funcref"),
        ("c", "(global i64)", "expected global i64, got global i32"),
        ("c", "(global (mut i32))", "expected global mut i32, got global i32"),
        ("v", "(global i32)", "expected global i32, got global mut i32"),
        ("e", "(tag)", "expected tag (), got tag (i32)"),
        ("e", "(func (param i32))", "expected func (i32) -> (), got tag (i32)"),
    ],
)
def test_a_mismatch_says_what_was_expected_and_what_is_there(runtime: Runtime, name: str, wanted: str, message: str) -> None:
    runtime.instantiate(EXPORTER, name="lib")
    with pytest.raises(LinkError, match="incompatible import type") as caught:
        runtime.instantiate(f'(module (import "lib" "{name}" {wanted}))')
    assert str(caught.value) == f"incompatible import type for lib.{name}: {message}"


@pytest.mark.parametrize(
    ("thing", "wanted", "message"),
    [
        (5, "(global i32)", "expected global i32, got the Python object 5"),
        (abs, "(global i32)", "expected global i32, got a Python callable"),
        (abs, "(tag)", "expected tag (), got a Python callable"),
        ("text", "(func)", "expected func () -> (), got the Python object 'text'"),
        (None, "(memory 1)", "expected memory 1 pages, got the Python object None"),
    ],
)
def test_a_python_object_that_does_not_fit(runtime: Runtime, thing: object, wanted: str, message: str) -> None:
    with pytest.raises(LinkError, match="incompatible import type") as caught:
        runtime.instantiate(f'(module (import "env" "x" {wanted}))', imports={"env": {"x": thing}})
    assert str(caught.value) == f"incompatible import type for env.x: {message}"


def test_a_host_function_of_another_type(runtime: Runtime) -> None:
    module = HostModule("env")
    module.add_function("f", abs, ["i64"], ["i64"])
    with pytest.raises(LinkError, match=r"env\.f: expected func \(i32\) -> i32, got func \(i64\) -> i64"):
        result(runtime, module)


def test_the_size_of_a_memory_at_the_time_of_linking_counts(runtime: Runtime) -> None:
    exporter = runtime.instantiate('(module (memory (export "m") 1 5) (table (export "t") 1 5 funcref))', name="lib")
    exporter.exports.m.grow(2)
    exporter.exports.t.grow(2)
    runtime.instantiate('(module (import "lib" "m" (memory 3)) (import "lib" "t" (table 3 funcref)))')


@pytest.mark.parametrize("imports", [5, [5], {"env": 5}, {"env": [abs]}, "env", [{"env": {}}]])
def test_what_cannot_be_imports_is_a_type_error(runtime: Runtime, imports: object) -> None:
    with pytest.raises(TypeError, match="imports"):
        result(runtime, imports)


def test_what_cannot_be_imports_is_said_first(runtime: Runtime) -> None:
    """Before anything is done for a module that could not be instantiated anyway, or imports nothing."""
    too_large = "(module (table 9000000 funcref) (table 9000000 funcref))"
    with pytest.raises(LinkError, match="tables of 18000000 elements"):
        runtime.instantiate(too_large, imports={"env": {}})
    with pytest.raises(TypeError, match="not 5"):
        runtime.instantiate(too_large, imports=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not 5"):
        runtime.instantiate("(module)", imports={"env": 5})  # type: ignore[arg-type]


def test_a_failed_link_leaves_no_trace(runtime: Runtime) -> None:
    attached: list[Instance] = []
    module = HostModule("env", attach=attached.append)
    module.add_function("f", abs, ["i32"], ["i32"])
    source = '(module (import "env" "f" (func (param i32) (result i32))) (import "env" "g" (func)))'
    with pytest.raises(LinkError):
        runtime.instantiate(source, imports=module, name="a")
    assert attached == []
    assert runtime.instance_names == []


# ---- host modules' own things


def test_every_runtime_has_its_own(new_runtime: Callable[..., Runtime]) -> None:
    module = HostModule("env")
    module.add_memory("m", 1, 2)
    module.add_global("g", "i32", 7, mutable=True)
    module.add_table("t", "externref", 3)
    tag = module.add_tag("e", ["i32"])
    source = """(module (import "env" "m" (memory 1)) (import "env" "g" (global (mut i32))) (import "env" "t" (table 3 externref))
      (import "env" "e" (tag (param i32)))
      (export "m" (memory 0)) (export "g" (global 0)) (export "t" (table 0)) (export "e" (tag 0)))"""
    first, second = new_runtime(), new_runtime()
    module.register(first)
    module.register(second)
    one, again, other = first.instantiate(source).exports, first.instantiate(source).exports, second.instantiate(source).exports
    one.m[0] = 5
    one.g.value = 8
    one.t[0] = "x"
    assert (again.m[0], again.g.value, again.t[0]) == (5, 8, "x")
    assert (other.m[0], other.g.value, other.t[0]) == (0, 7, None)
    assert one.e is other.e is tag
    assert isinstance(one.m, Memory)
    assert isinstance(one.t, Table)


def test_host_modules_made_one_after_the_other_do_not_share(runtime: Runtime) -> None:
    source = '(module (import "env" "g" (global i32)) (export "g" (global 0)))'
    values = []
    for number in range(200):
        module = HostModule("env")
        module.add_global("g", "i32", number)
        values.append(runtime.instantiate(source, imports=module).exports.g.value)
        del module  # its address may be that of the next one
    assert values == list(range(200))
