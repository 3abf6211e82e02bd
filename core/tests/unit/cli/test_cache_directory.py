"""Compiled code that `purewasm run` keeps for the next time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.tests.unit.cli.conftest import Done

Cli = Callable[..., Done]
ADD = ("run", "add.wat", "--invoke", "add", "2", "3")


@pytest.fixture
def cache(folder: Path) -> Path:
    return Path(os.environ["PUREWASM_CACHE_DIR"])


def files(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


def test_a_program_is_compiled_once(purewasm: Cli, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert purewasm(*ADD) == (0, "5\n", "")
    assert len(files(cache)) == 1
    monkeypatch.setattr("purewasm.runtime.module.validate_module", lambda *_: pytest.fail("validated again"))
    assert purewasm(*ADD) == (0, "5\n", "")
    assert len(files(cache)) == 1


def test_without_a_cache(purewasm: Cli, cache: Path) -> None:
    assert purewasm(*ADD, "--no-cache") == (0, "5\n", "")
    assert not cache.exists()


def test_eager(purewasm: Cli, cache: Path) -> None:
    assert purewasm(*ADD) == (0, "5\n", "")
    lazy = files(cache)[0].stat().st_size
    assert purewasm(*ADD, "--eager") == (0, "5\n", "")
    assert files(cache)[0].stat().st_size > lazy


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX systems")
def test_an_unsafe_directory_is_refused(purewasm: Cli, cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    status, out, err = purewasm(*ADD)
    assert (status, out) == (2, "")
    assert err.startswith(f"purewasm: the directory {cache} can be written to by other users")
    assert "chmod go-w" in err
    assert "--no-cache" in err
    assert purewasm(*ADD, "--no-cache") == (0, "5\n", "")


def test_a_directory_that_cannot_be_made_is_no_error(purewasm: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUREWASM_CACHE_DIR", os.path.join(os.devnull + "-none", "a"))
    monkeypatch.setattr("os.mkdir", lambda path, mode=0: (_ for _ in ()).throw(PermissionError(13, "no", path)))
    assert purewasm(*ADD) == (0, "5\n", "")


@pytest.mark.skipif(os.name != "posix", reason="HOME is what says where the home is")
def test_a_home_that_is_no_directory_is_no_error(purewasm: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUREWASM_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", os.devnull)
    assert purewasm(*ADD) == (0, "5\n", "")
    monkeypatch.setenv("PUREWASM_CACHE_DIR", os.devnull)  # this one was asked for
    assert purewasm(*ADD)[0] == 2
