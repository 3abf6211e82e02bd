"""What a guest calls, in words: a line for each call, with its arguments decoded and what came of it, as `strace` prints them.

    fd_write(fd=1, iovs=[b'hello\\n']) -> success, nwritten=6
    path_open(fd=3, dirflags=symlink_follow, path=b'/etc', …) -> perm

Arguments are decoded before the call is made, results after it, from the table in `preview1`: a pointer followed by its length is bytes,
one that results are stored at is shown afterwards. What lies outside the memory is shown as an address: the call itself says what is
wrong with it.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm_wasi import errno
from purewasm_wasi.layout import IOVEC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purewasm import Memory

MAX_SHOWN_BYTES: Final = 32
_MAX_SHOWN_BUFFERS: Final = 4

_FDFLAGS: Final = ("append", "dsync", "nonblock", "rsync", "sync")
_RIGHTS: Final = (
    "fd_datasync", "fd_read", "fd_seek", "fd_fdstat_set_flags", "fd_sync", "fd_tell", "fd_write", "fd_advise", "fd_allocate",
    "path_create_directory", "path_create_file", "path_link_source", "path_link_target", "path_open", "fd_readdir", "path_readlink",
    "path_rename_source", "path_rename_target", "path_filestat_get", "path_filestat_set_size", "path_filestat_set_times",
    "fd_filestat_get", "fd_filestat_set_size", "fd_filestat_set_times", "path_symlink", "path_remove_directory", "path_unlink_file",
    "poll_fd_readwrite", "sock_shutdown", "sock_accept",
)  # fmt: skip
_FLAGS: Final = {
    "fdflags": _FDFLAGS,
    "oflags": ("creat", "directory", "excl", "trunc"),
    "dirflags": ("symlink_follow",),
    "old_flags": ("symlink_follow",),
    "fst_flags": ("atim", "atim_now", "mtim", "mtim_now"),
    "ri_flags": ("recv_peek", "recv_waitall"),
    "how": ("rd", "wr"),
    "fs_rights_base": _RIGHTS,
    "fs_rights_inheriting": _RIGHTS,
}
"""Names of bits by parameter, from the lowest on."""
_FLAGS_OF_FUNCTION: Final = {
    ("fd_fdstat_set_flags", "flags"): _FDFLAGS,
    ("sock_accept", "flags"): _FDFLAGS,
    ("path_filestat_get", "flags"): ("symlink_follow",),
    ("path_filestat_set_times", "flags"): ("symlink_follow",),
}
_ENUMS: Final = {
    "id": ("realtime", "monotonic", "process_cputime_id", "thread_cputime_id"),
    "whence": ("set", "cur", "end"),
    "advice": ("normal", "sequential", "random", "willneed", "dontneed", "noreuse"),
}
"""Names of values by parameter, in the order of the specification."""
_VALUES: Final = {
    "argc": 4, "argv_buf_size": 4, "environc": 4, "environ_buf_size": 4, "resolution": 8, "time": 8, "nread": 4, "nwritten": 4,
    "bufused": 4, "newoffset": 8, "opened_fd": 4, "nevents": 4, "connection": 4, "ro_datalen": 4, "ro_flags": 2, "so_datalen": 4,
}  # fmt: skip
"""Results that are one number, with its size in bytes."""
_VALUES_OF_FUNCTION: Final = {("fd_tell", "offset"): 8}
_IN_VECTORS: Final = ("si_data",)
_OUT_VECTORS: Final = ("ri_data",)


class Tracer:
    """Tells of the calls of one function. `parameters` are names and kinds as in the table, `write` gets each line."""

    __slots__ = ("_name", "_parameters", "_write")

    def __init__(self, name: str, parameters: str, write: Callable[[str], object]) -> None:
        self._name, self._write = name, write
        self._parameters = [(parameter.partition(":")[0], parameter.partition(":")[2]) for parameter in parameters.split()]

    def called(self, memory: Memory | None, args: tuple[int, ...]) -> str:
        """The call, before it is made."""
        shown = []
        position = 0
        while position < len(args):
            name, kind = self._parameters[position]
            following = self._parameters[position + 1][0] if position + 1 < len(args) else ""
            if kind == "ptr" and following == f"{name}_len":
                shown.append(self._range(memory, name, args[position], args[position + 1]))
                position += 2
                continue
            if not (kind == "ptr" and self._size_of_value(name)):
                shown.append(f"{name}={self._value(name, kind, args[position])}")
            position += 1
        return f"{self._name}({', '.join(shown)})"

    def ended(self, call: str, memory: Memory | None, args: tuple[int, ...], number: int) -> None:
        """What came of it: an errno, and what was stored where it succeeded."""
        results = []
        if number == errno.SUCCESS and memory is not None:
            for (name, kind), value in zip(self._parameters, args, strict=True):
                if kind == "ptr" and (size := self._size_of_value(name)):
                    results.append(f"{name}={int.from_bytes(_bytes(memory, value, size) or b'', 'little')}")
        self._write(", ".join([f"{call} -> {errno.NAMES.get(number, number)}", *results]))

    def raised(self, call: str, error: BaseException) -> None:
        """It ended the guest, or stopped it."""
        self._write(f"{call} -> {type(error).__name__}{f': {error}' if str(error) else ''}")

    def _size_of_value(self, name: str) -> int:
        return _VALUES_OF_FUNCTION.get((self._name, name), 0) or _VALUES.get(name, 0)

    def _value(self, name: str, kind: str, value: int) -> str:
        bits = _FLAGS_OF_FUNCTION.get((self._name, name)) or _FLAGS.get(name)
        if bits is not None:
            return _flags(bits, value)
        names = _ENUMS.get(name)
        if names is not None and value < len(names):
            return names[value]
        return f"0x{value:x}" if kind == "ptr" else str(value)

    def _range(self, memory: Memory | None, name: str, address: int, size: int) -> str:
        if name in ("iovs", *_IN_VECTORS, *_OUT_VECTORS):
            reads = name in _OUT_VECTORS or self._name in ("fd_read", "fd_pread")
            return f"{name}={_vector(memory, address, size, contents=not reads)}"
        if name in ("buf", "argv_buf", "environ_buf") or self._name == "fd_prestat_dir_name":
            return f"{name}=<{size} bytes at 0x{address:x}>"
        data = _bytes(memory, address, size)
        return f"{name}={'<outside>' if data is None else _shortened(data, size)}"


def _vector(memory: Memory | None, address: int, count: int, *, contents: bool) -> str:
    parts = []
    for index in range(min(count, _MAX_SHOWN_BUFFERS)):
        record = _bytes(memory, address + 8 * index, 8)
        if record is None or len(record) < 8:
            parts.append("<outside>")
            break
        start, size = IOVEC.unpack(record)
        data = _bytes(memory, start, size) if contents else None
        parts.append(f"<{size} bytes at 0x{start:x}>" if data is None else _shortened(data, size))
    if count > len(parts):
        parts.append("…")
    return f"[{', '.join(parts)}]"


def _bytes(memory: Memory | None, address: int, size: int) -> bytes | None:
    """The first of these bytes, None where they do not lie in the memory."""
    if memory is None or address + size > len(memory):
        return None
    return memory.read(address, min(size, MAX_SHOWN_BYTES))


def _shortened(data: bytes, size: int) -> str:
    return f"{data!r}{f'…({size} bytes)' if size > len(data) else ''}"


def _flags(names: Iterable[str], value: int) -> str:
    found = []
    for bit, name in enumerate(names):
        if value >> bit & 1:
            found.append(name)
            value &= ~(1 << bit)
    if value:
        found.append(f"0x{value:x}")
    return "|".join(found) or "0"
