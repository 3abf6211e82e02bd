"""An instance as compiled code sees it: its context, function records, and the Python object behind them."""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import (
    STUBS,
    is_active,
    own_words,
    put_python_call,
    put_take_gil,
    put_unwind,
    request_poll,
    thread_slot,
)
from purewasm.engine.native.entry import Entries, kind_of, set_function_maker, set_waiter
from purewasm.engine.native.fuel import enter_guest, leave_guest
from purewasm.engine.native.functions import forward_calls, function_word, is_native, machine_value, new_function, owner_of, record_of
from purewasm.engine.native.handles import Converting
from purewasm.engine.native.tiers import optimize
from purewasm.engine.native.turn import Turn, turn_of
from purewasm.engine.native.type_records import holds_functions
from purewasm.errors import Interrupted, LinkError
from purewasm.isa.x64.integer import AND_RM64_IMM8, SUB_RM64_IMM32
from purewasm.isa.x64.registers import RSP
from purewasm.light_library import Sequence, lru_cache, ref
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn, TypeVar, cast, final, overload
from purewasm.store import layout
from purewasm.store.meter import CLOSED
from purewasm.wasm import module as wm
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import names_objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.native.global_ import NativeGlobal
    from purewasm.engine.native.heap import Heap
    from purewasm.engine.native.memory import NativeMemory
    from purewasm.engine.native.module_code import ModuleCode
    from purewasm.engine.native.table import NativeTable
    from purewasm.engine.native.tags import NativeTag
    from purewasm.engine.native.variant import Variant
    from purewasm.store.function import Function
    from purewasm.store.instance import Instance
    from purewasm.store.memory import Memory
    from purewasm.store.meter import Meter
    from purewasm.wasm.module import WasmModule

T = TypeVar("T")

WASM_PAGE_LOG2: Final = 16
_RECORD_WORDS: Final = layout.RECORD_BYTES >> 3


def _refuse_guest() -> NoReturn:
    raise Interrupted(CLOSED)


@lru_cache(maxsize=1)
def _closed_code() -> int:
    """What the records of a closed instance point to."""
    a = Assembler()
    a.put(SUB_RM64_IMM32(RSP, 64), AND_RM64_IMM8(RSP, -16))
    put_take_gil(a)
    put_python_call(a, _refuse_guest)
    put_unwind(a)
    return STUBS.add(a.finish())


@final
class Space:
    """The context of one instance. Lives as long as anything that points into it: functions, records in tables, running code."""

    __slots__ = (
        "__weakref__", "_functions", "_imports", "_pins", "_sharing", "_turns", "_types", "always_slow",
        "block", "closed", "code", "elements", "globals", "heap", "instance",
        "is_shared",
        "memories", "meter", "name", "tables", "tags", "variant",
    )  # fmt: skip

    def __init__(self, code: ModuleCode, instance: Instance, stack_bytes: int, builtins: int, heap: Heap | None) -> None:
        """`heap`: where the code uses one."""
        self.code, self.meter, self.name = code, instance.meter, instance.name
        self.instance = ref(instance)
        self.closed = False
        self.is_shared = False
        """Others may call its functions when it is not their turn: through tables, globals or imports."""
        self._turns: list[Turn] = []
        self.always_slow = instance.counts_fuel
        self._pins: set[object] = set()
        self._sharing: tuple[Space, ...] = ()
        self._imports: list[Function] = []
        self._functions: list[Function] = []
        self.memories: list[NativeMemory] = []
        self.tables: list[NativeTable] = []
        self.globals: list[NativeGlobal] = []
        self.elements: list[Sequence[object]] = []
        self.tags: list[NativeTag] = []
        self.variant: Variant = code.variant(explicit_checks=False)
        module, image = code.module, code.image
        block = self.block = image.new_block()
        words = block.words
        words[layout.CONTROL >> 3] = thread_slot()
        words[layout.RELEASES >> 3] = not instance.interruptible
        words[layout.BUILTINS >> 3] = builtins
        words[layout.SLOTS >> 3] = self.variant.slots.address
        self.heap = heap
        if heap is None:
            words[layout.TYPES >> 3] = code.types.address
        else:
            self._types = code.heap_tables(heap.types)
            words[layout.TYPES >> 3] = self._types.types.address
            words[layout.HEAP >> 3] = heap.start
            self._set_field(layout.RECORD_TYPE, self._types.functions)
        if code.layout.has_inline_types:
            types = code.types if heap is None else self._types.types
            first = code.layout.type(0) >> 3
            words[first : first + len(module.types)] = types.words[: len(module.types)]
        words[layout.INSTANCE >> 3] = id(self)
        words[layout.STACK_BYTES >> 3] = stack_bytes
        if module.imported_functions:
            self._link_imports(instance, image.records_table >> 3)
        code.spaces.add(self)
        if instance.name is not None:
            code.instance_name = instance.name

    def _link_imports(self, instance: Instance, table: int) -> None:
        words, module = self.block.words, self.code.module
        for index in range(module.imported_functions):
            function = instance.functions[index]
            if function.deftype.names_objects:
                self._check_heap(owner_of(function).heap if is_native(function) else None, module, wm.FUNC, index)
            if is_native(function):
                self._imports.append(function)
                words[table + index] = record_of(function)
            else:
                words[table + index] = function_word(function, self, vt.FUNCREF)
            functype = function.deftype.func
            other = None if function.instance is None else function.instance.engine_state
            if isinstance(other, Space) and any(t >= vt.REF_BASE for t in functype.params + functype.results):
                if other not in self._sharing:
                    self._sharing = (*self._sharing, other)  # references can come to it this way
                self.pin(function.instance)

    def _check_heap(self, heap: object, module: WasmModule, kind: int, index: int) -> None:
        """What is imported has to do with objects: are they in the heap of this instance?"""
        if heap is not self.heap:
            wanted = [one for one in module.imports if one.kind == kind][index]
            raise LinkError(
                f"incompatible import: {wanted.module}.{wanted.name} has to do with structures or arrays of another runtime,"
                " or of a module that the interpreter runs"
            )

    # ---- when everything that the module defines is there

    def complete(self, instance: Instance) -> None:
        """Memories, tables, globals and segments of the instance are in place."""
        words, code = self.block.words, self.code
        if code.module.imports:
            self._check_imports(instance)
        self.memories, self.tables, self.globals = list(instance.memories), list(instance.tables), list(instance.globals)  # type: ignore[arg-type]
        self.elements = instance.elements
        self._complete_tags(instance)
        for memory in self.memories:
            memory.add_observer(self)
        first = self.memories[0] if self.memories else None
        if first is not None and not first.guarded and not first.type.is_64 and first.type.page_size_log2 == WASM_PAGE_LOG2:
            self._use(code.variant(explicit_checks=True))
        image = code.data_image()
        instance.data_in_place = image is not None and image.map(self.memories[0])
        module = code.module
        for other in self._sharing:  # from here on others hold it: nothing fails any more
            other.pin(instance)
        self._sharing = ()
        for index, table in enumerate(self.tables):
            words[code.layout.table(index) >> 3] = table.pair_address
            table.heap = table.heap or self.heap
            if index < module.imported_tables or index in code.image.exported_tables:
                table.pin(instance)
            else:
                table.belongs_to(instance)
        placed = range(module.imported_globals, module.imported_globals + len(code.image.globals))
        for index, cell in enumerate(self.globals):
            if index in placed:
                continue
            at = code.layout.global_cell(index)
            if code.layout.global_is_indirect(index):
                words[at >> 3] = cell.address
                cell.heap = cell.heap or self.heap
                if kind_of(cell.type.valtype) == vt.FUNCREF:
                    cell.pin(instance)
            else:
                cell.move(self.block, at)
        if self.heap is not None:
            self._use_heap(self.heap, instance)
        instance.meter.add_observer(self)

    def _use_heap(self, heap: Heap, instance: Instance) -> None:
        heap.add_user(self, instance.meter)
        if any(names_objects(cell.type.valtype) for cell in instance.globals):
            heap.add_roots(self, exact=False)
        if any(holds_functions(deftype) for deftype in self.code.module.types):
            heap.keep(self)

    def root_area(self) -> tuple[int, int]:
        """Its globals."""
        start = self.code.layout.global_cell(0)
        return self.block.address + start, self.code.layout.size - start

    def _check_imports(self, instance: Instance) -> None:
        module = self.code.module
        for index, table in enumerate(instance.tables[: module.imported_tables]):
            if names_objects(table.type.reftype):
                self._check_heap(getattr(table, "heap", None), module, wm.TABLE, index)
        for index, cell in enumerate(instance.globals[: module.imported_globals]):
            if names_objects(cell.type.valtype):
                self._check_heap(getattr(cell, "heap", None), module, wm.GLOBAL, index)

    def _use(self, variant: Variant) -> None:
        self.variant = variant
        self.block.words[layout.SLOTS >> 3] = variant.slots.address
        self._set_field(layout.RECORD_CODE, self.code.starts(variant))

    def _set_field(self, field: int, values: memoryview) -> None:
        """Change a field of every record of a declared function."""
        first = self.code.image.records + field >> 3
        self.block.words[first : first + _RECORD_WORDS * len(values) : _RECORD_WORDS] = values

    def copy_references(self, segment: int, start: int, target: memoryview) -> None:
        """Put words of references of an element segment into another place; the range has been checked."""
        references = self.elements[segment][start : start + len(target)]
        if isinstance(references, SegmentReferences):
            target[:] = references.words()
            return
        _kept = Converting(references)
        reftype = self.code.module.elements[segment].reftype
        words = [machine_value(raw, reftype, self) for raw in references]
        target[:] = libc.words_of(cast("list[int]", words))

    # ---- functions

    def function_at(self, index: int) -> Function:
        """The function at `index` of the index space, imported or not."""
        word = self.word(index)
        return function_of(word)

    def record(self, index: int) -> int:
        """Address of the record of a declared function."""
        return self.block.address + self.code.record_offset(index)

    def function(self, index: int) -> Function:
        """The function at `index`, kept by the instance."""
        instance = self.instance()
        if instance is not None and not self.closed:
            known = instance.functions.get(index)
            if known is not None:
                return known
        deftype, names = self.code.module.func_types[index], self.code.function_name
        made = new_function(deftype, self, self.record(index), instance=instance, index=index, name=names)
        if self.releases_gil and self.code.is_short(self.variant, index):  # saved code: nobody has looked at it before
            libc.write_word(self.record(index) + layout.RECORD_LONG, 0)
        if self.closed:
            refuse_calls(made)
        elif instance is not None:
            instance.functions[index] = made
            self._functions.append(made)
        return made

    def word(self, index: int) -> int:
        """The word of a reference to the function at `index`, imported or declared."""
        return self.block.words[(self.code.image.records_table >> 3) + self.code.layout.record(index)]

    def compile(self, index: int) -> None:
        """A stub was called."""
        self.code.compile(self.variant, index)

    def optimize(self, index: int) -> None:
        """Baseline code of a hot function was called."""
        optimize(self, index)

    def call(self, entries: Entries, record: int, words: list[object]) -> object:
        """Call with machine values."""
        if self.block.words[layout.PENDING >> 3]:
            self.poll()
        if not self.always_slow:
            return entries.call(record, *words)
        turn, block = turn_of(self.meter), own_words()
        turn.take(self.poll)  # so that no other thread uses up the fuel of linked instances
        try:
            outer = block[layout.FUEL >> 3]
            enter_guest(self)
            try:
                return entries.call(record, *words)
            finally:
                leave_guest(self)
                block[layout.FUEL >> 3] = outer
        finally:
            turn.give_up()

    def _complete_tags(self, instance: Instance) -> None:
        self.tags = []
        if instance.tags:
            from purewasm.engine.native.tags import native_tag  # few modules throw exceptions

            self.tags = [native_tag(tag, self.heap) for tag in instance.tags]
            for index, tag in enumerate(self.tags):
                self.block.words[self.code.layout.tag(index) >> 3] = tag.address

    def rest(self, wait: Callable[[], T]) -> T:
        """What `wait` gives, in the middle of a call: others may have the turn and the fuel meanwhile."""
        if self.always_slow:
            leave_guest(self)
        try:
            turn = turn_of(self.meter)
            if self.heap is None:
                return turn.given_up(wait)
            with self.heap.frames_kept():
                return turn.given_up(wait)
        finally:
            if self.always_slow:
                enter_guest(self)

    @property
    def releases_gil(self) -> bool:
        """True where code does not poll, and so cannot let the GIL go later."""
        return bool(self.block.words[layout.RELEASES >> 3])

    @property
    def is_running(self) -> bool:
        """True while a thread may run its code."""
        return turn_of(self.meter).is_taken or (self.is_shared and is_active())

    def pin_target(self) -> object:
        return self.instance() or self

    def pin(self, target: object) -> None:
        """Keep something alive as long as this instance."""
        if target is not self and target is not self.instance():
            self._pins.add(target)
            mark_shared(target)

    @property
    def holds_others(self) -> bool:
        """True where functions of others may have gone through it."""
        return bool(self._pins or self._imports or self.tables or self.globals)

    # ---- interruption and changes from outside

    def poll(self) -> None:
        """Raise where its code has to stop."""
        meter = self.meter
        if self.closed:
            raise meter.interruption(CLOSED)
        reason = meter.reason
        if reason is not None:
            raise meter.interruption(reason)

    def meter_changed(self, meter: Meter) -> None:
        """An observer of its meter."""
        self.meter = meter
        turn = turn_of(meter)
        if turn not in self._turns:
            self._turns.append(turn)
            self.block.words[layout.TURN >> 3] = turn.address
        stop = self.closed or meter.oldest_reason is not None
        self.block.words[layout.PENDING >> 3] = stop
        if stop:
            request_poll()

    def memory_moved(self, memory: Memory) -> None:
        """An observer of its memories: they have another size."""
        words = self.block.words
        for index, known in enumerate(self.memories):
            if known is memory:
                at = self.code.layout.memory(index) >> 3
                words[at] = known.address
                words[at + 1] = len(known.data)

    # ---- end

    def close(self, instance: Instance) -> None:
        """Running code stops at its next poll, later calls are refused."""
        self.closed = True
        self.block.words[layout.PENDING >> 3] = 1
        request_poll()
        self._set_field(layout.RECORD_CODE, self.code.same_word(_closed_code()))
        for function in self._functions:
            refuse_calls(function)
        self._functions.clear()
        instance.functions.clear()

    def release(self) -> None:
        """Nothing of it runs any more: forget what it holds, so that it goes at once. What others hold of it keeps the records."""
        instance = self.instance()
        in_objects = self.heap is not None and self.heap.keeps(self)
        if instance is not None:
            holders: list[NativeTable | NativeGlobal] = [*self.tables, *self.globals]
            shared = [holder for holder in holders if holder.replace_pin(instance, self)]
            if not shared and not in_objects:
                self._imports.clear()  # else others can call them through a table or a global
        self.memories.clear()
        if not in_objects:  # else functions that it got from there may be in objects too
            for kept in (self._pins, self.tables, self.globals):
                kept.clear()
        self.elements = []
        words = self.block.words
        words[layout.MEMORY0_BASE >> 3] = words[layout.MEMORY0_BYTES >> 3] = 0


@final
class SegmentReferences(Sequence[object]):
    """References to functions of an instance, made into `Function` objects when they are looked at; tables take them as words."""

    __slots__ = ("indices", "space")

    def __init__(self, space: Space, indices: Sequence[int]) -> None:
        self.space, self.indices = space, indices

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> Function: ...
    @overload
    def __getitem__(self, index: slice) -> SegmentReferences: ...
    def __getitem__(self, index: int | slice) -> Function | SegmentReferences:
        if isinstance(index, slice):
            return SegmentReferences(self.space, self.indices[index])
        return self.space.function_at(self.indices[index])

    def words(self) -> memoryview:
        """The words of the references."""
        known = self.space.block.words[self.space.code.image.records_table >> 3 :]
        positions = self.space.code.segment_positions(self.indices)
        if isinstance(positions, slice):
            return known[positions]
        return libc.words_of([known[position] for position in positions])


def _refuse(*arguments: object) -> NoReturn:
    raise Interrupted(CLOSED)


def refuse_calls(function: Function) -> None:
    """Calls from Python raise from now on."""
    function.invoke = _refuse
    forward_calls(function)


def mark_shared(target: object) -> None:
    """Something keeps the functions of this instance where others may find them."""
    space = getattr(target, "engine_state", target)
    if isinstance(space, Space):
        space.is_shared = True


def function_of(record: int) -> Function:
    """The Function of a record that came from a guest, a table or a global."""
    known = libc.read_word(record + layout.RECORD_FUNCTION)
    if known:
        return libc.object_at(known)  # type: ignore[return-value]
    context = libc.read_word(record + layout.RECORD_CONTEXT)
    space = libc.read_word(context + layout.INSTANCE)
    if not space:
        from purewasm.engine.native.host_binding import binding_of  # who made the record has imported it

        return binding_of(record).function()
    owner = libc.object_at(space)
    assert isinstance(owner, Space)
    return owner.function(libc.read_word(record + layout.RECORD_INDEX))


def _wait_for_turn(context: int) -> None:
    space = libc.object_at(libc.read_word(context + layout.INSTANCE))
    assert isinstance(space, Space)
    turn_of(space.meter).wait(space.poll)


set_waiter(_wait_for_turn)
set_function_maker(function_of)
