"""Waiting until host descriptors are ready, with `poll` where there is one and `select` elsewhere. Nothing here spins."""

from __future__ import annotations

import os
import select
from stat import S_ISCHR, S_ISFIFO, S_ISSOCK

from purewasm.light_typing import Final, NamedTuple

SLICE_NS: Final = 100_000_000
"""How long a guest waits before it is asked whether its time is up."""
PART_BYTES: Final = getattr(select, "PIPE_BUF", 512)
"""How much can be written without waiting to what is ready to be written to."""
_NS_PER_MS: Final = 1_000_000


class Ready(NamedTuple):
    """What became ready: descriptors to read, to write, at which the other end hung up, and which are no descriptors any more."""

    read: frozenset[int]
    write: frozenset[int]
    hangup: frozenset[int] = frozenset()
    invalid: frozenset[int] = frozenset()


NOTHING: Final = Ready(frozenset(), frozenset())


def wait(read: set[int], write: set[int], timeout: int) -> Ready:
    """Wait until one is ready, `timeout` nanoseconds at most: then it is `NOTHING`."""
    milliseconds = -(-timeout // _NS_PER_MS)
    if hasattr(select, "poll"):
        return _poll(read, write, milliseconds)
    return _select(read, write, milliseconds)


def may_wait(fd: int) -> bool:
    """Whether reading or writing may take for ever: pipes, sockets and terminals that have not been told not to wait."""
    if not hasattr(os, "get_blocking") or not os.get_blocking(fd):
        return False
    mode = os.fstat(fd).st_mode
    return S_ISFIFO(mode) or S_ISSOCK(mode) or (S_ISCHR(mode) and os.isatty(fd))


def _poll(read: set[int], write: set[int], milliseconds: int) -> Ready:
    poll = select.poll()
    for fd in read | write:
        poll.register(fd, (select.POLLIN if fd in read else 0) | (select.POLLOUT if fd in write else 0))
    events = poll.poll(milliseconds)
    over = {fd: event & (select.POLLHUP | select.POLLERR) for fd, event in events}
    return Ready(
        frozenset(fd for fd, event in events if event & select.POLLIN or (over[fd] and fd in read)),
        frozenset(fd for fd, event in events if event & select.POLLOUT or (over[fd] and fd in write)),
        frozenset(fd for fd, event in events if event & select.POLLHUP),
        frozenset(fd for fd, event in events if event & select.POLLNVAL),
    )


def _select(read: set[int], write: set[int], milliseconds: int) -> Ready:
    try:
        readable, writable, _ = select.select(read, write, (), milliseconds / 1000)
    except (OSError, ValueError):
        # Windows selects sockets only, and select knows no high numbers: the guest is told to go on, and may block in its read.
        return Ready(frozenset(read), frozenset(write))
    return Ready(frozenset(readable), frozenset(writable))
