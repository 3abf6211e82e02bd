"""Import WebAssembly modules like Python modules.

    import purewasm.importer  # from here on guest.wasm and guest.wat on sys.path are found, where there is no guest.py

    import guest

    guest.add(2, 3)
    guest.memory.read(0, 16)
    guest.__instance__  # the Instance behind it

A guest's imports come from the host modules registered on `runtime`, else from Python modules of their name: a guest that imports
`env` `log` gets the function `log` of `env.py`, or the export of `env.wasm`. That trusts the guest with the public names of any
installed module but the standard library's: for a guest that you do not trust use a `Runtime` and say what it gets.

    purewasm.importer.runtime = Runtime(memory_limit_pages=100)  # or another one, before the first import of a guest
    Globals().register(purewasm.importer.runtime)

A file that is no module, and an import that nobody provides, are an `ImportError`. `purewasm stubs guest.wasm -o guest.pyi` tells
type checkers what `import guest` gives.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder

from purewasm.light_typing import Final
from purewasm.runtime.python_import import WasmFinder
from purewasm.runtime.runtime import Runtime

__all__ = ["runtime"]

runtime: Runtime = Runtime()
"""What runs imported guests: register host modules with it. Another one may be put in its place."""


def _install(finder: WasmFinder) -> None:
    """Put the finder in front of Python's own for files, in place of an earlier one."""
    finders: list[object] = sys.meta_path  # type: ignore[assignment]  # finders are of no common class
    finders[:] = [other for other in finders if not isinstance(other, WasmFinder)]
    place = finders.index(PathFinder) if PathFinder in finders else len(finders)
    finders.insert(place, finder)


_finder: Final = WasmFinder(lambda: runtime)
_install(_finder)
