"""The host module: overrides by name, shared by every instance of every runtime that it is registered with."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, final

from purewasm_global.batch import GlobalBatch
from purewasm_global.page import MODULE, GlobalPages
from purewasm_global.values import check_name, duration_to_u64, u64, u64_to_nanoseconds

if TYPE_CHECKING:
    from purewasm import HostModule, Runtime


@final
class Globals(MutableMapping[str, int]):
    """Named 64-bit values that guests read: `Globals().register(runtime)`, then `globals["RETRIES"] = 5`.

    A guest asks for a name and gives a default. Where a value of that name is set here the guest gets it, else its own default.
    As a mapping it holds unsigned 64-bit integers; a bool is 0 or 1 and a duration signed nanoseconds, which `set_bool`,
    `set_duration` and their `get_` counterparts convert.

    Thread-safe: a guest sees each change whole, from its next question on. What mappings build from several steps (`update`, `pop`,
    `setdefault`) is several changes.
    """

    name: Final = MODULE
    abi: Final = (0, 0)
    """Major and minor version of the ABI. The published ABI has no number of its own: it is version 0."""
    aliases: Final[tuple[str, ...]] = ()
    """Other import module names under which the same ABI was published: none for this one."""

    def __init__(self, values: Mapping[str, int | timedelta] | None = None) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, int] = {}
        self._pages = GlobalPages(self._values.get)
        self._batch = GlobalBatch(self.copy)
        for name, value in (values or {}).items():
            self[name] = value

    def __repr__(self) -> str:
        return f"Globals({self.copy()!r})"

    # The values

    def set(self, name: str, value: int) -> None:
        """Give guests `value`, 0 to 2**64 - 1 (`OverflowError` outside), for `name`. True and False are 1 and 0."""
        name, value = check_name(name), u64(value)
        with self._lock:
            self._values[name] = value

    def delete(self, name: str) -> None:
        """Let guests have their own default for `name` again. Nothing happens if nothing was set."""
        with self._lock:
            self._values.pop(name, None)

    def set_bool(self, name: str, value: bool) -> None:
        """Give guests true or false for `name`."""
        self.set(name, 1 if value else 0)

    def get_bool(self, name: str) -> bool | None:
        """The value as a guest reads a bool (1 is true, all else false), or None if nothing is set."""
        value = self.get(name)
        return None if value is None else value == 1

    def set_duration(self, name: str, duration: timedelta | int) -> None:
        """Give guests a duration for `name`: a timedelta, or int nanoseconds; negative ones too."""
        self.set(name, duration_to_u64(duration))

    def get_duration(self, name: str) -> timedelta | None:
        """The value as a duration, cut to whole microseconds towards the past, or None if nothing is set."""
        value = self.get(name)
        return None if value is None else timedelta(microseconds=u64_to_nanoseconds(value) // 1_000)

    def copy(self) -> dict[str, int]:
        """All values at one moment."""
        with self._lock:
            return dict(self._values)

    def __getitem__(self, name: str) -> int:
        with self._lock:
            return self._values[name]

    def __setitem__(self, name: str, value: int | timedelta) -> None:
        if isinstance(value, timedelta):
            self.set_duration(name, value)
        else:
            self.set(name, value)

    def __delitem__(self, name: str) -> None:
        with self._lock:
            del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.copy())

    def __len__(self) -> int:
        return len(self._values)

    # The host module

    @property
    def host_module(self) -> HostModule:
        """The import module, for the `imports` of one instance."""
        return self._pages

    @property
    def batch_module(self) -> HostModule:
        """The import module of version 1, `purewasm/globals@1`, which reads many values at once."""
        return self._batch

    def register(self, runtime: Runtime) -> None:
        """Offer this host module, in both versions, to every instance that `runtime` makes from now on."""
        self._pages.register(runtime)
        self._batch.register(runtime)

    def close(self) -> None:
        """Forget all values: guests have their own defaults again."""
        self.clear()

    def clear(self) -> None:
        """Remove all values at once."""
        with self._lock:
            self._values.clear()
