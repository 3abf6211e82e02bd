"""Optimized code that was kept: nothing is compiled again, nothing damaged ever runs, and traps look as if it had just been compiled.

Code of the other tiers is in `test_tiers_saved`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from purewasm import CompilationCache, Features, FileStorage, Function, Instance, Runtime, Trap
from purewasm.isa.x64.cpu import NEEDED_FEATURES
from purewasm.runtime.storage import StoredEntry
from purewasm.text.assembler import assemble

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.backend.machine_code import MachineCode

GUEST: Final = """(module $guest
  (import "host" "tick" (func $tick))
  (memory (export "memory") 1)
  (table funcref (elem $fib $div))
  (type $unary (func (param i32) (result i32)))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $div (export "div") (param i32) (result i32) (i32.div_u (i32.const 84) (local.get 0)))
  (func $outer (export "outer") (param i32) (result i32) (call $tick) (i32.add (call $div (local.get 0)) (i32.const 1)))
  (func $indirect (export "indirect") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 0) (local.get 1)))
  (func $load (export "load") (param i32) (result i32) (i32.load offset=8 (local.get 0)))
  (func $pool (export "pool") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 1.25)))
)"""
BYTES: Final = assemble(GUEST, Features.WASM3)
FUNCTIONS: Final = [1, 2, 3, 4, 5, 6]
GROUP: Final = 1 << 28
CODE: Final = 1
TABLES: Final = 2
VERDICT: Final = 5 * GROUP


class Dictionary:
    """A storage in memory that counts writes."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.writes = 0

    def get(self, key: bytes) -> bytes | None:
        return self.kept.get(key)

    def add(self, key: bytes, content: bytes) -> None:
        self.writes += 1
        self.kept[key] = content

    def delete(self, key: bytes) -> None:
        self.kept.pop(key, None)

    @property
    def entry(self) -> StoredEntry:
        ((key, content),) = self.kept.items()
        return StoredEntry(content, key)

    def functions(self, group: int = CODE) -> list[int]:
        found = self.entry.group(group)
        return [] if found is None else found.numbers


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Functions that the compilers made code of."""
    from purewasm.engine.native.compilers import ModuleCompilers

    found: list[int] = []

    def count(name: str) -> None:
        original: Callable[..., MachineCode | None] = getattr(ModuleCompilers, name)

        def counting(self: ModuleCompilers, *numbers: int) -> MachineCode | None:
            made = original(self, *numbers)
            if made is not None:
                found.append(numbers[0])
            return made

        monkeypatch.setattr(ModuleCompilers, name, counting)

    for name in ("optimized", "baseline", "loop"):
        count(name)
    return found


def functions_of(instance: Instance) -> dict[str, Function]:
    return {name: export for name in instance.exports if isinstance(export := instance.exports[name], Function)}


def trap(call: Callable[..., object], *args: int) -> str:
    with pytest.raises(Trap) as caught:
        call(*args)
    return f"{caught.value} {[str(frame) for frame in caught.value.frames]}"


def answers(storage: Dictionary | FileStorage | None, **options: object) -> list[object]:
    cache = None if storage is None else CompilationCache(storage=storage)
    with Runtime(engine="compiler", optimize_after=0, cache=cache, **options) as runtime:
        exports = functions_of(runtime.instantiate(BYTES, imports={"host": {"tick": lambda: None}}))
        fib, outer, indirect, load = (exports[name] for name in ("fib", "outer", "indirect", "load"))
        return [
            fib(10), outer(2), indirect(7, 0), indirect(7, 1), load(0), exports["pool"](4.0),
            trap(outer, 0), trap(indirect, 0, 1), trap(indirect, 0, 9), trap(load, -1),
        ]  # fmt: skip


@pytest.fixture
def expected() -> list[object]:
    return answers(None)


def test_what_was_compiled_is_found_and_traps_are_the_same(expected: list[object], compiled: list[int]) -> None:
    storage = Dictionary()
    assert answers(storage) == expected
    assert sorted(compiled) == FUNCTIONS
    compiled.clear()
    assert answers(storage) == expected
    assert compiled == []
    assert (storage.functions(), storage.functions(TABLES), storage.writes) == (FUNCTIONS, FUNCTIONS, 1)


def test_code_without_guard_pages_is_code_of_its_own(expected: list[object], compiled: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import engine
    from purewasm.engine.native.memory import NativeMemory

    storage = Dictionary()
    answers(storage)
    compiled.clear()
    monkeypatch.setattr(engine, "NativeMemory", lambda type, limit, explicit_checks: NativeMemory(type, limit, explicit_checks=True))
    assert answers(storage) == expected
    assert sorted(compiled) == FUNCTIONS
    compiled.clear()
    assert answers(storage) == expected
    assert compiled == []
    assert (storage.functions(CODE), storage.functions(CODE + 2)) == (FUNCTIONS, FUNCTIONS)


def test_lazily_compiled_functions_are_added_at_close(compiled: list[int]) -> None:
    storage = Dictionary()
    for name, count in (("fib", 1), ("fib", 1), ("load", 2)):
        with Runtime(engine="compiler", optimize_after=0, cache=CompilationCache(storage=storage)) as runtime:
            functions_of(runtime.instantiate(BYTES, imports={"host": {"tick": lambda: None}}))[name](0)
        assert len(storage.functions()) == count
    assert (compiled, storage.writes) == ([1, 5], 2)


def test_many_functions_are_added_in_batches(compiled: list[int]) -> None:
    storage = Dictionary()
    count = 2000
    text = "".join(f"(func $f{i} (result i32) (i32.const {i}))" for i in range(count))
    names = " ".join(f"$f{i}" for i in range(count))
    text += f'(table funcref (elem {names})) (func (export "run") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))'
    with Runtime(engine="compiler", optimize_after=0, cache=CompilationCache(storage=storage)) as runtime:
        run = runtime.instantiate(f"(module {text})").exports.run
        assert [run(i) for i in range(count)] == list(range(count))
        assert 1 <= storage.writes <= 6
        written = len(storage.functions())
        assert 0 < written <= count
    assert len(storage.functions()) == count + 1
    # all of it, in two steps: what others add to an entry meanwhile stays
    compiled.clear()
    with Runtime(engine="compiler", optimize_after=0, cache=CompilationCache(storage=storage)) as runtime:
        run = runtime.instantiate(f"(module {text})").exports.run
        assert [run(i) for i in range(0, count, 7)] == list(range(0, count, 7))
    assert compiled == []


def test_other_processors_have_code_of_their_own(compiled: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import engine

    if engine.cpu_features() == NEEDED_FEATURES:
        pytest.skip("this processor has nothing that the compiler could do without")
    storage = Dictionary()
    answers(storage)
    compiled.clear()
    fewer = engine.cpu_features() & NEEDED_FEATURES
    monkeypatch.setattr(engine, "cpu_features", lambda: fewer)
    answers(storage)
    assert sorted(compiled) == FUNCTIONS
    assert len(storage.kept) == 2


@pytest.mark.parametrize("is_here", [False, True])
def test_another_state_of_the_compiler_has_code_of_its_own(
    compiled: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_here: bool
) -> None:
    """What machines may share depends on the bytes of the compiler's files; what stays here on their sizes and times."""
    storage = FileStorage(tmp_path / "cache") if is_here else Dictionary()
    names = ("compiler_digest", "compiler_state")
    answers(storage)
    compiled.clear()
    monkeypatch.setattr(f"purewasm.engine.native.saved_code.{names[not is_here]}", lambda: "another")
    answers(storage)
    assert compiled == []
    monkeypatch.setattr(f"purewasm.engine.native.saved_code.{names[is_here]}", lambda: "another")
    answers(storage)
    assert sorted(compiled) == FUNCTIONS


@pytest.mark.slow
def test_a_change_of_any_byte_changes_no_answer(expected: list[object]) -> None:
    """Whatever is damaged is compiled again; it never runs."""
    storage = Dictionary()
    answers(storage)
    ((key, good),) = storage.kept.items()
    for at in (*range(0, 200, 11), *range(200, len(good), 61)):
        damaged = bytearray(good)
        damaged[at] ^= 0x55
        storage.kept[key] = bytes(damaged)
        assert answers(storage) == expected
        assert storage.functions() == FUNCTIONS


def test_damaged_code_never_runs(expected: list[object], compiled: list[int]) -> None:
    """Code of one function that is replaced as a whole, with an int3 everywhere: only that function is compiled again."""
    storage = Dictionary()
    answers(storage)
    compiled.clear()
    ((key, good),) = storage.kept.items()
    part = storage.entry.get(CODE * GROUP | 1)
    assert part is not None
    assert good.count(bytes(part)) == 1
    storage.kept[key] = good.replace(bytes(part), b"\xcc" * len(part))
    assert answers(storage) == expected
    assert compiled == [1]
    assert storage.kept[key] == good


def test_damaged_tables_are_made_again(expected: list[object], compiled: list[int]) -> None:
    storage = Dictionary()
    answers(storage)
    compiled.clear()
    ((key, good),) = storage.kept.items()
    part = storage.entry.get(TABLES * GROUP | 2)
    assert part is not None
    storage.kept[key] = good.replace(bytes(part), bytes(len(part)))
    assert answers(storage) == expected
    assert compiled == [2]
    assert storage.kept[key] == good


def test_truncated_entries_change_no_answer(expected: list[object]) -> None:
    storage = Dictionary()
    answers(storage)
    ((key, good),) = storage.kept.items()
    for size in (0, 1, 64, 200, len(good) // 2, len(good) - 1):
        storage.kept[key] = good[:size]
        assert answers(storage) == expected
        assert storage.kept[key] == good


def test_whether_the_compiler_takes_a_module_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import engine

    storage = Dictionary()
    monkeypatch.setattr(engine, "unsupported", lambda module, cpu: "not today")
    answers(storage)
    assert bytes(storage.entry.get(VERDICT) or b"") == b"not today"
    monkeypatch.setattr(engine, "unsupported", lambda module, cpu: pytest.fail("asked again"))
    answers(storage)


def test_a_directory_of_files(tmp_path: Path, expected: list[object], compiled: list[int]) -> None:
    for _ in range(2):
        with CompilationCache(tmp_path / "cache") as cache, Runtime(engine="compiler", cache=cache, eager=True) as runtime:
            exports = runtime.instantiate(BYTES, imports={"host": {"tick": lambda: None}}).exports
            assert (exports.fib(10), exports.pool(4.0)) == (55, 5.0)
    assert compiled == FUNCTIONS


def test_code_goes_with_its_last_user() -> None:
    import gc
    import weakref

    storage = Dictionary()
    answers(storage)
    runtime = Runtime(engine="compiler", optimize_after=0, cache=CompilationCache(storage=storage))
    instance = runtime.instantiate(BYTES, imports={"host": {"tick": lambda: None}})
    assert trap(instance.exports.div, 0).startswith("integer divide by zero")
    code = weakref.ref(instance.code)
    fib = instance.exports.fib
    runtime.close()
    del instance, runtime
    gc.collect()
    assert code() is not None or fib is not None
    del fib
    gc.collect()
    assert code() is None


def test_saved_code_throws_and_catches(compiled: list[int]) -> None:
    text = """(module (tag $e (param i32))
      (func $thrower (param i32) (throw $e (local.get 0)))
      (func $between (param i32) (call $thrower (i32.add (local.get 0) (i32.const 1))))
      (func (export "catch") (param i32) (result i32)
        (block $h (result i32) (try_table (catch $e $h) (call $between (local.get 0))) (i32.const -1))))"""
    storage = Dictionary()
    for expected_count in (3, 0):
        compiled.clear()
        with Runtime(engine="compiler", optimize_after=0, cache=CompilationCache(storage=storage)) as runtime:
            assert runtime.instantiate(text).exports.catch(41) == 42
        assert len(compiled) == expected_count


_PROCESS: Final = """
import sys
from purewasm import CompilationCache, Runtime
runtime = Runtime(engine="compiler", cache=CompilationCache(sys.argv[1]))
exports = runtime.instantiate(open(sys.argv[2], "rb").read(), imports={"host": {"tick": lambda: None}}).exports
for name in sys.argv[3:]:
    print(exports[name](9))
"""


@pytest.mark.slow
def test_processes_share_a_directory(tmp_path: Path, compiled: list[int]) -> None:
    directory, guest = tmp_path / "cache", tmp_path / "guest.wasm"
    guest.write_bytes(BYTES)
    command = [sys.executable, "-W", "error", "-c", _PROCESS, str(directory), str(guest)]
    calls = [["fib"], ["div"], ["outer"], ["fib", "load"]]
    running = [subprocess.Popen([*command, *names], stdout=subprocess.PIPE, text=True) for names in calls]
    assert [process.communicate()[0].split() for process in running] == [["34"], ["9"], ["10"], ["34", "0"]]
    # what two of them wrote at the same moment may be lost, but no more than that, and the next one adds it
    for _ in range(2):
        compiled.clear()
        with Runtime(engine="compiler", cache=CompilationCache(directory)) as runtime:
            exports = functions_of(runtime.instantiate(BYTES, imports={"host": {"tick": lambda: None}}))
            assert [exports[name](9) for name in ("fib", "div", "outer", "load")] == [34, 9, 10, 0]
    assert compiled == []


def test_the_collector_is_saved_with_modules_that_need_it(tmp_path: Path) -> None:
    """A process that has all code does not load the compiler for it."""
    made = tmp_path / "objects.bin"
    text = """(module (type $link (struct (field i32) (field (ref null $link))))
      (func (export "run") (param $n i32) (result i32) (local $list (ref null $link))
        (loop $next
          (local.set $list (struct.new $link (local.get $n)
            (if (result (ref null $link)) (i32.rem_u (local.get $n) (i32.const 100))
              (then (local.get $list)) (else (ref.null $link)))))
          (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (struct.get $link 0 (struct.get $link 1 (local.get $list)))))"""
    with Runtime(engine="compiler") as runtime:
        made.write_bytes(runtime.precompile(text))
    made.chmod(0o600)
    program = f"""
import sys
from purewasm import Runtime
with Runtime(engine="compiler") as runtime:
    assert runtime.instantiate(runtime.load({str(made)!r})).exports.run(1_000_000) == 2
    assert runtime._engine.heap.collections
assert not any(name in sys.modules for name in ("purewasm.frontend.build", "purewasm.text.assembler"))
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
