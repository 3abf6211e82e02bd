"""Identifiers for what a module's name section names: valid, and unique in each index space.

A name that is taken already, or is empty, gets an identifier of its own and keeps its name in a `(@name "…")` annotation, so that the
assembler makes the same name section again.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, final
from purewasm.text.literals import format_identifier, format_name

if TYPE_CHECKING:
    from collections.abc import Mapping


@final
class Identifiers:
    """Identifiers of one index space."""

    __slots__ = ("_annotated", "_by_index")

    def __init__(self, names: Mapping[int, str], count: int) -> None:
        self._by_index: dict[int, str] = {}
        self._annotated: dict[int, str] = {}
        taken: set[str] = {name for name in names.values() if name}
        seen: set[str] = set()
        for index in sorted(names):
            if index >= count:
                continue
            name = names[index]
            if not name or name in seen:
                self._annotated[index] = name
                name = _free_name(name, index, taken)
            seen.add(name)
            taken.add(name)
            self._by_index[index] = format_identifier(name)

    def reference(self, index: int) -> str:
        """How to refer to an index: by identifier, else by number."""
        return self._by_index.get(index) or str(index)

    def get(self, index: int) -> str | None:
        """The identifier of an index, if it has one."""
        return self._by_index.get(index)

    def binding(self, index: int) -> str:
        """What stands where the index is defined: identifier, annotation, and the number as a comment; with a space in front."""
        return f"{self.named(index)} (;{index};)"

    def named(self, index: int) -> str:
        """Identifier and annotation, each with a space in front; empty for what has no name."""
        identifier = self._by_index.get(index)
        if identifier is None:
            return ""
        annotated = self._annotated.get(index)
        return f" {identifier}" if annotated is None else f" {identifier} (@name {format_name(annotated)})"


def _free_name(name: str, index: int, taken: set[str]) -> str:
    """A name like `name` that is not taken; the index makes it unique nearly always."""
    candidate = f"{name}#{index}"
    while candidate in taken:
        candidate += "'"
    return candidate
