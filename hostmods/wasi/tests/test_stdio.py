"""Standard streams from and to everything that can be one."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostmods.wasi.tests.guest import READ, WRITE, ByteMemory, Guest, direct, fails
from purewasm_wasi import INHERIT, Wasi
from purewasm_wasi.flags import FILETYPE_CHARACTER_DEVICE, FILETYPE_UNKNOWN

MakeGuest = Callable[..., Guest]


def test_nothing_is_there_unless_given(make_guest: MakeGuest) -> None:
    guest = make_guest()
    assert b"" == guest.read(0, 10)
    assert 7 == guest.write(1, b"abc", b"defg")
    assert 3 == guest.write(2, b"abc")


def sources(folder: Path) -> dict[str, Any]:
    path = folder / "input"
    path.write_bytes(b"hello input")
    chunks = [b"hell", b"o inp", b"ut", b"", b""]
    return {
        "bytes": b"hello input",
        "bytearray": bytearray(b"hello input"),
        "path": path,
        "path as text": str(path),
        "BytesIO": io.BytesIO(b"hello input"),
        "binary file": path.open("rb"),
        "unbuffered file": path.open("rb", buffering=0),
        "text file": path.open(),
        "callable": lambda size: chunks.pop(0),
        "descriptor": os.open(path, os.O_RDONLY),
        "temporary file": spooled(b"hello input"),
    }


def spooled(data: bytes) -> Any:
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115 (closed by the test)
    file.write(data)
    file.seek(0)
    return file


SOURCES = (
    "bytes", "bytearray", "path", "path as text", "BytesIO", "binary file", "unbuffered file", "text file", "callable", "descriptor",
    "temporary file",
)  # fmt: skip


@pytest.mark.parametrize("kind", SOURCES)
def test_input_from(kind: str, tmp_path: Path, make_guest: MakeGuest) -> None:
    made = sources(tmp_path)
    guest = make_guest(stdin=made[kind])
    found = b""
    while data := guest.read(0, 8, 4):
        found += data
    assert b"hello input" == found
    assert b"" == guest.read(0, 4)
    for source in made.values():
        if isinstance(source, int):
            os.close(source)
        elif hasattr(source, "close"):
            source.close()


@pytest.mark.parametrize("kind", ["path", "BytesIO", "binary file", "unbuffered file", "text file", "callable", "descriptor", "own object"])
def test_output_to(kind: str, tmp_path: Path, make_guest: MakeGuest) -> None:
    path, collected = tmp_path / "output", []

    class Keeping:
        """It keeps what it is given, as a file object may."""

        def write(self, data: bytes) -> None:
            collected.append(data)

    targets: dict[str, Callable[[], Any]] = {
        "path": lambda: path,
        "BytesIO": io.BytesIO,
        "binary file": lambda: path.open("wb"),
        "unbuffered file": lambda: path.open("wb", buffering=0),
        "text file": lambda: path.open("w"),
        "callable": lambda: collected.append,
        "descriptor": lambda: os.open(path, os.O_WRONLY | os.O_CREAT),
        "own object": Keeping,
    }
    target = targets[kind]()
    guest = make_guest(stdout=target)
    assert 6 == guest.write(1, b"ab", b"", b"cdef")
    assert 0 == guest.write(1, b"")
    assert 2 == guest.write(1, b"gh")
    guest.memory.write(0, b"?" * 2048)
    if kind == "BytesIO":
        written = target.getvalue()
    elif kind in ("callable", "own object"):
        assert all(type(data) is bytes for data in collected)
        written = b"".join(collected)
    else:
        written = path.read_bytes()
    assert b"abcdefgh" == written
    if isinstance(target, int):
        os.close(target)
    elif hasattr(target, "close"):
        target.close()


def test_text_without_bytes_under_it_says_what_to_do() -> None:
    with pytest.raises(TypeError, match=r"stdin is a text stream \(StringIO\).*io\.BytesIO"):
        Wasi(stdin=io.StringIO("x"))
    with pytest.raises(TypeError, match=r"stderr is a text stream \(StringIO\).*io\.BytesIO"):
        Wasi(stderr=io.StringIO())


@pytest.mark.parametrize("option", [{"stdin": 1.5}, {"stdout": 1.5}, {"stderr": object()}, {"stdout": b"path?"}, {"stdin": True}])
def test_what_cannot_be_a_stream_is_refused_at_once(option: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Wasi(**option)


def test_a_descriptor_that_is_not_open_is_refused_at_once() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    with pytest.raises(OSError):
        Wasi(stdout=writer)


def test_a_path_that_cannot_be_opened_is_the_embedders_error(tmp_path: Path, make_guest: MakeGuest) -> None:
    with pytest.raises(FileNotFoundError):
        make_guest(stdin=tmp_path / "missing")


def test_streams_that_were_given_stay_open_and_those_opened_here_do_not(tmp_path: Path, jail: Path) -> None:
    output = io.BytesIO()
    reader, writer = os.pipe()
    with Wasi(stdin=reader, stdout=output, stderr=tmp_path / "errors") as wasi:
        guest = direct(wasi)
        for fd in (0, 1, 2):
            guest.close(fd)
    assert not output.closed
    os.write(writer, b"x")
    os.close(writer)
    assert b"x" == os.read(reader, 1)
    os.close(reader)


def test_pipes(make_guest: MakeGuest) -> None:
    reader, writer = os.pipe()
    guest = make_guest(stdin=reader, stdout=writer)
    guest.write(1, b"through", b" the pipe")
    assert b"through the pipe" == guest.read(0, 7, 100)
    os.close(reader)
    with fails("pipe"):
        guest.write(1, b"x")
    os.close(writer)


def test_what_streams_are(make_guest: MakeGuest) -> None:
    guest = make_guest(stdin=b"x", stdout=io.BytesIO())
    assert [(FILETYPE_UNKNOWN, 0, READ, READ), (FILETYPE_UNKNOWN, 0, WRITE, WRITE)] == [guest.fdstat(0), guest.fdstat(1)]
    assert (0, 0, FILETYPE_UNKNOWN, 0, 0, 0, 0, 0) == guest.stat(1)
    for fd in (0, 1):
        with fails("spipe"):
            guest.seek(fd, 0)
        with fails("spipe"):
            guest.tell(fd)
    with fails("spipe"):
        guest.read(0, 1, offset=0)
    with fails("spipe"):
        guest.write(1, b"x", offset=0)
    for call in (lambda: guest.read(1, 1), lambda: guest.write(0, b"x"), lambda: guest.call("fd_fdstat_set_flags", 1, 0)):
        with fails("badf"):
            call()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_terminals(make_guest: MakeGuest) -> None:
    controller, terminal = os.openpty()
    with open(terminal, "wb", buffering=0, closefd=False) as file:
        guest = make_guest(stdin=terminal, stdout=file, stderr=io.BytesIO())
        assert [FILETYPE_CHARACTER_DEVICE, FILETYPE_CHARACTER_DEVICE, FILETYPE_UNKNOWN] == [guest.fdstat(fd)[0] for fd in (0, 1, 2)]
    os.close(controller)
    os.close(terminal)


def test_a_source_that_gives_too_much_is_the_embedders_error(make_guest: MakeGuest) -> None:
    with pytest.raises(ValueError, match="gave 100 bytes where at most 4"):
        make_guest(stdin=lambda size: b"x" * 100).read(0, 4)


def test_exceptions_of_a_stream_come_out(make_guest: MakeGuest) -> None:
    def broken(data: bytes) -> None:
        raise RuntimeError("the embedder's own")

    with pytest.raises(RuntimeError, match="the embedder's own"):
        make_guest(stdout=broken).write(1, b"x")


def test_files_that_take_little_at_a_time(make_guest: MakeGuest) -> None:
    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.taken = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any, /) -> int | None:
            if len(self.taken) >= 4:
                return None
            self.taken += bytes(data[:2])
            return 2

    slow = Slow()
    guest = make_guest(stdout=slow)
    assert [2, 2] == [guest.write(1, b"abc"), guest.write(1, b"def")]
    with fails("again"):
        guest.write(1, b"x")
    assert b"abde" == slow.taken


def test_inherited(monkeypatch: pytest.MonkeyPatch, make_guest: MakeGuest) -> None:
    output, errors = io.BytesIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"typed")))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output))
    monkeypatch.setattr(sys, "stderr", errors)
    print("before, ", end="")
    guest = make_guest(stdin=INHERIT, stdout=INHERIT, stderr=INHERIT)
    assert b"typed" == guest.read(0, 100)
    guest.write(1, b"guest")
    assert b"before, guest" == output.getvalue()
    guest.write(2, "ü".encode()[:1])
    guest.write(2, "ü".encode()[1:] + b"!\xff")
    assert "ü!\ufffd" == errors.getvalue()
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stdout", None)
    guest = make_guest(stdin=INHERIT, stdout=INHERIT)
    assert b"" == guest.read(0, 1)
    assert 1 == guest.write(1, b"x")


def test_text_that_ends_in_the_midst_of_a_character_is_shown_at_the_end(monkeypatch: pytest.MonkeyPatch, make_guest: MakeGuest) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    guest = make_guest(stdout=INHERIT)
    guest.write(1, b"a\xc3")
    assert "a" == shown.getvalue()
    with pytest.raises(Exception, match="status 1"):
        guest.call("proc_exit", 1)
    assert "a\ufffd" == shown.getvalue()


def test_much_output_is_taken_in_parts_where_it_is_copied() -> None:
    sizes: list[int] = []
    with Wasi(stdout=lambda data: sizes.append(len(data))) as wasi:
        guest = direct(wasi, memory=ByteMemory(64))
        guest.memory.write(0, (8).to_bytes(4, "little") + (3 << 20).to_bytes(4, "little"))
        assert 1 << 20 == guest.u32_of("fd_write", 1, 0, 1)
    assert [1 << 20] == sizes
