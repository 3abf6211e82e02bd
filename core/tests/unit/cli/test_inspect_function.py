"""`purewasm inspect --ir`, `--asm` and `--stage`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.tests.unit.cli.conftest import Done

Cli = Callable[..., Done]

MODULE = """(module
  (import "env" "log" (func $log (param i32)))
  (func $add (export "sum") (param $a i32) (param $b i32) (result i32) (i32.add (local.get $a) (local.get $b)))
  (func $sum (result i32) (i32.const 7))
  (func $load (param i32) (result i32) (i32.load (local.get 0)))
  (memory (export "memory") 1)
  (func (export "2") (unreachable))
  (func $turns (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (tag $tag) (func $catches (block (try_table (catch $tag 0)))))"""


@pytest.fixture(autouse=True)
def _module(folder: Path) -> None:
    (folder / "m.wat").write_text(MODULE)


def test_intermediate_code(purewasm: Cli) -> None:
    done = purewasm("inspect", "m.wat", "--ir", "sum")
    assert (done.status, done.err) == (0, "")
    head, *lines = done.out.splitlines()
    assert head.startswith("; ir of function 1 'add', export 'sum': func (i32, i32) -> i32; 6 bytes at 0x")
    assert head.endswith(" of m.wat")
    assert any("i32.add" in line for line in lines)


def test_machine_code(purewasm: Cli) -> None:
    done = purewasm("inspect", "m.wat", "--asm", "load")
    assert done.status == 0
    assert "ret" in done.out
    assert "; trap: out of bounds memory access" in done.out


def test_baseline_code(purewasm: Cli) -> None:
    done = purewasm("inspect", "m.wat", "--asm", "turns", "--tier", "baseline")
    assert done.status == 0
    assert done.out.startswith("; baseline asm of function 5 'turns'")
    assert "; back from a loop's own code" in done.out
    assert purewasm("inspect", "m.wat", "--asm", "turns", "--tier", "optimized").out == purewasm("inspect", "m.wat", "--asm", "turns").out


@pytest.mark.parametrize(
    ("function", "index"),
    [("sum", 1), ("add", 1), ("$add", 1), ("$sum", 2), ("load", 3), ("1", 1), ("2", 4), ("3", 3)],
    ids=["export", "debug name", "with a dollar", "debug name like an export", "no export", "index", "export like an index", "3"],
)
def test_names_of_functions(purewasm: Cli, function: str, index: int) -> None:
    assert purewasm("inspect", "m.wat", "--ir", function).out.startswith(f"; ir of function {index}")


def test_several_stages_in_their_order(purewasm: Cli) -> None:
    done = purewasm("inspect", "--stage", "python", "add", "--asm", "add", "m.wat", "--stage", "allocated", "load", "--ir", "2")
    assert done.status == 0
    heads = [line.split(" of function ")[0] for line in done.out.splitlines() if " of function " in line]
    assert heads == ["; python", "; asm", "; allocated", "; ir"]
    assert "def f1(" in done.out


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("--ir", "summ"), 2, "no function 'summ': did you mean 'sum'?"),
        (("--ir", "qqq"), 2, "no function 'qqq': exported functions are 'sum', '2'"),
        (("--ir", "7"), 2, "no function 7: the module has 7 functions, counted from 0"),
        (("--ir", "-1"), 2, "no function '-1'"),
        (("--ir", "9" * 5000), 2, "the module has 7 functions"),
        (("--ir", "memory"), 2, "the export 'memory' is a memory, not a function"),
        (("--asm", "0"), 1, "function 0 is imported (env.log): it has no code here"),
        (("--stage", "fancy", "sum"), 2, "no stage 'fancy': there are ir,"),
        (("--stage", "asm"), 2, "expected 2 arguments"),
        (("--asm",), 2, "expected one argument"),
        (("--ir", "sum", "--tier", "baseline"), 2, "--tier baseline has machine code only (--asm)"),
        (("--asm", "catches", "--tier", "baseline"), 1, "function 6 has no baseline code: it is optimized at its first call"),
        (("--asm", "sum", "--tier", "best"), 2, "expected one of optimized, baseline"),
    ],
)
def test_what_cannot_be_shown(purewasm: Cli, words: tuple[str, ...], status: int, message: str) -> None:
    done = purewasm("inspect", "m.wat", *words)
    assert done.status == status
    assert done.err.startswith("purewasm: ")
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_module_without_exports(purewasm: Cli, folder: Path) -> None:
    (folder / "none.wat").write_text("(module (func))")
    assert "the module exports no function, give an index" in purewasm("inspect", "none.wat", "--ir", "f").err


def test_a_module_that_is_not_compiled_says_why(purewasm: Cli, folder: Path) -> None:
    ways = "(br_if 0 (i32.const 1))" * 4000
    (folder / "large.wat").write_text(f'(module (func (export "f") {"(local i64) " * 20000} (block {ways})))')
    done = purewasm("inspect", "large.wat", "--asm", "f")
    assert done.status == 1
    assert "the interpreter runs this module, since function 0 is too large" in done.err
    assert purewasm("inspect", "large.wat", "--stage", "python", "f").status == 0
    about = "the interpreter runs this module, also where there is the compiler: function 0 is too large: "
    assert about in purewasm("inspect", "large.wat").out
    assert "the interpreter runs" not in purewasm("inspect", "m.wat").out
