"""What the compiler is told, and what it gives back."""

from __future__ import annotations

from purewasm.light_typing import Final, NamedTuple, final

HIDDEN_PLACE: Final = -1
"""The place of a call whose caller is not to be seen in backtraces: the callee's frame stands for it."""


class TargetOptions(NamedTuple):
    """Everything but the module that code depends on."""

    cpu: int
    """Features of the processor (`isa.x64.cpu`)."""
    explicit_checks: bool = False
    """Compare addresses with the memory's size instead of relying on guard pages."""
    fuel: bool = False
    interruptible: bool = True
    thread_segment: int = 0x64
    """Prefix of instructions that read the thread's own data."""


@final
class MachineCode:
    """The code of one function, or of one of its loops: position independent, to be loaded at a multiple of 32 bytes. Offsets count from
    its start."""

    __slots__ = (
        "argument_bytes", "body_offset", "call_sites", "code", "context_offset", "frame_bytes", "has_loops", "index", "instructions",
        "is_baseline", "landings", "loop", "makes_calls", "pool_offset", "traps",
    )  # fmt: skip

    def __init__(self, index: int, code: bytes) -> None:
        self.index, self.code = index, code
        self.loop = -1
        """Where the `loop` instruction stands in the module, of a loop's code (`frontend.loop`)."""
        self.is_baseline = False
        self.traps: list[tuple[int, int, int]] = []
        """(offset of the instruction that faults, number in `layout.TRAP_CODES`, offset in the module's bytes), ascending."""
        self.call_sites: list[tuple[int, int, int]] = []
        """(return address, offset in the module's bytes, bytes of stack arguments), ascending."""
        self.landings: list[tuple[int, int, tuple[int, ...]]] = []
        """(return address, its landing pad, offsets in the context of the tags that it takes, -1 for all) of calls that have one,
        ascending."""
        self.context_offset = 0
        """From the stack pointer in the body to where the context is, if there are landing pads."""
        self.frame_bytes = 0
        """From the stack pointer in the body to the return address."""
        self.body_offset = 0
        """In front of this the frame is not made yet: the return address is at the stack pointer."""
        self.argument_bytes = 0
        """Stack arguments, which the function removes itself."""
        self.pool_offset = len(code)
        """Where instructions end and constants begin."""
        self.makes_calls = False
        self.has_loops = False
        self.instructions: list[tuple[int, int]] = []
        """(offset, value id) where the code of each IR instruction begins; only when asked for."""
