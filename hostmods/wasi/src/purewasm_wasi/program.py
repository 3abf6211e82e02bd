"""Running programs: `Wasi.run` waits for one as `subprocess.run` does, `Wasi.popen` runs one beside as `subprocess.Popen` does."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from contextlib import ExitStack, contextmanager

from purewasm import Function, GuestExit, Instance, LinkError, Runtime
from purewasm.light_typing import IO, TYPE_CHECKING, Final, Self, final
from purewasm_wasi.completed import CompletedProcess, tail
from purewasm_wasi.stdio import PIPE, OutputStream, SameAsStdout, open_input, open_output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from purewasm import Module
    from purewasm_wasi.descriptor import Descriptor
    from purewasm_wasi.options import Options
    from purewasm_wasi.process import Process
    from purewasm_wasi.wasi import Wasi

    Program = Module | Path | bytes | str

_PAGE_BYTES: Final = 65_536


@final
class Capture:
    """What a program writes to streams that are `PIPE`, or to both."""

    __slots__ = ("stderr", "stdout", "streams")

    def __init__(self, stdout: object, stderr: object) -> None:
        self.stdout = io.BytesIO() if stdout is PIPE else None
        self.stderr = io.BytesIO() if stderr is PIPE else None
        self.streams: Options = {}
        if self.stdout is not None:
            self.streams["stdout"] = self.stdout
        if self.stderr is not None:
            self.streams["stderr"] = self.stderr

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """What a program said before it failed belongs to the failure."""
        try:
            yield
        except Exception as error:
            for name, stream in (("words", self.stderr), ("output", self.stdout)):
                if stream is not None and (text := tail(stream.getvalue())):
                    error.add_note(f"the guest's last {name}: {text}")
            raise

    def completed(self, args: tuple[str, ...], status: int) -> CompletedProcess:
        """The result of the run."""
        parts = (None if stream is None else stream.getvalue() for stream in (self.stdout, self.stderr))
        return CompletedProcess(args, status, *parts)


def run_new(wasi: Wasi, program: Program, runtime: Runtime | None, max_memory_bytes: int | None, timeout: float | None) -> int:
    """Make an instance and run it: the exit status."""
    with ExitStack() as stack:
        if runtime is None:
            runtime = stack.enter_context(make_runtime(max_memory_bytes))
        elif max_memory_bytes is not None:
            raise ValueError("max_memory_bytes is an option of a runtime of its own; the runtime given has its memory_limit_pages")
        try:
            instance = runtime.instantiate(program, imports=wasi.host_modules())
        except GuestExit as exit_:
            return exit_.status
        with instance:
            return start(instance, timeout)


def make_runtime(max_memory_bytes: int | None) -> Runtime:
    """A runtime for one program."""
    return Runtime(memory_limit_pages=None if max_memory_bytes is None else max_memory_bytes // _PAGE_BYTES)


def start(instance: Instance, timeout: float | None) -> int:
    """Call `_start`: the exit status."""
    function = instance.exports.get("_start")
    if not isinstance(function, Function):
        raise LinkError(
            "unknown export: the module has no function _start, so it is no program: instantiate it and call the functions that it has"
        )
    call = function if timeout is None else function.with_options(timeout=timeout)
    try:
        call()
    except GuestExit as exit_:
        return exit_.status
    return 0


@contextmanager
def redirected(process: Process, streams: Options) -> Iterator[None]:
    """Let a process that exists already use other streams for a while."""
    kept: dict[int, Descriptor] = {}
    if "stdin" in streams:
        kept[0] = process.fds.replace(0, open_input(streams["stdin"]))
    stdout, stderr = streams.get("stdout"), streams.get("stderr")
    if stdout is not None:
        kept[1] = process.fds.replace(1, open_output(stdout, "stdout"))
    if isinstance(stderr, SameAsStdout):
        first = process.fds.get(1)
        kept[2] = process.fds.replace(2, first.duplicate() if isinstance(first, OutputStream) else first)
    elif stderr is not None:
        kept[2] = process.fds.replace(2, open_output(stderr, "stderr"))
    try:
        yield
        process.finish()
    finally:
        for fd, descriptor in kept.items():
            if fd in process.fds:
                process.fds.replace(fd, descriptor)


@final
class RunningProgram:
    """A program that runs in a thread of its own: what `Wasi.popen` returns, in the form of `subprocess.Popen`.

    `stdin`, `stdout` and `stderr` are files where they are `PIPE`, else None. What the guest ends with comes out of `wait`: an exit
    status, or the exception that ended it. Leaving a `with` closes the files and waits. The `Wasi` that it is made of is its own.
    """

    def __init__(self, wasi: Wasi, program: Program, runtime: Runtime | None, max_memory_bytes: int | None) -> None:
        self.args = wasi.program_args
        self._given = wasi
        self.returncode: int | None = None
        """The exit status once it has ended, else None."""
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self.stderr: IO[bytes] | None = None
        self._failure: BaseException | None = None
        self._own_runtime = runtime is None
        self._runtime = make_runtime(max_memory_bytes) if runtime is None else runtime
        self._guest_ends: list[int] = []
        self._instance: Instance | None = None
        self._exited = 0
        """The exit status if it ended while it was made."""
        try:
            self._wasi = wasi.replace(**self._make_pipes(wasi))
            self._instance = self._runtime.instantiate(program, imports=self._wasi.host_modules())
        except GuestExit as exit_:
            self._exited = exit_.status
        except BaseException:
            self._end()
            self._close_files()
            raise
        self._thread = threading.Thread(target=self._run, name="purewasm-wasi program", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None:
            self.kill()
        self._close_files()
        self._thread.join()

    def __repr__(self) -> str:
        return f"<RunningProgram {self.args!r}: {'running' if self.returncode is None else self.returncode}>"

    def poll(self) -> int | None:
        """The exit status if it has ended, else None."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended: the exit status. `TimeoutError` if that takes too long; what ended the guest if it failed."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError(f"the program {self.args!r} still runs after {timeout:g} s")
        if self._failure is not None:
            raise self._failure
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        """End it: `wait` then raises `Interrupted`, unless it has ended already."""
        if self._instance is not None:
            self._instance.close()

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes | None, bytes | None]:
        """Write `input`, read everything that it writes and wait until it has ended: both outputs, None where they are not `PIPE`."""
        outputs: list[bytes | None] = [None, None]

        def read(number: int, file: IO[bytes]) -> None:
            outputs[number] = file.read()

        def write(file: IO[bytes]) -> None:
            with contextlib.suppress(BrokenPipeError), file:
                file.write(input or b"")

        threads = [threading.Thread(target=write, args=(self.stdin,), daemon=True)] if self.stdin is not None else []
        for number, file in enumerate((self.stdout, self.stderr)):
            if file is not None:
                threads.append(threading.Thread(target=read, args=(number, file), daemon=True))
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join()
        return outputs[0], outputs[1]

    def _make_pipes(self, wasi: Wasi) -> Options:
        streams: Options = {}
        if wasi.stdin is PIPE:
            guest, ours = os.pipe()
            self._guest_ends.append(guest)
            self.stdin, streams["stdin"] = os.fdopen(ours, "wb"), guest
        if wasi.stdout is PIPE:
            self.stdout, streams["stdout"] = self._pipe_from_guest()
        if wasi.stderr is PIPE:
            self.stderr, streams["stderr"] = self._pipe_from_guest()
        return streams

    def _pipe_from_guest(self) -> tuple[IO[bytes], int]:
        ours, guest = os.pipe()
        self._guest_ends.append(guest)
        return os.fdopen(ours, "rb"), guest

    def _close_files(self) -> None:
        for file in (self.stdin, self.stdout, self.stderr):
            if file is not None:
                with contextlib.suppress(BrokenPipeError):
                    file.close()

    def _run(self) -> None:
        status = None
        try:
            if self._instance is None:
                status = self._exited
            else:
                with self._instance:
                    status = start(self._instance, None)
        except BaseException as error:  # noqa: BLE001 (it is raised by `wait`)
            self._failure = error
        finally:
            self._end()
            self.returncode = -1 if status is None else status

    def _end(self) -> None:
        if self._own_runtime:
            self._runtime.close()
        self._given.close()
        ends, self._guest_ends = self._guest_ends, []
        for fd in ends:
            os.close(fd)
