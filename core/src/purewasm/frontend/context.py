"""What the front end needs to know of a module, worked out once for all of its functions."""

from __future__ import annotations

from purewasm.binary.body import decode_body
from purewasm.ir import ops
from purewasm.light_typing import TYPE_CHECKING, NamedTuple, final
from purewasm.store.layout import ARRAY_ELEMENTS, MEMORY_GUARD_BYTES, OBJECT_TAG
from purewasm.store.object_layout import storage_bytes, struct_layout
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import ArrayType, DefType, FieldType, FuncType, StructType
from purewasm.wasm.opcodes import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purewasm.binary.body import Body
    from purewasm.frontend.loop import LoopsOfFunction
    from purewasm.wasm.module import WasmModule

Classes = tuple[int, ...]
Signature = tuple[Classes, Classes]
"""Classes of parameters and of results."""

_INT = ops.INT
_SLOT_BYTES = 8
_WIDE_SLOT_BYTES = 16
_VECTOR_CODES = frozenset(code for code, *_ in FAMILIES["vector"])
_V128_LOAD, _V128_STORE = ops.VECTOR_BASE, ops.VECTOR_BASE + 0xB
# By storage type: what loads it, without and with a sign, and what stores it; references as 64-bit integers.
_ACCESSES = {
    vt.I8: (0x2D, 0x2C, 0x3A), vt.I16: (0x2F, 0x2E, 0x3B), vt.I32: (0x28, 0x28, 0x36), vt.I64: (0x29, 0x29, 0x37),
    vt.F32: (0x2A, 0x2A, 0x38), vt.F64: (0x2B, 0x2B, 0x39), vt.V128: (_V128_LOAD, _V128_LOAD, _V128_STORE),
}  # fmt: skip


class Slot(NamedTuple):
    """A field of a structure, or the elements of an array, as compiled code accesses it."""

    storage: int
    mutable: bool
    offset: int
    """From the word of a reference."""
    load: int
    load_signed: int
    store: int
    value_class: int
    size_log2: int


def _slot(field: FieldType, offset: int) -> Slot:
    storage, mutable = field
    value_class = ops.CLASS_OF_TYPE.get(storage, _INT)
    accesses = _ACCESSES.get(storage, _ACCESSES[vt.I64])
    return Slot(storage, mutable, offset - OBJECT_TAG, *accesses, value_class, storage_bytes(storage).bit_length() - 1)


def _types_in(deftype: DefType) -> tuple[int, ...]:
    composite = deftype.composite
    if isinstance(composite, FuncType):
        return composite.params + composite.results
    if isinstance(composite, StructType):
        return tuple([field.storage for field in composite.fields])
    return (composite.field.storage,)


def classes_of(types: tuple[int, ...]) -> Classes:
    """Value classes of value types."""
    known = ops.CLASS_OF_TYPE
    return tuple([known.get(valtype, _INT) for valtype in types])


@final
class ModuleContext:
    """A module as its functions' compilation sees it."""

    __slots__ = (
        "_arrays", "_signatures", "_structures", "_type_indices", "explicit_checks", "fuel", "guard_bytes",
        "has_objects", "interruptible", "loops", "memory_bytes", "memory_is_64", "module", "page_size_log2", "passes_vectors",
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
        self.has_objects = not all(isinstance(deftype.composite, FuncType) for deftype in module.types)
        """It has structure or array types: what is known of references is worth noting."""
        self.passes_vectors = any(vt.V128 in _types_in(deftype) for deftype in module.types) or any(
            valtype == vt.V128 for valtype, _ in module.global_types
        )
        """A function may have vectors from others, though none of its own instructions makes one."""
        self.loops: LoopsOfFunction | None = None
        """Of the function whose loops are being compiled, one after the other."""
        self._signatures: dict[int, Signature] = {}
        self._structures: dict[int, tuple[tuple[Slot, ...], int]] = {}
        self._arrays: dict[int, Slot] = {}
        self._type_indices: dict[int, int] = {}

    def body(self, index: int) -> Body:
        """The instructions of a function, which have been decoded already if its loops were compiled just before."""
        loops, self.loops = self.loops, None
        if loops is not None and loops.index == index:
            return loops.body
        return decode_body(self.module, self.module.codes[index - self.module.imported_functions])

    def signature(self, deftype: DefType) -> Signature:
        """The classes of a function type."""
        known = self._signatures.get(deftype.id)
        if known is None:
            func = deftype.func
            known = self._signatures[deftype.id] = (classes_of(func.params), classes_of(func.results))
        return known

    def structure(self, index: int) -> tuple[tuple[Slot, ...], int]:
        """The fields of the structure type at a module's type index, and the bytes of an object."""
        known = self._structures.get(index)
        if known is None:
            deftype = self.module.types[index]
            offsets, size = struct_layout(deftype)
            assert isinstance(deftype.composite, StructType)
            fields = [_slot(field, offset) for field, offset in zip(deftype.composite.fields, offsets, strict=True)]
            known = self._structures[index] = tuple(fields), size
        return known

    def array(self, index: int) -> Slot:
        """The elements of the array type at a module's type index."""
        known = self._arrays.get(index)
        if known is None:
            composite = self.module.types[index].composite
            assert isinstance(composite, ArrayType)
            known = self._arrays[index] = _slot(composite.field, ARRAY_ELEMENTS)
        return known

    def type_index(self, heap: int) -> int:
        """A module's index of the defined type with this id."""
        indices = self._type_indices
        if not indices:
            indices.update((deftype.id, index) for index, deftype in enumerate(self.module.types))
        return indices[heap]

    def is_function_type(self, index: int) -> bool:
        return isinstance(self.module.types[index].composite, FuncType)


def slot_bytes(context: ModuleContext, index: int, body_ops: Iterable[int]) -> int:
    """What a local or an operand takes in the frames of a function's baseline code, by its instructions."""
    module = context.module
    declared = [valtype for _, valtype in module.codes[index - module.imported_functions].locals]
    if context.passes_vectors or vt.V128 in declared or not _VECTOR_CODES.isdisjoint(body_ops):
        return _WIDE_SLOT_BYTES
    return _SLOT_BYTES
