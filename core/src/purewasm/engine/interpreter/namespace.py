"""The namespace of one instance: the globals of its generated code, filled name by name.

Generated code names what it needs and knows nothing of instances; when a function is made for an instance, every name of its code
that the namespace does not have yet is resolved here:

    f7  b7           function 7; the body of one that makes tail calls     F7       the same as a reference
    g2  G2           private global 2 itself; global 2 as an object         Y3       type 3
    mem vu32 vu32_1  views of memories 0 and 1 (`memory_views`)             M0       memory 0
    T0_3             what call_indirect of type 3 finds in table 0          X0       table 0
    Z1               tag 1                                                  D  S     data and element segments
    stop             None, or why to stop                                   charge   spends fuel
    nan_7ff8…        the NaN with these bits

So an instance costs nothing for what it never uses.
"""

from __future__ import annotations

from _thread import get_ident
from types import CodeType, FunctionType

from purewasm import traps
from purewasm.engine.interpreter import memory_views
from purewasm.engine.interpreter.atomic_operations import WAITS
from purewasm.engine.interpreter.backtrace import STATE
from purewasm.engine.interpreter.entry import make_entry
from purewasm.engine.interpreter.intrinsics import INTRINSICS
from purewasm.engine.interpreter.stubs import is_ready, make_stub, ready, tail_of
from purewasm.engine.interpreter.table_views import TableViews, ViewUser, views_of
from purewasm.errors import FuelExhausted, InternalError, Interrupted
from purewasm.light_library import partial
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store.meter import CLOSED
from purewasm.wasm.float_bits import f64_from_bits

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.module_code import ModuleCode
    from purewasm.store.function import Function
    from purewasm.store.instance import Instance
    from purewasm.store.memory import Memory
    from purewasm.store.meter import Meter

    Entry = Callable[..., object]


def fuel_charger(meter: Meter) -> Callable[[int], None]:
    """What spends fuel before the instructions that it is for; with too little left, all of it is gone."""
    limits = meter.call_fuel

    def charge(cost: int) -> None:
        left = meter.budget
        if limits and (limit := limits.get(thread := get_ident())) is not None:
            if limit < cost or (left is not None and left < cost):
                meter.spend(limit if left is None or limit < left else left)
                raise FuelExhausted(traps.FUEL_EXHAUSTED)
            limits[thread] = limit - cost
        if left is not None:
            if left < cost:
                meter.budget = 0
                raise FuelExhausted(traps.FUEL_EXHAUSTED)
            meter.budget = left - cost

    return charge


@final
class Namespace(ViewUser):
    """Resolves the names of an instance's code, and keeps what they mean up to date."""

    __slots__ = ("closed", "code", "instance", "instance_name", "leaves", "memory_names", "names", "table_views", "view_names")

    def __init__(self, code: ModuleCode, instance: Instance) -> None:
        self.code, self.instance = code, instance
        self.instance_name: Final = instance.name
        self.closed = False
        self.names: Final[dict[str, object]] = {"__builtins__": INTRINSICS, STATE: self, "stop": None}
        self.memory_names: dict[int, list[str]] = {}
        self.view_names: dict[TableViews, list[tuple[str, int]]] = {}
        self.leaves: set[int] = set()

    # ---- functions

    def entry(self, index: int) -> Entry:
        """What `f<index>` is now: the function, or a stub."""
        name = f"f{index}"
        known = self.names.get(name)
        if known is None:
            known = self.names.setdefault(name, self._function(name, index))
        return known  # type: ignore[return-value]

    def _function(self, name: str, index: int) -> Entry:
        module = self.code.module
        if index < module.imported_functions:
            function = self.instance.functions[index]
            if is_ready(function.raw):
                return function.raw
            return make_stub(function.deftype, partial(self._prepare_import, name, function))
        return make_stub(module.func_types[index], partial(self.prepare, index))

    def _prepare_import(self, name: str, function: Function) -> Entry:
        raw = self.names[name] = ready(function.raw)
        return raw

    def _body(self, name: str, index: int) -> Entry:
        """What a tail call of function `index` calls."""
        return make_stub(self.code.module.func_types[index], partial(self._prepare_body, name, index))

    def _prepare_body(self, name: str, index: int) -> Entry:
        body = self.names[name] = tail_of(self.entry(index))
        return body

    def prepare(self, index: int) -> Entry:
        """Make the defined function `index` of its code, and put it where its stub is."""
        names = self.names
        known = names.get(f"f{index}")
        if known is not None and is_ready(known):  # type: ignore[arg-type]
            return known  # type: ignore[return-value]
        if self.closed:
            raise Interrupted(CLOSED)
        made = self.code.function(index)
        self.link(made.entry)
        entry = FunctionType(made.entry, names)
        if made.body is not None:
            self.link(made.body)
            body = names[f"b{index}"] = FunctionType(made.body, names)
            entry.body = body  # type: ignore[attr-defined]
        if made.leaf:
            self.leaves.add(index)
        names[f"f{index}"] = entry
        function = self.instance.functions.get(index)
        if function is not None:
            self.adopt(function, index)
        return entry

    def adopt(self, function: Function, index: int) -> None:
        """Give the function as a reference what is known of its code by now."""
        function.raw = self.entry(index)
        if index in self.leaves:
            function.invoke = self.instance.limit(make_entry(function, 0, leaf=True))

    def is_wrapper(self, name: str) -> bool:
        """True for the frame that runs tail calls for a function's body."""
        if name[0] == "b":
            return False
        entry = self.names.get(name)
        return hasattr(entry, "body")

    # ---- names

    def link(self, code: CodeType) -> None:
        """Resolve every name that the code uses."""
        names = self.names
        for name in code.co_names:
            if name not in names and name not in INTRINSICS:
                names.setdefault(name, self.resolve(name))  # another thread may have been faster, and used it
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self.link(constant)

    def resolve(self, name: str) -> object:
        """What a name means. Names of attributes are among those of a code object: for them it does not matter."""
        kind, rest = name[0], name[1:]
        if rest.isdigit():
            resolver = _RESOLVERS.get(kind)
            if resolver is not None:
                return resolver(self, name, int(rest))
        base, _, suffix = name.partition("_")
        if base in memory_views.NAMES:
            index = int(suffix or 0)
            self.memory_names.setdefault(index, []).append(name)
            return memory_views.make_view(self.instance.memories[index].data, base)
        if kind == "T" and suffix.isdigit():
            return self._table_view(name, int(base[1:]), int(suffix))
        if base == "nan" and suffix:
            return f64_from_bits(int(suffix, 16))
        if name == "D":
            return self.instance.data
        if name == "S":
            return self.instance.elements
        if name == "charge":
            return fuel_charger(self.instance.meter)
        if name in WAITS:
            return partial(WAITS[name], self.names)
        if name in _ATTRIBUTES:
            return None
        raise InternalError(f"generated code uses an unknown name: {name}")

    def _table_view(self, name: str, table: int, type_index: int) -> object:
        views = views_of(self.instance.tables[table])
        deftype = self.code.module.types[type_index]
        known = self.view_names.get(views)
        if known is None:
            known = self.view_names[views] = []
            views.add_user(self)
        known.append((name, deftype.id))
        return views.view(deftype.id)

    def _private_global(self, name: str, index: int) -> object:
        return self.instance.globals[index].raw

    # ---- changes from outside

    def memory_moved(self, memory: Memory) -> None:
        """An observer of its memories: make new views."""
        if self.closed:
            return
        for index, known in enumerate(self.instance.memories):
            if known is memory:
                for name in self.memory_names.get(index, ()):
                    self.names[name] = memory_views.make_view(memory.data, name.partition("_")[0])

    def views_replaced(self, views: TableViews) -> None:
        for name, type_id in self.view_names.get(views, ()):
            self.names[name] = views.view(type_id)

    def close(self) -> None:
        """What still runs stops at its next poll."""
        self.closed = True
        self.names["stop"] = partial(self.instance.meter.interruption, CLOSED)

    def release(self) -> None:
        """Forget everything: nothing runs any more. A call through a stale reference still finds out that it is closed."""
        self.names.clear()
        self.names.update({"__builtins__": INTRINSICS, STATE: self, "stop": partial(Interrupted, CLOSED)})
        self.memory_names.clear()
        self.view_names.clear()
        del self.instance

    def meter_changed(self, meter: Meter) -> None:
        """An observer of its meter."""
        if self.closed:
            return
        reason = meter.oldest_reason
        self.names["stop"] = None if reason is None else partial(meter.interruption, reason)
        if "charge" in self.names:
            self.names["charge"] = fuel_charger(meter)


_ATTRIBUTES: Final = frozenset(("raw", "elements", "fields", "value", "id", "tag", "go", "bit_length", "bit_count"))
_RESOLVERS: Final[dict[str, Callable[[Namespace, str, int], object]]] = {
    "f": lambda space, name, index: space._function(name, index),
    "b": lambda space, name, index: space._body(name, index),
    "F": lambda space, name, index: space.instance.function(index),
    "g": lambda space, name, index: space._private_global(name, index),
    "G": lambda space, name, index: space.instance.globals[index],
    "M": lambda space, name, index: space.instance.memories[index],
    "X": lambda space, name, index: space.instance.tables[index],
    "Y": lambda space, name, index: space.code.module.types[index],
    "Z": lambda space, name, index: space.instance.tags[index],
}
