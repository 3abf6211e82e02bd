"""How the records of preview 1 lie in guest memory: little-endian, each field aligned to its own size.

`wasi_unstable` has other layouts for three of them: `filestat` (its link count is 32 bits wide), `subscription` (its clocks carry
an identifier), and with that the size of the array that `poll_oneoff` reads. `SNAPSHOT` and `UNSTABLE` hold what differs.
"""

from __future__ import annotations

from struct import Struct

from purewasm.light_typing import Final, NamedTuple, final

U8_MAX: Final = 0xFF
U16_MAX: Final = 0xFFFF
U32_MAX: Final = 0xFFFF_FFFF
U64_MAX: Final = 0xFFFF_FFFF_FFFF_FFFF
I64_MAX: Final = 0x7FFF_FFFF_FFFF_FFFF

U32: Final = Struct("<I")
U64: Final = Struct("<Q")
IOVEC: Final = Struct("<II")
"""Address and length: `iovec` and `ciovec` are the same."""
FDSTAT: Final = Struct("<BxH4xQQ")
"""File type, fdflags, rights, inheriting rights."""
PRESTAT: Final = Struct("<B3xI")
"""Preopen type, length of the name."""
DIRENT: Final = Struct("<QQIB3x")
"""Cookie of the next entry, inode, length of the name, file type. The name follows it unaligned."""
EVENT: Final = Struct("<QHB5xQH6x")
"""User data, errno, event type, number of bytes, eventrwflags."""

RECORD_ALIGNMENT: Final = 8
"""Of every record that holds a 64-bit field: fdstat, filestat, subscription and event."""


class Filestat(NamedTuple):
    """What a file says about itself. Times are nanoseconds since 1970; 0 where the host has none that fits."""

    dev: int
    ino: int
    filetype: int
    nlink: int
    size: int
    atim: int
    mtim: int
    ctim: int


class Fdstat(NamedTuple):
    """What a descriptor says about itself."""

    filetype: int
    flags: int
    rights: int
    inheriting: int


class Subscription(NamedTuple):
    """One thing that `poll_oneoff` waits for. `target` is the clock's id or the descriptor, by `kind` (an eventtype)."""

    userdata: int
    kind: int
    target: int
    timeout: int
    flags: int


@final
class Layout:
    """The records that differ between the two versions of the interface."""

    __slots__ = ("_filestat", "_link_count_max", "_subscription", "filestat_size", "subscription_size")

    def __init__(self, filestat: str, link_count_max: int, subscription: str) -> None:
        self._filestat, self._link_count_max, self._subscription = Struct(filestat), link_count_max, Struct(subscription)
        self.filestat_size, self.subscription_size = self._filestat.size, self._subscription.size

    def pack_filestat(self, stat: Filestat) -> bytes:
        """The bytes of a `filestat`. A link count that does not fit is the largest that does."""
        return self._filestat.pack(*stat[:3], min(stat.nlink, self._link_count_max), *stat[4:])

    def unpack_subscription(self, records: bytes, offset: int) -> Subscription:
        """Read a `subscription`. Kinds and flags are as the guest wrote them, unchecked."""
        userdata, kind, *union = self._subscription.unpack_from(records, offset)
        identifier, clock, timeout, flags = union if len(union) == 4 else (union[0], *union)
        # A descriptor stands at the start of the union, where unstable clocks have their identifier.
        return Subscription(userdata, kind, clock if kind == 0 else identifier & U32_MAX, timeout, flags)


SNAPSHOT: Final = Layout("<QQB7xQQQQQ", U64_MAX, "<QB7xI4xQ8xH6x")
"""`wasi_snapshot_preview1`."""
UNSTABLE: Final = Layout("<QQB3xIQQQQ", U32_MAX, "<QB7xQI4xQ8xH6x")
"""`wasi_unstable`."""
