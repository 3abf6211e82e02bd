"""What the front end needs to know of a module, worked out once for all of its functions."""

from __future__ import annotations

from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, final
from purewasm.store.layout import MEMORY_GUARD_BYTES
from purewasm.wasm.deftypes import DefType

if TYPE_CHECKING:
    from purewasm.wasm.module import WasmModule

Classes = tuple[int, ...]
Signature = tuple[Classes, Classes]
"""Classes of parameters and of results."""

_INT = ops.INT


def classes_of(types: tuple[int, ...]) -> Classes:
    """Value classes of value types."""
    known = ops.CLASS_OF_TYPE
    return tuple([known.get(valtype, _INT) for valtype in types])


@final
class ModuleContext:
    """A module as its functions' compilation sees it."""

    __slots__ = (
        "_signatures", "explicit_checks", "fuel", "guard_bytes", "interruptible", "memory_bytes", "memory_is_64", "module",
        "page_size_log2",
    )  # fmt: skip

    def __init__(self, module: WasmModule, explicit_checks: bool, fuel: bool, interruptible: bool = True) -> None:
        self.module, self.explicit_checks, self.fuel, self.interruptible = module, explicit_checks, fuel, interruptible
        memories = module.memory_types
        plain = bool(memories) and not memories[0].is_64 and not explicit_checks and memories[0].page_size_log2 == 16
        self.guard_bytes = MEMORY_GUARD_BYTES if plain else 0
        """Accesses to memory 0 with an offset below this are checked by its guard pages."""
        self.memory_bytes = memories[0].limits.min << memories[0].page_size_log2 if memories else 0
        """What memory 0 is never smaller than."""
        self.memory_is_64 = [memory.is_64 for memory in memories]
        self.page_size_log2 = [memory.page_size_log2 for memory in memories]
        self._signatures: dict[int, Signature] = {}

    def signature(self, deftype: DefType) -> Signature:
        """The classes of a function type."""
        known = self._signatures.get(deftype.id)
        if known is None:
            func = deftype.func
            known = self._signatures[deftype.id] = (classes_of(func.params), classes_of(func.results))
        return known
