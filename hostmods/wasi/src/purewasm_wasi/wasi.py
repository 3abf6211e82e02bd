"""The host module: what guests are given, and running a program."""

from __future__ import annotations

import io
import os
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, Self, TypedDict, final
from weakref import WeakKeyDictionary

from purewasm import Function, GuestExit, Instance, LinkError, Runtime
from purewasm_wasi.args_environ import encode_args, encode_env
from purewasm_wasi.clocks import SystemClocks
from purewasm_wasi.completed import CompletedProcess, tail
from purewasm_wasi.entropy import open_random
from purewasm_wasi.fdtable import FdTable
from purewasm_wasi.filesystem import RootOptions
from purewasm_wasi.host_directory import HostDir
from purewasm_wasi.preview1 import SNAPSHOT_NAME, UNSTABLE_NAME, host_modules
from purewasm_wasi.process import Process
from purewasm_wasi.sockets import Socket
from purewasm_wasi.stdio import INHERIT, check_streams, open_input, open_output

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Unpack

    from purewasm import HostModule, Module
    from purewasm_wasi.args_environ import Args, Env
    from purewasm_wasi.clocks import Clocks
    from purewasm_wasi.descriptor import Descriptor
    from purewasm_wasi.entropy import RandomSource
    from purewasm_wasi.filesystem import Mount
    from purewasm_wasi.stdio import StdinSource, StdoutTarget

    DirectorySource = str | os.PathLike[str] | Mount


class KeywordOptions(TypedDict, total=False):
    """The arguments of `Wasi` that are given by keyword only."""

    stdin: StdinSource
    stdout: StdoutTarget
    stderr: StdoutTarget
    dirs: Mapping[str, DirectorySource] | None
    read_only_dirs: Mapping[str, DirectorySource] | None
    sockets: Iterable[socket.socket]
    clocks: Clocks | None
    random: RandomSource
    max_open_files: int


class Options(KeywordOptions, total=False):
    """All arguments of `Wasi`."""

    args: Args
    env: Env


@final
class Wasi:
    """WASI preview 1 for guests: nothing but clocks and random numbers unless it is given here.

        wasi = Wasi(["cat", "/data/a.txt"], dirs={"/data": "input"}, stdout=INHERIT)
        wasi.run(Path("cat.wasm"))

    `args` are all arguments, the program's name first. `env` is a mapping, or `NAME=value` strings. `stdin`, `stdout` and `stderr`
    take None (empty, discarded), int descriptors, paths, binary files, callables or `INHERIT`, `stdin` bytes too. `dirs` are
    directories by the name that the guest knows them under: host paths, or mounts such as `HostDir`; each is a jail.
    `read_only_dirs` are the same without the right to change anything. `sockets` are listening or connected Python sockets.
    `clocks` and `random` replace the real ones: `VirtualClocks`, a seed. `max_open_files` is the limit of descriptors per instance.

    Everything is checked here: `TypeError`, `ValueError` or `OSError` says which argument is wrong. One object serves any number of
    instances and runtimes; each instance gets descriptors of its own, when it first calls or is attached.
    """

    name: Final = SNAPSHOT_NAME
    abi: Final = (1, 0)
    """Major and minor version of the interface: preview 1."""
    aliases: Final = (UNSTABLE_NAME,)
    """The earlier version that it answers to as well, with the layouts that it had."""

    def __init__(
        self,
        args: Args = (),
        env: Env = None,
        *,
        stdin: StdinSource = None,
        stdout: StdoutTarget = None,
        stderr: StdoutTarget = None,
        dirs: Mapping[str, DirectorySource] | None = None,
        read_only_dirs: Mapping[str, DirectorySource] | None = None,
        sockets: Iterable[socket.socket] = (),
        clocks: Clocks | None = None,
        random: RandomSource = None,
        max_open_files: int = 512,
    ) -> None:
        self._lock = threading.Lock()
        self._processes: WeakKeyDictionary[Instance, Process] = WeakKeyDictionary()
        self._owned: list[HostDir] = []
        self._args, self._env = encode_args(args), encode_env(env)
        self._stdin, self._stdout, self._stderr = stdin, stdout, stderr
        self._sockets = tuple(sockets)
        self._clocks = SystemClocks() if clocks is None else clocks
        self._random, self._max_open_files = random, max_open_files
        # What is wrong with these shows here, not in the midst of a guest's run.
        open_random(random)
        check_streams(stdin, stdout, stderr)
        self._mounts = self._make_mounts(dirs or {}, read_only_dirs or {})

    @classmethod
    def inherit_stdio(cls, args: Args = (), env: Env = None, **options: Unpack[KeywordOptions]) -> Self:
        """A `Wasi` that uses the process's own standard input, output and error, but for those named in `options`."""
        streams: KeywordOptions = {"stdin": INHERIT, "stdout": INHERIT, "stderr": INHERIT}
        streams.update(options)
        return cls(args, env, **streams)

    def __repr__(self) -> str:
        names = ", ".join(repr(name) for name in self._mounts)
        return f"<Wasi args={[argument[:-1].decode(errors='replace') for argument in self._args]!r} dirs=[{names}]>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def replace(self, **changes: Unpack[Options]) -> Wasi:
        """Another one with some arguments changed. It shares the directories of this one, which has to stay open as long."""
        options: Options = {
            "args": tuple(argument[:-1] for argument in self._args),
            "env": tuple(variable[:-1].decode("utf-8", "surrogateescape") for variable in self._env),
            "stdin": self._stdin,
            "stdout": self._stdout,
            "stderr": self._stderr,
            "dirs": {name: mount for name, (mount, read_only) in self._mounts.items() if not read_only},
            "read_only_dirs": {name: mount for name, (mount, read_only) in self._mounts.items() if read_only},
            "sockets": self._sockets,
            "clocks": self._clocks,
            "random": self._random,
            "max_open_files": self._max_open_files,
        }
        options.update(changes)
        return Wasi(**options)

    # The host module

    def register(self, runtime: Runtime) -> None:
        """Offer both import modules to every instance that `runtime` makes from now on."""
        for module in self.host_modules():
            module.register(runtime)

    def host_modules(self) -> tuple[HostModule, HostModule]:
        """The import modules `wasi_snapshot_preview1` and `wasi_unstable`, for the `imports` of one instance."""
        return host_modules(self.attach, self.detach)

    def attach(self, instance: Instance) -> Process:
        """The state of an instance: its open descriptors. Made when it is instantiated; `OSError` if something cannot be opened."""
        with self._lock:
            process = self._processes.get(instance)
            if process is None:
                process = self._processes[instance] = self._make_process(instance)
            return process

    def detach(self, state: object) -> None:
        """Close what an instance has open: called when the instance is closed."""
        if isinstance(state, Process):
            with self._lock:
                if (instance := state.instance()) is not None:
                    self._processes.pop(instance, None)
            state.end()

    def close(self) -> None:
        """Close what all instances have open, and the directories that were opened for `dirs`. May be called more than once."""
        with self._lock:
            processes = list(self._processes.values())
            self._processes.clear()
        for process in processes:
            process.end()
        for mount in self._owned:
            mount.close()

    # Programs

    def run(
        self,
        program: Module | Instance | Path | bytes | str,
        *,
        runtime: Runtime | None = None,
        input: bytes | None = None,
        capture: bool = False,
        check: bool = False,
        timeout: float | None = None,
    ) -> CompletedProcess:
        """Call a program's `_start` and wait until it has ended, as `subprocess.run` does.

        `program` is a module, or what `Runtime.compile` takes, and gets an instance of its own in `runtime` (a new one by default);
        or an instance that imports this host module and has not been started. `input` replaces `stdin`. With `capture` the result
        has `stdout` and `stderr`. `check` raises `CalledProcessError` unless the status is 0. `timeout` is in seconds
        (`Interrupted`). A trap, or an exception of a host function, comes out as it is. `LinkError` if there is no `_start`.
        """
        stdout, stderr = io.BytesIO(), io.BytesIO()
        streams: Options = {"stdout": stdout, "stderr": stderr} if capture else {}
        if input is not None:
            streams["stdin"] = input
        try:
            if isinstance(program, Instance):
                process = self._processes.get(program)
                if process is None:
                    raise LinkError(f"{program!r} does not import from this Wasi: register it before the instance is made")
                with _redirected(process, streams):
                    status = _start(program, timeout)
            else:
                with self.replace(**streams) as own:
                    status = own._run_new(program, runtime, timeout)
        except Exception as error:
            if stderr.getvalue():
                error.add_note(f"the guest's last words: {tail(stderr.getvalue())}")
            raise
        args = tuple(argument[:-1].decode(errors="replace") for argument in self._args)
        result = CompletedProcess(args, status, *((stdout.getvalue(), stderr.getvalue()) if capture else ()))
        if check:
            result.check_returncode()
        return result

    def _run_new(self, program: Module | Path | bytes | str, runtime: Runtime | None, timeout: float | None) -> int:
        with ExitStack() as stack:
            if runtime is None:
                runtime = stack.enter_context(Runtime())
            try:
                instance = runtime.instantiate(program, imports=self.host_modules())
            except GuestExit as exit_:
                return exit_.status
            with instance:
                return _start(instance, timeout)

    # The inside

    def _make_mounts(
        self, dirs: Mapping[str, DirectorySource], read_only_dirs: Mapping[str, DirectorySource]
    ) -> dict[str, tuple[Mount, bool]]:
        mounts: dict[str, tuple[Mount, bool]] = {}
        for given, read_only in ((dirs, False), (read_only_dirs, True)):
            for name, source in given.items():
                _check_guest_name(name)
                if name in mounts:
                    raise ValueError(f"the directory {name!r} is in dirs and in read_only_dirs")
                if isinstance(source, str | os.PathLike):
                    source = HostDir(source)
                    self._owned.append(source)
                elif not hasattr(source, "open_root"):
                    raise TypeError(f"the directory {name!r} is a path, a HostDir, MemoryFS, ReadOnlyTree or FsspecFS, not {source!r}")
                mounts[name] = (source, read_only)
        return mounts

    def _make_process(self, instance: Instance) -> Process:
        fds = FdTable(self._max_open_files)
        process = Process(instance, self._args, self._env, self._clocks, open_random(self._random), fds)
        try:
            fds.add(open_input(self._stdin))
            fds.add(open_output(self._stdout, "stdout"))
            fds.add(open_output(self._stderr, "stderr"))
            devices = {id(mount): device for device, (mount, _) in enumerate(self._mounts.values(), 1)}
            for name, (mount, read_only) in self._mounts.items():
                directory = mount.open_root(RootOptions(read_only, devices[id(mount)], self._clocks))
                directory.preopen_name = name.encode()
                fds.add(directory)
            for sock in self._sockets:
                fds.add(Socket(sock.dup()))
        except BaseException:
            process.end()
            raise
        return process


def _check_guest_name(name: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the guest's name of a directory is a str, not {type(name).__name__}")
    if not name or "\0" in name:
        raise ValueError(f"{name!r} cannot be the guest's name of a directory")


def _start(instance: Instance, timeout: float | None) -> int:
    """Call `_start`: the exit status."""
    start = instance.exports.get("_start")
    if not isinstance(start, Function):
        raise LinkError(
            "unknown export: the module has no function _start, so it is no program: instantiate it and call the functions that it has"
        )
    call = start if timeout is None else start.with_options(timeout=timeout)
    try:
        call()
    except GuestExit as exit_:
        return exit_.status
    return 0


@contextmanager
def _redirected(process: Process, streams: Options) -> Iterator[None]:
    """Let a process that exists already use other streams for a while."""
    kept: dict[int, Descriptor] = {}
    if "stdin" in streams:
        kept[0] = process.fds.replace(0, open_input(streams["stdin"]))
    for fd, target, name in ((1, streams.get("stdout"), "stdout"), (2, streams.get("stderr"), "stderr")):
        if target is not None:
            kept[fd] = process.fds.replace(fd, open_output(target, name))
    try:
        yield
        process.finish()
    finally:
        for fd, descriptor in kept.items():
            if fd in process.fds:
                process.fds.replace(fd, descriptor)
