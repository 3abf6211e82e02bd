"""The table of programs, and how they are obtained and built, as far as that needs no network and no compiler."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from bench.build import GUESTS, BuildError, native_path
from bench.programs import BY_NAME, PROGRAMS, Program
from bench.sources import Package, SourceMissingError, obtain

if TYPE_CHECKING:
    from pathlib import Path

SDIST = Package(name="thing", version="1.0", folder="src/c")
WHEEL = Package(name="thing", version="1.0", folder="thing/c", sdist=False)


def test_enough_programs_for_a_mean() -> None:
    assert len(PROGRAMS) >= 20


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(PROGRAMS) + 1


@pytest.mark.parametrize("program", BY_NAME.values(), ids=BY_NAME)
def test_sources_are_there(program: Program) -> None:
    assert all((GUESTS / source).is_file() for source in program.sources)
    assert all((GUESTS / folder).is_dir() for folder in program.include)


def test_every_source_belongs_to_a_program() -> None:
    used = {source for program in BY_NAME.values() for source in program.sources}
    assert {path.name for path in GUESTS.glob("*.c")} == used


def test_a_missing_compiler_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O1")
    with pytest.raises(BuildError, match="no C compiler no-such-compiler"):
        native_path(BY_NAME["fib"], tmp_path)


def make_archive(path: Path, member: str) -> None:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(member, "int x;")
        return
    with tarfile.open(path, "w:gz") as sdist:
        info = tarfile.TarInfo(member)
        info.size = 6
        sdist.addfile(info, io.BytesIO(b"int x;"))


@pytest.mark.parametrize(
    ("package", "file", "member"),
    [(SDIST, "thing-1.0.tar.gz", "thing-1.0/src/c/x.c"), (WHEEL, "thing-1.0-py3-none-any.whl", "thing/c/x.c")],
    ids=["sdist", "wheel"],
)
def test_the_wanted_folder_of_a_package_is_kept(
    package: Package, file: str, member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(_package: Package, folder: Path) -> Path:
        make_archive(folder / file, member)
        return folder / file

    monkeypatch.setattr("bench.sources._download", download)
    folder = obtain(package, tmp_path)
    assert [path.name for path in folder.iterdir()] == ["x.c"]
    monkeypatch.setattr("bench.sources._download", lambda *_: pytest.fail("downloaded again"))
    assert obtain(package, tmp_path) == folder


def test_a_package_without_the_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(_package: Package, folder: Path) -> Path:
        make_archive(folder / "thing-1.0.tar.gz", "thing-1.0/elsewhere/x.c")
        return folder / "thing-1.0.tar.gz"

    monkeypatch.setattr("bench.sources._download", download)
    with pytest.raises(SourceMissingError, match=r"thing 1\.0 has no folder src/c"):
        obtain(SDIST, tmp_path)
    assert not list((tmp_path / "sources").iterdir())
