"""The instructions that stand for another one, and what has to be known of them: where they can fault, and which constants they read.

A sequence changes its target and nothing else that anybody may count on: flags, where the instruction writes them, and below the stack
pointer the bytes that the C convention leaves to functions. Its scratch vector register is one that the allocator does not give out
where AVX is missing (`machine.SCRATCH`).
"""

from __future__ import annotations

from purewasm.errors import InternalError
from purewasm.isa.x64.address import RIP, Mem
from purewasm.isa.x64.memory import MOV_R64_RM64, MOV_RM64_R64
from purewasm.isa.x64.registers import RSP
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.isa.x64.disassemble import Argument
    from purewasm.isa.x64.formats import Instruction

RED_ZONE_INT: Final = Mem(RSP, -8)
RED_ZONE_VECTORS: Final = (Mem(RSP, -24), Mem(RSP, -40))
"""Below the stack pointer signal handlers leave 128 bytes alone, so registers can be kept there for some instructions."""


class Replacement(NamedTuple):
    """What stands for an instruction. Offsets count from its start."""

    code: bytes
    fault: int
    """Offset of the instruction that makes the access of the old one."""
    distance: int
    """Offset of the distance to the old one's operand in the constant pool, if it has one."""
    behind: int
    """Bytes of that instruction behind the distance."""
    constants: tuple[tuple[int, int, bytes], ...]
    """(offset of a distance, bytes behind it, constant) of further operands in the pool."""


@final
class Sequence:
    """A replacement under construction."""

    __slots__ = ("_behind", "_code", "_constants", "_distance", "_fault")

    def __init__(self) -> None:
        self._code = bytearray()
        self._fault = 0
        self._distance = self._behind = 0
        self._constants: list[tuple[int, int, bytes]] = []

    def put(self, row: Instruction, *arguments: Argument) -> None:
        """An instruction whose operands are registers, or memory below the stack pointer."""
        self._code += _encode(row, arguments)

    def access(self, row: Instruction, *arguments: Argument) -> None:
        """The one that accesses the memory operand of the instruction that is replaced."""
        self._fault = len(self._code)
        self._code += _encode(row, arguments)
        if any(isinstance(argument, Mem) and argument.base == RIP for argument in arguments):
            self._behind = row.encoding.immediate_bytes
            self._distance = len(self._code) - self._behind - 4

    def operate(self, row: Instruction, *arguments: Argument) -> None:
        """Either of these, as the operands have it."""
        (self.access if any(isinstance(argument, Mem) for argument in arguments) else self.put)(row, *arguments)

    def constant(self, row: Instruction, register: int, constant: bytes) -> None:
        """An instruction with another constant of the pool as its operand."""
        self._code += _encode(row, (register, Mem(RIP)))
        self._constants.append((len(self._code) - 4, 0, constant))

    def skip(self, jump: Callable[[int], bytes], over: bytes) -> None:
        """A jump over some instructions, and these."""
        self._code += jump(len(over)) + over

    def keep(self, register: int) -> None:
        """Put a general purpose register aside."""
        self.put(MOV_RM64_R64, RED_ZONE_INT, register)

    def bring_back(self, register: int) -> None:
        self.put(MOV_R64_RM64, register, RED_ZONE_INT)

    def finish(self) -> Replacement:
        return Replacement(bytes(self._code), self._fault, self._distance, self._behind, tuple(self._constants))


def register_of(argument: Argument) -> int:
    """The register that an operand is."""
    if isinstance(argument, Mem):
        raise InternalError(f"x64: {argument!r} where a register should be")
    return argument


def _encode(row: Instruction, arguments: tuple[Argument, ...]) -> bytes:
    # Formats have calls of their own, by the letters of their names.
    encode: Callable[..., bytes] = row  # type: ignore[assignment]
    return encode(*arguments)
