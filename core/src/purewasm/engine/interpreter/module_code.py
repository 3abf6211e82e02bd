"""Code of one module: what `compile` makes, shared by the module's instances and by threads.

Functions are decoded, lowered and compiled one by one, when an instance first calls them. Two threads that ask for the same function
at once may both do the work; the results are equal and one of them is kept.
"""

from __future__ import annotations

from purewasm.binary.body import decode_body
from purewasm.binary.names import Names
from purewasm.engine.interpreter import saved_code
from purewasm.engine.interpreter.context import ModuleContext
from purewasm.engine.interpreter.lower import lower_function
from purewasm.engine.interpreter.saved_code import FunctionCode, dump_function, load_function, lower_and_compile
from purewasm.engine.workers import Job, parts_of
from purewasm.errors import InternalError
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.wasm.module import FUNC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purewasm.engine.protocol import CompileOptions, Progress, SavedCode
    from purewasm.wasm.module import WasmModule


class Places(NamedTuple):
    """For each line of a function's text the offset in the module's bytes that it is blamed on, and the opcode there."""

    offsets: Sequence[int]
    ops: Sequence[int]


@final
class ModuleCode:
    """Lowered code of a validated module."""

    __slots__ = ("__weakref__", "_codes", "_export_names", "_places", "_saved", "context", "module", "names", "options")

    def __init__(self, module: WasmModule, options: CompileOptions, saved: SavedCode | None = None) -> None:
        self.module: Final = module
        self.options: Final = options
        self.context: Final = ModuleContext(module, fuel=options.fuel, interruptible=options.interruptible)
        self.names: Final = Names(module.custom("name"))
        self._export_names: Final = {export.index: export.name for export in reversed(module.exports) if export.kind == FUNC}
        self._saved: Final = saved
        self._codes: dict[int, FunctionCode] = {}
        self._places: dict[int, Places] = {}

    def function(self, index: int) -> FunctionCode:
        """Code of the defined function `index`, lowered on first demand."""
        known = self._codes.get(index)
        if known is None:
            known = self._load_saved(index)
            if known is None:
                known = self._codes.setdefault(index, lower_and_compile(self.context, index))
                if self._saved is not None:
                    self._saved.add(index, dump_function(known))
        return known

    def _load_saved(self, index: int) -> FunctionCode | None:
        content = None if self._saved is None else self._saved.get(index)
        code = None if content is None else load_function(content)
        return None if code is None else self._codes.setdefault(index, code)

    def compile_all(self, workers: int, progress: Progress | None) -> None:
        """Every function that is not ready yet, in so many processes."""
        module = self.module
        first, bodies = module.imported_functions, module.codes
        missing = [index for index in range(first, len(module.func_types)) if index not in self._codes and not self._load_saved(index)]
        sizes = {index: (body := bodies[index - first]).end - body.start for index in missing}
        done, total = 0, sum(sizes.values())
        for index in self._compile(missing, workers):
            done += sizes[index]
            if progress is not None:
                progress(done, total)

    def _compile(self, indices: list[int], workers: int) -> Iterator[int]:
        if workers < 2:
            for index in indices:
                self.function(index)
                yield index
            return
        for index, parts in parts_of(Job(saved_code.__name__, self.module.source, self.options), self.module, indices, workers):
            for number, content in parts:
                code = load_function(content)
                if code is None:
                    raise InternalError(f"a worker sent something else than the code of function {index}")
                self._codes.setdefault(index, code)
                if self._saved is not None:
                    self._saved.add(number, content)
            yield index

    def function_name(self, index: int) -> str | None:
        """Name of a function: from the name section, else of an export."""
        return self.names.functions.get(index) or self._export_names.get(index)

    def places(self, index: int) -> Places:
        """The places of a function's lines, found by lowering it again: the text is always the same."""
        known = self._places.get(index)
        if known is None:
            decoded = decode_body(self.module, self.module.codes[index - self.module.imported_functions])
            ats = lower_function(self.context, index, decoded).ats
            offsets = [decoded.offsets[at] if at >= 0 else -1 for at in ats]
            known = self._places[index] = Places(offsets, [decoded.ops[at] if at >= 0 else -1 for at in ats])
        return known
