"""WASI preview 1 for purewasm: the import modules `wasi_snapshot_preview1` and `wasi_unstable`.

    from pathlib import Path
    from purewasm_wasi import Wasi

    result = Wasi(["sort", "-r"]).run(Path("sort.wasm"), input=b"a\\nb\\n", capture=True)
    print(result.returncode, result.stdout)
"""

from purewasm_wasi._version import __version__
from purewasm_wasi.clocks import Clocks, SystemClocks, VirtualClocks
from purewasm_wasi.completed import CalledProcessError, CompletedProcess
from purewasm_wasi.fsspec_fs import FsspecFS
from purewasm_wasi.host_directory import HostDir
from purewasm_wasi.memory_fs import MemoryFS
from purewasm_wasi.program import RunningProgram
from purewasm_wasi.read_only_tree import ReadOnlyTree
from purewasm_wasi.stdio import INHERIT, PIPE, STDOUT
from purewasm_wasi.wasi import Wasi

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
