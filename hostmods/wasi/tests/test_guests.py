"""C programs with a C library, on a runtime: what they print, how they end, and the same on wasmtime.

The programs stand in `guests/` with the modules made of them; `tools/build_guests.py` makes them anew.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from purewasm import Interrupted, Runtime, Trap
from purewasm_wasi import CompletedProcess, HostDir, VirtualClocks, Wasi

GUESTS = Path(__file__).parent / "guests"


def guest(name: str) -> Path:
    return GUESTS / f"{name}.wasm"


def run(name: str, *args: str, input: bytes = b"", **options: Any) -> CompletedProcess:
    with Wasi([name, *args], **options) as wasi:
        return wasi.run(guest(name), input=input, capture=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the programs work on."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    made = tmp_path / "folder"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_bytes(b"first\n")
    (made / "sub" / "b.txt").write_bytes(b"second\n")
    (made / "way_out").symlink_to("../outside/secret")
    (made / "absolute").symlink_to(tmp_path / "outside" / "secret")
    return made


def test_arguments_and_environment() -> None:
    result = run("arguments", "a", "", "ü", env={"A": "1", "B": ""})
    expected = "argument 0: arguments\nargument 1: a\nargument 2: \nargument 3: ü\nvariable: A=1\nvariable: B=\n"
    assert (4, expected) == (result.returncode, (result.stdout or b"").decode())
    assert b"argument 0: arguments\n" == run("arguments").stdout


def test_input_to_output() -> None:
    data = bytes(range(256)) * 1000
    result = run("cat", input=data)
    assert (0, data, b"") == (result.returncode, result.stdout, result.stderr)


def test_files_to_output(folder: Path) -> None:
    result = run("cat", "/a.txt", "sub/b.txt", "missing", "way_out", "absolute", "/sub/../../outside/secret", dirs={"/": folder})
    assert (1, b"first\nsecond\n") == (result.returncode, result.stdout)
    denied = "Operation not permitted"
    assert [
        "missing: No such file or directory",
        f"way_out: {denied}",
        f"absolute: {denied}",
        f"/sub/../../outside/secret: {denied}",
    ] == (result.stderr or b"").decode().splitlines()


def test_no_files_unless_given() -> None:
    result = run("cat", "/etc/passwd")
    assert (1, b"") == (result.returncode, result.stdout)


@pytest.mark.parametrize(
    ("way", "status", "output"),
    [
        ("return", 0, b"returnat exit\n"),
        ("three", 3, b"threeat exit\n"),
        ("exit", 7, b"exitat exit\n"),
        ("quick", 8, b""),
        ("large", 125, b"largeat exit\n"),
    ],
)
def test_ways_to_end(way: str, status: int, output: bytes) -> None:
    result = run("endings", way)
    assert (status, output) == (result.returncode, result.stdout)


@pytest.mark.parametrize("way", ["trap", "abort"])
def test_traps_come_out(way: str) -> None:
    with pytest.raises(Trap):
        run("endings", way)


@pytest.mark.parametrize("name", ["files", "everything"])
def test_calls(name: str, tmp_path: Path) -> None:
    result = run(name, dirs={"/": tmp_path})
    assert (GUESTS / f"{name}.expected").read_text() == (result.stdout or b"").decode()
    assert {"files": 0, "everything": 45}[name] == result.returncode


def test_waiting() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        os.write(writer, b"12345")
        os.close(writer)

    thread = threading.Timer(0.05, write)
    thread.start()
    output: list[bytes] = []
    with Wasi(["waiting"], stdin=reader, stdout=output.append) as wasi:
        assert 0 == wasi.run(guest("waiting")).returncode
    thread.join()
    os.close(reader)
    lines = b"".join(output).decode().splitlines()
    assert ["slept: 0", "long enough: 1", "after 2020: 1", "resolution: 0", "ready to write: 1 1"] == lines[:5]
    assert ["poll gave 1, then 5 bytes", "end of input"] == lines[5:]


def test_chance_and_time_can_be_repeated() -> None:
    first, second = (run("chance", random=7).stdout for _ in range(2))
    assert first == second != run("chance", random=8).stdout
    assert (first or b"").endswith(b"well spread\n")
    assert b"after 2020: 0" in (run("waiting", clocks=VirtualClocks(0)).stdout or b"")


def test_a_server() -> None:
    answers: list[bytes] = []

    def ask(address: tuple[str, int], *requests: bytes) -> None:
        for request in requests:
            with socket.create_connection(address) as client:
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                answers.append(b"".join(iter(lambda client=client: client.recv(100), b"")))  # type: ignore[misc]

    with socket.create_server(("127.0.0.1", 0)) as server:
        client = threading.Thread(target=ask, args=(server.getsockname(), b"hello", b"x" * 1000, b"end"))
        client.start()
        result = run("server", sockets=[server])
        client.join()
    assert [b"HELLO", b"X" * 1000, b"END"] == answers
    assert (0, b"connection 1: 5 bytes\nconnection 2: 1000 bytes\nconnection 3: 3 bytes\n") == (result.returncode, result.stdout)


@pytest.mark.parametrize("engine", ["interpreter", "compiler"])
def test_an_http_server(engine: Any) -> None:
    body = os.urandom(20_000)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Runtime(engine=engine) as runtime,
        Wasi(["http"]).popen(guest("http"), sockets=[server], runtime=runtime) as program,
    ):
        client = http.client.HTTPConnection("127.0.0.1", server.getsockname()[1], timeout=30)
        for method, path, given, expected in (
            ("GET", "/", None, (200, b"hello\n")),
            ("POST", "/echo", body, (200, body)),
            ("GET", "/nothing", None, (404, b"not here\n")),
            ("POST", "/echo", b"", (200, b"")),
        ):
            client.request(method, path, given)
            response = client.getresponse()
            assert expected == (response.status, response.read())
        client.close()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=30) as response:
            assert b"hello\n" == response.read()
        with socket.create_connection(server.getsockname(), timeout=30) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 5000)
            assert raw.recv(100).startswith(b"HTTP/1.1 431 ")
        client.request("GET", "/quit")
        assert b"bye\n" == client.getresponse().read()
        client.close()
        assert 0 == program.wait(30)


ESCAPES = (
    "a.txt", "sub/b.txt", "./sub/.././a.txt", "..", "../outside/secret", "sub/../../outside/secret", "way_out", "absolute", "/a.txt",
    "/../outside/secret", "//../../etc/passwd", "sub/./../.././outside/secret", "/way_out", "way_out/", "sub/../way_out",
    "a.txt/../../outside/secret", "../folder/a.txt", "/proc/self/environ", "....//outside/secret", "sub\\..\\..\\outside\\secret",
)  # fmt: skip


def test_no_way_out_by_a_c_library(folder: Path) -> None:
    result = run("escape", input="\n".join(ESCAPES).encode(), dirs={"/": folder})
    lines = (result.stdout or b"").decode()
    assert "a.txt: first" in lines
    assert lines.count("first") == 3
    assert "secret\n" not in lines.replace("outside/secret", "").replace("outside\\secret", "")


LOOP = '(module (func (export "_start") (loop (br 0))))'
WAIT = """(module
    (import "wasi_snapshot_preview1" "{name}" (func $wait (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "{data}")
    (func (export "_start") (drop (call $wait {arguments}))))"""
POLL = "(i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)"
SLEEP = WAIT.format(name="poll_oneoff", data="\\00" * 16 + "\\01" + "\\00" * 14 + "\\01", arguments=POLL)
POLL_INPUT = WAIT.format(name="poll_oneoff", data="\\00" * 8 + "\\01", arguments=POLL)
READ_INPUT = WAIT.format(name="fd_read", data="\\40\\00\\00\\00\\01", arguments="(i32.const 0) (i32.const 0) (i32.const 1) (i32.const 128)")


@pytest.mark.slow
@pytest.mark.parametrize("program", [LOOP, SLEEP, POLL_INPUT, READ_INPUT], ids=["loop", "sleep", "poll", "read"])
def test_a_program_that_does_not_end_in_time(program: str) -> None:
    """Also one that waits inside a call of this host module."""
    reader, writer = os.pipe()
    start = time.monotonic()
    with Wasi(stdin=reader) as wasi, pytest.raises(Interrupted):
        wasi.run(program, timeout=0.05)
    assert time.monotonic() - start < 60
    os.close(reader)
    os.close(writer)


@pytest.mark.slow
def test_a_program_that_waits_is_stopped_by_closing_its_instance() -> None:
    reader, writer = os.pipe()
    with Wasi(stdin=reader) as wasi, Runtime() as runtime:
        wasi.register(runtime)
        instance = runtime.instantiate(READ_INPUT)
        threading.Timer(0.05, instance.close).start()
        with pytest.raises(Interrupted):
            instance.exports._start()
    os.close(reader)
    os.close(writer)


class Program(NamedTuple):
    """A run that is compared."""

    name: str
    args: Sequence[str] = ()
    input: bytes = b""
    read_only: bool = False


PROGRAMS = (
    Program("arguments", ["a", "b c"]),
    Program("cat", input=b"some\ninput"),
    Program("cat", ["a.txt", "sub/b.txt", "missing", "way_out", "absolute", ".", "a.txt/", "sub/"]),
    Program("endings", ["return"]),
    Program("endings", ["exit"]),
    Program("endings", ["quick"]),
    Program("endings", ["large"]),
    Program("files"),
    Program("files", read_only=True),
    Program("escape", input="\n".join(ESCAPES).encode()),
)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: f"{program.name} {' '.join(program.args)[:20]}")
def test_the_same_on_wasmtime(program: Program, folder: Path, tmp_path: Path) -> None:
    wasmtime = pytest.importorskip("wasmtime", reason="wasmtime is not installed: pip install wasmtime")
    args = [program.name, *program.args]
    theirs_folder = tmp_path / "theirs" / "folder"
    shutil.copytree(folder, theirs_folder, symlinks=True)
    shutil.copytree(tmp_path / "outside", tmp_path / "theirs" / "outside")
    with Wasi(args, {"A": "1"}, dirs={"/": HostDir(folder, read_only=program.read_only)}) as wasi:
        ours = wasi.run(guest(program.name), input=program.input, capture=True)
    store = wasmtime.Store()
    config = wasmtime.WasiConfig()
    config.argv, config.env = args, [("A", "1")]
    config.preopen_dir(str(theirs_folder), "/", not program.read_only)
    (tmp_path / "input").write_bytes(program.input)
    config.stdin_file = str(tmp_path / "input")
    config.stdout_file, config.stderr_file = str(tmp_path / "output"), str(tmp_path / "errors")
    store.set_wasi(config)
    linker = wasmtime.Linker(store.engine)
    linker.define_wasi()
    instance = linker.instantiate(store, wasmtime.Module.from_file(store.engine, str(guest(program.name))))
    status = 0
    try:
        instance.exports(store)["_start"](store)
    except wasmtime.ExitTrap as end:
        status = end.code
    theirs = (status, (tmp_path / "output").read_bytes(), (tmp_path / "errors").read_bytes())
    assert theirs == (ours.returncode, ours.stdout, ours.stderr)


def test_every_guest_is_small() -> None:
    for module in GUESTS.glob("*.wasm"):
        assert module.stat().st_size < 100_000
        assert module.with_suffix(".c").is_file()
