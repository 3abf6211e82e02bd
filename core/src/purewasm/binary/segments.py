"""The sections that hold contents: element segments, function bodies, data segments (spec: binary format, modules).

Bodies and data stay in the source; only their places are taken down. What a body's instructions say is not read here:
validation reads them once, and finds there what is malformed in them.
"""

from __future__ import annotations

from purewasm.binary import leb
from purewasm.binary.expressions import expression_at, skip_expression
from purewasm.binary.gate import need, refuse_above
from purewasm.binary.reader import LENGTH_OUT_OF_BOUNDS, UNEXPECTED_END, integer_at
from purewasm.binary.types import TypeSpace
from purewasm.errors import MalformedError, ModuleError
from purewasm.light_library import Sequence, length_hint
from purewasm.light_typing import TYPE_CHECKING, Final, final, overload
from purewasm.wasm import limits
from purewasm.wasm import valtypes as vt
from purewasm.wasm.features import BULK_MEMORY, FUNCTION_REFERENCES, GC, REFERENCE_TYPES, Features
from purewasm.wasm.module import ACTIVE, DECLARATIVE, PASSIVE, Code, ConstExpr, DataSegment, ElementSegment, WasmModule

if TYPE_CHECKING:
    from purewasm.binary.reader import Reader

_NOT_ACTIVE: Final = 0x01
_EXPLICIT: Final = 0x02  # an active segment names its table, another one is declarative
_EXPRESSIONS: Final = 0x04
_FUNCTIONS_KIND: Final = 0x00
_NON_NULL_FUNCREF: Final = vt.ref_type(vt.FUNC, False)
_LOCALS_IN_SPEC: Final = 1 << 32
_LONG: Final = 0x80  # an integer's first byte from here on is not its last one


def decode_element_section(reader: Reader, module: WasmModule, space: TypeSpace) -> None:
    items = 0
    for _ in range(reader.count(limits.MAX_ELEMENT_SEGMENTS, "element segments")):
        segment = _element_segment(reader, space)
        items += len(segment.items)
        module.elements.append(segment)
    refuse_above(limits.MAX_SEGMENT_ITEMS, items, "items in element segments")


def _element_segment(reader: Reader, space: TypeSpace) -> ElementSegment:
    flags = reader.u32()
    if flags > (_NOT_ACTIVE | _EXPLICIT | _EXPRESSIONS):
        raise MalformedError(f"malformed elements segment kind {flags}")
    if flags:
        need(space.enabled, REFERENCE_TYPES if flags & _EXPRESSIONS else REFERENCE_TYPES | BULK_MEMORY, "this kind of element segment")
    mode, table, offset = ACTIVE, 0, None
    if flags & _NOT_ACTIVE:
        mode = DECLARATIVE if flags & _EXPLICIT else PASSIVE
    else:
        table = reader.u32() if flags & _EXPLICIT else 0
        offset = _expression(reader, space)
    reftype = vt.FUNCREF if flags & _EXPRESSIONS else _functions_type(space)
    if flags & (_NOT_ACTIVE | _EXPLICIT):
        if flags & _EXPRESSIONS:
            reftype = space.reference_type(reader.code)
        elif (kind := reader.byte()) != _FUNCTIONS_KIND:
            raise MalformedError(f"malformed element kind 0x{kind:02x}")
    number = reader.count(limits.MAX_SEGMENT_ITEMS, "items in an element segment")
    items: tuple[int, ...] | tuple[ConstExpr, ...]
    if flags & _EXPRESSIONS:
        items = tuple([_expression(reader, space) for _ in range(number)])
    else:
        code = reader.code
        items = tuple([byte if (byte := next(code)) < _LONG else leb.u32_tail(code, byte) for _ in range(number)])
    return ElementSegment(mode, table, offset, reftype, items)


def _functions_type(space: TypeSpace) -> int:
    """Type of a segment that lists functions: never null, where types can say so."""
    return _NON_NULL_FUNCREF if space.enabled & (FUNCTION_REFERENCES | GC) else vt.FUNCREF


def _expression(reader: Reader, space: TypeSpace) -> ConstExpr:
    start = reader.position
    skip_expression(reader.code, space)
    return ConstExpr(start, reader.position)


def decode_code_section(source: bytes, start: int, end: int, module: WasmModule, space: TypeSpace, *, known: bool) -> None:
    """Bodies in `source[start:end]`, their number first. Of a module that is `known` to be valid they are read when they are looked at."""
    number, position = _count_at(source, start, end, limits.MAX_FUNCTIONS, "function bodies")
    first, most = module.imported_functions, limits.MAX_FUNCTION_BYTES
    places: list[tuple[int, int]] = []
    for index in range(first, first + number):
        size = source[position] if position < end else _LONG
        if size < _LONG:
            position += 1
        elif position + 1 < end and (second := source[position + 1]) < _LONG:
            size, position = size & ~_LONG | second << 7, position + 2
        else:
            size, position = integer_at(source, position, end)
        body_end = position + size
        if body_end > end:
            raise MalformedError(
                f"{UNEXPECTED_END}: the body of function {index} has {size} bytes, the section {end - position} more", offset=position
            )
        if size > most:  # the text for the message would cost as much as the rest
            refuse_above(most, size, f"bytes in the body of function {index}")
        places.append((position, body_end))
        position = body_end
    bodies: Sequence[Code] = _Bodies(source, places, first, space)
    module.codes = bodies if known else list(bodies)
    _check_end(position, end)


@final
class _Bodies(Sequence[Code]):
    """Bodies, read when they are looked at."""

    __slots__ = ("_first", "_places", "_source", "_space")

    def __init__(self, source: bytes, places: list[tuple[int, int]], first: int, space: TypeSpace) -> None:
        self._source, self._places, self._first, self._space = source, places, first, space

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, number: int) -> Code: ...
    @overload
    def __getitem__(self, number: slice) -> list[Code]: ...
    def __getitem__(self, number: int | slice) -> Code | list[Code]:
        if isinstance(number, slice):
            return [self[one] for one in range(len(self))[number]]
        start, end = self._places[number]
        return _code(self._source, start, end, self._first + number, self._space)


def _code(source: bytes, start: int, end: int, index: int, space: TypeSpace) -> Code:
    """One body: its locals are read, its instructions are not."""
    if start < end and source[start] == 0:  # no locals: nothing to read
        return Code((), start + 1, end)
    code = iter(source[start:end])
    try:
        runs, total = [], 0
        for _ in range(leb.u32(code)):
            count = leb.u32(code)
            total += count
            if total >= _LOCALS_IN_SPEC:
                raise MalformedError(f"too many locals: function {index} has more than 2**32")
            valtype = space.value_type(code)
            if count and total <= limits.MAX_LOCALS:
                runs.append((count, valtype))
        refuse_above(limits.MAX_LOCALS, total, f"locals in function {index}")
    except StopIteration:
        raise MalformedError(f"{UNEXPECTED_END}: function {index} ends among its locals", offset=end) from None
    except ModuleError as error:
        error.offset = end - length_hint(code) - 1
        raise
    return Code(tuple(runs), end - length_hint(code), end)


def check_form(module: WasmModule) -> None:
    """MalformedError for the first body whose instructions are malformed.

    Bodies are read when they are validated; this is for a module that turned out to be malformed behind them, where a body with
    a wrong size would be the reason.
    """
    everything = TypeSpace(module.types, Features.all().bits)
    for index, body in enumerate(module.codes, module.imported_functions):
        window = module.source[body.start : body.end + leb.MAX_BYTES]
        code = iter(window)
        try:
            skip_expression(code, everything)
        except MalformedError as error:
            error.message, error.offset = f"{error.message} (function {index})", body.start + len(window) - length_hint(code) - 1
            raise
        except (StopIteration, ModuleError):
            return


def decode_data_section(source: bytes, start: int, end: int, module: WasmModule, space: TypeSpace) -> None:
    """Segments in `source[start:end]`, their number first."""
    number, position = _count_at(source, start, end, limits.MAX_DATA_SEGMENTS, "data segments")
    for _ in range(number):
        flags, position = integer_at(source, position, end)
        if flags > (_NOT_ACTIVE | _EXPLICIT) or flags == (_NOT_ACTIVE | _EXPLICIT):
            raise MalformedError(f"malformed data segment kind {flags}", offset=position - 1)
        if flags:
            need(space.enabled, BULK_MEMORY, "this kind of data segment")
        memory, offset = 0, None
        if flags & _EXPLICIT:
            memory, position = integer_at(source, position, end)
        if not flags & _NOT_ACTIVE:
            offset = expression_at(source, position, end, space)
            position = offset.end
        size, position = integer_at(source, position, end)
        if size > end - position:
            raise MalformedError(f"{UNEXPECTED_END}: a data segment of {size} bytes where {end - position} are left", offset=position)
        mode = PASSIVE if flags & _NOT_ACTIVE else ACTIVE
        module.data.append(DataSegment(mode, memory, offset, position, position + size))
        position += size
    _check_end(position, end)


def _count_at(source: bytes, start: int, end: int, limit: int, what: str) -> tuple[int, int]:
    number, position = integer_at(source, start, end)
    if number > end - position:
        raise MalformedError(f"{LENGTH_OUT_OF_BOUNDS}: {number} {what} where {end - position} bytes are left", offset=start)
    refuse_above(limit, number, what)
    return number, position


def _check_end(position: int, end: int) -> None:
    if position != end:
        raise MalformedError(f"section size mismatch: {end - position} bytes behind the last element of the section", offset=position)
