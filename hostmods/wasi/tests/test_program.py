"""Running programs beside the embedder, and what `run` takes: pipes, changed arguments, quotas, repeatable runs."""

from __future__ import annotations

import gc
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hostmods.wasi.tests.guest import READ, WRITE, Guest, direct, fails
from purewasm import Interrupted, Runtime, Trap
from purewasm_wasi import PIPE, STDOUT, MemoryFS, VirtualClocks, Wasi
from purewasm_wasi.flags import OFLAG_CREAT

MakeGuest = Callable[..., Guest]
GUESTS = Path(__file__).parent / "guests"
CAT = GUESTS / "cat.wasm"

SAYING = """(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\\20\\00\\00\\00\\04\\00\\00\\00\\24\\00\\00\\00\\04\\00\\00\\00")
    (data (i32.const 32) "out\\0aerr\\0a")
    (func (export "_start")
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
        (drop (call $write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 0)))
        (call $exit (i32.const 5))))"""
"""Writes a line to each output and ends with status 5."""

ECHO = """(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\\40\\00\\00\\00\\40")
    (func (export "_start")
        (loop $again
            (i32.store (i32.const 12) (i32.const 64))
            (if (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 4)) (then unreachable))
            (if (i32.eqz (i32.load (i32.const 4))) (then (return)))
            (i32.store (i32.const 12) (i32.load (i32.const 4)))
            (if (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 4)) (then unreachable))
            (br $again))))"""
"""Writes what it reads, at once."""

FLOODING = """(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 2)
    (data (i32.const 8) "\\40\\00\\00\\00\\00\\00\\01\\00")
    (func (export "_start") (local $errno i32)
        (loop $again
            (local.set $errno (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
            (br_if $again (i32.eqz (local.get $errno))))
        (call $exit (local.get $errno))))"""
"""Writes 64 KiB after 64 KiB until that fails, and ends with the errno."""


@pytest.fixture(params=["interpreter", "compiler"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    with Runtime(engine=request.param) as made:
        yield made


def test_changed_for_one_run(runtime: Runtime) -> None:
    wasi = Wasi(["arguments", "a"], {"A": "1"})
    first = wasi.run(GUESTS / "arguments.wasm", args=["other"], env={"B": "2"}, runtime=runtime, capture=True)
    assert (b"argument 0: other\nvariable: B=2\n", ("other",)) == (first.stdout, first.args)
    second = wasi.run(GUESTS / "arguments.wasm", runtime=runtime, capture=True)
    assert b"argument 0: arguments\nargument 1: a\nvariable: A=1\n" == second.stdout
    result = Wasi().run(CAT, args=["cat", "/a"], dirs={"/": MemoryFS({"a": b"text"})}, runtime=runtime, capture=True, check=True)
    assert b"text" == result.stdout


def test_what_cannot_be_changed_for_an_instance(runtime: Runtime) -> None:
    with Wasi() as wasi:
        instance = runtime.instantiate(SAYING, imports=wasi.host_modules())
        with pytest.raises(ValueError, match="args cannot be changed"):
            wasi.run(instance, args=["x"])
        assert b"out\nerr\n" == wasi.run(instance, stdout=PIPE, stderr=STDOUT).stdout


@pytest.mark.parametrize(
    ("stdout", "stderr", "expected"),
    [
        (PIPE, None, (b"out\n", None)),
        (None, PIPE, (None, b"err\n")),
        (PIPE, PIPE, (b"out\n", b"err\n")),
        (PIPE, STDOUT, (b"out\nerr\n", None)),
    ],
)
def test_outputs_that_are_pipes_are_in_the_result(stdout: Any, stderr: Any, expected: tuple[object, ...], runtime: Runtime) -> None:
    result = Wasi(stdout=stdout, stderr=stderr).run(SAYING, runtime=runtime)
    assert (5, *expected) == (result.returncode, result.stdout, result.stderr)


def test_standard_error_with_standard_output_in_a_file(tmp_path: Path, runtime: Runtime) -> None:
    Wasi(stdout=tmp_path / "both", stderr=STDOUT).run(SAYING, runtime=runtime)
    assert b"out\nerr\n" == (tmp_path / "both").read_bytes()


def test_standard_error_outlives_the_output_that_it_goes_to(tmp_path: Path, make_guest: MakeGuest) -> None:
    guest = make_guest(stdout=tmp_path / "both", stderr=STDOUT)
    guest.close(1)
    guest.write(2, b"still")
    assert b"still" == (tmp_path / "both").read_bytes()


def test_pipes_without_another_end_are_refused(make_guest: MakeGuest) -> None:
    for options in ({"stdin": PIPE}, {"stdout": PIPE}, {"stderr": PIPE}):
        with pytest.raises(TypeError, match="PIPE is for Wasi"):
            make_guest(**options)
    with pytest.raises(ValueError, match="input="):
        Wasi(stdin=PIPE).run(SAYING)


def test_a_conversation(runtime: Runtime) -> None:
    with Wasi(["cat"]).popen(ECHO, stdin=PIPE, stdout=PIPE, runtime=runtime) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is None
        for word in (b"one", b"two"):
            program.stdin.write(word)
            program.stdin.flush()
            assert word == program.stdout.read(3)
            assert program.poll() is None
        program.stdin.close()
        assert 0 == program.wait(10)
        assert 0 == program.poll() == program.returncode
        assert b"" == program.stdout.read()


def test_communicating(runtime: Runtime) -> None:
    data = os.urandom(300_000)
    with Wasi(["cat"]).popen(CAT, stdin=PIPE, stdout=PIPE, stderr=PIPE, runtime=runtime) as program:
        assert (data, b"") == program.communicate(data, timeout=20)
    with Wasi().popen(SAYING, stdout=PIPE, stderr=STDOUT, runtime=runtime) as program:
        assert (b"out\nerr\n", None) == program.communicate()
        assert 5 == program.returncode


def test_killing(runtime: Runtime) -> None:
    with Wasi(["cat"]).popen(CAT, stdin=PIPE, runtime=runtime) as program:
        with pytest.raises(TimeoutError, match="cat"):
            program.wait(0.05)
        program.kill()
        with pytest.raises(Interrupted):
            program.wait(10)


def test_killing_what_computes(runtime: Runtime) -> None:
    with Wasi().popen('(module (func (export "_start") (loop $l (br $l))))', runtime=runtime) as program:
        with pytest.raises(TimeoutError):
            program.wait(0.05)
        program.kill()
        with pytest.raises(Interrupted):
            program.wait(10)


def test_a_program_whose_reader_goes_away_gets_an_errno(runtime: Runtime) -> None:
    with Wasi().popen(FLOODING, stdout=PIPE, runtime=runtime) as program:
        assert program.stdout is not None
        program.stdout.close()
        assert 64 == program.wait(10), "pipe"


def test_a_trap_comes_out_of_waiting(runtime: Runtime) -> None:
    trapping = '(module (func (export "_start") unreachable))'
    with pytest.raises(Trap, match="unreachable"), Wasi().popen(trapping, runtime=runtime) as program:
        program.wait(10)


def test_starting_fails_at_once_and_leaves_nothing_open(runtime: Runtime, tmp_path: Path) -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(3):
        with pytest.raises(OSError, match="missing"):
            Wasi(stdin=PIPE, stdout=PIPE).popen(tmp_path / "missing.wasm", runtime=runtime)
    gc.collect()
    assert before == (len(os.listdir("/proc/self/fd")) if before else 0)


# Waiting that ends


@pytest.mark.parametrize("kind", ["descriptor", "raw file", "buffered file", "popen"])
def test_a_write_that_waits_for_its_reader_can_be_interrupted(kind: str, runtime: Runtime) -> None:
    reader, writer = os.pipe()
    stdout: Any = writer
    if kind == "raw file":
        stdout = os.fdopen(writer, "wb", buffering=0, closefd=False)
    elif kind == "buffered file":
        stdout = os.fdopen(writer, "wb", closefd=False)
    started = time.monotonic()
    if kind == "popen":
        with Wasi().popen(FLOODING, stdout=PIPE, runtime=runtime) as program:
            time.sleep(0.2)
            program.kill()
            with pytest.raises(Interrupted):
                program.wait(10)
    else:
        with pytest.raises(Interrupted):
            Wasi(stdout=stdout).run(FLOODING, runtime=runtime, timeout=0.2)
    assert time.monotonic() - started < 8
    os.close(reader)
    os.close(writer)


def test_what_was_written_before_the_interruption_has_arrived(runtime: Runtime) -> None:
    reader, writer = os.pipe()
    with pytest.raises(Interrupted):
        Wasi(stdout=writer).run(FLOODING, runtime=runtime, timeout=0.2)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        assert len(file.read()) >= 4096


@pytest.mark.parametrize("kind", ["descriptor", "raw file", "buffered file"])
def test_a_read_that_waits_for_input_can_be_interrupted(kind: str, runtime: Runtime) -> None:
    reader, writer = os.pipe()
    stdin: Any = reader
    if kind != "descriptor":
        stdin = os.fdopen(reader, "rb", buffering=-1 if kind == "buffered file" else 0, closefd=False)
    os.write(writer, b"seen")
    output = io.BytesIO()
    with pytest.raises(Interrupted):
        Wasi(stdin=stdin, stdout=output).run(ECHO, runtime=runtime, timeout=0.3)
    assert b"seen" == output.getvalue()
    os.close(writer)
    os.close(reader)


def test_what_a_file_has_read_ahead_is_there_without_waiting(runtime: Runtime) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stdin:
        os.write(writer, b"line\nrest")
        assert b"line\n" == stdin.readline()
        output = io.BytesIO()
        with pytest.raises(Interrupted):
            Wasi(stdin=stdin, stdout=output).run(ECHO, runtime=runtime, timeout=0.3)
        assert b"rest" == output.getvalue()
        os.write(writer, b"more")
        os.close(writer)
        assert b"more" == Wasi(["cat"], stdin=stdin).run(CAT, runtime=runtime, stdout=PIPE).stdout


def test_closing_ends_a_guest_that_waits(runtime: Runtime) -> None:
    reader, writer = os.pipe()
    with Wasi(["cat"], stdin=reader) as wasi:
        instance = runtime.instantiate(CAT, imports=wasi.host_modules())
        thread = threading.Timer(0.1, instance.close)
        thread.start()
        with pytest.raises(Interrupted):
            wasi.run(instance)
        thread.join()
    os.close(reader)
    os.close(writer)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there are no signals of this kind")
@pytest.mark.parametrize("what", ["stdin=reader", "stdout=writer"])
@pytest.mark.parametrize("engine", ["interpreter", "compiler"])
def test_ctrl_c_ends_a_guest_that_waits(what: str, engine: str) -> None:
    program = CAT if what.startswith("stdin") else FLOODING
    script = f"""if True:
        import os, pathlib
        from purewasm import Runtime
        from purewasm_wasi import Wasi
        reader, writer = os.pipe()
        print("ready", flush=True)
        try:
            Wasi(["cat"], {what}).run({"pathlib." if isinstance(program, Path) else ""}{program!r}, runtime=Runtime(engine={engine!r}))
        except KeyboardInterrupt:
            print("interrupted")
    """
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert "ready\n" == child.stdout.readline()
    time.sleep(1.0)
    child.send_signal(signal.SIGINT)
    assert "interrupted\n" == child.communicate(timeout=30)[0]


# Quotas


def test_quota_of_files(make_guest: MakeGuest, tmp_path: Path) -> None:
    guest = make_guest(dirs={"/": tmp_path, "/m": MemoryFS()}, max_file_bytes=10, stdout=io.BytesIO())
    one = guest.open(3, "a", oflags=OFLAG_CREAT, rights=READ | WRITE)
    other = guest.open(4, "b", oflags=OFLAG_CREAT, rights=READ | WRITE)
    assert 4 == guest.write(one, b"1234")
    assert 3 == guest.write(other, b"123", offset=2)
    assert 3 == guest.write(one, b"ab", b"cde"), "as much as is left"
    attempts: tuple[Callable[[], object], ...] = (
        lambda: guest.write(other, b"x"),
        lambda: guest.write(one, b"x", offset=0),
        lambda: guest.call("fd_filestat_set_size", one, 100),
        lambda: guest.call("fd_allocate", one, 0, 100),
    )
    for attempt in attempts:
        with fails("dquot"):
            attempt()
    assert 0 == guest.write(one, b"")
    guest.call("fd_filestat_set_size", one, 2)
    assert 5 == guest.write(1, b"12345"), "standard output is no file"
    assert b"12" == (tmp_path / "a").read_bytes()


def test_growing_a_file_counts(make_guest: MakeGuest, tmp_path: Path) -> None:
    guest = make_guest(dirs={"/": tmp_path}, max_file_bytes=10)
    fd = guest.open(3, "a", oflags=OFLAG_CREAT, rights=WRITE)
    guest.call("fd_filestat_set_size", fd, 8)
    with fails("dquot"):
        guest.call("fd_allocate", fd, 8, 3)
    assert 2 == guest.write(fd, b"12345")


def test_quota_of_output(make_guest: MakeGuest) -> None:
    output = io.BytesIO()
    guest = make_guest(stdout=output, stderr=output, max_output_bytes=6)
    assert 4 == guest.write(1, b"1234")
    assert 2 == guest.write(2, b"abcd")
    for fd in (1, 2):
        with fails("fbig"):
            guest.write(fd, b"x")
    assert b"1234ab" == output.getvalue()


def test_quota_of_output_for_a_program(runtime: Runtime) -> None:
    result = Wasi(max_output_bytes=100_000).run(FLOODING, runtime=runtime, capture=True)
    assert (22, 100_000) == (result.returncode, len(result.stdout or b"")), "fbig"


def test_every_instance_has_its_own_quota(runtime: Runtime) -> None:
    wasi = Wasi(max_output_bytes=6)
    for _ in range(2):
        result = wasi.run(SAYING, runtime=runtime, capture=True)
        assert (b"out\n", b"er") == (result.stdout, result.stderr)


def test_quota_of_memory() -> None:
    text = """(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
            (call $exit (memory.size))))"""
    assert 10 == Wasi().run(text, max_memory_bytes=10 * 65_536 + 7).returncode
    with Runtime(memory_limit_pages=4) as runtime:
        assert 4 == Wasi().run(text, runtime=runtime).returncode
        with pytest.raises(ValueError, match="memory_limit_pages"):
            Wasi().run(text, runtime=runtime, max_memory_bytes=1 << 20)


def test_quota_of_open_files(make_guest: MakeGuest) -> None:
    guest = make_guest(dirs={"/": MemoryFS({"a": b""})}, max_open_files=6)
    for _ in range(2):
        guest.open(3, "a")
    with fails("mfile"):
        guest.open(3, "a")
    guest.close(4)
    assert 4 == guest.open(3, "a")


# Repeatable runs


def test_deterministic_runs_are_alike(runtime: Runtime) -> None:
    wasi = Wasi(["chance"], deterministic=True)
    first, second = (wasi.run(GUESTS / "chance.wasm", runtime=runtime, capture=True) for _ in range(2))
    assert first == second
    other = wasi.run(GUESTS / "chance.wasm", runtime=runtime, capture=True, random=1)
    assert other.stdout != first.stdout


def test_deterministic_sleeping_takes_no_time(make_guest: MakeGuest) -> None:
    guest = make_guest(deterministic=True)
    started = time.monotonic()
    before = guest.time(1)
    guest.poll(guest.clock_subscription(1, 3600 * 10**9))
    assert guest.time(1) - before >= 3600 * 10**9
    assert time.monotonic() - started < 60


def test_each_deterministic_instance_starts_at_the_same_time(make_guest: MakeGuest) -> None:
    with Wasi(deterministic=True) as wasi:
        assert [0, 0] == [direct(wasi).time(0) for _ in range(2)]


def test_deterministic_with_other_clocks(make_guest: MakeGuest) -> None:
    guest = make_guest(deterministic=True, clocks=VirtualClocks(10**18, step=0))
    assert [10**18] * 2 == [guest.time(0) for _ in range(2)]
