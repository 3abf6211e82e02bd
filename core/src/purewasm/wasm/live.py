"""Collections that keep nothing alive, and run nothing when an object goes.

The weak collections of the standard library call Python there, which fails where a collection of garbage comes at the limit of recursion.
These drop what is gone when something is added: now and then, so that it costs next to nothing. Other threads may use them meanwhile.
"""

from __future__ import annotations

from purewasm.light_library import ref
from purewasm.light_typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

T = TypeVar("T")
K = TypeVar("K", bound="Hashable")

_LEAST: Final = 64


class LiveSet(Generic[T]):
    """Objects, as long as somebody else holds them."""

    __slots__ = ("_most", "_references")

    def __init__(self) -> None:
        self._references: dict[ref[T], None] = {}
        self._most = _LEAST

    def add(self, item: T) -> None:
        self._references[ref(item)] = None
        if len(self._references) > self._most:
            for reference in list(self._references):
                if reference() is None:
                    self._references.pop(reference, None)
            self._most = max(_LEAST, 2 * len(self._references))

    def __iter__(self) -> Iterator[T]:
        """Those that are alive now."""
        return iter([item for reference in list(self._references) if (item := reference()) is not None])

    def __len__(self) -> int:
        return sum(reference() is not None for reference in list(self._references))


class LiveValues(Generic[K, T]):
    """Objects by key, as long as somebody else holds them. One thread at a time may set them."""

    __slots__ = ("_most", "_references")

    def __init__(self) -> None:
        self._references: dict[K, ref[T]] = {}
        self._most = _LEAST

    def get(self, key: K) -> T | None:
        """The object, None where there is none any more."""
        reference = self._references.get(key)
        return None if reference is None else reference()

    def __getitem__(self, key: K) -> T:
        found = self._references[key]()
        if found is None:
            raise KeyError(key)
        return found

    def keys(self) -> list[K]:
        """Those of the objects that are alive now."""
        return [key for key, reference in list(self._references.items()) if reference() is not None]

    def __setitem__(self, key: K, value: T) -> None:
        self._references[key] = ref(value)
        if len(self._references) > self._most:
            for known, reference in list(self._references.items()):
                if reference() is None:
                    del self._references[known]
            self._most = max(_LEAST, 2 * len(self._references))
