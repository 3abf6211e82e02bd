"""Global variables (spec: runtime structure, global instances)."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING
from purewasm.store.values import to_public, to_raw
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import keep_alive

if TYPE_CHECKING:
    from purewasm.wasm.module import GlobalType


class Global:
    """A global variable: `value` reads it, and writes it where it is mutable (`TypeError` where it is not)."""

    __slots__ = ("__weakref__", "_type_kept", "raw", "type")

    raw: object
    """The raw value."""

    def __init__(self, type: GlobalType, raw: object) -> None:
        self.type, self.raw = type, raw
        self._type_kept = keep_alive(type.valtype)

    @property
    def value(self) -> object:
        """The present value."""
        return to_public(self.raw, self.type.valtype)

    @value.setter
    def value(self, value: object) -> None:
        if not self.type.mutable:
            raise TypeError("this global is immutable")
        self.raw = to_raw(self.type.valtype)(value)

    def __repr__(self) -> str:
        return f"<Global {'mut ' if self.type.mutable else ''}{vt.format_type(self.type.valtype)} = {self.value!r}>"
