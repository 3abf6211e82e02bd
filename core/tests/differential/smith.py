"""Random modules of `wasm-tools smith`, which uses every instruction there is."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from core.tests.differential.outcomes import Call
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from random import Random

EVERYTHING: Final = (
    "--ensure-termination", "--export-everything=true", "--max-imports=0", "--min-funcs=4", "--canonicalize-nans=true",
    "--max-memory32-bytes=1048576", "--max-memory64-bytes=1048576", "--max-table-elements=1000", "--generate-custom-sections=false",
    "--custom-descriptors-enabled=false", "--shared-everything-threads-enabled=false", "--threads-enabled=false",
    "--compact-imports-enabled=false", "--gc-enabled=true", "--exceptions-enabled=true", "--tail-call-enabled=true",
    "--wide-arithmetic-enabled=true",
)  # fmt: skip


def without_objects() -> tuple[str, ...]:
    """The options without structures, arrays and exceptions: what is left is used more often."""
    without = ("--gc-enabled", "--exceptions-enabled")
    kept = [option for option in EVERYTHING if not option.startswith(without)]
    return (*kept, *(f"{name}=false" for name in without), "--custom-page-sizes-enabled=false")


def program() -> str | None:
    """The program, None where it is not installed."""
    return shutil.which("wasm-tools")


def make_module(rng: Random, options: tuple[str, ...] = EVERYTHING) -> bytes:
    """A module of random bytes."""
    data = rng.randbytes(rng.choice((800, 2000, 5000)))
    return subprocess.run([program() or "wasm-tools", "smith", *options], input=data, capture_output=True, check=True).stdout


def argument(rng: Random, valtype: int) -> float:
    """An argument of a number type, often an unusual one."""
    if valtype == vt.I32:
        return rng.choice((0, 1, -1, 5, 2**31 - 1, -(2**31), rng.randrange(-(2**31), 2**31)))
    if valtype == vt.I64:
        return rng.choice((0, 1, -1, 7, 2**63 - 1, -(2**63), rng.randrange(-(2**63), 2**63)))
    return rng.choice((0.0, -0.0, 1.5, -3.25, 1e10, float("inf"), 2.0**-130, rng.randrange(-1000, 1000) * 0.5))


def smith_calls(rng: Random, functions: list[tuple[str, tuple[int, ...]]]) -> list[Call]:
    """Two calls of each function."""
    return [Call(name, tuple(argument(rng, valtype) for valtype in params)) for name, params in functions for _ in range(2)]
