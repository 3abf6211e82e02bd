"""The SDK's sources are where the package says."""

from __future__ import annotations

import subprocess
import sys

import pytest

import purewasm_guest
from purewasm_guest.__main__ import main


def test_the_header_is_in_the_include_path() -> None:
    text = (purewasm_guest.include_path() / "purewasm_global.h").read_text(encoding="utf-8")
    assert 'import_module("pantopic/wazero-global")' in text


def test_the_zig_module_is_a_file() -> None:
    text = purewasm_guest.zig_module("global").read_text(encoding="utf-8")
    assert 'extern "pantopic/wazero-global"' in text


@pytest.mark.parametrize("name", ["no-such", "", "../zig/purewasm_global", "*"])
def test_an_unknown_module_is_an_error_that_names_the_known(name: str) -> None:
    with pytest.raises(LookupError, match="there is one of: atomic, global, globals, http, kv, log, mailbox, pipe"):
        purewasm_guest.zig_module(name)


def test_the_command_prints_the_paths(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["include-path"]) == 0
    assert main(["zig-module", "global"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(purewasm_guest.include_path()), str(purewasm_guest.zig_module("global"))]


def test_a_wrong_command_line_is_no_traceback() -> None:
    command = [sys.executable, "-m", "purewasm_guest", "zig-module", "no-such"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 2
    assert "there is no Zig SDK of a host module 'no-such'" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("command", ["gen", "new"])
def test_commands_of_purewasm_are_here_too(command: str) -> None:
    done = subprocess.run([sys.executable, "-m", "purewasm_guest", command, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert f"usage: purewasm {command}" in done.stdout
