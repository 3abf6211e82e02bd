"""Memory for machine code: one file in memory, mapped twice, once to write and once to run. No page is ever both.

All code lies in one range of addresses that is reserved at the start, so that a signal handler knows by two compares
whether a fault is a guest's.
"""

from __future__ import annotations

import os

from purewasm.engine.native import libc
from purewasm.engine.native.control import no_pages, write_code
from purewasm.engine.native.endings import at_end_of, settle
from purewasm.engine.native.libc import system
from purewasm.light_library import bisect_right, partial
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.engine.native.function_code import FunctionCode

PAGE_BYTES: Final = 4096
FIRST_REGION_BYTES: Final = 1 << 16
LARGER_REGION_BYTES: Final = 1 << 20
_RANGE_BYTES: Final = tuple([1 << bits for bits in range(32, 23, -1)])
"""Sizes of the range, from the one that is wanted to the least that is of use."""
_ALIGNMENT: Final = 64


@final
class CodeRange:
    """The reserved addresses. Pieces are given out first fit, and taken back."""

    def __init__(self) -> None:
        self.start, size = _reserve()
        self.end: Final = self.start + size
        self._free: list[tuple[int, int]] = [(self.start, size)]
        self._returned: list[tuple[int, int]] = []
        self._taking = False

    def take(self, size: int) -> int:
        """Under the lock. A destructor may run in the middle: what it gives back is put aside."""
        self._taking = True
        try:
            for position, (address, room) in enumerate(self._free):
                if room >= size:
                    if room == size:
                        del self._free[position]
                    else:
                        self._free[position] = (address + size, room - size)
                    return address
        finally:
            self._taking = False
            while self._returned:
                self.give_back(*self._returned.pop())
        raise MemoryError("no room for more machine code")

    def give_back(self, address: int, size: int) -> None:
        """Reserve the piece again and join it with its free neighbours. Under the lock."""
        if self._taking:
            self._returned.append((address, size))
            return
        if not _reserve_again(address, size):
            return
        self._free.append((address, size))
        self._free.sort()
        joined: list[tuple[int, int]] = []
        for start, room in self._free:
            if joined and joined[-1][0] + joined[-1][1] == start:
                joined[-1] = (joined[-1][0], joined[-1][1] + room)
            else:
                joined.append((start, room))
        self._free = joined


def _reserve() -> tuple[int, int]:
    """Address and size of reserved pages. Where a process may have few addresses (`RLIMIT_AS`), half of those that are left stay free."""
    problem = OSError()
    flags = system.MAP_PRIVATE | system.MAP_ANONYMOUS | system.MAP_NORESERVE
    for size in _RANGE_BYTES:
        try:
            start = system.map_pages(2 * size, system.PROT_NONE, flags)
            system.unmap_pages(start, 2 * size)  # as a whole: not every system gives parts back
            start = system.map_pages(size, system.PROT_NONE, flags)
        except OSError as error:
            problem = error
        else:
            return start, size
    raise problem


def _reserve_again(address: int, size: int) -> bool:
    """Nobody else gets these addresses, and nothing runs there. False where that failed: others may have them, so no code may."""
    flags = system.MAP_PRIVATE | system.MAP_ANONYMOUS | system.MAP_NORESERVE | system.MAP_FIXED
    try:
        system.map_pages(size, system.PROT_NONE, flags, at=address)
    except OSError:
        try:
            system.protect_pages(address, size, system.PROT_NONE)  # what was there stays there; this fails where there is a hole
        except OSError:
            return False
    return True


_ranges: Final[list[CodeRange]] = []
_regions: tuple[CodeRegion, ...] = ()
"""By address. Replaced as a whole, so that whoever looks something up sees one state of it."""
_lock: Final = process_lock()
"""Held while code memory is taken, filled or given back."""
_epoch: Final = [0]


def code_range() -> CodeRange:
    """The range of the process, reserved when it is first asked for."""
    if not _ranges:
        _ranges.append(CodeRange())
    return _ranges[0]


def forget_after_fork() -> None:
    """In the child: pages of code are shared with the parent, so neither may add to a region that both have."""
    _epoch[0] += 1


@final
class CodeRegion:
    """A piece of code memory that is filled from the front, and the functions in it."""

    __slots__ = ("_is_free", "_view", "address", "epoch", "functions", "mirror", "size", "starts", "used")

    def __init__(self, size: int, content: memoryview | None = None) -> None:
        """Of so many bytes; with `content` it is full, and nothing can be added."""
        self.size, self.used, self.epoch = size, 0 if content is None else size, _epoch[0]
        self.starts: list[int] = []
        self.functions: Sequence[FunctionCode] = []
        self.mirror = 0
        self._is_free = False
        self._view: memoryview | None = None
        try:
            fd = system.anonymous_file(size)
        except OSError:
            self._take_pages(content)
            return
        try:
            if content is None:
                self.mirror = system.map_pages(size, system.PROT_READ | system.PROT_WRITE, system.MAP_SHARED, fd)
            else:
                _write(fd, content)  # the system writes whole pages faster than we do, page fault by page fault
            try:
                self._take_mapped(fd)
            except (OSError, MemoryError):
                self._unmap_mirror()
                raise
        finally:
            os.close(fd)
        if self.mirror:
            self._view = libc.view_at(self.mirror, size)
        _change_regions(self, None)

    def _take_mapped(self, fd: int) -> None:
        self.address = code_range().take(self.size)
        try:
            system.map_pages(self.size, system.PROT_READ | system.PROT_EXEC, system.MAP_SHARED | system.MAP_FIXED, fd, self.address)
        except OSError:
            code_range().give_back(self.address, self.size)
            raise

    def _take_pages(self, content: memoryview | None) -> None:
        """Where there are no files in memory: each piece of code begins at a page of its own, which is written before it is run."""
        self.address = code_range().take(self.size)
        if content is not None:
            try:
                write_code(self.address, content)
            except MemoryError:
                code_range().give_back(self.address, self.size)
                raise
        _change_regions(self, None)

    def has_room(self, size: int) -> bool:
        return self.size - self.used >= size and self.epoch == _epoch[0]

    def add(self, code: bytes | bytearray) -> int:
        start, size = self.used, len(code)
        alignment = _ALIGNMENT if self._view is not None else PAGE_BYTES
        self.used = start + size + alignment - 1 & -alignment  # `has_room` has counted that
        if self._view is not None:
            self._view[start : start + size] = code
        else:
            write_code(self.address + start, code)
        return self.address + start

    def free(self) -> None:
        """Give the pages back. Nothing in them runs any more."""
        if not self._is_free:
            self._view = None
            _change_regions(None, self)
            self.starts, self.functions = [], []
            for hook in _goes:
                hook()
            self._unmap_mirror()
            self._is_free = True
            code_range().give_back(self.address, self.size)

    def _unmap_mirror(self) -> None:
        mirror, self.mirror = self.mirror, 0
        if mirror:
            system.unmap_pages(mirror, self.size)


def _write(fd: int, content: memoryview) -> None:
    while content:
        content = content[os.write(fd, content) :]


_goes: Final[list[Callable[[], None]]] = []


def when_code_goes(hook: Callable[[], None]) -> None:
    """Call this when functions' code is given back, before anything else comes to its addresses."""
    _goes.append(hook)


def _address(region: CodeRegion) -> int:
    return region.address


def _change_regions(added: CodeRegion | None, gone: CodeRegion | None) -> None:
    """Under the lock. Where a collection of garbage comes in the middle and changes them too, begin again."""
    global _regions
    while True:
        before = _regions
        regions = [region for region in before if region is not gone]
        if added is not None:
            regions.append(added)
        after = tuple(sorted(regions, key=_address))
        if _regions is before:
            _regions = after
            return


@final
class CodeMemory:
    """Regions of code with one owner. Code stays where it is until the owner drops this object."""

    __slots__ = ("__weakref__", "_regions")

    def __init__(self) -> None:
        self._regions: list[CodeRegion] = []
        settle()
        at_end_of(self, partial(_free, self._regions))

    def add(self, code: bytes | bytearray, function: FunctionCode | None = None) -> int:
        """Copy code in; returns the address at which it runs, a multiple of 64. `function` is found by addresses in it.

        MemoryError where there are no pages for it.
        """
        size = len(code) + _ALIGNMENT
        with _lock:
            if not self._regions or not self._regions[-1].has_room(size):
                least = LARGER_REGION_BYTES if self._regions else FIRST_REGION_BYTES
                self._regions.append(_new_region(max(least, size + PAGE_BYTES - 1 & -PAGE_BYTES)))
            region = self._regions[-1]
            address = region.add(code)
            if function is not None:
                assert isinstance(region.functions, list)
                region.functions.append(function)  # first: every start has its function
                region.starts.append(address)
        return address

    def add_all(self, code: memoryview, offsets: Sequence[int], functions: Sequence[FunctionCode]) -> list[int]:
        """Copy many functions in at once, into a region of their own; returns their addresses."""
        with _lock:
            region = _new_region(len(code) + PAGE_BYTES - 1 & -PAGE_BYTES, code)
            self._regions.insert(0, region)  # not the last one, which may be added to
        region.starts, region.functions = [region.address + offset for offset in offsets], functions
        return region.starts


def _new_region(size: int, content: memoryview | None = None) -> CodeRegion:
    try:
        return CodeRegion(size, content)
    except OSError as error:
        raise no_pages(error) from error


def _free(regions: list[CodeRegion]) -> None:
    with _lock:
        for region in regions:
            region.free()


def find_function(address: int) -> tuple[FunctionCode, int] | None:
    """The function whose code is at an address, and where it starts."""
    regions = _regions
    position = bisect_right(regions, address, key=_address) - 1
    if position < 0 or address >= regions[position].address + regions[position].size:
        return None
    region = regions[position]
    at = bisect_right(region.starts, address) - 1
    if at < 0 or address > region.starts[at] + region.functions[at].size:
        return None
    return region.functions[at], region.starts[at]


def size_of(address: int) -> int:
    """Bytes of the code that starts at an address."""
    found = find_function(address)
    return 0 if found is None else found[0].size
