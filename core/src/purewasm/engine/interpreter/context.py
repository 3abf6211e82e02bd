"""What lowering needs to know of a module beside the function at hand."""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, final
from purewasm.wasm.module import GLOBAL

if TYPE_CHECKING:
    from purewasm.wasm.module import WasmModule


@final
class ModuleContext:
    """What lowering needs to know of a module beside its functions; the same for all of them."""

    __slots__ = ("_type_indices", "fuel", "interruptible", "module", "shared_globals")

    def __init__(self, module: WasmModule, *, fuel: bool, interruptible: bool) -> None:
        self.module, self.fuel, self.interruptible = module, fuel, interruptible
        exported = {export.index for export in module.exports if export.kind == GLOBAL}
        self.shared_globals = exported | set(range(module.imported_globals))
        self._type_indices: dict[int, int] = {}
        for index, deftype in enumerate(module.types):
            self._type_indices.setdefault(deftype.id, index)

    def is_private_global(self, index: int) -> bool:
        """True where nobody but the instance itself can see the global: it is a Python global of the generated code then."""
        return index not in self.shared_globals

    def type_index(self, type_id: int) -> int:
        """The module's first index for a canonical type: code must not name types by numbers of this process."""
        return self._type_indices[type_id]
