"""Modules that commands are given: a file's name, or `-` for standard input; binary or text, told apart by content."""

from __future__ import annotations

import os
import sys

from purewasm.binary.decoder import MAGIC
from purewasm.cli.failure import describe_module_error, failed, misuse
from purewasm.errors import ModuleError
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from purewasm.runtime.module import Module
    from purewasm.wasm.features import Features

STDIN: Final = "-"
_BOM: Final = b"\xef\xbb\xbf"
_TEXT_STARTS: Final = (b"(", b";;")
_TEXT_ENDINGS: Final = (".wat", ".wast")


class Source(NamedTuple):
    """Contents of a file, and the name that messages call it by."""

    name: str
    data: bytes

    @property
    def is_binary(self) -> bool:
        return self.data.startswith(MAGIC)

    @property
    def text(self) -> str | None:
        """The text, for messages; None of a binary module."""
        return None if self.is_binary else self.data.decode("utf-8", "replace")


def read(file: str) -> Source:
    """Contents of a file. A file that cannot be read is a misuse."""
    if file == STDIN:
        if sys.stdin is None:
            misuse("standard input is closed")
        return Source("<stdin>", sys.stdin.buffer.read())
    if os.path.isdir(file):
        misuse(f"{file}: is a directory, not a module")
    try:
        with open(file, "rb") as stream:
            return Source(file, stream.read())
    except FileNotFoundError:
        misuse(f"{file}: no such file")
    except PermissionError:
        misuse(f"{file}: permission denied")
    except (OSError, ValueError) as error:
        misuse(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}")


def to_binary(source: Source, features: Features) -> bytes:
    """The bytes of the module in a source. Fails for what is neither a binary module nor text."""
    if source.is_binary:
        return source.data
    if not source.data:
        failed(f"{source.name}: unexpected end: the file is empty")
    if not _looks_like_text(source):
        failed(f"{source.name}: magic header not detected: neither a binary module (which begins with \\0asm) nor a text one, '(module …)'")
    from purewasm.text.assembler import assemble  # not needed to run a binary

    try:
        return assemble(source.data, features)
    except ModuleError as error:
        failed(describe_module_error(error, source.name, source.text))


def _looks_like_text(source: Source) -> bool:
    start = source.data.removeprefix(_BOM).lstrip()
    return source.name.endswith(_TEXT_ENDINGS) or start.startswith(_TEXT_STARTS)


def load(file: str, features: Features) -> Module:
    """The valid module in a file; fails for anything else."""
    from purewasm.runtime.module import Module

    source = read(file)
    data = to_binary(source, features)
    try:
        return Module(data, features)
    except ModuleError as error:
        failed(describe_module_error(error, source.name, source.text))


def write(file: str | None, data: bytes) -> None:
    """Put a command's result into a file, or on standard output for None and `-`."""
    if file is None or file == STDIN:
        if sys.stdout is None:
            misuse("standard output is closed: give -o FILE")
        sys.stdout.flush()
        rest = memoryview(data)
        while rest:  # an unbuffered stream may take less than it is given
            rest = rest[sys.stdout.buffer.write(rest) :]
        return
    try:
        with open(file, "wb") as stream:
            stream.write(data)
    except OSError as error:
        misuse(f"{file}: cannot be written: {error.strerror or error}")
