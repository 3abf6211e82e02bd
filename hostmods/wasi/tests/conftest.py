"""A jail to break out of, and guests to try it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hostmods.wasi.tests.guest import Guest, direct
from purewasm_wasi import Wasi

Snapshot = dict[str, tuple[object, ...]]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that no guest is given, with things in it that a guest would like to have."""
    folder = tmp_path / "outside"
    (folder / "folder").mkdir(parents=True)
    (folder / "secret").write_bytes(b"secret")
    (folder / "folder" / "secret").write_bytes(b"secret")
    return folder


@pytest.fixture
def jail(tmp_path: Path, outside: Path) -> Path:
    """A directory that guests are given, beside `outside`: a file, a directory with a file, and a link to each."""
    folder = tmp_path / "jail"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "file").write_bytes(b"inside")
    (folder / "sub" / "file").write_bytes(b"below")
    (folder / "to_file").symlink_to("file")
    (folder / "to_sub").symlink_to("sub")
    return folder


@pytest.fixture
def guest(jail: Path) -> Iterator[Guest]:
    """A guest with the jail as descriptor 3."""
    with Wasi(dirs={"/": jail}) as wasi:
        yield direct(wasi)


@pytest.fixture
def make_guest() -> Iterator[Callable[..., Guest]]:
    """Makes guests of the options of `Wasi`."""
    made: list[Wasi] = []

    def make(*, unstable: bool = False, **options: object) -> Guest:
        made.append(Wasi(**options))  # type: ignore[arg-type]  # the options that a test gives
        return direct(made[-1], unstable=unstable)

    yield make
    for wasi in made:
        wasi.close()


def snapshot(folder: Path) -> Snapshot:
    """Everything below a folder: names, kinds, contents, link counts and times of change."""
    found: Snapshot = {}
    for directory, names, files in os.walk(folder):
        for name in (".", *names, *files):
            path = Path(directory, name)
            stat = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
            found[str(path)] = (stat.st_mode, stat.st_nlink, stat.st_size, stat.st_mtime_ns, content)
    return found
