"""One of the variants of a module's code: a table of slots, and what is behind them.

The table has two words for each function of the index space. The first half holds addresses of code: that of a stub as long as a
function has none. The second half is counted down by baseline code, at each call and each turn of a loop; below 0 the function is hot.
"""

from __future__ import annotations

from purewasm.engine.native import libc
from purewasm.engine.native.code_memory import CodeMemory
from purewasm.engine.native.compilers import BASELINE, KINDS, LOOP, OPTIMIZED
from purewasm.engine.native.lazy import STUB_BYTES, make_stubs
from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.backend.machine_code import TargetOptions
    from purewasm.engine.native.compilers import CompilerOf
    from purewasm.engine.native.function_code import FunctionCode
    from purewasm.engine.protocol import SavedGroup
    from purewasm.wasm.module import WasmModule

_TURNS_BYTES: Final = 256
_FOREVER: Final = 1 << 62
_MOST_DOUBLINGS: Final = 6


@final
class Variant:
    """A table of slots and the code behind it."""

    __slots__ = (
        "__weakref__", "_by_size", "_memory", "_module", "_turns", "busy", "code", "compilers", "hot", "loop_bytes", "options",
        "requests", "slots", "starts", "thunks", "turns",
    )  # fmt: skip

    def __init__(self, module: WasmModule, options: TargetOptions, compiler_of: CompilerOf, turns: int, *, by_size: bool) -> None:
        """`turns`: of each function's baseline code before it asks for better code; `by_size`: of one of `_TURNS_BYTES`, of others as many
        more as it takes longer to compile them."""
        self.options, self.compilers = options, compiler_of(module, options)
        self._module, self._turns, self._by_size = module, turns, by_size
        self._memory: Final = CodeMemory()
        first, count = module.imported_functions, len(module.func_types)
        self.slots: Final = libc.Block(16 * count)
        self.turns: Final = self.slots.words[count : 2 * count]
        """The second half of the table."""
        self.thunks = self._memory.add(make_stubs(first, count))
        self.slots.words[first:count] = libc.words_of(range(self.thunks, self.thunks + STUB_BYTES * (count - first), STUB_BYTES))
        self.code: Final[tuple[dict[int, int], ...]] = tuple({} for _ in KINDS)
        """Addresses of code of each kind, by the index of the function or the place of the loop."""
        self.busy: Final[set[tuple[int, int, int]]] = set()
        """What some thread is making: the process, the kind, the number."""
        self.hot: Final[set[int]] = set()
        """Functions with baseline code that ask for better code again and again (`tiers`) …"""
        self.requests: Final[dict[tuple[int, int], int]] = {}
        """… and how often they have done so, by the kind of code and its number."""
        self.starts: memoryview | None = None
        """What `ModuleCode.starts` found."""
        self.loop_bytes: Final[dict[int, int]] = {}
        """Bytes of the code that loops of each function have been compiled to."""

    @property
    def optimized(self) -> dict[int, int]:
        """Addresses of optimized functions."""
        return self.code[OPTIMIZED]

    def known(self, index: int) -> int:
        """Address of the best code that there is of a function, 0 where there is none."""
        return self.code[OPTIMIZED].get(index) or self.code[BASELINE].get(index, 0)

    def add(self, kind: int, number: int, function: FunctionCode, code: bytes) -> int:
        """Load new code; a function is called there from now on, unless it has better code."""
        address = self.code[kind][number] = self._memory.add(code, function)
        if kind == OPTIMIZED:
            self.slots.words[number] = address
        elif kind == BASELINE:
            self.restart(number)
            if number not in self.optimized:
                self.slots.words[number] = address
        return address

    def add_saved(self, kind: int, group: SavedGroup, functions: Sequence[FunctionCode]) -> None:
        """The same for all of a group of saved code. Optimized code comes first."""
        numbers = group.numbers
        addresses = self._memory.add_all(group.content, group.offsets, functions)
        self.code[kind].update(zip(numbers, addresses, strict=True))
        if kind == BASELINE:
            set_words(self.turns, numbers, [self._turns_of(index) for index in numbers])
            optimized = self.optimized
            addresses = [optimized.get(index, address) for index, address in zip(numbers, addresses, strict=True)]
        if kind != LOOP:
            set_words(self.slots.words, numbers, addresses)

    def restart(self, index: int, asked: int = 0) -> None:
        """Let a function's baseline code count from the beginning; from more turns if it has asked for better code so often."""
        self.hot.discard(index)
        self.turns[index] = min(self._turns_of(index) << min(2 * asked, _MOST_DOUBLINGS), _FOREVER)

    def _turns_of(self, index: int) -> int:
        if not self._by_size:
            return self._turns
        return max(1, self._module.body_bytes(index) * self._turns // _TURNS_BYTES)


def set_words(words: memoryview, positions: Sequence[int], values: Sequence[int]) -> None:
    """`words[positions[i]] = values[i]`; positions rise."""
    if positions and positions[-1] - positions[0] == len(positions) - 1:
        words[positions[0] : positions[-1] + 1] = libc.words_of(values)
        return
    for position, value in zip(positions, values, strict=True):
        words[position] = value
