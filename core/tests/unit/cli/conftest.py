"""Running the command line inside the tests' process, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from core.tests.unit.cli.plugins import Plugins
from purewasm.cli.main import main

ADD = """(module $math
  (memory (export "memory") 1 2)
  (func $add (export "add") (param $a i32) (param $b i32) (result i32) (i32.add (local.get $a) (local.get $b)))
  (func $inner (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
  (func $div (export "div") (param $x i32) (result i32) (call $inner (local.get $x)))
  (func (export "loop") (loop $l (br $l)))
  (func $forever (export "forever") (call $forever))
)"""


class Done(NamedTuple):
    """How a command line ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def purewasm(capfdbinary: pytest.CaptureFixture[bytes], folder: Path) -> Callable[..., Done]:
    """Runs `purewasm` with these words, in `folder`. Output is taken where processes write it: guests do not know `sys.stdout`."""

    def run(*words: str) -> Done:
        capfdbinary.readouterr()
        status = main(words)
        out, err = capfdbinary.readouterr()
        return Done(status, out.decode("utf-8", "surrogateescape"), err.decode())

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `add.wat` in it. Compiled code is kept in `cache` beside it."""
    monkeypatch.setenv("PUREWASM_CACHE_DIR", str(tmp_path.with_name(f"{tmp_path.name}-cache")))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "add.wat").write_text(ADD)
    return tmp_path


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """What is installed, as far as the command line can see: nothing, until the test adds to it."""
    made = Plugins()
    monkeypatch.setattr("purewasm.cli.plugins.find", made.find)
    monkeypatch.setattr("purewasm.cli.plugins.find_host_module", made.find_host_module)
    return made
