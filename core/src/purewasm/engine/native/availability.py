"""Whether this engine knows the platform: asked before anything of it is imported, so it imports nothing that may be missing."""

from __future__ import annotations

import os
import sys

SYSTEM = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
"""The operating system, as targets name it."""
_KNOWN = ("linux", "macos", "windows")
_PROVEN = ("linux",)


def why_unsupported() -> str | None:
    """None where the native engine can work, else the reason why not."""
    if sys.implementation.name != "cpython":
        return f"it needs CPython, this is {sys.implementation.name}"
    machine = os.uname().machine if hasattr(os, "uname") else "x86_64" if "AMD64" in sys.version else "another machine"
    if SYSTEM not in _KNOWN or machine != "x86_64" or sys.maxsize < 1 << 32:
        return f"it knows 64-bit Linux, macOS and Windows on x86-64 so far, this is {sys.platform} on {machine}"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return "it needs the GIL, which this process has switched off"
    return None


def is_proven() -> bool:
    """True where it has been run and tested: elsewhere it is there for those who ask for it."""
    return SYSTEM in _PROVEN
