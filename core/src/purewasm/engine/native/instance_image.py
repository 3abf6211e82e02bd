"""What the context of a new instance looks like: an instance copies it, and adds its own address where that belongs.

In it are the records of functions and the table of their addresses, and as much of globals and tables as is known before there is
an instance: globals that start with a number, tables with what active segments put into them. So an instance takes the same few
steps, however many of these a module has. Cells of globals that are exported lie elsewhere: whoever has got one keeps it, long after
the instance has gone.
"""

from __future__ import annotations

from struct import Struct, pack

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import STUBS
from purewasm.engine.native.entry import kind_of
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_AE
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import ADD_R64_RM64, ADD_RM64_IMM8, ADD_RM64_R64, CMP_R64_RM64
from purewasm.isa.x64.registers import RAX, RDI, RDX, RSI
from purewasm.light_library import lru_cache
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, cast, final
from purewasm.store import layout
from purewasm.store.constexpr import integer_constant, number_bytes
from purewasm.wasm import module as wm
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import names_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.wasm.module import GlobalType, TableType, WasmModule

_MOST_ELEMENTS: Final = 1 << 14
"""Larger tables are made on their own: most of their elements are never touched."""
_RECORD_WORDS: Final = layout.RECORD_BYTES >> 3
_GLOBAL: Final = Struct(f"{layout.GLOBAL_BYTES >> 3}Q")


class ImagedGlobal(NamedTuple):
    """A global whose cell is at an offset of the block; or, where it is exported, of the cells."""

    type: GlobalType
    is_exported: bool
    offset: int


class ImagedTable(NamedTuple):
    """A table whose pair and elements are at offsets of the block."""

    type: TableType
    pair: int
    elements: int


@final
class InstanceImage:
    """The words of a context and of what lies behind it; and where in them the block's address has to be added."""

    __slots__ = (
        "_cells", "_cells_used", "_content", "_context", "_declared", "_module", "_places", "_pointers", "_pointers_end", "_view",
        "_words", "elements_in_place", "exported_tables", "globals", "records", "records_table", "tables",
    )  # fmt: skip

    def __init__(self, module: WasmModule, context: layout.ContextLayout) -> None:
        self._module, self._context = module, context
        first, self._declared = module.imported_functions, len(context.declared)
        self.records_table: Final = context.size + 15 & -16
        """Offset of the table of record addresses."""
        self.records: Final = self.records_table + 8 * (first + self._declared) + 15 & -16
        """Offset of the records of the declared functions."""
        self.exported_tables: Final = frozenset(export.index for export in module.exports if export.kind == wm.TABLE)
        self.globals: Final[list[ImagedGlobal]] = []
        """The first ones of the module's own globals."""
        self._cells = b""
        self._cells_used: list[tuple[int, int]] = []  # (word of the block, offset of the cell that it points to)
        self.tables: Final[list[ImagedTable]] = []
        """The first ones of the module's own tables."""
        end = self.records + layout.RECORD_BYTES * self._declared
        words = self._words = [0] * (end >> 3)
        places = self._places = list[int]()
        """Both while the image is made; then there are `_view` and `_pointers`."""
        self._point(range(layout.RECORDS, layout.RECORDS + 8, 8), (self.records_table,))
        table = self.records_table + 8 * first
        self._point(range(table, table + 8 * self._declared, 8), range(self.records, end, layout.RECORD_BYTES))
        self._point(range(self.records + layout.RECORD_CONTEXT, end, layout.RECORD_BYTES), (0,) * self._declared)
        self._place_data()
        self._place_globals()
        self._place_tables()
        self.elements_in_place: Final = self._place_segments()
        """Active element segments are in the tables, and need no copying."""
        self._content: Final = bytearray(pack(f"{len(words)}Q", *words))
        self._view: Final = memoryview(self._content).cast("Q")
        self._pointers: Final = libc.Block(8 * len(places))
        self._pointers.words[: len(places)] = libc.words_of(places)
        self._pointers_end: Final = self._pointers.address + 8 * len(places)
        self._words, self._places = [], []

    def _point(self, places: range, offsets: Sequence[int]) -> None:
        """Put addresses of these offsets of the block at such places."""
        self._words[places.start >> 3 : places.stop >> 3 : places.step >> 3] = offsets
        self._places.extend(places)

    def _add(self, words: Sequence[int]) -> int:
        """Put 16-byte units at the end of the block; their offset."""
        at = 8 * len(self._words)
        self._words.extend(words)
        return at

    def _place_data(self) -> None:
        """The passive segments; active ones have been dropped when code runs."""
        source = libc.bytes_address(self._module.source)
        words: list[int] = []
        for segment in self._module.data:
            words.extend((source + segment.start, segment.end - segment.start if segment.mode == wm.PASSIVE else 0))
        if words:
            self._point(range(layout.SEGMENTS, layout.SEGMENTS + 8, 8), (self._add(words),))

    def _place_globals(self) -> None:
        module, context = self._module, self._context
        for index, definition in enumerate(module.globals, module.imported_globals):
            value = number_bytes(module, definition.init)
            if value is None:
                return
            at = context.global_cell(index)
            is_exported = context.global_is_indirect(index)
            if is_exported:
                cell = len(self._cells)
                self._cells_used.append((at >> 3, cell))
                self._cells += value
                at = cell
            else:
                self._words[at >> 3 : at + layout.GLOBAL_BYTES >> 3] = _GLOBAL.unpack(value)
            self.globals.append(ImagedGlobal(definition.type, is_exported, at))

    def _place_tables(self) -> None:
        for index, table in enumerate(self._module.tables, self._module.imported_tables):
            type_ = table.type
            size = type_.limits.min
            if table.init is not None or size > _MOST_ELEMENTS or kind_of(type_.reftype) != vt.FUNCREF or names_objects(type_.reftype):
                return
            pair = self._add((0, size))
            elements = self._add((0,) * (size + 1 & -2))
            at = self._context.table(index)
            self._point(range(at, at + 8, 8), (pair,))
            self._point(range(pair + layout.TABLE_ELEMENTS, pair + layout.TABLE_ELEMENTS + 8, 8), (elements,))
            self.tables.append(ImagedTable(type_, pair, elements))

    def _place_segments(self) -> bool:
        found: dict[int, int] = {}
        for segment in self._module.elements:
            if segment.offset is None:
                continue
            position, offset = segment.table - self._module.imported_tables, integer_constant(self._module, segment.offset)
            if offset is None or not 0 <= position < len(self.tables):
                return False
            table, items = self.tables[position], cast("tuple[int, ...]", segment.items)
            if offset + len(items) > table.type.limits.min or not all(map(self._context.has_record, items)):
                return False
            first, start = self._module.imported_functions, table.elements + layout.TABLE_ELEMENT_BYTES * offset
            for position, item in enumerate(items):
                record = self._context.record(item) - first
                found[start + layout.TABLE_ELEMENT_BYTES * position] = self.records + layout.RECORD_BYTES * record
        for place, offset in found.items():
            self._words[place >> 3] = offset
        self._places.extend(found)
        return True

    def put(self, offset: int, word: int) -> None:
        """What a word of new contexts is."""
        self._view[offset >> 3] = word

    def put_records(self, field: int, words: memoryview) -> None:
        """The same for a field of every record of a declared function."""
        first = self.records + field >> 3
        self._view[first : first + _RECORD_WORDS * self._declared : _RECORD_WORDS] = words

    def new_block(self) -> libc.Block:
        """A context with what is behind it."""
        made = libc.Block.of_bytes(bytearray(self._content))
        _relocator()(made.address, self._pointers.address, self._pointers_end)
        return made

    def new_cells(self, block: libc.Block) -> libc.Block:
        """The cells of the exported globals, to which the block points from now on; the block itself where there are none."""
        if not self._cells_used:
            return block
        made, words = libc.Block.of_bytes(bytearray(self._cells)), block.words
        address = made.address
        for word, offset in self._cells_used:
            words[word] = address + offset
        return made


@lru_cache(maxsize=1)
def _relocator() -> Callable[[int, int, int], int]:
    """A function that adds the address of a block to the words at the offsets that stand between two other addresses."""
    a = Assembler()
    a.label("next")
    a.put(CMP_R64_RM64(RSI, RDX))
    a.jump_if(CC_AE, "done")
    a.load(RAX, RSI)
    a.put(ADD_R64_RM64(RAX, RDI), ADD_RM64_R64(Mem(RAX), RDI), ADD_RM64_IMM8(RSI, 8))
    a.jump("next")
    a.label("done")
    a.put(RET())
    return libc.word_function(STUBS.add(a.finish()))
