"""Whose turn it is: instances that are linked with each other are run by one thread at a time.

A guest's own data (its stack pointer, its heap) would not survive two threads in it. A thread that comes second waits, without the GIL,
until the first one has left its outermost call; those that wait go in the order in which they came. While it waits, it is
interrupted like a running call. A thread keeps its turn through host calls and may come back in, but gives it up while it waits at an
address of a shared memory: whoever is to wake it may have to come through the same instances. Threads that would wait for
each other in a circle are told so.

The words are only looked at and changed by who holds the GIL. Entries do the usual case themselves (`entry`). Compiled code does not
depend on turns for its own safety, so a reference that reaches an instance in some other way is called as it is.
"""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.control import own_block
from purewasm.engine.native.libc import system
from purewasm.errors import LinkError, WasmError
from purewasm.light_library import ref
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, TypeVar, final
from purewasm.store import layout
from purewasm.wasm.live import LiveSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from purewasm.store.meter import Meter

T = TypeVar("T")

_OWNER: Final = layout.TURN_OWNER >> 3
_DEPTH: Final = layout.TURN_DEPTH >> 3
_WAITER: Final = layout.TURN_WAITER >> 3
_NOBODY: Final = 0
_NEXT: Final = 1
_SECONDS: Final = 0.02
"""How long a thread waits before it looks whether its call was interrupted."""


if TYPE_CHECKING:

    class Follower(Protocol):
        """A heap, as far as its turn is concerned."""

        def follow(self, turn: Turn) -> None:
            """This is its turn from now on, and that of all instances that use it."""


_turns: Final[LiveSet[Turn]] = LiveSet()
_waiting: Final[dict[int, Turn]] = {}
"""By control block: what its thread waits for."""


@final
class Turn:
    """The turn of one link group."""

    __slots__ = ("__weakref__", "_away", "_block", "_heaps", "_queue")

    def __init__(self) -> None:
        self._block = libc.Block(layout.TURN_BYTES)
        self._queue: list[int] = []
        self._away = 0  # threads in the middle of a call that have given it up
        self._heaps: list[ref[Follower]] = []
        _turns.add(self)

    @property
    def address(self) -> int:
        """Where its words are."""
        return self._block.address

    @property
    def is_taken(self) -> bool:
        """True while a thread has it, or will take it back."""
        return self._block.words[_OWNER] > _NEXT or self._away > 0

    @property
    def is_mine(self) -> bool:
        """True where the calling thread has it."""
        return self._block.words[_OWNER] == own_block()

    def wait(self, poll: Callable[[], None]) -> None:
        """Until the calling thread has the turn. What `poll` raises ends that; so does a circle of threads, with `WasmError`."""
        words, mine = self._block.words, own_block()
        if words[_OWNER] == _NOBODY:
            words[_OWNER] = _NEXT
        self._queue.append(mine)
        self._announce()
        _waiting[mine] = self
        try:
            while words[_OWNER] != _NEXT or self._queue[0] != mine:
                if self._is_circle(mine):
                    raise WasmError("deadlock: this call waits for an instance whose thread waits for an instance that this thread runs")
                system.wait_semaphore(mine + layout.SEMAPHORE, _SECONDS)
                poll()
            poll()
            words[_OWNER] = mine
        finally:
            del _waiting[mine]
            self._queue.remove(mine)
            self._announce()
            if words[_OWNER] == _NEXT:
                self._pass_on()

    def lead(self, heap: Follower) -> None:
        """Who runs code that uses this heap has this turn."""
        self._heaps.append(ref(heap))

    def joined(self, other: object) -> AbstractContextManager[Turn]:
        """The turn of the instances of both, which get it meanwhile. Where heaps depend on them, one of both has to be free until then:
        who runs with the other one would not know. `LinkError` if both are taken."""
        from contextlib import contextmanager  # few programs come here, and it is a hundredth of a start

        return contextmanager(self._joined)(other)

    def _joined(self, other: object) -> Iterator[Turn]:
        assert isinstance(other, Turn)
        if other is self or not (self._heaps or other._heaps):
            yield self
            return
        kept, left = (self, other) if other._reserve() else (other, self)
        if kept is other and not self._reserve():
            raise LinkError("cannot link these instances while both are running: structures and arrays need one thread at a time")
        try:
            for reference in left._heaps:
                heap = reference()
                if heap is not None:
                    kept._heaps.append(reference)
                    heap.follow(kept)
            left._heaps = []
            yield kept
        finally:
            left.give_up()

    def _reserve(self) -> bool:
        """Take the turn, if nobody has it."""
        words = self._block.words
        if words[_OWNER] != _NOBODY or self._away:
            return False
        words[_OWNER], words[_DEPTH] = own_block(), 1
        return True

    def _announce(self) -> None:
        """Tell who gives the turn up whom to wake."""
        self._block.words[_WAITER] = self._queue[0] + layout.SEMAPHORE if self._queue else 0

    def _pass_on(self) -> None:
        if self._queue:
            system.post_semaphore(self._queue[0] + layout.SEMAPHORE)
        else:
            self._block.words[_OWNER] = _NOBODY

    def _is_circle(self, mine: int) -> bool:
        turn: Turn | None = self
        for _ in range(len(_waiting) + 1):
            if turn is None:
                return False
            owner = turn._block.words[_OWNER]
            if owner == mine:
                return True
            turn = _waiting.get(owner)
        return False

    def take(self, poll: Callable[[], None]) -> None:
        """The calling thread has the turn (once more) until `give_up`."""
        words, mine = self._block.words, own_block()
        if words[_OWNER] == _NOBODY:
            words[_OWNER] = mine
        elif words[_OWNER] != mine:
            self.wait(poll)
        words[_DEPTH] += 1

    def take_if_free(self) -> bool:
        """Take the turn if no other thread has it or waits for it; false where that is so."""
        words, mine = self._block.words, own_block()
        if words[_OWNER] == _NOBODY:
            words[_OWNER] = mine
        elif words[_OWNER] != mine:
            return False
        words[_DEPTH] += 1
        return True

    def give_up(self) -> None:
        words = self._block.words
        words[_DEPTH] -= 1
        if not words[_DEPTH]:
            words[_OWNER] = _NEXT
            self._pass_on()

    def given_up(self, wait: Callable[[], T]) -> T:
        """What `wait` gives. Others may have the turn meanwhile; the calling thread has it again afterwards, if it had it before."""
        words, mine = self._block.words, own_block()
        if words[_OWNER] != mine:
            return wait()
        depth, words[_DEPTH], words[_OWNER] = words[_DEPTH], 0, _NEXT
        self._away += 1
        self._pass_on()
        try:
            return wait()
        finally:
            self._take_back(mine)
            words[_DEPTH] = depth
            self._away -= 1

    def _take_back(self, mine: int) -> None:
        """The call cannot end without the turn, so nothing ends the wait for it; a circle ends where the other thread finds it."""
        words = self._block.words
        raised: BaseException | None = None
        if words[_OWNER] == _NOBODY:
            words[_OWNER] = mine
        while words[_OWNER] != mine:
            try:
                self.wait(_no_poll)
            except WasmError:
                pass  # a circle
            except BaseException as error:  # noqa: BLE001 (what a signal's handler raises: once the turn is there)
                raised = error
        if raised is not None:
            raise raised

    def forget_others(self, mine: int) -> None:
        """In a forked child: the other threads are not there."""
        self._queue.clear()
        self._away = 0
        self._announce()
        if self._block.words[_OWNER] != mine:
            self._block.words[_OWNER] = self._block.words[_DEPTH] = 0


def _no_poll() -> None:
    """Nothing stops."""


def turn_of(meter: Meter) -> Turn:
    """The turn of the instances that share a meter."""
    turn = meter.turn
    if turn is None:
        turn = meter.turn = Turn()
    assert isinstance(turn, Turn)
    return turn


def forget_after_fork() -> None:
    _waiting.clear()
    mine = own_block()
    for turn in _turns:
        turn.forget_others(mine)
