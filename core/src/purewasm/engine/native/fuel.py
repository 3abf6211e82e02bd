"""A call's fuel: what the meter has goes into the counter that code uses, and back."""

from __future__ import annotations

from purewasm.engine.native.control import own_words
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol
from purewasm.store import layout

if TYPE_CHECKING:
    from purewasm.store.meter import Meter

    class Metered(Protocol):
        """An instance, or the engine's object for it."""

        @property
        def meter(self) -> Meter: ...


_UNLIMITED: Final = (1 << 63) - 1


def enter_guest(metered: Metered) -> None:
    """The counter that code uses gets what the meter has."""
    fuel = metered.meter.fuel
    own_words()[layout.FUEL >> 3] = _UNLIMITED if fuel is None else min(fuel, _UNLIMITED)


def leave_guest(metered: Metered) -> None:
    """The meter is told what was used."""
    meter = metered.meter
    given = meter.fuel
    if given is not None:
        left = own_words()[layout.FUEL >> 3]
        meter.spend(given - left if left >> 63 == 0 else given)
