"""Fuel and interruption of the instances that can call each other.

Instances that are linked share one `Meter`, so that a limit given to a call holds wherever the call goes. Engines observe
it: they keep the flag that generated code polls wherever that is cheapest for them.
"""

from __future__ import annotations

import _thread

from purewasm.errors import GuestExit, Interrupted
from purewasm.light_library import ref
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from purewasm.errors import WasmError


CLOSED: Final = "the instance is closed"
"""Why code of a closed instance stops."""


if TYPE_CHECKING:

    class MeterObserver(Protocol):
        """What an engine registers for each of its instances."""

        def meter_changed(self, meter: Meter) -> None:
            """The meter was interrupted or released, or the instance got another meter: look at it again."""

    class JointTurn(Protocol):
        """What lets one thread at a time run linked instances."""

        def joined(self, other: object) -> AbstractContextManager[JointTurn]:
            """The turn of the instances of both; they get it inside of the context."""


@final
class Meter:
    """What is left of fuel, and why running code has to stop."""

    __slots__ = ("__weakref__", "_joined", "_observers", "_reasons", "budget", "call_fuel", "exit_status", "turn")

    def __init__(self, budget: int | None = None) -> None:
        self.budget = budget
        """Fuel that is left for all calls together, or None where that is not limited."""
        self.call_fuel: dict[int, int] = {}
        """Fuel that is left for the innermost limited call of a thread. Other threads, whose calls come in between, do not use it."""
        self._reasons: dict[object, tuple[str, int | None]] = {}
        self._joined: Meter | None = None
        self.turn: JointTurn | None = None
        """What an engine uses to let one thread at a time run the instances."""
        self.exit_status: int | None = None
        """Where this is set, an interruption comes out as `GuestExit` with this status."""
        self._observers: list[ref[MeterObserver]] = []

    def add_observer(self, observer: MeterObserver) -> None:
        """Tell `observer` (held weakly) of every change, and of the present state at once."""
        self._observers = [observing for observing in self._observers if observing() is not None]
        self._observers.append(ref(observer))
        observer.meter_changed(self)

    def observers(self) -> Iterator[MeterObserver]:
        return (observer for observing in self._observers if (observer := observing()) is not None)

    @property
    def fuel(self) -> int | None:
        """What is left for the calling thread, or None where nothing is counted."""
        budget = self.budget
        limit = self.call_fuel.get(_thread.get_ident()) if self.call_fuel else None
        return budget if limit is None or (budget is not None and budget < limit) else limit

    def spend(self, cost: int) -> None:
        """The calling thread has used so much; `fuel` is at least that."""
        if self.budget is not None:
            self.budget -= cost
        if self.call_fuel and (thread := _thread.get_ident()) in self.call_fuel:
            self.call_fuel[thread] -= cost

    @property
    def reason(self) -> str | None:
        """Why guest code of the calling thread has to stop (the oldest reason that holds), or None."""
        if self._reasons:
            thread = _thread.get_ident()
            for reason, only in list(self._reasons.values()):
                if only is None or only == thread:
                    return reason
        return None

    @property
    def oldest_reason(self) -> str | None:
        """Why guest code of some thread has to stop, or None."""
        return next(iter(self._reasons.values()), (None,))[0]

    def interrupt(self, reason: str, owner: object = None, thread: int | None = None) -> None:
        """Make running guest code stop at its next poll with `Interrupted(reason)`, until `release(owner)`. Any thread may call this.

        With the identifier of a thread only what that one runs is stopped.
        """
        meter = self.present
        meter._reasons[owner] = reason, thread
        meter._notify()

    def release(self, owner: object = None) -> None:
        """Take an interruption back. Those of other owners hold."""
        meter = self.present
        if meter._reasons.pop(owner, None) is not None:
            meter._notify()

    def interruption(self, reason: str) -> WasmError:
        """The exception that a poll raises."""
        return Interrupted(reason) if self.exit_status is None else GuestExit(self.exit_status)

    def join(self, other: Meter) -> None:
        """Make everything that observes `other` observe this meter: their instances are linked from now on."""
        if other is self:
            return
        if self.turn is None or other.turn is None:
            self.turn = self.turn or other.turn
            self._absorb(other)
            return
        with self.turn.joined(other.turn) as turn:
            self.turn = turn
            self._absorb(other)
            self._notify()

    def use_turn(self, turn: JointTurn) -> None:
        """Its instances have this turn from now on."""
        self.turn = turn
        self._notify()

    def _absorb(self, other: Meter) -> None:
        other._joined = self
        self._reasons |= other._reasons
        self.call_fuel |= other.call_fuel
        for observer in list(other.observers()):
            self.add_observer(observer)
        other._observers = []

    @property
    def present(self) -> Meter:
        """This meter, or the one that it has joined."""
        found = self
        while found._joined is not None:
            found = found._joined
        return found

    def _notify(self) -> None:
        for observer in list(self.observers()):
            observer.meter_changed(self)
