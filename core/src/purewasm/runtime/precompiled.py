"""Files that hold a module and its machine code: made by `Runtime.precompile` and `purewasm compile`, opened by `Runtime.load`.

The file is an entry (`runtime.storage`) under the SHA-256 of the module's bytes. Beside the parts of the code it holds the module itself
and a manifest: lines `name: value` that say for what it was made. Nothing in it is run before its checksum has been compared; but a
checksum is no signature. Who can change the file can run anything in the process that loads it, as with any program, so a file that
somebody else owns (but the system's administrator) or can write to is refused.
"""

from __future__ import annotations

import os
import stat

from purewasm._version import __version__
from purewasm.engine.digest import sha256
from purewasm.engine.protocol import GROUP_BITS
from purewasm.errors import UnsupportedError, WasmError
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.runtime.engines import own_processor
from purewasm.runtime.file_storage import content_of, open_file, others_can_write
from purewasm.runtime.storage import DamagedEntryError, StoredEntry, is_entry, pack_entry
from purewasm.wasm.features import Features

if TYPE_CHECKING:
    from os import PathLike

    from purewasm.engine.protocol import CompileOptions, Content, Progress, SavedGroup
    from purewasm.runtime.module import Module

ENDING: Final = ".pwasm"
_MANIFEST: Final = 15 << GROUP_BITS
_SOURCE: Final = _MANIFEST + 1
_ADMINISTRATOR: Final = 0


class Manifest(NamedTuple):
    """What a file was made for."""

    version: str
    target: str
    compiler: str
    features: int
    fuel: int
    interruptible: int
    debug_info: int

    def dump(self) -> bytes:
        return "".join(f"{name}: {value}\n" for name, value in zip(self._fields, self, strict=True)).encode()

    @classmethod
    def parse(cls, content: bytes) -> Manifest:
        """`ValueError`, `KeyError` for anything that `dump` has not written."""
        found = dict(line.split(": ", 1) for line in content.decode().splitlines())
        numbers = [int(found[name]) for name in cls._fields[3:]]
        return cls(found["version"], found["target"], found["compiler"], *numbers)


def precompile(module: Module, options: CompileOptions, target: str | None, workers: int, progress: Progress | None) -> bytes:
    """The bytes of a file, made without running any code: for a target by name, or for this machine's own processor."""
    from purewasm.engine.native.ahead_of_time import compile_module
    from purewasm.engine.native.target import TARGETS

    cpu = own_processor() if target is None else TARGETS.get(target)
    if cpu is None:
        raise ValueError(f"unknown target {target!r}: one of {', '.join(TARGETS)}, or none for this machine's processor")
    try:
        made_for, compiler, parts = compile_module(module.wasm, options, cpu, workers, progress, for_here=target is None)
    except ValueError as error:
        raise UnsupportedError(f"this module cannot be compiled ahead of time: {error}") from None
    numbers = (module.features.bits, int(options.fuel), int(options.interruptible), int(options.debug_info))
    manifest = Manifest(__version__, made_for, compiler, *numbers)
    return pack_entry(sha256(module.source), {**parts, _MANIFEST: manifest.dump(), _SOURCE: module.source})


@final
class Precompiled:
    """An open file: mapped, not read. The engine's `SavedCode`."""

    def __init__(self, name: str, entry: StoredEntry) -> None:
        self.name, self._entry = name, entry
        manifest, source = self.get(_MANIFEST), self.get(_SOURCE)
        if manifest is None or source is None:
            raise WasmError(f"{name} is no precompiled module")
        self.source: Final = bytes(source)
        try:
            self.manifest: Final = Manifest.parse(bytes(manifest))
        except (ValueError, KeyError):
            raise WasmError(f"{name} was made by a version of purewasm that this one ({__version__}) does not know: {AGAIN}") from None

    def check(self, options: CompileOptions) -> None:
        """`WasmError` where the file was made by another version, or for a runtime with other options."""
        made = self.manifest
        if made.version != __version__:
            raise WasmError(f"{self.name} was made by purewasm {made.version}, this is {__version__}: {AGAIN}")
        for name in ("fuel", "interruptible", "debug_info"):
            here, there = getattr(options, name), bool(getattr(made, name))
            if here != there:
                raise WasmError(f"{self.name} was made with {name}={there}, and this runtime has {name}={here}: {AGAIN}")
        beyond = Features.from_bits(made.features & ~options.features.bits)
        if beyond.bits:
            raise WasmError(f"{self.name} was made with {', '.join(beyond)}, which this runtime does not allow")

    # ---- what engines call

    def get(self, number: int) -> Content | None:
        """A part, checked."""
        try:
            return self._entry.get(number)
        except DamagedEntryError as error:
            raise self._damaged(error) from None

    def group(self, group: int) -> SavedGroup | None:
        """A group, checked."""
        try:
            return self._entry.group(group)
        except DamagedEntryError as error:
            raise self._damaged(error) from None

    def add(self, number: int, content: bytes) -> None:
        """The file stays as it is."""

    def _damaged(self, error: DamagedEntryError) -> WasmError:
        return WasmError(f"{self.name} is damaged, {error}: {AGAIN}")


AGAIN: Final = "make it again with purewasm compile"


def open_precompiled(path: str | PathLike[str]) -> Precompiled:
    """The file at a path. `OSError` where it cannot be read, `WasmError` where it is none, is damaged, or is not safe to run."""
    name = os.fspath(path)
    file = open_file(name)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise WasmError(f"{name} is no file, so it is no precompiled module")
        _check_owner(name, status)
        content = content_of(file, status.st_size)
    finally:
        os.close(file)
    if not is_entry(content):
        hint = ": it is a module that is not compiled, use compile()" if content[:4] == b"\0asm" else ""
        raise WasmError(f"{name} is no precompiled module{hint}")
    try:
        return Precompiled(name, StoredEntry(content))
    except DamagedEntryError as error:
        raise WasmError(f"{name} is damaged or was made by another version, {error}: {AGAIN}") from None


def _check_owner(name: str, status: os.stat_result) -> None:
    if hasattr(os, "geteuid") and status.st_uid not in (os.geteuid(), _ADMINISTRATOR):
        owner = f"belongs to another user (number {status.st_uid}), who could make this process run anything through it"
        raise WasmError(f"{name} {owner}: copy it, if you trust that user")
    if others_can_write(status):
        raise WasmError(f"{name} can be written to by other users, who could make this process run anything through it: chmod go-w {name}")
