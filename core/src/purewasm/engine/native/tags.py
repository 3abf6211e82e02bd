"""Exception tags as compiled code sees them: a function that throws, and one that gives the values of an exception."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Final, NoReturn, final

from purewasm.engine.native import libc
from purewasm.engine.native.host_binding import HostBinding
from purewasm.store import layout
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import func_type

if TYPE_CHECKING:
    from purewasm.errors import GuestException
    from purewasm.store.tag import Tag


@final
class NativeTag:
    """The records of a tag's functions, as contexts point to them."""

    __slots__ = ("__weakref__", "_block", "_functions", "_tag")

    def __init__(self, tag: Tag) -> None:
        self._tag = weakref.ref(tag)
        catch = func_type((vt.EXTERNREF,), tag.params)
        self._functions = (
            HostBinding(self._throw, tag.deftype, tag.name, None, None, 0),
            HostBinding(_values, catch, tag.name, None, None, 0),
        )
        self._block = libc.Block(layout.TAG_BYTES)
        for position, function in enumerate(self._functions):
            libc.copy_bytes(self.address + layout.TAG_RECORDS + layout.RECORD_BYTES * position, function.record, layout.RECORD_BYTES)
        libc.write_word(self.address + layout.TAG_OBJECT, id(tag))

    @property
    def address(self) -> int:
        return self._block.address

    def _throw(self, *values: object) -> NoReturn:
        tag = self._tag()
        assert tag is not None
        raise tag.exception(*values)


def _values(exception: GuestException) -> object:
    values = exception.values
    return values[0] if len(values) == 1 else values


_tags: Final[weakref.WeakKeyDictionary[Tag, NativeTag]] = weakref.WeakKeyDictionary()


def native_tag(tag: Tag) -> NativeTag:
    """What contexts have of a tag. Who points to it keeps it alive."""
    known = _tags.get(tag)
    if known is None:
        known = _tags[tag] = NativeTag(tag)
    return known
