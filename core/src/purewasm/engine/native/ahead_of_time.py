"""Machine code of whole modules, made on any machine: no code is run here, so this works where the engine itself does not."""

from __future__ import annotations

from purewasm.backend.machine_code import TargetOptions
from purewasm.engine.native import collector_code
from purewasm.engine.native.availability import SYSTEM
from purewasm.engine.native.heap_users import uses_heap
from purewasm.engine.native.saved_code import code_parts, collector_part, name_compiler, verdict_part
from purewasm.engine.native.target import format_target
from purewasm.engine.workers import Job, parts_of
from purewasm.isa.x64.abi import THREAD_SEGMENTS
from purewasm.isa.x64.compile import function_compiler, unsupported
from purewasm.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from purewasm.engine.protocol import CompileOptions, Progress
    from purewasm.engine.workers import Maker, Parts
    from purewasm.wasm.module import WasmModule


def part_maker(module: WasmModule, options: CompileOptions, cpu: int, explicit_checks: int) -> Maker:
    """What workers call."""
    target = TargetOptions(cpu, bool(explicit_checks), options.fuel, options.interruptible, THREAD_SEGMENTS[SYSTEM])
    compile_function = function_compiler(module, target)

    def make(index: int) -> Parts:
        return code_parts(compile_function(index), explicit_checks=target.explicit_checks)

    return make


def job_of(module: WasmModule, options: CompileOptions, target: TargetOptions) -> Job:
    """The job of compiling a module for workers."""
    return Job(__name__, module.source, options, (target.cpu, int(target.explicit_checks)))


def compile_module(
    module: WasmModule, options: CompileOptions, cpu: int, workers: int, progress: Progress | None, *, for_here: bool
) -> tuple[str, str, dict[int, bytes]]:
    """(target, the compiler that it was, parts) of all functions, for processors with these features.

    What is made `for_here`, for this very machine, is known again faster on it. `ValueError` where the compiler does not take the module.
    """
    reason = unsupported(module, cpu)
    if reason is not None:
        raise ValueError(reason)
    target = TargetOptions(cpu, False, options.fuel, options.interruptible, THREAD_SEGMENTS[SYSTEM])
    first = module.imported_functions
    sizes = [body.end - body.start for body in module.codes]
    done, total = 0, sum(sizes)
    parts = dict([verdict_part(None)])
    if uses_heap(module):
        parts.update([collector_part(collector_code.compiled(cpu))])
    for index, made in parts_of(job_of(module, options, target), module, range(first, len(module.func_types)), workers):
        parts.update(made)
        done += sizes[index - first]
        if progress is not None:
            progress(done, total)
    return format_target(cpu), name_compiler(for_here=for_here), parts
