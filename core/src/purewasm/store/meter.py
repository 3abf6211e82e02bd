"""Fuel and interruption of the instances that can call each other.

Instances that are linked share one `Meter`, so that a limit given to a call holds wherever the call goes. Engines observe
it: they keep the flag that generated code polls wherever that is cheapest for them.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Protocol, final

from purewasm.errors import GuestExit, Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.errors import WasmError


class MeterObserver(Protocol):
    """What an engine registers for each of its instances."""

    def meter_changed(self, meter: Meter) -> None:
        """The meter was interrupted or released, or the instance got another meter: look at it again."""


@final
class Meter:
    """`fuel`: units left, or None where nothing is counted. `reason`: why running code has to stop, or None."""

    __slots__ = ("__weakref__", "_observers", "_reasons", "exit_status", "fuel")

    def __init__(self, fuel: int | None = None) -> None:
        self.fuel = fuel
        self._reasons: dict[object, str] = {}
        self.exit_status: int | None = None
        """Where this is set, an interruption comes out as `GuestExit` with this status."""
        self._observers: list[weakref.ref[MeterObserver]] = []

    def add_observer(self, observer: MeterObserver) -> None:
        """Tell `observer` (held weakly) of every change, and of the present state at once."""
        self._observers = [ref for ref in self._observers if ref() is not None]
        self._observers.append(weakref.ref(observer))
        observer.meter_changed(self)

    def observers(self) -> Iterator[MeterObserver]:
        return (observer for ref in self._observers if (observer := ref()) is not None)

    @property
    def reason(self) -> str | None:
        """Why running code has to stop (the oldest reason that holds), or None."""
        return next(iter(self._reasons.values()), None)

    def interrupt(self, reason: str, owner: object = None) -> None:
        """Make running guest code stop at its next poll with `Interrupted(reason)`, until `release(owner)`. Any thread may call this."""
        self._reasons[owner] = reason
        self._notify()

    def release(self, owner: object = None) -> None:
        """Take an interruption back. Those of other owners hold."""
        if self._reasons.pop(owner, None) is not None:
            self._notify()

    def interruption(self, reason: str) -> WasmError:
        """The exception that a poll raises."""
        return Interrupted(reason) if self.exit_status is None else GuestExit(self.exit_status)

    def join(self, other: Meter) -> None:
        """Make everything that observes `other` observe this meter: their instances are linked from now on."""
        if other is not self:
            for observer in list(other.observers()):
                self.add_observer(observer)
            other._observers = []

    def _notify(self) -> None:
        for observer in list(self.observers()):
            observer.meter_changed(self)
