"""A guest without a WebAssembly engine: it calls the functions of the interface with pointers into a memory, as a C library would.

`Guest` works on any `Machine`: on the host functions themselves with a memory that is a bytearray (`direct`), or on an engine that
runs a module which passes every call on (`passing_on`), to compare engines and implementations.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from mmap import mmap
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import pytest

from purewasm import Interrupted, MemoryAccessError
from purewasm_wasi import Wasi
from purewasm_wasi.errno import NAMES
from purewasm_wasi.flags import OFLAG_DIRECTORY, RIGHT_FD_READ, RIGHT_FD_WRITE
from purewasm_wasi.preview1 import FUNCTIONS, KINDS, host_functions

if TYPE_CHECKING:
    from purewasm import Instance

PAGE = 65_536
READ, WRITE = RIGHT_FD_READ, RIGHT_FD_WRITE
FOLLOW = 1


class Failed(Exception):  # noqa: N818 (it reads as `raises Failed`)
    """A call gave an errno; its name is the text."""


class Bytes(Protocol):
    """The part of a memory that the host functions use."""

    @property
    def size(self) -> int: ...
    def read(self, offset: int, size: int) -> bytes: ...
    def write(self, offset: int, data: bytes) -> None: ...
    def view(self) -> memoryview: ...


class Machine(Protocol):
    """What runs a guest's calls. Arguments and results are signed, as WebAssembly gives them to Python."""

    @property
    def memory(self) -> Bytes: ...
    def call(self, name: str, *args: int) -> int | None: ...


class ByteMemory:
    """A memory on a bytearray, as strict as the real one."""

    def __init__(self, pages: int = 4) -> None:
        self.data: bytearray | mmap = bytearray(pages * PAGE)

    @property
    def size(self) -> int:
        return len(self.data)

    def __len__(self) -> int:
        return self.size

    def read(self, offset: int, size: int) -> bytes:
        self._check(offset, size)
        return bytes(self.data[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        self._check(offset, len(data))
        self.data[offset : offset + len(data)] = data

    def view(self) -> memoryview:
        return memoryview(self.data)

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > len(self.data):
            raise MemoryAccessError("out of bounds memory access")


class FakeMeter:
    """Why an instance has to stop."""

    reason: str | None = None

    def interruption(self, reason: str) -> Interrupted:
        return Interrupted(reason)


class FakeInstance:
    """Something that a process can belong to."""

    def __init__(self) -> None:
        self.meter = FakeMeter()
        self.closed = False


class FakeCaller(NamedTuple):
    """What a host function gets as its first argument."""

    instance: Any
    memory: Any
    state: object


class Direct:
    """The host functions, called without an engine."""

    def __init__(
        self,
        wasi: Wasi,
        *,
        unstable: bool = False,
        memory: ByteMemory | None = None,
        trace: Callable[[str], object] | None = None,
    ) -> None:
        self.memory = memory or ByteMemory()
        self.instance = cast("Instance", FakeInstance())
        """Kept, for the host module holds what belongs to it only as long as it lives."""
        self.process = wasi.attach(self.instance)
        self._caller = FakeCaller(self.instance, self.memory, self.process)
        self._functions = {row.name: (row, function) for row, function in host_functions(unstable=unstable, trace=trace)}

    def call(self, name: str, *args: int) -> int | None:
        row, function = self._functions[name]
        assert len(row.kinds()) == len(args), f"{name} takes {row.parameters}"
        return function(self._caller, *map(signed, row.kinds(), args))


def signed(kind: str, value: int) -> int:
    """The integer as WebAssembly has it."""
    bits = 32 if KINDS[kind][0] == "i32" else 64
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


class Stat(NamedTuple):
    """A `filestat`."""

    dev: int
    ino: int
    filetype: int
    nlink: int
    size: int
    atim: int
    mtim: int
    ctim: int


class Entry(NamedTuple):
    """A `dirent` and its name."""

    following: int
    ino: int
    filetype: int
    name: bytes


class Event(NamedTuple):
    """An `event`."""

    userdata: int
    error: str
    kind: int
    nbytes: int
    flags: int


class Guest:
    """Calls with Python's types: raises `Failed` with the name of the errno."""

    def __init__(self, machine: Machine, *, unstable: bool = False) -> None:
        self.machine, self.memory, self.unstable = machine, machine.memory, unstable
        self._top = 1024

    # Calling

    def errno(self, name: str, *args: int) -> int:
        """Call with pointers: the errno."""
        result = self.machine.call(name, *args)
        assert result is not None
        return result

    def call(self, name: str, *args: int) -> None:
        """Call with pointers."""
        number = self.errno(name, *args)
        if number:
            raise Failed(NAMES[number])

    @contextmanager
    def room(self) -> Iterator[Callable[[int | bytes], int]]:
        """Gives out addresses, for so many bytes or for these bytes, until the `with` ends."""
        kept = self._top

        def put(what: int | bytes) -> int:
            address = (self._top + 7) & ~7
            size = what if isinstance(what, int) else len(what)
            self._top = address + size
            self.memory.write(address, bytes(size) if isinstance(what, int) else what)
            return address

        try:
            yield put
        finally:
            self._top = kept

    def u32(self, address: int) -> int:
        return int.from_bytes(self.memory.read(address, 4), "little")

    def u64(self, address: int) -> int:
        return int.from_bytes(self.memory.read(address, 8), "little")

    def u32_of(self, name: str, *args: int) -> int:
        """Call what stores a u32 by its last parameter."""
        with self.room() as put:
            result = put(4)
            self.call(name, *args, result)
            return self.u32(result)

    def u64_of(self, name: str, *args: int) -> int:
        """Call what stores a u64 by its last parameter."""
        with self.room() as put:
            result = put(8)
            self.call(name, *args, result)
            return self.u64(result)

    def with_path(self, name: str, before: Sequence[int], path: str | bytes, *after: int) -> None:
        """Call what takes a path in the midst of its parameters."""
        data = path.encode() if isinstance(path, str) else path
        with self.room() as put:
            self.call(name, *before, put(data), len(data), *after)

    # Strings and clocks

    def strings(self, what: str) -> list[bytes]:
        """All of `args` or `environ`."""
        with self.room() as put:
            sizes = put(8)
            self.call(f"{what}_sizes_get", sizes, sizes + 4)
            count, size = self.u32(sizes), self.u32(sizes + 4)
            pointers, buffer = put(4 * count), put(size)
            self.call(f"{what}_get", pointers, buffer)
            starts = [self.u32(pointers + 4 * index) for index in range(count)]
            data = self.memory.read(buffer, size)
            assert size == sum(len(string) + 1 for string in data.split(b"\0")[:-1])
            return [data[start - buffer : data.index(0, start - buffer)] for start in starts]

    def time(self, clock: int) -> int:
        return self.u64_of("clock_time_get", clock, 0)

    def random(self, size: int) -> bytes:
        with self.room() as put:
            buffer = put(size)
            self.call("random_get", buffer, size)
            return self.memory.read(buffer, size)

    # Descriptors

    def _iovs(self, put: Callable[[int | bytes], int], *buffers: int | bytes) -> tuple[int, int, list[int]]:
        addresses = [put(buffer) for buffer in buffers]
        sizes = [buffer if isinstance(buffer, int) else len(buffer) for buffer in buffers]
        array = b"".join(struct.pack("<II", *pair) for pair in zip(addresses, sizes, strict=True))
        return put(array), len(buffers), addresses

    def write(self, fd: int, *data: bytes, offset: int | None = None) -> int:
        with self.room() as put:
            iovs, count, _ = self._iovs(put, *data)
            if offset is None:
                return self.u32_of("fd_write", fd, iovs, count)
            return self.u32_of("fd_pwrite", fd, iovs, count, offset)

    def read(self, fd: int, *sizes: int, offset: int | None = None) -> bytes:
        with self.room() as put:
            iovs, count, addresses = self._iovs(put, *sizes)
            if offset is None:
                left = self.u32_of("fd_read", fd, iovs, count)
            else:
                left = self.u32_of("fd_pread", fd, iovs, count, offset)
            parts = []
            for address, size in zip(addresses, sizes, strict=True):
                parts.append(self.memory.read(address, min(left, size)))
                left -= len(parts[-1])
            return b"".join(parts)

    def seek(self, fd: int, offset: int, whence: int = 0) -> int:
        return self.u64_of("fd_seek", fd, offset, whence)

    def tell(self, fd: int) -> int:
        return self.u64_of("fd_tell", fd)

    def close(self, fd: int) -> None:
        self.call("fd_close", fd)

    def fdstat(self, fd: int) -> tuple[int, int, int, int]:
        """Type, flags, rights, inheriting rights."""
        with self.room() as put:
            result = put(24)
            self.call("fd_fdstat_get", fd, result)
            filetype, flags, rights, inheriting = struct.unpack("<BxH4xQQ", self.memory.read(result, 24))
            return filetype, flags, rights, inheriting

    def stat(self, fd: int, path: str | bytes | None = None, *, follow: bool = False) -> Stat:
        form = "<QQB3xIQQQQ" if self.unstable else "<QQB7xQQQQQ"
        with self.room() as put:
            result = put(64)
            if path is None:
                self.call("fd_filestat_get", fd, result)
            else:
                self.with_path("path_filestat_get", (fd, int(follow)), path, result)
            return Stat(*struct.unpack_from(form, self.memory.read(result, 64)))

    def readdir(self, fd: int, *, size: int = 4096, cookie: int = 0) -> tuple[list[Entry], int]:
        """The whole entries of one call, and how many bytes were used."""
        with self.room() as put:
            buffer = put(size)
            used = self.u32_of("fd_readdir", fd, buffer, size, cookie)
            data = self.memory.read(buffer, used)
        entries = []
        while len(data) >= 24:
            following, ino, length, filetype = struct.unpack_from("<QQIB", data)
            if len(data) < 24 + length:
                break
            entries.append(Entry(following, ino, filetype, data[24 : 24 + length]))
            data = data[24 + length :]
        return entries, used

    def prestat(self, fd: int) -> bytes:
        """The name of a preopened directory."""
        with self.room() as put:
            result = put(8)
            self.call("fd_prestat_get", fd, result)
            size = self.u32(result + 4)
            name = put(size)
            self.call("fd_prestat_dir_name", fd, name, size)
            return self.memory.read(name, size)

    # Paths

    def open(
        self, fd: int, path: str | bytes, *, oflags: int = 0, rights: int = READ, follow: bool = False, fdflags: int = 0
    ) -> int:
        with self.room() as put:
            result = put(4)
            self.with_path("path_open", (fd, int(follow)), path, oflags, rights, 0, fdflags, result)
            return self.u32(result)

    def open_directory(self, fd: int, path: str | bytes, *, follow: bool = False) -> int:
        return self.open(fd, path, oflags=OFLAG_DIRECTORY, rights=READ, follow=follow)

    def mkdir(self, fd: int, path: str | bytes) -> None:
        self.with_path("path_create_directory", (fd,), path)

    def rmdir(self, fd: int, path: str | bytes) -> None:
        self.with_path("path_remove_directory", (fd,), path)

    def unlink(self, fd: int, path: str | bytes) -> None:
        self.with_path("path_unlink_file", (fd,), path)

    def readlink(self, fd: int, path: str | bytes, *, size: int = 256) -> bytes:
        with self.room() as put:
            buffer, result = put(size), put(4)
            self.with_path("path_readlink", (fd,), path, buffer, size, result)
            return self.memory.read(buffer, self.u32(result))

    def symlink(self, content: str | bytes, fd: int, path: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        with self.room() as put:
            self.with_path("path_symlink", (put(data), len(data), fd), path)

    def rename(self, fd: int, path: str | bytes, to: int, to_path: str | bytes) -> None:
        data = to_path.encode() if isinstance(to_path, str) else to_path
        with self.room() as put:
            self.with_path("path_rename", (fd,), path, to, put(data), len(data))

    def link(self, fd: int, path: str | bytes, to: int, to_path: str | bytes, *, follow: bool = False) -> None:
        data = to_path.encode() if isinstance(to_path, str) else to_path
        with self.room() as put:
            self.with_path("path_link", (fd, int(follow)), path, to, put(data), len(data))

    def set_times(
        self, fd: int, path: str | bytes | None, *, atim: int = 0, mtim: int = 0, flags: int = 0, follow: bool = False
    ) -> None:
        if path is None:
            self.call("fd_filestat_set_times", fd, atim, mtim, flags)
        else:
            self.with_path("path_filestat_set_times", (fd, int(follow)), path, atim, mtim, flags)

    # Waiting and sockets

    def clock_subscription(self, userdata: int, timeout: int, *, clock: int = 1, absolute: bool = False) -> bytes:
        if self.unstable:
            return struct.pack("<QB7xQI4xQQH6x", userdata, 0, 99, clock, timeout, 0, absolute)
        return struct.pack("<QB7xI4xQQH6x", userdata, 0, clock, timeout, 0, absolute)

    def fd_subscription(self, userdata: int, fd: int, *, write: bool = False) -> bytes:
        size = 56 if self.unstable else 48
        return struct.pack("<QB7xI", userdata, 2 if write else 1, fd).ljust(size, b"\xee")

    def poll(self, *subscriptions: bytes) -> list[Event]:
        with self.room() as put:
            events = put(32 * len(subscriptions))
            count = self.u32_of("poll_oneoff", put(b"".join(subscriptions)), events, len(subscriptions))
            records = [struct.unpack("<QHB5xQH6x", self.memory.read(events + 32 * index, 32)) for index in range(count)]
        return [Event(userdata, NAMES[error], kind, nbytes, flags) for userdata, error, kind, nbytes, flags in records]


def direct(
    wasi: Wasi, *, unstable: bool = False, memory: ByteMemory | None = None, trace: Callable[[str], object] | None = None
) -> Guest:
    """A guest on the host functions themselves."""
    return Guest(Direct(wasi, unstable=unstable, memory=memory, trace=trace), unstable=unstable)


@contextmanager
def fails(*names: str) -> Iterator[None]:
    """The call inside gives one of these errnos."""
    with pytest.raises(Failed) as caught:
        yield
    assert str(caught.value) in names, f"it failed with {caught.value}"


def passing_on(*, unstable: bool = False) -> str:
    """The text of a module that exports a function for each one that it imports, and passes its arguments on."""
    module = "wasi_unstable" if unstable else "wasi_snapshot_preview1"
    imports, functions = [], []
    for row in FUNCTIONS:
        if unstable and row.unstable is None:
            continue
        types = [KINDS[kind][0] for kind in row.kinds()]
        signature = f"(param {' '.join(types)})" if types else ""
        signature += f" (result {' '.join(row.results())})" if row.results() else ""
        arguments = " ".join(f"(local.get {index})" for index in range(len(types)))
        imports.append(f'(import "{module}" "{row.name}" (func ${row.name} {signature}))')
        functions.append(f'(func (export "{row.name}") {signature} (call ${row.name} {arguments}))')
    return "\n".join(["(module", *imports, '(memory (export "memory") 4)', *functions, ")"])
