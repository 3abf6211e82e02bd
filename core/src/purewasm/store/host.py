"""Functions of the host: what a host module offers before it is bound to the instance that imports it."""

from __future__ import annotations

from types import FunctionType

from purewasm.errors import LinkError
from purewasm.light_typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from purewasm.store.instance import Exports, Instance
    from purewasm.store.memory import Memory
    from purewasm.wasm.deftypes import DefType


@final
class HostFunction:
    """A Python callable with a function type.

    `fn` gets public values and returns None, one value or a tuple of them, as its type has results; with `wants_caller` a `Caller`
    comes first. `owner` is the key of its host module's state in an instance.
    """

    __slots__ = ("__weakref__", "deftype", "fn", "module", "name", "owner", "wants_caller")

    def __init__(
        self,
        fn: Callable[..., object],
        deftype: DefType,
        *,
        wants_caller: bool = False,
        module: str = "",
        name: str = "",
        owner: Hashable = None,
    ) -> None:
        self.fn, self.deftype, self.wants_caller = fn, deftype, wants_caller
        self.module, self.name, self.owner = module, name, owner

    def __repr__(self) -> str:
        return f"<HostFunction {self.module}.{self.name}>"


@final
class Caller:
    """The instance that calls a host function. Valid as long as the instance is."""

    __slots__ = ("_instance", "_owner")

    def __init__(self, instance: Instance | None, owner: Hashable = None) -> None:
        self._instance, self._owner = instance, owner

    @property
    def instance(self) -> Instance:
        """The instance that imports the function. `LinkError` where the host called the function itself."""
        if self._instance is None:
            raise LinkError("no guest calls this host function: it has no caller")
        return self._instance

    @property
    def memory(self) -> Memory:
        """The caller's memory (see `Instance.memory`)."""
        return self.instance.memory

    @property
    def exports(self) -> Exports:
        """The caller's exports."""
        return self.instance.exports

    @property
    def state(self) -> object:
        """What the host module's `attach` returned for this instance; None where the host called the function itself."""
        # Not by way of `instance`: host modules ask for this at every call.
        instance = self._instance
        return None if instance is None else instance.host_states.get(self._owner)

    def check_interruption(self) -> None:
        """Raise what stops the caller, if its time is up or it was closed. A host function that waits has to ask now and then, every 20 ms
        or so: nobody else can end its wait. Nothing happens where the host called the function itself."""
        if self._instance is not None:
            self._instance.check_interruption()

    def __repr__(self) -> str:
        return f"<Caller {self._instance!r}>"


def wants_caller(fn: Callable[..., object]) -> bool:
    """True where the first parameter (behind `self`) is annotated as `Caller`."""
    function: object = getattr(fn, "__func__", fn)
    skip = 0 if function is fn else 1
    if not isinstance(function, FunctionType):
        function, skip = getattr(type(fn), "__call__", None), 1  # noqa: B004 (the function itself is wanted)
        if not isinstance(function, FunctionType):
            return False
    if function.__code__.co_argcount <= skip:
        return False
    note = function.__annotations__.get(function.__code__.co_varnames[skip])
    return note is Caller or (isinstance(note, str) and note.strip("'\"").rpartition(".")[2] == "Caller")
