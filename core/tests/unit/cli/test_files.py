"""`purewasm validate`, `inspect`, `wat`, `wasm` and `stubs`."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.tests.unit.cli.conftest import ADD, Done
from core.tests.unit.cli.plugins import Plugins
from purewasm import Module
from purewasm.cli.plugins import HOST_MODULES

Cli = Callable[..., Done]


# ---- validate


def test_validating_several_files(purewasm: Cli, folder: Path) -> None:
    (folder / "bad.wat").write_text("(module (func (result i32)))")
    assert purewasm("validate", "add.wat", "add.wat").status == 0
    done = purewasm("validate", "add.wat", "bad.wat", "add.wat")
    assert done.status == 1
    assert [line.split(",")[0] for line in done.out.splitlines()] == ["add.wat: valid"] * 2
    assert done.err.startswith("purewasm: bad.wat: type mismatch")
    assert purewasm("validate", "absent", "bad.wat").status == 2
    assert purewasm("validate", "-q", "add.wat") == (0, "", "")


def test_validating_with_features(purewasm: Cli, folder: Path) -> None:
    (folder / "a.wat").write_text("(module (func (param v128)))")
    assert purewasm("validate", "a.wat").status == 0
    done = purewasm("validate", "a.wat", "--disable", "simd,relaxed-simd")
    assert done.status == 1
    assert "simd" in done.err
    assert purewasm("validate", "--features", "wasm1", "a.wat").status == 1
    assert purewasm("validate", "--features", "wasm1,simd", "a.wat").status == 0


# ---- wat and wasm


def test_text_and_binary_and_back(purewasm: Cli, folder: Path) -> None:
    assert purewasm("wasm", "add.wat", "-o", "add.wasm") == (0, "", "")
    data = (folder / "add.wasm").read_bytes()
    assert Module(data).name == "math"
    text = purewasm("wat", "add.wasm").out
    assert text.startswith("(module $math\n")
    assert purewasm("wat", "add.wasm", "--output", "again.wat") == (0, "", "")
    assert (folder / "again.wat").read_text() == text
    purewasm("wasm", "again.wat", "-o", "again.wasm")
    assert (folder / "again.wasm").read_bytes() == data


def test_binary_on_standard_output(purewasm: Cli, folder: Path) -> None:
    purewasm("wasm", "add.wat", "-o", "add.wasm")
    for words in (("wasm", "add.wat"), ("wasm", "add.wat", "-o", "-")):
        assert purewasm(*words).out.encode("utf-8", "surrogateescape") == (folder / "add.wasm").read_bytes()


def test_no_binary_on_a_terminal(purewasm: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    done = purewasm("wasm", "add.wat")
    assert (done.status, done.out) == (2, "")
    assert "give -o FILE" in done.err


def test_standard_input(purewasm: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for command, start in (("wat", "(module"), ("validate", "-: valid"), ("inspect", "-: "), ("stubs", '"""Exports of a module')):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ADD.encode())))
        assert purewasm(command, "-").out.startswith(start)


def test_an_invalid_module_can_be_printed_but_is_not_translated(purewasm: Cli, folder: Path) -> None:
    (folder / "bad.wat").write_text("(module (func (result i32)))")
    assert purewasm("wat", "bad.wat").status == 0
    done = purewasm("wasm", "bad.wat", "-o", "bad.wasm")
    assert done.status == 1
    assert not (folder / "bad.wasm").exists()
    assert purewasm("wasm", "bad.wat", "--no-check", "-o", "bad.wasm").status == 0
    assert (folder / "bad.wasm").read_bytes().startswith(b"\0asm")


def test_proposals_that_are_off_by_default_can_be_printed(purewasm: Cli, folder: Path) -> None:
    (folder / "a.wat").write_text("(module (memory 1 1 shared) (func (atomic.fence)))")
    assert "atomic.fence" in purewasm("wat", "a.wat").out
    assert purewasm("wat", "a.wat", "--disable", "threads").status == 1


def test_a_result_that_cannot_be_written(purewasm: Cli) -> None:
    done = purewasm("wat", "add.wat", "-o", "absent/a.wat")
    assert done.status == 2
    assert done.err.startswith("purewasm: absent/a.wat: cannot be written: ")


# ---- inspect

PARTS = """(module $parts
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
  (import "acme/log" "write" (func (param i32 i32)))
  (import "env" "table" (table 1 funcref)) (import "env" "memory" (memory 1))
  (func $begin) (start $begin)
  (func (export "area") (param $width i32) (param $height i32) (result i64) (i64.const 0))
  (memory (export "mine") 2 3) (tag (export "e") (param f32)) (global (export "g") (mut i64) (i64.const 1))
  (data "abc")
  (@custom "notes" "text"))"""


def test_inspecting(purewasm: Cli, plugins: Plugins, folder: Path) -> None:
    (folder / "parts.wat").write_text(PARTS)
    plugins.add(HOST_MODULES, "acme/log", "absent:Log", "acme-log")
    done = purewasm("inspect", "parts.wat")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].endswith(" bytes, module parts")
    for expected in (
        "  acme/log: provided by acme-log 9.8, installed",
        "    write: func (i32, i32) -> ()",
        "  env: provided by no package that is known here: the embedder's own",
        "    table: table 1 funcref",
        "    memory: memory 1 pages",
        "  wasi_snapshot_preview1: not installed, pip install purewasm-wasi",
        "  area: func (width: i32, height: i32) -> i64",
        "  e: tag (f32)",
        "  g: global mut i64",
        "  memory 1: memory 2 to 3 pages",
        "  tag 0: tag (f32)",
        "  start: function 2 (begin)",
        "  2 functions",
        "  1 data segment",
        "  custom 'notes': 10 bytes",
    ):
        assert expected in lines
    assert [line for line in lines if line and not line.startswith(" ")][1:] == ["imports", "exports", "defines", "sections"]


def test_sizes_of_sections_add_up(purewasm: Cli, folder: Path) -> None:
    purewasm("wasm", "add.wat", "-o", "add.wasm")
    sections = purewasm("inspect", "add.wasm").out.partition("sections\n")[2].splitlines()
    total = sum(int(line.rpartition(": ")[2].split()[0].replace(",", "")) for line in sections)
    assert total + 8 + 2 * len(sections) == len((folder / "add.wasm").read_bytes())


def test_names_cannot_write_to_the_terminal(purewasm: Cli, folder: Path) -> None:
    (folder / "a.wat").write_text('(module (import "a\\1b[2J" "x\\0ay" (func)) (export "\\1b]0;title\\07" (func 0)))')
    out = purewasm("inspect", "a.wat").out
    assert "\x1b" not in out
    assert "\\u{1b}]0;title\\u{7}: func" in out
    assert "    x\\u{a}y: func" in out


def test_an_empty_module(purewasm: Cli, folder: Path) -> None:
    (folder / "a.wat").write_text("(module)")
    assert purewasm("inspect", "a.wat") == (0, "a.wat: 8 bytes\n", "")


# ---- stubs

EXPORTS = """(module
  (type $t (func))
  (func (export "add") (param $a i32) (param $b i64) (result i64) (i64.const 0))
  (func (export "none"))
  (func (export "many") (param f32 f64 v128 externref) (result f64 i32) (f64.const 0) (i32.const 0))
  (func (export "refs") (param funcref) (param (ref $t)) (param anyref) (result exnref) (ref.null exn))
  (func (export "odd") (param $class i32) (param $a-b i32) (param $x i32) (param $__y i32))
  (func (export "a-b")) (func (export "class")) (func (export "__name__"))
  (memory (export "memory") 1) (table (export "table") 1 funcref) (global (export "g") i32 (i32.const 1)) (tag (export "tag")))"""


def test_stubs(purewasm: Cli, folder: Path) -> None:
    (folder / "guest.wat").write_text(EXPORTS)
    assert purewasm("stubs", "guest.wat", "-o", "guest.pyi") == (0, "", "")
    text = (folder / "guest.pyi").read_text()
    assert text.splitlines()[0] == '"""Exports of guest.wat. Made by `purewasm stubs`."""'
    for line in (
        "def add(a: int, b: int, /) -> int: ...",
        "def none() -> None: ...",
        "def many(arg0: float, arg1: float, arg2: bytes, arg3: object, /) -> tuple[float, int]: ...",
        "def refs(arg0: _purewasm.Function | None, arg1: _purewasm.Function, arg2: object, /) -> _purewasm.GuestException | None: ...",
        "def odd(arg0: int, arg1: int, x: int, arg3: int, /) -> None: ...",
        "# no name for Python code: __instance__.exports['a-b']",
        "# no name for Python code: __instance__.exports['class']",
        "# no name for Python code: __instance__.exports['__name__']",
        "memory: _purewasm.Memory",
        "table: _purewasm.Table",
        "g: _purewasm.Global",
        "tag: _purewasm.Tag",
        "__instance__: _purewasm.Instance",
    ):
        assert line in text.splitlines()
    ast.parse(text)


def test_exports_called_like_pythons_types(purewasm: Cli, folder: Path) -> None:
    (folder / "guest.wat").write_text('(module (func (export "int") (param i32) (result f64) (f64.const 0)) (func (export "tuple")))')
    text = purewasm("stubs", "guest.wat").out
    assert "import builtins as _builtins\n" in text
    assert "def int(arg0: _builtins.int, /) -> float: ..." in text


@pytest.mark.slow
def test_a_type_checker_understands_the_stub(purewasm: Cli, folder: Path) -> None:
    pytest.importorskip("mypy")
    (folder / "guest.wat").write_text(EXPORTS)
    purewasm("stubs", "guest.wat", "-o", "guest.pyi")
    (folder / "user.py").write_text(
        "import guest\nx: int = guest.add(1, 2)\nguest.memory.read(0, 1)\ny: str = guest.add(1, 2)\nguest.add('a', 1)\n"
    )
    # In a process of its own: a type checker raises the recursion limit for good.
    options = ["--strict", "--no-incremental", "--config-file=", "--follow-imports=silent"]
    command = [sys.executable, "-m", "mypy", *options, "user.py", "guest.pyi"]
    done = subprocess.run(command, cwd=folder, env={**os.environ, "MYPYPATH": str(folder)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert sorted({line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line}) == ["4", "5"]
