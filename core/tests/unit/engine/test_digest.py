"""SHA-256 with and without OpenSSL, and what stands for source files."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.tests.repo.source_tree import CORE
from purewasm.engine import digest


@pytest.mark.parametrize("size", [0, 1, 63, 64, 1000, (1 << 19) - 1, 1 << 19, (1 << 19) + 1])
def test_short_and_long_contents_have_their_sha256(size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    assert digest.sha256(content[:size]) == hashlib.sha256(content[:size]).digest()
    assert digest.sha256(memoryview(content)[:size]) == hashlib.sha256(content[:size]).digest()


@pytest.mark.parametrize("missing", [(), ("_sha2",), ("_sha256",), ("_sha2", "_sha256")])
def test_without_a_part_of_the_standard_library(missing: tuple[str, ...]) -> None:
    block = f"import sys; sys.modules.update(dict.fromkeys({missing!r}))"
    code = f"{block}; from purewasm.engine.digest import sha256; print(sha256(b'abc').hex())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(b"abc").hexdigest()


def test_an_openssl_that_refuses_is_done_without() -> None:
    code = """
import _hashlib
def refuse(content=b"", **options): raise ValueError("[digital envelope routines] unsupported")
_hashlib.openssl_sha256 = refuse
from purewasm.engine.digest import sha256
print(sha256(bytes(1 << 20)).hex())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(bytes(1 << 20)).hexdigest()


def test_source_files_are_those_of_the_package_in_one_order() -> None:
    found = [file.path for file in digest.source_files("isa", "wasm")]
    assert sorted(found) == sorted(str(path) for folder in ("isa", "wasm") for path in (CORE / folder).rglob("*.py"))
    assert found == [file.path for file in digest.source_files("isa", "wasm")]


def test_a_change_of_a_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(CORE / "ir", tmp_path / "ir", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "engine").mkdir()
    monkeypatch.setattr(digest, "__file__", str(tmp_path / "engine" / "digest.py"))

    def both() -> tuple[str, str]:
        return digest.state_of(digest.source_files("ir")), digest.digest_of(digest.source_files("ir"))

    state, content = both()
    assert content == digest.digest_of(digest.source_files("ir"))
    file = tmp_path / "ir" / "ops.py"
    before = file.stat()
    os.utime(file, (before.st_atime, before.st_mtime + 2))
    assert (both()[0] != state, both()[1]) == (True, content)
    os.utime(file, (before.st_atime, before.st_mtime))
    assert both() == (state, content)
    file.write_text(file.read_text() + "#")
    os.utime(file, (before.st_atime, before.st_mtime))
    assert both()[0] != state
    assert both()[1] != content
    file.rename(tmp_path / "ir" / "other.py")
    assert both()[0] != state


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes there")
def test_a_folder_whose_name_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    shutil.copytree(CORE / "ir", folder / "ir", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "engine").mkdir()
    monkeypatch.setattr(digest, "__file__", str(folder / "engine" / "digest.py"))
    assert len(digest.state_of(digest.source_files("ir"))) == 64
