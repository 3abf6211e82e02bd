"""The command itself: help, versions, unknown commands, plug-ins, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.tests.unit.cli.conftest import Done
from core.tests.unit.cli.plugins import Plugins
from purewasm import __version__
from purewasm.cli.main import COMMANDS, main
from purewasm.cli.plugins import COMMANDS as COMMAND_GROUP

Cli = Callable[..., Done]
HOSTS = "core.tests.unit.cli.guest_hosts"


def test_help_names_every_command_and_shows_examples(purewasm: Cli) -> None:
    for word in ("--help", "-h", "help"):
        done = purewasm(word)
        assert (done.status, done.err) == (0, "")
        assert all(f"\n  {name} " in done.out for name in COMMANDS)
        assert "examples:\n  purewasm run program.wasm" in done.out
        assert "exit status:" in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(purewasm: Cli, command: str) -> None:
    done = purewasm(command, "--help")
    assert done.status == 0
    assert done.out.startswith(f"usage: purewasm {command}")
    assert command == "version" or "examples:\n  purewasm" in done.out
    assert max(map(len, done.out.splitlines())) < 140


def test_no_command_is_wrong_use(purewasm: Cli) -> None:
    done = purewasm()
    assert done.status == 2
    assert done.err.startswith("usage: purewasm COMMAND")


def test_versions(purewasm: Cli, plugins: Plugins) -> None:
    assert purewasm("--version").out == purewasm("-V").out == f"purewasm {__version__}\n"
    plugins.add(COMMAND_GROUP, "extra", f"{HOSTS}:command")
    done = purewasm("version")
    assert done.status == 0
    assert done.out.startswith(f"purewasm {__version__}, engine: ")
    assert "command extra: purewasm-made-up 9.8" in done.out


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("runn", "did you mean run?"),
        ("xyzzy", "there are: run, compile, validate"),
        ("add.wat", "to run a file: purewasm run add.wat"),
        ("--frobnicate", "unknown option --frobnicate; a command comes first"),
    ],
)
def test_unknown_commands_get_a_hint(purewasm: Cli, plugins: Plugins, word: str, hint: str) -> None:
    done = purewasm(word)
    assert done.status == 2
    assert hint in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["new", "gen"])
def test_an_absent_command_says_what_to_install(purewasm: Cli, plugins: Plugins, command: str) -> None:
    done = purewasm(command)
    assert (done.status, done.err) == (2, f"purewasm: the command {command!r} is part of another package: pip install purewasm-guest\n")
    assert "not installed: pip install purewasm-guest" in purewasm("--help").out


def test_a_command_of_another_distribution(purewasm: Cli, plugins: Plugins) -> None:
    plugins.add(COMMAND_GROUP, "new", f"{HOSTS}:command", "purewasm-guest")
    assert purewasm("new", "a", "--b") == (5, "command: a --b\n", "")
    assert purewasm("new").status == 0
    assert "new       from purewasm-guest" in purewasm("--help").out


def test_our_own_commands_cannot_be_replaced(purewasm: Cli, plugins: Plugins) -> None:
    plugins.add(COMMAND_GROUP, "version", f"{HOSTS}:command")
    assert purewasm("version").out.startswith("purewasm ")


@pytest.mark.parametrize("value", ["a_module_that_is_absent:main", f"{HOSTS}:absent"])
def test_a_broken_plugin_names_its_distribution(purewasm: Cli, plugins: Plugins, value: str) -> None:
    plugins.add(COMMAND_GROUP, "extra", value)
    done = purewasm("extra")
    assert done.status == 1
    assert done.err.startswith("purewasm: extra of purewasm-made-up 9.8 cannot be loaded: ")


@pytest.mark.parametrize("command", ["run", "validate", "inspect", "wat", "wasm", "stubs"])
def test_a_missing_file_argument_is_wrong_use(purewasm: Cli, command: str) -> None:
    done = purewasm(command)
    assert done.status == 2
    assert "FILE" in done.err
    assert f"Try 'purewasm {command} --help'." in done.err


@pytest.mark.parametrize("command", ["run", "validate", "inspect", "wat", "wasm", "stubs"])
@pytest.mark.parametrize(
    ("file", "status", "message"),
    [
        ("absent.wasm", 2, "absent.wasm: no such file"),
        (".", 2, ".: is a directory, not a module"),
        ("a\0b", 2, "cannot be read"),
        ("empty.wasm", 1, "empty.wasm: unexpected end: the file is empty"),
        ("text.txt", 1, "text.txt: magic header not detected: neither a binary module"),
        ("cut.wasm", 1, "cut.wasm: unexpected end"),
        ("component.wasm", 1, "component.wasm: unknown binary version: this is a component"),
    ],
)
def test_files_that_are_no_modules(purewasm: Cli, folder: Path, command: str, file: str, status: int, message: str) -> None:
    (folder / "empty.wasm").touch()
    (folder / "text.txt").write_text("hello")
    (folder / "cut.wasm").write_bytes(b"\0asm\1\0\0\0\1")
    (folder / "component.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    done = purewasm(command, file)
    assert (done.status, done.out) == (status, "")
    assert message in done.err
    assert done.err.startswith("purewasm: ")
    assert done.err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs a user who may not read everything")
def test_a_file_that_may_not_be_read(purewasm: Cli, folder: Path) -> None:
    (folder / "add.wat").chmod(0)
    assert purewasm("validate", "add.wat") == (2, "", "purewasm: add.wat: permission denied\n")


def test_a_text_with_a_mistake_is_shown_with_a_caret(purewasm: Cli, folder: Path) -> None:
    (folder / "bad.wat").write_text("(module\n\t(func $f\n\t  (i32.foo (local.get 0))))\n")
    done = purewasm("run", "bad.wat")
    assert done.status == 1
    assert done.err == "purewasm: bad.wat:3:5: unknown operator i32.foo\n  \t  (i32.foo (local.get 0))))\n  \t   ^\n"


def test_only_a_part_of_a_long_line_is_shown(purewasm: Cli, folder: Path) -> None:
    (folder / "long.wat").write_text(f"(module {'(func) ' * 500}(funk) {'(func) ' * 500})")
    first, line, caret = purewasm("validate", "long.wat").err.splitlines()
    assert first.startswith("purewasm: long.wat:1:")
    assert len(line) < 130
    assert line[caret.index("^") :].startswith("funk")


def test_an_invalid_text_tells_the_offset_of_the_assembled_module(purewasm: Cli, folder: Path) -> None:
    (folder / "bad.wat").write_text("(module (func $f (result i32) (i64.const 1)))")
    done = purewasm("validate", "bad.wat")
    assert done.status == 1
    assert "bad.wat: type mismatch" in done.err
    assert "of the assembled module)" in done.err


# ---- in a process of its own


def start(*words: str, **options: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "purewasm", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.slow
def test_it_runs_as_a_module_and_passes_the_status_on(folder: Path) -> None:
    process = start("run", "add.wat", "--invoke", "add", "2", "3")
    assert process.communicate(timeout=60) == (b"5\n", b"")
    assert process.returncode == 0
    process = start("run", "add.wat", "--invoke", "div", "0")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, b"")
    assert err.startswith(b"purewasm: trap: integer divide by zero\n")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_is_130_without_a_traceback(folder: Path) -> None:
    (folder / "wait.wat").write_text(
        """(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "\\08\\00\\00\\00\\03\\00\\00\\00go\\n")
          (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20))) (loop $l (br $l))))"""
    )
    pytest.importorskip("purewasm_wasi")
    process = start("run", "wait.wat")
    assert process.stdout is not None
    assert process.stdout.readline() == b"go\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX pipes")
def test_a_broken_pipe_is_quiet(folder: Path) -> None:
    (folder / "large.wat").write_text(f"(module {'(func) ' * 50_000})")
    process = start("wat", "large.wat")
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), err) == (141, b"")


def test_a_closed_standard_output_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # what Python makes of `>&-`
    assert main(["version"]) == 0
    assert main(["run", "nowhere.wasm"]) == 2
