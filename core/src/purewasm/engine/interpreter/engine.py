"""The interpreter behind the `Engine` protocol."""

from __future__ import annotations

import sys

from purewasm.engine.interpreter import depth
from purewasm.engine.interpreter.entry import call_raw, make_entry
from purewasm.engine.interpreter.host_binding import bind_host
from purewasm.engine.interpreter.module_code import ModuleCode
from purewasm.engine.interpreter.namespace import Namespace
from purewasm.engine.interpreter.saved_code import identity
from purewasm.errors import InternalError, Interrupted
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn, final
from purewasm.store.function import Function
from purewasm.store.gc import ArrayObject, StructObject
from purewasm.store.global_ import Global
from purewasm.store.memory import Memory
from purewasm.store.meter import CLOSED
from purewasm.store.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from purewasm.engine.interpreter.heap import LimitedHeap
    from purewasm.engine.protocol import CompileOptions, Preparation, Progress, SavedCode
    from purewasm.store.host import HostFunction
    from purewasm.store.instance import Instance
    from purewasm.wasm.deftypes import DefType
    from purewasm.wasm.module import GlobalType, MemoryType, TableType, WasmModule

DEFAULT_STACK_BYTES: Final = 1 << 20


def _refuse(*arguments: object) -> NoReturn:
    raise Interrupted(CLOSED)


@final
class InterpreterEngine:
    """Runs guest code as Python functions. One engine object belongs to one runtime; code is shared."""

    name: Final = "interpreter"
    optimize_after: Final = None

    def __init__(self, max_stack_bytes: int = DEFAULT_STACK_BYTES, heap_limit_bytes: int | None = None) -> None:
        self._frames = depth.frames_of(max_stack_bytes)
        self._heap: LimitedHeap | None = None
        if heap_limit_bytes is not None:
            from purewasm.engine.interpreter.heap import LimitedHeap  # few runtimes have a limit

            self._heap = LimitedHeap(heap_limit_bytes)

    # ---- code

    @property
    def identity(self) -> str:
        return identity()

    @property
    def identity_here(self) -> str:
        return identity()

    def prepare(self, module: WasmModule, check: Callable[[int], None], options: CompileOptions) -> None:
        return None

    def compile(
        self, module: WasmModule, options: CompileOptions, saved: SavedCode | None = None, prepared: Preparation | None = None
    ) -> ModuleCode:
        return ModuleCode(module, options, saved)

    def runner(self, code: object) -> tuple[str, str | None]:
        return self.name, None

    def compile_all(self, code: object, workers: int = 1, progress: Progress | None = None) -> None:
        _code(code).compile_all(workers, progress)

    def why_refused(self, target: str, compiler: str) -> str | None:
        return f"it holds machine code for {target.partition(' ')[0]}, and this runtime has the interpreter; give it the module itself"

    # ---- what modules define

    def new_memory(self, type: MemoryType, limit_pages: int | None) -> Memory:
        return Memory(type, limit_pages)

    def new_table(self, type: TableType, init: object, instance: Instance | None) -> Table:
        return Table(type, init)

    def new_global(self, type: GlobalType, raw: object, instance: Instance | None) -> Global:
        return Global(type, raw)

    def new_struct(self, instance: Instance, deftype: DefType, values: list[object]) -> object:
        return StructObject(deftype, values) if self._heap is None else self._heap.struct(deftype, values)

    def new_array(self, instance: Instance, deftype: DefType, values: list[object], times: int = 1) -> object:
        return ArrayObject(deftype, values * times) if self._heap is None else self._heap.repeated(deftype, values, times)

    def accepts(self, extern: object) -> bool:
        if isinstance(extern, Function):
            return extern.instance is None or isinstance(extern.instance.engine, InterpreterEngine)
        return True

    def bind_host(self, host: HostFunction, instance: Instance | None) -> Function:
        return bind_host(host, instance)

    # ---- instances

    def link(self, code: object, instance: Instance) -> None:
        space = instance.engine_state = Namespace(_code(code), instance)
        if self._heap is not None:
            space.names.update(self._heap.names())

    def function(self, instance: Instance, index: int) -> Function:
        known = instance.functions.get(index)
        if known is not None:
            return known
        space = _space(instance)
        made = Function(
            space.code.module.func_types[index],
            space.entry(index),
            _refuse,
            instance=instance,
            index=index,
            name=space.code.function_name,
        )
        made.invoke = make_entry(made, self._frames, index in space.leaves)
        instance.functions[index] = made
        return made

    def references(self, instance: Instance, indices: Sequence[int]) -> list[object]:
        return [instance.function(index) for index in indices]

    def ready(self, instance: Instance) -> None:
        space = _space(instance)
        for memory in instance.memories:
            memory.add_observer(space)
        instance.meter.add_observer(space)

    def start(self, instance: Instance, index: int) -> None:
        call_raw(instance.function(index), (), self._frames)

    def close_instance(self, instance: Instance) -> None:
        space = instance.engine_state
        if not isinstance(space, Namespace):
            return
        space.close()
        for function in instance.functions.values():
            if function.instance is instance:
                function.invoke = _refuse
                if function.index >= 0:
                    function.raw = _refuse
        if not _is_running(space):
            # nothing of it runs any more: cut the cycles through its names, so that it goes at once
            space.release()
            instance.tables.clear()
            instance.elements.clear()
        instance.functions.clear()
        instance.engine_state = None

    def close(self) -> None:
        """Nothing of the engine's own outlives its instances."""


def _code(code: object) -> ModuleCode:
    if not isinstance(code, ModuleCode):
        raise InternalError(f"not code of the interpreter: {code!r}")
    return code


def _space(instance: Instance) -> Namespace:
    space = instance.engine_state
    if not isinstance(space, Namespace):
        raise InternalError(f"{instance!r} is not linked by the interpreter")
    return space


def _is_running(space: Namespace) -> bool:
    """True where a frame of any thread belongs to the namespace."""
    current: FrameType | None = None
    frames = list(sys._current_frames().values())
    try:
        while frames:
            current = frames.pop()
            while current is not None:
                if current.f_globals is space.names:
                    return True
                current = current.f_back
        return False
    finally:
        # The frame of this call is among them: a name for it would keep it, its callers and all that they hold alive.
        current = None
        frames.clear()
