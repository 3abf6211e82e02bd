"""Finds the modules of a package where they are known to be, in a third of the time that the import system takes to look for them.

A cold start imports 170 modules. For each, the import system asks every kind of finder, lists folders, tries the endings of
extension modules, and reads the bytecode through file objects of Python: 60 µs, more than the module then takes to run. Here the names of
the source file and of its bytecode follow from the module's name.

Modules that always come together are imported one after the other, in an order in which each finds what it needs there: so the import
system is asked for one of them instead of for each, which takes another 20 µs.

What is found is what the import system would have found. Bytecode is taken under its rules: made by this Python, and for a source file of
this time and size. In any doubt (no bytecode yet or an old one, a zip file, another folder on the package's path) the import system does
the work, and writes the bytecode for the next time.
"""

from __future__ import annotations

import _thread
import gc
import os
import sys
from _frozen_importlib import ModuleSpec, module_from_spec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from _imp import _fix_co_filename  # type: ignore[attr-defined]  # unknown to type checkers
from marshal import loads

TYPE_CHECKING = False  # what type checkers take for True

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import CodeType, ModuleType

_packages: set[str] = set()
_together: dict[str, str] = {}
"""By module: those that come with it, in the order in which they need each other, separated by spaces."""
_FROZEN_BY_PYTHON = 1000
"""Who freezes objects freezes all there are, of which an empty program has four thousand. Python 3.12 begins with 375 of its own."""
_may_thaw = True
_ENDING = f".{sys.implementation.cache_tag}{f'.opt-{sys.flags.optimize}' if sys.flags.optimize else ''}.pyc"
_HEADER = MAGIC_NUMBER + bytes(4)  # flags of zero: the time and size of the source say whether the rest holds
_HEADER_BYTES = 16
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)


def pause_collector() -> bool:
    """Turn Python's garbage collector off, where it is on and no other thread could do something about it meanwhile: for what makes many
    objects that stay, or that go by themselves. Whether `gc.enable()` is due afterwards."""
    if not gc.isenabled() or _thread._count():
        return False
    gc.disable()
    return True


def _make_old() -> None:
    """Have all objects in the collector's oldest generation, without a look at any: what a module makes stays, and the next collection
    would look through all of it, of a whole start for 4 ms.

    Only while the collector is paused, so that no other thread can freeze objects in between. Not where somebody has frozen objects, which
    would thaw. They are counted one by one, so nobody asks again.
    """
    global _may_thaw
    _may_thaw = _may_thaw and gc.get_freeze_count() <= _FROZEN_BY_PYTHON
    if _may_thaw:
        gc.freeze()
        gc.unfreeze()


def _end_pause() -> None:
    """The collector goes on, and what was made meanwhile is old."""
    try:
        _make_old()
    finally:
        gc.enable()


class _Loader(SourceFileLoader):
    """Python's own, which has read the bytecode already."""

    def __init__(self, name: str, path: str, bytecode: memoryview) -> None:
        super().__init__(name, path)
        self._bytecode: memoryview | None = bytecode

    def get_code(self, fullname: str) -> CodeType | None:
        bytecode, self._bytecode = self._bytecode, None
        if bytecode is None:
            return super().get_code(fullname)
        code: CodeType = loads(bytecode)
        _fix_co_filename(code, self.path)  # where the source is now: bytecode may have been moved with it
        return code

    def exec_module(self, module: ModuleType) -> None:
        is_paused = pause_collector()
        try:
            together = _together.pop(module.__name__, None)
            if together is not None:
                _import_together(together.split())
            super().exec_module(module)
        finally:
            if is_paused:
                _end_pause()


class _Finder:
    """Of modules of packages that are pure Python and asked for it."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module, or None where the import system has to look for it."""
        if path is None or len(path) != 1 or name.partition(".")[0] not in _packages:
            return None
        base = f"{path[0]}/{name.rpartition('.')[2]}"
        folder = None
        source = f"{base}.py"
        try:
            status = os.stat(source)
        except OSError:
            folder, source = base, f"{base}/__init__.py"
            try:
                status = os.stat(source)
            except OSError:
                return None
        stem, _, file = source[:-3].rpartition("/")
        cached = f"{stem}/__pycache__/{file}{_ENDING}"
        content = _read(cached)
        if content[:_HEADER_BYTES] != _HEADER + _word(int(status.st_mtime)) + _word(status.st_size):
            return None
        spec = ModuleSpec(name, _Loader(name, source, memoryview(content)[_HEADER_BYTES:]), origin=source)
        spec.has_location, spec.cached = True, cached
        spec.submodule_search_locations = None if folder is None else [folder]
        return spec


def _import_together(names: list[str]) -> None:
    """Import modules of which none needs a later one. What cannot be imported is left to the import system, which says why.

    Not where other threads could see modules that are half done, be they Python's or such as a server in C has made, and none that other
    finders want to see. This is part of running the module that needs these: while one is looked for, the import system holds a lock that
    other threads need to import anything.
    """
    if _thread._count() or len(sys._current_frames()) > 1:
        return
    for name in names:
        if name not in sys.modules and not _import_one(name):
            break


def _import_one(name: str) -> bool:
    """Import a module whose package is there. False where the import system has to do it."""
    package, _, own_name = name.rpartition(".")
    parent = sys.modules.get(package)
    try:
        spec = _find_in_turn(name, getattr(parent, "__path__", None))
        if spec is None:
            return False
        module = sys.modules[name] = module_from_spec(spec)
        exec(spec.loader.get_code(name), module.__dict__)  # type: ignore[union-attr]
    except Exception:  # noqa: BLE001 (the import system will say what is wrong)
        sys.modules.pop(name, None)
        return False
    except BaseException:
        sys.modules.pop(name, None)
        raise
    setattr(parent, own_name, module)
    return True


def _find_in_turn(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """What `_Finder` finds, where no finder that is asked before it has the module."""
    if path is None:
        return None
    for finder in sys.meta_path:
        if finder is _Finder:
            return _Finder.find_spec(name, path)
        if finder.find_spec(name, path, None) is not None:
            return None
    return None


def _read(path: str) -> bytes:
    """All of a file; nothing where it cannot be read."""
    try:
        file = os.open(path, _READ)
    except OSError:
        return b""
    try:
        return os.read(file, os.fstat(file).st_size)
    except OSError:
        return b""
    finally:
        os.close(file)


def _word(number: int) -> bytes:
    return (number & 0xFFFF_FFFF).to_bytes(4, "little")


def import_module(name: str) -> ModuleType:
    """What `importlib.import_module` does with an absolute name; importing that, and `warnings` with it, takes 0.3 ms."""
    __import__(name)
    return sys.modules[name]


def install(package: str, together: Mapping[str, str] | None = None) -> None:
    """Find the modules of a package in this way: before Python's finders are asked, and behind all those that others have put there.

    `together`: by module, those that come with it. Not where bytecode is kept in other places, and not on systems whose file names do not
    tell capitals from small letters.
    """
    if sys.platform != "linux" or sys.pycache_prefix is not None or sys.implementation.cache_tag is None:
        return
    _packages.add(package)
    _together.update(together or {})
    names = [getattr(finder, "__name__", "") for finder in sys.meta_path]
    if "PathFinder" in names and _Finder not in sys.meta_path:
        place = names.index("PathFinder")
        while place and names[place - 1] in ("BuiltinImporter", "FrozenImporter"):
            place -= 1
        sys.meta_path.insert(place, _Finder)
