"""Types as text, and the type definitions of a module (spec: text format, types)."""

from __future__ import annotations

from purewasm.binary.instruction_encoder import TypeNumbering
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.text.identifiers import Identifiers
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import CompositeType, DefType, FieldType, FuncType, StructType
from purewasm.wasm.module import GlobalType, Limits, MemoryType, TableType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from purewasm.binary.names import Names
    from purewasm.wasm.module import WasmModule

_NO_FIELDS: Final = Identifiers({}, 0)
_DEFAULT_PAGE_SIZE_LOG2: Final = 16


@final
class TypePrinter:
    """Writes types with the identifiers or indices that a module has for them.

    The module's first type of several equal ones stands for all of them. Only in a recursion group that occurs a second time the
    members name themselves, so that text says of every group what it is made of.
    """

    __slots__ = ("_fields", "_numbering", "_overlays", "identifiers", "module", "numbers")

    def __init__(self, module: WasmModule, names: Names) -> None:
        self.module = module
        self.identifiers = Identifiers(names.types, len(module.types))
        self._numbering = TypeNumbering(module.types)
        self.numbers: Mapping[int, int] = self._numbering.indices or {}
        """The first index of each type, by its id."""
        self._overlays = self._find_overlays()
        self._fields = self._find_fields(names)

    def _find_overlays(self) -> dict[int, Mapping[int, int]]:
        """For each type of a repeated group: how its definition numbers types."""
        overlays: dict[int, Mapping[int, int]] = {}
        for first, count in self.module.rec_groups:
            own = {self.module.types[first + i].id: first + i for i in range(count)}
            if any(self.numbers[id] != index for id, index in own.items()):
                overlay = {**self.numbers, **own}
                overlays.update(dict.fromkeys(range(first, first + count), overlay))
        return overlays

    def _find_fields(self, names: Names) -> dict[int, Identifiers]:
        composites = {index: self.module.types[index].composite for index in names.fields if index < len(self.module.types)}
        return {
            index: Identifiers(names.fields[index], len(composite.fields))
            for index, composite in composites.items()
            if isinstance(composite, StructType)
        }

    # ---- references to types

    def reference(self, index: int) -> str:
        """A type by its index."""
        return self.identifiers.reference(index)

    def fields(self, index: int) -> Identifiers:
        """The fields of a structure type."""
        return self._fields.get(index, _NO_FIELDS)

    def field_count(self, index: int) -> int:
        """How many fields a type has; none if it is no structure type of the module."""
        composite = self.module.types[index].composite if index < len(self.module.types) else None
        return len(composite.fields) if isinstance(composite, StructType) else 0

    def heap_type(self, heap: int, numbers: Mapping[int, int] | None = None) -> str:
        return vt.HEAP_NAMES.get(heap) or self.identifiers.reference((numbers or self.numbers)[heap])

    def value_type(self, valtype: int, numbers: Mapping[int, int] | None = None) -> str:
        """A value or packed type."""
        if valtype < vt.REF_BASE or valtype in vt.SHORT_NAMES:
            return vt.format_type(valtype)
        return f"(ref {'null ' if vt.is_nullable(valtype) else ''}{self.heap_type(vt.heap_of(valtype), numbers)})"

    def results(self, results: tuple[int, ...], numbers: Mapping[int, int] | None = None) -> str:
        """`(result …)`, or nothing."""
        return f"(result {' '.join(self.value_type(valtype, numbers) for valtype in results)})" if results else ""

    def params(self, params: tuple[int, ...], names: Identifiers, numbers: Mapping[int, int] | None = None) -> str:
        """`(param …)` for each parameter with a name and for each run of others, or nothing."""
        return _declarations("param", [self.value_type(valtype, numbers) for valtype in params], names, 0)

    def locals(self, runs: tuple[tuple[int, int], ...], names: Identifiers, first: int) -> str:
        """`(local …)`, as `params`."""
        return _declarations("local", [self.value_type(valtype) for count, valtype in runs for _ in range(count)], names, first)

    def signature(self, type: FuncType, names: Identifiers = _NO_FIELDS, numbers: Mapping[int, int] | None = None) -> str:
        return " ".join(filter(None, (self.params(type.params, names, numbers), self.results(type.results, numbers))))

    def type_use(self, index: int, names: Identifiers) -> str:
        """`(type x) (param …) (result …)` of a function; only the first where there is no such function type."""
        use = f"(type {self.reference(index)})"
        composite = self.module.types[index].composite if index < len(self.module.types) else None
        if not isinstance(composite, FuncType):
            return use
        return " ".join(filter(None, (use, self.signature(composite, names, self._overlays.get(index)))))

    def block_type(self, params: tuple[int, ...], results: tuple[int, ...]) -> str:
        """A block type, with the type that it needs if it has parameters or several results."""
        if not params and len(results) < 2:
            return self.results(results)
        index = self._numbering.functions[FuncType(params, results)]
        return f"(type {self.reference(index)}) {self.signature(FuncType(params, results))}"

    def index_of(self, deftype: DefType) -> int:
        """The first index of a type of the module."""
        return self.numbers[deftype.id]

    # ---- types of tables, memories, globals

    def limits(self, limits: Limits, is_64: bool) -> str:
        return ("i64 " if is_64 else "") + (str(limits.min) if limits.max is None else f"{limits.min} {limits.max}")

    def table_type(self, table: TableType) -> str:
        return f"{self.limits(table.limits, table.is_64)} {self.value_type(table.reftype)}"

    def memory_type(self, memory: MemoryType) -> str:
        shared = " shared" if memory.shared else ""
        log2 = memory.page_size_log2
        return self.limits(memory.limits, memory.is_64) + shared + (f" (pagesize {1 << log2})" if log2 != _DEFAULT_PAGE_SIZE_LOG2 else "")

    def global_type(self, type: GlobalType) -> str:
        return f"(mut {self.value_type(type.valtype)})" if type.mutable else self.value_type(type.valtype)

    # ---- definitions

    def definitions(self) -> Iterator[str]:
        """A line for each type, and for the edges of each recursion group of more than one."""
        for first, count in self.module.rec_groups:
            if count == 1:
                yield "  " + self._definition(first)
                continue
            yield "  (rec"
            for index in range(first, first + count):
                yield "    " + self._definition(index)
            yield "  )"

    def _definition(self, index: int) -> str:
        deftype, numbers = self.module.types[index], self._overlays.get(index)
        text = self._composite(deftype.composite, self.fields(index), numbers)
        if not deftype.final or deftype.supers:
            words = ["final"] if deftype.final else []
            words += [self.heap_type(above.id, numbers) for above in deftype.supers]
            text = f"(sub {' '.join([*words, text])})"
        return f"(type{self.identifiers.binding(index)} {text})"

    def _composite(self, composite: CompositeType, fields: Identifiers, numbers: Mapping[int, int] | None) -> str:
        if isinstance(composite, FuncType):
            return " ".join(filter(None, ("(func", self.signature(composite, numbers=numbers)))) + ")"
        if isinstance(composite, StructType):
            parts = (f"(field{fields.named(i)} {self._field(field, numbers)})" for i, field in enumerate(composite.fields))
            return " ".join(("(struct", *parts)) + ")"
        return f"(array {self._field(composite.field, numbers)})"

    def _field(self, field: FieldType, numbers: Mapping[int, int] | None) -> str:
        text = self.value_type(field.storage, numbers)
        return f"(mut {text})" if field.mutable else text


def _declarations(keyword: str, types: list[str], names: Identifiers, first: int) -> str:
    groups: list[str] = []
    run: list[str] = []
    for index, type in enumerate(types, first):
        name = names.named(index)
        if not name:
            run.append(type)
            continue
        if run:
            groups.append(f"({keyword} {' '.join(run)})")
            run = []
        groups.append(f"({keyword}{name} {type})")
    if run:
        groups.append(f"({keyword} {' '.join(run)})")
    return " ".join(groups)
