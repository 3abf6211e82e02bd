"""What an engine is to the layers above it.

The life of an instance, in the order of the spec's instantiation: the runtime makes an `Instance` whose lists hold the imports
only (`functions` is as long as the index space, None for what the module defines); `link` gives it code; the runtime adds the
module's own tags, memories, tables, globals and segments, made by the factories here; `ready` tells the engine that they are
complete; active segments and the start function follow.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from purewasm.wasm.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.store.function import Function
    from purewasm.store.global_ import Global
    from purewasm.store.host import HostFunction
    from purewasm.store.instance import Instance
    from purewasm.store.memory import Memory
    from purewasm.store.table import Table
    from purewasm.wasm.deftypes import DefType
    from purewasm.wasm.module import GlobalType, MemoryType, TableType, WasmModule

    Progress = Callable[[int, int], None]
    """Is told how much of long work is done, and how much there is: bytes of function bodies."""


Content = bytes | memoryview


class CompileOptions(NamedTuple):
    """Options that change the code that is made: all of them are part of a cache key."""

    features: Features = Features.WASM3
    fuel: bool = False
    interruptible: bool = True
    debug_info: bool = True


GROUP_BITS: Final = 28
"""Numbers of parts that agree in all but their lowest bits belong to one group."""
GROUP_MASK: Final = (1 << GROUP_BITS) - 1
CODE_GROUP: Final = 1
"""The group that most instances of a module ask for as soon as there is one."""


class SavedGroup(NamedTuple):
    """Parts of a group: part `numbers[i]` (without the bits of the group, rising) is `content[offsets[i] :][: sizes[i]]`.

    Offsets are multiples of 64; between the parts are zeros.
    """

    numbers: list[int]
    sizes: list[int]
    offsets: list[int]
    content: memoryview


if TYPE_CHECKING:

    class SavedCode(Protocol):
        """Compiled code of one module that outlives the process, in parts numbered by the engine (functions by their index)."""

        def get(self, number: int, /) -> Content | None:
            """A part as it was added, perhaps by another process with the same key (`Engine.identity` is in it); None if there is none."""

        def group(self, group: int, /) -> SavedGroup | None:
            """What was saved of a group, all at once; None where nothing was. `get` may find more."""

        def add(self, number: int, content: bytes, /) -> None:
            """Keep a part. Never fails."""

    class Preparation(Protocol):
        """What an engine has begun for a module that is not validated yet."""

        def checked_from(self) -> int:
            """The first function from which on all bodies have been found valid meanwhile: so far, or one behind the last."""

        def note_valid(self) -> None:
            """The module has been validated."""

        def stop(self) -> None:
            """Give it up. Idempotent."""

    class Engine(Protocol):
        """Runs guest code. One engine object belongs to one runtime; what `compile` returns may be shared by several."""

        @property
        def name(self) -> str:
            """`interpreter` or `compiler`."""

        @property
        def optimize_after(self) -> int | None:
            """When a function's code is made again, for speed (`RuntimeConfig`). What `compile` returns is for engines that agree in this,
            saved code for all of them."""

        @property
        def identity(self) -> str:
            """All that saved code depends on beside module, options and version: format, target, processor features, the compiler."""

        @property
        def identity_here(self) -> str:
            """The same for code that stays on this machine; found out faster."""

        def prepare(self, module: WasmModule, check: Callable[[int], None], options: CompileOptions) -> Preparation | None:
            """A module is likely to be compiled. All but its bodies is validated; `check` does it for one function's, or raises."""

        def compile(
            self, module: WasmModule, options: CompileOptions, saved: SavedCode | None = None, prepared: Preparation | None = None
        ) -> object:
            """Code of a validated module: cheap, functions are made ready when they are first called. Shared between threads.

            Functions that `saved` has are not compiled, and those that are compiled are added to it. `prepared` is what some engine has
            begun.
            """

        def runner(self, code: object) -> tuple[str, str | None]:
            """The name of the engine that runs what `compile` returned; and if that is another one, why."""

        def compile_all(self, code: object, workers: int = 1, progress: Progress | None = None) -> None:
            """Make every function of `code` ready now, in so many processes."""

        def why_refused(self, target: str, compiler: str) -> str | None:
            """Why machine code for a target, made by a compiler of this name, cannot run here; None if it can."""

        def new_memory(self, type: MemoryType, limit_pages: int | None) -> Memory:
            """A zeroed memory of the type's minimum size. MemoryError where there is no room."""

        def new_table(self, type: TableType, init: object, instance: Instance | None) -> Table:
            """A table of the type's minimum size, every element `init` (a raw reference), of an instance or of the host."""

        def new_global(self, type: GlobalType, raw: object, instance: Instance | None) -> Global:
            """A global with this raw value, of an instance or of the host."""

        def new_struct(self, instance: Instance, deftype: DefType, values: list[object]) -> object:
            """A raw reference to a new structure with these raw values, which a constant expression of the instance makes."""

        def new_array(self, instance: Instance, deftype: DefType, values: list[object], times: int = 1) -> object:
            """The same for an array, of these values again and again."""

        def accepts(self, extern: object) -> bool:
            """True where instances of this engine can import this function, memory, table, global or tag as it is."""

        def bind_host(self, host: HostFunction, instance: Instance | None) -> Function:
            """A host function as `instance` imports it."""

        def link(self, code: object, instance: Instance) -> None:
            """Give `instance` (imports in place, nothing else yet) its functions: from now on `function` works.

            The engine may make the first of its globals and of its tables as well, and initialise tables (`Instance.elements_in_place`).
            """

        def function(self, instance: Instance, index: int) -> Function:
            """The function at `index`; kept in `instance.functions`."""

        def references(self, instance: Instance, indices: Sequence[int]) -> Sequence[object]:
            """References to functions of `instance` by their indices, for an element segment; made when they are looked at, perhaps."""

        def ready(self, instance: Instance) -> None:
            """Memories, tables, globals, tags and segments of `instance` are complete: its code may run."""

        def start(self, instance: Instance, index: int) -> None:
            """Call a function that takes nothing, from outside the guest; errors come out as the public ones. For start functions."""

        def close_instance(self, instance: Instance) -> None:
            """Interrupt what runs, refuse later calls, give back what the instance holds."""

        def close(self) -> None:
            """Give back everything. No instance is running any more."""

