"""Globals whose value compiled code reads and writes: 16 bytes in memory."""

from __future__ import annotations

import struct

from purewasm.engine.native import libc
from purewasm.engine.native.entry import Entries, kind_of, reference_of
from purewasm.engine.native.functions import any_word, function_word
from purewasm.engine.native.handles import Converting, add_holder, object_of, word_of
from purewasm.engine.native.space import function_of, mark_shared
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.store.global_ import Global
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import keep_alive
from purewasm.wasm.float_bits import f32_from_bytes, f32_to_bits, f64_from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purewasm.engine.native.heap import Heap
    from purewasm.wasm.module import GlobalType


_BYTES_KINDS: Final = (vt.F32, vt.F64, vt.V128)
_NOTHING: Final[set[object]] = set()
"""What keeps nothing alive: only references to functions do."""


@final
class NativeGlobal(Global):
    """A global. Its cell is its own, or, once `move` is called, in an instance's context."""

    __slots__ = ("_block", "_is_alone", "_kind", "_offset", "_pins", "always_slow", "heap")

    def __init__(self, type: GlobalType, raw: object, heap: Heap | None = None) -> None:
        """`heap`: where its type names structures or arrays."""
        self.type = type
        self._type_kept = keep_alive(type.valtype)
        self._kind, self.heap = kind_of(type.valtype), heap
        self._block, self._offset, self._is_alone = libc.Block(16), 0, True
        self._pins: set[object] = set()
        self.always_slow = False
        if self._kind in (vt.EXTERNREF, vt.ANYREF):
            add_holder(self)
        if heap is not None and self._kind == vt.ANYREF:
            heap.add_roots(self)
        self._write(raw)

    @classmethod
    def placed(cls, type: GlobalType, block: libc.Block, offset: int) -> NativeGlobal:
        """A global of a number or vector type whose cell is at `offset` of a block and holds its value."""
        made = cls.__new__(cls)
        made.type = type
        made._type_kept = None
        made._kind, made.heap = type.valtype, None
        made._block, made._offset, made._is_alone = block, offset, False
        made._pins = _NOTHING
        made.always_slow = False
        return made

    @property
    def address(self) -> int:
        """Where the cell is."""
        return self._block.address + self._offset

    def move(self, block: libc.Block, offset: int) -> None:
        """The cell is at `offset` of a context from now on."""
        block.bytes[offset : offset + 16] = self._block.bytes[self._offset : self._offset + 16]
        self._block, self._offset, self._is_alone = block, offset, False

    def words(self) -> Iterable[int]:
        return (self._block.words[self._offset >> 3],)

    def root_area(self) -> tuple[int, int]:
        return self.address, 8 * self._is_alone  # those in a context are the instance's

    def _read(self) -> object:
        at, kind = self._offset >> 3, self._kind
        if kind in _BYTES_KINDS:
            data = self._block.words[at : at + 2].tobytes()
            return data if kind == vt.V128 else f64_from_bytes(data[:8]) if kind == vt.F64 else f32_from_bytes(data[:4])
        word = self._block.words[at]
        if kind == vt.I32:
            return word & 0xFFFF_FFFF
        if kind == vt.I64:
            return word
        if kind == vt.EXTERNREF:
            return object_of(word)
        if kind == vt.ANYREF and self.heap is not None:
            with self.heap.lock:
                return reference_of(self._block.words[self._offset >> 3])
        return function_of(word) if word else None

    def _write(self, raw: object) -> None:
        _kept = Converting((raw,)) if self._kind in (vt.EXTERNREF, vt.ANYREF) else None
        self._block.bytes[self._offset : self._offset + 16] = self._encode(raw)

    def _encode(self, raw: object) -> bytes:
        kind = self._kind
        if kind == vt.V128:
            assert isinstance(raw, bytes)
            return raw
        if kind == vt.F32:
            assert isinstance(raw, float)
            return struct.pack("<IIQ", f32_to_bits(raw), 0, 0)
        if kind == vt.F64:
            assert isinstance(raw, float)
            return struct.pack("<dQ", raw, 0)
        if kind == vt.EXTERNREF:
            return struct.pack("<QQ", word_of(raw), 0)
        if kind == vt.FUNCREF:
            return struct.pack("<QQ", function_word(raw, self, self.type.valtype), 0)
        if kind == vt.ANYREF:
            return struct.pack("<QQ", any_word(raw, self.heap), 0)
        return struct.pack("<QQ", raw, 0)

    raw = property(_read, _write)

    # ---- as the owner of functions

    def call(self, entries: Entries, record: int, words: list[object]) -> object:
        raise TypeError("a global is not called")

    def pin_target(self) -> object:
        return self

    def pin(self, target: object) -> None:
        """Keep something alive as long as the global."""
        self._pins.add(target)
        mark_shared(target)

    def replace_pin(self, target: object, other: object) -> bool:
        """Keep `other` alive instead; False where `target` is not kept alive."""
        found = target in self._pins
        if found:
            self._pins.discard(target)
            self._pins.add(other)
        return found
