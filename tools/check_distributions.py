"""Look into built wheels and sdists: what must be there is, and nothing else.

    python tools/check_distributions.py [--release] FOLDER

Every source file of a package is in its wheel and its sdist, with licence and changelog; no test, no cache, nothing outside
the package. The core asks for no other distribution. With `--release`, each changelog has a dated heading for the version.
"""

from __future__ import annotations

import argparse
import email
import re
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]


class Package(NamedTuple):
    """A published distribution: its folder, import name, and the distributions that it may ask for."""

    folder: str
    import_name: str
    requires: frozenset[str]

    @property
    def distribution(self) -> str:
        """The name in file names."""
        return self.import_name


PACKAGES: Final = (
    Package("core", "purewasm", frozenset()),
    Package("hostmods/wasi", "purewasm_wasi", frozenset({"purewasm"})),
    Package("hostmods/global", "purewasm_global", frozenset({"purewasm"})),
    Package("hostmods/atomic", "purewasm_atomic", frozenset({"purewasm"})),
    Package("hostmods/pipe", "purewasm_pipe", frozenset({"purewasm"})),
    Package("hostmods/kv", "purewasm_kv", frozenset({"purewasm"})),
    Package("hostmods/log", "purewasm_log", frozenset({"purewasm"})),
    Package("hostmods/http", "purewasm_http", frozenset({"purewasm", "httpx"})),
    Package("guest-sdk", "purewasm_guest", frozenset({"msgpack", "purewasm"})),
)


def source_files(package: Package) -> set[str]:
    """What the package consists of, as paths that begin with its import name."""
    base = ROOT / package.folder / "src"
    found = (base / package.import_name).rglob("*")
    return {path.relative_to(base).as_posix() for path in found if path.is_file() and "__pycache__" not in path.parts}


def check_wheel(package: Package, wheel: Path) -> list[str]:
    """The complaints about a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata_name = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(metadata_name))
    info = metadata_name.removesuffix("METADATA")
    expected = source_files(package)
    extra = {name for name in names - expected if not name.startswith(info)}
    complaints = [f"lacks {name}" for name in sorted(expected - names)]
    complaints += [f"has the stray file {name}" for name in sorted(extra)]
    if not wheel.name.endswith("-py3-none-any.whl"):
        complaints.append("is not a py3-none-any wheel")
    if f"{info}licenses/LICENSE" not in names:
        complaints.append("has no licence")
    for requirement in metadata.get_all("Requires-Dist", []):
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()
        if "extra ==" not in requirement and name not in package.requires:
            complaints.append(f"asks for {requirement}")
    return [f"{wheel.name} {complaint}" for complaint in complaints]


def check_sdist(package: Package, sdist: Path) -> list[str]:
    """The complaints about a source distribution."""
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    expected = {f"src/{name}" for name in source_files(package)}
    expected |= {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore"}
    complaints = [f"lacks {name}" for name in sorted(expected - names - {".gitignore"})]
    complaints += [f"has the stray file {name}" for name in sorted(names - expected)]
    return [f"{sdist.name} {complaint}" for complaint in complaints]


def check_changelog(package: Package, version: str) -> list[str]:
    """The complaint about a changelog that does not say when this version came out."""
    name = f"{package.folder}/CHANGELOG.md"
    heading = rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$"
    if re.search(heading, (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE):
        return []
    return [f"{name} has no heading '## {version} (YEAR-MONTH-DAY)'"]


def check(package: Package, folder: Path, release: bool) -> list[str]:
    """All complaints about one package's distributions in `folder`."""
    wheels = sorted(folder.glob(f"{package.distribution}-*.whl"))
    sdists = sorted(folder.glob(f"{package.distribution}-*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1:
        return [f"{folder} holds {len(wheels)} wheels and {len(sdists)} sdists of {package.distribution}, where one of each was expected"]
    complaints = check_wheel(package, wheels[0]) + check_sdist(package, sdists[0])
    if release:
        complaints += check_changelog(package, wheels[0].name.split("-")[1])
    return complaints


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 if there is any complaint."""
    parser = argparse.ArgumentParser(description="Look into built wheels and sdists.")
    parser.add_argument("--release", action="store_true", help="the changelogs have to be dated")
    parser.add_argument("folder", type=Path)
    parsed = parser.parse_args(arguments)
    complaints = [complaint for package in PACKAGES for complaint in check(package, parsed.folder, parsed.release)]
    print("\n".join(complaints) or f"{len(PACKAGES)} wheels and {len(PACKAGES)} sdists are as they should be")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
