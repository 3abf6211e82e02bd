"""`python bench/run.py [SUITE …]` from anywhere: the same as `python -m bench` in the repository's root."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

# In place of this folder, which Python put first: its modules are to be found as `bench.…` only.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
runpy.run_module("bench", run_name="__main__")
