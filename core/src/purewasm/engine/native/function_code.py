"""Code that is loaded, as far as backtraces need it: which function it is, and its tables."""

from __future__ import annotations

from purewasm import traps
from purewasm.engine.native.compilers import BASELINE, LOOP
from purewasm.errors import InternalError
from purewasm.light_library import Sequence, attrgetter, bisect_right, ref
from purewasm.light_typing import TYPE_CHECKING, final, overload

if TYPE_CHECKING:
    from purewasm.backend.machine_code import MachineCode
    from purewasm.engine.native.module_code import ModuleCode
    from purewasm.engine.native.variant import Variant
    from purewasm.engine.protocol import SavedGroup
    from purewasm.wasm.module import WasmModule

_body_start = attrgetter("start")


@final
class FunctionCode:
    """Code of a function, or of a loop in it."""

    __slots__ = ("_code", "_kind", "_machine", "_number", "_variant", "index", "size")

    def __init__(
        self, code: ModuleCode, variant: Variant, kind: int, number: int, size: int, machine: MachineCode | None = None
    ) -> None:
        """`number`: of the function, or the place of the loop."""
        self._code, self._variant, self._machine = ref(code), ref(variant), machine
        self._kind, self._number, self.size = kind, number, size
        self.index = number if kind != LOOP else function_around(code.module, number)

    @property
    def machine(self) -> MachineCode:
        """Its tables. Those of saved code are read when they are first asked for."""
        if self._machine is None:
            code, variant = self._code(), self._variant()
            if code is None or variant is None:
                raise InternalError(f"code of function {self.index} runs, but its module is gone")
            self._machine = code.machine_code(variant, self._kind, self._number)
        return self._machine

    @property
    def label(self) -> str:
        """What tells it from the best code of the function, for people."""
        return f" [loop 0x{self._number:x}]" if self._kind == LOOP else " [baseline]" if self._kind == BASELINE else ""

    def frame(self, offset: int) -> traps.Frame:
        """The frame that stands at `offset` in the module's bytes."""
        code = self._code()
        if code is None:
            return traps.Frame(None, self.index, None, offset)
        return traps.Frame(code.name(), self.index, code.function_name(self.index), offset)


def function_around(module: WasmModule, place: int) -> int:
    """Index of the function in whose body something is."""
    return module.imported_functions + bisect_right(module.codes, place, key=_body_start) - 1


@final
class SavedFunctions(Sequence[FunctionCode]):
    """What a group of saved code holds; made when it is looked at."""

    __slots__ = ("_code", "_group", "_kind", "_made", "_variant")

    def __init__(self, code: ModuleCode, variant: Variant, kind: int, group: SavedGroup) -> None:
        self._code, self._variant, self._group = ref(code), ref(variant), group._replace(content=memoryview(b""))
        self._kind = kind
        self._made: dict[int, FunctionCode] = {}

    def __len__(self) -> int:
        return len(self._group.numbers)

    @overload
    def __getitem__(self, position: int) -> FunctionCode: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[FunctionCode]: ...
    def __getitem__(self, position: int | slice) -> FunctionCode | Sequence[FunctionCode]:
        if isinstance(position, slice):
            return [self[one] for one in range(len(self))[position]]
        known = self._made.get(position)
        if known is None:
            code, variant = self._code(), self._variant()
            if code is None or variant is None:
                raise InternalError("saved code runs, but its module is gone")
            made = FunctionCode(code, variant, self._kind, self._group.numbers[position], self._group.sizes[position])
            known = self._made.setdefault(position, made)
        return known
