"""The arguments of `Wasi`, as types: for `replace`, `run` and `popen`, which take them too."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import os
    import socket
    from collections.abc import Callable, Iterable, Mapping

    from purewasm_wasi.args_environ import Args, Env
    from purewasm_wasi.clocks import Clocks
    from purewasm_wasi.entropy import RandomSource
    from purewasm_wasi.filesystem import Mount
    from purewasm_wasi.stdio import StderrTarget, StdinSource, StdoutTarget

    DirectorySource = str | os.PathLike[str] | Mount


class KeywordOptions(TypedDict, total=False):
    """The arguments of `Wasi` that are given by keyword only."""

    stdin: StdinSource
    stdout: StdoutTarget
    stderr: StderrTarget
    dirs: Mapping[str, DirectorySource] | None
    read_only_dirs: Mapping[str, DirectorySource] | None
    sockets: Iterable[socket.socket]
    clocks: Clocks | None
    random: RandomSource
    deterministic: bool
    max_open_files: int
    max_file_bytes: int | None
    max_output_bytes: int | None
    trace: Callable[[str], object] | None


class Options(KeywordOptions, total=False):
    """All arguments of `Wasi`."""

    args: Args
    env: Env
