"""Value types, heap types, block types and the type section (spec: binary format, types).

A module's types become canonical as they are read (`deftypes.define_group`), so everything after the type section
sees plain ints that can be compared. What cannot be made canonical is refused here, although it is a matter of validation:
types that do not exist, supertypes that come later, chains of supertypes that are too long.
"""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.binary.gate import need, refuse_above
from purewasm.errors import InvalidError, MalformedError, UnsupportedError
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import REC_BASE, ArrayType, CompositeType, DefType, FieldType, FuncType, StructType, SubType, define_group
from purewasm.wasm.features import EXCEPTIONS, FUNCTION_REFERENCES, GC, MULTI_VALUE, MVP, REFERENCE_TYPES, SIMD
from purewasm.wasm.limits import MAX_PARAMS, MAX_REC_GROUP_TYPES, MAX_RESULTS, MAX_STRUCT_FIELDS, MAX_SUBTYPE_DEPTH, MAX_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.binary.reader import Reader
    from purewasm.wasm.module import WasmModule

_NUMBER_TYPES: Final = {vt.I32: MVP, vt.I64: MVP, vt.F32: MVP, vt.F64: MVP, vt.V128: SIMD}
_HEAP_TYPES: Final = {
    vt.FUNC: REFERENCE_TYPES, vt.EXTERN: REFERENCE_TYPES, vt.EXN: EXCEPTIONS, vt.NOEXN: EXCEPTIONS,
    vt.ANY: GC, vt.EQ: GC, vt.I31: GC, vt.STRUCT: GC, vt.ARRAY: GC, vt.NONE: GC, vt.NOFUNC: GC, vt.NOEXTERN: GC,
}  # fmt: skip
_REF_NULL: Final = 0x63
_REF: Final = 0x64
_ARRAY: Final = 0x5E
_STRUCT: Final = 0x5F
_FUNC: Final = 0x60
_SUB: Final = 0x50
_SUB_FINAL: Final = 0x4F
_REC: Final = 0x4E
_EMPTY_BLOCK: Final = 0x40

BlockType = tuple[tuple[int, ...], tuple[int, ...]]

_SHORT_REFERENCES: Final = {heap + 0x80: (vt.ref_type(heap, True), feature) for heap, feature in _HEAP_TYPES.items()}
_VALUE_TYPES: Final = {code: (code, feature) for code, feature in _NUMBER_TYPES.items()} | _SHORT_REFERENCES
_NO_VALUES: Final[BlockType] = ((), ())
_BLOCK_TYPES: Final = {code: ((), (valtype,)) for code, (valtype, _) in _VALUE_TYPES.items()}


@final
class TypeSpace:
    """The types that bytes may name, and the proposals that are on: what it takes to read a type.

    While a recursion group is read, its members are the indices from `len(types)` to `group_end`.
    """

    __slots__ = ("enabled", "group_end", "types")

    def __init__(self, types: list[DefType], enabled: int) -> None:
        self.types, self.enabled = types, enabled
        self.group_end = len(types)

    def heap_of_index(self, index: int) -> int:
        """The heap type of a type index."""
        defined = len(self.types)
        if index < defined:
            return self.types[index].id
        if index < self.group_end:
            return REC_BASE + index - defined
        raise InvalidError(f"unknown type {index}: {self.group_end} are defined here")

    def deftype(self, index: int) -> DefType:
        """The type with this index."""
        if index >= len(self.types):
            raise InvalidError(f"unknown type {index}: the module has {len(self.types)}")
        return self.types[index]

    def function_type(self, index: int) -> FuncType:
        """The type with this index, which must be a function's."""
        composite = self.deftype(index).composite
        if not isinstance(composite, FuncType):
            raise InvalidError(f"type mismatch: type {index} is no function type")
        return composite

    def value_type(self, code: Iterator[int]) -> int:
        return self._value_type(next(code), code)

    def _value_type(self, byte: int, code: Iterator[int]) -> int:
        known = _VALUE_TYPES.get(byte)
        if known is None:
            if byte in (_REF, _REF_NULL):
                return vt.ref_type(self.heap_type(code), byte == _REF_NULL)
            raise MalformedError(f"malformed value type 0x{byte:02x}")
        valtype, feature = known
        if feature & ~self.enabled:
            self._refuse_type(valtype, feature)
        return valtype

    def reference_type(self, code: Iterator[int]) -> int:
        return self.reference_type_from(next(code), code)

    def reference_type_from(self, byte: int, code: Iterator[int]) -> int:
        """The reference type whose first byte has been read."""
        known = _SHORT_REFERENCES.get(byte)
        if known is None:
            if byte in (_REF, _REF_NULL):
                return vt.ref_type(self.heap_type(code), byte == _REF_NULL)
            raise MalformedError(f"malformed reference type 0x{byte:02x}")
        valtype, feature = known
        # tables of functions are older than references
        if feature & ~self.enabled and valtype != vt.FUNCREF:
            self._refuse_type(valtype, feature)
        return valtype

    def heap_type(self, code: Iterator[int]) -> int:
        byte = next(code)
        feature = _HEAP_TYPES.get(byte - 0x80)
        if feature is not None:
            need(self.enabled, feature, f"the heap type {vt.format_heap(byte - 0x80)}")
            return byte - 0x80
        index = byte if byte < 0x40 else leb.s33_tail(code, byte) if byte >= 0x80 else -1
        if index < 0:
            raise MalformedError(f"malformed heap type 0x{byte:02x}")
        need(self.enabled, FUNCTION_REFERENCES | GC, "a reference to a defined type")
        return self.heap_of_index(index)

    def block_type(self, code: Iterator[int]) -> BlockType:
        """Parameters and results of a block."""
        return self.block_type_from(next(code), code)

    def block_type_from(self, byte: int, code: Iterator[int]) -> BlockType:
        """The block type whose first byte has been read."""
        if byte == _EMPTY_BLOCK:
            return _NO_VALUES
        known = _BLOCK_TYPES.get(byte)
        if known is not None:
            _, feature = _VALUE_TYPES[byte]
            if feature & ~self.enabled:
                self._refuse_type(known[1][0], feature)
            return known
        if byte in (_REF, _REF_NULL):
            return (), (vt.ref_type(self.heap_type(code), byte == _REF_NULL),)
        index = byte if byte < 0x40 else leb.s33_tail(code, byte) if byte >= 0x80 else -1
        if index < 0:
            raise MalformedError(f"malformed block type 0x{byte:02x}")
        need(self.enabled, MULTI_VALUE, "a block with a type index")
        return self.function_type(index)

    def storage_type(self, code: Iterator[int]) -> int:
        """A value type or a packed one."""
        byte = next(code)
        if byte in (vt.I8, vt.I16):
            return byte
        if byte in _VALUE_TYPES or byte in (_REF, _REF_NULL):
            return self._value_type(byte, code)
        raise MalformedError(f"malformed storage type 0x{byte:02x}")

    def field_type(self, code: Iterator[int]) -> FieldType:
        return FieldType(self.storage_type(code), mutability(code))

    def _refuse_type(self, valtype: int, feature: int) -> None:
        need(self.enabled, feature, f"the type {vt.format_type(valtype)}")


def mutability(code: Iterator[int]) -> bool:
    """Whether a global or a field can be written."""
    byte = next(code)
    if byte > 1:
        raise MalformedError(f"malformed mutability 0x{byte:02x}: 0 or 1 expected")
    return byte == 1


# ---- the type section


def decode_type_section(reader: Reader, module: WasmModule, space: TypeSpace) -> None:
    """Fill `module.types` and `module.rec_groups`; `space.types` is the same list."""
    depths: list[int] = []
    for _ in range(reader.count(MAX_TYPES, "types")):
        first = len(module.types)
        byte = reader.byte()
        if byte == _REC:
            need(space.enabled, GC, "a recursion group")
            number = reader.count(MAX_REC_GROUP_TYPES, "types in a recursion group")
            refuse_above(MAX_TYPES, first + number, "types")
            space.group_end = first + number
            members = tuple([_sub_type(reader, reader.byte(), first + i, space, depths) for i in range(number)])
        else:
            space.group_end = first + 1
            members = (_sub_type(reader, byte, first, space, depths),)
        module.types.extend(define_group(members))
        module.rec_groups.append((first, len(members)))


def _sub_type(reader: Reader, byte: int, index: int, space: TypeSpace, depths: list[int]) -> SubType:
    """One member of a group; `depths` gets the length of its chain of supertypes."""
    depth, final_ = 0, True
    supers: tuple[int, ...] = ()
    if byte in (_SUB, _SUB_FINAL):
        need(space.enabled, GC, "a sub type")
        final_ = byte == _SUB_FINAL
        indices = [reader.u32() for _ in range(reader.length("supertypes"))]
        if len(indices) > 1:
            raise InvalidError(f"sub type {index} names {len(indices)} supertypes: at most one is allowed")
        for super_index in indices:
            if super_index >= index:
                problem = "comes after it" if super_index < space.group_end else "does not exist"
                raise InvalidError(f"unknown type {super_index}: the supertype of type {index} {problem}")
            depth = depths[super_index] + 1
        if depth > MAX_SUBTYPE_DEPTH:
            raise UnsupportedError(f"type {index} has more than {MAX_SUBTYPE_DEPTH} supertypes above it, the implementation limit")
        supers = tuple(map(space.heap_of_index, indices))
        byte = reader.byte()
    depths.append(depth)
    return SubType(final_, supers, _composite_type(reader, byte, space))


def _composite_type(reader: Reader, byte: int, space: TypeSpace) -> CompositeType:
    code = reader.code
    if byte == _FUNC:
        params = tuple([space.value_type(code) for _ in range(reader.count(MAX_PARAMS, "parameters of a function"))])
        results = tuple([space.value_type(code) for _ in range(reader.count(MAX_RESULTS, "results of a function"))])
        if len(results) > 1:
            need(space.enabled, MULTI_VALUE, "a function type with several results")
        return FuncType(params, results)
    if byte == _STRUCT:
        need(space.enabled, GC, "a structure type")
        return StructType(tuple([space.field_type(code) for _ in range(reader.count(MAX_STRUCT_FIELDS, "fields of a structure"))]))
    if byte == _ARRAY:
        need(space.enabled, GC, "an array type")
        return ArrayType(space.field_type(code))
    if byte >= 0x80:
        raise MalformedError(f"{leb.TOO_LONG}: a definition type begins with one byte, here is 0x{byte:02x}")
    raise MalformedError(f"malformed definition type 0x{byte:02x}")
