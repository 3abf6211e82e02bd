"""Reading what `Runtime.compile` accepts: bytes, text, or a path."""

from __future__ import annotations

import os

from purewasm.errors import MalformedError
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from purewasm.wasm.features import Features

_MAGIC: Final = b"\0asm"


def read_source(source: object, features: Features) -> bytes:
    """The binary module of a bytes-like object, a text in the text format, or a path to a file with either.

    `OSError` where a file cannot be read, `MalformedError` where a text is no module, `TypeError` for anything else.
    """
    if isinstance(source, bytes):
        return source
    if isinstance(source, (bytearray, memoryview)):
        return bytes(source)
    if isinstance(source, str):
        _check_text(source)
        return _assemble(source, features)
    if isinstance(source, os.PathLike):
        return _read_file(source, features)
    raise TypeError(f"a module is bytes, a text (str) or a Path, not {type(source).__name__}")


def _check_text(text: str) -> None:
    """A text that is no module but names a file was probably meant as a path."""
    if "(" in text or "\n" in text or len(text) > 4096:
        return
    if os.path.exists(text) or text.endswith((".wasm", ".wat")):
        raise MalformedError(f"{text!r} is taken as module text, since it is a str: pass pathlib.Path({text!r}) to read the file")
    raise MalformedError(f"unexpected token: {text[:60]!r} is not a module in the text format, which starts with '(module'")


def _read_file(path: os.PathLike[str], features: Features) -> bytes:
    name = os.fspath(path)
    if os.path.isdir(name):
        raise IsADirectoryError(f"{name} is a directory, not a module")
    try:
        with open(name, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise FileNotFoundError(f"no such file: {name}") from None
    except PermissionError:
        raise PermissionError(f"cannot read {name}: permission denied") from None
    if not data.startswith(_MAGIC) and name.endswith((".wat", ".wast")):
        return _assemble(data, features)
    return data


def _assemble(text: str | bytes, features: Features) -> bytes:
    # The text format is not needed to run a binary: its parser is imported when a text comes.
    from purewasm.text.assembler import assemble

    return assemble(text, features)
