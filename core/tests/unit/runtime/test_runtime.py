"""Runtimes: options, compiling, names, several side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from purewasm import (
    CompilationCache,
    Features,
    InvalidError,
    LinkError,
    MalformedError,
    Runtime,
    RuntimeConfig,
    UnsupportedError,
    WasmError,
)

ADD = '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'


def test_options_and_a_configuration(engine: str) -> None:
    config = RuntimeConfig(engine=engine, memory_limit_pages=5)
    assert Runtime(config).config is config
    assert Runtime(config, fuel=True).config == RuntimeConfig(engine=engine, memory_limit_pages=5, fuel=True)
    assert Runtime(config, memory_limit_pages=6).config.memory_limit_pages == 6
    assert Runtime(engine=engine).engine_name == engine


def test_an_option_that_nobody_knows() -> None:
    with pytest.raises(TypeError, match="unknown option feul: one of engine, features"):
        Runtime(feul=True)


def test_the_engine_that_auto_takes() -> None:
    assert Runtime().engine_name in ("interpreter", "compiler")
    assert Runtime(engine="interpreter").engine_name == "interpreter"


def test_a_runtime_says_what_it_is(engine: str) -> None:
    runtime = Runtime(engine=engine)
    instance = runtime.instantiate(ADD)
    assert repr(runtime) == f"<Runtime with the {engine}: 1 instances>"
    del instance


@pytest.mark.parametrize("kind", ["bytes", "bytearray", "memoryview", "text", "wasm", "wat", "module"])
def test_everything_that_can_be_compiled(runtime: Runtime, tmp_path: Path, kind: str) -> None:
    data = runtime.compile(ADD).source
    (tmp_path / "a.wasm").write_bytes(data)
    (tmp_path / "a.wat").write_text(ADD)
    sources = {
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "text": ADD,
        "wasm": tmp_path / "a.wasm",
        "wat": tmp_path / "a.wat",
        "module": runtime.compile(data),
    }
    assert runtime.instantiate(sources[kind]).exports.add(2, 3) == 5  # type: ignore[arg-type]


def test_a_buffer_may_change_after_it_was_compiled(runtime: Runtime) -> None:
    data = bytearray(runtime.compile(ADD).source)
    module = runtime.compile(data)
    data[:] = bytes(len(data))
    assert runtime.instantiate(module).exports.add(1, 2) == 3


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (b"", MalformedError, "unexpected end"),
        (b"\0asm", MalformedError, "unexpected end"),
        (b"hello world", MalformedError, "magic header not detected"),
        (b"\0asm\2\0\0\0", MalformedError, "unknown binary version"),
        ("(module (func (result i32)))", InvalidError, "type mismatch"),
        ("(module (func (i32.foo)))", MalformedError, r"unknown operator.*\(line 1, column 16\)"),
        ("(module", MalformedError, "line 1"),
        ("hello", MalformedError, "not a module in the text format"),
        ("", MalformedError, "not a module"),
    ],
)
def test_what_is_no_module(runtime: Runtime, source: bytes | str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        runtime.compile(source)


@pytest.mark.parametrize("source", [5, None, ["a"], object()])
def test_what_can_never_be_a_module(runtime: Runtime, source: object) -> None:
    with pytest.raises(TypeError, match=f"a module is bytes, a text .* or a Path, not {type(source).__name__}"):
        runtime.compile(source)  # type: ignore[arg-type]


def test_a_text_that_names_a_file_says_to_pass_a_path(runtime: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "guest"
    file.write_bytes(b"x")
    for name in ("guest.wasm", str(file)):
        with pytest.raises(MalformedError, match=r"is taken as module text, since it is a str: pass pathlib\.Path\("):
            runtime.compile(name)


def test_files_that_cannot_be_read(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such file: .*absent\.wasm"):
        runtime.compile(tmp_path / "absent.wasm")
    with pytest.raises(IsADirectoryError, match="is a directory, not a module"):
        runtime.compile(tmp_path)


def test_a_file_with_a_broken_text(runtime: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "a.wat"
    file.write_text("(module\n  (func (i32.foo)))")
    with pytest.raises(MalformedError, match="line 2, column 10"):
        runtime.compile(file)


def test_features_decide_what_is_accepted(new_runtime: Callable[..., Runtime]) -> None:
    source = "(module (func (drop (i32.extend8_s (i32.const 1)))))"
    data = new_runtime().compile(source).source
    old = new_runtime(features=Features.WASM1)
    with pytest.raises(UnsupportedError, match="sign-extension") as caught:
        old.compile(data)
    assert caught.value.feature == "sign-extension"
    with pytest.raises(UnsupportedError, match="sign-extension"):
        old.compile(source)
    assert old.compile(new_runtime().compile(ADD)).exports[0].name == "add"


def test_eager_compilation_finds_nothing_else(new_runtime: Callable[..., Runtime]) -> None:
    assert new_runtime(eager=True).instantiate(ADD).exports.add(2, 3) == 5


# ---- names


def test_names_of_instances(runtime: Runtime) -> None:
    first = runtime.instantiate(ADD, name="first")
    anonymous = runtime.instantiate(ADD)
    assert (first.name, anonymous.name) == ("first", None)
    assert repr(anonymous) == "<Instance anonymous>"
    assert runtime.instance("first") is first
    assert runtime.instance_names == ["first"]
    with pytest.raises(LinkError, match="no instance named 'x': there are 'first'"):
        runtime.instance("x")
    with pytest.raises(LinkError, match="exists already"):
        runtime.instantiate(ADD, name="first")


def test_an_instance_under_another_name(runtime: Runtime) -> None:
    instance = runtime.instantiate(ADD)
    runtime.register_instance("math", instance)
    runtime.register_instance("arithmetic", instance)
    assert runtime.provides("math")
    user = runtime.instantiate('(module (import "arithmetic" "add" (func (param i32 i32) (result i32))) (export "add" (func 0)))')
    assert user.exports.add(4, 5) == 9
    assert instance.name is None
    instance.close()
    assert runtime.instance_names == []
    assert not runtime.provides("math")


def test_an_instance_that_fails_to_start_has_no_name(runtime: Runtime) -> None:
    with pytest.raises(WasmError, match="unreachable"):
        runtime.instantiate("(module (func $f (unreachable)) (start $f))", name="x")
    assert runtime.instance_names == []
    runtime.instantiate(ADD, name="x")


def test_runtimes_do_not_see_each_other(new_runtime: Callable[..., Runtime]) -> None:
    first, second = new_runtime(), new_runtime()
    first.instantiate(ADD, name="lib")
    with pytest.raises(LinkError, match="no module 'lib' is registered"):
        second.instantiate('(module (import "lib" "add" (func (param i32 i32) (result i32))))')


# ---- starting


def test_the_order_of_starting(runtime: Runtime) -> None:
    events: list[int] = []
    source = """(module (import "env" "event" (func $event (param i32))) (memory (export "m") 1) (data (i32.const 0) "\\05")
      (func $start (call $event (i32.load8_u (i32.const 0)))) (start $start)
      (func (export "_initialize") (call $event (i32.const 6)))
      (func (export "_start") (call $event (i32.const 7))))"""
    env = {"env": {"event": events.append}}
    runtime.instantiate(source, imports=env)
    assert events == [5, 6]
    runtime.instantiate(source, imports=env, initialize=False)
    assert events == [5, 6, 5]


def test_an_imported_start_function(runtime: Runtime) -> None:
    events: list[int] = []
    runtime.instantiate('(module (import "env" "f" (func $f)) (start $f))', imports={"env": {"f": lambda: events.append(1)}})
    assert events == [1]


def test_exports_called_initialize_that_are_no_functions(runtime: Runtime) -> None:
    assert runtime.instantiate('(module (global (export "_initialize") i32 (i32.const 1)))').exports["_initialize"] is not None


# ---- a shared cache


def test_runtimes_share_a_cache(engine: str) -> None:
    with CompilationCache() as cache:
        with Runtime(engine=engine) as other:
            data = other.compile(ADD).source
        first, second = Runtime(engine=engine, cache=cache), Runtime(engine=engine, cache=cache)
        module = first.compile(data)
        assert second.compile(data) is module
        assert len(cache) == 1
        first.close()
        assert second.instantiate(module).exports.add(2, 3) == 5
        assert Runtime(engine=engine, cache=cache, features=Features.WASM1).compile(data) is not module
        cache.clear()
        assert len(cache) == 0
        assert second.instantiate(data).exports.add(2, 3) == 5
        held = second.instantiate(data)
    assert "(closed)" in repr(cache)
    assert held.exports.add(1, 1) == 2
    with pytest.raises(WasmError, match="the compilation cache is closed"):
        second.compile(data)


def test_one_module_under_different_options(new_runtime: Callable[..., Runtime]) -> None:
    module = new_runtime().compile(ADD)
    assert new_runtime(fuel=True).instantiate(module, fuel=100).exports.add(2, 3) == 5
    assert new_runtime(interruptible=False).instantiate(module).exports.add(2, 3) == 5
    assert new_runtime().instantiate(module).exports.add(2, 3) == 5
