"""Code of one module: what `compile` makes, shared by the module's instances and by threads.

Functions are decoded, lowered and compiled one by one, when an instance first calls them. Two threads that ask for the same function
at once may both do the work; the results are equal and one of them is kept.
"""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING, Final, NamedTuple, final

from purewasm.binary.body import decode_body
from purewasm.binary.names import Names
from purewasm.engine.interpreter.context import ModuleContext
from purewasm.engine.interpreter.lower import FILENAME, is_leaf, lower_function
from purewasm.engine.interpreter.saved_code import FunctionCode, dump_function, load_function
from purewasm.wasm.module import FUNC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.engine.protocol import CompileOptions, SavedCode
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
            known = self._codes.setdefault(index, self._lower(index) if self._saved is None else self._load(index, self._saved))
        return known

    def _load(self, index: int, saved: SavedCode) -> FunctionCode:
        content = saved.get(index)
        made = None if content is None else load_function(content)
        if made is None:
            made = self._lower(index)
            saved.add(index, dump_function(made))
        return made

    def _lower(self, index: int) -> FunctionCode:
        decoded = decode_body(self.module, self.module.codes[index - self.module.imported_functions])
        source = lower_function(self.context, index, decoded).source
        codes = {const.co_name: const for const in compile(source, FILENAME, "exec").co_consts if isinstance(const, CodeType)}
        return FunctionCode(codes[f"f{index}"], codes.get(f"b{index}"), is_leaf(decoded.ops))

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
