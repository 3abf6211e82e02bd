"""From a function of a validated module, or one of its loops, to x86-64 machine code: the whole pipeline.

frontend.build     SSA with folding and value numbering; what a loop does not change goes in front of it
frontend.loop      the same of a loop alone
passes.pipeline    everything that happens to the IR then
backend.linear_scan  registers and slots
emit               bytes
legalize           what the processor lacks, if it lacks something
"""

from __future__ import annotations

import gc

from purewasm.backend.linear_scan import allocate
from purewasm.backend.machine_code import MachineCode, TargetOptions
from purewasm.backend.placement import place_arguments
from purewasm.backend.splitting import Splits
from purewasm.frontend.build import build_function
from purewasm.frontend.context import ModuleContext
from purewasm.frontend.loop import build_loop
from purewasm.ir import ops
from purewasm.isa.x64.cpu import AVX, EMITTED_FEATURES, JCC_ERRATUM, usable
from purewasm.isa.x64.emit.body import emit_body
from purewasm.isa.x64.emit.finish import emit_cold, finish, legalizer
from purewasm.isa.x64.emit.state import Emitter
from purewasm.isa.x64.frame import lay_out, receive_arguments
from purewasm.isa.x64.machine import TARGET, TARGET_WITHOUT_AVX
from purewasm.isa.x64.support import unsupported
from purewasm.light_importing import pause_collector
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final
from purewasm.passes.pipeline import run_passes
from purewasm.store.layout import ContextLayout

if TYPE_CHECKING:
    from purewasm.backend.linear_scan import Allocation
    from purewasm.ir.function import Function
    from purewasm.passes.intervals import Intervals
    from purewasm.wasm.module import WasmModule


_LOOP_ARGUMENTS: Final = (ops.INT, ops.INT)
"""Addresses of locals and operands (`frontend.loop`)."""


@final
class _Compiler:
    """What is worked out once for all functions of a module."""

    __slots__ = ("context", "layout", "legalizer", "module", "options", "target")

    def __init__(self, module: WasmModule, options: TargetOptions, layout: ContextLayout) -> None:
        self.module, self.options, self.layout = module, options, layout
        self.context = ModuleContext(module, options.explicit_checks, options.fuel, options.interruptible)
        cpu = usable(options.cpu)
        missing = EMITTED_FEATURES & ~cpu
        self.target = TARGET if cpu & AVX else TARGET_WITHOUT_AVX
        self.legalizer = None
        if missing:
            self.legalizer = legalizer(missing)
            self.options = options._replace(cpu=cpu & ~JCC_ERRATUM)  # padding would not stay where it helps


if TYPE_CHECKING:

    class Observer(Protocol):
        """Who looks on while a function is compiled: `inspection`, and tests."""

        def built(self, function: Function) -> None:
            """IR as the front end made it; later passes change it."""

        def allocated(self, function: Function, live: bytearray, found: Intervals, allocation: Allocation) -> None:
            """All that is known before code is made."""


@final
class FunctionCompiler:
    """Makes code of the defined functions of a module, by their index in the function index space."""

    __slots__ = ("_arguments", "_made")

    def __init__(self, module: WasmModule, options: TargetOptions, layout: ContextLayout | None) -> None:
        self._arguments = module, options, layout
        self._made: _Compiler | None = None  # when the first function is wanted: a module may be run from saved code alone

    def __call__(self, index: int) -> MachineCode:
        """Code of a whole function."""
        return self._compile(index, -1)

    def loop(self, index: int, place: int) -> MachineCode:
        """Code of the loop whose instruction stands at `place` in the module (`frontend.loop` says what it is called with)."""
        return self._compile(index, place)

    def _compile(self, index: int, place: int) -> MachineCode:
        made = self._made
        if made is None:
            module, options, layout = self._arguments
            made = self._made = _Compiler(module, options, layout or ContextLayout(module))
        is_paused = pause_collector()  # all that a compilation makes goes with it: searching it is a tenth of the time
        try:
            return _compile(made, index, place, None)
        finally:
            if is_paused:
                gc.enable()


def function_compiler(module: WasmModule, options: TargetOptions, layout: ContextLayout | None = None) -> FunctionCompiler:
    """What makes code of the defined functions of a module and of their loops."""
    return FunctionCompiler(module, options, layout)


def compile_observed(module: WasmModule, index: int, options: TargetOptions, observer: Observer, place: int = -1) -> MachineCode:
    """Code of a function, or of its loop at `place`, watched; `MachineCode.instructions` is filled too."""
    return _compile(_Compiler(module, options, ContextLayout(module)), index, place, observer)


def _compile(compiler: _Compiler, index: int, place: int, observer: Observer | None) -> MachineCode:
    module, context = compiler.module, compiler.context
    if place < 0:
        function = build_function(context, index)
        classes = context.signature(module.func_types[index])[0]
        if len(function.results) > 1:
            classes = (*classes, ops.INT)
    else:
        function, classes = build_loop(context, index, place), _LOOP_ARGUMENTS
    if observer is not None:
        observer.built(function)
    target = compiler.target
    live, found = run_passes(function, target.foldable)
    allocation = allocate(function, live, found, target, classes)
    if observer is not None:
        observer.allocated(function, live, found, allocation)
    e = Emitter(function, compiler.layout, compiler.options, module)
    e.allocated(live, found, allocation, Splits(function, allocation.splits, allocation.lent))
    lay_out(e, found, allocation, place_arguments(target, classes)[1])
    body_offset = len(e.code)
    receive_arguments(e, classes)
    starts: list[tuple[int, int]] = []
    emit_body(e, None if observer is None else lambda value: starts.append((len(e.code), value)))
    emit_cold(e)
    if compiler.legalizer is not None:
        moved = compiler.legalizer.run(e)
        body_offset, starts = moved(body_offset), [(moved(offset), value) for offset, value in starts]
    made = finish(e)
    made.loop, made.body_offset, made.instructions = place, body_offset, starts
    made.makes_calls, made.has_loops = bool(found.calls or found.tail_calls), bool(function.loops)
    return made


__all__ = ["FunctionCompiler", "MachineCode", "Observer", "TargetOptions", "compile_observed", "function_compiler", "unsupported"]
