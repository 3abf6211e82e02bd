"""Host functions as guests see them: a record and a small context each, whose code (`host_calls`) calls Python."""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.entry import Entries, kind_of, shape_of
from purewasm.engine.native.fuel import enter_guest, leave_guest
from purewasm.engine.native.functions import is_native, machine_value, new_function, owner_of, write_record
from purewasm.engine.native.handles import BEGUN, HELD, LIMIT, Converting
from purewasm.engine.native.host_calls import host_code
from purewasm.engine.native.type_records import plain_record
from purewasm.light_library import ref
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn, final
from purewasm.store import layout
from purewasm.store.host import Caller
from purewasm.store.values import to_raw
from purewasm.wasm import valtypes as vt

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.native.heap import Heap
    from purewasm.store.function import Function
    from purewasm.store.host import HostFunction
    from purewasm.store.instance import Instance
    from purewasm.wasm.deftypes import DefType

_CONTEXT_BYTES: Final = layout.HOST_BYTES + 16


@final
class ResultConverter:
    """HOST_CONVERT: makes machine values of a result that is not exactly what the type asks for."""

    __slots__ = ("_convert", "_deftype", "_is_external", "_name", "always_slow", "heap", "pins")

    def __init__(self, deftype: DefType, name: str, heap: Heap | None) -> None:
        self._deftype, self._name, self.heap = deftype, name, heap
        self._convert = tuple(map(to_raw, deftype.func.results))
        self._is_external: Final = len(self._convert) == 1 and kind_of(deftype.func.results[0]) == vt.EXTERNREF
        self.always_slow = False
        self.pins: set[object] = set()

    def __call__(self, result: object) -> object:
        results = self._deftype.func.results
        if len(results) == 1:
            raw = self._convert[0](result)
            if self._is_external and raw is not None:
                if len(HELD) >= LIMIT.words[0]:
                    Converting((raw,))
                BEGUN.add(True)
                word = id(raw)
                HELD[word] = raw  # what a `Converting` is for cannot happen: from here to the guest nothing looks for signals
                return word
            _kept = Converting((raw,)) if results[0] >= vt.REF_BASE else None
            return machine_value(raw, results[0], self)
        if not results and result is None:
            return None
        if not results or not isinstance(result, (tuple, list)) or len(result) != len(results):
            self._wrong(result)
        raws = [convert(value) for convert, value in zip(self._convert, result, strict=True)]
        _kept = Converting(raws)
        return tuple([machine_value(raw, valtype, self) for raw, valtype in zip(raws, results, strict=True)])

    def _wrong(self, result: object) -> NoReturn:
        count = len(self._deftype.func.results)
        wanted = "None" if not count else f"a tuple of {count} values"
        raise TypeError(f"host function {self._name} must return {wanted}, got {type(result).__name__}: {result!r}")

    def call(self, entries: Entries, record: int, words: list[object]) -> object:
        return entries.call(record, *words)

    def pin_target(self) -> object:
        return self

    def pin(self, target: object) -> None:
        self.pins.add(target)


@final
class HostBinding:
    """The record and the context of one host function, and what they point to."""

    __slots__ = (
        "__weakref__", "_block", "_function", "_kept", "_name",
        "always_slow", "converter", "deftype", "heap", "instance", "record",
    )  # fmt: skip

    def __init__(
        self,
        fn: Callable[..., object],
        deftype: DefType,
        name: str | None,
        caller: Caller | None,
        instance: Instance | None,
        stack_bytes: int,
        heap: Heap | None = None,
    ) -> None:
        """`heap`: where its type names structures or arrays."""
        self.always_slow = True  # Python hardly ever calls it through here, so no entry is generated for it
        self.deftype, self._name, self.heap = deftype, name, heap
        self.instance = None if instance is None else ref(instance)
        self.converter = ResultConverter(deftype, name or "without a name", heap)
        self._kept = (fn, caller)
        block = self._block = libc.Block(_CONTEXT_BYTES + layout.RECORD_BYTES)
        words = block.words
        words[layout.RELEASES >> 3] = instance is not None and not instance.interruptible
        words[layout.STACK_BYTES >> 3] = stack_bytes
        words[layout.HOST_CALLABLE >> 3] = id(fn)
        words[layout.HOST_CONVERT >> 3] = id(self.converter)
        words[layout.HOST_CALLER >> 3] = id(caller)
        words[layout.HOST_BINDING >> 3] = id(self)
        self.record = block.address + _CONTEXT_BYTES
        code = host_code(shape_of(deftype.func), caller is not None)
        write_record(self.record, code, block.address, _type_record(deftype, heap), 0, 0)
        self._function: ref[Function] | None = None

    def stands_for(self, function: Function) -> None:
        """The Function that this record comes out of guests as; this object keeps it alive."""
        libc.write_word(self.record + layout.RECORD_FUNCTION, id(function))

    def function(self) -> Function:
        """The Function of the record."""
        known = None if self._function is None else self._function()
        if known is None:
            instance = None if self.instance is None else self.instance()
            known = new_function(self.deftype, self, self.record, instance=instance, name=self._name)
            self._function = ref(known)
        return known

    def call(self, entries: Entries, record: int, words: list[object]) -> object:
        return entries.call(record, *words)

    def pin_target(self) -> object:
        return self

    def pin(self, target: object) -> None:
        if target is not self:
            self.converter.pins.add(target)


def _type_record(deftype: DefType, heap: Heap | None) -> int:
    return plain_record(deftype) if heap is None else heap.types.record(deftype)


def binding_of(record: int) -> HostBinding:
    """The binding of a host function's record."""
    found = libc.object_at(libc.read_word(libc.read_word(record + layout.RECORD_CONTEXT) + layout.HOST_BINDING))
    assert isinstance(found, HostBinding)
    return found


def bind_host(host: HostFunction, instance: Instance | None, stack_bytes: int, heap: Heap | None) -> Function:
    """The host function as `instance` imports it (None: called by the host itself)."""
    caller = Caller(instance, host.owner) if host.wants_caller else None
    name = f"{host.module}.{host.name}".strip(".") or None
    fn = host.fn
    if instance is not None and instance.counts_fuel:
        fn = _with_fuel(fn, instance)
    return HostBinding(fn, host.deftype, name, caller, instance, stack_bytes, heap).function()


def bridge(function: Function, stack_bytes: int) -> Function:
    """A native function that calls one of another engine or another turn; as a reference it is that function."""
    heap = owner_of(function).heap if is_native(function) and function.deftype.names_objects else None
    binding = HostBinding(function, function.deftype, function.name, None, function.instance, stack_bytes, heap)
    binding.stands_for(function)
    return binding.function()


def _with_fuel(fn: Callable[..., object], instance: Instance) -> Callable[..., object]:
    """The host function sees the fuel that is left, and what it (or a guest that it calls) uses counts."""

    def call(*args: object) -> object:
        leave_guest(instance)
        try:
            return fn(*args)
        finally:
            enter_guest(instance)

    return call
