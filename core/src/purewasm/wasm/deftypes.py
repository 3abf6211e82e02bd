"""Defined types: function, structure and array types in recursion groups, made canonical (spec: types, rolling and subtyping).

Two groups that are equal up to the names of their own members are one `RecGroup` in the whole process, so a `DefType` has an
`id` that can stand inside a value type (`valtypes.ref_type(id, …)`) and comparing ids is comparing types, across modules.
The registry holds groups weakly: modules, functions, tables, globals and tags keep the types that they use (`keep_alive`).
"""

from __future__ import annotations

from purewasm.light_typing import Final, NamedTuple, final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.live import LiveValues
from purewasm.wasm.locks import process_lock

# Inside a group under construction, member i is the heap type REC_BASE + i; canonical ids stay far below.
REC_BASE: Final = 1 << 40


class FuncType(NamedTuple):
    """`[params] -> [results]`."""

    params: tuple[int, ...]
    results: tuple[int, ...]

    def __str__(self) -> str:
        return f"{vt.format_types(self.params)} -> {vt.format_types(self.results)}"


class FieldType(NamedTuple):
    """A field of a structure, or an array's element: a storage type and whether it can be written."""

    storage: int
    mutable: bool


class StructType(NamedTuple):
    fields: tuple[FieldType, ...]


class ArrayType(NamedTuple):
    field: FieldType


CompositeType = FuncType | StructType | ArrayType


class SubType(NamedTuple):
    """One member of a group as a module writes it: finality, heap types of its supertypes, and the composite type."""

    final: bool
    supers: tuple[int, ...]
    composite: CompositeType


@final
class RecGroup:
    """A canonical recursion group."""

    __slots__ = ("__weakref__", "types", "uses")

    def __init__(self) -> None:
        self.types: tuple[DefType, ...] = ()
        self.uses: tuple[DefType, ...] = ()  # types of other groups that this one names: kept alive


@final
class DefType:
    """A canonical defined type. `supers` are ids' types; `ancestors` all of them, itself included."""

    __slots__ = ("__weakref__", "_names_objects", "ancestors", "composite", "final", "group", "id", "index", "record", "supers")

    def __init__(self, id: int, group: RecGroup, index: int) -> None:
        self.id, self.group, self.index = id, group, index
        self.final = True
        self.supers: tuple[DefType, ...] = ()
        self.ancestors: frozenset[int] = frozenset((id,))
        self.composite: CompositeType = FuncType((), ())
        self.record: object = None
        """What an engine has of it, alive as long as the type."""
        self._names_objects: bool | None = None

    @property
    def func(self) -> FuncType:
        """The function type; only call it where validation has established that it is one."""
        composite = self.composite
        if not isinstance(composite, FuncType):
            raise TypeError(f"{self!r} is no function type")
        return composite

    @property
    def names_objects(self) -> bool:
        """True for structure and array types, and for function types that name references of the `any` hierarchy, however indirectly."""
        if self._names_objects is None:
            self._names_objects = _names_objects(self)
        return self._names_objects

    def __repr__(self) -> str:
        return f"<DefType {self.id} {self.composite}>"


def _names_objects(start: DefType) -> bool:
    seen, todo = {start.id}, [start]
    while todo:
        current = todo.pop()
        composite = current.composite
        if not isinstance(composite, FuncType):
            return True
        todo.extend(above for above in current.supers if above.id not in seen)
        seen.update(above.id for above in current.supers)
        for valtype in composite.params + composite.results:
            if valtype >= vt.REF_BASE:
                heap = vt.heap_of(valtype)
                if heap < 0:
                    if vt.ANY in _ABSTRACT_SUPERS[heap]:
                        return True
                elif heap not in seen:
                    seen.add(heap)
                    todo.append(_by_id[heap])
    return False


_GroupKey = tuple[SubType, ...]
_lock: Final = process_lock()
_groups: Final[LiveValues[_GroupKey, RecGroup]] = LiveValues()
_by_id: Final[LiveValues[int, DefType]] = LiveValues()
_next_id = 0
_subtype_cache: dict[tuple[int, int], bool] = {}
_SUBTYPE_CACHE_MAX: Final = 20_000


def define_group(members: tuple[SubType, ...]) -> tuple[DefType, ...]:
    """The canonical types of a recursion group. Members name each other by `REC_BASE + i`, other types by their ids."""
    global _next_id
    with _lock:
        group = _groups.get(members)
        if group is not None:
            return group.types
        group, first = RecGroup(), _next_id
        _next_id += len(members)
        types = tuple(DefType(first + i, group, i) for i in range(len(members)))
        uses: dict[int, DefType] = {}
        for made, member in zip(types, members, strict=True):
            made.final = member.final
            made.composite = _resolve(member.composite, first, uses)
            made.supers = tuple(types[s - REC_BASE] if s >= REC_BASE else _by_id[s] for s in member.supers)
        for made in types:
            made.ancestors = _ancestors(made)
        group.types, group.uses = types, tuple(uses.values())
        _groups[members] = group
        for made in types:
            _by_id[made.id] = made
        return types


def _ancestors(start: DefType) -> frozenset[int]:
    """Ids of `start` and everything above it. An invalid group may name itself as its own supertype: the walk still ends."""
    seen: set[int] = set()
    todo = [start]
    while todo:
        current = todo.pop()
        if current.id not in seen:
            seen.add(current.id)
            todo.extend(current.supers)
    return frozenset(seen)


def func_type(params: tuple[int, ...], results: tuple[int, ...]) -> DefType:
    """The plain function type `[params] -> [results]` (final, alone in its group)."""
    return define_group((SubType(True, (), FuncType(params, results)),))[0]


def _resolve(composite: CompositeType, first: int, uses: dict[int, DefType]) -> CompositeType:
    def one(valtype: int) -> int:
        if valtype < vt.REF_BASE:
            return valtype
        heap = vt.heap_of(valtype)
        if heap >= REC_BASE:
            return vt.ref_type(heap - REC_BASE + first, vt.is_nullable(valtype))
        if heap >= 0:
            uses[heap] = _by_id[heap]
        return valtype

    if isinstance(composite, FuncType):
        return FuncType(tuple(map(one, composite.params)), tuple(map(one, composite.results)))
    if isinstance(composite, StructType):
        return StructType(tuple(FieldType(one(f.storage), f.mutable) for f in composite.fields))
    return ArrayType(FieldType(one(composite.field.storage), composite.field.mutable))


def keep_alive(valtype: int) -> DefType | None:
    """The defined type that a value type names, to be held by whoever outlives the module that defined it."""
    heap = vt.heap_of(valtype) if valtype >= vt.REF_BASE else -1
    return _by_id[heap] if heap >= 0 else None


def names_objects(valtype: int) -> bool:
    """True for types of values through which structures and arrays can be reached (see `DefType.names_objects`)."""
    if valtype < vt.REF_BASE:
        return False
    heap = vt.heap_of(valtype)
    return _by_id[heap].names_objects if heap >= 0 else vt.ANY in _ABSTRACT_SUPERS[heap]


# ---- subtyping (spec: validation, matching)

_ABSTRACT_SUPERS: Final = {
    vt.NONE: frozenset((vt.NONE, vt.I31, vt.STRUCT, vt.ARRAY, vt.EQ, vt.ANY)),
    vt.I31: frozenset((vt.I31, vt.EQ, vt.ANY)),
    vt.STRUCT: frozenset((vt.STRUCT, vt.EQ, vt.ANY)),
    vt.ARRAY: frozenset((vt.ARRAY, vt.EQ, vt.ANY)),
    vt.EQ: frozenset((vt.EQ, vt.ANY)),
    vt.ANY: frozenset((vt.ANY,)),
    vt.NOFUNC: frozenset((vt.NOFUNC, vt.FUNC)),
    vt.FUNC: frozenset((vt.FUNC,)),
    vt.NOEXTERN: frozenset((vt.NOEXTERN, vt.EXTERN)),
    vt.EXTERN: frozenset((vt.EXTERN,)),
    vt.NOEXN: frozenset((vt.NOEXN, vt.EXN)),
    vt.EXN: frozenset((vt.EXN,)),
}


def abstract_of(deftype: DefType) -> int:
    """The abstract heap type right above a defined type."""
    composite = deftype.composite
    return vt.FUNC if isinstance(composite, FuncType) else vt.STRUCT if isinstance(composite, StructType) else vt.ARRAY


def is_heap_subtype(sub: int, sup: int) -> bool:
    """True where every reference to `sub` is also one to `sup`."""
    if sub in (sup, vt.BOTTOM_HEAP):
        return True
    if sub >= 0:
        deftype = _by_id[sub]
        if sup >= 0:
            return sup in deftype.ancestors
        return sup in _ABSTRACT_SUPERS[abstract_of(deftype)]
    if sup >= 0:
        bottom = {vt.FUNC: vt.NOFUNC, vt.STRUCT: vt.NONE, vt.ARRAY: vt.NONE}[abstract_of(_by_id[sup])]
        return sub == bottom
    return sup in _ABSTRACT_SUPERS[sub]


def is_subtype(sub: int, sup: int) -> bool:
    """True where a value of type `sub` can stand where `sup` is asked for. `BOTTOM` matches everything."""
    if sub == sup or sub == vt.BOTTOM:
        return True
    if sub < vt.REF_BASE or sup < vt.REF_BASE or (sub & 1 and not sup & 1):
        return False
    key = (sub, sup)
    known = _subtype_cache.get(key)
    if known is None:
        known = is_heap_subtype(vt.heap_of(sub), vt.heap_of(sup))
        if len(_subtype_cache) >= _SUBTYPE_CACHE_MAX:
            _subtype_cache.clear()  # ids are never given out twice, so old rows only cost memory
        _subtype_cache[key] = known
    return known


def top_of(heap: int) -> int:
    """The top of the hierarchy that a heap type belongs to: any, func, extern or exn."""
    if heap >= 0:
        heap = abstract_of(_by_id[heap])
    supers = _ABSTRACT_SUPERS[heap]
    return next(top for top in (vt.ANY, vt.FUNC, vt.EXTERN, vt.EXN) if top in supers)
