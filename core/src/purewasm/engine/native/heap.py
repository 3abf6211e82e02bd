"""The heap of a runtime's structures and arrays.

Code takes memory between `HEAP_FREE` and `HEAP_LIMIT` by itself; when there is not enough, the builtin `gc_allocate` looks for the
next hole (`collector_code`), and if there is none, or much has been allocated, it comes here for a collection. One thread at a
time runs code that uses the heap (`turn`), so what such code holds is on one stack, which is searched for words that may be references;
everything else that refers to objects says so: tables, globals, and the objects by which Python knows them.
"""

from __future__ import annotations

import os
import weakref
from array import array
from contextlib import contextmanager

from purewasm.engine.native import collector_code as collector
from purewasm.engine.native import handles, libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import STUBS, frames_are_visible, own_words, stack_pointer
from purewasm.engine.native.endings import at_end_of
from purewasm.engine.native.libc import system
from purewasm.engine.native.turn import Turn
from purewasm.engine.native.type_records import HeapTypes
from purewasm.errors import InternalError, LinkError, Trap
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.conditions import CC_NE
from purewasm.isa.x64.control import CALL_RM64, RET
from purewasm.isa.x64.integer import ADD_RM64_IMM32, SHR_RM64_IMM8, SUB_RM64_IMM32, TEST_RM32_R32
from purewasm.isa.x64.memory import MOV_R32_RM32, MOV_RM32_R32
from purewasm.isa.x64.registers import R12, R15, RAX, RCX, RDI, RDX, RSI, RSP
from purewasm.light_library import bisect_right, lru_cache, partial, ref
from purewasm.light_typing import TYPE_CHECKING, Final, Protocol, final
from purewasm.store import layout
from purewasm.traps import ALLOCATION_TOO_LARGE, OUT_OF_HEAP
from purewasm.wasm.limits import MAX_ARRAY_BYTES
from purewasm.wasm.live import LiveSet, LiveValues
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purewasm.engine.native.references import NativeArray, NativeStruct
    from purewasm.engine.native.space import Space
    from purewasm.engine.native.tags import NativeTag
    from purewasm.store.meter import Meter
    from purewasm.store.tag import Tag

_CONTROL_BYTES: Final = 4096
_GUARD_BYTES: Final = 1 << 16
_RESERVED: Final = (1 << 32, 1 << 30, 1 << 28, 1 << 26)
"""Bytes of address space, of which the first amount is taken that is to be had."""
_LEAST_BUDGET: Final = 8 << 20
"""So much is allocated between two collections, or as much as lives."""
_FULL: Final = 64
"""A heap is full where less than this part of it is free."""
_LARGE_AREA: Final = 4 << 20
"""Of the areas that only collections use, so much is kept from one to the next."""
_SPARE_BYTES: Final = 64 << 20
"""Free memory that is not given back."""
_GATHERED: Final = 1 << 16
_KEPT_OWNERS: Final = 64


if TYPE_CHECKING:

    class RootHolder(Protocol):
        """A table or a global of references to objects, or all globals of an instance."""

        def root_area(self) -> tuple[int, int]:
            """Address and bytes of the words that it holds."""


@final
class Heap:
    """Memory for the objects of one runtime."""

    __slots__ = (
        "__weakref__", "_away", "_call", "_code", "_hidden", "_owners", "_owners_limit",
        "_permanent", "_possible_roots", "_roots", "_roots_bytes", "_size", "_spaces", "_stack_bytes",
        "cells", "collections", "control", "lock", "start", "stress", "tags", "turn", "types", "wrappers",
    )  # fmt: skip

    def __init__(self, cpu: int, limit_bytes: int | None = None, size: int | None = None) -> None:
        """For a processor with these features; of so many bytes at most. `size`: of the address space."""
        pages: list[tuple[int, int]] = []
        at_end_of(self, partial(_unmap, pages))
        self.start, self._size = _reserve(_RESERVED if size is None else (size,))
        pages.append((self.start, self._size + _GUARD_BYTES))
        self._code = collector.code(cpu)
        self.control: Final = libc.view_at(self.start, _CONTROL_BYTES).cast("Q")
        self.cells: Final = libc.view_at(self.start, _CONTROL_BYTES).cast("I")
        self._call: Final = libc.word_function(_call_stub())
        self.stress = _stress[0]
        """Collect at each allocation: tests find what is forgotten."""
        self.collections = 0
        self._lay_out(limit_bytes)
        self.turn = Turn()
        """One thread at a time runs code that uses the heap."""
        self.turn.lead(self)
        self._spaces: Final[LiveSet[Space]] = LiveSet()
        self.lock: Final = _lock
        """Held while something is collected, and by threads that look at objects when it is not their turn."""
        self.wrappers: Final[LiveValues[int, NativeStruct | NativeArray]] = LiveValues()
        """By word: what Python knows objects by."""
        self._roots: Final[LiveSet[RootHolder]] = LiveSet()
        self._possible_roots: Final[LiveSet[RootHolder]] = LiveSet()
        self._permanent = (0, 0)
        self.tags: Final[weakref.WeakKeyDictionary[Tag, NativeTag]] = weakref.WeakKeyDictionary()
        """Tags whose exceptions carry objects of this heap."""
        self.types: Final = HeapTypes(self._take_permanent)
        self._away: dict[int, int] = {}
        self._hidden = 0  # of those that wait: how many have frames out of sight
        self._owners: dict[int, Space] = {}
        self._owners_limit = _KEPT_OWNERS
        _heaps[self.start] = ref(self)
        _starts[:] = sorted(_heaps)
        handles.add_holder(self)

    def _lay_out(self, limit_bytes: int | None) -> None:
        """Where everything is."""
        self._roots_bytes = self._size >> 4
        fixed = _CONTROL_BYTES + self._roots_bytes + collector.BLOCK_BYTES
        block = collector.BLOCK_BYTES + 1 + 4 + 2 * collector.BITMAP_BYTES + collector.STACK_BYTES
        count = (self._size - fixed) // block
        self._stack_bytes = collector.STACK_BYTES * count
        cells, at = self.cells, _CONTROL_BYTES
        for cell, size in (
            (collector.STARTS, collector.BITMAP_BYTES * count), (collector.MARKS, collector.BITMAP_BYTES * count),
            (collector.STACK, self._stack_bytes), (collector.ROOTS, self._roots_bytes),
            (collector.COUNTS, 4 * count), (collector.KINDS, count),
        ):  # fmt: skip
            cells[cell >> 2] = at
            at = at + size + 63 & -64
        cells[collector.DATA >> 2] = at + collector.BLOCK_BYTES - 1 & -collector.BLOCK_BYTES
        cells[collector.END >> 2] = count if limit_bytes is None else min(count, -(-limit_bytes // collector.BLOCK_BYTES))
        cells[collector.LOG_END >> 2] = cells[collector.STACK >> 2]
        cells[collector.BUDGET >> 2] = 0 if self.stress else _LEAST_BUDGET
        self.control[collector.BASE >> 3] = self.start
        self.control[collector.ALLOCATE >> 3] = self._code["allocate"]

    def _run(self, name: str, first: int, second: int) -> int:
        """Call a function of the collector."""
        return self._call(self.start, self._code[name], first | second << 32)

    # ---- memory

    def _take_permanent(self, size: int) -> int:
        """Zeroed bytes that stay as long as the heap; for type records, which come many at a time."""
        size = size + 63 & -64
        address, end = self._permanent
        if size > end - address:
            piece = size + collector.BLOCK_BYTES - 1 & -collector.BLOCK_BYTES
            place = self._run("allocate", piece, collector.FOREVER)
            if not place:
                raise LinkError(f"no room for the types of this module in a heap of at most {self._capacity} bytes")
            address, end = self.start + place, self.start + place + piece
        self._permanent = address + size, end
        libc.view_at(address, size)[:] = bytes(size)
        return address

    def allocate_outside(self, size: int) -> int:
        """Memory for an object that no guest makes. Under the lock, which is held until the object is complete."""
        if size > MAX_ARRAY_BYTES + layout.ARRAY_ELEMENTS:
            raise Trap(ALLOCATION_TOO_LARGE)
        place = self._run("allocate", size, collector.OUTSIDE)
        if not place:
            self._collect_between()
            place = self._run("allocate", size, collector.OUTSIDE)
        if not place:
            raise self._full()
        return self.start + place

    def allocate(self, size: int, stack: int) -> int:
        """Address of `size` bytes for code that found no room, after a collection. `stack`: below its frames."""
        if size > MAX_ARRAY_BYTES + layout.ARRAY_ELEMENTS:
            raise Trap(ALLOCATION_TOO_LARGE)
        self.collect(stack)
        place = 0
        if self.cells[collector.LIVE >> 2] <= self._capacity - self._capacity // _FULL:
            place = self._run("allocate", size, collector.FORCED)
        if not place:
            raise self._full()
        if self.stress:
            self.control[layout.HEAP_LIMIT >> 3] = self.control[layout.HEAP_FREE >> 3]
            self.cells[collector.BUDGET >> 2] = 0
        return self.start + place

    @property
    def _capacity(self) -> int:
        return self.cells[collector.END >> 2] << collector.BLOCK_LOG2

    def _full(self) -> Trap:
        live, capacity = self.cells[collector.LIVE >> 2], self._capacity
        return Trap(f"{OUT_OF_HEAP}: {live} of at most {capacity} bytes are in use", code=OUT_OF_HEAP)

    # ---- roots

    def add_roots(self, holder: RootHolder, *, exact: bool = True) -> None:
        """What its words refer to stays. Not `exact`: some of them may be other values."""
        (self._roots if exact else self._possible_roots).add(holder)

    def keep(self, space: Space) -> None:
        """An instance whose functions may be in objects: it stays until it is closed, and its records as long as objects have them."""
        self._owners[space.block.address] = space
        if len(self._owners) > self._owners_limit:
            self._collect_between()
            self._owners_limit = max(_KEPT_OWNERS, 2 * len(self._owners))

    @contextmanager
    def frames_kept(self) -> Iterator[None]:
        """The calling thread waits, and others may have the turn: what its frames refer to stays."""
        start = stack_pointer()
        is_hidden = not frames_are_visible(start)
        self._away[start] = own_words()[layout.THREAD_TOP >> 3]
        self._hidden += is_hidden
        try:
            yield
        finally:
            self._hidden -= is_hidden
            del self._away[start]

    def keeps(self, space: Space) -> bool:
        """True where the instance's functions may be in objects."""
        return space.block.address in self._owners

    # ---- turns

    def add_user(self, space: Space, meter: Meter) -> None:
        """This instance runs code that uses the heap; `meter` is that of its group."""
        self._spaces.add(space)
        if meter.turn is None:
            meter.use_turn(self.turn)
        else:
            with self.turn.joined(meter.turn) as turn:
                meter.use_turn(turn)

    def follow(self, turn: Turn) -> None:
        self.turn = turn
        for space in self._spaces:
            space.meter.present.use_turn(turn)

    # ---- forks

    def forget_others(self) -> None:
        """In a child: the thread that had the turn may not be there. It may have been about to get a hole, or to write the last object of
        one: that one does not count."""
        self.cells[collector.LOCK >> 2] = 0
        free = self.control[layout.HEAP_FREE >> 3]
        if not free or self.turn.is_mine:
            return
        self.control[layout.HEAP_FREE >> 3] = self.control[layout.HEAP_LIMIT >> 3] = 0
        entry = self.start + self.cells[collector.LOG_END >> 2] - 8
        hole = libc.read_word(entry)
        at = last = self.start + (hole & 0xFFFF_FFFF)
        if not at <= free <= self.start + (hole >> 32):
            return
        records = self.types.known()
        while at < free and libc.read_word(at) in records:
            last, at = at, at + object_bytes(at)
        libc.write_word(entry, hole & 0xFFFF_FFFF | last - self.start << 32)

    # ---- collections

    def _collect_between(self) -> None:
        """Collect if no guest of another thread is running."""
        if self.turn.take_if_free():
            try:
                self.collect(stack_pointer())
            finally:
                self.turn.give_up()

    def collect(self, stack: int) -> bool:
        """Give back the memory of all objects that nothing refers to. On the thread whose turn it is; its frames are above `stack`.

        False where frames of guests are out of sight, which may refer to anything: then the heap grows.
        """
        with self.lock:
            if self._hidden or not frames_are_visible(stack):
                self.cells[collector.BUDGET >> 2] = max(_LEAST_BUDGET, self.cells[collector.LIVE >> 2])
                return False
            possible, certain = self._put_roots(stack)
            self._run("collect", possible, certain)
            live = self.cells[collector.LIVE >> 2]
            budget = 0 if self.stress else max(_LEAST_BUDGET, live)
            self.cells[collector.BUDGET >> 2] = budget
            self.collections += 1
            gone = self._let_owners_go() if any(space.closed for space in list(self._owners.values())) else []
            if not self.stress:
                self._give_back(budget)
        gone.clear()  # destructors run here
        return True

    def _put_roots(self, stack: int) -> tuple[int, int]:
        """Words that may be references, and such that are, where the collector looks for them; how many of each."""
        first = self.start + self.cells[collector.ROOTS >> 2]
        end = first + self._roots_bytes
        areas = [(stack, own_words()[layout.THREAD_TOP >> 3] - stack)]
        areas += [(start, top - start) for start, top in list(self._away.items())]
        areas += [holder.root_area() for holder in self._possible_roots]
        at = self._copy(areas, first, end)
        possible = at - first >> 3
        at = self._copy([holder.root_area() for holder in self._roots], at, end)
        known = memoryview(array("Q", self.wrappers.keys())).cast("B")
        if at + len(known) > end:
            raise MemoryError("too many references to the heap from outside")
        if known:
            libc.view_at(at, len(known))[:] = known
        return possible, (at + len(known) - first >> 3) - possible

    @staticmethod
    def _copy(areas: Iterable[tuple[int, int]], at: int, end: int) -> int:
        for address, size in areas:
            if at + size > end:
                raise MemoryError("too many references to the heap from outside")
            libc.copy_bytes(at, address, size)
            at += size
        return at

    def _gather(self, map: int) -> Iterator[memoryview]:
        """Right behind a collection: the words in fields and elements of objects that a map of types lists, piece by piece."""
        self.cells[collector.GATHER_AT >> 2] = self.cells[collector.DATA >> 2]
        self.cells[collector.GATHER_INDEX >> 2] = 0
        start = self.start + self.cells[collector.ROOTS >> 2]
        while count := self._run("gather", map, _GATHERED):
            yield libc.view_at(start, 8 * count).cast("Q")

    def _let_owners_go(self) -> list[Space]:
        """Closed instances of whose functions no object has one are not kept any more; they are returned."""
        contexts: set[int] = set()
        for words in self._gather(layout.TYPE_FUNCTIONS):
            contexts.update([libc.read_word(record + layout.RECORD_CONTEXT) for record in set(words)])
        others = not contexts <= self._owners.keys()  # whoever keeps those stays
        gone = [
            context
            for context, space in list(self._owners.items())
            if space.closed and context not in contexts and not (others and space.holds_others)
        ]
        return [self._owners.pop(context) for context in gone]

    def words(self) -> Iterable[int]:
        """Words of Python objects in objects that are alive. For `handles`, while no guest is running."""
        if not self.turn.take_if_free():
            return list(handles.HELD)
        try:
            with self.lock:
                if not self.collect(stack_pointer()):
                    return list(handles.HELD)
                found: set[int] = set()
                for map in (layout.TYPE_REFERENCES, layout.TYPE_HANDLES):
                    for words in self._gather(map):
                        found.update(words)
                return found
        finally:
            self.turn.give_up()

    def _give_back(self, budget: int) -> None:
        """Pages that will not be needed soon go back to the system."""
        for cell, size in ((collector.STACK, self._stack_bytes), (collector.ROOTS, self._roots_bytes)):
            if size > _LARGE_AREA:
                place = self.start + self.cells[cell >> 2] + _LARGE_AREA + 4095 & -4096
                system.forget_pages(place, size - _LARGE_AREA - 4096 & -4096)
        used = self.cells[collector.USED >> 2]
        kinds = bytes(libc.view_at(self.start + self.cells[collector.KINDS >> 2], used))
        free = kinds.count(collector.FREE) << collector.BLOCK_LOG2
        if free <= 2 * budget + _SPARE_BYTES:
            return
        data = self.start + self.cells[collector.DATA >> 2]
        kept = start = 0
        for blocks in kinds.split(bytes((collector.SMALL,))):
            size = len(blocks) << collector.BLOCK_LOG2
            if kept > budget and not any(blocks):
                system.forget_pages(data + (start << collector.BLOCK_LOG2), size)
            kept += size
            start += len(blocks) + 1


def object_bytes(address: int) -> int:
    """Size of a structure or an array."""
    record = libc.read_word(address + layout.OBJECT_TYPE)
    size = libc.read_word(record + layout.TYPE_SIZE)
    if libc.read_word(record + layout.TYPE_KIND) == layout.KIND_ARRAY:
        size = layout.ARRAY_ELEMENTS + size * (libc.read_word(address + layout.ARRAY_LENGTH) & 0xFFFF_FFFF)
    return size + layout.OBJECT_ALIGNMENT - 1 & -layout.OBJECT_ALIGNMENT


def _reserve(sizes: Iterable[int]) -> tuple[int, int]:
    """Address and size of a range for a heap."""
    flags = system.MAP_PRIVATE | system.MAP_ANONYMOUS | system.MAP_NORESERVE
    for size in sizes:
        try:
            start = system.map_pages(size + _GUARD_BYTES, system.PROT_READ | system.PROT_WRITE, flags)
        except OSError:
            continue
        try:
            system.protect_pages(start + size, _GUARD_BYTES, system.PROT_NONE)
        except OSError:
            system.unmap_pages(start, size + _GUARD_BYTES)
            raise
        return start, size
    raise MemoryError(f"the process may have less than {_RESERVED[-1] >> 20} MiB more of address space")


@lru_cache(maxsize=1)
def _call_stub() -> int:
    """A C function of (heap, code, both arguments in one word): calls a function of the collector."""
    a = Assembler()
    a.push_saved()
    a.put(SUB_RM64_IMM32(RSP, 8))
    a.move(R15, RDI)
    a.move(RAX, RSI)
    a.move(RDI, RDX)
    a.move(RSI, RDX)
    a.put(SHR_RM64_IMM8(RSI, 32), MOV_R32_RM32(RDI, RDI))
    put_locked_call(a, RAX)
    a.put(ADD_RM64_IMM32(RSP, 8))
    a.pop_saved()
    a.put(RET())
    return STUBS.add(a.finish())


def put_locked_call(a: Assembler, code: int) -> None:
    """Call a function of the collector, whose address is in a register; r15: the heap. The result is in rax. Uses all that C functions may,
    and r12."""
    a.move(R12, code)
    a.label("spin")
    a.constant(RCX, 1)
    a.put(b"\x41\x87\x4f" + bytes((collector.LOCK,)))  # xchg [r15 + LOCK], ecx
    a.put(TEST_RM32_R32(RCX, RCX))
    a.jump_if(CC_NE, "spin")
    a.put(CALL_RM64(R12), MOV_R32_RM32(RAX, RAX))
    a.constant(RCX, 0)
    a.put(MOV_RM32_R32(Mem(R15, collector.LOCK), RCX))


# ---- all heaps of the process

_lock: Final = process_lock()

_stress: Final = [False]
_heaps: Final[dict[int, ref[Heap]]] = {}
"""By address."""
_starts: Final[list[int]] = []


def set_stress(stress: bool) -> None:
    """Heaps that are made from now on collect at each allocation."""
    _stress[0] = stress


def _unmap(pages: list[tuple[int, int]]) -> None:
    """Give pages back that are in the list, once: the next heap may be at their address."""
    while pages:
        start, size = pages.pop()
        _heaps.pop(start, None)
        _starts[:] = sorted(_heaps)
        system.unmap_pages(start, size)


def heap_at(address: int) -> Heap:
    """The heap that has an object at this address."""
    position = bisect_right(_starts, address) - 1
    heap = _heaps[_starts[position]]() if position >= 0 else None
    if heap is None:
        raise InternalError(f"no heap at {address:#x}")
    return heap


def _forget_after_fork() -> None:
    for reference in list(_heaps.values()):
        heap = reference()
        if heap is not None:
            heap.forget_others()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
