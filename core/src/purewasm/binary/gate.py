"""Refusing what belongs to a proposal that is switched off, or passes an implementation limit."""

from __future__ import annotations

from purewasm.errors import UnsupportedError
from purewasm.wasm.features import name_of


def need(enabled: int, feature: int, what: str) -> None:
    """UnsupportedError unless one of the bits of `feature` is in `enabled`. `what` is the subject of the message, in the singular."""
    if not enabled & feature:
        name = name_of(feature)
        raise UnsupportedError(f"{what} needs the feature {name!r}, which is off", feature=name)


def refuse_above(limit: int, number: int, what: str) -> None:
    """UnsupportedError for a number above a limit. `what` is the plural of what is counted, with its place."""
    if number > limit:
        raise UnsupportedError(f"too many {what}: {number}, and the implementation limit is {limit}")
