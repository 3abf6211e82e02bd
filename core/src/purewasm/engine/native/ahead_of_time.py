"""Machine code of whole modules, made on any machine: no code is run here, so this works where the engine itself does not.

A *target* says where code can run: an architecture and a system, and features that the processor must have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from purewasm.backend.machine_code import TargetOptions
from purewasm.engine.native.saved_code import compiler_digest, function_parts, verdict_part
from purewasm.engine.workers import Job, parts_of
from purewasm.isa.x64.compile import function_compiler, unsupported
from purewasm.isa.x64.cpu import format_features, parse_features
from purewasm.isa.x64.machine import NEEDED_FEATURES

if TYPE_CHECKING:
    from purewasm.engine.protocol import CompileOptions, Progress
    from purewasm.engine.workers import Maker, Parts
    from purewasm.wasm.module import WasmModule

PLATFORM: Final = "x86_64-linux"
TARGETS: Final = (PLATFORM,)
"""What `--target` names: any processor of the architecture that the compiler can be used with."""


def part_maker(module: WasmModule, options: CompileOptions, cpu: int, explicit_checks: int) -> Maker:
    """What workers call."""
    target = TargetOptions(cpu, bool(explicit_checks), options.fuel, options.interruptible)
    compile_function = function_compiler(module, target)

    def make(index: int) -> Parts:
        return function_parts(compile_function(index), explicit_checks=target.explicit_checks)

    return make


def job_of(module: WasmModule, options: CompileOptions, target: TargetOptions) -> Job:
    """The job of compiling a module for workers."""
    return Job(__name__, module.source, options, (target.cpu, int(target.explicit_checks)))


def format_target(cpu: int) -> str:
    """A target as text: `x86_64-linux x86-64-v3,erms`."""
    return f"{PLATFORM} {format_features(cpu)}"


def compile_module(
    module: WasmModule, options: CompileOptions, cpu: int | None, workers: int, progress: Progress | None
) -> tuple[str, str, dict[int, bytes]]:
    """(target, state of the compiler, parts) of all functions, for a processor with these features or any that will do.

    `ValueError` where the compiler does not take the module.
    """
    features = NEEDED_FEATURES if cpu is None else cpu
    reason = unsupported(module, features)
    if reason is not None:
        raise ValueError(reason)
    target = TargetOptions(features, False, options.fuel, options.interruptible)
    first = module.imported_functions
    sizes = [body.end - body.start for body in module.codes]
    done, total = 0, sum(sizes)
    parts = dict([verdict_part(None)])
    for index, made in parts_of(job_of(module, options, target), module, range(first, len(module.func_types)), workers):
        parts.update(made)
        done += sizes[index - first]
        if progress is not None:
            progress(done, total)
    return format_target(features), compiler_digest(), parts


def why_refused(target: str, digest: str, cpu: int) -> str | None:
    """Why code for a target cannot run on this processor, or None."""
    platform, _, names = target.partition(" ")
    if platform != PLATFORM:
        return f"it is for {platform}, this is {PLATFORM}: compile the module again, here or with --target {PLATFORM}"
    try:
        missing = parse_features(names) & ~cpu
    except ValueError:
        return f"it is for a processor that this version does not know, {names}: make it again with purewasm compile"
    if missing:
        lacking = format_features(missing).removeprefix("x86-64,")
        return f"it is for a processor with {names}, this one lacks {lacking}: compile the module again with --target {PLATFORM}"
    if digest != compiler_digest():
        return "it was made by another state of the compiler: make it again with purewasm compile"
    return None
