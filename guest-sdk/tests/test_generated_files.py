"""What `purewasm gen` writes is checked in as the ABI files make it today."""

from __future__ import annotations

from pathlib import Path

import pytest

from purewasm_guest.gen.command import load, main, stale

ROOT = Path(__file__).parents[2]
ABI_FILES = sorted([*ROOT.glob("hostmods/*/abi.toml"), *ROOT.glob("hostmods/*/page.toml")])


def test_there_are_abi_files() -> None:
    assert [file.parent.name for file in ABI_FILES] == ["atomic", "global", "global", "http", "kv", "log", "pipe"]


@pytest.mark.parametrize("file", ABI_FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_is_stale(file: Path) -> None:
    assert [str(path) for path in stale(load(file))] == []


def test_a_stale_file_is_found_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    abi = tmp_path / "abi.toml"
    abi.write_text(
        """
        [module]
        name = "acme/greeter"
        version = [1, 0]
        summary = "Greetings."
        [generate]
        host = "abi.py"
        [[operation]]
        number = 1
        name = "greet"
        summary = "A greeting."
        arguments = [{ name = "who", type = "str" }]
        results = [{ name = "greeting", type = "str" }]
        """
    )
    assert main([str(abi), "--check"]) == 1
    assert not (tmp_path / "abi.py").exists()
    assert main([str(abi)]) == 0
    assert "class GreeterAbi(MailboxModule)" in (tmp_path / "abi.py").read_text()
    assert main([str(abi), "--check"]) == 0
    (tmp_path / "abi.py").write_text("changed by hand\n")
    assert main([str(abi), "--check"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == f"stale: {tmp_path / 'abi.py'}"
