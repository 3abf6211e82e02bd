"""What makes machine code of a module, and the kinds of code that there are.

Optimized and baseline code are of whole functions. Code of a loop is what a function goes on with that is in the loop already.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.backend.machine_code import MachineCode, TargetOptions
    from purewasm.isa.x64.baseline.compile import BaselineCompiler
    from purewasm.isa.x64.compile import FunctionCompiler
    from purewasm.wasm.module import WasmModule

    CompilerOf = Callable[[WasmModule, TargetOptions], "Compilers"]

OPTIMIZED: Final = 0
BASELINE: Final = 1
LOOP: Final = 2
KINDS: Final = (OPTIMIZED, BASELINE, LOOP)
LEAST_AHEAD_BYTES: Final = 1 << 15
"""Of function bodies: a smaller module is compiled by the time a copy of this process has started to."""


def is_small(module: WasmModule) -> bool:
    """Nothing is to be had from other processes that compile ahead."""
    return module.code_bytes < LEAST_AHEAD_BYTES


def kind_of(machine: MachineCode) -> int:
    """Which kind of code it is."""
    return LOOP if machine.loop >= 0 else BASELINE if machine.is_baseline else OPTIMIZED


def number_of(machine: MachineCode) -> int:
    """What tells it from other code of its kind: the place of a loop, else the index of the function."""
    return machine.loop if machine.loop >= 0 else machine.index


if TYPE_CHECKING:

    class Compilers(Protocol):
        """Makes code of a module's defined functions."""

        def optimized(self, index: int) -> MachineCode:
            """The best code of a function."""

        def baseline(self, index: int) -> MachineCode | None:
            """Code that is made in a fraction of the time; None where the function has something that only `optimized` does."""

        def loop(self, index: int, place: int) -> MachineCode:
            """The best code of the loop at this place of a function that has baseline code."""


@final
class ModuleCompilers:
    """The compilers, imported when there is something to compile: not where all code was saved."""

    __slots__ = ("_baseline", "_module", "_optimizing", "_options")

    def __init__(self, module: WasmModule, options: TargetOptions) -> None:
        self._module, self._options = module, options
        self._baseline: BaselineCompiler | None = None
        self._optimizing: FunctionCompiler | None = None

    @property
    def _best(self) -> FunctionCompiler:
        if self._optimizing is None:
            from purewasm.isa.x64.compile import function_compiler

            self._optimizing = function_compiler(self._module, self._options)
        return self._optimizing

    def optimized(self, index: int) -> MachineCode:
        return self._best(index)

    def baseline(self, index: int) -> MachineCode | None:
        if self._baseline is None:
            from purewasm.isa.x64.baseline.compile import BaselineCompiler

            self._baseline = BaselineCompiler(self._module, self._options)
        return self._baseline(index)

    def loop(self, index: int, place: int) -> MachineCode:
        return self._best.loop(index, place)
