"""Functions: exported by guests, or made of Python callables (spec: runtime structure, function instances)."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, final
from purewasm.store.descriptors import FunctionType, describe_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.store.instance import Instance
    from purewasm.wasm.deftypes import DefType

    Name = str | Callable[[int], str | None] | None
    """A function's name, or what finds it out by index: names of guests are for messages, which few programs need."""


def found_name(name: Name, index: int) -> str | None:
    """A function's name."""
    return name(index) if callable(name) else name


class Function:
    """A callable function of a guest or of the host.

    Call it with one Python value per parameter. No result gives None, one gives the value, several give a tuple.
    `TypeError` for a wrong number or kind of arguments, `OverflowError` for numbers that do not fit, `Trap`,
    `GuestException`, `GuestExit`, `Interrupted` or any exception of a host function for what happens inside.
    """

    __slots__ = ("__weakref__", "deftype", "index", "instance", "invoke", "name_source", "raw")

    deftype: DefType
    """The canonical type."""
    name_source: Name
    """What `name` comes from."""
    instance: Instance | None
    """The instance that defines it (host functions: that imports it), or None."""
    index: int
    """Index in that instance's function index space, or -1."""
    raw: Callable[..., object]
    """The engine's entry over raw values."""
    invoke: Callable[..., object]
    """The public entry: converts arguments, results and errors."""

    def __init__(
        self,
        deftype: DefType,
        raw: Callable[..., object],
        invoke: Callable[..., object],
        *,
        instance: Instance | None = None,
        index: int = -1,
        name: Name = None,
    ) -> None:
        self.deftype, self.raw, self.invoke = deftype, raw, invoke
        self.instance, self.index, self.name_source = instance, index, name

    @property
    def name(self) -> str | None:
        """The name by which the guest knows it (name section, export or host module), or None."""
        return found_name(self.name_source, self.index)

    @property
    def type(self) -> FunctionType:
        """Parameter and result types, by name: `f.type.params == ("i32", "i32")`."""
        return describe_function(self.deftype.func)

    def __call__(self, *args: object) -> object:
        return self.invoke(*args)

    def replace_invoke(self, invoke: Callable[..., object]) -> None:
        """Let every call from Python go to `invoke`. An engine whose functions are called in another way overrides this."""
        self.invoke = invoke

    def with_options(self, *, timeout: float | None = None, fuel: int | None = None) -> LimitedFunction:
        """This function with limits for each call: `timeout` in seconds of wall time, `fuel` in units (about one an instruction).

        `fuel` needs a runtime made with `fuel=True`, `timeout` one with `interruptible=True` (the default).
        """
        return LimitedFunction(self, timeout, fuel)

    def __repr__(self) -> str:
        return f"<Function {self.name or f'func[{self.index}]'}: {self.type}>"


@final
class LimitedFunction:
    """A function with limits of time and fuel for each call of it."""

    __slots__ = ("_limited", "fuel", "function", "timeout")

    def __init__(self, function: Function, timeout: float | None, fuel: int | None) -> None:
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout is a number of seconds, not negative: {timeout!r}")
        if fuel is not None and fuel < 0:
            raise ValueError(f"fuel is not negative: {fuel!r}")
        from purewasm.store.watchdog import limited  # most calls have no limits of their own

        self.function, self.timeout, self.fuel = function, timeout, fuel
        self._limited = limited

    def __call__(self, *args: object) -> object:
        instance = self.function.instance
        if instance is None:
            return self.function(*args)
        return self._limited(instance, self.timeout, self.fuel, self.function.invoke, args)

    def __repr__(self) -> str:
        return f"<{self.function!r} with timeout={self.timeout} fuel={self.fuel}>"
