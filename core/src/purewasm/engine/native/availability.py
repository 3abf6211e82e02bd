"""Whether this engine knows the platform: asked before anything of it is imported, so it imports nothing that may be missing."""

from __future__ import annotations

import os
import sys


def why_unsupported() -> str | None:
    """None where the native engine can work, else the reason why not."""
    if sys.implementation.name != "cpython":
        return f"it needs CPython, this is {sys.implementation.name}"
    machine = os.uname().machine if hasattr(os, "uname") else "another machine"
    if sys.platform != "linux" or machine != "x86_64" or sys.maxsize < 1 << 32:
        return f"it knows 64-bit Linux on x86-64 so far, this is {sys.platform} on {machine}"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return "it needs the GIL, which this process has switched off"
    return None
