"""Assertions of the testsuite that are known to fail, each with its reason. An entry that passes fails the run."""

from __future__ import annotations

from typing import Final

EXPECTED: Final[dict[tuple[str, str, int], str]] = {}
"""Reason by (engine, script, line of the command)."""
