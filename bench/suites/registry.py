"""Suite names, in the order in which they run, with what they measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bench.context import Context
from bench.results import SuiteResult
from bench.suites import (
    calls,
    cold_start,
    compilation,
    frontend,
    hostmodules,
    instantiate,
    interpreter,
    lowering,
    objects,
    run,
    stages,
    startup,
    traps,
    wasi,
)

Suite = Callable[[Context], SuiteResult]

SUITES: Final[dict[str, tuple[Suite, str]]] = {
    "startup": (startup.measure, "import: milliseconds, modules loaded"),
    "start": (cold_start.measure, "whole processes: cold, cached and precompiled starts of modules of 10 KB to 15 MB, and hello"),
    "calls": (calls.measure, "calls into a guest, calls of the host, memory reads"),
    "wasi": (wasi.measure, "calls of WASI, and copying a file"),
    "hostmodules": (hostmodules.measure, "cells, mailbox and plain imports of host modules"),
    "traps": (traps.measure, "a trap, caught in Python"),
    "objects": (objects.measure, "structures and arrays of the guest: allocation, collection, access, casts"),
    "interpreter": (interpreter.measure, "the interpreter engine beside pywasm"),
    "lowering": (lowering.measure, "the interpreter engine's lowering, per guest instruction"),
    "frontend": (frontend.measure, "decode and validate: speed and memory"),
    "stages": (stages.measure, "the compiler, stage by stage, per guest instruction"),
    "compile": (compilation.measure, "compiling whole modules, and the time to the first result"),
    "instantiate": (instantiate.measure, "an instance of a compiled module"),
    "run": (run.measure, "run time of every program beside wasmtime and native code"),
}
