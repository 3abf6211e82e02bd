"""Code of one module, shared by its instances: a slot for each function, which holds the code's address or that of a stub that compiles it.

A module has two variants of code: `guarded` memories need no checks, others (no address space left, 64-bit addresses) need them. Which
one an instance uses is decided by its memory 0; the slot table in its context says it.
"""

from __future__ import annotations

import os
from time import thread_time

from purewasm.engine.native import libc
from purewasm.engine.native.code_memory import find_function
from purewasm.engine.native.compilers import BASELINE, KINDS, LOOP, OPTIMIZED, is_small, kind_of, number_of
from purewasm.engine.native.function_code import FunctionCode, SavedFunctions, function_around
from purewasm.engine.native.heap_users import uses_heap
from purewasm.engine.native.instance_image import InstanceImage
from purewasm.engine.native.lazy import THUNK_BYTES, thunk_offset
from purewasm.engine.native.tiers import begin
from purewasm.engine.native.type_records import PlainRecord, make_plain_records
from purewasm.engine.native.variant import Variant
from purewasm.errors import InternalError
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.store.layout import RECORD_BYTES, RECORD_CODE, RECORD_INDEX, RECORD_LONG, RECORD_TYPE, ContextLayout
from purewasm.wasm.live import LiveSet
from purewasm.wasm.module import FUNC

_KEPT_SEGMENTS: Final = 16
"""So many of a module's element segments have their positions kept: the first ones, which are active and long."""

ALWAYS_LONG: Final = (1 << 64) - 1
"""`RECORD_LONG` of functions that release the GIL at every call."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from weakref import WeakKeyDictionary

    from purewasm.backend.machine_code import MachineCode, TargetOptions
    from purewasm.binary.names import Names
    from purewasm.engine.native.ahead import Ahead
    from purewasm.engine.native.compilers import CompilerOf
    from purewasm.engine.native.data_image import DataImage
    from purewasm.engine.native.space import Space
    from purewasm.engine.native.type_records import HeapTypes
    from purewasm.engine.protocol import CompileOptions, Preparation, Progress, SavedCode
    from purewasm.engine.workers import Parts
    from purewasm.wasm.deftypes import DefType
    from purewasm.wasm.module import WasmModule

_HAS_PERF_MAP: Final = os.environ.get("PUREWASM_PERF_MAP") == "1"


def _is_short(machine: MachineCode) -> bool:
    return not (machine.makes_calls or machine.has_loops)


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
        "_names",
        "_same",
        "_saved",
        "_segments",
        "_turns",
        "_variants",
        "budget",
        "image",
        "instance_name",
        "layout",
        "module",
        "options",
        "spaces",
        "target",
        "types",
        "uses_heap",
    )  # fmt: skip

    def __init__(
        self,
        module: WasmModule,
        options: CompileOptions,
        target: TargetOptions,
        compiler_of: CompilerOf,
        saved: SavedCode | None = None,
        optimize_after: int | None = 0,
    ) -> None:
        """`optimize_after`: turns of a function in baseline code before there is better code; 0: there is no baseline code, None: that
        and what optimizing may cost is found out."""
        self._turns, self.budget = begin(module, optimize_after)
        self.module: Final = module
        self.options: Final = options
        self.target: Final = target
        self._compiler_of, self._saved = compiler_of, saved
        self._ahead: Ahead | None = None
        self._names: Names | None = None
        self._export_names: Final = {export.index: export.name for export in reversed(module.exports) if export.kind == FUNC}
        self.layout: Final = ContextLayout(module)
        self.image: Final = InstanceImage(module, self.layout)
        self._variants: dict[bool, Variant] = {}
        self.uses_heap: Final = uses_heap(module)
        """Its instances have tables of types and records of functions that depend on the heap."""
        self.types: Final = libc.Block(8 * len(module.types))
        """The table of type records, where they do not depend on a heap."""
        self._heap_tables: WeakKeyDictionary[HeapTypes, HeapTables]
        """If so."""
        if self.uses_heap:
            import weakref  # most modules have no structures and arrays

            self._heap_tables = weakref.WeakKeyDictionary()
        else:
            make_plain_records(module.types)
            for position, deftype in enumerate(module.types):
                self.types.words[position] = _plain(deftype)
        variant = self.variant(explicit_checks=False)
        declared = self.layout.declared
        image = self.image
        image.put_records(RECORD_CODE, self.starts(variant))
        image.put_records(RECORD_INDEX, libc.words_of(declared))
        if not self.uses_heap:
            image.put_records(RECORD_TYPE, libc.words_of([_plain(module.func_types[index]) for index in declared]))
        if not target.interruptible:  # no poll will let the GIL go; what is known to be short is an exception (`is_short`)
            image.put_records(RECORD_LONG, libc.repeated(ALWAYS_LONG, len(declared)))
        self._data_image: DataImage | None = None
        self._instances = 0
        self._segments: dict[int, slice | list[int]] = {}
        self._same: memoryview = memoryview(b"")
        self.instance_name: str | None = None
        """Name of some instance of it: backtraces use it where the module has no name."""
        self.spaces: LiveSet[Space] = LiveSet()

    def heap_tables(self, types: HeapTypes) -> HeapTables:
        """What instances with this heap have instead of `types`."""
        known = self._heap_tables.get(types)
        if known is None:
            functions = libc.words_of([types.record(self.module.func_types[index]) for index in self.layout.declared])
            known = self._heap_tables[types] = HeapTables(types.records(self.module.types), functions)
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
            made = Variant(self.module, options, self._compiler_of, self._turns, by_size=self.budget is not None)
            for kind in KINDS if self._turns else (OPTIMIZED,):
                self._load_all(made, kind)
            known = self._variants.setdefault(explicit_checks, made)
        return known

    def _load_all(self, variant: Variant, kind: int) -> None:
        """Put all saved code of a kind in its place."""
        if self._saved is None:
            return
        from purewasm.engine.native.saved_code import code_group

        group = self._saved.group(code_group(kind, explicit_checks=variant.options.explicit_checks))
        if group is None or not self._may_have(kind, group.numbers):
            return
        functions = SavedFunctions(self, variant, kind, group)
        variant.add_saved(kind, group, functions)
        for number, function in zip(group.numbers, functions, strict=True) if _HAS_PERF_MAP else ():
            self._note(variant.code[kind][number], function)

    def _may_have(self, kind: int, numbers: Sequence[int]) -> bool:
        """Whether these numbers of code, which rise, can be this module's."""
        module = self.module
        if kind == LOOP:
            return bool(module.codes) and module.codes[0].start <= numbers[0] and numbers[-1] < module.codes[-1].end
        return module.imported_functions <= numbers[0] and numbers[-1] < len(module.func_types)

    def starts(self, variant: Variant) -> memoryview:
        """What records of the variant's declared functions start with: optimized code where there is some, else code that jumps to what is
        in the slot. Kept up to date."""
        if variant.starts is None:
            first, known = self.module.imported_functions, variant.optimized
            thunks = variant.thunks + thunk_offset(0, len(self.module.functions))
            declared = self.layout.declared
            variant.starts = libc.words_of([known.get(index) or thunks + THUNK_BYTES * (index - first) for index in declared])
        return variant.starts

    # ---- code of one function

    def compile(self, variant: Variant, index: int) -> int:
        """Address of the code of a defined function, compiled on first demand."""
        return variant.known(index) or self.install(variant, self._first_code(variant, index))

    def optimize(self, variant: Variant, index: int) -> int:
        """The same for its best code, where a function is called from now on."""
        known = variant.optimized.get(index) or self.install(variant, self.machine_code(variant, OPTIMIZED, index))
        variant.slots.words[index] = known  # baseline code of another thread may have come in between
        return known

    def take_ahead(self, variant: Variant, index: int) -> bool:
        """Whether a function has its best code, now that what another process may have made is taken."""
        made = None if index in variant.optimized else self._take(variant, index, wait=False)
        if made is not None:
            self.install(variant, made)
        return index in variant.optimized

    def compile_loop(self, variant: Variant, place: int) -> int:
        """Address of the code of a loop."""
        return variant.code[LOOP].get(place) or self.install(variant, self.machine_code(variant, LOOP, place))

    def _first_code(self, variant: Variant, index: int) -> MachineCode:
        if self._turns:
            known = self._load(variant, OPTIMIZED, index) or self._load(variant, BASELINE, index) or self._take(variant, index, wait=False)
            if known is not None:
                return known
            start = thread_time()
            made = variant.compilers.baseline(index)
            if made is not None:
                self._note_time(BASELINE, index, start)
                return self._save(variant, made)
        return self.machine_code(variant, OPTIMIZED, index)

    def machine_code(self, variant: Variant, kind: int, number: int) -> MachineCode:
        """Saved code, or new code, which is saved."""
        known = self._load(variant, kind, number)
        if known is not None:
            return known
        start = thread_time()
        if kind == LOOP:
            made = variant.compilers.loop(function_around(self.module, number), number)
        elif kind == OPTIMIZED:
            taken = self._take(variant, number, wait=True)
            if taken is not None:
                return taken
            made = variant.compilers.optimized(number)
            if self._ahead is not None:
                self._ahead.note_compiled(number, thread_time() - start)
        else:
            again = variant.compilers.baseline(number)
            if again is None:
                raise InternalError(f"there is baseline code of function {number}, which has none")
            made = again
        self._note_time(kind, made.index, start)
        return self._save(variant, made)

    def _note_time(self, kind: int, index: int, start: float) -> None:
        if self.budget is not None:
            self.budget.note(kind, self.module.body_bytes(index), thread_time() - start)

    def _load(self, variant: Variant, kind: int, number: int) -> MachineCode | None:
        if self._saved is None:
            return None
        from purewasm.engine.native.saved_code import load_code

        return load_code(self._saved, kind, number, explicit_checks=variant.options.explicit_checks)

    def _save(self, variant: Variant, machine: MachineCode) -> MachineCode:
        if self._saved is not None:
            from purewasm.engine.native.saved_code import save_code

            save_code(self._saved, machine, explicit_checks=variant.options.explicit_checks)
        return machine

    def _take(self, variant: Variant, index: int, *, wait: bool) -> MachineCode | None:
        """A function that another process has made ahead."""
        parts = None if self._ahead is None or variant.options.explicit_checks else self._ahead.take(index, wait=wait)
        return None if parts is None else self._restore(index, parts)

    def _restore(self, index: int, parts: Parts) -> MachineCode:
        """What another process has made, which is saved."""
        from purewasm.engine.native.saved_code import restore_code

        machine = restore_code(index, parts)
        if self._saved is not None:
            for number, content in parts:
                self._saved.add(number, content)
        return machine

    def install(self, variant: Variant, machine: MachineCode) -> int:
        """Put new code in its place, unless another thread was faster; its address."""
        kind, number = kind_of(machine), number_of(machine)
        known = variant.code[kind].get(number)
        if known is None:
            function = FunctionCode(self, variant, kind, number, len(machine.code), machine)
            known = variant.add(kind, number, function, machine.code)
            if kind == OPTIMIZED and self.layout.has_record(number):
                self._point_records(variant, number, known, is_short=_is_short(machine))
            if _HAS_PERF_MAP:
                self._note(known, function)
        return known

    def _point_records(self, variant: Variant, index: int, address: int, *, is_short: bool) -> None:
        """The records of a function, in every instance there is and those that will be made, lead to its code at once from now on."""
        record = self.record_offset(index)
        self.starts(variant)[self.layout.record(index) - self.module.imported_functions] = address
        if variant is self._variants.get(False):
            self.image.put(record + RECORD_CODE, address)
            if is_short:
                self.image.put(record + RECORD_LONG, 0)
        for space in self.spaces:
            if space.variant is variant and not space.closed:
                libc.write_word(space.block.address + record + RECORD_CODE, address)
                if is_short and space.releases_gil:
                    libc.write_word(space.block.address + record + RECORD_LONG, 0)

    def is_short(self, variant: Variant, index: int) -> bool:
        """True for a function that has optimized code which goes straight to its end."""
        found = find_function(variant.optimized.get(index, 0))
        return found is not None and _is_short(found[0].machine)

    def _note(self, address: int, function: FunctionCode) -> None:
        from purewasm.engine.native import perf_map

        name = self.function_name(function.index) or f"func[{function.index}]"
        perf_map.note_function(address, function.size, f"{name}{function.label}")

    # ---- code of many functions

    def compile_ahead(self, workers: int, prepared: Preparation | None) -> Ahead | None:
        """Let so many other processes compile what is likely to be called, where there is much to compile; perhaps they do already."""
        if is_small(self.module):
            return None
        from purewasm.engine.native.ahead import Ahead, is_large

        variant = self.variant(explicit_checks=False)
        if any(variant.code) or variant.options.explicit_checks or not is_large(self.module):
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
        missing = [index for index in range(first, len(module.func_types)) if index not in variant.optimized]
        sizes = {index: (body := bodies[index - first]).end - body.start for index in missing}
        done, total = 0, sum(sizes.values())
        for index in self._compile(variant, missing, workers):
            done += sizes[index]
            if progress is not None:
                progress(done, total)

    def _compile(self, variant: Variant, indices: list[int], workers: int) -> Iterator[int]:
        if workers < 2:
            for index in indices:
                self.optimize(variant, index)
                yield index
            return
        from purewasm.engine.native.ahead_of_time import job_of
        from purewasm.engine.workers import parts_of

        for index, parts in parts_of(job_of(self.module, self.options, variant.options), self.module, indices, workers):
            self.install(variant, self._restore(index, parts))
            yield index

    def record_offset(self, index: int) -> int:
        """Where in a context's block the record of a declared function begins."""
        return self.image.records + RECORD_BYTES * (self.layout.record(index) - self.module.imported_functions)

    def same_word(self, word: int) -> memoryview:
        """As many words as there are records. The last answer is kept."""
        known = self._same
        if not known or known[0] != word:
            known = self._same = libc.repeated(word, len(self.layout.declared))
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

    def name(self) -> str | None:
        """The module's name, else that of an instance of it."""
        return self._all_names().module or self.instance_name

    def function_name(self, index: int) -> str | None:
        """Name of a function: from the name section, else of an export."""
        return self._all_names().functions.get(index) or self._export_names.get(index)

    def _all_names(self) -> Names:
        if self._names is None:
            from purewasm.binary.names import decode_names  # for messages: most runs have none

            self._names = decode_names(self.module)
        return self._names
