"""Code of every tier that was kept: a warm start compiles nothing again, and what runs looks as if it had just been compiled."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pytest

from core.tests.unit.engine.native.test_saved_code import GROUP, Dictionary
from purewasm import CompilationCache, Features, Instance, Runtime, Trap
from purewasm.text.assembler import assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from purewasm.backend.machine_code import MachineCode
    from purewasm.engine.native.module_code import ModuleCode

GUEST: Final = """(module $guest
  (import "host" "tick" (func $tick))
  (memory 1)
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $sum (export "sum") (param $n i32) (result i32) (local $s i32)
    (loop $l
      (local.set $s (i32.add (local.get $s) (i32.div_u (i32.const 840) (local.get $n))))
      (call $tick)
      (br_if $l (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const -3))))
    (local.get $s))
  (func (export "once") (param i32) (result i32) (i32.load offset=8 (local.get 0)))
)"""
BYTES: Final = assemble(GUEST, Features.WASM3)
FIB: Final = 1
SUM: Final = 2
ONCE: Final = 3
OPTIMIZED: Final = 1
BASELINE: Final = 7
LOOPS: Final = 11


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What the compilers were asked for."""
    from purewasm.engine.native.compilers import ModuleCompilers

    found: list[tuple[str, int]] = []

    def count(name: str) -> None:
        original: Callable[..., MachineCode | None] = getattr(ModuleCompilers, name)

        def counting(self: ModuleCompilers, *numbers: int) -> MachineCode | None:
            found.append((name, numbers[0]))
            return original(self, *numbers)

        monkeypatch.setattr(ModuleCompilers, name, counting)

    for name in ("optimized", "baseline", "loop"):
        count(name)
    return found


def start(storage: Dictionary) -> Instance:
    runtime = Runtime(engine="compiler", cache=CompilationCache(storage=storage), optimize_after=30)
    return runtime.instantiate(BYTES, imports={"host": {"tick": lambda: None}})


def use(instance: Instance) -> list[object]:
    exports = instance.exports
    results: list[object] = [exports.fib(10), exports.once(0)]
    with pytest.raises(Trap) as caught:
        exports.sum(100)  # divides by zero at the end of a hundred turns
    results.append(f"{caught.value} {[str(frame) for frame in caught.value.frames]}")
    with pytest.raises(Trap) as caught:
        exports.once(-1)
    results.append(f"{caught.value} {[str(frame) for frame in caught.value.frames]}")
    return results


def kept(storage: Dictionary, group: int) -> int:
    return len(storage.functions(group))


def run(storage: Dictionary, after: int = 30, options: Mapping[str, object] = MappingProxyType({})) -> list[object]:
    with Runtime(engine="compiler", cache=CompilationCache(storage=storage), optimize_after=after, **options) as runtime:
        return use(runtime.instantiate(BYTES, imports={"host": {"tick": lambda: None}}))


@pytest.mark.parametrize("options", [{}, {"explicit_checks": True}, {"interruptible": False}, {"fuel": True}], ids=str)
def test_a_warm_start_compiles_nothing(asked: list[tuple[str, int]], options: dict[str, object]) -> None:
    storage = Dictionary()
    expected = run(Dictionary(), 0, options)
    asked.clear()
    assert run(storage, options=options) == expected
    assert asked == [("baseline", FIB), ("optimized", FIB), ("baseline", ONCE), ("baseline", SUM), ("loop", SUM)]
    asked.clear()
    for _ in range(2):
        assert run(storage, options=options) == expected
    assert asked == []
    assert storage.writes == 1
    offset = 2 * bool(options.get("explicit_checks"))
    assert [kept(storage, group + offset) for group in (OPTIMIZED, BASELINE, LOOPS)] == [1, 3, 1]


def test_optimized_code_is_preferred(asked: list[tuple[str, int]]) -> None:
    storage = Dictionary()
    run(storage)
    instance = start(storage)
    code: ModuleCode = instance.code  # type: ignore[assignment]
    variant = code.variant(explicit_checks=False)
    assert set(variant.code[0]) == {FIB}
    assert set(variant.code[1]) == {FIB, SUM, ONCE}
    assert variant.slots.words[FIB] == variant.code[0][FIB]
    assert variant.slots.words[SUM] == variant.code[1][SUM]
    assert list(variant.turns[FIB:]) == [30, 30, 30]
    assert instance.exports.fib(10) == 55


def test_who_optimizes_at_once_takes_no_other_code(asked: list[tuple[str, int]]) -> None:
    storage = Dictionary()
    expected = run(storage)
    asked.clear()
    assert run(storage, 0) == expected
    assert sorted(asked) == [("optimized", SUM), ("optimized", ONCE)]
    asked.clear()
    assert run(storage) == expected  # and everybody takes optimized code
    assert asked == []


@pytest.mark.parametrize(("group", "made"), [(BASELINE, ("baseline", SUM)), (LOOPS, ("loop", SUM))])
def test_damaged_code_is_made_again(asked: list[tuple[str, int]], group: int, made: tuple[str, int]) -> None:
    storage = Dictionary()
    expected = run(storage)
    number = SUM if group == BASELINE else storage.functions(LOOPS)[0]
    for tables in (0, 1):
        asked.clear()
        ((key, good),) = storage.kept.items()
        part = storage.entry.get((group + tables) * GROUP | number)
        assert part is not None
        assert good.count(bytes(part)) == 1
        storage.kept[key] = good.replace(bytes(part), b"\xcc" * len(part))
        assert run(storage) == expected
        assert asked == [made]
        assert storage.kept[key] == good


def test_loops_of_another_module_are_not_taken(asked: list[tuple[str, int]]) -> None:
    """What is outside of the module's bodies cannot be a loop of it."""

    instance = start(Dictionary())
    code: ModuleCode = instance.code  # type: ignore[assignment]
    first, last = code.module.codes[0].start, code.module.codes[-1].end
    assert code._may_have(2, [first, last - 1])
    assert not code._may_have(2, [first - 1, last - 1])
    assert not code._may_have(2, [first, last])
    assert not code._may_have(1, [0, 1])
    assert code._may_have(1, [FIB, ONCE])


def test_a_precompiled_module_is_optimized_throughout(asked: list[tuple[str, int]], tmp_path: Path) -> None:
    file = tmp_path / "guest.pwasm"
    with Runtime(engine="compiler", optimize_after=1) as runtime:
        file.write_bytes(runtime.precompile(BYTES))
        file.chmod(0o600)
        asked.clear()
        instance = runtime.instantiate(runtime.load(file), imports={"host": {"tick": lambda: None}})
        assert instance.exports.fib(10) == 55
    assert asked == []
