"""The fault handler and other people's handlers, in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

TRAP = """
from purewasm import Runtime, Trap
runtime = Runtime(engine="compiler")
def trap():
    try:
        runtime.instantiate('(module (memory 1) (func (export "f") (result i32) (i32.load (i32.const 65533))))').exports.f()
    except Trap:
        print("trapped", flush=True)
"""
CRASH = "import ctypes; ctypes.string_at(8)"


def run(*lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "lines",
    [
        ("import faulthandler; faulthandler.enable()", TRAP, "trap()"),
        (TRAP, "trap()", "import faulthandler; faulthandler.enable()", "trap()"),
        (TRAP, "trap()", "import faulthandler; faulthandler.enable(); faulthandler.disable(); faulthandler.enable()", "trap()"),
    ],
)
def test_faulthandler_in_every_order(lines: tuple[str, ...]) -> None:
    good = run(*lines)
    assert (good.returncode, good.stderr) == (0, "")
    assert set(good.stdout.split()) == {"trapped"}
    crashed = run(*lines, CRASH)
    assert crashed.returncode == -11
    assert "Segmentation fault" in crashed.stderr
    assert crashed.stdout == good.stdout


def test_handlers_that_come_and_go_often() -> None:
    often = "for _ in range(40): faulthandler.enable(); trap(); faulthandler.disable()"
    lines = TRAP, "import faulthandler", often, "faulthandler.enable(); trap()"
    good = run(*lines)
    assert (good.returncode, good.stderr, good.stdout) == (0, "", "trapped\n" * 41)
    crashed = run(*lines, CRASH)
    assert crashed.returncode == -11
    assert "Segmentation fault" in crashed.stderr


def test_a_real_fault_still_kills() -> None:
    done = run(TRAP, "trap()", CRASH, "print('alive')")
    assert (done.returncode, done.stdout) == (-11, "trapped\n")


def test_a_signal_that_is_sent_still_kills() -> None:
    done = run(TRAP, "trap()", "import os; os.kill(os.getpid(), 11); print('alive')")
    assert (done.returncode, done.stdout) == (-11, "trapped\n")


def test_a_python_handler_gets_what_is_sent() -> None:
    done = run(
        "import signal, os; signal.signal(signal.SIGSEGV, lambda *_: print('mine', flush=True))",
        TRAP, "trap()", "os.kill(os.getpid(), 11)", "trap()",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "trapped\nmine\ntrapped\n")


def test_a_process_ends_cleanly_while_guests_are_there() -> None:
    done = run(TRAP, "trap()", "import threading; threading.Thread(target=lambda: None).start()")
    assert (done.returncode, done.stderr) == (0, "")
