"""A small C program for each function of preview 1, with what it does and every errno that it gives, on both engines and wasmtime.

The programs stand in `guests/calls/`; `check.h` says what they are given, and that their status names the first line that went wrong.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from purewasm import Runtime
from purewasm_wasi import MemoryFS, Wasi
from purewasm_wasi.preview1 import FUNCTIONS

CALLS = Path(__file__).parent / "guests" / "calls"
NAMES = sorted(path.stem for path in CALLS.glob("*.c"))
ARGS, ENV = ["prog", "-x"], {"A": "1"}
DIFFERENT = {
    "fd_allocate": "wasmtime refuses it altogether",
    "fd_read": "wasmtime uses the first buffer only",
    "fd_write": "wasmtime uses the first buffer only",
    "fd_pread": "wasmtime uses the first buffer only",
    "fd_pwrite": "wasmtime uses the first buffer only",
    "poll_oneoff": "wasmtime tells of the first event only",
}
"""Functions that cannot be compared with wasmtime as they are."""


def make_folder(folder: Path) -> Path:
    (folder / "dir").mkdir(parents=True)
    (folder / "file").write_bytes(b"content\n")
    (folder / "dir" / "inner").write_bytes(b"inner\n")
    return folder


def explain(name: str, status: int) -> str:
    """What a status says."""
    line, errno = divmod(status, 128)
    text = (CALLS / f"{name}.c").read_text().splitlines()[line - 1].strip() if line else ""
    return f"{name}.c:{line}: {text} got {errno}"


@contextmanager
def sockets() -> Iterator[list[socket.socket]]:
    """A connected socket on which "hello" waits, and a listening one with a connection waiting."""
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(one) for one in socket.socketpair())
        ours.sendall(b"hello")
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        stack.enter_context(socket.create_connection(listener.getsockname()))
        yield [theirs, listener]


def test_there_is_one_for_each_function() -> None:
    assert sorted(function.name for function in FUNCTIONS) == NAMES
    for name in NAMES:
        assert (CALLS / f"{name}.wasm").stat().st_size < 4096


@pytest.mark.parametrize("kind", ["host", "memory"])
@pytest.mark.parametrize("engine", ["interpreter", "compiler"])
@pytest.mark.parametrize("name", NAMES)
def test_call(name: str, engine: Any, kind: str, tmp_path: Path) -> None:
    files = MemoryFS({"file": b"content\n", "dir": {"inner": b"inner\n"}})
    root: Any = make_folder(tmp_path / "rw") if kind == "host" else files
    read_only: Any = make_folder(tmp_path / "ro") if kind == "host" else files
    with Runtime(engine=engine) as runtime, sockets() as given:
        wasi = Wasi(ARGS, ENV, dirs={"/": root}, read_only_dirs={"/ro": read_only})
        with wasi.replace(sockets=given if name.startswith("sock_") else ()) as guest:
            status = guest.run(CALLS / f"{name}.wasm", runtime=runtime, input=b"input", capture=True).returncode
        wasi.close()
    assert not status, explain(name, status)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("sock_") and name not in DIFFERENT])
def test_the_same_on_wasmtime(name: str, tmp_path: Path) -> None:
    wasmtime = pytest.importorskip("wasmtime", reason="wasmtime is not installed: pip install wasmtime")
    store = wasmtime.Store()
    config = wasmtime.WasiConfig()
    config.argv, config.env = ARGS, list(ENV.items())
    config.preopen_dir(str(make_folder(tmp_path / "rw")), "/", True)
    config.preopen_dir(str(make_folder(tmp_path / "ro")), "/ro", False)
    (tmp_path / "input").write_bytes(b"input")
    config.stdin_file = str(tmp_path / "input")
    config.stdout_file = config.stderr_file = str(tmp_path / "output")
    store.set_wasi(config)
    linker = wasmtime.Linker(store.engine)
    linker.define_wasi()
    ended: list[int] = []
    linker.allow_shadowing = True  # its own does not take a status above 125
    linker.define_func("wasi_snapshot_preview1", "proc_exit", wasmtime.FuncType([wasmtime.ValType.i32()], []), ending(ended))
    instance = linker.instantiate(store, wasmtime.Module.from_file(store.engine, str(CALLS / f"{name}.wasm")))
    with suppress(Ended):
        instance.exports(store)["_start"](store)
    assert not any(ended), explain(name, ended[0])


class Ended(Exception):  # noqa: N818 (it is the end of a program)
    """The program has called `proc_exit`."""


def ending(statuses: list[int]) -> Callable[[int], None]:
    """A `proc_exit` that keeps the status."""

    def proc_exit(status: int) -> None:
        statuses.append(status)
        raise Ended

    return proc_exit
