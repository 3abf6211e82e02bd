"""The native engine behind the `Engine` protocol.

Modules that the compiler does not take (`unsupported`) run on another engine that is given to it; both kinds of instances can be linked.
"""

from __future__ import annotations

import os
import sys

from purewasm.backend.machine_code import TargetOptions
from purewasm.engine.native import code_memory, control, interrupts, libc, turn
from purewasm.engine.native.availability import SYSTEM
from purewasm.engine.native.builtins import add_heap_builtins, builtin_table
from purewasm.engine.native.compilers import ModuleCompilers, is_small
from purewasm.engine.native.functions import is_native, set_bridge_maker, type_entries
from purewasm.engine.native.global_ import NativeGlobal
from purewasm.engine.native.memory import NativeMemory
from purewasm.engine.native.module_code import ModuleCode
from purewasm.engine.native.space import SegmentReferences, Space
from purewasm.engine.native.table import NativeTable
from purewasm.errors import InternalError, LinkError, ModuleError
from purewasm.isa.x64.abi import SYSTEM_V, THREAD_SEGMENTS
from purewasm.isa.x64.detection import ANSWER_WORDS, cpuid_stub, features_of
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.store.function import Function
from purewasm.store.global_ import Global
from purewasm.store.memory import Memory
from purewasm.store.table import Table
from purewasm.wasm.deftypes import names_objects
from purewasm.wasm.live import LiveSet
from purewasm.wasm.locks import process_lock

if sys.platform == "win32":
    from purewasm.engine.native import exceptions as faults
else:
    from purewasm.engine.native import signals as faults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.engine.native.ahead import Ahead
    from purewasm.engine.native.compilers import CompilerOf
    from purewasm.engine.native.heap import Heap
    from purewasm.engine.protocol import CompileOptions, Engine, Preparation, Progress, SavedCode
    from purewasm.store.host import HostFunction
    from purewasm.store.instance import Instance
    from purewasm.wasm.deftypes import DefType
    from purewasm.wasm.module import GlobalType, MemoryType, TableType, WasmModule

MAX_STACK_BYTES: Final = 1 << 40
"""More than any stack has; keeps the arithmetic on limits from wrapping around."""

_features: Final[list[int]] = []
_preparing: Final = process_lock()


def cpu_features() -> int:
    """What the present processor can do."""
    if not _features:
        answers = libc.call_with_words(control.STUBS.add(cpuid_stub(SYSTEM_V)), ANSWER_WORDS)
        _features.append(features_of(answers))
    return _features[0]


def check_available() -> None:
    """Raises OSError or MemoryError where this process may not have executable memory, or its C library is not known."""
    with _preparing:  # there is one of each in a process, whoever comes first
        cpu_features()
        code_memory.code_range()
        control.thread_slot()
        builtin_table()
        faults.prepare()


def unsupported(module: WasmModule, cpu: int) -> str | None:
    """Why the compiler does not take a module, or None."""
    # The compiler is imported when there is something to compile: not where all code was saved.
    from purewasm.isa.x64.support import unsupported

    return unsupported(module, cpu)


class FallbackCode(NamedTuple):
    """Code of a module that the fallback engine runs, and why."""

    code: object
    reason: str


@final
class NativeEngine:
    """Runs guest code as machine code. One engine object belongs to one runtime; code is shared."""

    name: Final = "compiler"

    def __init__(
        self,
        fallback: Callable[[], Engine],
        *,
        max_stack_bytes: int,
        explicit_checks: bool = False,
        heap_limit_bytes: int | None = None,
        workers: int = 1,
        optimize_after: int | None = None,
        compiler_of: CompilerOf = ModuleCompilers,
    ) -> None:
        """`fallback` makes the other engine when the first module needs it. With more `workers` than one the others compile ahead."""
        self.optimize_after: Final = optimize_after
        self._workers_ahead = workers - 1
        self._ahead: Final[LiveSet[Ahead]] = LiveSet()
        self._make_fallback = fallback
        self._made_fallback: Engine | None = None
        self._stack_bytes = stack_bytes = min(max_stack_bytes, MAX_STACK_BYTES)
        self._explicit_checks = explicit_checks
        self._compiler_of = compiler_of
        self._builtins = builtin_table().address
        self._asked: tuple[WasmModule, str | None] | None = None
        self._closing: list[Space] = []
        self._heap: Heap | None = None
        self._heap_bytes = heap_limit_bytes
        self._identity_here: str | None = None
        set_bridge_maker(lambda function: _bridge(function, stack_bytes))  # kept by the process: it must not keep this object
        _prepare_fork()

    # ---- code

    @property
    def identity(self) -> str:
        from purewasm.engine.native.saved_code import compiler_digest

        return self._identity(compiler_digest())

    @property
    def identity_here(self) -> str:
        if self._identity_here is None:  # each instance of a module in a cache asks for it
            from purewasm.engine.native.saved_code import compiler_state

            self._identity_here = self._identity(compiler_state())
        return self._identity_here

    def _identity(self, compiler: str) -> str:
        from purewasm.engine.native.saved_code import identity

        # modules that the compiler does not take are saved by the other engine, in code of this Python
        python = f"{sys.implementation.cache_tag} {sys.hexversion:x} {sys.flags.optimize}"
        return f"{identity(cpu_features(), compiler, explicit_checks=self._explicit_checks)}; {python}"

    @property
    def heap(self) -> Heap:
        """Where structures and arrays are, made for the first one who may have some."""
        # Most runtimes never need one: what has to do with it is imported here.
        from purewasm.engine.native import heap

        with _preparing:
            if self._heap is None:
                try:
                    made = heap.Heap(cpu_features(), self._heap_bytes)
                except (MemoryError, OSError) as error:
                    raise LinkError(f"no room for structures and arrays: {error}") from error
                add_heap_builtins()
                self._heap = made
            return self._heap

    @property
    def _fallback(self) -> Engine:
        if self._made_fallback is None:
            self._made_fallback = self._make_fallback()
        return self._made_fallback

    def prepare(self, module: WasmModule, check: Callable[[int], None], options: CompileOptions) -> Ahead | None:
        if not self._workers_ahead or self._explicit_checks or is_small(module):
            return None
        # Few runtimes have workers.
        from purewasm.engine.native.ahead import Ahead, is_large

        try:
            if not is_large(module) or self._why_not(module) is not None:
                return None
        except ModuleError:  # validation will say it
            return None
        ahead = Ahead(module, options, cpu_features(), self._workers_ahead, check)
        self._ahead.add(ahead)
        return ahead

    def compile(
        self, module: WasmModule, options: CompileOptions, saved: SavedCode | None = None, prepared: Preparation | None = None
    ) -> object:
        if saved is not None:
            self._recall(module, saved)
        reason = self._why_not(module)
        if reason is not None:
            return FallbackCode(self._fallback.compile(module, options, saved), reason)
        target = TargetOptions(cpu_features(), self._explicit_checks, options.fuel, options.interruptible, THREAD_SEGMENTS[SYSTEM])
        code = ModuleCode(module, options, target, self._compiler_of, saved, self.optimize_after)
        if saved is not None and code.uses_heap:
            _recall_collector(saved)
        if self._workers_ahead:
            ahead = code.compile_ahead(self._workers_ahead, prepared)
            if ahead is not None:
                self._ahead.add(ahead)
        return code

    def _recall(self, module: WasmModule, saved: SavedCode) -> None:
        """Whether the compiler takes a module has been found out before, or is found out for those who come later."""
        from purewasm.engine.native.saved_code import load_verdict, save_verdict

        is_known, reason = load_verdict(saved)
        if is_known:
            self._asked = module, reason
        else:
            save_verdict(saved, self._why_not(module))

    def _why_not(self, module: WasmModule) -> str | None:
        """Why the compiler does not take a module; the last answer is kept, since each import asks again."""
        known = self._asked
        if known is None or known[0] is not module:
            known = self._asked = (module, unsupported(module, cpu_features()))
        return known[1]

    def runner(self, code: object) -> tuple[str, str | None]:
        return (self._fallback.name, code.reason) if isinstance(code, FallbackCode) else (self.name, None)

    def compile_all(self, code: object, workers: int = 1, progress: Progress | None = None) -> None:
        if isinstance(code, FallbackCode):
            self._fallback.compile_all(code.code, workers, progress)
        else:
            _code(code).compile_all(workers, progress)

    def why_refused(self, target: str, compiler: str) -> str | None:
        from purewasm.engine.native.target import why_refused  # only precompiled modules need it

        return why_refused(target, compiler, cpu_features())

    # ---- what modules define

    def new_memory(self, type: MemoryType, limit_pages: int | None) -> Memory:
        return NativeMemory(type, limit_pages, explicit_checks=self._explicit_checks)

    def new_table(self, type: TableType, init: object, instance: Instance | None) -> Table:
        if not names_objects(type.reftype):
            return NativeTable(type, init)
        return NativeTable(type, init, self.heap) if self._is_compiled(instance) else Table(type, init)

    def new_global(self, type: GlobalType, raw: object, instance: Instance | None) -> Global:
        if not names_objects(type.valtype):
            return NativeGlobal(type, raw)
        return NativeGlobal(type, raw, self.heap) if self._is_compiled(instance) else Global(type, raw)

    def new_struct(self, instance: Instance, deftype: DefType, values: list[object]) -> object:
        space = instance.engine_state
        if not isinstance(space, Space):
            return self._fallback.new_struct(instance, deftype, values)
        from purewasm.engine.native.aggregates import new_struct

        return new_struct(space, deftype, values)

    def new_array(self, instance: Instance, deftype: DefType, values: list[object], times: int = 1) -> object:
        space = instance.engine_state
        if not isinstance(space, Space):
            return self._fallback.new_array(instance, deftype, values, times)
        from purewasm.engine.native.aggregates import new_array

        return new_array(space, deftype, values, times)

    def _is_compiled(self, instance: Instance | None) -> bool:
        return instance is None or self._why_not(instance.wasm) is None

    def accepts(self, extern: object) -> bool:
        if isinstance(extern, Function):
            return extern.instance is None or isinstance(extern.instance.engine, NativeEngine)
        if isinstance(extern, Memory):
            return isinstance(extern, NativeMemory)
        if isinstance(extern, Table):
            return isinstance(extern, NativeTable) or names_objects(extern.type.reftype)
        if isinstance(extern, Global):
            return isinstance(extern, NativeGlobal) or names_objects(extern.type.valtype)
        return True

    def bind_host(self, host: HostFunction, instance: Instance | None) -> Function:
        if instance is not None and self._why_not(instance.wasm) is not None:
            return self._fallback.bind_host(host, instance)
        from purewasm.engine.native.host_binding import bind_host  # a module may import nothing

        uses_heap = host.deftype.names_objects or (instance is not None and _code(instance.code).uses_heap)
        return bind_host(host, instance, self._stack_bytes, self.heap if uses_heap else None)

    # ---- instances

    def link(self, code: object, instance: Instance) -> None:
        if isinstance(code, FallbackCode):
            self._fallback.link(code.code, instance)
        else:
            made = _code(code)
            space = Space(made, instance, self._stack_bytes, self._builtins, self.heap if made.uses_heap else None)
            instance.engine_state, image, block = space, made.image, space.block
            cells = image.new_cells(block)
            for global_type, is_exported, offset in image.globals:
                instance.globals.append(NativeGlobal.placed(global_type, cells if is_exported else block, offset))
            for table_type, pair, elements in image.tables:
                instance.tables.append(NativeTable.placed(table_type, block, pair, elements))
            instance.elements_in_place = image.elements_in_place

    def function(self, instance: Instance, index: int) -> Function:
        space = instance.engine_state
        return space.function(index) if isinstance(space, Space) else self._fallback.function(instance, index)

    def references(self, instance: Instance, indices: Sequence[int]) -> Sequence[object]:
        space = instance.engine_state
        return SegmentReferences(space, indices) if isinstance(space, Space) else self._fallback.references(instance, indices)

    def ready(self, instance: Instance) -> None:
        space = instance.engine_state
        if not isinstance(space, Space):
            self._fallback.ready(instance)
            return
        faults.install()
        if instance.interruptible:
            interrupts.start_ticker()
        space.complete(instance)

    def start(self, instance: Instance, index: int) -> None:
        space = instance.engine_state
        if isinstance(space, Space) and index >= instance.wasm.imported_functions:
            space.call(type_entries(instance.wasm.func_types[index].func), space.record(index), [])
        elif is_native(instance.function(index)):
            instance.function(index).raw()
        else:
            self._fallback.start(instance, index)

    def close_instance(self, instance: Instance) -> None:
        space = instance.engine_state
        if not isinstance(space, Space):
            self._fallback.close_instance(instance)
            return
        space.close(instance)
        waiting, self._closing = [*self._closing, space], []
        for closed in waiting:
            if closed.is_running:
                self._closing.append(closed)
            else:
                closed.release()

    def close(self) -> None:
        """Spaces that were closed while a guest ran go with their last user."""
        self._closing.clear()
        for ahead in self._ahead:
            ahead.stop()
        if self._made_fallback is not None:
            self._made_fallback.close()


def _bridge(function: Function, stack_bytes: int) -> Function:
    from purewasm.engine.native.host_binding import bridge

    return bridge(function, stack_bytes)


def _recall_collector(saved: SavedCode) -> None:
    """The functions of the heap are saved with each module that needs them."""
    from purewasm.engine.native import collector_code
    from purewasm.engine.native.saved_code import collector_part, load_collector

    known = load_collector(saved)
    if known is None:
        saved.add(*collector_part(collector_code.compiled(cpu_features())))
    else:
        collector_code.offer(known)


def _code(code: object) -> ModuleCode:
    if not isinstance(code, ModuleCode):
        raise InternalError(f"not code of the compiler: {code!r}")
    return code


_prepared: Final[list[bool]] = []


def _prepare_fork() -> None:
    if not _prepared and hasattr(os, "register_at_fork"):
        _prepared.append(True)
        os.register_at_fork(after_in_child=_after_fork)


def _after_fork() -> None:
    code_memory.forget_after_fork()
    control.forget_after_fork()
    turn.forget_after_fork()
    interrupts.restart_after_fork()
