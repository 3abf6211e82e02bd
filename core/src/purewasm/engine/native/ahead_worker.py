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
from collections import Counter
from contextlib import suppress
from heapq import heappop, heappush
from time import process_time

from purewasm.binary.decoder import decode_module
from purewasm.engine.native.ahead import BEGUN, CALLED, CHECKED, HEADER, IS_VALID, REQUEST
from purewasm.engine.native.ahead_of_time import part_maker
from purewasm.engine.native.ahead_process import REPLIES, REQUESTS, close_files
from purewasm.engine.protocol import CompileOptions
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.wasm.features import Features
from purewasm.wasm.module import FUNC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from purewasm.wasm.module import WasmModule

_CALL: Final = re.compile(rb"[\x10\x12]([\x80-\xff]{0,4}[\x00-\x7f])")
"""`call` or `return_call` and its index."""
_SHARED_BYTES: Final = 1 << 22
"""Of bodies: the other process is helped with the validation of so many. Of fewer, what is compiled meanwhile is worth more."""
_CHECKED_BYTES: Final = 1 << 15
"""Of bodies, from one message about them to the next."""
_IDLE_SECONDS: Final = 5.0
_UNASKED_SECONDS: Final = 2.0
"""So long a worker works for a module of which no function is called."""
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

    def called(self, index: int) -> None:
        """Somebody has only baseline code of a function."""
        self._expect((index,), 0)
        self._expect(self.callees(index), 1)

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


def serve_spawned(source: bytes, options: tuple[int, bool, bool, bool], cpu: int, number: int, count: int) -> None:
    """The life of a worker that has begun with nothing."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    gc.disable()  # what is made for one function goes with it
    with suppress(OSError):  # there is no list of them
        close_files()
    bits, fuel, interruptible, debug_info = options
    features = Features.from_bits(bits)
    module = decode_module(source, features, known=True)
    serve(module, CompileOptions(features, fuel, interruptible, debug_info), cpu, number, count, None)


def serve(
    module: WasmModule, options: CompileOptions, cpu: int, number: int, count: int, check: Callable[[int], None] | None
) -> None:
    """The life of a worker, the one of this number out of so many: each has its share of the functions.

    `check` validates a body. Without it nothing is compiled before the module is known to be valid.
    """
    os.nice(_NICENESS)
    os.set_blocking(REQUESTS, False)
    _enlarge(REPLIES)
    make = part_maker(module, options, cpu, 0)
    plan, requests = Plan(module), _Requests()
    poll = select.poll()
    poll.register(REQUESTS, select.POLLIN)
    if check is not None and number == 0 and module.code_bytes >= _SHARED_BYTES:
        _check_from_the_end(module, check, lambda: requests.hear(plan) and not requests.is_valid)
    start = process_time()
    while requests.hear(plan):
        if check is None and not requests.is_valid:
            poll.poll()
            continue
        may_work = requests.is_asked or process_time() - start < _UNASKED_SECONDS
        index = plan.next() if may_work else None
        if index is None:
            if not poll.poll(_IDLE_SECONDS * 1e3):
                return
        elif index % count == number:
            if check is not None and not requests.is_valid:
                check(index)
            _send(HEADER.pack(index, BEGUN))
            made = marshal.dumps(make(index))
            _send(HEADER.pack(index, len(made)) + made)


def _check_from_the_end(module: WasmModule, check: Callable[[int], None], is_wanted: Callable[[], bool]) -> None:
    """Check bodies while the other process does that from the first one on."""
    done = 0
    for position in range(len(module.codes) - 1, -1, -1):
        body, index = module.codes[position], module.imported_functions + position
        check(index)
        done += body.end - body.start
        if done >= _CHECKED_BYTES:
            done = 0
            _send(HEADER.pack(index, CHECKED))
            if not is_wanted():
                return


def _enlarge(pipe: int) -> None:
    """Room for what is made while nobody asks for it."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


@final
class _Requests:
    """What the other process has said so far."""

    __slots__ = ("is_asked", "is_valid")

    def __init__(self) -> None:
        self.is_asked = self.is_valid = False

    def hear(self, plan: Plan) -> bool:
        """Take all there are; False if there will be no more."""
        while True:
            try:
                requests = os.read(REQUESTS, 1 << 12)
            except BlockingIOError:
                return True
            if not requests:
                return False
            for (index,) in REQUEST.iter_unpack(requests):  # they are written whole
                if index == IS_VALID:
                    self.is_valid = True
                elif index & CALLED:
                    self.is_asked = True
                    plan.called(index & ~CALLED)
                else:
                    self.is_asked = True
                    plan.needed(index)


def _send(content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(REPLIES, rest) :]
