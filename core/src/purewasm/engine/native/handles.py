"""Objects that guests hold as externref: a word is the object's address, and the objects are kept alive here.

Nobody counts the copies that a guest makes. From time to time what is in no table, no global, no object of a heap and no conversion any
more is let go. Guests that the calling thread runs hold what lies on its stack, where every word counts that may be one of theirs. What
guests of other threads hold nobody can see, nor that of guests whose frames were put aside, so nothing is let go while there are any.
"""

from __future__ import annotations

from itertools import chain, repeat

from purewasm.engine.native import libc
from purewasm.engine.native.control import frames_are_visible, is_active, other_active_words, own_words, stack_pointer
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final
from purewasm.store import layout
from purewasm.wasm.live import LiveSet
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    class Holder(Protocol):
        """A table or a global of external references."""

        def words(self) -> Iterable[int]:
            """The words that it holds."""


HELD: Final[dict[int, object]] = {}
"""By word. Generated code adds exceptions."""
_holders: Final[LiveSet[Holder]] = LiveSet()
_LEAST: Final = 1024
LIMIT: Final = libc.Block(8)
"""How many are held before something is done about it."""
LIMIT.words[0] = _LEAST
_SEEN_EACH: Final = 8
"""So many words of tables and of the stack a sweep may look at for each object that comes until the next one."""


def add_holder(holder: Holder) -> None:
    """Objects whose words are in `holder` (held weakly) stay alive."""
    _holders.add(holder)


@final
class Converting:
    """Objects that become words which are in no guest, table or global yet: they stay as long as this object is alive.

    It is to be made before the first word, and held in a local variable. There is nothing to end: the handler of a signal may raise
    anywhere, and whatever it does, the variable goes with its function.
    """

    __slots__ = ("__weakref__", "values")

    def __init__(self, values: Collection[object]) -> None:
        self.values = values
        dropped: list[object] = []
        with _lock:  # nobody begins to convert while another thread sweeps
            _conversions.add(self)
            BEGUN.add(True)
            if len(HELD) >= LIMIT.words[0] and not _sweeps:
                dropped = _sweep(_Sweep())
        dropped.clear()  # destructors run here, when the table of handles is in order again


@final
class _Sweep:
    """Alive while one goes on."""

    __slots__ = ("__weakref__",)


_conversions: Final[LiveSet[Converting]] = LiveSet()
_sweeps: Final[LiveSet[_Sweep]] = LiveSet()
BEGUN: Final[set[bool]] = set()
"""Not empty: a conversion has begun since a sweep did."""
_lock: Final = process_lock()


def word_of(value: object) -> int:
    """The word of an object, which lives as long as a guest can have it. None is null. While a `Converting` of it lives."""
    if value is None:
        return 0
    word = id(value)
    HELD[word] = value
    return word


def object_of(word: int) -> object:
    """The object of a word that came from a guest, a table or a global."""
    return libc.object_at(word) if word else None


def relieve() -> None:
    """Called while a guest runs and more is held than there should be. The guest's words are on the stack."""
    Converting(())
    if len(HELD) >= LIMIT.words[0]:
        LIMIT.words[0] *= 2


def _sweep(mark: _Sweep) -> list[object]:
    """What nobody holds any more. Where somebody else may hold something that cannot be seen, everything stays."""
    _sweeps.add(mark)
    BEGUN.clear()
    if any(other_active_words()) or not frames_are_visible(stack_pointer()):
        return []
    candidates, seen = HELD.copy(), 0
    for holder in _holders:
        for word in holder.words():
            candidates.pop(word, None)
            seen += 1
    for conversion in _conversions:
        for value in conversion.values:
            candidates.pop(id(value), None)
    if is_active():
        stack = _stack_words()
        seen += len(stack)
        for word in set(filter(candidates.__contains__, stack)):
            del candidates[word]
    # Guests of other threads convert without the lock, and a destructor or a signal's handler may convert at any time. So the last look
    # and the removal are one C call: no bytecode lies between them at which somebody else could run. It ends at the first word that is
    # not zero; `append` gives None.
    dropped: list[object] = []
    try:
        if any(chain(other_active_words(), map(len, (BEGUN,)), map(dropped.append, map(HELD.pop, candidates, repeat(None))))):
            return []
    except RuntimeError:  # a thread has come meanwhile
        return []
    LIMIT.words[0] = max(_LEAST, 2 * len(HELD), len(HELD) + seen // _SEEN_EACH)
    return dropped


def _stack_words() -> memoryview:
    """The calling thread's stack. All registers in which a guest has values lie there too, since whoever calls Python saves them."""
    start = stack_pointer()
    return libc.view_at(start, own_words()[layout.THREAD_TOP >> 3] - start & -8).cast("Q")
