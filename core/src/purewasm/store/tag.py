"""Exception tags (spec: runtime structure, tag instances)."""

from __future__ import annotations

from purewasm.errors import GuestException
from purewasm.light_typing import TYPE_CHECKING, final
from purewasm.store.values import to_public, to_raw
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from purewasm.wasm.deftypes import DefType


@final
class Tag:
    """A kind of exception. Two tags are the same only if they are one object."""

    __slots__ = ("__weakref__", "deftype", "engine_state", "name")

    def __init__(self, deftype: DefType, name: str | None = None) -> None:
        self.deftype, self.name = deftype, name
        self.engine_state: object = None
        """What an engine has for it."""

    @property
    def params(self) -> tuple[int, ...]:
        """Types of the values that an exception of this tag carries."""
        return self.deftype.func.params

    def exception(self, *values: object) -> GuestException:
        """An exception of this tag, for a host function to raise; `TypeError` or `OverflowError` for values of another type."""
        if len(values) != len(self.params):
            raise TypeError(f"{self!r} takes {len(self.params)} values, got {len(values)}")
        return GuestException(self, tuple(to_raw(t)(value) for t, value in zip(self.params, values, strict=True)))

    def public(self, raw: tuple[object, ...]) -> tuple[object, ...]:
        """The public form of an exception's raw values."""
        return tuple(to_public(value, t) for t, value in zip(self.params, raw, strict=True))

    def __repr__(self) -> str:
        return f"<Tag {self.name or ''}{vt.format_types(self.params)}>"
