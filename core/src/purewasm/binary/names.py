"""The custom section `name`: what functions, locals and the rest were called (spec: appendix, custom sections).

It is only for people, so it is read when somebody asks, part by part, and a part that is broken counts as absent.
"""

from __future__ import annotations

from purewasm.binary.reader import Reader
from purewasm.errors import ModuleError
from purewasm.light_typing import TYPE_CHECKING, Final, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.wasm.module import WasmModule

NameMap = dict[int, str]
IndirectNameMap = dict[int, NameMap]
_T = TypeVar("_T")

_MODULE: Final = 0
_FUNCTIONS: Final = 1
_LOCALS: Final = 2
_LABELS: Final = 3
_TYPES: Final = 4
_TABLES: Final = 5
_MEMORIES: Final = 6
_GLOBALS: Final = 7
_ELEMENTS: Final = 8
_DATA: Final = 9
_FIELDS: Final = 10
_TAGS: Final = 11


@final
class Names:
    """Names of a module's parts, by index. Locals and labels are by function, fields by type. Absent names are absent keys."""

    __slots__ = ("_direct", "_indirect", "_section", "_subsections")

    def __init__(self, section: bytes | None) -> None:
        self._section = section or b""
        self._subsections: dict[int, tuple[int, int]] | None = None
        self._direct: dict[int, NameMap] = {}
        self._indirect: dict[int, IndirectNameMap] = {}

    @property
    def module(self) -> str | None:
        """The module's own name."""
        return self._read(_MODULE, Reader.name)

    @property
    def functions(self) -> NameMap:
        return self._names(_FUNCTIONS)

    @property
    def locals(self) -> IndirectNameMap:
        """Names of parameters and locals, by function."""
        return self._indirect_names(_LOCALS)

    @property
    def labels(self) -> IndirectNameMap:
        """Names of labels, by function, in the order in which their blocks begin."""
        return self._indirect_names(_LABELS)

    @property
    def types(self) -> NameMap:
        return self._names(_TYPES)

    @property
    def tables(self) -> NameMap:
        return self._names(_TABLES)

    @property
    def memories(self) -> NameMap:
        return self._names(_MEMORIES)

    @property
    def globals(self) -> NameMap:
        return self._names(_GLOBALS)

    @property
    def elements(self) -> NameMap:
        return self._names(_ELEMENTS)

    @property
    def data(self) -> NameMap:
        return self._names(_DATA)

    @property
    def fields(self) -> IndirectNameMap:
        """Names of structures' fields, by type."""
        return self._indirect_names(_FIELDS)

    @property
    def tags(self) -> NameMap:
        return self._names(_TAGS)

    def _names(self, id_: int) -> NameMap:
        if id_ not in self._direct:
            self._direct[id_] = self._read(id_, _name_map) or {}
        return self._direct[id_]

    def _indirect_names(self, id_: int) -> IndirectNameMap:
        if id_ not in self._indirect:
            self._indirect[id_] = self._read(id_, _indirect_name_map) or {}
        return self._indirect[id_]

    def _read(self, id_: int, read: Callable[[Reader], _T]) -> _T | None:
        """A subsection's contents; None where it is absent or broken."""
        if self._subsections is None:
            self._subsections = _find_subsections(self._section)
        place = self._subsections.get(id_)
        if place is None:
            return None
        reader = Reader(self._section, *place)
        try:
            content = read(reader)
        except (ModuleError, StopIteration):
            return None
        return None if reader.remaining else content


def decode_names(module: WasmModule) -> Names:
    """The names that a module brings along; never an error."""
    return Names(module.custom("name"))


def _find_subsections(section: bytes) -> dict[int, tuple[int, int]]:
    """Start and end of each subsection up to the first thing that is broken; the first of a kind counts."""
    found: dict[int, tuple[int, int]] = {}
    position = 0
    while position < len(section):
        head = Reader(section, position, min(position + 6, len(section)))
        try:
            id_, size = head.byte(), head.u32()
        except (ModuleError, StopIteration):
            break
        position = head.position + size
        if position > len(section):
            break
        found.setdefault(id_, (head.position, position))
    return found


def _name_map(reader: Reader) -> NameMap:
    names: NameMap = {}
    for _ in range(reader.length("names")):
        index = reader.u32()
        names[index] = reader.name()
    return names


def _indirect_name_map(reader: Reader) -> IndirectNameMap:
    names: IndirectNameMap = {}
    for _ in range(reader.length("names")):
        index = reader.u32()
        names[index] = _name_map(reader)
    return names
