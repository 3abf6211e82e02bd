"""What the kit expects of a host module: an `AssertionError` otherwise, also where Python leaves out `assert`."""

from __future__ import annotations


def expect(condition: object, message: str) -> None:
    """`AssertionError` with the message where the condition does not hold."""
    if not condition:
        raise AssertionError(message)
