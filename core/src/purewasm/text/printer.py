"""A module as readable text that assembles to the same module again (spec: text format, modules).

Names of the name section become identifiers, branch hints and other custom sections annotations. Fields come in the order of the
binary format, so that every index keeps its meaning.
"""

from __future__ import annotations

from operator import length_hint

from purewasm.binary import primitive_encoder as enc
from purewasm.binary.body import Body
from purewasm.binary.immediates import READERS, read_opcode
from purewasm.binary.names import NameMap, decode_names
from purewasm.binary.segment_encoder import REF_FUNC
from purewasm.binary.types import TypeSpace
from purewasm.errors import MalformedError, ModuleError
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.text.body_printer import FunctionPrinter, Scope
from purewasm.text.branch_hints import Hints, can_be_annotations
from purewasm.text.custom_printer import CustomPrinter
from purewasm.text.identifiers import Identifiers
from purewasm.text.literals import format_bytes, format_identifier, format_name
from purewasm.text.type_printer import TypePrinter
from purewasm.wasm import module as wasm
from purewasm.wasm import opcodes
from purewasm.wasm.deftypes import DefType, FuncType
from purewasm.wasm.features import Features
from purewasm.wasm.module import Code, ConstExpr, GlobalType, MemoryType, TableType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.wasm.module import DataSegment, ElementSegment, Import, WasmModule

_BYTES_A_LINE: Final = 64
_ALL_FEATURES: Final = Features.all().bits
_NO_NAMES: Final[NameMap] = {}
_NO_HINTS: Final[dict[int, int]] = {}


def format_module(module: WasmModule) -> str:
    """The module's text. The module need not be valid; ModuleError where a body cannot even be read."""
    return "\n".join(_ModulePrinter(module).lines()) + "\n"


@final
class _ModulePrinter:
    """Writes one module."""

    __slots__ = ("_hints", "_opened", "_spaces", "customs", "module", "names", "scope", "types")

    def __init__(self, module: WasmModule) -> None:
        self.module, self.names = module, decode_names(module)
        names = self.names
        self.types = TypePrinter(module, names)
        self.scope = Scope(
            types=self.types,
            functions=Identifiers(names.functions, len(module.func_types)),
            tables=Identifiers(names.tables, len(module.table_types)),
            memories=Identifiers(names.memories, len(module.memory_types)),
            globals=Identifiers(names.globals, len(module.global_types)),
            tags=Identifiers(names.tags, len(module.tag_types)),
            elements=Identifiers(names.elements, len(module.elements)),
            data=Identifiers(names.data, len(module.data)),
        )
        scope = self.scope
        self._spaces = (scope.functions, scope.tables, scope.memories, scope.globals, scope.tags)  # by kind of import
        self.customs = CustomPrinter(module)
        hints = self.customs.branch_hints
        if hints is not None and not can_be_annotations(hints, self._body_with_start):
            self.customs.branch_hints = hints = None
        self._hints: Hints = hints or {}
        self._opened: dict[int, int] = {}  # number of blocks of each function

    def lines(self) -> Iterator[str]:
        """The lines of the text."""
        yield self._head()
        yield from self.types.definitions()
        yield from self._imports()
        yield from self._tables()
        yield from self._memories()
        yield from self._tags()
        yield from self._globals()
        for export in self.module.exports:
            target = self._spaces[export.kind].reference(export.index)
            yield f"  (export {format_name(export.name)} ({wasm.KIND_NAMES[export.kind]} {target}))"
        if self.module.start is not None:
            yield f"  (start {self.scope.functions.reference(self.module.start)})"
        for index, segment in enumerate(self.module.elements):
            yield self._element(index, segment)
        for number in range(len(self.module.codes)):
            yield from self._function(self.module.imported_functions + number, number)
        for index, datum in enumerate(self.module.data):
            yield from self._datum(index, datum)
        yield from self.customs.lines(names_are_identifiers=self._has_all_names())
        yield ")"

    def _head(self) -> str:
        name = self.names.module
        if name is None:
            return "(module"
        return f"(module {format_identifier(name)}" if name else '(module (@name "")'

    # ---- names

    def _locals(self, function: int) -> Identifiers:
        return Identifiers(self.names.locals.get(function, _NO_NAMES), self._local_count(function))

    def _local_count(self, function: int) -> int:
        """Parameters and locals; parameters only for an import."""
        type = self.module.func_types[function].composite
        number = function - self.module.imported_functions
        declared = sum(count for count, _ in self.module.codes[number].locals) if number >= 0 else 0
        return declared + (len(type.params) if isinstance(type, FuncType) else 0)

    def _has_all_names(self) -> bool:
        """True where identifiers say all that the name section says. Names may belong to nothing; and a broken section has none."""
        names, module = self.names, self.module
        in_range = (
            (names.functions, len(module.func_types)), (names.tables, len(module.table_types)),
            (names.memories, len(module.memory_types)), (names.globals, len(module.global_types)), (names.tags, len(module.tag_types)),
            (names.elements, len(module.elements)), (names.data, len(module.data)), (names.types, len(module.types)),
            *((locals_, self._local_count(index) if index < len(module.func_types) else 0) for index, locals_ in names.locals.items()),
            *((labels, self._opened.get(index, 0)) for index, labels in names.labels.items()),
            *((fields, self.types.field_count(index)) for index, fields in names.fields.items()),
        )  # fmt: skip
        labels_have_names = all(all(labels.values()) for labels in names.labels.values())
        has_names = names.module is not None or any(indices for indices, _ in in_range)
        return has_names and labels_have_names and all(not indices or max(indices) < count for indices, count in in_range)

    # ---- imports and definitions

    def _imports(self) -> Iterator[str]:
        counts = [0] * len(wasm.KIND_NAMES)
        for item in self.module.imports:
            index = counts[item.kind]
            counts[item.kind] += 1
            head = f"({wasm.KIND_NAMES[item.kind]}{self._spaces[item.kind].binding(index)} {self._extern_type(item, index)})"
            yield f"  (import {format_name(item.module)} {format_name(item.name)} {head})"

    def _extern_type(self, item: Import, index: int) -> str:
        type = item.type
        if isinstance(type, DefType):
            params = self._locals(index) if item.kind == wasm.FUNC else Identifiers(_NO_NAMES, 0)
            return self.types.type_use(self.types.index_of(type), params)
        if isinstance(type, TableType):
            return self.types.table_type(type)
        if isinstance(type, MemoryType):
            return self.types.memory_type(type)
        if isinstance(type, GlobalType):
            return self.types.global_type(type)
        raise TypeError(f"no type of an import: {type!r}")

    def _tables(self) -> Iterator[str]:
        for index, table in enumerate(self.module.tables, self.module.imported_tables):
            init = "" if table.init is None else " " + self._constant(table.init)
            yield f"  (table{self.scope.tables.binding(index)} {self.types.table_type(table.type)}{init})"

    def _memories(self) -> Iterator[str]:
        for index, memory in enumerate(self.module.memories, self.module.imported_memories):
            yield f"  (memory{self.scope.memories.binding(index)} {self.types.memory_type(memory)})"

    def _tags(self) -> Iterator[str]:
        for index, type in enumerate(self.module.tags, self.module.imported_tags):
            yield f"  (tag{self.scope.tags.binding(index)} {self.types.type_use(type, Identifiers(_NO_NAMES, 0))})"

    def _globals(self) -> Iterator[str]:
        for index, item in enumerate(self.module.globals, self.module.imported_globals):
            head = f"  (global{self.scope.globals.binding(index)} {self.types.global_type(item.type)}"
            yield f"{head} {self._constant(item.init)})"

    # ---- functions and expressions

    def _function(self, index: int, number: int) -> Iterator[str]:
        code = self.module.codes[number]
        locals_ = self._locals(index)
        type_index = self.module.functions[number]
        yield f"  (func{self.scope.functions.binding(index)} {self.types.type_use(type_index, locals_)}"
        declared = sum(count for count, _ in code.locals)
        if declared:
            yield "    " + self.types.locals(code.locals, locals_, self._local_count(index) - declared)
        printer = FunctionPrinter(self.scope, locals_, self.names.labels.get(index, _NO_NAMES))
        hints = self._hints.get(index, _NO_HINTS)
        if hints:
            start = self._start_of_body(number)
            hints = {start + offset: hint for offset, hint in hints.items()}
        yield from printer.lines(self._body(code), hints, 2)
        yield "  )"
        self._opened[index] = printer.opened

    def _start_of_body(self, number: int) -> int:
        """Where a body's locals begin in the source, if they are written as briefly as they can be."""
        code = self.module.codes[number]
        runs = [enc.unsigned(count) + enc.value_type(valtype, self.types.numbers) for count, valtype in code.locals]
        return code.start - len(enc.vector(runs))

    def _body_with_start(self, function: int) -> tuple[int, Body] | None:
        number = function - self.module.imported_functions
        if not 0 <= number < len(self.module.codes):
            return None
        return self._start_of_body(number), self._body(self.module.codes[number])

    def _body(self, code: Code | ConstExpr) -> Body:
        """Instructions as lists; other than `decode_body` this does not trust the bytes."""
        instructions = iter(self.module.source[code.start : code.end])
        space = TypeSpace(self.module.types, _ALL_FEATURES)
        body = Body([], [], [])
        try:
            while length_hint(instructions):
                body.offsets.append(code.end - length_hint(instructions))
                op = read_opcode(instructions)
                body.ops.append(op)
                body.imms.append(READERS[opcodes.BY_CODE[op][2]](instructions, space))
        except StopIteration:
            raise MalformedError("unexpected end of section or function: a body ends inside of an instruction", offset=code.end) from None
        except ModuleError as error:
            error.offset = body.offsets[-1]
            raise
        return body

    def _constant(self, expression: ConstExpr) -> str:
        """A constant expression on one line: `(i32.const 0)`, or flat if there are several instructions."""
        instructions = self._constant_lines(expression)
        return f"({instructions[0]})" if len(instructions) == 1 else " ".join(instructions)

    def _constant_lines(self, expression: ConstExpr) -> list[str]:
        printer = FunctionPrinter(self.scope, Identifiers(_NO_NAMES, 0), _NO_NAMES)
        return list(printer.lines(self._body(expression), _NO_HINTS, 0))

    def _wrapped(self, keyword: str, expression: ConstExpr) -> str:
        """A constant expression where only one instruction may go without a word around it."""
        instructions = self._constant_lines(expression)
        return f"({instructions[0]})" if len(instructions) == 1 else f"({' '.join([keyword, *instructions])})"

    # ---- segments

    def _element(self, index: int, segment: ElementSegment) -> str:
        parts = [f"(elem{self.scope.elements.binding(index)}"]
        if segment.mode == wasm.DECLARATIVE:
            parts.append("declare")
        elif segment.offset is not None:
            if segment.table:
                parts.append(f"(table {self.scope.tables.reference(segment.table)})")
            parts.append(self._wrapped("offset", segment.offset))
        if all(isinstance(item, int) for item in segment.items) and (segment.items or segment.reftype == REF_FUNC):
            parts.append("func")
        else:
            parts.append(self.types.value_type(segment.reftype))
        functions = self.scope.functions
        parts += [functions.reference(item) if isinstance(item, int) else self._wrapped("item", item) for item in segment.items]
        return f"  {' '.join(parts)})"

    def _datum(self, index: int, segment: DataSegment) -> Iterator[str]:
        head = f"  (data{self.scope.data.binding(index)}"
        if segment.offset is not None:
            head += f" (memory {self.scope.memories.reference(segment.memory)})" if segment.memory else ""
            head += " " + self._wrapped("offset", segment.offset)
        content = self.module.source[segment.start : segment.end]
        if len(content) <= _BYTES_A_LINE:
            yield f"{head} {format_bytes(content)})"
            return
        yield head
        for start in range(0, len(content), _BYTES_A_LINE):
            yield f"    {format_bytes(content[start : start + _BYTES_A_LINE])}"
        yield "  )"
