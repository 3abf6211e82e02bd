"""The line that shows how far long work is."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from purewasm.cli.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_after_a_while_and_not_too_often() -> None:
    stream, clock = Terminal(), Clock()
    with ProgressLine("compiling guest.wasm", stream, clock) as line:
        assert line.callback is not None
        line.callback(1, 100)
        assert stream.getvalue() == ""
        clock.now += 1
        line.callback(25, 100)
        line.callback(26, 100)
        assert stream.getvalue() == "\r\x1b[Kcompiling guest.wasm [######                  ]  25%"
        clock.now += 1
        line.callback(100, 100)
        assert stream.getvalue().endswith("compiling guest.wasm [########################] 100%")
    assert stream.getvalue().endswith("\r\x1b[K")


def test_nothing_is_left_of_short_work() -> None:
    stream = Terminal()
    with ProgressLine("compiling", stream, Clock()) as line:
        assert line.callback is not None
        line.callback(1, 1)
    assert stream.getvalue() == ""


def test_nothing_without_a_terminal() -> None:
    assert ProgressLine("compiling", io.StringIO()).callback is None


def test_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream, clock = Terminal(), Clock()
    line = ProgressLine("compiling " + "x" * 100, stream, clock)
    clock.now += 1
    assert line.callback is not None
    line.callback(1, 2)
    assert len(stream.getvalue().removeprefix("\r\x1b[K")) < 40


_IMPATIENT = """
import sys
from purewasm.cli import progress
progress._PATIENCE_SECONDS = 0
from purewasm.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", [("compile", "--target", "x86_64-linux", "--workers", "1"), ("run", "--eager", "--no-cache")])
@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
def test_on_a_terminal_and_in_a_pipe(tmp_path: Path, command: tuple[str, ...]) -> None:
    import pty

    (tmp_path / "guest.wat").write_text('(module (func (export "_start")) (func (result i32) (i32.const 1)))')
    words = [sys.executable, "-c", _IMPATIENT, command[0], "guest.wat", *command[1:]]
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        assert process.stdout is not None
        out = process.stdout.read()
    shown = os.read(ours, 1 << 16)
    os.close(ours)
    assert process.returncode == 0
    assert b"compiling guest.wat [" in shown
    assert b"compiling" not in out
    piped = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    assert piped.stderr == b""
