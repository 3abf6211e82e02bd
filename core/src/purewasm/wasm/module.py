"""A decoded module as data (spec: structure, modules).

Bodies, data and constant expressions stay where they are in `source`: a segment is a pair of offsets, so that a decoded
module costs little more than its bytes. Types are canonical (`deftypes`), so nothing below needs a context to compare them.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final
from purewasm.wasm.deftypes import DefType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# kinds of imports and exports: the byte of the binary format
FUNC: Final = 0
TABLE: Final = 1
MEMORY: Final = 2
GLOBAL: Final = 3
TAG: Final = 4
KIND_NAMES: Final = ("func", "table", "memory", "global", "tag")


class Limits(NamedTuple):
    """Sizes of a table (elements) or a memory (pages); `max` None for no limit."""

    min: int
    max: int | None


class MemoryType(NamedTuple):
    limits: Limits
    is_64: bool = False
    shared: bool = False
    page_size_log2: int = 16


class TableType(NamedTuple):
    reftype: int
    limits: Limits
    is_64: bool = False


class GlobalType(NamedTuple):
    valtype: int
    mutable: bool


class ConstExpr(NamedTuple):
    """A constant expression: `source[start:end]`, its final `end` opcode included."""

    start: int
    end: int


class Import(NamedTuple):
    """`type` is a DefType for functions and tags, otherwise the TableType, MemoryType or GlobalType."""

    module: str
    name: str
    kind: int
    type: DefType | TableType | MemoryType | GlobalType


class Export(NamedTuple):
    name: str
    kind: int
    index: int  # type: ignore[assignment]  # the binary format's word, at the price of tuple.index


class Table(NamedTuple):
    type: TableType
    init: ConstExpr | None  # None: null


class Global(NamedTuple):
    type: GlobalType
    init: ConstExpr


ACTIVE: Final = 0
PASSIVE: Final = 1
DECLARATIVE: Final = 2


class ElementSegment(NamedTuple):
    """`items` are function indices (ints) or constant expressions, all of the same kind."""

    mode: int
    table: int
    offset: ConstExpr | None
    reftype: int
    items: tuple[int, ...] | tuple[ConstExpr, ...]


class DataSegment(NamedTuple):
    """Bytes `source[start:end]`."""

    mode: int
    memory: int
    offset: ConstExpr | None
    start: int
    end: int


class Code(NamedTuple):
    """A function's body: `source[start:end]` are its instructions, the final `end` included. `locals` are runs (count, type)."""

    locals: tuple[tuple[int, int], ...]
    start: int
    end: int


class CustomSection(NamedTuple):
    """`after` is the id of the section that it follows (0 at the front): where the encoder puts it back."""

    name: str
    data: bytes
    after: int


@final
class WasmModule:
    """Everything that a module's bytes say. Index spaces (`func_types`, …) hold the imports first, then the definitions."""

    __slots__ = (
        "__weakref__",
        "codes",
        "customs",
        "data",
        "data_count",
        "elements",
        "export_index",
        "exports",
        "func_types",
        "functions",
        "global_types",
        "globals",
        "imported_functions",
        "imported_globals",
        "imported_memories",
        "imported_tables",
        "imported_tags",
        "imports",
        "memories",
        "memory_types",
        "rec_groups",
        "source",
        "start",
        "table_types",
        "tables",
        "tag_types",
        "tags",
        "types",
    )

    def __init__(self, source: bytes) -> None:
        self.source: bytes = source
        self.types: list[DefType] = []
        self.rec_groups: list[tuple[int, int]] = []
        """(first type index, count) of each recursion group, in order; a count of 1 may be a plain type."""
        self.imports: list[Import] = []
        self.functions: list[int] = []
        """Type index of each defined function."""
        self.tables: list[Table] = []
        self.memories: list[MemoryType] = []
        self.tags: list[int] = []
        """Type index of each defined tag."""
        self.globals: list[Global] = []
        self.exports: list[Export] = []
        self.export_index: Mapping[str, Export] | None = None
        """Exports by name, once an instance has asked for it."""
        self.start: int | None = None
        self.elements: list[ElementSegment] = []
        self.data_count: int | None = None
        self.codes: Sequence[Code] = []
        self.data: list[DataSegment] = []
        self.customs: list[CustomSection] = []
        self.func_types: list[DefType] = []
        self.table_types: list[TableType] = []
        self.memory_types: list[MemoryType] = []
        self.tag_types: list[DefType] = []
        self.global_types: list[GlobalType] = []
        self.imported_functions: int = 0
        self.imported_tables: int = 0
        self.imported_memories: int = 0
        self.imported_globals: int = 0
        self.imported_tags: int = 0

    def body_bytes(self, index: int) -> int:
        """Size of a defined function's body, by its index in the function index space."""
        body = self.codes[index - self.imported_functions]
        return body.end - body.start

    @property
    def code_bytes(self) -> int:
        """Size of all bodies."""
        return self.codes[-1].end - self.codes[0].start if self.codes else 0

    def custom(self, name: str) -> bytes | None:
        """Contents of the first custom section of this name, or None."""
        return next((section.data for section in self.customs if section.name == name), None)
