"""Compiled code shared by runtimes, in memory and, if asked for, beyond the end of the process."""

from __future__ import annotations

from purewasm._version import __version__
from purewasm.engine.digest import sha256
from purewasm.errors import WasmError
from purewasm.light_typing import TYPE_CHECKING, final
from purewasm.runtime.module import Module
from purewasm.wasm.features import Features

if TYPE_CHECKING:
    from os import PathLike

    from purewasm.engine.protocol import CompileOptions, Content, Engine
    from purewasm.runtime.code_entry import CodeEntry
    from purewasm.runtime.storage import Storage


@final
class CompilationCache:
    """Compiled code, keyed by everything that it depends on. Any number of runtimes and threads may share one.

        CompilationCache()                        in memory
        CompilationCache("~/.cache/purewasm")     also in files, shared with other processes
        CompilationCache(storage=…)               also in any object with `get`, `add` and `delete` (see `Storage`)

    A module that is found in files or a storage is not validated again, and its functions are not compiled again. Functions that are
    compiled meanwhile are added in batches, and by `save`, which closing a runtime or the cache does, as does the end of the process.
    Closing a runtime or a module never takes code away from another one that uses it. `WasmError` for a directory that is not safe.
    """

    def __init__(self, directory: str | PathLike[str] | None = None, *, storage: Storage | None = None) -> None:
        if directory is not None and storage is not None:
            raise TypeError("a compilation cache has a directory or a storage, not both")
        # A storage of somebody else may fail in its own ways; ours does not.
        self._storage: Storage | None = None
        self._is_here = True
        """Only processes of this machine share the storage."""
        if directory is not None or storage is not None:
            from purewasm.runtime.file_storage import FileStorage  # not for a cache in memory

            given = FileStorage(directory) if directory is not None else storage
            self._is_here = isinstance(given, FileStorage)
            self._storage = given if given is None or self._is_here else _Guarded(given)
        self._modules: dict[tuple[bytes, int], Module] = {}
        self._codes: dict[tuple[bytes, int, str, str, int | None, CompileOptions], object] = {}
        self._entries: dict[bytes, CodeEntry] = {}
        self._closed = False

    def module(self, source: bytes, engine: Engine, options: CompileOptions) -> Module:
        """The module of these bytes, validated unless it has been before. Raises what `Module` does."""
        self._check_open()
        digest, features = sha256(source), options.features
        known = self._modules.get((digest, features.bits))
        if known is None:
            entry = self._entry(digest, features, engine, options)
            is_valid = entry is not None and entry.is_valid
            made = Module(source, features, validated=is_valid, prepare=lambda wasm, check: engine.prepare(wasm, check, options))
            made.key = digest
            if entry is not None:
                entry.mark_valid()
            known = self._modules.setdefault((digest, features.bits), made)
        return known

    def code(self, module: Module, engine: Engine, options: CompileOptions) -> object:
        """Code of a module for an engine: what two threads make of it at once is equal, and one of them is kept."""
        if module.key is None:
            module.key = sha256(module.source)
        key = (module.key, module.features.bits, engine.name, self._identity(engine), engine.optimize_after, options)
        known = self._codes.get(key)
        if known is None:
            self._check_open()
            entry = self._entry(module.key, module.features, engine, options)
            if entry is not None:
                entry.mark_valid()
            known = self._codes.setdefault(key, engine.compile(module.wasm, options, entry, module.prepared))
        return known

    def _entry(self, digest: bytes, features: Features, engine: Engine, options: CompileOptions) -> CodeEntry | None:
        if self._storage is None:
            return None
        values = [value.bits if isinstance(value, Features) else value for value in options]
        facts = [__version__, engine.name, self._identity(engine), features.bits, *zip(options._fields, values, strict=True)]
        key = sha256(repr(facts).encode() + digest)
        known = self._entries.get(key)
        if known is None:
            from purewasm.runtime.code_entry import CodeEntry

            known = self._entries.setdefault(key, CodeEntry(key, self._storage))
        return known

    def _identity(self, engine: Engine) -> str:
        """Other storages than files may be shared by machines."""
        return engine.identity_here if self._is_here else engine.identity

    def save(self) -> None:
        """Write what has been compiled since the last time. Where there is neither directory nor storage, nothing happens."""
        for entry in list(self._entries.values()):
            entry.save()

    def clear(self) -> None:
        """Forget every entry in memory. What runtimes hold already goes on; files stay."""
        self.save()
        self._modules.clear()
        self._codes.clear()
        self._entries.clear()

    def close(self) -> None:
        """Save, forget every entry and take no new ones."""
        self._closed = True
        self.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise WasmError("the compilation cache is closed")

    def __len__(self) -> int:
        return len({(digest, features) for digest, features, *_ in (*self._modules, *self._codes)})

    def __enter__(self) -> CompilationCache:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        where = f" in {self._storage!r}" if self._storage is not None else ""
        return f"<CompilationCache of {len(self)} modules{where}{' (closed)' if self._closed else ''}>"


@final
class _Guarded:
    """A storage whose errors are warnings: a cache that does not work must not stop the guest."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def get(self, key: bytes) -> Content | None:
        try:
            found = self._storage.get(key)
            if found is not None and not isinstance(found, bytes | memoryview):
                raise TypeError(f"get returned {type(found).__name__}, not bytes")
        except Exception as error:  # noqa: BLE001  # whatever a client of some server raises
            self._warn(error)
            return None
        return found

    def add(self, key: bytes, content: bytes) -> None:
        try:
            self._storage.add(key, content)
        except Exception as error:  # noqa: BLE001
            self._warn(error)

    def delete(self, key: bytes) -> None:
        try:
            self._storage.delete(key)
        except Exception as error:  # noqa: BLE001
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        import warnings  # few storages fail

        text = f"the storage of the compilation cache failed, code is compiled without it: {type(error).__name__}: {error}"
        warnings.warn(text, RuntimeWarning, stacklevel=4)

    def __repr__(self) -> str:
        return repr(self._storage)
