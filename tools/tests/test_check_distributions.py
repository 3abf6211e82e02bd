"""The check of the distributions finds what it is there to find."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

from tools.check_distributions import PACKAGES, check, check_changelog, source_files

PACKAGE = next(package for package in PACKAGES if package.distribution == "purewasm_global")
CORE = next(package for package in PACKAGES if package.distribution == "purewasm")
METADATA = "Metadata-Version: 2.4\nName: x\nVersion: 0.1.0\n"


def _wheel(folder: Path, names: set[str], metadata: str = METADATA, package: str = "purewasm_global") -> None:
    info = f"{package}-0.1.0.dist-info"
    with zipfile.ZipFile(folder / f"{package}-0.1.0-py3-none-any.whl", "w") as archive:
        for name in names | {f"{info}/licenses/LICENSE"}:
            archive.writestr(name, "")
        archive.writestr(f"{info}/METADATA", metadata)


def _sdist(folder: Path, names: set[str], package: str = "purewasm_global") -> None:
    with tarfile.open(folder / f"{package}-0.1.0.tar.gz", "w:gz") as archive:
        for name in names | {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "PKG-INFO"}:
            archive.addfile(tarfile.TarInfo(f"{package}-0.1.0/{name}"), io.BytesIO())


def test_what_is_complete_passes(tmp_path: Path) -> None:
    files = source_files(PACKAGE)
    assert "purewasm_global/py.typed" in files
    _wheel(tmp_path, files, METADATA + "Requires-Dist: purewasm<0.2,>=0.1\n")
    _sdist(tmp_path, {f"src/{name}" for name in files})
    assert check(PACKAGE, tmp_path, release=False) == []


def test_what_lacks_or_has_too_much_is_found(tmp_path: Path) -> None:
    files = source_files(PACKAGE)
    _wheel(tmp_path, files - {"purewasm_global/py.typed"} | {"tests/test_page.py"}, METADATA + "Requires-Dist: six\n")
    _sdist(tmp_path, {f"src/{name}" for name in files} - {"src/purewasm_global/page.py"} | {"tests/conftest.py"})
    assert check(PACKAGE, tmp_path, release=False) == [
        "purewasm_global-0.1.0-py3-none-any.whl lacks purewasm_global/py.typed",
        "purewasm_global-0.1.0-py3-none-any.whl has the stray file tests/test_page.py",
        "purewasm_global-0.1.0-py3-none-any.whl asks for six",
        "purewasm_global-0.1.0.tar.gz lacks src/purewasm_global/page.py",
        "purewasm_global-0.1.0.tar.gz has the stray file tests/conftest.py",
    ]


def test_the_core_asks_for_nothing(tmp_path: Path) -> None:
    files = source_files(CORE)
    _wheel(tmp_path, files, METADATA + "Requires-Dist: msgpack\n", package="purewasm")
    _sdist(tmp_path, {f"src/{name}" for name in files}, package="purewasm")
    assert check(CORE, tmp_path, release=False) == ["purewasm-0.1.0-py3-none-any.whl asks for msgpack"]


def test_a_missing_file_is_found(tmp_path: Path) -> None:
    (complaint,) = check(PACKAGE, tmp_path, release=False)
    assert "holds 0 wheels and 0 sdists of purewasm_global" in complaint


def test_an_undated_version_is_found() -> None:
    assert check_changelog(PACKAGE, "99.0.0") == ["hostmods/global/CHANGELOG.md has no heading '## 99.0.0 (YEAR-MONTH-DAY)'"]
