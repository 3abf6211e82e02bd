"""The process that compiles functions before they are called, and how it guesses which: see `ahead`.

What has just been called calls what stands in it: those functions come first, those that are called from many places before others, and
behind them what they call in turn. Calls are searched for in the bytes of a body, not decoded: what looks like one and is none costs a
needless function, and nothing is faster.
"""

from __future__ import annotations

import gc
import marshal
import os
import re
import select
import signal
from collections import Counter
from contextlib import suppress
from heapq import heappop, heappush

from purewasm.binary.decoder import decode_module
from purewasm.engine.native.ahead import BEGUN, HEADER, REQUEST
from purewasm.engine.native.ahead_of_time import part_maker
from purewasm.engine.protocol import CompileOptions
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.wasm.features import Features
from purewasm.wasm.module import FUNC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purewasm.wasm.module import WasmModule

_CALL: Final = re.compile(rb"[\x10\x12]([\x80-\xff]{0,4}[\x00-\x7f])")
"""`call` or `return_call` and its index."""
_REQUESTS: Final = 0
_REPLIES: Final = 1
_IDLE_SECONDS: Final = 5.0
_PIPE_BYTES: Final = 1 << 20
_NICENESS: Final = 10
"""Where there is no processor to spare, the one who runs the guest shall have it."""


@final
class Plan:
    """Which function to compile next."""

    __slots__ = ("_callees", "_known", "_module", "_places", "_queue")

    def __init__(self, module: WasmModule) -> None:
        self._module: Final = module
        codes, self._callees = module.codes, dict[int, list[int]]()
        whole = _CALL.findall(module.source, codes[0].start, codes[-1].end) if codes else []
        self._places: Final = {_number(found): count for found, count in Counter(whole).items()}
        """How often each function seems to be called from."""
        self._known: Final[set[int]] = set()
        """Functions that have a place in the code of somebody."""
        self._queue: Final[list[tuple[int, int, int]]] = []
        starts = [export.index for export in module.exports if export.kind == FUNC]
        self._expect(starts if module.start is None else [module.start, *starts], 1)

    def needed(self, index: int) -> None:
        """Somebody has a function now, and is about to call it."""
        self._known.add(index)
        self._expect(self.callees(index), 0)

    def next(self) -> int | None:
        """A function that nobody has made yet; None if there is no more to expect."""
        while self._queue:
            level, _, index = heappop(self._queue)
            if index not in self._known:
                self._known.add(index)
                self._expect(self.callees(index), level + 1)
                return index
        return None

    def _expect(self, indices: Iterable[int], level: int) -> None:
        for index in indices:
            if index not in self._known and index >= self._module.imported_functions:
                heappush(self._queue, (level, -self._places.get(index, 0), index))

    def callees(self, index: int) -> list[int]:
        """Functions that seem to be called in one."""
        module = self._module
        position = index - module.imported_functions
        if not 0 <= position < len(module.codes):
            return []
        found = self._callees.get(index)
        if found is None:
            body = module.codes[position]
            numbers = map(_number, dict.fromkeys(_CALL.findall(module.source, body.start, body.end)))
            found = self._callees[index] = [number for number in numbers if number < len(module.func_types)]
        return found


def _number(encoded: bytes) -> int:
    number = 0
    for place, byte in enumerate(encoded):
        number |= (byte & 0x7F) << 7 * place
    return number


def serve(source: bytes, options: tuple[int, bool, bool, bool], cpu: int, number: int, count: int) -> None:
    """The life of a worker, the one of this number out of so many: each has its share of the functions."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    os.nice(_NICENESS)
    gc.disable()  # what is made for one function goes with it
    os.set_blocking(_REQUESTS, False)
    _enlarge(_REPLIES)
    features, fuel, interruptible, debug_info = options
    module = decode_module(source, Features.from_bits(features), known=True)
    make = part_maker(module, CompileOptions(Features.from_bits(features), fuel, interruptible, debug_info), cpu, 0)
    plan = Plan(module)
    poll = select.poll()
    poll.register(_REQUESTS, select.POLLIN)
    while _hear(plan):
        index = plan.next()
        if index is None:
            if not poll.poll(_IDLE_SECONDS * 1e3):
                return
        elif index % count == number:
            _send(HEADER.pack(index, BEGUN))
            made = marshal.dumps(make(index))
            _send(HEADER.pack(index, len(made)) + made)


def _enlarge(pipe: int) -> None:
    """Room for what is made while nobody asks for it."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _hear(plan: Plan) -> bool:
    """Take all requests; False if there will be no more."""
    while True:
        try:
            requests = os.read(_REQUESTS, 1 << 12)
        except BlockingIOError:
            return True
        if not requests:
            return False
        for (index,) in REQUEST.iter_unpack(requests):  # they are written whole
            plan.needed(index)


def _send(content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(_REPLIES, rest) :]
