"""`purewasm cache`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from purewasm.cli.cache_directory import default_directory
from purewasm.cli.main import main
from purewasm.runtime.file_storage import FileStorage, folder_name


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of three modules of 1000 bytes, used 0, 10 and 20 days ago: where the command looks by default."""
    path = tmp_path / "cache"
    monkeypatch.setenv("PUREWASM_CACHE_DIR", str(path))
    storage = FileStorage(path)
    for number in range(3):
        storage.add(bytes([number]) * 32, bytes(1000))
        file = path / folder_name() / (bytes([number]) * 32).hex()
        os.utime(file, (time.time() - number * 864_000,) * 2)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["cache", *arguments])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def left(directory: Path) -> list[int]:
    return sorted(bytes.fromhex(path.name)[0] for path in directory.glob("*/*"))


def test_show(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = directory / "purewasm-0.0.1-z80-cpm"
    old.mkdir()
    (old / ("f" * 64)).write_bytes(bytes(123_456))
    os.utime(old / ("f" * 64), (time.time() - 5 * 86_400,) * 2)
    expected = (
        f"{directory}: 4 modules, 123 KiB\n"
        "  purewasm-0.0.1-z80-cpm: 1 module, 121 KiB, last used 5 days ago\n"
        f"  {folder_name()}: 3 modules, 3,000 bytes, last used today\n"
    )
    assert run(capsys) == run(capsys, "show") == (0, expected, "")


def test_a_cache_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    none = tmp_path / "none"
    assert run(capsys, "show", "--directory", str(none)) == (0, f"{none}: 0 modules, 0 bytes\n", "")
    assert run(capsys, "clear", "--directory", str(none))[0] == 0
    assert not none.exists()


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        (["--max-size", "2KB"], [0, 1]),
        (["--max-size", "1999"], [0]),
        (["--max-size", "1GiB"], [0, 1, 2]),
        (["--max-age", "15d"], [0, 1]),
        (["--max-age", "12h"], [0]),
        (["--max-age", "2w", "--max-size", "0"], []),
    ],
)
def test_prune(directory: Path, capsys: pytest.CaptureFixture[str], limits: list[str], kept: list[int]) -> None:
    status, out, err = run(capsys, "prune", *limits)
    assert (status, err, left(directory)) == (0, "", kept)
    assert f", {len(kept)} module" in out


def test_clear_leaves_what_is_not_ours(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "notes.txt").write_text("mine")
    (directory / folder_name() / "notes.txt").write_text("mine")
    expected = f"removed 3 modules, 3,000 bytes from {directory}, 0 modules, 0 bytes left\n"
    assert run(capsys, "clear") == (0, expected, "")
    assert sorted(path.name for path in directory.rglob("*") if path.is_file()) == ["notes.txt", "notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prune"], "prune needs a limit"),
        (["clear", "--max-size", "1"], "options of prune, not of clear"),
        (["prune", "--max-size", "1X"], "a size such as"),
        (["prune", "--max-size", "-1"], "a size such as|expected one argument"),
        (["prune", "--max-age", "d"], "expected a time such as"),
        (["shrink"], "expected one of show, prune, clear, got"),
    ],
)
def test_misuse(directory: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert any(part in err for part in message.split("|"))
    assert left(directory) == [0, 1, 2]


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="these systems have a place of their own")
def test_where_it_is_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    for name in ("PUREWASM_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert default_directory() == "/somewhere/.cache/purewasm"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert default_directory() == "/somewhere/.cache/purewasm"
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_directory() == "/caches/purewasm"
    monkeypatch.setenv("PUREWASM_CACHE_DIR", "/elsewhere")
    assert default_directory() == "/elsewhere"
