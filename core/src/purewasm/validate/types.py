"""Recursion groups: supertypes must be open and truly above (spec: validation, types).

That they exist, come first and are not too many has been checked when the types were made canonical.
"""

from __future__ import annotations

from purewasm.errors import InvalidError
from purewasm.light_typing import TYPE_CHECKING
from purewasm.wasm.deftypes import ArrayType, CompositeType, FieldType, FuncType, StructType, is_subtype

if TYPE_CHECKING:
    from purewasm.wasm.module import WasmModule


def check_types(module: WasmModule) -> None:
    """InvalidError for a type that cannot be what its supertype promises."""
    for index, made in enumerate(module.types):
        for above in made.supers:
            if above.final:
                raise InvalidError(f"sub type {index} does not match super type: its supertype is final")
            if not is_below(made.composite, above.composite):
                raise InvalidError(f"sub type {index} does not match super type: {made.composite} under {above.composite}")


def is_below(sub: CompositeType, sup: CompositeType) -> bool:
    """True where a value of the first composite type can be used as one of the second (spec: matching, composite types)."""
    if isinstance(sub, FuncType):
        return (
            isinstance(sup, FuncType)
            and len(sub.params) == len(sup.params)
            and len(sub.results) == len(sup.results)
            and all(map(is_subtype, sup.params, sub.params))
            and all(map(is_subtype, sub.results, sup.results))
        )
    if isinstance(sub, StructType):
        return isinstance(sup, StructType) and len(sub.fields) >= len(sup.fields) and all(map(_is_field_below, sub.fields, sup.fields))
    return isinstance(sup, ArrayType) and _is_field_below(sub.field, sup.field)


def _is_field_below(sub: FieldType, sup: FieldType) -> bool:
    """A field that is written must have the same type, one that is only read may have one below."""
    if sub.mutable != sup.mutable:
        return False
    return sub.storage == sup.storage if sup.mutable else is_subtype(sub.storage, sup.storage)
