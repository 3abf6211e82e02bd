"""What `trace` tells of a guest's calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hostmods.wasi.tests.guest import READ, WRITE, ByteMemory, FakeCaller, Guest, direct, fails
from purewasm import GuestExit, MemoryAccessError, Runtime
from purewasm_wasi import MemoryFS, Wasi
from purewasm_wasi.flags import OFLAG_CREAT, OFLAG_EXCL
from purewasm_wasi.preview1 import FUNCTIONS, host_functions
from purewasm_wasi.trace import Tracer

GUESTS = Path(__file__).parent / "guests"
Make = Callable[..., tuple[Guest, list[str]]]


@pytest.fixture
def traced() -> Iterator[Make]:
    """Makes a guest, and the list that lines go to."""
    opened: list[Wasi] = []

    def make(**options: Any) -> tuple[Guest, list[str]]:
        lines: list[str] = []
        wasi = Wasi(**options)
        opened.append(wasi)
        return direct(wasi, trace=lines.append), lines

    yield make
    for wasi in opened:
        wasi.close()


def test_calls_and_results(traced: Make) -> None:
    guest, lines = traced(dirs={"/": MemoryFS({"file": b"content"})}, deterministic=True, stdin=b"input")
    guest.write(1, b"hello\n", b"x" * 40)
    guest.read(0, 3)
    with fails("noent"):
        guest.open(3, "nothing", follow=True)
    fd = guest.open(3, "file", rights=READ | WRITE, oflags=OFLAG_CREAT)
    with fails("exist"):
        guest.open(3, "file", oflags=OFLAG_CREAT | OFLAG_EXCL)
    guest.seek(fd, -2, 2)
    guest.tell(fd)
    guest.time(1)
    guest.close(fd)
    guest.rename(3, "file", 3, "ä")
    guest.mkdir(3, "d")
    with fails("badf"):
        guest.close(99)
    addresses = [line for line in lines if "at 0x" in line]
    assert [lines[1]] == addresses
    assert lines[1].startswith("fd_read(fd=0, iovs=[<3 bytes at 0x")
    assert lines[1].endswith("]) -> success, nread=3")
    del lines[1]
    assert [
        "fd_write(fd=1, iovs=[b'hello\\n', b'" + "x" * 32 + "'…(40 bytes)]) -> success, nwritten=46",
        "path_open(fd=3, dirflags=symlink_follow, path=b'nothing', oflags=0, fs_rights_base=fd_read, fs_rights_inheriting=0, fdflags=0) -> noent",  # noqa: E501
        "path_open(fd=3, dirflags=0, path=b'file', oflags=creat, fs_rights_base=fd_read|fd_write, fs_rights_inheriting=0, fdflags=0) -> success, opened_fd=4",  # noqa: E501
        "path_open(fd=3, dirflags=0, path=b'file', oflags=creat|excl, fs_rights_base=fd_read, fs_rights_inheriting=0, fdflags=0) -> exist",
        "fd_seek(fd=4, offset=-2, whence=end) -> success, newoffset=5",
        "fd_tell(fd=4) -> success, offset=5",
        "clock_time_get(id=monotonic, precision=0) -> success, time=0",
        "fd_close(fd=4) -> success",
        "path_rename(fd=3, old_path=b'file', new_fd=3, new_path=b'\\xc3\\xa4') -> success",
        "path_create_directory(fd=3, path=b'd') -> success",
        "fd_close(fd=99) -> badf",
    ] == lines


def test_hostile_pointers_and_flags(traced: Make) -> None:
    guest, lines = traced(dirs={"/": MemoryFS()})
    calls: dict[str, tuple[str, tuple[int, ...]]] = {
        "fd_write(fd=1, iovs=[<outside>, …]) -> MemoryAccessError: out of": ("fd_write", (1, 0xFFFF_FFF0, 5, 0)),
        "path_open(fd=3, dirflags=0x8, path=<outside>, oflags=0x100, ": ("path_open", (3, 8, 1 << 30, 1 << 30, 256, 0, 0, 0, 0)),
    }
    for expected, (name, args) in calls.items():
        with pytest.raises(MemoryAccessError):
            guest.call(name, *args)
        assert lines.pop().startswith(expected)
    with fails("inval"):
        guest.call("fd_advise", 3, 0, 0, 77)
    assert "fd_advise(fd=3, offset=0, len=0, advice=77) -> inval" == lines.pop()
    with pytest.raises(GuestExit):
        guest.machine.call("proc_exit", 3)
    assert lines.pop().startswith("proc_exit(rval=3) -> GuestExit")
    assert not lines


@pytest.mark.parametrize("name", [function.name for function in FUNCTIONS])
def test_every_function_with_anything(name: str) -> None:
    """Decoding never fails, whatever the arguments, and tells one line for a call."""
    lines: list[str] = []
    functions = {row.name: (row, call) for row, call in host_functions(unstable=False, trace=lines.append)}
    row, call = functions[name]
    with Wasi(dirs={"/": MemoryFS()}) as wasi:
        guest = direct(wasi)
        memory = ByteMemory()
        for value in (0, 8, 3, -1, 65_528, 1 << 20):
            kept = len(lines)
            with suppress(MemoryAccessError, GuestExit):
                call(FakeCaller(None, memory, guest.machine.process), *(value for _ in row.kinds()))  # type: ignore[attr-defined]
            assert 1 == len(lines) - kept
            assert lines[-1].startswith(f"{name}(")
            assert " -> " in lines[-1]


@pytest.mark.parametrize("engine", ["interpreter", "compiler"])
def test_a_program(engine: Any) -> None:
    lines: list[str] = []
    with Runtime(engine=engine) as runtime, Wasi(["cat", "/a"], dirs={"/": MemoryFS({"a": b"text"})}, trace=lines.append) as wasi:
        assert b"text" == wasi.run(GUESTS / "cat.wasm", runtime=runtime, capture=True).stdout
    assert any(line.startswith("path_open(fd=3, dirflags=symlink_follow, path=b'a'") for line in lines)
    assert "fd_write(fd=1, iovs=[b'text', b'']) -> success, nwritten=4" in lines or any(
        "b'text'" in line and line.startswith("fd_write(fd=1") for line in lines
    )


def test_every_parameter_of_the_table_has_a_way_to_be_shown() -> None:
    for row in FUNCTIONS:
        Tracer(row.name, row.parameters, print).called(None, tuple(0 for _ in row.kinds()))
