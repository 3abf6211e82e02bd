"""Where commands keep compiled code: a directory of the user's, unless they are told otherwise."""

from __future__ import annotations

import os
import sys

from purewasm.cli.failure import misuse
from purewasm.errors import WasmError
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.runtime.cache import CompilationCache


_MAX_BYTES: Final = 1 << 30
"""Nobody looks after this directory, so it does not grow without end."""


def default_directory() -> str:
    """Where the system keeps caches of a user; `PUREWASM_CACHE_DIR` wins."""
    chosen = os.environ.get("PUREWASM_CACHE_DIR")
    if chosen:
        return chosen
    if os.name == "nt":
        return os.path.join(os.environ.get("LOCALAPPDATA") or os.path.expanduser(r"~\AppData\Local"), "purewasm", "cache")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/purewasm")
    base = os.environ.get("XDG_CACHE_HOME", "")
    return os.path.join(base if os.path.isabs(base) else os.path.expanduser("~/.cache"), "purewasm")


def open_cache() -> CompilationCache:
    """The user's cache. A directory that is not safe is a misuse; one that cannot be read or written is just of no use, and so is a home
    that is no directory, as accounts of services have it."""
    from purewasm.runtime.cache import CompilationCache
    from purewasm.runtime.file_storage import FileStorage

    directory = default_directory()
    try:
        return CompilationCache(storage=FileStorage(directory, max_bytes=_MAX_BYTES))
    except WasmError as error:
        if not os.path.isdir(directory) and not os.environ.get("PUREWASM_CACHE_DIR"):
            return CompilationCache()
        misuse(f"{error}; PUREWASM_CACHE_DIR names another directory, and --no-cache goes without")
