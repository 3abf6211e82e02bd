"""`purewasm compile`, and running what it makes."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from core.tests.unit.cli.conftest import Done
from purewasm import Runtime, WasmError

Cli = Callable[..., Done]
TARGET = ("--target", "x86_64-linux")


@pytest.fixture
def engine() -> tuple[str, str]:
    try:
        Runtime(engine="compiler").close()
    except WasmError as error:
        pytest.skip(str(error))
    return ("--engine", "compiler")


def test_a_file_beside_the_module(purewasm: Cli, folder: Path) -> None:
    status, out, err = purewasm("compile", "add.wat", *TARGET)
    file = folder / "add.pwasm"
    size = file.stat().st_size
    assert (status, err) == (0, "")
    assert out.startswith(f"add.pwasm: {size:,} bytes for ")
    assert stat.S_IMODE(file.stat().st_mode) & 0o022 == 0
    assert sorted(path.name for path in folder.iterdir()) == ["add.pwasm", "add.wat"]


def test_it_runs(purewasm: Cli, folder: Path, engine: tuple[str, str]) -> None:
    assert purewasm("compile", "add.wat", "-o", "sum.pwasm", "-q") == (0, "", "")
    (folder / "add.wat").unlink()
    assert purewasm("run", "sum.pwasm", *engine, "--invoke", "add", "2", "3") == (0, "5\n", "")
    status, out, err = purewasm("run", "sum.pwasm", *engine, "--invoke", "div", "0")
    assert (status, out) == (1, "")
    assert err.startswith("purewasm: trap: integer divide by zero")
    assert "math" in err


def test_fuel_is_asked_for_when_it_is_compiled(purewasm: Cli, engine: tuple[str, str]) -> None:
    call = (*engine, "--invoke", "add", "2", "3", "--fuel", "1000")
    assert purewasm("compile", "add.wat", "-q", *TARGET)[0] == 0
    status, _, err = purewasm("run", "add.pwasm", *call)
    assert (status, "was made with fuel=False" in err) == (2, True)
    assert purewasm("compile", "add.wat", "-q", "--fuel", *TARGET)[0] == 0
    assert purewasm("run", "add.pwasm", *call) == (0, "5\n", "")


def test_the_same_file_with_any_number_of_workers(purewasm: Cli, folder: Path) -> None:
    for number in ("1", "3"):
        assert purewasm("compile", "add.wat", "-o", number, "--workers", number, *TARGET)[0] == 0
    assert (folder / "1").read_bytes() == (folder / "3").read_bytes()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("missing.wasm",), 2, "missing.wasm: no such file"),
        (("add.wat", "--target", "z80-cpm"), 2, "unknown target 'z80-cpm': one of x86_64-linux"),
        (("add.wat", "--workers", "0"), 2, "expected a number of processes, got '0'"),
        (("-",), 2, "name the file that is to be written: -o FILE"),
        (("add.wat", "-o", "-"), 2, "name the file that is to be written: -o FILE"),
        (("add.wat", "-o", "nowhere/x", *TARGET), 2, "nowhere/x: cannot be written: No such file or directory"),
        (("bad.wat", *TARGET), 1, "bad.wat: type mismatch"),
        (("add.wat", "--features", "wasm1", "--disable", "bulk-memory", "--target"), 2, "expected one argument"),
    ],
)
def test_what_is_wrong(purewasm: Cli, folder: Path, words: tuple[str, ...], status: int, message: str) -> None:
    (folder / "bad.wat").write_text("(module (func (result i32) i64.const 1))")
    done = purewasm("compile", *words)
    assert (done.status, done.out) == (status, "")
    assert message in done.err
    assert not list(folder.glob("*.pwasm"))


def test_a_file_that_is_refused(purewasm: Cli, folder: Path, engine: tuple[str, str]) -> None:
    assert purewasm("compile", "add.wat", "-q", *TARGET)[0] == 0
    (folder / "add.pwasm").chmod(0o666)
    status, out, err = purewasm("run", "add.pwasm", *engine, "--invoke", "add", "2", "3")
    assert (status, out) == (2, "")
    assert "purewasm: add.pwasm can be written to by other users" in err
