"""The C calling conventions of x86-64 as data: where arguments and results go, who saves which register, how the stack lies.

`SYSTEM_V` holds on Linux, macOS and the BSDs, `WIN64` on Windows. Generated code meets them where it calls C (the Python
API, the operating system) or is called by it; calls between guest functions are the compiler's own affair.

Input: a sequence of classes (`GPR`, `XMM`). Output: a `Placement` for each argument. Aggregates are not handled: no function
that generated code talks to passes one by value.

System V ABI, AMD64 supplement, 3.2 "Function Calling Sequence"; Microsoft, "x64 calling convention".
"""

from __future__ import annotations

from purewasm.isa.x64.registers import GPR, R8, R9, R10, R11, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI, XMM
from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Iterable

# The class of an argument that is passed on the stack; its number is then the offset in bytes from rsp at the call
# instruction, so 8 more from rsp at entry.
STACK: Final = -1

# (class, number): a register of that class, or an offset on the stack.
Placement = tuple[int, int]


@final
class CallingConvention:
    """One convention. `rsp` is neither saved nor scratch in the lists; it must be back where it was on return."""

    __slots__ = (
        "callee_saved_gpr", "callee_saved_xmm", "caller_saved_gpr", "caller_saved_xmm", "gpr_arguments", "gpr_results", "name",
        "positional", "red_zone_bytes", "shadow_bytes", "stack_alignment_bytes", "xmm_arguments", "xmm_results",
    )  # fmt: skip

    def __init__(
        self, name: str, *, gpr_arguments: tuple[int, ...], xmm_arguments: tuple[int, ...], positional: bool,
        gpr_results: tuple[int, ...], xmm_results: tuple[int, ...],
        caller_saved_gpr: tuple[int, ...], callee_saved_gpr: tuple[int, ...],
        caller_saved_xmm: tuple[int, ...], callee_saved_xmm: tuple[int, ...],
        shadow_bytes: int, red_zone_bytes: int,
    ) -> None:  # fmt: skip
        self.name = name
        self.gpr_arguments, self.xmm_arguments = gpr_arguments, xmm_arguments
        # Whether the place of an argument counts arguments of both classes together.
        self.positional = positional
        self.gpr_results, self.xmm_results = gpr_results, xmm_results
        self.caller_saved_gpr, self.callee_saved_gpr = caller_saved_gpr, callee_saved_gpr
        self.caller_saved_xmm, self.callee_saved_xmm = caller_saved_xmm, callee_saved_xmm
        # Bytes above the return address that belong to the callee, and bytes below rsp that a signal handler leaves alone.
        self.shadow_bytes, self.red_zone_bytes = shadow_bytes, red_zone_bytes
        # Of rsp at a call instruction, before the return address is pushed.
        self.stack_alignment_bytes = 16

    def __repr__(self) -> str:
        return f"<calling convention {self.name}>"

    def place_arguments(self, classes: Iterable[int]) -> tuple[list[Placement], int]:
        """Where each argument goes, and the bytes that the caller reserves for the call: shadow and stack arguments, aligned."""
        files = (self.gpr_arguments, self.xmm_arguments)
        used = [0, 0]
        stack = self.shadow_bytes
        placements = []
        for argument_class in classes:
            file, taken = files[argument_class], used[argument_class]
            if taken < len(file):
                placements.append((argument_class, file[taken]))
                if self.positional:
                    used = [used[GPR] + 1, used[XMM] + 1]
                else:
                    used[argument_class] += 1
            else:
                placements.append((STACK, stack))
                stack += 8
        return placements, stack + -stack % self.stack_alignment_bytes


SYSTEM_V: Final = CallingConvention(
    "system-v",
    gpr_arguments=(RDI, RSI, RDX, RCX, R8, R9),
    xmm_arguments=tuple(range(8)),
    positional=False,
    gpr_results=(RAX, RDX),
    xmm_results=(0, 1),
    caller_saved_gpr=(RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11),
    callee_saved_gpr=(RBX, RBP, R12, R13, R14, R15),
    caller_saved_xmm=tuple(range(16)),
    callee_saved_xmm=(),
    shadow_bytes=0,
    red_zone_bytes=128,
)

# Of the callee-saved xmm registers all 128 bits count.
WIN64: Final = CallingConvention(
    "win64",
    gpr_arguments=(RCX, RDX, R8, R9),
    xmm_arguments=tuple(range(4)),
    positional=True,
    gpr_results=(RAX,),
    xmm_results=(0,),
    caller_saved_gpr=(RAX, RCX, RDX, R8, R9, R10, R11),
    callee_saved_gpr=(RBX, RBP, RSI, RDI, R12, R13, R14, R15),
    caller_saved_xmm=tuple(range(6)),
    callee_saved_xmm=tuple(range(6, 16)),
    shadow_bytes=32,
    red_zone_bytes=0,
)

# By the operating system in the names of targets.
CONVENTIONS: Final = {"linux": SYSTEM_V, "macos": SYSTEM_V, "windows": WIN64}

THREAD_SEGMENTS: Final = {"linux": 0x64, "macos": 0x65, "windows": 0x65}
"""Prefix of instructions that read the thread's own data, `fs` or `gs`."""
