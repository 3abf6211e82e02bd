"""Contents of the name section (spec: appendix, custom sections): the inverse of `names`."""

from __future__ import annotations

from dataclasses import dataclass, field

from purewasm.binary import primitive_encoder as enc
from purewasm.binary.names import IndirectNameMap, NameMap
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME_SECTION: Final = "name"

# subsections: a map from indices to names, or a map from indices to such maps
_MODULE: Final = 0
_MAPS: Final = {1: "functions", 4: "types", 5: "tables", 6: "memories", 7: "globals", 8: "elements", 9: "data", 11: "tags"}
_INDIRECT: Final = {2: "locals", 3: "labels", 10: "fields"}


@dataclass(slots=True)
class NameSection:
    """All names of a module, as `names.Names` has them. Locals and labels are by function, fields by type."""

    module: str | None = None
    functions: NameMap = field(default_factory=dict)
    locals: IndirectNameMap = field(default_factory=dict)
    labels: IndirectNameMap = field(default_factory=dict)
    types: NameMap = field(default_factory=dict)
    tables: NameMap = field(default_factory=dict)
    memories: NameMap = field(default_factory=dict)
    globals: NameMap = field(default_factory=dict)
    elements: NameMap = field(default_factory=dict)
    data: NameMap = field(default_factory=dict)
    fields: IndirectNameMap = field(default_factory=dict)
    tags: NameMap = field(default_factory=dict)


def encode_names(names: NameSection) -> bytes:
    """Contents of the name section; empty where there are no names."""
    parts = [] if names.module is None else [enc.section(_MODULE, enc.name(names.module))]
    for id in sorted((*_MAPS, *_INDIRECT)):
        if id in _MAPS:
            content = _name_map(getattr(names, _MAPS[id]))
        else:
            content = _indirect_name_map(getattr(names, _INDIRECT[id]))
        if content:
            parts.append(enc.section(id, content))
    return b"".join(parts)


def _name_map(names: Mapping[int, str]) -> bytes:
    return enc.vector([enc.unsigned(index) + enc.name(names[index]) for index in sorted(names)]) if names else b""


def _indirect_name_map(names: Mapping[int, Mapping[int, str]]) -> bytes:
    maps = [enc.unsigned(index) + _name_map(names[index]) for index in sorted(names) if names[index]]
    return enc.vector(maps) if maps else b""
