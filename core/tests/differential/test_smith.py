"""Modules of `wasm-tools smith`, which uses every instruction there is, behave as in the other runtime."""

from __future__ import annotations

import subprocess
from random import Random

import pytest

from core.tests.conformance.conftest import AVAILABLE
from core.tests.differential.budget import budget, smith
from purewasm import Features, UnsupportedError
from purewasm.wasm import valtypes as vt

pytest.importorskip("wasmtime", reason="the other runtime: pip install wasmtime")

from core.tests.differential.outcomes import Call, differences, new_runtime, with_plain_exports

_OPTIONS = (
    "--ensure-termination", "--export-everything=true", "--max-imports=0", "--min-funcs=4", "--canonicalize-nans=true",
    "--max-memory32-bytes=1048576", "--max-memory64-bytes=1048576", "--max-table-elements=1000", "--generate-custom-sections=false",
    "--custom-descriptors-enabled=false", "--shared-everything-threads-enabled=false", "--threads-enabled=false",
    "--compact-imports-enabled=false", "--gc-enabled=true", "--exceptions-enabled=true", "--tail-call-enabled=true",
    "--wide-arithmetic-enabled=true",
)  # fmt: skip


def argument(rng: Random, valtype: int) -> float:
    if valtype == vt.I32:
        return rng.choice((0, 1, -1, 5, 2**31 - 1, -(2**31), rng.randrange(-(2**31), 2**31)))
    if valtype == vt.I64:
        return rng.choice((0, 1, -1, 7, 2**63 - 1, -(2**63), rng.randrange(-(2**63), 2**63)))
    return rng.choice((0.0, -0.0, 1.5, -3.25, 1e10, float("inf"), 2.0**-130, rng.randrange(-1000, 1000) * 0.5))


@pytest.mark.slow
@pytest.mark.parametrize("engine", AVAILABLE)
def test_smith_modules(engine: str) -> None:
    program = smith()
    for seed in budget(25):
        rng = Random(seed)
        made = subprocess.run(
            [program, "smith", *_OPTIONS], input=rng.randbytes(rng.choice((800, 2000, 5000))), capture_output=True, check=True
        )
        with new_runtime(engine) as runtime:
            try:
                binary, functions = with_plain_exports(made.stdout, Features.all())
            except UnsupportedError:
                continue
            calls = [Call(name, tuple(argument(rng, valtype) for valtype in params)) for name, params in functions for _ in range(2)]
            found = differences(binary, calls, runtime)
        assert not found, f"seed {seed} on {engine}: {found}"
