"""Instructions of a validated body as three parallel lists: what both engines read.

`decode_body` trusts its input: it is for bodies that validation has accepted. Each instruction is `ops[i]` (the code of the
opcode table), `imms[i]` (its immediate, as `wasm.opcodes.immediates` documents it) and `offsets[i]` (its place in the source).
"""

from __future__ import annotations

from purewasm.binary.immediates import READERS, behind_prefix, memory_argument
from purewasm.binary.leb import s32_tail, u32_tail, u64_tail
from purewasm.binary.types import TypeSpace
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, cast, final
from purewasm.wasm import opcodes
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import immediates as imm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purewasm.wasm.module import Code, ConstExpr, WasmModule

    class _Bytes(Iterator[int], Protocol):
        """The iterator of `bytes`, which knows how many are left."""

        def __length_hint__(self) -> int: ...


_ALL: Final = Features.all().bits
_PREFIX: Final = -1
_INDEX: Final = -2  # every kind that is one unsigned integer
_INDEX_KINDS: Final = frozenset(
    (imm.LOCAL, imm.LABEL, imm.FUNC, imm.GLOBAL, imm.TYPE, imm.TABLE, imm.MEMORY, imm.TAG, imm.ELEM, imm.DATA)
)
_KIND_OF_CODE: Final = {code: row[2] for code, row in opcodes.BY_CODE.items()}
_KIND_OF_BYTE: Final = [
    _PREFIX if byte in opcodes.PREFIXES else _INDEX if (kind := _KIND_OF_CODE.get(byte, imm.NONE)) in _INDEX_KINDS else kind
    for byte in range(256)
]
_MASK32: Final = 0xFFFF_FFFF
# Immediates that repeat: one object each instead of one per instruction. The first byte of an i32.const is its value.
_SMALL_I32: Final = [(byte & 0x3F) - (byte & 0x40) & _MASK32 for byte in range(0x80)]


@final
class Body:
    """Instructions as parallel lists, the final `end` included."""

    __slots__ = ("imms", "offsets", "ops")

    def __init__(self, ops: list[int], imms: list[object], offsets: list[int]) -> None:
        self.ops, self.imms, self.offsets = ops, imms, offsets


def decode_body(module: WasmModule, code: Code) -> Body:
    """Instructions of a function of a validated module."""
    return _decode(module, code.start, code.end)


def decode_const(module: WasmModule, expression: ConstExpr) -> Body:
    """Instructions of a constant expression of a validated module."""
    return _decode(module, expression.start, expression.end)


def _decode(module: WasmModule, start: int, end: int) -> Body:
    code = cast("_Bytes", iter(module.source[start:end]))
    space = TypeSpace(module.types, _ALL)
    left = code.__length_hint__
    kinds, readers, small = _KIND_OF_BYTE, READERS, _SMALL_I32
    index_kind, no_kind, constant_kind, memory_kind = _INDEX, imm.NONE, imm.I32_CONST, imm.MEMARG
    ops: list[int] = []
    imms: list[object] = []
    offsets: list[int] = []
    add_op, add_imm, add_offset = ops.append, imms.append, offsets.append
    value: object
    place = start
    for op in code:
        add_offset(place)
        kind = kinds[op]
        if kind == index_kind:
            index = next(code)
            if index < 0x80:
                value = index
                place += 2
            else:
                value = u32_tail(code, index)
                place = end - left()
        elif kind == no_kind:
            value = None
            place += 1
        elif kind == constant_kind:
            byte = next(code)
            if byte < 0x80:
                value = small[byte]
                place += 2
            else:
                value = s32_tail(code, byte) & _MASK32
                place = end - left()
        elif kind == memory_kind:
            flags = next(code)
            if flags < 0x40:
                offset = next(code)
                value = (offset if offset < 0x80 else u64_tail(code, offset), 0, flags)
            else:
                value = memory_argument(code, flags)
            place = end - left()
        else:
            if kind == _PREFIX:
                op = behind_prefix(code, op)
                kind = _KIND_OF_CODE[op]
            value = readers[kind](code, space)
            place = end - left()
        add_op(op)
        add_imm(value)
    return Body(ops, imms, offsets)
