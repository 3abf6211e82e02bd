"""The function `poll_oneoff`: wait for clocks, and until descriptors can be read or written.

Events are reported in the order of their subscriptions, all that are ready at once. A descriptor that is not open, or that cannot
be read or written at all, fails the whole call with `badf`; one that the embedder closed under the guest is an event with that error.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm_wasi.clocks import now
from purewasm_wasi.descriptor import Readiness
from purewasm_wasi.errno import BADF, INVAL, NOMEM, SUCCESS, WasiError
from purewasm_wasi.flags import (
    ALL_SUBCLOCKFLAGS,
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    EVENT_CLOCK,
    EVENT_FD_READ,
    EVENT_FD_WRITE,
    EVENTRW_HANGUP,
    SUBCLOCK_ABSTIME,
)
from purewasm_wasi.guest_memory import check, write_u32
from purewasm_wasi.layout import EVENT, RECORD_ALIGNMENT, SNAPSHOT, UNSTABLE, Layout
from purewasm_wasi.waiting import NOTHING, SLICE_NS, Ready, wait

if TYPE_CHECKING:
    from purewasm import Memory
    from purewasm_wasi.clocks import Clocks
    from purewasm_wasi.layout import Subscription
    from purewasm_wasi.process import Process

MAX_SUBSCRIPTIONS: Final = 16_384
"""More than descriptors can be open; beyond it the call is `nomem`, before it has taken any."""


def poll_oneoff(process: Process, memory: Memory, subscriptions: int, events: int, count: int, result: int) -> None:
    """Wait for the first of `count` subscriptions, store the events and how many they are."""
    _poll_oneoff(process, memory, subscriptions, events, count, result, SNAPSHOT)


def poll_oneoff_unstable(process: Process, memory: Memory, subscriptions: int, events: int, count: int, result: int) -> None:
    """`poll_oneoff` with the larger subscriptions of `wasi_unstable`."""
    _poll_oneoff(process, memory, subscriptions, events, count, result, UNSTABLE)


def _poll_oneoff(
    process: Process, memory: Memory, subscriptions: int, events: int, count: int, result: int, layout: Layout
) -> None:
    size = layout.subscription_size
    check(memory, result, 4, 4)
    if not count:
        raise WasiError(INVAL)
    check(memory, subscriptions, count * size, RECORD_ALIGNMENT)
    check(memory, events, count * EVENT.size, RECORD_ALIGNMENT)
    if count > MAX_SUBSCRIPTIONS:
        raise WasiError(NOMEM)
    records = memory.read(subscriptions, count * size)
    wanted = [layout.unpack_subscription(records, offset) for offset in range(0, len(records), size)]
    happened = _wait(process, wanted)
    memory.write(events, b"".join(happened))
    write_u32(memory, result, len(happened))


def _wait(process: Process, wanted: list[Subscription]) -> list[bytes]:
    """The events of the subscriptions that are first to be ready, packed."""
    clocks = process.clocks
    start = clocks.monotonic()
    deadlines = {index: _deadline(clocks, start, one) for index, one in enumerate(wanted) if one.kind == EVENT_CLOCK}
    waits = {index: _host_descriptor(process, one) for index, one in enumerate(wanted) if one.kind != EVENT_CLOCK}
    read = {fd for index, fd in waits.items() if fd is not None and wanted[index].kind == EVENT_FD_READ}
    write = {fd for index, fd in waits.items() if fd is not None and wanted[index].kind == EVENT_FD_WRITE}
    some_ready = None in waits.values()
    until = start if some_ready else min(deadlines.values(), default=None)
    time, ready = _pass_time(process, start, until, read, write)
    events = []
    for index, one in enumerate(wanted):
        if one.kind == EVENT_CLOCK:
            if deadlines[index] <= time:
                events.append(EVENT.pack(one.userdata, SUCCESS, EVENT_CLOCK, 0, 0))
        elif (event := _event(process, one, waits[index], ready)) is not None:
            events.append(event)
    return events


def _deadline(clocks: Clocks, start: int, one: Subscription) -> int:
    """When a clock's subscription is due, on the monotonic clock."""
    if one.target not in (CLOCK_REALTIME, CLOCK_MONOTONIC) or one.flags & ~ALL_SUBCLOCKFLAGS:
        raise WasiError(INVAL)
    if not one.flags & SUBCLOCK_ABSTIME:
        return start + one.timeout
    if one.target == CLOCK_MONOTONIC:
        return one.timeout
    return start + max(0, one.timeout - now(clocks, CLOCK_REALTIME))


def _host_descriptor(process: Process, one: Subscription) -> int | None:
    """What to wait for; None if it is ready."""
    if one.kind == EVENT_FD_READ:
        return process.fds.get(one.target).wait_read()
    if one.kind == EVENT_FD_WRITE:
        return process.fds.get(one.target).wait_write()
    raise WasiError(INVAL)


def _pass_time(process: Process, start: int, until: int | None, read: set[int], write: set[int]) -> tuple[int, Ready]:
    """Wait for descriptors until the moment `until`: which time it is then, and what is ready."""
    clocks = process.clocks
    if not (read or write):
        return (start if until is None else _sleep(process, start, until)), NOTHING
    if clocks.virtual and until is not None:
        ready = wait(read, write, 0)
        return (start if ready != NOTHING else _sleep(process, start, until)), ready
    time = start
    while True:
        ready = wait(read, write, SLICE_NS if until is None else max(0, min(until - time, SLICE_NS)))
        time = clocks.monotonic()
        if ready != NOTHING or (until is not None and until <= time):
            return time, ready
        process.check_interruption()


def _sleep(process: Process, start: int, until: int) -> int:
    """Let time pass until the moment `until`: which time it is then."""
    clocks, left = process.clocks, until - start
    while left > 0:
        step = left if clocks.virtual else min(left, SLICE_NS)
        clocks.sleep(step)
        process.check_interruption()
        left = min(left - step, until - clocks.monotonic())
    return max(start, until)


def _event(process: Process, one: Subscription, fd: int | None, ready: Ready) -> bytes | None:
    if fd in ready.invalid:
        return EVENT.pack(one.userdata, BADF, one.kind, 0, 0)
    if fd is not None and fd not in (ready.read if one.kind == EVENT_FD_READ else ready.write):
        return None
    state = process.fds.get(one.target).readable() if one.kind == EVENT_FD_READ else Readiness()
    flags = EVENTRW_HANGUP if state.hangup or fd in ready.hangup else 0
    return EVENT.pack(one.userdata, SUCCESS, one.kind, state.bytes, flags)
