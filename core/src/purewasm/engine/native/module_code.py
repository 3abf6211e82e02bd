"""Code of one module, shared by its instances: a slot for each function, which holds the code's address or that of a stub that compiles it.

A module has two variants of code: `guarded` memories need no checks, others (no address space left, 64-bit addresses) need them. Which
one an instance uses is decided by its memory 0; the slot table in its context says it.
"""

from __future__ import annotations

import weakref
from array import array
from typing import TYPE_CHECKING, Final, final

from purewasm import traps
from purewasm.backend.machine_code import MachineCode, TargetOptions
from purewasm.binary.names import Names
from purewasm.engine.native import libc
from purewasm.engine.native.code_memory import CodeMemory
from purewasm.engine.native.functions import ancestors_of
from purewasm.engine.native.lazy import STUB_BYTES, THUNK_BYTES, make_stubs, thunk_offset
from purewasm.engine.native.perf_map import note_function
from purewasm.engine.native.saved_code import dump_function, load_function, part_number
from purewasm.store.layout import RECORD_ANCESTORS, RECORD_BYTES, RECORD_CODE, RECORD_INDEX, RECORD_TYPE, ContextLayout
from purewasm.wasm.module import FUNC

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.native.space import Space
    from purewasm.engine.protocol import CompileOptions, SavedCode
    from purewasm.wasm.module import WasmModule

    Compile = Callable[[WasmModule, int, TargetOptions], MachineCode]


@final
class FunctionCode:
    """Compiled code of one function, as far as backtraces need it."""

    __slots__ = ("_code", "index", "machine")

    def __init__(self, code: ModuleCode, index: int, machine: MachineCode) -> None:
        self._code = weakref.ref(code)
        self.index, self.machine = index, machine

    def frame(self, offset: int) -> traps.Frame:
        """The frame that stands at `offset` in the module's bytes."""
        code = self._code()
        if code is None:
            return traps.Frame(None, self.index, None, offset)
        return traps.Frame(code.name(), self.index, code.function_name(self.index), offset)


@final
class Variant:
    """One table of slots and the code behind it."""

    __slots__ = ("_memory", "compiled", "options", "slots", "thunks")

    def __init__(self, module: WasmModule, options: TargetOptions) -> None:
        self.options = options
        self._memory: Final = CodeMemory()
        count = len(module.func_types)
        self.slots: Final = libc.Block(8 * count)
        self.thunks = self._memory.add(make_stubs(module.imported_functions, count))
        first = module.imported_functions
        for index in range(first, count):
            self.slots.words[index] = self.thunks + STUB_BYTES * (index - first)
        self.compiled: dict[int, int] = {}

    def add(self, function: FunctionCode) -> int:
        address = self._memory.add(function.machine.code, function)
        self.compiled[function.index] = self.slots.words[function.index] = address
        return address


@final
class ModuleCode:
    """Everything that instances of a module share."""

    __slots__ = (
        "__weakref__", "_compile", "_export_names", "_ones", "_record_offsets", "_records", "_saved", "_variants", "instance_name",
        "layout", "module",
        "names", "options", "record_template", "records_offset", "spaces",
        "target", "types",
    )  # fmt: skip

    def __init__(
        self, module: WasmModule, options: CompileOptions, target: TargetOptions, compile: Compile, saved: SavedCode | None = None
    ) -> None:
        self.module: Final = module
        self.options: Final = options
        self.target: Final = target
        self._compile, self._saved = compile, saved
        self.names: Final = Names(module.custom("name"))
        self._export_names: Final = {export.index: export.name for export in reversed(module.exports) if export.kind == FUNC}
        self.layout: Final = ContextLayout(module)
        self.records_offset: Final = self.layout.size + 15 & -16
        """Where in a context's block the table of record addresses is."""
        self._variants: dict[bool, Variant] = {}
        self.types: Final = libc.Block(8 * len(module.types))
        for position, deftype in enumerate(module.types):
            self.types.words[position] = deftype.id
        variant = self.variant(explicit_checks=False)
        first, end = module.imported_functions, len(module.func_types)
        template = array("Q", bytes(RECORD_BYTES * (end - first)))
        template[RECORD_CODE >> 3 :: RECORD_BYTES >> 3] = array("Q", self.thunks(variant))
        template[RECORD_INDEX >> 3 :: RECORD_BYTES >> 3] = array("Q", range(first, end))
        deftypes = module.func_types[first:]
        template[RECORD_TYPE >> 3 :: RECORD_BYTES >> 3] = array("Q", [deftype.id for deftype in deftypes])
        template[RECORD_ANCESTORS >> 3 :: RECORD_BYTES >> 3] = array("Q", [ancestors_of(deftype) for deftype in deftypes])
        self._records = template
        self._ones: Final = int.from_bytes(self.same_word(1).tobytes(), "little")
        offsets = array("Q", range(0, RECORD_BYTES * (end - first), RECORD_BYTES))
        self._record_offsets: Final = int.from_bytes(offsets.tobytes(), "little")
        self.instance_name: str | None = None
        """Name of some instance of it: backtraces use it where the module has no name."""
        self.record_template: Final = memoryview(template)
        """Records of the defined functions; their contexts are to be filled in."""
        self.spaces: weakref.WeakSet[Space] = weakref.WeakSet()

    def variant(self, *, explicit_checks: bool) -> Variant:
        """The code for memories with guard pages, or for those without."""
        known = self._variants.get(explicit_checks)
        if known is None:
            options = self.target._replace(explicit_checks=explicit_checks or self.target.explicit_checks)
            known = self._variants.setdefault(explicit_checks, Variant(self.module, options))
        return known

    def compile(self, variant: Variant, index: int) -> int:
        """Address of the code of a defined function, compiled on first demand."""
        known = variant.compiled.get(index)
        if known is None:
            machine = self._machine_code(variant, index)
            known = variant.compiled.get(index)
            if known is None:
                function = FunctionCode(self, index, machine)
                known = variant.add(function)
                if variant is self._variants.get(False):
                    self._records[(RECORD_BYTES * (index - self.module.imported_functions) + RECORD_CODE) >> 3] = known
                note_function(known, len(machine.code), self.function_name(index) or f"func[{index}]")
        return known

    def _machine_code(self, variant: Variant, index: int) -> MachineCode:
        """Saved code, or new code, which is saved."""
        saved, options = self._saved, variant.options
        if saved is None:
            return self._compile(self.module, index, options)
        number = part_number(index, explicit_checks=options.explicit_checks)
        content = saved.get(number)
        machine = None if content is None else load_function(content, index)
        if machine is None:
            machine = self._compile(self.module, index, options)
            saved.add(number, dump_function(machine))
        return machine

    def compile_all(self) -> None:
        variant = self.variant(explicit_checks=False)
        for index in range(self.module.imported_functions, len(self.module.func_types)):
            self.compile(variant, index)

    def same_word(self, word: int) -> memoryview:
        """As many words as there are defined functions."""
        return memoryview(array("Q", (word,)) * len(self.module.functions))

    def record_addresses(self, start: int) -> memoryview:
        """Addresses of the records of the defined functions, which begin at `start`."""
        # one sum of long numbers: every word of `_ones` is 1, and no word overflows
        words = self._ones * start + self._record_offsets
        return memoryview(words.to_bytes(8 * len(self.module.functions), "little")).cast("Q")

    def thunks(self, variant: Variant) -> memoryview:
        """Addresses of code that jumps to whatever is in the slot of each defined function: what records start with."""
        count = len(self.module.functions)
        start = variant.thunks + thunk_offset(0, count)
        return memoryview(array("Q", range(start, start + THUNK_BYTES * count, THUNK_BYTES)))

    def name(self) -> str | None:
        """The module's name, else that of an instance of it."""
        return self.names.module or self.instance_name

    def function_name(self, index: int) -> str | None:
        """Name of a function: from the name section, else of an export."""
        return self.names.functions.get(index) or self._export_names.get(index)
