"""WASI preview 1 for purewasm: the import modules `wasi_snapshot_preview1` and `wasi_unstable`.

    from pathlib import Path
    from purewasm_wasi import Wasi

    result = Wasi(["sort", "-r"]).run(Path("sort.wasm"), input=b"a\\nb\\n", capture=True)
    print(result.returncode, result.stdout)

What is behind a name is imported when the name is first used: few programs need all file systems.
"""

from __future__ import annotations

from purewasm import light_importing

light_importing.install(__name__)

from purewasm_wasi._version import __version__  # noqa: E402  # found by what has just been installed

TYPE_CHECKING = False  # what type checkers take for True; as in `purewasm`

if TYPE_CHECKING:
    from purewasm_wasi.clocks import Clocks, SystemClocks, VirtualClocks
    from purewasm_wasi.completed import CalledProcessError, CompletedProcess
    from purewasm_wasi.fsspec_fs import FsspecFS
    from purewasm_wasi.host_directory import HostDir
    from purewasm_wasi.memory_fs import MemoryFS
    from purewasm_wasi.program import RunningProgram
    from purewasm_wasi.read_only_tree import ReadOnlyTree
    from purewasm_wasi.stdio import INHERIT, PIPE, STDOUT
    from purewasm_wasi.wasi import Wasi

_HOME = {
    "purewasm_wasi.clocks": "Clocks SystemClocks VirtualClocks",
    "purewasm_wasi.completed": "CalledProcessError CompletedProcess",
    "purewasm_wasi.fsspec_fs": "FsspecFS",
    "purewasm_wasi.host_directory": "HostDir",
    "purewasm_wasi.memory_fs": "MemoryFS",
    "purewasm_wasi.program": "RunningProgram",
    "purewasm_wasi.read_only_tree": "ReadOnlyTree",
    "purewasm_wasi.stdio": "INHERIT PIPE STDOUT",
    "purewasm_wasi.wasi": "Wasi",
}
"""Where the public names live: module, names."""
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "INHERIT",
    "PIPE",
    "STDOUT",
    "CalledProcessError",
    "Clocks",
    "CompletedProcess",
    "FsspecFS",
    "HostDir",
    "MemoryFS",
    "ReadOnlyTree",
    "RunningProgram",
    "SystemClocks",
    "VirtualClocks",
    "Wasi",
    "__version__",
]


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'purewasm_wasi' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
