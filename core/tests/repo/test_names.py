"""Files are called after the one concept that is in them, and nothing ties the repository to one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from core.tests.repo.source_tree import CORE, ROOT

MEANINGLESS = frozenset("util utils helper helpers common misc base shared stuff tools lib".split())
# Folders of one machine or one user. Guests' own paths (`/data`, `/etc/passwd` in a jail) are none.
MACHINE_PATH = re.compile(r"(?:/home/|/Users/|/root/|/work/|/workspace/|/mnt/|/opt/|/usr/lib/python|/private/var/|[A-Z]:\\\\?Users)[\w.-]*")
PLACEHOLDERS = frozenset(("/home/user", "/home/guest", "/home/me", "/home/somebody", "/home/", "/Users/"))


def listed_files() -> list[Path]:
    """Files that are tracked, or would be if they were added."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git and a checkout to know which files belong to the repository")
    return [path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_of_the_core_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in CORE.rglob("*") if path.stem.lower() in MEANINGLESS] == []


def test_no_python_file_or_folder_of_the_repository_has_a_name_that_says_nothing() -> None:
    names = MEANINGLESS - {"tools"}  # the folder of the repository's own tools
    assert [str(path) for path in listed_files() if path.suffix == ".py" and path.stem.lower() in names] == []


def machine_paths(text: str) -> list[str]:
    return [found for found in MACHINE_PATH.findall(text) if found not in PLACEHOLDERS]


def test_no_text_names_a_folder_of_one_machine() -> None:
    found = []
    for path in listed_files():
        if path == Path(__file__):
            continue  # names them to find them
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            text = data.decode("utf-8", "replace")
            found += [f"{path}: {place}" for place in machine_paths(text)]
            found += [f"{path}: {place}" for place in (str(ROOT), str(Path.home())) if len(place) > 5 and place in text]
    assert found == []


@pytest.mark.parametrize("text", ["see /home/anna/x", "/work/shared/y", "C:\\Users\\anna", "'/root/z'", "/Users/anna/"])
def test_a_path_of_one_machine_is_found(text: str) -> None:
    assert machine_paths(text)


@pytest.mark.parametrize("text", ["/data/a.txt", "examples/globals", "../shared/spec", "https://example.org/homes", "a/worker/b"])
def test_other_paths_are_fine(text: str) -> None:
    assert machine_paths(text) == []
