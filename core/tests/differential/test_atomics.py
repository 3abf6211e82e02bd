"""Atomic accesses do the same on every engine: results, traps and what is in memory afterwards."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from core.tests.conformance.conftest import AVAILABLE
from core.tests.differential.atomics import LOCALS, Atomics
from core.tests.differential.budget import budget
from purewasm import Features, Runtime, Trap
from purewasm.text.assembler import assemble

if TYPE_CHECKING:
    from collections.abc import Iterator


_ARGUMENTS = (0, 1, -1, 8, 16, 0x11)
_CALLS = 4
_TRAPS = {
    "HEAP_MISALIGNED": "unaligned atomic", "MEMORY_OUT_OF_BOUNDS": "out of bounds memory access",
    "ATOMIC_WAIT_NON_SHARED_MEMORY": "expected shared memory",
}  # fmt: skip


def _arguments(rng: Random) -> list[int]:
    return [rng.choice((*_ARGUMENTS, rng.getrandbits(63), rng.getrandbits(32))) for _ in range(LOCALS)]


def _outcomes(text: str, engine: str, rng: Random, *, explicit_checks: bool) -> Iterator[str]:
    with Runtime(engine=engine, features=Features.all(), explicit_checks=explicit_checks) as runtime:
        instance = runtime.instantiate(text)
        for _ in range(_CALLS):
            try:
                yield f"{instance.exports.f(*_arguments(rng))}"
            except Trap as error:
                yield str(error)
            for name in ("memory", "second"):
                memory = instance.exports[name]
                yield memory.read(0, memory.size).rstrip(b"\0").hex()  # type: ignore[union-attr]


@pytest.mark.skipif(len(AVAILABLE) < 2, reason="there is one engine only")
@pytest.mark.parametrize("page_bytes", [65536, 1])
@pytest.mark.parametrize("is_64", [False, True], ids=["memory32", "memory64"])
@pytest.mark.parametrize("shared", [False, True], ids=["own", "shared"])
def test_engines_agree(shared: bool, is_64: bool, page_bytes: int) -> None:
    for seed in budget(25):
        text = Atomics(Random(seed), shared=shared, is_64=is_64, page_bytes=page_bytes).text()
        one, *others = ([*_outcomes(text, engine, Random(seed), explicit_checks=bool(seed & 1))] for engine in AVAILABLE)
        for other in others:
            assert one == other, f"seed {seed}: {text}"


@pytest.mark.parametrize("is_64", [False, True], ids=["memory32", "memory64"])
@pytest.mark.parametrize("engine", AVAILABLE)
def test_the_other_runtime_agrees(engine: str, is_64: bool) -> None:
    wasmtime = pytest.importorskip("wasmtime", reason="the other runtime: pip install wasmtime")
    config = wasmtime.Config()
    config.wasm_threads = config.wasm_memory64 = config.wasm_multi_memory = True
    other = wasmtime.Engine(config)
    for seed in budget(25):
        text = Atomics(Random(1000 + seed), shared=False, is_64=is_64, page_bytes=65536).text()
        store, rng = wasmtime.Store(other), Random(seed)
        exports = wasmtime.Instance(store, wasmtime.Module(other, assemble(text, Features.all())), []).exports(store)
        expected = []
        for _ in range(_CALLS):
            try:
                expected.append(str(exports["f"](store, *_arguments(rng))))
            except wasmtime.Trap as trap:
                expected.append(_TRAPS[trap.trap_code.name])
            expected += [bytes(exports[name].read(store)).rstrip(b"\0").hex() for name in ("memory", "second")]
        assert [*_outcomes(text, engine, Random(seed), explicit_checks=bool(seed & 1))] == expected, f"seed {seed}: {text}"
