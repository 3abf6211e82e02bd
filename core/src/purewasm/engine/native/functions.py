"""`Function` objects that are called through generated code, and the records by which guests know functions.

The type is made with `PyType_FromSpec`: a subclass of `store.function.Function` with a vectorcall pointer and the address of the record.
`invoke` is where the generated entry sends unusual calls; whoever replaces it makes every call go there.
"""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.entry import Entries, entries_of, forwarding_entry, kind_of, shape_of
from purewasm.engine.native.handles import Converting, word_of
from purewasm.errors import InternalError
from purewasm.light_library import cache, lru_cache
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final
from purewasm.store import layout
from purewasm.store.function import Function, found_name
from purewasm.store.values import signed_32, signed_64, to_raw
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from collections.abc import Callable
    from weakref import WeakKeyDictionary

    from purewasm.engine.native.heap import Heap
    from purewasm.store.function import Name
    from purewasm.store.instance import Instance
    from purewasm.wasm.deftypes import DefType, FuncType

    class Owner(Protocol):
        """Who keeps records: an instance's space, or the binding of a host function."""

        always_slow: bool
        """Calls go through Python: it has more to do (fuel), or there are too few of them."""
        heap: Heap | None
        """Where its objects are."""

        def call(self, entries: Entries, record: int, words: list[object]) -> object:
            """Call with machine values."""

        def pin_target(self) -> object:
            """What has to stay alive while a guest may hold one of the records."""

        def pin(self, target: object) -> None:
            """Keep something alive as long as this owner."""


if libc.has_api():
    _made, _VECTORCALL = libc.vectorcall_type("purewasm.Function", Function, 8)
    _RECORD = _VECTORCALL + 8
    _INVOKE = libc.slot_offset(Function, "invoke")
    _FORWARD: Final = forwarding_entry(_INVOKE)
    _new: Callable[..., Function] = _made

    def record_of(function: Function) -> int:
        """The record of a native function."""
        return libc.read_word(id(function) + _RECORD)

    def forward_calls(function: Function) -> None:
        """From now on every call of a native function goes to `function.invoke`."""
        libc.write_word(id(function) + _VECTORCALL, _FORWARD)

    def _set_words(made: Function, record: int, code: int) -> None:
        libc.write_word(id(made) + _RECORD, record)
        libc.write_word(id(made) + _VECTORCALL, code or _FORWARD)

else:
    from purewasm.engine.native.callbacks import INVOKE as _INVOKE
    from purewasm.engine.native.callbacks import RECORD as _RECORD
    from purewasm.engine.native.callbacks import CallbackFunction

    _made = _new = CallbackFunction

    def record_of(function: Function) -> int:
        assert isinstance(function, CallbackFunction)
        return function.record

    def forward_calls(function: Function) -> None:
        assert isinstance(function, CallbackFunction)
        function.code = 0

    def _set_words(made: Function, record: int, code: int) -> None:
        assert isinstance(made, CallbackFunction)
        made.record, made.code = record, code


def is_native(function: object) -> bool:
    """True for functions that have a record."""
    return type(function) is _made


def _replace_invoke(self: Function, invoke: Callable[..., object]) -> None:
    self.invoke = invoke
    forward_calls(self)


setattr(_made, "replace_invoke", _replace_invoke)  # noqa: B010 (the type has no such attribute as far as mypy knows)


@lru_cache(maxsize=1024)
def type_entries(functype: FuncType) -> Entries:
    return entries_of(shape_of(functype), _RECORD, _INVOKE)


def new_function(
    deftype: DefType, owner: Owner, record: int, *, instance: Instance | None, index: int = -1, name: Name = None
) -> Function:
    """The Function of a record."""
    slow = SlowCall(deftype, owner, record, name, index)
    made = _new(deftype, slow.raw, slow.public, instance=instance, index=index, name=name)
    _set_words(made, record, 0 if owner.always_slow else type_entries(deftype.func).public)
    return made


@lru_cache(maxsize=1024)
def _converters(functype: FuncType) -> tuple[Callable[[object], object], ...]:
    return tuple(map(to_raw, functype.params))


def machine_value(raw: object, valtype: int, owner: Owner) -> object:
    """A raw value as generated code unboxes it: ints signed, references as words."""
    if valtype == vt.I32:
        return signed_32(raw)  # type: ignore[arg-type]
    if valtype == vt.I64:
        return signed_64(raw)  # type: ignore[arg-type]
    if valtype < vt.REF_BASE:
        return raw
    kind = kind_of(valtype)
    if kind == vt.FUNCREF:
        return function_word(raw, owner, valtype)
    return any_word(raw, owner.heap) if kind == vt.ANYREF else word_of(raw)


def any_word(raw: object, heap: Heap | None) -> int:
    """The word of a raw reference of the `any` hierarchy (see `references`, which most processes do not need)."""
    from purewasm.engine.native.references import word_of_reference

    return word_of_reference(raw, heap)


def function_word(function: object, owner: Owner, reftype: int) -> int:
    """The word of a function reference that `owner`'s guests get as one of this type.

    Code that uses a heap runs when it has the heap's turn: those who may not have it get a function that goes through Python.
    """
    if function is None:
        return 0
    if not isinstance(function, Function):
        raise InternalError(f"not a function reference: {function!r}")
    heap = owner_of(function).heap if is_native(function) else None
    if vt.heap_of(reftype) >= 0 and function.deftype.names_objects and (heap is None or heap is not owner.heap):
        raise TypeError(f"{function!r} has to do with objects of another runtime, so it cannot be a {vt.format_type(reftype)} here")
    if not is_native(function) or (heap is not None and heap is not owner.heap):
        function = bridge_to(function)
    owner.pin(owner_of(function).pin_target())
    return record_of(function)


def owner_of(function: Function) -> Owner:
    """Who keeps the record of a native function."""
    keeper = function.raw
    if not isinstance(keeper, RawCall):
        raise InternalError(f"{function!r} has no owner")
    return keeper.slow.owner


@cache
def _bridges() -> WeakKeyDictionary[Function, Function]:
    import weakref  # few functions go from one engine to another

    return weakref.WeakKeyDictionary()


_bridge_makers: Final[list[Callable[[Function], Function]]] = []


def set_bridge_maker(make: Callable[[Function], Function]) -> None:
    _bridge_makers[:] = [make]


def bridge_to(function: Function) -> Function:
    """A native function that calls one of another engine."""
    bridges = _bridges()
    known = bridges.get(function)
    if known is None:
        known = bridges[function] = _bridge_makers[0](function)
    return known


@final
class SlowCall:
    """Calls of one function that Python prepares: with every conversion, check and message."""

    __slots__ = ("_index", "_name", "deftype", "owner", "record")

    def __init__(self, deftype: DefType, owner: Owner, record: int, name: Name, index: int) -> None:
        self.deftype, self.owner, self.record, self._name, self._index = deftype, owner, record, name, index

    @property
    def raw(self) -> RawCall:
        return RawCall(self)

    def public(self, *args: object) -> object:
        """The call as users make it."""
        functype = self.deftype.func
        convert = _converters(functype)
        if len(args) != len(convert):
            count, name = len(convert), found_name(self._name, self._index) or f"func[{self._index}]"
            raise TypeError(f"{name}() takes {count} argument{'' if count == 1 else 's'} but {len(args)} were given")
        return self.machine([one(arg) for one, arg in zip(convert, args, strict=True)])

    def machine(self, raws: list[object]) -> object:
        """Call with raw values; public results."""
        functype, owner = self.deftype.func, self.owner
        _kept = Converting(raws)
        words = [machine_value(raw, valtype, owner) for raw, valtype in zip(raws, functype.params, strict=True)]
        return owner.call(type_entries(functype), self.record, words)


@final
class RawCall:
    """`Function.raw`: raw values in and out."""

    __slots__ = ("slow",)

    def __init__(self, slow: SlowCall) -> None:
        self.slow = slow

    def __call__(self, *raws: object) -> object:
        result = self.slow.machine(list(raws))
        results = self.slow.deftype.func.results
        if not results:
            return None
        if len(results) == 1:
            return to_raw(results[0])(result)
        assert isinstance(result, tuple)
        return tuple(to_raw(valtype)(value) for value, valtype in zip(result, results, strict=True))


def write_record(address: int, code: int, context: int, type_record: int, index: int, function: int) -> None:
    """Fill a function record."""
    libc.write_word(address + layout.RECORD_CODE, code)
    libc.write_word(address + layout.RECORD_CONTEXT, context)
    libc.write_word(address + layout.RECORD_TYPE, type_record)
    libc.write_word(address + layout.RECORD_FUNCTION, function)
    libc.write_word(address + layout.RECORD_INDEX, index)
