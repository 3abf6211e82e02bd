"""Objects that guests hold as externref: a word is the object's address, and the objects are kept alive here.

Nobody counts the copies that a guest makes. From time to time, when no guest is running, what is in no table and no global any more is
let go.
"""

from __future__ import annotations

from _thread import get_ident
from itertools import chain, repeat

from purewasm.engine.native import libc
from purewasm.engine.native.control import active_words, is_active
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final
from purewasm.wasm.live import LiveSet
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    from collections.abc import Iterable


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


def add_holder(holder: Holder) -> None:
    """Objects whose words are in `holder` (held weakly) stay alive."""
    _holders.add(holder)


@final
class Converting:
    """While objects become words that are in no guest, table or global yet: nothing is let go meanwhile."""

    def __enter__(self) -> None:
        dropped: list[object] = []
        with _lock:  # nobody begins to convert while another thread sweeps
            if len(HELD) >= LIMIT.words[0] and not _busy and not is_active():
                dropped = _sweep()
            _busy.append(get_ident())
        dropped.clear()  # destructors run here, when the table of handles is in order again

    def __exit__(self, *error: object) -> None:
        with _lock:
            _busy.remove(get_ident())


CONVERTING: Final = Converting()
_busy: Final[list[int]] = []
"""The thread of each conversion that goes on."""
_lock: Final = process_lock()


def forget_after_fork() -> None:
    """In the child: other threads are not there."""
    _busy[:] = [thread for thread in _busy if thread == get_ident()]


def word_of(value: object) -> int:
    """The word of an object, which lives as long as a guest can have it. None is null. In `with CONVERTING`, or while a guest runs."""
    if value is None:
        return 0
    word = id(value)
    HELD[word] = value
    return word


def object_of(word: int) -> object:
    """The object of a word that came from a guest, a table or a global."""
    return libc.object_at(word) if word else None


def relieve() -> None:
    """Called while a guest runs and more is held than there should be."""
    LIMIT.words[0] *= 2


def _sweep() -> list[object]:
    """What nobody holds any more. Guests of other threads may begin meanwhile: then everything stays."""
    candidates = HELD.copy()
    for holder in _holders:
        for word in holder.words():
            candidates.pop(word, None)
    # Guests of other threads convert without the lock, so the last look at them and the removal are one C call: no bytecode lies
    # between them at which the GIL could change hands. It ends at the first word that is not zero; `append` gives None.
    dropped: list[object] = []
    if any(chain(active_words(), map(dropped.append, map(HELD.pop, candidates, repeat(None))))):
        return []
    LIMIT.words[0] = max(_LEAST, 2 * len(HELD))
    return dropped
