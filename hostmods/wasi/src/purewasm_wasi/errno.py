"""The error numbers of WASI (`errno` of the specification, in its order) and how the host's errors become one of them.

A function of this package fails by raising `WasiError`, or by letting an `OSError` of the host through; `number_of` turns either
into the number that the guest gets. Numbers, not an enum: they are compared and returned in the hot paths.
"""

from __future__ import annotations

import errno as host
import os

from purewasm.light_typing import Final, final

SUCCESS: Final = 0
TOOBIG: Final = 1
ACCES: Final = 2
ADDRINUSE: Final = 3
ADDRNOTAVAIL: Final = 4
AFNOSUPPORT: Final = 5
AGAIN: Final = 6
ALREADY: Final = 7
BADF: Final = 8
BADMSG: Final = 9
BUSY: Final = 10
CANCELED: Final = 11
CHILD: Final = 12
CONNABORTED: Final = 13
CONNREFUSED: Final = 14
CONNRESET: Final = 15
DEADLK: Final = 16
DESTADDRREQ: Final = 17
DOM: Final = 18
DQUOT: Final = 19
EXIST: Final = 20
FAULT: Final = 21
FBIG: Final = 22
HOSTUNREACH: Final = 23
IDRM: Final = 24
ILSEQ: Final = 25
INPROGRESS: Final = 26
INTR: Final = 27
INVAL: Final = 28
IO: Final = 29
ISCONN: Final = 30
ISDIR: Final = 31
LOOP: Final = 32
MFILE: Final = 33
MLINK: Final = 34
MSGSIZE: Final = 35
MULTIHOP: Final = 36
NAMETOOLONG: Final = 37
NETDOWN: Final = 38
NETRESET: Final = 39
NETUNREACH: Final = 40
NFILE: Final = 41
NOBUFS: Final = 42
NODEV: Final = 43
NOENT: Final = 44
NOEXEC: Final = 45
NOLCK: Final = 46
NOLINK: Final = 47
NOMEM: Final = 48
NOMSG: Final = 49
NOPROTOOPT: Final = 50
NOSPC: Final = 51
NOSYS: Final = 52
NOTCONN: Final = 53
NOTDIR: Final = 54
NOTEMPTY: Final = 55
NOTRECOVERABLE: Final = 56
NOTSOCK: Final = 57
NOTSUP: Final = 58
NOTTY: Final = 59
NXIO: Final = 60
OVERFLOW: Final = 61
OWNERDEAD: Final = 62
PERM: Final = 63
PIPE: Final = 64
PROTO: Final = 65
PROTONOSUPPORT: Final = 66
PROTOTYPE: Final = 67
RANGE: Final = 68
ROFS: Final = 69
SPIPE: Final = 70
SRCH: Final = 71
STALE: Final = 72
TIMEDOUT: Final = 73
TXTBSY: Final = 74
XDEV: Final = 75
NOTCAPABLE: Final = 76

NAMES: Final = {number: name.lower() for name, number in list(globals().items()) if name.isupper() and isinstance(number, int)}
"""The specification's names by number, with `2big` under the name that Python allows: `toobig`."""


@final
class WasiError(Exception):
    """A WASI function failed; the guest gets `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(NAMES[number])
        self.number = number


_OF_HOST: Final = {
    getattr(host, name): number
    for number, name in ((number, "E2BIG" if number == TOOBIG else f"E{word.upper()}") for number, word in NAMES.items())
    if hasattr(host, name)
}
# Host errors that have another name, or none, in WASI. Where two host names share a value the entry is the same either way.
_OF_HOST.update(
    {
        getattr(host, name): number
        for name, number in (("EOPNOTSUPP", NOTSUP), ("EWOULDBLOCK", AGAIN), ("EDEADLOCK", DEADLK), ("ECANCELED", CANCELED))
        if hasattr(host, name)
    }
)

_TO_HOST: Final = {number: code for code, number in reversed(_OF_HOST.items())}
_OF_CLASS: Final = (
    (FileNotFoundError, NOENT),
    (FileExistsError, EXIST),
    (NotADirectoryError, NOTDIR),
    (IsADirectoryError, ISDIR),
    (PermissionError, ACCES),
    (BlockingIOError, AGAIN),
    (TimeoutError, AGAIN),
)
"""What Python code raises without a number: file systems, and files and sockets that do not wait."""


def os_error(error: WasiError, path: str) -> OSError:
    """The `OSError` that says in Python what a guest would have got as an errno."""
    code = _TO_HOST.get(error.number, host.EIO)
    return OSError(code, os.strerror(code), path)


def number_of(error: OSError) -> int:
    """The WASI number of an error of the host: `io` for one that WASI has no word for."""
    if error.errno is None:
        return next((number for kind, number in _OF_CLASS if isinstance(error, kind)), IO)
    return _OF_HOST.get(error.errno, IO)
