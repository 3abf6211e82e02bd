"""Code of one module, shared by its instances: a slot for each function, which holds the code's address or that of a stub that compiles it.

A module has two variants of code: `guarded` memories need no checks, others (no address space left, 64-bit addresses) need them. Which
one an instance uses is decided by its memory 0; the slot table in its context says it.
"""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Sequence
from time import monotonic

from purewasm import traps
from purewasm.backend.machine_code import MachineCode, TargetOptions
from purewasm.binary.names import Names
from purewasm.engine.native import libc, perf_map
from purewasm.engine.native.code_memory import CodeMemory, find_function
from purewasm.engine.native.heap_users import uses_heap
from purewasm.engine.native.instance_image import InstanceImage
from purewasm.engine.native.lazy import STUB_BYTES, THUNK_BYTES, make_stubs, thunk_offset
from purewasm.engine.native.saved_code import code_group, load_function, restore_function, save_function
from purewasm.engine.native.type_records import PlainRecord, make_plain_records
from purewasm.errors import InternalError
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final, overload
from purewasm.store.layout import RECORD_BYTES, RECORD_CODE, RECORD_INDEX, RECORD_LONG, RECORD_TYPE, ContextLayout
from purewasm.wasm.live import LiveSet
from purewasm.wasm.module import FUNC

_KEPT_SEGMENTS: Final = 16
"""So many of a module's element segments have their positions kept: the first ones, which are active and long."""

ALWAYS_LONG: Final = (1 << 64) - 1
"""`RECORD_LONG` of functions that release the GIL at every call."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from purewasm.engine.native.ahead import Ahead
    from purewasm.engine.native.data_image import DataImage
    from purewasm.engine.native.space import Space
    from purewasm.engine.native.type_records import HeapTypes
    from purewasm.engine.protocol import CompileOptions, Preparation, Progress, SavedCode, SavedGroup
    from purewasm.engine.workers import Parts
    from purewasm.wasm.deftypes import DefType
    from purewasm.wasm.module import WasmModule

    CompilerOf = Callable[[WasmModule, TargetOptions], Callable[[int], MachineCode]]


def function_compiler(module: WasmModule, options: TargetOptions) -> Callable[[int], MachineCode]:
    """What makes code of a module's defined functions."""
    made: list[Callable[[int], MachineCode]] = []

    def compile(index: int) -> MachineCode:
        if not made:
            # The compiler is imported when there is something to compile: not where all code was saved.
            from purewasm.isa.x64.compile import function_compiler

            made.append(function_compiler(module, options))
        return made[0](index)

    return compile


@final
class FunctionCode:
    """Compiled code of one function, as far as backtraces need it."""

    __slots__ = ("_code", "_machine", "_variant", "index", "size")

    def __init__(self, code: ModuleCode, variant: Variant, index: int, size: int, machine: MachineCode | None = None) -> None:
        self._code, self._variant, self._machine = weakref.ref(code), weakref.ref(variant), machine
        self.index, self.size = index, size

    @property
    def machine(self) -> MachineCode:
        """Tables of the function. Those of saved code are read when they are first asked for."""
        if self._machine is None:
            code, variant = self._code(), self._variant()
            if code is None or variant is None:
                raise InternalError(f"code of function {self.index} runs, but its module is gone")
            self._machine = code.machine_code(variant, self.index)
        return self._machine

    def frame(self, offset: int) -> traps.Frame:
        """The frame that stands at `offset` in the module's bytes."""
        code = self._code()
        if code is None:
            return traps.Frame(None, self.index, None, offset)
        return traps.Frame(code.name(), self.index, code.function_name(self.index), offset)


@final
class SavedFunctions(Sequence[FunctionCode]):
    """The functions of a group of saved code; made when they are looked at."""

    __slots__ = ("_code", "_group", "_made", "_variant")

    def __init__(self, code: ModuleCode, variant: Variant, group: SavedGroup) -> None:
        self._code, self._variant, self._group = weakref.ref(code), weakref.ref(variant), group._replace(content=memoryview(b""))
        self._made: dict[int, FunctionCode] = {}

    def __len__(self) -> int:
        return len(self._group.numbers)

    @overload
    def __getitem__(self, position: int) -> FunctionCode: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[FunctionCode]: ...
    def __getitem__(self, position: int | slice) -> FunctionCode | Sequence[FunctionCode]:
        if isinstance(position, slice):
            return [self[one] for one in range(len(self))[position]]
        known = self._made.get(position)
        if known is None:
            code, variant = self._code(), self._variant()
            if code is None or variant is None:
                raise InternalError("saved code runs, but its module is gone")
            made = FunctionCode(code, variant, self._group.numbers[position], self._group.sizes[position])
            known = self._made.setdefault(position, made)
        return known


@final
class Variant:
    """One table of slots and the code behind it."""

    __slots__ = ("__weakref__", "_memory", "compile", "compiled", "options", "slots", "thunks")

    def __init__(self, module: WasmModule, options: TargetOptions, compiler_of: CompilerOf) -> None:
        self.options, self.compile = options, compiler_of(module, options)
        self._memory: Final = CodeMemory()
        first, count = module.imported_functions, len(module.func_types)
        self.slots: Final = libc.Block(8 * count)
        self.thunks = self._memory.add(make_stubs(first, count))
        self.slots.words[first:count] = _words(range(self.thunks, self.thunks + STUB_BYTES * (count - first), STUB_BYTES))
        self.compiled: dict[int, int] = {}

    def add(self, function: FunctionCode, code: bytes) -> int:
        address = self._memory.add(code, function)
        self.compiled[function.index] = self.slots.words[function.index] = address
        return address

    def add_saved(self, group: SavedGroup, functions: Sequence[FunctionCode]) -> None:
        """All of a group of saved code."""
        addresses = self._memory.add_all(group.content, group.offsets, functions)
        self.compiled.update(zip(group.numbers, addresses, strict=True))
        set_words(self.slots.words, group.numbers, addresses)


def _is_short(machine: MachineCode) -> bool:
    return not (machine.makes_calls or machine.has_loops)


def _words(values: Iterable[int]) -> memoryview:
    return memoryview(array("Q", values))


def set_words(words: memoryview, positions: Sequence[int], values: Sequence[int]) -> None:
    """`words[positions[i]] = values[i]`; positions rise."""
    if positions and positions[-1] - positions[0] == len(positions) - 1:
        words[positions[0] : positions[-1] + 1] = _words(values)
        return
    for position, value in zip(positions, values, strict=True):
        words[position] = value


class HeapTables(NamedTuple):
    """Types of a module in one heap: the table of their records, and those of the declared functions."""

    types: libc.Block
    functions: memoryview


def _plain(deftype: DefType) -> int:
    record = deftype.record
    assert isinstance(record, PlainRecord)
    return record.address


@final
class ModuleCode:
    """Everything that instances of a module share."""

    __slots__ = (
        "__weakref__",
        "_ahead",
        "_compiler_of",
        "_data_image",
        "_export_names",
        "_heap_tables",
        "_instances",
        "_same",
        "_saved",
        "_segments",
        "_variants",
        "image",
        "instance_name",
        "layout",
        "module",
        "names",
        "options",
        "spaces",
        "target",
        "types",
        "uses_heap",
    )  # fmt: skip

    def __init__(
        self, module: WasmModule, options: CompileOptions, target: TargetOptions, compiler_of: CompilerOf, saved: SavedCode | None = None
    ) -> None:
        self.module: Final = module
        self.options: Final = options
        self.target: Final = target
        self._compiler_of, self._saved = compiler_of, saved
        self._ahead: Ahead | None = None
        self.names: Final = Names(module.custom("name"))
        self._export_names: Final = {export.index: export.name for export in reversed(module.exports) if export.kind == FUNC}
        self.layout: Final = ContextLayout(module)
        self.image: Final = InstanceImage(module, self.layout)
        self._variants: dict[bool, Variant] = {}
        self.uses_heap: Final = uses_heap(module)
        """Its instances have tables of types and records of functions that depend on the heap."""
        self.types: Final = libc.Block(8 * len(module.types))
        """The table of type records, where they do not depend on a heap."""
        self._heap_tables: Final[weakref.WeakKeyDictionary[HeapTypes, HeapTables]] = weakref.WeakKeyDictionary()
        if not self.uses_heap:
            make_plain_records(module.types)
            for position, deftype in enumerate(module.types):
                self.types.words[position] = _plain(deftype)
        variant = self.variant(explicit_checks=False)
        declared = self.layout.declared
        image = self.image
        image.put_records(RECORD_CODE, array("Q", self._starts(variant)))
        image.put_records(RECORD_INDEX, array("Q", declared))
        if not self.uses_heap:
            image.put_records(RECORD_TYPE, array("Q", [_plain(module.func_types[index]) for index in declared]))
        if not target.interruptible:  # no poll will let the GIL go; what is known to be short is an exception (`is_short`)
            image.put_records(RECORD_LONG, array("Q", (ALWAYS_LONG,)) * len(declared))
        self._data_image: DataImage | None = None
        self._instances = 0
        self._segments: dict[int, slice | list[int]] = {}
        self._same: memoryview = memoryview(array("Q"))
        self.instance_name: str | None = None
        """Name of some instance of it: backtraces use it where the module has no name."""
        self.spaces: LiveSet[Space] = LiveSet()

    def heap_tables(self, types: HeapTypes) -> HeapTables:
        """What instances with this heap have instead of `types`."""
        known = self._heap_tables.get(types)
        if known is None:
            functions = array("Q", [types.record(self.module.func_types[index]) for index in self.layout.declared])
            known = self._heap_tables[types] = HeapTables(types.records(self.module.types), memoryview(functions))
        return known

    def data_image(self) -> DataImage | None:
        """Asked by each new instance: the module's data for it to map, None where it has to copy them."""
        self._instances += 1
        if self._instances == 2:
            from purewasm.engine.native.data_image import make_image

            self._data_image = make_image(self.module)
        return self._data_image

    def variant(self, *, explicit_checks: bool) -> Variant:
        """The code for memories with guard pages, or for those without."""
        known = self._variants.get(explicit_checks)
        if known is None:
            options = self.target._replace(explicit_checks=explicit_checks or self.target.explicit_checks)
            known = self._variants.setdefault(explicit_checks, self._load(Variant(self.module, options, self._compiler_of)))
        return known

    def _load(self, variant: Variant) -> Variant:
        """Put all saved code in its place."""
        group = None if self._saved is None else self._saved.group(code_group(explicit_checks=variant.options.explicit_checks))
        first, end = self.module.imported_functions, len(self.module.func_types)
        if group is not None and first <= group.numbers[0] and group.numbers[-1] < end:
            variant.add_saved(group, SavedFunctions(self, variant, group))
            for index, size in zip(group.numbers, group.sizes, strict=True) if perf_map.ENABLED else ():
                self._note(variant.compiled[index], size, index)
        return variant

    def _starts(self, variant: Variant) -> memoryview:
        """What records of the variant start with: code where there is some, else a thunk."""
        starts, compiled = self.thunks(variant), variant.compiled
        for position, index in enumerate(self.layout.declared if compiled else ()):
            starts[position] = compiled.get(index, starts[position])
        return starts

    def compile(self, variant: Variant, index: int) -> int:
        """Address of the code of a defined function, compiled on first demand."""
        known = variant.compiled.get(index)
        if known is None:
            known = self._install(variant, self.machine_code(variant, index))
        return known

    def _install(self, variant: Variant, machine: MachineCode) -> int:
        """Put new code in its place, unless another thread was faster; its address."""
        index = machine.index
        known = variant.compiled.get(index)
        if known is None:
            known = variant.add(FunctionCode(self, variant, index, len(machine.code), machine), machine.code)
            if variant is self._variants.get(False) and self.layout.has_record(index):
                record = self.record_offset(index)
                self.image.put(record + RECORD_CODE, known)
                if _is_short(machine):
                    self.image.put(record + RECORD_LONG, 0)
            self._note(known, len(machine.code), index)
        return known

    def is_short(self, variant: Variant, index: int) -> bool:
        """True for a function that has code which goes straight to its end."""
        found = find_function(variant.compiled.get(index, 0))
        return found is not None and _is_short(found[0].machine)

    def _note(self, address: int, size: int, index: int) -> None:
        perf_map.note_function(address, size, self.function_name(index) or f"func[{index}]")

    def machine_code(self, variant: Variant, index: int) -> MachineCode:
        """Saved code, or new code, which is saved."""
        saved, options = self._saved, variant.options
        machine = None if saved is None else load_function(saved, index, explicit_checks=options.explicit_checks)
        if machine is not None:
            return machine
        ahead = None if options.explicit_checks else self._ahead
        parts = None if ahead is None else ahead.take(index)
        if parts is not None:
            return self._restore(index, parts)
        start = monotonic()
        machine = variant.compile(index)
        if ahead is not None:
            ahead.note_compiled(index, monotonic() - start)
        if saved is not None:
            save_function(saved, machine, explicit_checks=options.explicit_checks)
        return machine

    def _restore(self, index: int, parts: Parts) -> MachineCode:
        """What another process has made, which is saved."""
        machine = restore_function(index, parts)
        if self._saved is not None:
            for number, content in parts:
                self._saved.add(number, content)
        return machine

    def compile_ahead(self, workers: int, prepared: Preparation | None) -> Ahead | None:
        """Let so many other processes compile what is likely to be called, where there is much to compile; perhaps they do already."""
        from purewasm.engine.native.ahead import Ahead, is_large

        variant = self.variant(explicit_checks=False)
        if variant.compiled or variant.options.explicit_checks or not is_large(self.module):
            return None
        if not isinstance(prepared, Ahead) or not prepared.makes(self.module, self.options):
            prepared = Ahead(self.module, self.options, self.target.cpu, workers)
            prepared.note_valid()
        self._ahead = prepared
        return prepared

    def compile_all(self, workers: int, progress: Progress | None) -> None:
        """Every function that has no code yet, in so many processes."""
        variant, module = self.variant(explicit_checks=False), self.module
        first, bodies = module.imported_functions, module.codes
        missing = [index for index in range(first, len(module.func_types)) if index not in variant.compiled]
        sizes = {index: (body := bodies[index - first]).end - body.start for index in missing}
        done, total = 0, sum(sizes.values())
        for index in self._compile(variant, missing, workers):
            done += sizes[index]
            if progress is not None:
                progress(done, total)

    def _compile(self, variant: Variant, indices: list[int], workers: int) -> Iterator[int]:
        if workers < 2:
            for index in indices:
                self.compile(variant, index)
                yield index
            return
        from purewasm.engine.native.ahead_of_time import job_of
        from purewasm.engine.workers import parts_of

        for index, parts in parts_of(job_of(self.module, self.options, variant.options), self.module, indices, workers):
            self._install(variant, self._restore(index, parts))
            yield index

    def record_offset(self, index: int) -> int:
        """Where in a context's block the record of a declared function begins."""
        return self.image.records + RECORD_BYTES * (self.layout.record(index) - self.module.imported_functions)

    def same_word(self, word: int) -> memoryview:
        """As many words as there are records. The last answer is kept."""
        known = self._same
        if not known or known[0] != word:
            known = self._same = memoryview(array("Q", (word,)) * len(self.layout.declared))
        return known

    def segment_positions(self, indices: Sequence[int]) -> slice | list[int]:
        """Positions in the table of record addresses of the functions of an element segment: a slice where they follow each other, as
        those of a compiler's only segment do."""
        known = self._segments.get(id(indices))
        if known is None:
            positions = [self.layout.record(index) for index in indices]
            first = positions[0] if positions else 0
            together = positions == list(range(first, first + len(positions)))
            known = slice(first, first + len(positions)) if together else positions
            if any(segment.items is indices for segment in self.module.elements[:_KEPT_SEGMENTS]):
                self._segments[id(indices)] = known
        return known

    def thunks(self, variant: Variant) -> memoryview:
        """Addresses of code that jumps to whatever is in the slot of each declared function: what records start with."""
        first, count = self.module.imported_functions, len(self.module.functions)
        start = variant.thunks + thunk_offset(0, count)
        return memoryview(array("Q", [start + THUNK_BYTES * (index - first) for index in self.layout.declared]))

    def name(self) -> str | None:
        """The module's name, else that of an instance of it."""
        return self.names.module or self.instance_name

    def function_name(self, index: int) -> str | None:
        """Name of a function: from the name section, else of an export."""
        return self.names.functions.get(index) or self._export_names.get(index)
