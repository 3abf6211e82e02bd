"""Random programs over structures, arrays and casts do the same everywhere: results, traps, and the fuel that is left."""

from __future__ import annotations

from random import Random

import pytest

from core.tests.conformance.conftest import AVAILABLE
from core.tests.differential.aggregates import Aggregates
from core.tests.differential.budget import budget
from purewasm import Trap

pytest.importorskip("wasmtime", reason="the other runtime: pip install wasmtime")

from core.tests.differential.outcomes import Call, differences, new_runtime, own_outcomes

_CALLS = 8
_FUEL = 1 << 22  # where it runs out it does so on both


def _calls(rng: Random) -> list[Call]:
    return [
        Call(
            f"f{number >> 1}",
            (rng.choice((0, 1, 2, -1, rng.getrandbits(31))), rng.choice((0, -1, rng.getrandbits(62))), rng.choice((0.0, -1.5, 1e10))),
        )
        for number in range(_CALLS)
    ]


@pytest.mark.skipif(len(AVAILABLE) < 2, reason="there is one engine only")
@pytest.mark.parametrize("explicit_checks", [False, True], ids=["guard pages", "explicit checks"])
def test_engines_agree(explicit_checks: bool) -> None:
    for seed in budget(12):
        rng = Random(seed)
        text, calls = Aggregates(rng).text(), _calls(rng)
        found = []
        for engine in AVAILABLE:
            with new_runtime(engine, fuel=True, explicit_checks=explicit_checks) as runtime:
                found.append([*own_outcomes(runtime.compile(text).wasm.source, calls, runtime, _FUEL)])
        assert found[0] == found[1], f"seed {seed}: {text}"


@pytest.mark.parametrize("engine", AVAILABLE)
def test_the_other_runtime_agrees(engine: str) -> None:
    for seed in budget(12):
        rng = Random(1000 + seed)
        text, calls = Aggregates(rng).text(), _calls(rng)
        with new_runtime(engine) as runtime:
            found = differences(runtime.compile(text).wasm.source, calls, runtime)
        assert not found, f"seed {seed}: {found} {text}"


@pytest.mark.parametrize("engine", AVAILABLE)
def test_many_of_the_programs_run_to_their_end(engine: str) -> None:
    returned = 0
    for seed in range(20):
        rng = Random(seed)
        text, calls = Aggregates(rng).text(), _calls(rng)
        with new_runtime(engine) as runtime:
            outcomes = [*own_outcomes(runtime.compile(text).wasm.source, calls, runtime)]
        returned += sum(outcome.startswith("returned") for outcome in outcomes)
    assert returned > 30


_DEPTH = 14
_FAILURES = (("call", "indirect call type mismatch"), ("tail", "indirect call type mismatch"), ("cast", "cast failure"))


@pytest.mark.parametrize("engine", AVAILABLE)
def test_long_chains_of_function_types(engine: str) -> None:
    """Function i is of type i, whose supertypes are all before it: called and cast as type j."""
    chain = range(_DEPTH)
    types = " ".join(f"(type $t{i} (sub {f'$t{i - 1} ' if i else ''}(func (result i32))))" for i in chain)
    functions = " ".join(f"(func $f{i} (type $t{i}) (i32.const {i}))" for i in chain)
    exported = " ".join(
        f"""(func (export "call{j}") (param i32) (result i32) (call_indirect (type $t{j}) (local.get 0)))
            (func (export "tail{j}") (param i32) (result i32) (return_call_indirect (type $t{j}) (local.get 0)))
            (func (export "test{j}") (param i32) (result i32) (ref.test (ref $t{j}) (table.get (local.get 0))))
            (func (export "cast{j}") (param i32) (result i32)
              (call_ref $t{j} (ref.cast (ref null $t{j}) (table.get (local.get 0)))))"""
        for j in chain
    )
    table = f"(table {_DEPTH} funcref) (elem (i32.const 0) func {' '.join(f'$f{i}' for i in chain)})"
    with new_runtime(engine) as runtime:
        exports = runtime.instantiate(f"(module (rec {types}) {functions} {table} {exported})").exports
        for j in chain:
            for i in chain:
                assert exports[f"test{j}"](i) == (i >= j)  # type: ignore[operator]
                for name, trap in _FAILURES:
                    if i >= j:
                        assert exports[f"{name}{j}"](i) == i  # type: ignore[operator]
                    else:
                        with pytest.raises(Trap, match=trap):
                            exports[f"{name}{j}"](i)  # type: ignore[operator]


@pytest.mark.parametrize("engine", AVAILABLE)
@pytest.mark.parametrize("others", ["", "(type (sub (func)))"], ids=["final types alone", "open types"])
def test_casts_of_functions(engine: str, others: str) -> None:
    """In registers, and in slots behind calls and where there are no registers left."""
    many = range(16)
    text = f"""(module {others} (type $f (func (result i32))) (type $g (func (param i32) (result i32)))
      (table 4 funcref) (elem (i32.const 0) func $f $g) (elem declare func $f $g)
      (func $f (type $f) (i32.const 7)) (func $g (type $g) (local.get 0))
      (func (export "register") (param i32) (result i32) (ref.test (ref $g) (table.get (local.get 0))))
      (func (export "null") (param i32) (result i32) (ref.test (ref null $g) (table.get (local.get 0))))
      (func (export "slot") (param i32) (result i32) {' '.join(f'(local $x{i} funcref)' for i in many)} (local $s i32)
        {' '.join(f'(local.set $x{i} (table.get (i32.and (i32.add (local.get 0) (i32.const {i})) (i32.const 3))))' for i in many)}
        (drop (call $f))
        {' '.join(f'(local.set $s (i32.or (i32.shl (local.get $s) (i32.const 1)) (ref.test (ref $g) (local.get $x{i}))))' for i in many)}
        (local.get $s))
      (func (export "cast") (param i32) (result i32) (local $x funcref)
        (local.set $x (table.get (local.get 0))) (drop (call $f)) (call_ref $g (i32.const 5) (ref.cast (ref $g) (local.get $x))))
      (func (export "branch") (param i32) (result i32)
        (block $g (result (ref $g)) (block $o (result (ref null func)) (br_on_cast $g funcref (ref $g) (table.get (local.get 0))))
          (drop) (return (i32.const -1)))
        (drop) (i32.const 1)))"""
    with new_runtime(engine) as runtime:
        exports = runtime.instantiate(text).exports
        assert [exports.register(i) for i in range(4)] == [0, 1, 0, 0]
        assert [exports.null(i) for i in range(4)] == [0, 1, 1, 1]
        bits = [sum(1 << 15 - i for i in many if (k + i) & 3 == 1) for k in range(4)]
        assert [exports.slot(k) for k in range(4)] == bits
        assert [exports.branch(i) for i in range(4)] == [-1, 1, -1, -1]
        assert exports.cast(1) == 5
        for index in (0, 2):
            with pytest.raises(Trap, match="cast failure"):
                exports.cast(index)
