"""Methods that decorators have marked: found in the class that marks them, used as the last class overrides them."""

from __future__ import annotations


def marked_members(kind: type, mark: str) -> dict[str, object]:
    """Attributes with a mark, by name. A method that a subclass overrides keeps the mark of the class above it, as a generated base
    class asks for."""
    found: dict[str, object] = {}
    for owner in reversed(kind.__mro__):
        found |= {name: member for name, member in vars(owner).items() if hasattr(member, mark)}
    return found
