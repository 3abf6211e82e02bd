"""Rights, flags and enumerations of preview 1, as the specification numbers them.

Each constant carries the specification's name. What a set of flags may contain at most is `ALL_…`: a bit beyond it is `inval`.
Where `wasi_unstable` numbers something differently, the table that maps it stands beside it.
"""

from __future__ import annotations

from purewasm.light_typing import Final

# clockid
CLOCK_REALTIME: Final = 0
CLOCK_MONOTONIC: Final = 1
CLOCK_PROCESS_CPUTIME: Final = 2
CLOCK_THREAD_CPUTIME: Final = 3

# filetype
FILETYPE_UNKNOWN: Final = 0
FILETYPE_BLOCK_DEVICE: Final = 1
FILETYPE_CHARACTER_DEVICE: Final = 2
FILETYPE_DIRECTORY: Final = 3
FILETYPE_REGULAR_FILE: Final = 4
FILETYPE_SOCKET_DGRAM: Final = 5
FILETYPE_SOCKET_STREAM: Final = 6
FILETYPE_SYMBOLIC_LINK: Final = 7

# preopentype
PREOPEN_DIR: Final = 0

# fdflags
FDFLAG_APPEND: Final = 1 << 0
FDFLAG_DSYNC: Final = 1 << 1
FDFLAG_NONBLOCK: Final = 1 << 2
FDFLAG_RSYNC: Final = 1 << 3
FDFLAG_SYNC: Final = 1 << 4
ALL_FDFLAGS: Final = (1 << 5) - 1

# lookupflags
LOOKUP_SYMLINK_FOLLOW: Final = 1 << 0
ALL_LOOKUPFLAGS: Final = (1 << 1) - 1

# oflags
OFLAG_CREAT: Final = 1 << 0
OFLAG_DIRECTORY: Final = 1 << 1
OFLAG_EXCL: Final = 1 << 2
OFLAG_TRUNC: Final = 1 << 3
ALL_OFLAGS: Final = (1 << 4) - 1

# fstflags
FST_ATIM: Final = 1 << 0
FST_ATIM_NOW: Final = 1 << 1
FST_MTIM: Final = 1 << 2
FST_MTIM_NOW: Final = 1 << 3
ALL_FSTFLAGS: Final = (1 << 4) - 1

# whence; `wasi_unstable` counts from the current position first
WHENCE_SET: Final = 0
WHENCE_CUR: Final = 1
WHENCE_END: Final = 2
WHENCE_OF_UNSTABLE: Final = {0: WHENCE_CUR, 1: WHENCE_END, 2: WHENCE_SET}

# advice
ADVICE_NORMAL: Final = 0
ADVICE_SEQUENTIAL: Final = 1
ADVICE_RANDOM: Final = 2
ADVICE_WILLNEED: Final = 3
ADVICE_DONTNEED: Final = 4
ADVICE_NOREUSE: Final = 5
ALL_ADVICES: Final = 6
"""How many there are: they count from 0."""

# eventtype, eventrwflags, subclockflags
EVENT_CLOCK: Final = 0
EVENT_FD_READ: Final = 1
EVENT_FD_WRITE: Final = 2
EVENTRW_HANGUP: Final = 1 << 0
SUBCLOCK_ABSTIME: Final = 1 << 0
ALL_SUBCLOCKFLAGS: Final = (1 << 1) - 1

# riflags, roflags, sdflags
RECV_PEEK: Final = 1 << 0
RECV_WAITALL: Final = 1 << 1
ALL_RIFLAGS: Final = (1 << 2) - 1
RECV_DATA_TRUNCATED: Final = 1 << 0
SHUTDOWN_RD: Final = 1 << 0
SHUTDOWN_WR: Final = 1 << 1
ALL_SDFLAGS: Final = (1 << 2) - 1

# signal
ALL_SIGNALS: Final = 31
"""How many there are: `none` is 0, `sys` is 30."""

# rights
RIGHT_FD_DATASYNC: Final = 1 << 0
RIGHT_FD_READ: Final = 1 << 1
RIGHT_FD_SEEK: Final = 1 << 2
RIGHT_FD_FDSTAT_SET_FLAGS: Final = 1 << 3
RIGHT_FD_SYNC: Final = 1 << 4
RIGHT_FD_TELL: Final = 1 << 5
RIGHT_FD_WRITE: Final = 1 << 6
RIGHT_FD_ADVISE: Final = 1 << 7
RIGHT_FD_ALLOCATE: Final = 1 << 8
RIGHT_PATH_CREATE_DIRECTORY: Final = 1 << 9
RIGHT_PATH_CREATE_FILE: Final = 1 << 10
RIGHT_PATH_LINK_SOURCE: Final = 1 << 11
RIGHT_PATH_LINK_TARGET: Final = 1 << 12
RIGHT_PATH_OPEN: Final = 1 << 13
RIGHT_FD_READDIR: Final = 1 << 14
RIGHT_PATH_READLINK: Final = 1 << 15
RIGHT_PATH_RENAME_SOURCE: Final = 1 << 16
RIGHT_PATH_RENAME_TARGET: Final = 1 << 17
RIGHT_PATH_FILESTAT_GET: Final = 1 << 18
RIGHT_PATH_FILESTAT_SET_SIZE: Final = 1 << 19
RIGHT_PATH_FILESTAT_SET_TIMES: Final = 1 << 20
RIGHT_FD_FILESTAT_GET: Final = 1 << 21
RIGHT_FD_FILESTAT_SET_SIZE: Final = 1 << 22
RIGHT_FD_FILESTAT_SET_TIMES: Final = 1 << 23
RIGHT_PATH_SYMLINK: Final = 1 << 24
RIGHT_PATH_REMOVE_DIRECTORY: Final = 1 << 25
RIGHT_PATH_UNLINK_FILE: Final = 1 << 26
RIGHT_POLL_FD_READWRITE: Final = 1 << 27
RIGHT_SOCK_SHUTDOWN: Final = 1 << 28
RIGHT_SOCK_ACCEPT: Final = 1 << 29
ALL_RIGHTS: Final = (1 << 30) - 1

PREOPEN_RIGHTS: Final = (
    RIGHT_PATH_CREATE_DIRECTORY
    | RIGHT_PATH_CREATE_FILE
    | RIGHT_PATH_LINK_SOURCE
    | RIGHT_PATH_LINK_TARGET
    | RIGHT_PATH_OPEN
    | RIGHT_FD_READDIR
    | RIGHT_PATH_READLINK
    | RIGHT_PATH_RENAME_SOURCE
    | RIGHT_PATH_RENAME_TARGET
    | RIGHT_PATH_SYMLINK
    | RIGHT_PATH_REMOVE_DIRECTORY
    | RIGHT_PATH_UNLINK_FILE
    | RIGHT_PATH_FILESTAT_GET
    | RIGHT_PATH_FILESTAT_SET_TIMES
    | RIGHT_FD_FILESTAT_GET
    | RIGHT_FD_FILESTAT_SET_TIMES
)
"""What C libraries expect a preopened directory to say about itself."""

PREOPEN_INHERITING_RIGHTS: Final = (
    PREOPEN_RIGHTS
    | RIGHT_FD_DATASYNC
    | RIGHT_FD_READ
    | RIGHT_FD_SEEK
    | RIGHT_FD_FDSTAT_SET_FLAGS
    | RIGHT_FD_SYNC
    | RIGHT_FD_TELL
    | RIGHT_FD_WRITE
    | RIGHT_FD_ADVISE
    | RIGHT_FD_ALLOCATE
    | RIGHT_FD_FILESTAT_GET
    | RIGHT_FD_FILESTAT_SET_SIZE
    | RIGHT_FD_FILESTAT_SET_TIMES
    | RIGHT_POLL_FD_READWRITE
)
"""What it says about files opened in it: older C libraries ask `path_open` for no right that is missing here."""

DIRECTORY_RIGHTS: Final = ALL_RIGHTS & ~(RIGHT_FD_SEEK | RIGHT_FD_WRITE | RIGHT_FD_FILESTAT_SET_SIZE | RIGHT_PATH_FILESTAT_SET_SIZE)
"""What a directory that the guest opened says about itself."""

SOCKET_RIGHTS: Final = (
    RIGHT_FD_READ | RIGHT_FD_WRITE | RIGHT_FD_FDSTAT_SET_FLAGS | RIGHT_FD_FILESTAT_GET | RIGHT_POLL_FD_READWRITE | RIGHT_SOCK_SHUTDOWN
)


def file_rights(*, readable: bool, writable: bool) -> int:
    """What a file that the guest opened says about itself."""
    rights = ALL_RIGHTS
    if not readable:
        rights &= ~(RIGHT_FD_READ | RIGHT_FD_READDIR)
    if not writable:
        rights &= ~RIGHT_FD_WRITE
    return rights
