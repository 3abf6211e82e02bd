"""SHA-256, and what stands for the state of source files that saved code depends on.

`hashlib` imports OpenSSL, which takes longer than the rest of a small module's start: Python's own implementation does for short contents.
"""

from __future__ import annotations

import os

from purewasm.light_importing import import_module
from purewasm.light_library import cache
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from purewasm.engine.protocol import Content

_LONG_BYTES: Final = 1 << 19
"""Content from which on OpenSSL saves more time than its import takes."""


def sha256(content: Content) -> bytes:
    """The SHA-256 of a content."""
    return _constructor(len(content) >= _LONG_BYTES)(content).digest()


if TYPE_CHECKING:

    class Hash(Protocol):
        """What the constructors make."""

        def digest(self) -> bytes:
            """The 32 bytes."""


_LONG: Final = (("_hashlib", "openssl_sha256"), ("hashlib", "sha256"))
_SHORT: Final = (("_sha2", "sha256"), ("_sha256", "sha256"), ("hashlib", "sha256"))


@cache
def _constructor(is_long: bool) -> Callable[[Content], Hash]:
    for module, name in _LONG if is_long else _SHORT:
        try:
            found: Callable[[Content], Hash] = getattr(import_module(module), name)
            found(b"")
        except (ImportError, AttributeError, ValueError):  # each Python has one of them; OpenSSL may be set up to refuse
            continue
        return found
    raise ImportError("this Python has no SHA-256")


def source_files(*folders: str) -> Iterator[os.DirEntry[str]]:
    """Python files below folders of this package, in the same order everywhere."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in folders:
        yield from _files_below(os.path.join(root, folder))


def _files_below(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as items:
        by_name = {item.name: item for item in items}
    found: list[os.DirEntry[str]] = []
    for name in sorted(by_name):
        if name.endswith(".py"):
            found.append(by_name[name])
        elif "." not in name and name != "__pycache__" and by_name[name].is_dir():
            found += _files_below(by_name[name].path)
    return found


def state_of(files: Iterator[os.DirEntry[str]]) -> str:
    """Stands for what is in files on this machine: their sizes and times say when they change, as they do for `__pycache__`."""
    facts = [f"{file.path} {(status := file.stat()).st_size} {int(status.st_mtime)}" for file in files]
    return sha256("\n".join(facts).encode("utf-8", "backslashreplace")).hex()  # a folder's name may be no text


def digest_of(files: Iterator[os.DirEntry[str]]) -> str:
    """Stands for what is in files, wherever they are."""
    return sha256(b"".join([_contents(file.path) for file in files])).hex()


def _contents(path: str) -> bytes:
    """All of a source file: there are hundreds, and the file objects of `open` would take as long as all the rest."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return os.read(file, os.fstat(file).st_size)
    finally:
        os.close(file)
