"""Instructions as lines of text, one an instruction, indented by nesting (spec: text format, instructions).

`FORMATTERS[kind]` writes an immediate as `wasm.opcodes.immediates` documents it; the names come from a `Scope`.
"""

from __future__ import annotations

from dataclasses import dataclass

from purewasm.errors import MalformedError
from purewasm.light_typing import TYPE_CHECKING, Final, cast, final
from purewasm.text.identifiers import Identifiers
from purewasm.text.lexer import BRANCH_HINT
from purewasm.text.literals import format_f32, format_f64, format_identifier, format_v128
from purewasm.text.type_printer import TypePrinter
from purewasm.wasm import opcodes
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import FuncType
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from purewasm.binary.body import Body

_INDENT: Final = "  "
_MAX_DEPTH: Final = 40  # deeper lines are not indented further: text would grow with the square of the depth
_KIND: Final = {code: row[2] for code, row in opcodes.BY_CODE.items()}
_WIDTH: Final = {code: row[5] for code, row in opcodes.BY_CODE.items()}
_OPENING: Final = frozenset(code for code, kind in _KIND.items() if kind in (imm.BLOCK, imm.TRY_TABLE))
# what divides or ends a block otherwise than `end` does, and the words that it may come after
_AFTER: Final = {
    opcodes.CODE[word]: frozenset(opcodes.CODE[before] for before in allowed)
    for word, allowed in (("else", ("if",)), ("catch", ("try", "catch")), ("catch_all", ("try", "catch")), ("delegate", ("try",)))
}
_END: Final = opcodes.CODE["end"]
_DELEGATE: Final = opcodes.CODE["delegate"]


def _text_name(name: str) -> tuple[str, bool | None]:
    """An instruction's name in text, and for a cast whether its type is nullable, which text says in the type."""
    if name.endswith(" null"):
        return name.removesuffix(" null"), True
    return name.removesuffix(" t"), False if name + " null" in opcodes.CODE else None


_TEXT: Final = {code: _text_name(name) for code, name in opcodes.NAME.items()}


@dataclass(slots=True, frozen=True, kw_only=True)
class Scope:
    """How a module's text refers to what its instructions name."""

    types: TypePrinter
    functions: Identifiers
    tables: Identifiers
    memories: Identifiers
    globals: Identifiers
    tags: Identifiers
    elements: Identifiers
    data: Identifiers


@final
class FunctionPrinter:
    """Writes the instructions of one function or constant expression. `label_names` are by the number of the block."""

    __slots__ = ("_label_names", "_labels", "_words", "locals", "opened", "scope")

    def __init__(self, scope: Scope, locals_: Identifiers, label_names: Mapping[int, str]) -> None:
        self.scope, self.locals = scope, locals_
        self._label_names = label_names
        self._labels: list[str] = []
        self._words: list[int] = []  # what each block was opened or divided by last
        self.opened = 0
        """How many blocks there have been."""

    def lines(self, body: Body, hints: Mapping[int, int], depth: int) -> Iterator[str]:
        """Lines for all instructions but the final `end`. `hints` are branch hints by offset; `depth` is the indentation."""
        last = len(body.ops) - 1
        for position, (op, value, offset) in enumerate(zip(body.ops, body.imms, body.offsets, strict=True)):
            outdent = 0
            if op == _END:
                if position == last and not self._labels:
                    return
                self._leave(offset)
            elif op in _AFTER:
                outdent = self._divide(op, offset)
            indent = _INDENT * min(depth + len(self._labels) - outdent, _MAX_DEPTH)
            if offset in hints:
                yield f'{indent}(@{BRANCH_HINT} "\\{hints[offset]:02x}")'
            yield indent + (self._opening(op, value) if op in _OPENING else self.instruction(op, value))
        raise MalformedError("END opcode expected: a body ends inside of a block", offset=body.offsets[-1] if body.offsets else None)

    def _leave(self, offset: int) -> None:
        if not self._labels:
            raise MalformedError("unexpected content behind the end of a body", offset=offset)
        self._labels.pop()
        self._words.pop()

    def _divide(self, op: int, offset: int) -> int:
        """An `else` or the like. Returns how far it stands out of its block."""
        if not self._words or self._words[-1] not in _AFTER[op]:
            raise MalformedError(f"unexpected {opcodes.NAME[op]}", offset=offset)
        if op == _DELEGATE:
            self._leave(offset)
            return 0
        self._words[-1] = op
        return 1

    def instruction(self, op: int, value: object) -> str:
        """An instruction that does not open a block."""
        name, nullable = _TEXT[op]
        if nullable is not None:  # the type of a cast says it
            return f"{name} {self.scope.types.value_type(vt.ref_type(cast('int', value), nullable))}"
        text = FORMATTERS[_KIND[op]](self, value, op)
        return f"{name} {text}" if text else name

    def _opening(self, op: int, value: object) -> str:
        """A block's first line; afterwards its label is in scope."""
        name = self._label_names.get(self.opened, "")
        identifier = format_identifier(name) if name else ""
        text = FORMATTERS[_KIND[op]](self, value, op)
        self.opened += 1
        self._labels.append(identifier)
        self._words.append(op)
        comment = "" if identifier else f"(;@{len(self._labels)};)"
        return " ".join(filter(None, (opcodes.NAME[op], identifier, text, comment)))

    def label(self, depth: int) -> str:
        """A label: its identifier if that finds it, else the number with the label's place as a comment."""
        place = len(self._labels) - 1 - depth
        if place < 0:
            return str(depth)
        identifier = self._labels[place]
        if identifier and identifier not in self._labels[place + 1 :]:
            return identifier
        return f"{depth} (;@{place + 1};)"


def _none(function: FunctionPrinter, value: object, op: int) -> str:
    return ""


def _block(function: FunctionPrinter, value: object, op: int) -> str:
    params, results = cast("FuncType", value)
    return function.scope.types.block_type(params, results)


def _try_table(function: FunctionPrinter, value: object, op: int) -> str:
    params, results, catches = cast("tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, int, int], ...]]", value)
    parts = [function.scope.types.block_type(params, results)]
    for kind, tag, label in catches:
        name = imm.CATCH_NAMES[kind] + ("" if tag < 0 else " " + function.scope.tags.reference(tag))
        parts.append(f"({name} {function.label(label)})")
    return " ".join(filter(None, parts))


def _label(function: FunctionPrinter, value: object, op: int) -> str:
    return function.label(cast("int", value))


def _labels(function: FunctionPrinter, value: object, op: int) -> str:
    return " ".join(map(function.label, cast("tuple[int, ...]", value)))


def _func(function: FunctionPrinter, value: object, op: int) -> str:
    return function.scope.functions.reference(cast("int", value))


def _local(function: FunctionPrinter, value: object, op: int) -> str:
    return function.locals.reference(cast("int", value))


def _global(function: FunctionPrinter, value: object, op: int) -> str:
    return function.scope.globals.reference(cast("int", value))


def _tag(function: FunctionPrinter, value: object, op: int) -> str:
    return function.scope.tags.reference(cast("int", value))


def _elem(function: FunctionPrinter, value: object, op: int) -> str:
    return function.scope.elements.reference(cast("int", value))


def _data(function: FunctionPrinter, value: object, op: int) -> str:
    return function.scope.data.reference(cast("int", value))


def _unless_first(space: Identifiers, *indices: int) -> str:
    """Indices of tables or memories; nothing where the text format takes 0 for granted."""
    return " ".join(map(space.reference, indices)) if any(indices) else ""


def _table(function: FunctionPrinter, value: object, op: int) -> str:
    return _unless_first(function.scope.tables, cast("int", value))


def _tables(function: FunctionPrinter, value: object, op: int) -> str:
    return _unless_first(function.scope.tables, *cast("tuple[int, int]", value))


def _memory(function: FunctionPrinter, value: object, op: int) -> str:
    return _unless_first(function.scope.memories, cast("int", value))


def _memories(function: FunctionPrinter, value: object, op: int) -> str:
    return _unless_first(function.scope.memories, *cast("tuple[int, int]", value))


def _elem_table(function: FunctionPrinter, value: object, op: int) -> str:
    segment, table = cast("tuple[int, int]", value)
    return f"{_unless_first(function.scope.tables, table)} {function.scope.elements.reference(segment)}".lstrip()


def _data_memory(function: FunctionPrinter, value: object, op: int) -> str:
    segment, memory = cast("tuple[int, int]", value)
    return f"{_unless_first(function.scope.memories, memory)} {function.scope.data.reference(segment)}".lstrip()


def _memory_argument(function: FunctionPrinter, offset: int, memory: int, align_log2: int, op: int) -> str:
    parts = [_unless_first(function.scope.memories, memory)]
    parts.append(f"offset={offset}" if offset else "")
    parts.append(f"align={1 << align_log2}" if align_log2 != _WIDTH[op] else "")
    return " ".join(filter(None, parts))


def _memarg(function: FunctionPrinter, value: object, op: int) -> str:
    return _memory_argument(function, *cast("tuple[int, int, int]", value), op)


def _memarg_lane(function: FunctionPrinter, value: object, op: int) -> str:
    offset, memory, align_log2, lane = cast("tuple[int, int, int, int]", value)
    return f"{_memory_argument(function, offset, memory, align_log2, op)} {lane}".lstrip()


def _number(function: FunctionPrinter, value: object, op: int) -> str:
    return str(value)


def _numbers(function: FunctionPrinter, value: object, op: int) -> str:
    return " ".join(map(str, cast("bytes", value)))


def _i32(function: FunctionPrinter, value: object, op: int) -> str:
    number = cast("int", value)
    return str(number - (1 << 32) if number >> 31 else number)


def _i64(function: FunctionPrinter, value: object, op: int) -> str:
    number = cast("int", value)
    return str(number - (1 << 64) if number >> 63 else number)


def _f32(function: FunctionPrinter, value: object, op: int) -> str:
    return format_f32(cast("bytes", value))


def _f64(function: FunctionPrinter, value: object, op: int) -> str:
    return format_f64(cast("bytes", value))


def _v128(function: FunctionPrinter, value: object, op: int) -> str:
    return format_v128(cast("bytes", value))


def _heap(function: FunctionPrinter, value: object, op: int) -> str:
    return function.scope.types.heap_type(cast("int", value))


def _types(function: FunctionPrinter, value: object, op: int) -> str:
    return f"(result {' '.join(map(function.scope.types.value_type, cast('tuple[int, ...]', value)))})"


def _cast_label(function: FunctionPrinter, value: object, op: int) -> str:
    label, source, target = cast("tuple[int, int, int]", value)
    return f"{function.label(label)} {function.scope.types.value_type(source)} {function.scope.types.value_type(target)}"


def _type(function: FunctionPrinter, value: object, op: int) -> str:
    return function.scope.types.reference(cast("int", value))


def _type_table(function: FunctionPrinter, value: object, op: int) -> str:
    index, table = cast("tuple[int, int]", value)
    return f"{_unless_first(function.scope.tables, table)} (type {function.scope.types.reference(index)})".lstrip()


def _type_field(function: FunctionPrinter, value: object, op: int) -> str:
    index, field = cast("tuple[int, int]", value)
    return f"{function.scope.types.reference(index)} {function.scope.types.fields(index).reference(field)}"


def _type_count(function: FunctionPrinter, value: object, op: int) -> str:
    index, count = cast("tuple[int, int]", value)
    return f"{function.scope.types.reference(index)} {count}"


def _type_data(function: FunctionPrinter, value: object, op: int) -> str:
    index, segment = cast("tuple[int, int]", value)
    return f"{function.scope.types.reference(index)} {function.scope.data.reference(segment)}"


def _type_elem(function: FunctionPrinter, value: object, op: int) -> str:
    index, segment = cast("tuple[int, int]", value)
    return f"{function.scope.types.reference(index)} {function.scope.elements.reference(segment)}"


def _type_type(function: FunctionPrinter, value: object, op: int) -> str:
    return " ".join(map(function.scope.types.reference, cast("tuple[int, int]", value)))


_FORMATTER_BY_KIND: Final[dict[int, Callable[[FunctionPrinter, object, int], str]]] = {
    imm.NONE: _none, imm.BLOCK: _block, imm.LABEL: _label, imm.LABELS: _labels, imm.FUNC: _func, imm.TYPE: _type,
    imm.TYPE_TABLE: _type_table, imm.TABLE: _table, imm.TABLE_TABLE: _tables, imm.ELEM_TABLE: _elem_table, imm.ELEM: _elem,
    imm.DATA: _data, imm.DATA_MEMORY: _data_memory, imm.MEMORY: _memory, imm.MEMORY_MEMORY: _memories, imm.LOCAL: _local,
    imm.GLOBAL: _global, imm.MEMARG: _memarg, imm.MEMARG_LANE: _memarg_lane, imm.LANE: _number, imm.LANES: _numbers,
    imm.I32_CONST: _i32, imm.I64_CONST: _i64, imm.F32_CONST: _f32, imm.F64_CONST: _f64, imm.V128_CONST: _v128, imm.HEAP: _heap,
    imm.TYPES: _types, imm.TAG: _tag, imm.TRY_TABLE: _try_table, imm.CAST_LABEL: _cast_label, imm.TYPE_FIELD: _type_field,
    imm.TYPE_COUNT: _type_count, imm.TYPE_DATA: _type_data, imm.TYPE_ELEM: _type_elem, imm.TYPE_TYPE: _type_type,
    imm.ZERO_BYTE: _none,
}  # fmt: skip
FORMATTERS: Final = tuple(_FORMATTER_BY_KIND[kind] for kind in range(imm.KINDS))
