"""Host modules: functions with types from annotations, state for each instance, errors that pass through guests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from purewasm import Caller, GuestException, HostModule, Instance, LinkError, Runtime, Trap, externref, f32, f64, i32, i64, v128


def types_of(module: HostModule, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(parameters, results) of a host function."""
    from purewasm.store.descriptors import describe_function
    from purewasm.store.host import HostFunction

    found = module.definitions[name]
    assert isinstance(found, HostFunction)
    type_ = describe_function(found.deftype.func)
    return type_.params, type_.results


# ---- types from annotations


def test_the_names_of_types() -> None:
    module = HostModule("env")

    @module.function
    def f(a: i32, b: i64, c: f32, d: f64, e: v128, g: externref) -> i32:
        return 0

    assert types_of(module, "f") == (("i32", "i64", "f32", "f64", "v128", "externref"), ("i32",))


def test_pythons_own_types() -> None:
    module = HostModule("env")

    @module.function
    def f(a: int, b: float, c: bool, d: bytes, e: object) -> bool:
        return True

    assert types_of(module, "f") == (("i64", "f64", "i32", "v128", "externref"), ("i32",))


def test_results() -> None:
    module = HostModule("env")

    @module.function
    def nothing() -> None: ...

    @module.function
    def unsaid(): ...  # type: ignore[no-untyped-def]

    @module.function
    def two() -> tuple[i32, f64]:
        return 1, 2.0

    @module.function
    def empty() -> tuple[()]:
        return ()

    assert [types_of(module, name)[1] for name in ("nothing", "unsaid", "two", "empty")] == [(), (), ("i32", "f64"), ()]


def test_annotations_that_are_objects() -> None:
    module = HostModule("env")

    def f(caller, a, b):  # type: ignore[no-untyped-def]
        return a

    f.__annotations__ = {"caller": Caller, "a": i32, "b": int, "return": tuple[i64, float]}
    module.function(f)
    assert types_of(module, "f") == (("i32", "i64"), ("i64", "f64"))


def test_a_name_of_its_own_and_the_function_unchanged() -> None:
    module = HostModule("env")

    @module.function(name="a-b")
    def f(a: i32) -> i32:
        return a

    assert f(3) == 3
    assert list(module.definitions) == ["a-b"]


def test_methods_and_callers(runtime: Runtime) -> None:
    class Service:
        def plain(self, a: i32) -> i32:
            return a + 1

        def aware(self, caller: Caller, a: i32) -> i32:
            return a + caller.memory.pages

    module, service = HostModule("env"), Service()
    module.function(service.plain)
    module.function(service.aware)
    instance = runtime.instantiate(
        """(module (import "env" "plain" (func $p (param i32) (result i32))) (import "env" "aware" (func $a (param i32) (result i32)))
          (memory 5) (func (export "f") (result i32) (call $a (call $p (i32.const 10)))))""",
        imports=module,
    )
    assert instance.exports.f() == 16


@pytest.mark.parametrize(
    ("note", "message"),
    [(str, "no WebAssembly type for annotation 'str'"), (list[int], "no WebAssembly type"), (int | None, "no WebAssembly type")],
)
def test_an_annotation_without_a_type(note: object, message: str) -> None:
    def f(a): ...  # type: ignore[no-untyped-def]

    f.__annotations__ = {"a": note}
    with pytest.raises(TypeError, match=message):
        HostModule("env").function(f)


def test_a_parameter_without_an_annotation() -> None:
    def f(a): ...  # type: ignore[no-untyped-def]

    with pytest.raises(TypeError, match=r"parameter 'a' of .*f has no annotation"):
        HostModule("env").function(f)


@pytest.mark.parametrize("fn", [abs, print, partial(int)])
def test_a_callable_without_annotations(fn: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match="use add_function"):
        HostModule("env").function(fn)


# ---- what can be added


def test_a_name_cannot_be_taken_twice() -> None:
    module = HostModule("env")
    module.add_function("x", abs, ["i32"], ["i32"])
    for add in (
        lambda: module.add_memory("x", 1),
        lambda: module.add_global("x", "i32", 1),
        lambda: module.add_table("x", "funcref", 1),
        lambda: module.add_tag("x"),
        lambda: module.add_function("x", abs, ["i32"], ["i32"]),
    ):
        with pytest.raises(ValueError, match="'env' offers 'x' already"):
            add()


@pytest.mark.parametrize(
    ("add", "error", "message"),
    [
        (lambda m: m.add_function("f", 5, [], []), TypeError, "callable"),
        (lambda m: m.add_function("f", abs, "i32", []), TypeError, "a sequence of names"),
        (lambda m: m.add_function("f", abs, ["int"], []), ValueError, "unknown value type 'int'"),
        (lambda m: m.add_memory("m", 2, 1), ValueError, "0 <= min <= max"),
        (lambda m: m.add_memory("m", -1), ValueError, "0 <= min <= max"),
        (lambda m: m.add_memory("m", 1, shared=True), ValueError, "needs a maximum"),
        (lambda m: m.add_table("t", "i32", 1), ValueError, "i32"),
        (lambda m: m.add_table("t", "funcref", 3, 2), ValueError, "0 <= min <= max"),
        (lambda m: m.add_global("g", "i32", "x"), TypeError, "expected an int"),
        (lambda m: m.add_global("g", "i32", 2**32), OverflowError, "does not fit"),
        (lambda m: m.add_global("g", "i33", 1), ValueError, "unknown value type"),
        (lambda m: m.add_tag("e", ["x"]), ValueError, "unknown value type"),
    ],
)
def test_what_cannot_be_added(add: Callable[[HostModule], object], error: type[Exception], message: str) -> None:
    module = HostModule("env")
    with pytest.raises(error, match=message):
        add(module)
    assert module.definitions == {}


def test_a_name_is_text() -> None:
    with pytest.raises(TypeError, match="name is a str"):
        HostModule(5)  # type: ignore[arg-type]


def test_a_host_module_says_what_it_offers() -> None:
    module = HostModule("env")
    assert repr(module) == "<HostModule 'env': empty>"
    module.add_tag("e")
    assert repr(module) == "<HostModule 'env': e>"


def test_two_host_modules_of_one_name(runtime: Runtime) -> None:
    HostModule("env").register(runtime)
    with pytest.raises(LinkError, match="'env' is registered already"):
        HostModule("env").register(runtime)
    with pytest.raises(LinkError, match="'env' is registered already"):
        HostModule("other", aliases=["env"]).register(runtime)
    with pytest.raises(LinkError, match="no instance named 'other'"):
        runtime.instance("other")


# ---- values through host functions

ECHO = """(module
  (import "env" "f" (func $f (param {t}) (result {t})))
  (func (export "g") (param {t}) (result {t}) (call $f (local.get 0))))"""


@pytest.mark.parametrize(
    ("type_", "given", "seen", "returned", "result"),
    [
        ("i32", 2**32 - 1, -1, 2**31, -(2**31)),
        ("i64", 2**64 - 2, -2, True, 1),
        ("f32", 0.1, 0.10000000149011612, 1, 1.0),
        ("f64", 1, 1.0, 2, 2.0),
        ("v128", bytes(16), bytes(16), bytearray(b"x" * 16), b"x" * 16),
        ("externref", "a", "a", None, None),
    ],
)
def test_host_functions_see_and_return_public_values(
    runtime: Runtime, type_: str, given: object, seen: object, returned: object, result: object
) -> None:
    arguments: list[object] = []

    def f(value: object) -> object:
        arguments.append(value)
        return returned

    instance = runtime.instantiate(ECHO.format(t=type_), imports={"env": {"f": f}})
    made = instance.exports.g(given)
    assert (arguments, made) == ([seen], result)
    assert [type(arguments[0]), type(made)] == [type(seen), type(result)]


@pytest.mark.parametrize(
    ("type_", "given", "returned", "error"),
    [
        ("i32", 1, 2**32, OverflowError),
        ("i32", 1, 1.0, TypeError),
        ("i32", 1, None, TypeError),
        ("i64", 1, "x", TypeError),
        ("f64", 1, "x", TypeError),
        ("v128", bytes(16), b"short", OverflowError),
        ("funcref", None, 5, TypeError),
    ],
)
def test_a_result_of_another_type_raises_in_the_caller(
    runtime: Runtime, type_: str, given: object, returned: object, error: type[Exception]
) -> None:
    instance = runtime.instantiate(ECHO.format(t=type_), imports={"env": {"f": lambda value: returned}})
    with pytest.raises(error):
        instance.exports.g(given)


def test_no_result_and_several(runtime: Runtime) -> None:
    results: list[object] = [None]
    source = """(module (import "env" "none" (func $n)) (import "env" "two" (func $t (result i32 f64)))
      (func (export "none") (call $n)) (func (export "two") (result i32 f64) (call $t)))"""
    instance = runtime.instantiate(source, imports={"env": {"none": lambda: results[0], "two": lambda: results[0]}})
    assert instance.exports.none() is None
    results[0] = (1, 2.5)
    assert instance.exports.two() == (1, 2.5)
    results[0] = [3, 4]
    assert instance.exports.two() == (3, 4.0)
    for wrong in (5, (1,), (1, 2, 3), None, "ab"):
        results[0] = wrong
        with pytest.raises(TypeError, match=r"host function env\.two must return a tuple of 2 values"):
            instance.exports.two()
    results[0] = 5
    with pytest.raises(TypeError, match=r"host function env\.none must return None, got int: 5"):
        instance.exports.none()


# ---- errors through guests

NESTED = """(module $guest
  (import "env" "fail" (func $fail))
  (func $inner (call $fail))
  (func $middle (block $h (try_table (catch_all $h) (call $inner))))
  (func (export "outer") (call $middle)))"""


class CustomError(Exception):
    pass


@pytest.mark.parametrize("kind", [CustomError, ValueError, ZeroDivisionError, IndexError, AttributeError, LookupError])
def test_an_exception_of_the_host_comes_out_unchanged(runtime: Runtime, kind: type[Exception]) -> None:
    error = kind("one", 2)

    def fail() -> None:
        raise error

    instance = runtime.instantiate(NESTED, imports={"env": {"fail": fail}})
    with pytest.raises(kind) as caught:
        instance.exports.outer()
    assert caught.value is error
    assert caught.value.args == ("one", 2)
    (note,) = caught.value.__notes__
    lines = note.splitlines()
    assert lines[0] == "guest frames, innermost first:"
    assert [line.split(" at ")[0].strip() for line in lines[1:]] == ["guest!inner", "guest!middle", "guest!outer"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_what_is_no_exception_passes_too(runtime: Runtime, error: BaseException) -> None:
    def fail() -> None:
        raise error

    instance = runtime.instantiate(NESTED, imports={"env": {"fail": fail}})
    with pytest.raises(type(error)) as caught:
        instance.exports.outer()
    assert caught.value is error


def test_one_note_however_many_guests_it_passes(runtime: Runtime) -> None:
    error = CustomError()

    def fail() -> None:
        raise error

    inner = runtime.instantiate(NESTED, imports={"env": {"fail": fail}}, name="inner")
    outer = runtime.instantiate(
        '(module $second (import "env" "again" (func $a)) (func (export "f") (call $a)))',
        imports={"env": {"again": lambda: inner.exports.outer()}},
    )
    with pytest.raises(CustomError) as caught:
        outer.exports.f()
    assert caught.value is error
    (note,) = error.__notes__
    assert [line.split(" at ")[0].strip() for line in note.splitlines()[1:]] == ["guest!inner", "guest!middle", "guest!outer", "second!f"]


def test_a_guest_catches_what_the_host_throws_with_a_tag(runtime: Runtime) -> None:
    module = HostModule("env")
    tag = module.add_tag("oops", ["i32", "i64"])

    @module.function
    def fail(code: i32) -> None:
        raise tag.exception(code, -1)

    instance = runtime.instantiate(
        """(module (import "env" "oops" (tag $oops (param i32 i64))) (import "env" "fail" (func $fail (param i32)))
          (func (export "caught") (param i32) (result i32 i64)
            (block $h (result i32 i64) (try_table (catch $oops $h) (call $fail (local.get 0))) (i32.const 0) (i64.const 0)))
          (func (export "uncaught") (param i32) (call $fail (local.get 0))))""",
        imports=module,
    )
    assert instance.exports.caught(7) == (7, -1)
    with pytest.raises(GuestException) as caught:
        instance.exports.uncaught(8)
    assert caught.value.tag is tag
    assert caught.value.values == (8, -1)


def test_the_host_catches_what_a_guest_throws(runtime: Runtime) -> None:
    instance = runtime.instantiate(
        '(module $m (tag $t (export "t") (param f64)) (func $thrower (throw $t (f64.const 2.5))) (func (export "f") (call $thrower)))'
    )
    with pytest.raises(GuestException, match="uncaught exception") as caught:
        instance.exports.f()
    assert caught.value.tag is instance.exports.t
    assert caught.value.values == (2.5,)
    assert [frame.function for frame in caught.value.frames] == ["thrower", "f"]


def test_a_trap_inside_a_host_functions_call(runtime: Runtime) -> None:
    inner = runtime.instantiate('(module $inner (func (export "f") (unreachable)))')
    outer = runtime.instantiate(
        '(module $outer (import "env" "f" (func $f)) (func (export "g") (call $f)))', imports={"env": {"f": lambda: inner.exports.f()}}
    )
    with pytest.raises(Trap, match="unreachable") as caught:
        outer.exports.g()
    assert [(frame.module, frame.function) for frame in caught.value.frames] == [("inner", "f"), ("outer", "g")]


def test_a_host_may_swallow_a_trap_and_go_on(runtime: Runtime) -> None:
    inner = runtime.instantiate('(module (func (export "f") (unreachable)))')

    def f() -> int:
        with pytest.raises(Trap):
            inner.exports.f()
        return 5

    outer = runtime.instantiate(
        '(module (import "env" "f" (func $f (result i32))) (func (export "g") (result i32) (i32.add (call $f) (call $f))))',
        imports={"env": {"f": f}},
    )
    assert outer.exports.g() == 10


# ---- state for each instance


class Ledger:
    def __init__(self) -> None:
        self.total = 0


def ledger_module(events: list[object]) -> HostModule:
    def attach(instance: Instance) -> Ledger:
        made = Ledger()
        events.append(("attach", instance.name))
        return made

    module = HostModule("ledger", attach=attach, detach=lambda state: events.append(("detach", state.total)))  # type: ignore[attr-defined]

    @module.function
    def book(caller: Caller, amount: i64) -> i64:
        state = caller.state
        assert isinstance(state, Ledger)
        state.total += amount
        return state.total

    return module


LEDGER = """(module (import "ledger" "book" (func $book (param i64) (result i64)))
  (func (export "book") (param i64) (result i64) (call $book (local.get 0))))"""


def test_each_instance_has_its_state(runtime: Runtime) -> None:
    events: list[object] = []
    ledger_module(events).register(runtime)
    first, second = runtime.instantiate(LEDGER, name="first"), runtime.instantiate(LEDGER, name="second")
    runtime.instantiate("(module)", name="other")
    assert (first.exports.book(5), second.exports.book(7), first.exports.book(1)) == (5, 7, 6)
    assert events == [("attach", "first"), ("attach", "second")]
    first.close()
    first.close()
    assert events[2:] == [("detach", 6)]
    runtime.close()
    assert events[3:] == [("detach", 7)]


def test_the_state_is_there_while_the_guest_initialises(runtime: Runtime) -> None:
    module = ledger_module([])
    source = """(module (import "ledger" "book" (func $book (param i64) (result i64)))
      (func $start (drop (call $book (i64.const 3)))) (start $start)
      (func (export "_initialize") (drop (call $book (i64.const 4))))
      (func (export "book") (param i64) (result i64) (call $book (local.get 0))))"""
    assert runtime.instantiate(source, imports=module).exports.book(0) == 7
    assert runtime.instantiate(source, imports=module, initialize=False).exports.book(0) == 3


def test_a_module_with_several_imports_is_attached_once(runtime: Runtime) -> None:
    attached: list[Instance] = []
    module = HostModule("env", aliases=["alias"], attach=attached.append)
    module.add_function("f", abs, ["i32"], ["i32"])
    module.add_function("g", abs, ["i32"], ["i32"])
    imports = " ".join(f'(import "{m}" "{n}" (func (param i32) (result i32)))' for m in ("env", "alias") for n in "fg")
    instance = runtime.instantiate(f"(module {imports})", imports=module)
    assert attached == [instance]


def test_a_failing_attach_fails_the_instantiation_and_detaches_the_others(runtime: Runtime) -> None:
    events: list[object] = []
    good = HostModule("good", attach=lambda instance: events.append("attach"), detach=lambda state: events.append("detach"))
    good.add_function("f", abs, ["i32"], ["i32"])

    def refuse(instance: Instance) -> None:
        raise PermissionError("not this one")

    bad = HostModule("bad", attach=refuse)
    bad.add_function("f", abs, ["i32"], ["i32"])
    source = """(module (import "good" "f" (func (param i32) (result i32))) (import "bad" "f" (func (param i32) (result i32))))"""
    with pytest.raises(PermissionError, match="not this one"):
        runtime.instantiate(source, imports=[good, bad], name="x")
    assert events == ["attach", "detach"]
    assert runtime.instance_names == []


def test_a_failing_detach_does_not_keep_the_rest_from_closing(runtime: Runtime) -> None:
    events: list[object] = []

    def fail(state: object) -> None:
        raise OSError("cannot detach")

    modules = [HostModule("a", detach=events.append), HostModule("b", detach=fail), HostModule("c", detach=events.append)]
    for module in modules:
        module.add_function("f", abs, ["i32"], ["i32"])
    source = "(module " + " ".join(f'(import "{name}" "f" (func (param i32) (result i32)))' for name in "abc") + ")"
    first, second = runtime.instantiate(source, imports=modules), runtime.instantiate("(module)")
    with pytest.raises(OSError, match="cannot detach"):
        runtime.close()
    assert events == [None, None]
    assert first.closed
    assert second.closed
    assert runtime.closed


def test_subclasses_override_attach_and_detach(runtime: Runtime) -> None:
    class Counting(HostModule):
        def __init__(self) -> None:
            super().__init__("env")
            self.open = 0
            self.closed = False
            self.add_function("f", abs, ["i32"], ["i32"])

        def attach(self, instance: Instance) -> object:
            self.open += 1
            return self

        def detach(self, state: object) -> None:
            assert state is self
            self.open -= 1

        def close(self) -> None:
            self.closed = True

    module = Counting()
    module.register(runtime)
    instance = runtime.instantiate('(module (import "env" "f" (func (param i32) (result i32))))')
    assert module.open == 1
    instance.close()
    assert (module.open, module.closed) == (0, False)
    runtime.close()
    assert module.closed


def test_a_caller_is_of_use_only_with_a_guest() -> None:
    caller = Caller(None)
    with pytest.raises(LinkError, match="has no caller"):
        caller.instance  # noqa: B018
