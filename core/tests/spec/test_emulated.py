"""On processors of old, by way of an emulator: what they have is found out there, and scripts of the testsuite pass.

Needs `qemu-x86_64-static` or `qemu-x86_64` in the path (packages `qemu-user-static`, `qemu-user`), which decode as the processor that they
are told to be: code with a later instruction ends with a signal there, or does what the older processor would have done.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
from typing import Final

import pytest

from core.tests.spec.suite import HOW_TO_GET, find_suite
from purewasm.isa.x64.cpu import AVX, AVX2, BMI1, BMI2, LZCNT, POPCNT, SSE4_1, SSE4_2

_EMULATOR: Final = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
_SECONDS: Final = 110

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(_EMULATOR is None, reason="no qemu-x86_64-static in the path: install qemu-user-static"),
    pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="emulates Python for Linux on x86-64"),
]

_PROCESSORS: Final = {
    "Penryn": SSE4_1,
    "Nehalem": SSE4_1 | SSE4_2 | POPCNT,
    "Westmere": SSE4_1 | SSE4_2 | POPCNT,
    "SandyBridge": SSE4_1 | SSE4_2 | POPCNT | AVX,
    "Haswell": SSE4_1 | SSE4_2 | POPCNT | LZCNT | AVX | AVX2 | BMI1 | BMI2,
}
"""Of the features that code may depend on."""
_SCRIPTS: Final = (
    "i32", "i64", "f64", "conversions", "br_table", "memory_trap", "try_table", "simd_i16x8_cmp", "simd_conversions", "traps",
)  # fmt: skip


def emulate(processor: str, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python code on a processor."""
    assert _EMULATOR is not None
    command = [_EMULATOR, "-cpu", processor, sys.executable, "-c", script, *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, env=environment, check=False)


@pytest.mark.parametrize("processor", _PROCESSORS)
def test_features_are_found(processor: str) -> None:
    done = emulate(processor, "from purewasm.engine.native.engine import cpu_features; print(cpu_features())")
    assert done.returncode == 0, done.stderr
    relevant = _PROCESSORS["Haswell"]
    assert int(done.stdout) & relevant == _PROCESSORS[processor]


_RUN: Final = """
import sys
from core.tests.spec.run import judge, run_file
from core.tests.spec.suite import find_suite, scripts
known = {script.name: script for script in scripts(find_suite())}
for name in sys.argv[1:]:
    report = run_file("compiler", known[f"{name}.wast"])
    assert judge(report) == ([], []), judge(report)
    assert sum(report.outcome.passed.values()) > 0
    assert not report.outcome.left_out, report.outcome.left_out
"""


@pytest.mark.parametrize("processor", _PROCESSORS)
def test_scripts_pass(processor: str) -> None:
    if find_suite() is None:
        pytest.skip(f"no WebAssembly testsuite: {HOW_TO_GET}")
    done = emulate(processor, _RUN, *_SCRIPTS)
    assert done.returncode == 0, done.stdout + done.stderr


_TOO_NEW: Final = """
from purewasm import Runtime
from purewasm.engine.native import engine
from purewasm.isa.x64.cpu import X86_64_V3
assert engine.cpu_features() != X86_64_V3
if {pretend}:
    engine._features[0] = X86_64_V3
instance = Runtime(engine="compiler").instantiate('''(module
  (func (export "add") (param f64) (result f64) (f64.add (local.get 0) (f64.const 1)))
  (func (export "clz") (param i32) (result i32) (i32.clz (local.get 0))))''')
assert instance.exports.clz(1) == 31
assert instance.exports.add(1.5) == 2.5
"""


def test_the_emulator_does_not_run_what_the_processor_lacks() -> None:
    assert emulate("Nehalem", _TOO_NEW.format(pretend=False)).returncode == 0
    done = emulate("Nehalem", _TOO_NEW.format(pretend=True))
    assert done.returncode in (1, -signal.SIGILL, 128 + signal.SIGILL)
    assert "AssertionError" in done.stderr or done.returncode != 1  # `lzcnt` was `bsr` there
