"""Standard input, output and error of a guest: from and to whatever the embedder has.

Input: None (empty), bytes, an int descriptor, a path, a binary file object, a callable `f(n) -> bytes` (empty at the end), `INHERIT`.
Output: None (discarded), an int descriptor, a path (created or cut), a binary file object, a callable `f(bytes)`, `INHERIT`; `STDOUT`
for standard error that goes where standard output goes. `PIPE` is made into one of these by `program`, before it comes here.

Of a text file its `.buffer` is used; one that has none (`io.StringIO`) is a `TypeError` that says what to pass instead. What is
opened here is closed here; what was given stays the embedder's to close. Output is flushed after every write of the guest, so
that it stands in order with the embedder's own.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable

from purewasm.light_typing import Final, Protocol, TextIO, TypeAlias, final
from purewasm_wasi.descriptor import Descriptor
from purewasm_wasi.errno import SPIPE, WasiError
from purewasm_wasi.flags import FILETYPE_CHARACTER_DEVICE, FILETYPE_UNKNOWN, RIGHT_FD_READ, RIGHT_FD_WRITE
from purewasm_wasi.layout import Fdstat, Filestat
from purewasm_wasi.waiting import may_wait

MAX_COPY_BYTES: Final = 1 << 20
"""How much one read or write moves where it has to be copied; the guest goes on with the rest."""


@final
class Inherit:
    """The type of `INHERIT`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "INHERIT"


@final
class Pipe:
    """The type of `PIPE`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "PIPE"


@final
class SameAsStdout:
    """The type of `STDOUT`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "STDOUT"


INHERIT: Final = Inherit()
"""Take it from the embedding process: its arguments, environment, standard input, output or error."""
PIPE: Final = Pipe()
"""A stream that the embedder has the other end of: `Wasi.popen` gives it as a file, `Wasi.run` returns what was written to it."""
STDOUT: Final = SameAsStdout()
"""Standard error goes where standard output goes."""


class BinaryReader(Protocol):
    """A file object to read from."""

    def read(self, size: int, /) -> bytes | None: ...


class BinaryWriter(Protocol):
    """A file object to write to."""

    def write(self, data: bytes, /) -> int | None: ...


StdinSource: TypeAlias = (
    "bytes | bytearray | memoryview | int | str | os.PathLike[str] | BinaryReader | TextIO | Callable[[int], bytes] | Inherit | Pipe | None"
)
"""What can be a guest's standard input."""

StdoutTarget: TypeAlias = "int | str | os.PathLike[str] | BinaryWriter | TextIO | Callable[[bytes], object] | Inherit | Pipe | None"
"""What can be a guest's standard output."""

StderrTarget: TypeAlias = "StdoutTarget | SameAsStdout"
"""What can be a guest's standard error."""


class _Stream(Descriptor):
    """What input and output have in common: no position, no size, and a terminal or not."""

    __slots__ = ()

    right: int

    def isatty(self) -> bool:
        return False

    def fdstat(self) -> Fdstat:
        return Fdstat(self._filetype(), 0, self.right, self.right)

    def filestat(self) -> Filestat:
        return Filestat(0, 0, self._filetype(), 0, 0, 0, 0, 0)

    def seek(self, offset: int, whence: int) -> int:
        raise WasiError(SPIPE)

    def _filetype(self) -> int:
        return FILETYPE_CHARACTER_DEVICE if self.isatty() else FILETYPE_UNKNOWN


class InputStream(_Stream):
    """Standard input. The kinds below have `read`."""

    __slots__ = ()
    right = RIGHT_FD_READ

    def pread(self, buffers: list[memoryview], offset: int) -> int:
        raise WasiError(SPIPE)

    def wait_read(self) -> int | None:
        return None


class OutputStream(_Stream):
    """Standard output or error. The kinds below have `write`."""

    __slots__ = ()
    right = RIGHT_FD_WRITE

    def pwrite(self, buffers: list[memoryview], offset: int) -> int:
        raise WasiError(SPIPE)

    def wait_write(self) -> int | None:
        return None

    def duplicate(self) -> OutputStream:
        """The same stream for another descriptor: each can be closed alone."""
        return self


@final
class _NoInput(InputStream):
    """At its end from the start."""

    __slots__ = ()

    def read(self, buffers: list[memoryview]) -> int:
        return 0

    def read_one(self, buffer: memoryview) -> int:
        return 0


@final
class _NoOutput(OutputStream):
    """Discards what it gets."""

    __slots__ = ()

    def write(self, buffers: list[memoryview]) -> int:
        return sum(map(len, buffers))

    def write_one(self, data: memoryview) -> int:
        return len(data)


@final
class _DescriptorInput(InputStream):
    __slots__ = ("_fd", "_owned", "_waits")

    def __init__(self, fd: int, *, owned: bool) -> None:
        self._fd, self._owned = fd, owned
        self._waits = may_wait(fd)

    def blocks_reading(self) -> int | None:
        return self._fd if self._waits else None

    def isatty(self) -> bool:
        return os.isatty(self._fd)

    def read(self, buffers: list[memoryview]) -> int:
        return _readv(self._fd, buffers) if buffers else 0

    def read_one(self, buffer: memoryview) -> int:
        return -1 if self._waits else _readv(self._fd, [buffer])

    def wait_read(self) -> int | None:
        return self._fd

    def close(self) -> None:
        owned, self._owned = self._owned, False
        if owned:
            os.close(self._fd)


@final
class _DescriptorOutput(OutputStream):
    __slots__ = ("_fd", "_owned", "_waits")

    def __init__(self, fd: int, *, owned: bool) -> None:
        self._fd, self._owned = fd, owned
        self._waits = may_wait(fd)

    def duplicate(self) -> OutputStream:
        return _DescriptorOutput(os.dup(self._fd), owned=True) if self._owned else self

    def blocks_writing(self) -> int | None:
        return self._fd if self._waits else None

    def isatty(self) -> bool:
        return os.isatty(self._fd)

    def write(self, buffers: list[memoryview]) -> int:
        return _writev(self._fd, buffers) if buffers else 0

    def write_one(self, data: memoryview) -> int:
        return -1 if self._waits else os.write(self._fd, data)

    def wait_write(self) -> int | None:
        return self._fd

    def close(self) -> None:
        owned, self._owned = self._owned, False
        if owned:
            os.close(self._fd)


@final
class _ObjectInput(InputStream):
    """A binary file object. `read1` is used where there is one, for it returns what there is instead of waiting for more."""

    __slots__ = ("_buffered", "_file", "_read", "_readinto", "_waits")

    def __init__(self, file: BinaryReader) -> None:
        self._file = file
        self._waits = _waiting_descriptor(file)
        self._buffered: int | None = None
        """Bytes that the file had read ahead before the guest first read: they are there without waiting."""
        self._read: Callable[[int], bytes | None] = getattr(file, "read1", None) or file.read
        self._readinto = file.readinto if type(file) is io.BytesIO else None

    def isatty(self) -> bool:
        return _is_terminal(self._file)

    def blocks_reading(self) -> int | None:
        if self._waits is None:
            return None
        if self._buffered is None:  # asked as late as this, for it touches the descriptor, which a guest may never do
            self._buffered = _buffered_bytes(self._file, self._waits)
        return None if self._buffered else self._waits

    def read(self, buffers: list[memoryview]) -> int:
        if not buffers:
            return 0
        buffer = buffers[0]
        data = self._read(min(len(buffer), MAX_COPY_BYTES))
        if data is None:
            raise BlockingIOError
        if self._buffered:
            self._buffered = max(0, self._buffered - len(data))
        return _fill(buffer, data)

    def read_one(self, buffer: memoryview) -> int:
        return -1 if self._readinto is None else self._readinto(buffer)

    def wait_read(self) -> int | None:
        self.blocks_reading()
        return None if self._buffered else _descriptor_of(self._file)


@final
class _CallableInput(InputStream):
    __slots__ = ("_function",)

    def __init__(self, function: Callable[[int], bytes]) -> None:
        self._function = function

    def read(self, buffers: list[memoryview]) -> int:
        return _fill(buffers[0], self._function(min(len(buffers[0]), MAX_COPY_BYTES))) if buffers else 0


@final
class _ObjectOutput(OutputStream):
    """A binary file object. It gets bytes of its own, for it may keep what it gets; Python's own files do not, and get views."""

    __slots__ = ("_file", "_flush", "_keeps", "_take", "_waits")

    def __init__(self, file: BinaryWriter) -> None:
        self._file = file
        self._flush: Callable[[], object] | None = getattr(file, "flush", None)
        self._keeps = type(file) not in _KEEP_NOTHING
        self._waits = _waiting_descriptor(file)
        self._take = file.write if type(file) is io.BytesIO else None

    def isatty(self) -> bool:
        return _is_terminal(self._file)

    def write_one(self, data: memoryview) -> int:
        return -1 if self._take is None else self._take(data)

    def blocks_writing(self) -> int | None:
        return self._waits

    def write(self, buffers: list[memoryview]) -> int:
        written = 0
        for data in [_joined(buffers)] if self._keeps else buffers:
            taken = self._file.write(data)  # type: ignore[arg-type]  # Python's own files take any buffer
            if taken is None and isinstance(self._file, io.RawIOBase):
                if not written:
                    raise BlockingIOError
                break
            written += len(data) if taken is None else taken
            if taken is not None and taken < len(data):
                break
        if self._flush is not None:
            self._flush()
        return written

    def wait_write(self) -> int | None:
        return _descriptor_of(self._file)


@final
class _CallableOutput(OutputStream):
    __slots__ = ("_function",)

    def __init__(self, function: Callable[[bytes], object]) -> None:
        self._function = function

    def write(self, buffers: list[memoryview]) -> int:
        data = _joined(buffers)
        if data:
            self._function(data)
        return len(data)


@final
class _TextOutput(OutputStream):
    """The process's own output where it takes text only, as in a notebook. Bytes that are not UTF-8 are shown as replacements."""

    __slots__ = ("_decoder", "_file")

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, buffers: list[memoryview]) -> int:
        data = _joined(buffers)
        self._file.write(self._decoder.decode(data))
        self._file.flush()
        return len(data)

    def finish(self) -> None:
        self._file.write(self._decoder.decode(b"", final=True))
        self._file.flush()


def open_input(source: StdinSource) -> InputStream:
    """The standard input of one instance. `TypeError` for what cannot be one, `OSError` for a path that cannot be opened."""
    _refuse_pipe(source, "stdin")
    if source is None:
        return _NoInput()
    if isinstance(source, Inherit):
        return _NoInput() if sys.stdin is None else open_input(sys.stdin)
    if isinstance(source, bytes | bytearray | memoryview):
        return _ObjectInput(io.BytesIO(source))
    if isinstance(source, int):
        return _DescriptorInput(_check_descriptor(source), owned=False)
    if isinstance(source, str | os.PathLike):
        return _DescriptorInput(os.open(source, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)), owned=True)
    file = _binary(source, "stdin", "io.BytesIO(text.encode())")
    if hasattr(file, "read"):
        return _ObjectInput(file)
    if callable(file):
        return _CallableInput(file)
    raise TypeError(f"stdin cannot be {source!r}: pass None, bytes, a descriptor, a path, a binary file, a callable or INHERIT")


def open_outputs(stdout: StdoutTarget, stderr: StderrTarget) -> tuple[OutputStream, OutputStream]:
    """The standard output and error of one instance; errors as `open_input`."""
    first = open_output(stdout, "stdout")
    return first, first.duplicate() if isinstance(stderr, SameAsStdout) else open_output(stderr, "stderr")


def open_output(target: StdoutTarget, name: str) -> OutputStream:
    """The standard output or error (`name`) of one instance; errors as `open_input`."""
    _refuse_pipe(target, name)
    if target is None:
        return _NoOutput()
    if isinstance(target, Inherit):
        inherited = getattr(sys, name)
        if inherited is None:
            return _NoOutput()
        if getattr(inherited, "buffer", None) is None:
            return _TextOutput(inherited)
        inherited.flush()
        target = inherited
    if isinstance(target, int):
        return _DescriptorOutput(_check_descriptor(target), owned=False)
    if isinstance(target, str | os.PathLike):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        return _DescriptorOutput(os.open(target, flags, 0o666), owned=True)
    file = _binary(target, name, "an io.BytesIO and decode what is in it")
    if hasattr(file, "write"):
        return _ObjectOutput(file)
    if callable(file):
        return _CallableOutput(file)
    raise TypeError(f"{name} cannot be {target!r}: pass None, a descriptor, a path, a binary file, a callable or INHERIT")


def check_streams(stdin: StdinSource, stdout: StdoutTarget, stderr: StderrTarget) -> None:
    """Raise what `open_input` and `open_output` would, without opening paths yet."""
    if not isinstance(stdin, str | os.PathLike | Pipe):
        open_input(stdin)
    for target, name in ((stdout, "stdout"), (stderr, "stderr")):
        if not isinstance(target, str | os.PathLike | Pipe | SameAsStdout):
            open_output(target, name)


def _refuse_pipe(stream: object, name: str) -> None:
    if isinstance(stream, Pipe):
        raise TypeError(f"{name}=PIPE is for Wasi.popen{'' if name == 'stdin' else ' and Wasi.run'}: nobody has its other end here")


_KEEP_NOTHING: Final = frozenset({io.BytesIO, io.BufferedWriter, io.BufferedRandom, io.FileIO})


def _binary(file: object, name: str, instead: str) -> object:
    """The binary file under a text file; any other object as it is."""
    if not isinstance(file, io.TextIOBase) and not hasattr(file, "encoding"):
        return file
    buffer = getattr(file, "buffer", None)
    if buffer is None:
        raise TypeError(
            f"{name} is a text stream ({type(file).__name__}) without a binary one under it: a guest's streams are bytes; pass {instead}"
        )
    return buffer


def _check_descriptor(fd: int) -> int:
    if isinstance(fd, bool):
        raise TypeError("a bool is no descriptor")
    os.fstat(fd)
    return fd


def _is_terminal(file: object) -> bool:
    isatty = getattr(file, "isatty", None)
    return bool(isatty()) if isatty is not None else False


def _descriptor_of(file: object) -> int | None:
    try:
        fd = file.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None  # nothing to wait on: always ready
    return fd if isinstance(fd, int) else None


def _waiting_descriptor(file: object) -> int | None:
    """The descriptor of one of Python's own files that may have to wait for it."""
    if not isinstance(file, io.BufferedReader | io.BufferedWriter | io.FileIO):
        return None
    fd = _descriptor_of(file)
    return fd if fd is not None and may_wait(fd) else None


def _buffered_bytes(file: object, fd: int) -> int:
    """How much a file has read ahead already. `read1` never does it again."""
    if not isinstance(file, io.BufferedReader):
        return 0
    os.set_blocking(fd, False)
    try:
        return len(file.peek(1))
    finally:
        os.set_blocking(fd, True)


def _joined(buffers: list[memoryview]) -> bytes:
    """A copy of what is to be written, or of its first part if it is much."""
    parts: list[memoryview] = []
    room = MAX_COPY_BYTES
    for buffer in buffers:
        parts.append(buffer[:room])
        room -= len(buffer)
        if room <= 0:
            break
    return b"".join(parts)


def _fill(buffer: memoryview, data: bytes) -> int:
    if len(data) > len(buffer):
        raise ValueError(f"standard input gave {len(data)} bytes where at most {len(buffer)} were asked for")
    buffer[: len(data)] = data
    return len(data)


def _read_into(fd: int, buffers: list[memoryview]) -> int:
    """Where there is no `readv`: fill the first buffer."""
    return _fill(buffers[0], os.read(fd, min(len(buffers[0]), MAX_COPY_BYTES)))


def _write_from(fd: int, buffers: list[memoryview]) -> int:
    """Where there is no `writev`: write the first buffer."""
    return os.write(fd, buffers[0])


_readv: Final[Callable[[int, list[memoryview]], int]] = getattr(os, "readv", _read_into)
_writev: Final[Callable[[int, list[memoryview]], int]] = getattr(os, "writev", _write_from)
