"""The pytest plugin costs next to nothing to those who do not use it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import purewasm.testing

ROOT = Path(__file__).parents[4]
PROGRAM = """
import sys
import pytest
before = set(sys.modules)
import purewasm.testing.plugin
print(*sorted(set(sys.modules) - before))
"""


def test_it_loads_nothing_but_itself() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    own = ["", "._version", ".import_order", ".light_importing", ".light_typing", ".testing", ".testing.plugin"]
    assert done.stdout.split() == [f"purewasm{name}" for name in own]


def test_every_name_is_there() -> None:
    assert all(getattr(purewasm.testing, name).__name__ == name for name in purewasm.testing.__all__)


def test_pytest_rewrites_no_assertions_of_the_core() -> None:
    """It does for every distribution that has a plugin, so the core has none."""
    projects = {name: tomllib.loads((ROOT / name / "pyproject.toml").read_text())["project"] for name in ("core", "guest-sdk")}
    assert [name for name, project in projects.items() if "pytest11" in project.get("entry-points", {})] == ["guest-sdk"]
