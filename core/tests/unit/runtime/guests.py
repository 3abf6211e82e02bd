"""Calling guests in tests."""

from __future__ import annotations

from purewasm import Function, Instance


def function(instance: Instance, name: str) -> Function:
    """The exported function of this name, whatever characters are in it."""
    found = instance.exports[name]
    assert isinstance(found, Function)
    return found


def call(instance: Instance, name: str, *arguments: object) -> object:
    """Call it."""
    return function(instance, name)(*arguments)
