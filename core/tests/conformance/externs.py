"""Exports by name, as what they are."""

from __future__ import annotations

from purewasm import Function, Global, Instance, Memory, Table, Tag


def function_of(instance: Instance, name: str) -> Function:
    made = instance.exports[name]
    assert isinstance(made, Function)
    return made


def memory_of(instance: Instance, name: str) -> Memory:
    made = instance.exports[name]
    assert isinstance(made, Memory)
    return made


def table_of(instance: Instance, name: str) -> Table:
    made = instance.exports[name]
    assert isinstance(made, Table)
    return made


def global_of(instance: Instance, name: str) -> Global:
    made = instance.exports[name]
    assert isinstance(made, Global)
    return made


def tag_of(instance: Instance, name: str) -> Tag:
    made = instance.exports[name]
    assert isinstance(made, Tag)
    return made
