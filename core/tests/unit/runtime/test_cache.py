"""Caches that outlive the process: what is found again, what is never trusted, and that nothing of it reaches the guest."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from purewasm import CompilationCache, Features, InvalidError, Module, Runtime, WasmError
from purewasm.engine.interpreter import lower, saved_code
from purewasm.runtime.file_storage import FileStorage
from purewasm.runtime.storage import StoredEntry
from purewasm.text.assembler import assemble
from purewasm.validate import module as validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.binary.body import Body
    from purewasm.engine.interpreter.context import ModuleContext
    from purewasm.wasm.module import WasmModule

GUEST: Final = """(module
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $down (export "down") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0)) (then (i64.const -7))
      (else (return_call $other (i64.sub (local.get 0) (i64.const 1))))))
  (func $other (param i64) (result i64) (return_call $down (local.get 0)))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1))) (global.get $calls))
  (func (export "nan") (result f32) (f32.const nan:0x200001))
  (func (export "trap") (param i32) (result i32) (i32.load (local.get 0)))
)"""
BYTES: Final = assemble(GUEST, Features.WASM3)
INVALID: Final = assemble("(module (func (result i32) i64.const 1))", Features.WASM3)
FUNCTIONS: Final = 6


def answers(cache: CompilationCache | None, **options: object) -> list[object]:
    with Runtime(engine="interpreter", cache=cache, **options) as runtime:
        exports = runtime.instantiate(BYTES).exports
        with pytest.raises(WasmError, match="out of bounds memory access") as trap:
            exports.trap(-1)
        return [exports.fib(10), exports.down(5000), exports.count(), exports.count(), str(exports.nan()), str(trap.value)]


EXPECTED: Final = answers(None)


class Counter:
    """Counts what is lowered and validated."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lowered = self.validated = 0
        lower_function, validate_module = lower.lower_function, validate.validate_module

        def counted_lower(context: ModuleContext, function: int, decoded: Body) -> lower.Lowered:
            self.lowered += 1
            return lower_function(context, function, decoded)

        def counted_validate(module: WasmModule, features: Features, *bodies_follow: Callable[[Callable[[int], None]], None]) -> None:
            self.validated += 1
            validate_module(module, features, *bodies_follow)

        monkeypatch.setattr("purewasm.engine.interpreter.saved_code.lower_function", counted_lower)
        monkeypatch.setattr("purewasm.runtime.module.validate_module", counted_validate)

    def take(self) -> tuple[int, int]:
        found = self.lowered, self.validated
        self.lowered = self.validated = 0
        return found


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch)


def entries(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def parts(file: Path) -> list[int]:
    return list(StoredEntry(file.read_bytes(), bytes.fromhex(file.name)).numbers())


def run_without_traps(cache: CompilationCache) -> None:
    with Runtime(engine="interpreter", cache=cache) as runtime:
        exports = runtime.instantiate(BYTES).exports
        assert (exports.fib(10), exports.down(10), exports.count()) == (55, -7, 1)


def test_a_second_process_compiles_and_validates_nothing(tmp_path: Path, work: Counter) -> None:
    directory = tmp_path / "cache"
    run_without_traps(CompilationCache(directory))
    assert work.take() == (4, 1)
    run_without_traps(CompilationCache(directory))
    assert work.take() == (0, 0)
    assert len(entries(directory)) == 1


def test_answers_are_the_same(tmp_path: Path) -> None:
    for _ in range(3):
        assert answers(CompilationCache(tmp_path / "cache")) == EXPECTED


def test_functions_are_added_as_they_are_used(tmp_path: Path, work: Counter) -> None:
    directory = tmp_path / "cache"
    with CompilationCache(directory) as cache, Runtime(engine="interpreter", cache=cache) as runtime:
        assert runtime.instantiate(BYTES).exports.fib(5) == 5
    assert parts(*entries(directory)) == [0]
    with CompilationCache(directory) as cache, Runtime(engine="interpreter", cache=cache) as runtime:
        assert runtime.instantiate(BYTES).exports.count() == 1
    assert parts(*entries(directory)) == [0, 3]
    assert work.take() == (2, 1)


def test_an_eager_runtime_saves_all_at_once(tmp_path: Path, work: Counter) -> None:
    directory = tmp_path / "cache"
    runtime = Runtime(engine="interpreter", cache=CompilationCache(directory), eager=True)
    runtime.compile(BYTES)
    assert parts(*entries(directory)) == list(range(FUNCTIONS))
    work.take()
    Runtime(engine="interpreter", cache=CompilationCache(directory), eager=True).compile(BYTES)
    assert work.take() == (0, 0)


def test_a_module_that_never_ran_is_not_validated_again(tmp_path: Path, work: Counter) -> None:
    for _ in range(2):
        with CompilationCache(tmp_path / "cache") as cache:
            Runtime(engine="interpreter", cache=cache).compile(BYTES)
    assert work.take() == (0, 1)


def test_an_invalid_module_is_never_stored(tmp_path: Path) -> None:
    for _ in range(2):
        with CompilationCache(tmp_path / "cache") as cache, Runtime(engine="interpreter", cache=cache) as runtime:
            for _ in range(2):
                with pytest.raises(InvalidError):
                    runtime.compile(INVALID)
    assert entries(tmp_path) == []


def test_what_other_features_allow_is_validated_again(tmp_path: Path) -> None:
    """The module uses what only Wasm 3 has: an entry made with it says nothing about Wasm 1."""
    directory = tmp_path / "cache"
    everything = Runtime(engine="interpreter", cache=CompilationCache(directory))
    with everything, Runtime(engine="interpreter", cache=CompilationCache(directory), features=Features.WASM1) as little:
        module = everything.compile(BYTES)
        assert little.instantiate(module).exports.down(3) == -7
    with Runtime(engine="interpreter", cache=CompilationCache(directory), features=Features.WASM1) as little, pytest.raises(WasmError):
        little.compile(BYTES)


@pytest.mark.parametrize("options", [{"fuel": True}, {"interruptible": False}, {"features": Features.all()}, {"debug_info": False}])
def test_every_option_has_its_own_code(tmp_path: Path, work: Counter, options: dict[str, object]) -> None:
    directory = tmp_path / "cache"
    assert answers(CompilationCache(directory)) == EXPECTED
    work.take()
    assert answers(CompilationCache(directory), **options) == EXPECTED
    assert work.take()[1] == 1
    assert len(entries(directory)) == 2


def test_another_lowering_or_python_has_its_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "cache"
    run_without_traps(CompilationCache(directory))
    for name, value in (("cache_tag", "cpython-999"), ("cache_tag", "other-1")):
        saved_code.identity.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(sys.implementation, name, value)
            run_without_traps(CompilationCache(directory))
    saved_code.identity.cache_clear()
    assert len(entries(directory)) == 3


@pytest.mark.slow
def test_a_change_of_any_byte_changes_no_answer(tmp_path: Path) -> None:
    """Flipped bytes, one after the other all over the file: right answers, and a good entry again."""
    directory = tmp_path / "cache"
    answers(CompilationCache(directory))
    (file,) = entries(directory)
    good = file.read_bytes()
    for at in (*range(0, 300, 7), *range(300, len(good), 211)):
        damaged = bytearray(good)
        damaged[at] ^= 0x41
        file.write_bytes(damaged)
        assert answers(CompilationCache(directory)) == EXPECTED
        assert parts(file) == list(range(FUNCTIONS))
        file.write_bytes(good)


def test_truncated_and_foreign_files_change_no_answer(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    answers(CompilationCache(directory))
    (file,) = entries(directory)
    good = file.read_bytes()
    for damaged in (b"", good[:1], good[:100], good[:-1], good + b"x", b"\0" * len(good), BYTES):
        file.write_bytes(damaged)
        assert answers(CompilationCache(directory)) == EXPECTED
        assert parts(file) == list(range(FUNCTIONS))
    other = file.with_name("0" * 64)
    file.rename(other)
    other.rename(file.with_name(file.name[::-1]))
    assert answers(CompilationCache(directory)) == EXPECTED


def test_damage_while_it_runs_changes_no_answer(tmp_path: Path) -> None:
    """Files are replaced, not changed; a reader has its own."""
    directory = tmp_path / "cache"
    answers(CompilationCache(directory))
    cache = CompilationCache(directory)
    with Runtime(engine="interpreter", cache=cache) as runtime:
        exports = runtime.instantiate(BYTES).exports
        assert exports.fib(10) == 55
        for file in entries(directory):
            file.unlink()
        assert exports.down(10) == -7


def test_an_unsafe_directory_is_refused(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("permissions of POSIX systems")
    tmp_path.chmod(0o777)
    with pytest.raises(WasmError, match="can be written to by other users"):
        CompilationCache(tmp_path)


def test_a_directory_or_a_storage(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a directory or a storage"):
        CompilationCache(tmp_path, storage=FileStorage(tmp_path))
    assert repr(CompilationCache(tmp_path / "x")) == f"<CompilationCache of 0 modules in FileStorage('{tmp_path / 'x'}')>"


# ---- storages of others


class Dictionary:
    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.kept.get(key)

    def add(self, key: bytes, content: bytes) -> None:
        self.kept[key] = content

    def delete(self, key: bytes) -> None:
        del self.kept[key]

    def __len__(self) -> int:
        return len(self.kept)


def test_any_object_can_be_the_storage(work: Counter) -> None:
    storage = Dictionary()
    assert answers(CompilationCache(storage=storage)) == EXPECTED
    work.take()
    assert answers(CompilationCache(storage=storage)) == EXPECTED
    assert work.take()[1] == 0
    ((key, content),) = storage.kept.items()
    assert (len(key), type(content)) == (32, bytes)


class Broken:
    """Fails at everything, or answers nonsense."""

    def __init__(self, answer: object = None) -> None:
        self.answer = answer

    def get(self, key: bytes) -> bytes | None:
        if self.answer is None:
            raise ConnectionError("nobody there")
        return self.answer  # type: ignore[return-value]

    def add(self, key: bytes, content: bytes) -> None:
        raise ConnectionError("nobody there")

    def delete(self, key: bytes) -> None:
        raise ConnectionError("nobody there")


@pytest.mark.parametrize("answer", [None, "text", 7, b"", b"nonsense"])
def test_a_storage_that_fails_is_a_warning(answer: object) -> None:
    with pytest.warns(RuntimeWarning, match="the storage of the compilation cache failed, code is compiled without it"):
        assert answers(CompilationCache(storage=Broken(answer))) == EXPECTED


# ---- sharing


def test_modules_that_travelled_share_code(tmp_path: Path, work: Counter) -> None:
    with CompilationCache(tmp_path / "cache") as cache, Runtime(engine="interpreter", cache=cache) as runtime:
        module = runtime.compile(BYTES)
        copies = [pickle.loads(pickle.dumps(module)) for _ in range(3)]
        assert [runtime.instantiate(copy).exports.fib(10) for copy in (module, *copies)] == [55] * 4
        assert all(isinstance(copy, Module) for copy in copies)
        assert len(cache) == 1
    assert work.take() == (1, 1)


def test_closing_in_any_order_keeps_what_others_use(tmp_path: Path) -> None:
    cache = CompilationCache(tmp_path / "cache")
    first, second = (Runtime(engine="interpreter", cache=cache) for _ in range(2))
    one, two = first.instantiate(BYTES), second.instantiate(BYTES)
    assert one.exports.fib(5) == 5
    first.close()
    assert two.exports.fib(6) == 8
    cache.close()
    assert (two.exports.fib(7), two.exports.down(3)) == (13, -7)
    with pytest.raises(WasmError, match="the compilation cache is closed"):
        second.compile(BYTES)
    second.close()


def test_many_threads_share_a_cache(tmp_path: Path) -> None:
    cache, found = CompilationCache(tmp_path / "cache"), []

    def run() -> None:
        with Runtime(engine="interpreter", cache=cache) as runtime:
            exports = runtime.instantiate(BYTES).exports
            found.append((exports.fib(10), exports.down(50)))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(55, -7)] * 8
    cache.close()
    assert parts(*entries(tmp_path / "cache")) == [0, 1, 2]


_PROCESS: Final = """
import sys
from purewasm import CompilationCache, Runtime
exports = Runtime(engine="interpreter", cache=CompilationCache(sys.argv[1])).instantiate(open(sys.argv[2], "rb").read()).exports
for name in sys.argv[3:]:
    print(exports[name](9))
"""


@pytest.mark.slow
def test_processes_share_a_directory_and_the_end_of_a_process_saves(tmp_path: Path) -> None:
    directory, guest = tmp_path / "cache", tmp_path / "guest.wasm"
    guest.write_bytes(BYTES)
    command = [sys.executable, "-W", "error", "-c", _PROCESS, str(directory), str(guest)]
    running = [subprocess.Popen([*command, "fib", "down"], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[0].split() for process in running] == [["34", "-7"]] * 4
    assert parts(*entries(directory)) == [0, 1, 2]


def test_nothing_is_made_without_a_directory(work: Counter) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache = CompilationCache()
        assert answers(cache) == EXPECTED
        cache.save()
    assert work.take()[1] == 1
