"""Instances: modules with their functions, memories, tables, globals and tags (spec: runtime structure, module instances)."""

from __future__ import annotations

from purewasm.errors import LinkError, WasmError
from purewasm.light_library import partial
from purewasm.light_typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, TypeAlias, final
from purewasm.store.meter import CLOSED
from purewasm.wasm import module as wm

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, ItemsView, Iterable, Iterator, KeysView, Sequence, ValuesView
    from types import TracebackType

    from purewasm.store.function import Function
    from purewasm.store.global_ import Global
    from purewasm.store.memory import Memory
    from purewasm.store.meter import Meter
    from purewasm.store.table import Table
    from purewasm.store.tag import Tag
    from purewasm.wasm.deftypes import DefType

    Extern: TypeAlias = Function | Memory | Table | Global | Tag


NO_LIMITS: Final = (None, None)


if TYPE_CHECKING:

    class InstanceOwner(Protocol):
        """The engine, as far as an instance needs it."""

        def function(self, instance: Instance, index: int) -> Function:
            """The function at `index` of the instance's function index space, made on first demand."""

        def runner(self, code: object) -> tuple[str, str | None]:
            """The name of the engine that runs the code of an instance; and if that is another one, why."""

        def close_instance(self, instance: Instance) -> None:
            """Give back what the instance holds."""

        def new_struct(self, instance: Instance, deftype: DefType, values: list[object]) -> object:
            """A raw reference to a new structure with these raw values."""

        def new_array(self, instance: Instance, deftype: DefType, values: list[object], times: int = 1) -> object:
            """A raw reference to a new array of these raw values, again and again."""


@final
class Exports:
    """Exports by name: `exports["add"]`, or `exports.add` where the name allows it. A guest's name wins over a method of the mapping.

    What was asked for once is in the object's own dictionary, where attribute access finds it without any Python code.
    """

    __slots__ = ("__dict__", "_purewasm_index", "_purewasm_make")
    _purewasm_index: ExportIndex
    _purewasm_make: Callable[[wm.Export], Extern]

    def __init__(self, index: ExportIndex, make: Callable[[wm.Export], Extern]) -> None:
        object.__setattr__(self, "_purewasm_index", index)
        object.__setattr__(self, "_purewasm_make", make)
        for name in index.hidden:
            self.__dict__[name] = make(index[name])

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            known = ", ".join(self._purewasm_index) or "nothing"
            raise AttributeError(f"no export named {name!r}: the module exports {known}") from None

    def __getitem__(self, name: str) -> Extern:
        made: Extern | None = self.__dict__.get(name)
        if made is None:
            made = self.__dict__[name] = self._purewasm_make(self._purewasm_index[name])
        return made

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("exports cannot be replaced")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("exports cannot be removed")

    def __contains__(self, name: object) -> bool:
        return name in self._purewasm_index

    def __iter__(self) -> Iterator[str]:
        return iter(self._purewasm_index)

    def __len__(self) -> int:
        return len(self._purewasm_index)

    def keys(self) -> KeysView[str]:
        return self._purewasm_index.keys()

    def values(self) -> ValuesView[Extern]:
        return {name: self[name] for name in self}.values()

    def items(self) -> ItemsView[str, Extern]:
        return {name: self[name] for name in self}.items()

    def get(self, name: str, default: Extern | None = None) -> Extern | None:
        known = self._purewasm_index
        return self[name] if name in known else default

    def __dir__(self) -> list[str]:
        return [*self, *super().__dir__()]

    def __repr__(self) -> str:
        return f"<Exports {', '.join(self)}>"


_OWN_NAMES: Final = frozenset(dir(Exports))


class ExportIndex(dict[str, wm.Export]):
    """A module's exports by name. `hidden`: the names that attributes of `Exports` have too."""

    __slots__ = ("hidden",)

    def __init__(self, exports: list[wm.Export]) -> None:
        super().__init__((export.name, export) for export in exports)
        self.hidden = _OWN_NAMES.intersection(self)


def _index_of(wasm: wm.WasmModule) -> ExportIndex:
    known = wasm.export_index
    if not isinstance(known, ExportIndex):
        known = wasm.export_index = ExportIndex(wasm.exports)
    return known


def _closed_exports(index: ExportIndex, name: str | None) -> Exports:
    """Exports that cannot be used any more. They hold nothing, so a closed instance goes as soon as nobody names it."""
    made, refuse = Exports.__new__(Exports), partial(_refuse, name)
    object.__setattr__(made, "_purewasm_index", index)
    object.__setattr__(made, "_purewasm_make", refuse)
    for hidden in index.hidden:
        vars(made)[hidden] = refuse
    return made


def _refuse(name: str | None, *arguments: object) -> NoReturn:
    raise WasmError(f"<Instance {name or 'anonymous'} (closed)> is closed")


@final
class Instance:
    """An instantiated module: `exports`, `memory`, `name`; a context manager that closes it."""

    __slots__ = (
        "__weakref__",
        "_meter",
        "call_limits",
        "closed",
        "code",
        "counts_fuel",
        "data",
        "data_in_place",
        "elements",
        "elements_in_place",
        "engine",
        "engine_state",
        "export_index",
        "exports",
        "functions",
        "globals",
        "host_states",
        "interruptible",
        "memories",
        "module",
        "name",
        "on_close",
        "tables",
        "tags",
        "wasm",
    )

    def __init__(self, wasm: wm.WasmModule, engine: InstanceOwner, meter: Meter, *, name: str | None, module: object = None) -> None:
        self.wasm: Final = wasm
        self.module: Final = module
        """The `Module` that it was made of."""
        self.name: Final = name
        """The name by which other modules import from it, or None."""
        self.engine: Final = engine
        self.engine_state: object = None
        self.code: object = None
        self._meter = meter
        self.interruptible = self.counts_fuel = False
        self.call_limits: tuple[float | None, int | None] = NO_LIMITS
        """Default (timeout in seconds, fuel) of each call from Python."""
        self.closed = False
        self.functions: dict[int, Function] = {}
        """Those that exist as Python objects, by index: what is imported, and what somebody asked for."""
        self.memories: list[Memory] = []
        self.tables: list[Table] = []
        self.globals: list[Global] = []
        self.tags: list[Tag] = []
        self.elements: list[Sequence[object]] = []
        """Raw references of each element segment; a dropped one is empty."""
        self.data: list[bytes | memoryview] = []
        """Bytes of each data segment; a dropped one is empty."""
        self.data_in_place = self.elements_in_place = False
        """The engine has put the active data segments into memory itself; the same for tables."""
        self.host_states: dict[Hashable, object] = {}
        self.on_close: list[Callable[[], object]] = []
        self.export_index = _index_of(wasm)

    exports: Exports
    """Exports by name: functions, memories, tables, globals and tags. A slot, not a property, for the sake of each call that is written
    `instance.exports.add(2, 3)`."""

    def publish(self) -> None:
        """All that it defines is there: let its exports be used."""
        self.exports = Exports(self.export_index, self.extern)

    @property
    def meter(self) -> Meter:
        """The meter of the instances that are linked with this one."""
        return self._meter.present

    @property
    def engine_name(self) -> str:
        """`compiler` or `interpreter`: what runs its code. A runtime with the compiler leaves modules that it cannot compile to the
        interpreter."""
        return self.engine.runner(self.code)[0]

    @property
    def why_interpreted(self) -> str | None:
        """Why a runtime with the compiler leaves it to the interpreter; None where it does not."""
        return self.engine.runner(self.code)[1]

    @property
    def memory(self) -> Memory:
        """The memory exported as `memory`, else the module's first one. `LinkError` if it has none."""
        export = self.export_index.get("memory")
        if export is not None and export.kind == wm.MEMORY:
            return self.memories[export.index]
        if not self.memories:
            raise LinkError(f"{self!r} has no memory")
        return self.memories[0]

    def function(self, index: int) -> Function:
        """The function at `index` of the function index space."""
        made = self.functions.get(index)
        if made is None:
            made = self.engine.function(self, index)
            if self.call_limits != NO_LIMITS:
                made.replace_invoke(self.limit(made.invoke))
        return made

    def limit(self, invoke: Callable[..., object]) -> Callable[..., object]:
        """`invoke` under the default limits of the runtime, if it has any. For an engine that puts another `invoke` into a function."""
        if self.call_limits == NO_LIMITS:
            return invoke
        from purewasm.store.watchdog import limited  # few runtimes have such limits

        timeout, fuel = self.call_limits
        return lambda *args: limited(self, timeout, fuel, invoke, args)

    def extern(self, export: wm.Export) -> Extern:
        """What an export names."""
        if self.closed:
            raise WasmError(f"{self!r} is closed")
        kind, index = export.kind, export.index
        if kind == wm.FUNC:
            return self.function(index)
        if kind == wm.MEMORY:
            return self.memories[index]
        if kind == wm.TABLE:
            return self.tables[index]
        return self.globals[index] if kind == wm.GLOBAL else self.tags[index]

    def host_state(self, owner: Hashable) -> object:
        """The state that a host module attached to this instance, or None."""
        return self.host_states.get(owner)

    def check_interruption(self) -> None:
        """Raise what stops the guest, if its time is up or it was closed: for host functions that wait, which ask again and again."""
        meter = self.meter
        reason = CLOSED if self.closed else meter.reason
        if reason is not None:
            raise meter.interruption(reason)

    def close(self) -> None:
        """End it: running code is interrupted at its next poll, later calls raise `Interrupted`. Closing twice is fine."""
        if self.closed:
            return
        self.closed = True
        hooks, self.on_close = self.on_close, []
        try:
            run_all([*reversed(hooks), lambda: self.engine.close_instance(self), self.host_states.clear])
        finally:
            self.exports = _closed_exports(self.export_index, self.name)

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " (closed)" if self.closed else ""
        return f"<Instance {self.name or 'anonymous'}{state}>"


def run_all(steps: Iterable[Callable[[], object]]) -> None:
    """Take every step of closing something, also when one fails; then raise what the first one that failed raised."""
    first: BaseException | None = None
    for step in steps:
        try:
            step()
        except BaseException as error:  # noqa: BLE001 (it is raised again below)
            first = first or error
    if first is not None:
        raise first
