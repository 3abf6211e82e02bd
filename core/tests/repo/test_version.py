"""The version stands in one place."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest

import purewasm
from core.tests.repo.source_tree import CORE, ROOT, python_files
from purewasm._version import __version__


def test_the_package_has_the_version_of_the_version_file() -> None:
    assert purewasm.__version__ is __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+|\.dev\d+)?", __version__)


def test_no_other_file_of_the_core_writes_the_version_down() -> None:
    quoted = (f'"{__version__}"', f"'{__version__}'")
    others = [file for file in python_files(CORE) if any(text in file.read_text("utf-8") for text in quoted)]
    assert others == [CORE / "_version.py"]


def test_the_distribution_takes_it_from_there() -> None:
    settings = tomllib.loads((ROOT / "core" / "pyproject.toml").read_text("utf-8"))
    assert "version" not in settings["project"]
    assert "version" in settings["project"]["dynamic"]
    assert ROOT / "core" / settings["tool"]["hatch"]["version"]["path"] == CORE / "_version.py"


def test_what_is_installed_is_this_version() -> None:
    try:
        installed = version("purewasm")
    except PackageNotFoundError:
        pytest.skip("purewasm is not installed, only on the path")
    assert installed == __version__


def test_the_changelog_knows_the_version() -> None:
    assert __version__ in (ROOT / "core" / "CHANGELOG.md").read_text("utf-8")
