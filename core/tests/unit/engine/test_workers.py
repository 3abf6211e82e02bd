"""Compiling in several processes: the same bytes whoever makes them, and no error whatever happens to a worker."""

from __future__ import annotations

import sys
from typing import Final

import pytest

from purewasm import CompilationCache, Runtime
from purewasm.binary.decoder import decode_module
from purewasm.engine import workers
from purewasm.engine.interpreter import saved_code
from purewasm.engine.protocol import CompileOptions
from purewasm.engine.workers import Job, parts_of
from purewasm.text.assembler import assemble
from purewasm.wasm.features import Features

COUNT: Final = 40


def _function(number: int) -> str:
    body = " ".join(f"(local.set 1 (i32.add (local.get 1) (i32.mul (local.get 0) (i32.const {number * i}))))" for i in range(number % 7))
    calls = f"(call $f{number - 1} (local.get 0))" if number else "(i32.const 1)"
    floats = f"(drop (f64.mul (f64.const {number}.5) (f64.const 3)))"
    head = f'(func $f{number} (export "f{number}") (param i32) (result i32) (local i32)'
    return f"{head} {floats} {body} (i32.add (local.get 1) (i32.div_s {calls} (i32.const 1))))"


SOURCE: Final = assemble(f"(module (memory 1) {' '.join(map(_function, range(COUNT)))})", Features.WASM3)


class Dictionary:
    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.kept.get(key)

    def add(self, key: bytes, content: bytes) -> None:
        self.kept[key] = content

    def delete(self, key: bytes) -> None:
        self.kept.pop(key, None)


def compiled(engine: str, count: int, functions_first: int = 0) -> tuple[dict[bytes, bytes], object]:
    """What an eager runtime with so many workers saves, and a result. Some functions may have been optimized before."""
    storage = Dictionary()
    if functions_first:
        with Runtime(engine=engine, optimize_after=0, cache=CompilationCache(storage=storage)) as runtime:
            runtime.instantiate(SOURCE).exports[f"f{functions_first}"](3)  # type: ignore[operator]
    with Runtime(engine=engine, eager=True, workers=count, cache=CompilationCache(storage=storage)) as runtime:
        exports = runtime.instantiate(SOURCE).exports
        return storage.kept, [exports[f"f{number}"](3) for number in range(COUNT)]  # type: ignore[operator]


@pytest.fixture(params=["interpreter", "compiler"])
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    try:
        Runtime(engine=name).close()
    except Exception as error:  # noqa: BLE001  # whatever the reason, it is the engine's to say
        pytest.skip(str(error))
    return name


@pytest.mark.slow
def test_the_bytes_depend_neither_on_the_number_of_workers_nor_on_the_order(engine: str) -> None:
    alone = compiled(engine, 1)
    assert compiled(engine, 2) == alone
    assert compiled(engine, 5) == alone
    assert compiled(engine, 2, functions_first=7) == alone


def interpreter_job() -> Job:
    return Job(saved_code.__name__, SOURCE, CompileOptions())


def test_every_function_comes_once() -> None:
    module = decode_module(SOURCE, Features.WASM3)
    made = [index for index, _ in parts_of(interpreter_job(), module, range(COUNT), 2)]
    assert sorted(made) == list(range(COUNT))
    assert [index for index, _ in parts_of(interpreter_job(), module, [3, 1], 1)] == [3, 1]


def test_workers_that_die_leave_the_work_to_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    module = decode_module(SOURCE, Features.WASM3)
    expected = dict(parts_of(interpreter_job(), module, range(COUNT), 1))
    for start in ("import sys; sys.exit(3)", "import sys; sys.stdin.buffer.read(100); sys.stdout.write('nonsense' * 9)"):
        monkeypatch.setattr(workers, "_START", start)
        assert dict(parts_of(interpreter_job(), module, range(COUNT), 2)) == expected
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert dict(parts_of(interpreter_job(), module, range(COUNT), 2)) == expected
    monkeypatch.setattr(sys, "executable", "")
    assert dict(parts_of(interpreter_job(), module, range(COUNT), 2)) == expected


def test_large_functions_go_first_and_every_one_into_one_list() -> None:
    module = decode_module(SOURCE, Features.WASM3)
    chunks = workers._chunks(module, range(COUNT), 2)
    sizes = [module.codes[index].end - module.codes[index].start for chunk in chunks for index in chunk]
    assert sizes == sorted(sizes, reverse=True)
    assert sorted(index for chunk in chunks for index in chunk) == list(range(COUNT))
    assert len(chunks) > 4


def test_progress_is_told_and_an_exception_of_it_stops_the_work(engine: str) -> None:
    for count in (1, 2):
        told: list[tuple[int, int]] = []
        with Runtime(engine=engine, eager=True, workers=count, progress=lambda *amounts, told=told: told.append(amounts)) as runtime:
            runtime.compile(SOURCE)
        totals = {total for _, total in told}
        assert len(totals) == 1
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert told[-1][0] == told[-1][1]

        def stop(done: int, total: int) -> None:
            raise KeyboardInterrupt

        with Runtime(engine=engine, eager=True, workers=count, progress=stop) as runtime, pytest.raises(KeyboardInterrupt):
            runtime.compile(SOURCE)


def test_workers_is_a_number_of_processes() -> None:
    with pytest.raises(ValueError, match="workers is at least 1: 0"):
        Runtime(workers=0)
