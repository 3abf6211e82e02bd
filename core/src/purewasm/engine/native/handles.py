"""Objects that guests hold as externref: a word is the object's address, and the objects are kept alive here.

Nobody counts the copies that a guest makes. From time to time, when no guest is running, what is in no table and no global any more is
let go.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Final, Protocol, final

from purewasm.engine.native import libc
from purewasm.engine.native.control import field
from purewasm.store import layout

if TYPE_CHECKING:
    from collections.abc import Iterable


class Holder(Protocol):
    """A table or a global of external references."""

    def words(self) -> Iterable[int]:
        """The words that it holds."""


_held: Final[dict[int, object]] = {}
_holders: Final[weakref.WeakSet[Holder]] = weakref.WeakSet()
_LEAST: Final = 1024
_limit: Final = [_LEAST]


def add_holder(holder: Holder) -> None:
    """Objects whose words are in `holder` (held weakly) stay alive."""
    _holders.add(holder)


@final
class Converting:
    """While objects become words that are in no guest, table or global yet: nothing is let go meanwhile."""

    def __enter__(self) -> None:
        if len(_held) >= _limit[0] and not _busy[0] and not field(layout.ACTIVE):
            _sweep()
        _busy[0] += 1

    def __exit__(self, *error: object) -> None:
        _busy[0] -= 1


CONVERTING: Final = Converting()
_busy: Final = [0]


def word_of(value: object) -> int:
    """The word of an object, which lives as long as a guest can have it. None is null. In `with CONVERTING`, or while a guest runs."""
    if value is None:
        return 0
    word = id(value)
    _held[word] = value
    return word


def object_of(word: int) -> object:
    """The object of a word that came from a guest, a table or a global."""
    return libc.object_at(word) if word else None


def _sweep() -> None:
    used = {word for holder in list(_holders) for word in holder.words()}
    dropped = [value for word, value in _held.items() if word not in used]
    kept = {word: value for word, value in _held.items() if word in used}
    _held.clear()
    _held.update(kept)
    _limit[0] = max(_LEAST, 2 * len(kept))
    del dropped  # destructors run here, when the table of handles is in order again
