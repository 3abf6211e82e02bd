"""Builtins are made when they are first called. Whoever calls them first, and whatever happens meanwhile: nothing is to be seen of it.

Each operation stands between values of every kind that are needed behind it, so that a register that does not come back is found out.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest

from purewasm import Features, Function, Instance, Runtime, Trap
from purewasm.ir.builtins import BUILTINS, NUMBER
from purewasm.text.assembler import assemble

if TYPE_CHECKING:
    from types import ModuleType

PLAIN: Final = {
    "memory_grow": "(i64.extend_i32_s (memory.grow (i32.const 1)))",
    "memory_copy": "(memory.copy (i32.const 900) (i32.const 100) (i32.const 333)) (i64.load (i32.const 1000))",
    "memory_fill": "(memory.fill $other (i32.const 77) (local.get $n) (i32.const 99)) (i64.load $other (i32.const 80))",
    "memory_init": "(memory.init $text (i32.const 41) (i32.const 3) (i32.const 9)) (i64.load (i32.const 40))",
    "data_drop": "(data.drop $gone) (memory.init $gone (i32.const 0) (i32.const 0) (i32.const 0)) (i64.const 1)",
    "table_grow": "(i64.extend_i32_s (table.grow $objects (local.get $object) (i32.const 3)))",
    "table_fill": """(table.fill $objects (i32.const 2) (local.get $object) (i32.const 5))
        (i64.extend_i32_u (ref.is_null (table.get $objects (i32.const 6))))""",
    "table_copy": """(table.copy $second $first (i32.const 1) (i32.const 0) (i32.const 3))
        (call_indirect $second (result i64) (i32.const 2))""",
    "table_init": """(table.init $second $items (i32.const 4) (i32.const 0) (i32.const 2))
        (call_indirect $second (result i64) (i32.const 5))""",
    "elem_drop": "(elem.drop $lost) (table.init $second $lost (i32.const 0) (i32.const 0) (i32.const 0)) (i64.const 2)",
    "throw_ref": """(block $caught (result i64)
          (try_table (catch $wrong $caught)
            (throw_ref (block $first (result exnref) (try_table (catch_all_ref $first) (throw $wrong (local.get $i3))) (unreachable))))
          (unreachable))""",
    "exception_keep": """(local.set $exception (block $first (result exnref)
          (try_table (catch_all_ref $first) (throw $wrong (local.get $i5))) (unreachable)))
        (block $second (try_table (catch_all $second) (throw $wrong (i64.const 1))))
        (block $caught (result i64) (try_table (catch $wrong $caught) (throw_ref (local.get $exception))) (unreachable))""",
    "memory_wait32": "(i64.extend_i32_u (memory.atomic.wait32 $shared (i32.const 8) (i32.const 5) (i64.const 1)))",
    "memory_wait64": "(i64.extend_i32_u (memory.atomic.wait64 $shared (i32.const 8) (i64.const 0) (i64.const 1)))",
    "memory_notify": "(i64.extend_i32_u (memory.atomic.notify $shared (i32.const 8) (i32.const 3)))",
}
COLLECTED: Final = {
    "array_copy": """(array.copy $bytes $bytes (local.get $a) (i32.const 3) (local.get $a) (i32.const 9) (i32.const 40))
        (i64.extend_i32_u (array.get_u $bytes (local.get $a) (i32.const 20)))""",
    "array_init_data": """(array.init_data $bytes $text (local.get $a) (i32.const 30) (i32.const 2) (i32.const 8))
        (i64.extend_i32_u (array.get_u $bytes (local.get $a) (i32.const 33)))""",
    "array_init_elem": """(array.init_elem $functions $items (local.get $f) (i32.const 1) (i32.const 0) (i32.const 2))
        (call_ref $source (ref.cast (ref $source) (array.get $functions (local.get $f) (i32.const 2))))""",
    "any_convert_extern": "(i64.extend_i32_u (ref.is_null (any.convert_extern (local.get $object))))",
    "extern_convert_any": """(i64.extend_i32_u
        (ref.eq (local.get $a) (ref.cast eqref (any.convert_extern (extern.convert_any (local.get $a))))))""",
}
EAGER: Final = {"interrupt", "return_context", "optimize", "gc_allocate", "enter_loop"}
"""Made with the engine or the heap, or called by every loop here that takes its turns in baseline code."""
_INTEGERS: Final = 12
_FLOATS: Final = 12
_VECTORS: Final = 3
_DECLARED: Final = """
  (type $source (func (result i64)))
  (memory $first_memory (export "memory") 1 9)
  (memory $other 1)
  (memory $shared 1 1 shared)
  (table $objects 9 99 externref)
  (table $first 8 funcref)
  (table $second 8 funcref)
  (elem (table $first) (i32.const 0) func $one $two $three)
  (elem $items func $three $two)
  (elem $lost func $one)
  (data $text "what is written here, and a little more")
  (data $gone "lost")
  (tag $wrong (param i64))
  (func $one (result i64) (i64.const 11))
  (func $two (result i64) (i64.const 22))
  (func $three (result i64) (i64.const 33))
"""
_TYPES: Final = "(type $bytes (array (mut i8))) (type $functions (array (mut funcref)))"


def _function(name: str, operation: str, *, heap: bool) -> str:
    """Functions that do an operation: called, tail called, and in the middle of a loop that is entered in baseline code."""
    locals_ = "".join(f"(local $i{k} i64)" for k in range(_INTEGERS))
    locals_ += "".join(f"(local $f{k} f64)" for k in range(_FLOATS)) + "".join(f"(local $v{k} v128)" for k in range(_VECTORS))
    locals_ += "(local $exception exnref) (local $turn i32)"
    before = "".join(
        f"(local.set $i{k} (i64.mul (i64.add (i64.extend_i32_u (local.get $n)) (i64.const {k + 1})) (i64.const {0x9E3779B97F4A7C15 ^ k})))"
        for k in range(_INTEGERS)
    )
    before += "".join(f"(local.set $f{k} (f64.convert_i64_s (local.get $i{k % _INTEGERS})))" for k in range(_FLOATS))
    before += "".join(f"(local.set $v{k} (i64x2.splat (local.get $i{k + 2})))" for k in range(_VECTORS))
    if heap:
        locals_ += "(local $a (ref null $bytes)) (local $f (ref null $functions))"
        before += "(local.set $a (array.new $bytes (i32.const 7) (i32.const 64)))"
        before += "(local.set $f (array.new_default $functions (i32.const 4)))"
        before += "(array.set $bytes (local.get $a) (i32.const 26) (i32.const 5))"
    parts = [f"(local.get $i{k})" for k in range(_INTEGERS)] + [f"(i64.reinterpret_f64 (local.get $f{k}))" for k in range(_FLOATS)]
    parts += [f"(i64x2.extract_lane {k & 1} (local.get $v{k}))" for k in range(_VECTORS)]
    parts.append("(i64.extend_i32_u (ref.is_null (local.get $object)))")
    if heap:
        parts.append("(i64.extend_i32_u (array.get_u $bytes (local.get $a) (i32.const 60)))")
    after = "(local.set $i0 (i64.xor (local.get $i0) (local.get $result)))"
    folded = "(i64.const 0)"
    for part in parts:
        folded = f"(i64.add (i64.rotl {folded} (i64.const 5)) {part})"
    header = "(param $n i32) (param $object externref) (result i64)"
    body = f"(local.set $result (block (result i64) {operation})) {after}"
    return f"""
  (func ${name} (export "{name}") {header} (local $result i64) {locals_} {before} {body} {folded})
  (func (export "{name} tail") {header} (return_call ${name} (local.get $n) (local.get $object)))
  (func (export "{name} loop") {header} (local $result i64) {locals_} {before}
    (loop $again
      (if (i32.eq (local.get $turn) (i32.const 40)) (then {body}))
      (local.set $i7 (i64.add (local.get $i7) (local.get $i8))) (local.set $f7 (f64.add (local.get $f7) (local.get $f8)))
      (br_if $again (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const 50))))
    {folded})"""


def _module(operations: dict[str, str], *, heap: bool = False) -> str:
    functions = "".join(_function(name, text, heap=heap) for name, text in operations.items())
    return f"(module {_TYPES if heap else ''} {_DECLARED} {functions})"


MODULES: Final = {"plain": (_module(PLAIN), PLAIN), "collected": (_module(COLLECTED, heap=True), COLLECTED)}
_WAYS: Final = ("", " tail", " loop")
_FEATURES: Final = Features.WASM3.with_("threads")
_NEVER: Final = 1 << 62
_CONFIGURATIONS: Final[tuple[dict[str, object], ...]] = (
    {"optimize_after": 0},
    {"optimize_after": 1},
    {"optimize_after": _NEVER},
    {"optimize_after": 3, "fuel": True},
    {"optimize_after": 0, "explicit_checks": True},
    {"optimize_after": 1, "interruptible": False},
)


class Object:
    """What guests hold."""


@pytest.fixture
def forget() -> Callable[[], None]:
    """Makes all builtins those that nobody has called yet."""
    from purewasm.engine.native import builtins
    from purewasm.engine.native.control import STUBS
    from purewasm.engine.native.lazy import stub

    words = builtins.builtin_table().words
    made_later = [*PLAIN, *COLLECTED, "enter_loop"]
    fresh = {NUMBER[name]: STUBS.add(stub(NUMBER[name], builtins._maker())) for name in made_later}

    def put_back() -> None:
        for number, address in fresh.items():
            words[number] = address

    return put_back


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], object]]]:
    """What is done in the middle of making a builtin."""
    from purewasm.engine.native import builtins
    from purewasm.light_importing import import_module as found

    works = list[Callable[[], object]]()

    def import_module(name: str) -> ModuleType:
        for work in works:
            work()
        return found(name)

    monkeypatch.setattr(builtins, "import_module", import_module)
    yield works
    works.clear()


@cache
def _source(which: str) -> bytes:
    return assemble(MODULES[which][0], _FEATURES)


def _runtime(**options: Any) -> Runtime:
    return Runtime(features=_FEATURES, **{"engine": "compiler", **options})


class Guests:
    """Instances of one of the modules."""

    def __init__(self, runtime: Runtime, which: str) -> None:
        self._runtime, self._module = runtime, runtime.compile(_source(which))

    def new(self) -> Instance:
        return self._runtime.instantiate(self._module, fuel=1 << 40 if self._runtime.config.fuel else None)


def _call(instance: Instance, name: str) -> object:
    function = instance.exports[name]
    assert isinstance(function, Function)
    return function(5, Object())


@cache
def _expected(which: str) -> dict[str, object]:
    """What the interpreter makes of each function."""
    with _runtime(engine="interpreter") as runtime:
        guests = Guests(runtime, which)
        return {name + way: _call(guests.new(), name + way) for name in MODULES[which][1] for way in _WAYS}


def test_every_builtin_is_called_here() -> None:
    assert {name for name, _, _ in BUILTINS} == PLAIN.keys() | COLLECTED.keys() | EAGER


@pytest.mark.parametrize("options", _CONFIGURATIONS, ids=str)
@pytest.mark.parametrize("which", MODULES)
def test_the_first_call_is_like_the_others(which: str, options: dict[str, object], forget: Callable[[], None]) -> None:
    from purewasm.engine.native.builtins import builtin_table

    words = builtin_table().words
    with _runtime(**options) as runtime:
        guests = Guests(runtime, which)
        for name, result in _expected(which).items():
            number, used = NUMBER[name.partition(" ")[0]], []
            forget()
            stub = words[number]
            for _ in range(2):
                instance = guests.new()
                assert _call(instance, name) == result, name
                assert words[number] != stub, f"{name} does not call the builtin"
                used.append(instance.meter.budget)
            assert used[0] == used[1], f"{name}: fuel"


@pytest.mark.parametrize("which", MODULES)
def test_guests_run_while_a_builtin_is_made(which: str, forget: Callable[[], None], meanwhile: list[Callable[[], object]]) -> None:
    """As a destructor, a signal handler or another thread may do it; garbage of every kind is collected too."""
    from purewasm.engine.native.control import stack_pointer
    from purewasm.engine.native.handles import LIMIT, relieve

    with _runtime(optimize_after=1) as runtime:
        guests, ran = Guests(runtime, which), 0
        running: list[str] = []

        def work() -> None:
            nonlocal ran
            if not running:
                return
            name = running.pop()
            LIMIT.words[0] = 0
            relieve()
            gc.collect()
            for _ in range(5):  # what was let go is written over
                if which == "collected":
                    runtime._engine.heap.collect(stack_pointer())  # type: ignore[attr-defined]
                assert _call(guests.new(), name) == _expected(which)[name]
            forget()
            ran += 1

        meanwhile.append(work)
        for name, result in _expected(which).items():
            forget()
            running.append(name)
            assert _call(guests.new(), name) == result, name
        assert ran == len(_expected(which))


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RecursionError])
@pytest.mark.parametrize("which", MODULES)
def test_what_goes_wrong_meanwhile_comes_out_and_the_next_call_begins_again(
    which: str, error: type[BaseException], forget: Callable[[], None], meanwhile: list[Callable[[], object]]
) -> None:
    def fail() -> NoReturn:
        raise error("meanwhile")

    with _runtime(optimize_after=0) as runtime:
        guests = Guests(runtime, which)
        for name, result in _expected(which).items():
            forget()
            meanwhile.append(fail)
            instance = guests.new()
            with pytest.raises(error, match="meanwhile"):
                _call(instance, name)
            meanwhile.clear()
            assert _call(guests.new(), name) == result, name


@pytest.mark.parametrize("interruptible", [True, False])
@pytest.mark.parametrize("which", MODULES)
def test_threads_call_a_builtin_first_at_the_same_time(
    which: str, interruptible: bool, forget: Callable[[], None], meanwhile: list[Callable[[], object]]
) -> None:
    count = 3
    meanwhile.append(lambda: time.sleep(0.0001))  # let the others come
    with _runtime(optimize_after=1, interruptible=interruptible) as runtime:
        guests = Guests(runtime, which)
        for name, result in _expected(which).items():
            instances = [guests.new() for _ in range(count)]
            forget()
            start, found = threading.Barrier(count), list[object]()

            def run(instance: Instance, name: str = name, start: threading.Barrier = start, found: list[object] = found) -> None:
                start.wait(60)
                found.append(_call(instance, name))

            threads = [threading.Thread(target=run, args=(instance,)) for instance in instances]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert found == [result] * count, name


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("which", MODULES)
def test_both_sides_of_a_fork_make_their_own(which: str, forget: Callable[[], None]) -> None:
    def failed(guests: Guests) -> list[str]:
        return [name for name, result in _expected(which).items() if _call(guests.new(), name) != result]

    _expected(which)
    with _runtime() as runtime:
        guests = Guests(runtime, which)
        forget()
        child = os.fork()
        if not child:
            status = 1
            try:
                status = 2 if failed(guests) else 0
            finally:
                os._exit(status)
        assert not failed(guests)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


DEEP: Final = """(module
  (memory 1) (table $t 4 externref)
  (func $go (export "go") (param $n i32) (param $which i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add (i32.const 1) (call $go (i32.sub (local.get $n) (i32.const 1)) (local.get $which))))
      (else
        (block $done
          (block $grow (block $copy (block $fill (br_table $fill $copy $grow (local.get $which)))
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 9)) (br $done))
            (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 2)) (br $done))
          (drop (memory.grow (i32.const 1))))
        (i32.const 0)))))"""


@pytest.mark.parametrize("optimize_after", [0, _NEVER])
def test_the_last_stack_there_is_will_do(optimize_after: int, forget: Callable[[], None]) -> None:
    with _runtime(optimize_after=optimize_after, max_stack_bytes=1 << 30) as runtime:
        go = runtime.instantiate(DEEP).exports.go
        fits, too_deep = 0, 1 << 24
        while too_deep - fits > 1:
            depth = fits + too_deep >> 1
            try:
                fits = depth if go(depth, 0) == depth else -1
            except Trap:
                too_deep = depth
        for which in range(3):
            forget()
            assert go(fits, which) == fits
            with pytest.raises(Trap, match="stack"):
                go(too_deep, which)


def test_a_guest_does_not_catch_what_goes_wrong_meanwhile(forget: Callable[[], None], meanwhile: list[Callable[[], object]]) -> None:
    guest = """(module (memory 1) (func (export "f") (result i32)
      (block $caught (try_table (catch_all $caught) (memory.fill (i32.const 0) (i32.const 1) (i32.const 9))) (return (i32.const 1)))
      (i32.const 2)))"""

    def fail() -> NoReturn:
        raise KeyboardInterrupt

    with _runtime() as runtime:
        f = runtime.instantiate(guest).exports.f
        forget()
        meanwhile.append(fail)
        with pytest.raises(KeyboardInterrupt):
            f()
        meanwhile.clear()
        assert f() == 1
