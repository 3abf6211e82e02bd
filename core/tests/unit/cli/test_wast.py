"""`purewasm wast`: what is said of scripts, and the exit status."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.tests.conformance.conftest import AVAILABLE
from core.tests.unit.cli.conftest import Done

Cli = Callable[..., Done]

_GOOD = """(module (func (export "one") (result i32) (i32.const 1)) (func (export "trap") unreachable)
  (global (export "g") f64 (f64.const 0.5)))
(assert_return (invoke "one") (i32.const 1))
(assert_return (get "g") (f64.const 0.5))
(assert_trap (invoke "trap") "unreachable")
(assert_invalid (module (func (result i32))) "type mismatch")
(module (import "spectest" "print_i32" (func $p (param i32))) (func (call $p (i32.const 1))) (start 1))
"""
_BAD = """(module (func (export "one") (result i32) (i32.const 1)) (func (export "none") (param externref) (result externref) (local.get 0))
  (func (export "pair") (result f32 v128) (f32.const 1) (v128.const i64x2 1 2)))
(assert_return (invoke "one") (i32.const 4294967295))
(assert_return (invoke "pair") (f32.const nan:canonical) (v128.const i64x2 1 2))
(assert_return (invoke "pair") (f32.const 1) (v128.const f64x2 nan:arithmetic 2))
(assert_return (invoke "none" (ref.extern 1)) (ref.null extern))
(assert_return (invoke "one") (either (i32.const 2) (i32.const 3)))
(assert_trap (invoke "one") "unreachable")
(invoke "absent")
(assert_return (invoke "one") (i32.const 1))
"""
_SAID = """bad.wast:3: return: expected (i32.const -1), got 1 of type i32
bad.wast:4: return: expected (f32.const nan:canonical), got 1.0 of type f32
bad.wast:5: return: expected (v128.const f64x2 nan:arithmetic 2.0), got 01000000000000000200000000000000 of type v128
bad.wast:6: return: expected (ref.null), got <HostObject 1> of type externref
bad.wast:7: return: expected (i32.const 2) or (i32.const 3), got 1 of type i32
bad.wast:8: trap: expected 'unreachable', but it went well: 1
"""


@pytest.fixture
def scripts(folder: Path) -> Path:
    (folder / "good.wast").write_text(_GOOD)
    (folder / "bad.wast").write_text(_BAD)
    return folder


@pytest.mark.parametrize("engine", ["auto", *AVAILABLE])
def test_what_is_right(engine: str, purewasm: Cli, scripts: Path) -> None:
    assert purewasm("wast", "good.wast", "--engine", engine) == (0, "good.wast: 6 passed\n", "")
    assert purewasm("wast", "good.wast", "-q") == (0, "", "")


@pytest.mark.parametrize("engine", AVAILABLE)
def test_what_is_wrong_is_said_with_its_line(engine: str, purewasm: Cli, scripts: Path) -> None:
    done = purewasm("wast", "--engine", engine, "bad.wast")
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith(_SAID + "bad.wast:9: action: ")
    assert "absent" in done.out.splitlines()[6]
    assert done.out.endswith("\nbad.wast: 2 passed, 7 failed\n")


def test_several_scripts(purewasm: Cli, scripts: Path) -> None:
    done = purewasm("wast", "good.wast", "bad.wast", "good.wast")
    assert done.status == 1
    assert done.out.endswith("good.wast: 6 passed\n3 files: 14 passed, 7 failed\n")
    assert purewasm("wast", "-q", "good.wast", "bad.wast").out.splitlines()[:6] == _SAID.splitlines()


def test_a_script_on_standard_input(purewasm: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(_GOOD.encode())))
    assert purewasm("wast", "-") == (0, "<stdin>: 6 passed\n", "")


def test_what_is_no_script(purewasm: Cli, scripts: Path) -> None:
    (scripts / "broken.wast").write_text('(module)\n(assert_return (invoke "f") (i32.const x))')
    done = purewasm("wast", "broken.wast", "good.wast")
    assert (done.status, done.out) == (1, "good.wast: 6 passed\n2 files: 6 passed\n")
    assert done.err.startswith("purewasm: broken.wast:2:40: ")
    assert purewasm("wast", "broken.wast", "absent.wast").status == 2
    assert purewasm("wast").status == 2


def test_features(purewasm: Cli, folder: Path) -> None:
    (folder / "vectors.wast").write_text("(module (func (param v128)))")
    assert purewasm("wast", "vectors.wast").status == 0
    done = purewasm("wast", "vectors.wast", "--features", "wasm1")
    assert done.status == 1
    assert "simd" in done.out


def test_without_the_engine(purewasm: Cli, scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("purewasm.runtime.engines._why_not_native", lambda: "the test says so")
    done = purewasm("wast", "good.wast", "--engine", "compiler")
    assert (done.status, done.out) == (2, "")
    assert "the test says so" in done.err
