"""The host module: what guests are given, and running a program."""

from __future__ import annotations

import _thread
import os
from weakref import WeakKeyDictionary

from purewasm import Instance, LinkError, Runtime
from purewasm.light_typing import TYPE_CHECKING, Final, Self, final
from purewasm_wasi.args_environ import encode_args, encode_env
from purewasm_wasi.clocks import SystemClocks, VirtualClocks
from purewasm_wasi.entropy import open_random
from purewasm_wasi.fdtable import FdTable
from purewasm_wasi.filesystem import RootOptions
from purewasm_wasi.preview1 import SNAPSHOT_NAME, UNSTABLE_NAME, host_modules
from purewasm_wasi.process import Process
from purewasm_wasi.quota import Quota
from purewasm_wasi.stdio import INHERIT, PIPE, check_streams, open_input, open_outputs

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping
    from typing import Unpack

    from purewasm import HostModule
    from purewasm_wasi.args_environ import Args, Env
    from purewasm_wasi.clocks import Clocks
    from purewasm_wasi.completed import CompletedProcess
    from purewasm_wasi.entropy import RandomSource
    from purewasm_wasi.filesystem import Mount
    from purewasm_wasi.host_directory import HostDir
    from purewasm_wasi.options import DirectorySource, KeywordOptions, Options
    from purewasm_wasi.program import Program, RunningProgram
    from purewasm_wasi.stdio import StderrTarget, StdinSource, StdoutTarget


@final
class Wasi:
    """WASI preview 1 for guests: nothing but clocks and random numbers unless it is given here.

        wasi = Wasi(["cat", "/data/a.txt"], dirs={"/data": "input"}, stdout=INHERIT)
        wasi.run(Path("cat.wasm"))

    `args` are all arguments, the program's name first. `env` is a mapping, or `NAME=value` strings. `stdin`, `stdout` and `stderr`
    take None (empty, discarded), int descriptors, paths, binary files, callables, `INHERIT` or (for `run` and `popen`) `PIPE`,
    `stdin` bytes too, `stderr` also `STDOUT`. `dirs` are directories by the name that the guest knows them under: host paths, or
    `HostDir`, `MemoryFS`, `ReadOnlyTree`, `FsspecFS`; each is a jail. `read_only_dirs` are the same without the right to change
    anything. `sockets` are listening or connected Python sockets. `clocks` and `random` replace the real ones: `VirtualClocks`, a
    seed; `deterministic` is short for both. Each instance may have `max_open_files` descriptors at once, and write `max_file_bytes` to
    files and `max_output_bytes` to standard output and error. `trace` is called with a line of text for each call of the guest.

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
        stderr: StderrTarget = None,
        dirs: Mapping[str, DirectorySource] | None = None,
        read_only_dirs: Mapping[str, DirectorySource] | None = None,
        sockets: Iterable[socket.socket] = (),
        clocks: Clocks | None = None,
        random: RandomSource = None,
        deterministic: bool = False,
        max_open_files: int = 512,
        max_file_bytes: int | None = None,
        max_output_bytes: int | None = None,
        trace: Callable[[str], object] | None = None,
    ) -> None:
        self._lock = _thread.allocate_lock()
        self._processes: WeakKeyDictionary[Instance, Process] = WeakKeyDictionary()
        self._owned: list[HostDir] = []
        self._args, self._env = encode_args(args), encode_env(env)
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self._sockets = tuple(sockets)
        self._deterministic, self._clocks = deterministic, clocks
        self._random = 0 if deterministic and random is None else random
        self._max_open_files = max_open_files
        self._max_file_bytes, self._max_output_bytes = max_file_bytes, max_output_bytes
        self._trace = trace
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
            "stdin": self.stdin,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "dirs": {name: mount for name, (mount, read_only) in self._mounts.items() if not read_only},
            "read_only_dirs": {name: mount for name, (mount, read_only) in self._mounts.items() if read_only},
            "sockets": self._sockets,
            "clocks": self._clocks,
            "random": self._random,
            "deterministic": self._deterministic,
            "max_open_files": self._max_open_files,
            "max_file_bytes": self._max_file_bytes,
            "max_output_bytes": self._max_output_bytes,
            "trace": self._trace,
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
        return host_modules(self.attach, self.detach, self._trace)

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

    @property
    def program_args(self) -> tuple[str, ...]:
        """The arguments as text."""
        return tuple(argument[:-1].decode(errors="replace") for argument in self._args)

    def run(
        self,
        program: Program | Instance,
        *,
        runtime: Runtime | None = None,
        input: bytes | None = None,
        capture: bool = False,
        check: bool = False,
        timeout: float | None = None,
        max_memory_bytes: int | None = None,
        **options: Unpack[Options],
    ) -> CompletedProcess:
        """Call a program's `_start` and wait until it has ended, as `subprocess.run` does.

        `program` is a module, or what `Runtime.compile` takes, and gets an instance of its own in `runtime` (a new one by default, whose
        memories grow to `max_memory_bytes`); or an instance that imports this host module and has not been started. All arguments of
        `Wasi` may be given to change them for this run (for an instance only streams). `input` is another word for `stdin`. With
        `capture`, or for streams that are `PIPE`, the result has `stdout` and `stderr`. `check` raises `CalledProcessError` unless the
        status is 0. `timeout` is in seconds (`Interrupted`). A trap, or an exception of a host function, comes out as it is.
        `LinkError` if there is no `_start`.
        """
        from purewasm_wasi.program import Capture, run_new  # a guest that only imports this host module needs none of it

        if input is not None:
            options["stdin"] = input
        if capture:
            options["stdout"] = options["stderr"] = PIPE
        if options.get("stdin", self.stdin) is PIPE:
            raise ValueError("stdin=PIPE is for popen: run gives a program its input at once, as input=")
        captured = Capture(options.get("stdout", self.stdout), options.get("stderr", self.stderr))
        options.update(captured.streams)
        args = self.program_args
        with captured.explaining():
            if isinstance(program, Instance):
                status = self._run_instance(program, options, timeout)
            else:
                with self.replace(**options) as own:
                    args = own.program_args
                    status = run_new(own, program, runtime, max_memory_bytes, timeout)
        result = captured.completed(args, status)
        if check:
            result.check_returncode()
        return result

    def popen(
        self,
        program: Program,
        *,
        runtime: Runtime | None = None,
        max_memory_bytes: int | None = None,
        **options: Unpack[Options],
    ) -> RunningProgram:
        """Start a program in a thread of its own, as `subprocess.Popen` does, with pipes for streams that are `PIPE`.

        Arguments are those of `run`. It stands still while other Python code runs, and that while the guest computes: both wait for
        each other without trouble, but do not compute at the same time.
        """
        from purewasm_wasi.program import RunningProgram

        return RunningProgram(self.replace(**options), program, runtime, max_memory_bytes)

    def _run_instance(self, instance: Instance, options: Options, timeout: float | None) -> int:
        from purewasm_wasi.program import redirected, start

        process = self._processes.get(instance)
        if process is None:
            raise LinkError(f"{instance!r} does not import from this Wasi: register it before the instance is made")
        if others := options.keys() - {"stdin", "stdout", "stderr"}:
            raise ValueError(f"{', '.join(sorted(others))} cannot be changed for an instance that is made: run its module")
        with redirected(process, options):
            return start(instance, timeout)

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
                    from purewasm_wasi.host_directory import HostDir  # few guests have a directory

                    source = HostDir(source)
                    self._owned.append(source)
                elif not hasattr(source, "open_root"):
                    raise TypeError(f"the directory {name!r} is a path, a HostDir, MemoryFS, ReadOnlyTree or FsspecFS, not {source!r}")
                mounts[name] = (source, read_only)
        return mounts

    def _make_process(self, instance: Instance) -> Process:
        fds = FdTable(self._max_open_files)
        quota = Quota(self._max_file_bytes, self._max_output_bytes)
        # Virtual clocks are made anew, so that every instance starts at the same time.
        clocks = self._clocks or (VirtualClocks() if self._deterministic else SystemClocks())
        process = Process(instance, self._args, self._env, clocks, open_random(self._random), fds, quota)
        try:
            fds.add(open_input(self.stdin))
            for stream in open_outputs(self.stdout, self.stderr):
                fds.add(stream)
            devices = {id(mount): device for device, (mount, _) in enumerate(self._mounts.values(), 1)}
            for name, (mount, read_only) in self._mounts.items():
                directory = mount.open_root(RootOptions(read_only, devices[id(mount)], clocks))
                directory.preopen_name = name.encode()
                fds.add(directory)
            if self._sockets:
                from purewasm_wasi.sockets import Socket  # not at the top: few programs are given any

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
