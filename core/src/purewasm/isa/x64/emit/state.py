"""Code under construction: bytes so far, what is still to be patched, and access to operands wherever the allocator put them."""

from __future__ import annotations

import struct

from purewasm.backend.target import SLOT, STACK_ARGUMENT, SUNK
from purewasm.isa.x64 import control, integer, memory, xmm_moves
from purewasm.isa.x64.address import Mem
from purewasm.isa.x64.cpu import JCC_ERRATUM
from purewasm.isa.x64.padding import BRANCH_BOUNDARY_BYTES, nops
from purewasm.isa.x64.registers import RAX, RSP
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_library import cache
from purewasm.light_typing import TYPE_CHECKING, Any, Final, final
from purewasm.store.layout import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.backend.linear_scan import Allocation
    from purewasm.backend.machine_code import TargetOptions
    from purewasm.backend.splitting import Splits
    from purewasm.ir.function import Function
    from purewasm.isa.x64.address import Tails
    from purewasm.passes.intervals import Intervals
    from purewasm.store.layout import ContextLayout
    from purewasm.wasm.module import WasmModule

pack32: Final = struct.Struct("<i").pack
BYTE: Final = [bytes((value & 0xFF,)) for value in range(256)]
"""One byte, by its value; negative ones down to -128 count from the end."""
INCOMING: Final = 1 << 25
"""A place from here on is a stack argument of this function."""
XMM14: Final = 14
XMM15: Final = 15

MOV: Final = memory.MOV_R64_RM64.regs
MOV32: Final = memory.MOV_R32_RM32.regs
MOV_IMM32: Final = memory.MOV_R32_IMM32.regs
MOV_SIGNED32: Final = memory.MOV_RM64_IMM32.regs
MOVABS: Final = memory.MOVABS.regs
LOAD64: Final = memory.MOV_R64_RM64.based
STORE64: Final = memory.MOV_RM64_R64.based
LEA32: Final = memory.LEA_R32_M.based
LEA32_SCALED: Final = [memory.LEA_R32_M.paired(1 << shift) for shift in range(4)]
SHL32: Final = integer.SHL_RM32_IMM8.regs
ADD32_MEMORY: Final = integer.ADD_R32_RM32.based
STORE_IMM32: Final = memory.MOV_RM64_IMM32.based
MOVAPS: Final = xmm_moves.VMOVAPS_XMM_XM128.regs
LOAD_F64: Final = xmm_moves.VMOVSD_XMM_M64.based
STORE_F64: Final = xmm_moves.VMOVSD_M64_XMM.based
LOAD_V128: Final = xmm_moves.VMOVUPS_XMM_XM128.based
STORE_V128: Final = xmm_moves.VMOVUPS_XM128_XMM.based
MOVQ_XMM: Final = xmm_moves.VMOVQ_XMM_RM64.regs
MOVQ_GPR: Final = xmm_moves.VMOVQ_RM64_XMM.regs
POOL_F32: Final = xmm_moves.VMOVSS_XMM_M32.rip
POOL_F64: Final = xmm_moves.VMOVSD_XMM_M64.rip
POOL_V128: Final = xmm_moves.VMOVUPS_XMM_XM128.rip
XORPS: Final = xmm_moves.VXORPS.regs
JCC: Final = [row.code for row in control.JCC_REL32]
JCC8: Final = [row.code for row in control.JCC_REL8]
JMP: Final = control.JMP_REL32.code
JMP8: Final = control.JMP_REL8.code
FAULT: Final = control.HLT.code
"""What always faults, for a trap. Not `ud2`: under a hypervisor that looks at illegal instructions itself it takes 5 µs longer."""


@cache
def load_control(register: int, segment: int) -> bytes:
    """Instructions that load the address of this thread's control block: the context says where the thread keeps it."""
    return at(LOAD64[register][CONTEXT], CONTROL) + bytes((segment,)) + memory.MOV_R64_RM64(register, Mem(register))


def at(tails: Tails, displacement: int) -> bytes:
    """An address with its displacement, from a template's triple."""
    if not displacement:
        return tails[0]
    if -128 <= displacement < 128:
        return tails[1] + BYTE[displacement]
    return tails[2] + pack32(displacement)


@final
class Head:
    """What a loop begins with: instructions up to a branch out of it, and the label behind that branch."""

    __slots__ = ("body", "branch", "label", "start")

    def __init__(self, label: int, start: int, branch: int, body: int) -> None:
        self.label, self.start, self.branch, self.body = label, start, branch, body


@final
class Emitter:
    """One function's code. Scratch registers never hold a value from one IR instruction to the next."""

    __slots__ = (
        "argument_bytes", "call_sites", "code", "cold", "constants", "covered", "depth", "emitters", "end", "epilogue", "fixups",
        "flags_start", "flags_value", "frame", "function", "heads", "insts", "intervals_of", "kept_at", "kept_value", "labels",
        "landings", "layout", "live", "load_control", "loop_ends", "loops", "marks", "memories", "module", "options", "pads", "place",
        "pool_fixups", "results_at", "saved", "saved_context", "slots_at", "splits", "stubs", "table_fixups", "teardown", "traps",
    )  # fmt: skip

    def __init__(self, function: Function, layout: ContextLayout, options: TargetOptions, module: WasmModule) -> None:
        """What every function has. `live`, `end`, `place`, `loops` and `splits` are given by `allocated`, or by whoever does without."""
        self.function, self.layout, self.options = function, layout, options
        self.module, self.memories = module, module.memory_types
        self.insts, self.constants, self.marks = function.insts, function.constants, function.places
        self.live: bytearray
        self.end: list[int]
        self.place: list[int]
        """Place of each value."""
        self.loops: dict[int, tuple[int, set[int]]]
        self.splits: Splits
        self.loop_ends: list[int] = []
        """Of the loops around the present instruction."""
        self.heads: list[Head | None] = []
        """Of the same loops: those that begin with the question whether to leave."""
        self.code = bytearray()
        self.labels = [-1] * function.labels
        """Offset of each label, -1 while it is ahead."""
        self.fixups: list[tuple[int, int]] = []
        """(offset behind a 32-bit distance, label)."""
        self.table_fixups: list[tuple[int, int, int]] = []
        """(offset of a jump table's entry, label, offset of the table)."""
        self.pool_fixups: list[tuple[int, int, bytes]] = []
        """(offset of a 32-bit distance, bytes behind it in the instruction, constant)."""
        self.stubs: dict[tuple[int, int], list[int]] = {}
        """By (trap, place in the module): offsets behind the 32-bit distances of jumps to it."""
        self.cold: list[Callable[[], None]] = []
        """Code to be made behind the function's end."""
        self.traps: list[tuple[int, int, int]] = []
        self.call_sites: list[tuple[int, int, int]] = []
        self.covered: dict[int, list[int]] = {}
        """By call that has a landing pad: its return addresses."""
        self.landings: list[tuple[int, int, tuple[int, ...]]] = []
        """(call, offset of its landing pad, offsets in the context of the tags that it takes, -1 for all)."""
        self.flags_value = self.flags_start = -1
        """The value of the last addition, subtraction or bitwise operation in a register, and where that instruction begins."""
        self.kept_value = self.kept_at = -1
        """The value that went from rax or xmm15 to its slot last, and the offset of the code behind: there the register has it still."""
        self.load_control = load_control(RAX, options.thread_segment)
        """The address of the control block into rax."""
        self.pads = bool(options.cpu & JCC_ERRATUM)
        self.emitters: list[Callable[[Emitter, int, int, int, Any], None]] = []
        """By operation."""
        self.depth = 0
        """Loops around the present instruction."""
        self.intervals_of: dict[int, list[int]] = {}
        """By register: the values that have it, ascending; filled when first asked for."""
        # The frame (`frame.py`): from the stack pointer up stack arguments of calls, their results, slots, the context, saved registers.
        self.frame = self.results_at = self.slots_at = self.saved_context = self.argument_bytes = 0
        self.saved: tuple[int, ...] = ()
        self.teardown = b""
        """Everything of the epilogue but the return."""
        self.epilogue = b""

    def allocated(self, live: bytearray, found: Intervals, allocation: Allocation, splits: Splits) -> None:
        """What the passes and the allocator have found out."""
        self.live, self.end, self.loops = live, found.end, found.loops
        self.splits, self.place = splits, allocation.places
        for value in found.sunk:
            self.place[value] = SUNK

    # -- addresses ---------------------------------------------------------------------------------------------------

    def stack_offset(self, place: int) -> int:
        """Distance from the stack pointer of a slot, an outgoing or an incoming argument."""
        if place < STACK_ARGUMENT:
            return self.slots_at + 8 * (place - SLOT)
        return self.frame + 8 + place - INCOMING if place >= INCOMING else place - STACK_ARGUMENT

    def slot(self, tails: Tails, place: int) -> bytes:
        """An instruction on a place in the stack frame, from its template over rsp."""
        return at(tails, self.stack_offset(place))

    def pool(self, head: bytes, constant: bytes, behind: int = 0) -> None:
        """An instruction with an operand in the constant pool; `behind` bytes of it follow the displacement."""
        code = self.code
        code += head
        self.pool_fixups.append((len(code), behind, constant))
        code += b"\0\0\0\0"

    def pool_integer(self, head: bytes, constant: int) -> None:
        """The same with an integer, as wide as any instruction reads it."""
        self.pool(head, constant.to_bytes(8, "little"))

    # -- operands ----------------------------------------------------------------------------------------------------

    def move_constant(self, register: int, value: int) -> None:
        """Leaves the flags alone."""
        if value <= 0xFFFF_FFFF:
            self.code += MOV_IMM32[register] + value.to_bytes(4, "little")
        elif value >= 0xFFFF_FFFF_8000_0000:
            self.code += MOV_SIGNED32[register] + (value & 0xFFFF_FFFF).to_bytes(4, "little")
        else:
            self.code += MOVABS[register] + value.to_bytes(8, "little")

    def integer(self, value: int, scratch: int) -> int:
        """A register that holds an integer operand: its own, or `scratch`."""
        if value < 0:
            self.move_constant(scratch, self.constants[~value])  # type: ignore[arg-type]
            return scratch
        place = self.place[value]
        if place < 16:
            return place
        if place == SUNK:
            self.address(value, scratch)
        elif not self.is_kept(value):
            self.code += at(LOAD64[scratch][RSP], self.slots_at + 8 * (place - SLOT))
        elif scratch != RAX:
            self.code += MOV[scratch][RAX]
        return scratch

    def address(self, value: int, scratch: int) -> None:
        """Compute a sunk address: a sum of one or two values, the second maybe scaled, and a constant."""
        code, place = self.code, self.place
        _, a, b, shift = self.insts[value]
        constant = 0
        if b < 0:
            constant = int(self.constants[~b])
            constant -= constant >> 31 << 32
            if place[a] < 16:
                code += at(LEA32[scratch][place[a]], constant)
                return
            if place[a] != SUNK:
                code += at(LOAD64[scratch][RSP], self.slots_at + 8 * (place[a] - SLOT)) + at(LEA32[scratch][scratch], constant)
                return
            _, a, b, shift = self.insts[a]
        base, index = place[a], place[b]
        if index >= 16:
            code += at(LOAD64[scratch][RSP], self.slots_at + 8 * (index - SLOT))
            index = scratch
        if base < 16:
            code += at(LEA32_SCALED[shift][scratch][base][index], constant)
            return
        if index != scratch:
            code += MOV32[scratch][index]
        if shift:
            code += SHL32[scratch] + BYTE[shift]
        code += at(ADD32_MEMORY[scratch][RSP], self.slots_at + 8 * (base - SLOT))
        if constant:
            code += at(LEA32[scratch][scratch], constant)

    def integer_into(self, register: int, value: int) -> None:
        held = self.integer(value, register)
        if held != register:
            self.code += MOV[register][held]

    def float(self, value: int, scratch: int) -> int:
        if value < 0:
            self.load_constant(scratch, self.constants[~value])  # type: ignore[arg-type]
            return scratch
        place = self.place[value]
        if place < 32:
            return place - 16
        if self.is_kept(value):
            if scratch != XMM15:
                self.code += MOVAPS[scratch][XMM15]
            return scratch
        self.code += at(LOAD_F64[scratch][RSP], self.slots_at + 8 * (place - SLOT))
        return scratch

    def vector(self, value: int, scratch: int) -> int:
        if value < 0:
            self.load_constant(scratch, self.constants[~value])  # type: ignore[arg-type]
            return scratch
        place = self.place[value]
        if place < 32:
            return place - 16
        self.code += at(LOAD_V128[scratch][RSP], self.slots_at + 8 * (place - SLOT))
        return scratch

    def load_constant(self, register: int, constant: bytes) -> None:
        """A float or vector constant into an xmm register; leaves the flags alone."""
        if not any(constant):
            self.code += XORPS[register][register][register]
        else:
            size = len(constant)
            self.pool((POOL_F32 if size == 4 else POOL_F64 if size == 8 else POOL_V128)[register], constant)

    def integer_result(self, value: int) -> int:
        """The register to compute an integer result in; `store_integer` finishes."""
        place = self.place[value]
        return place if place < 16 else RAX

    def store_integer(self, value: int, register: int) -> None:
        place = self.place[value]
        if place >= 16:
            self.code += at(STORE64[register][RSP], self.slots_at + 8 * (place - SLOT))
            if register == RAX:
                self.kept_value, self.kept_at = value, len(self.code)
        elif place != register:
            self.code += MOV[place][register]

    def is_kept(self, value: int) -> bool:
        """True where rax, or xmm15, happens to hold a value that lives in a slot."""
        return value == self.kept_value and len(self.code) == self.kept_at

    def xmm_result(self, value: int) -> int:
        """The register to compute a float or vector result in: xmm15 for one that lives in a slot."""
        place = self.place[value]
        return place - 16 if place < 32 else XMM15

    def store_float(self, value: int, register: int) -> None:
        place = self.place[value]
        if place >= 32:
            self.code += at(STORE_F64[register][RSP], self.slots_at + 8 * (place - SLOT))
            if register == XMM15:
                self.kept_value, self.kept_at = value, len(self.code)
        elif place - 16 != register:
            self.code += MOVAPS[place - 16][register]

    def store_vector(self, value: int, register: int) -> None:
        place = self.place[value]
        if place >= 32:
            self.code += at(STORE_V128[register][RSP], self.slots_at + 8 * (place - SLOT))
        elif place - 16 != register:
            self.code += MOVAPS[place - 16][register]

    # -- jumps -------------------------------------------------------------------------------------------------------

    def new_label(self) -> int:
        self.labels.append(-1)
        return len(self.labels) - 1

    def bind(self, label: int) -> None:
        self.labels[label] = len(self.code)
        self.kept_at = -1

    def jump(self, label: int) -> None:
        code = self.code
        if self.depth:
            self.pad(len(code), 5)
        distance = self.labels[label] - len(code) - 2
        if -128 <= distance < -2 and self.labels[label] >= 0:
            code += JMP8 + BYTE[distance]
            return
        code += JMP + b"\0\0\0\0"
        self.fixups.append((len(code), label))

    def jump_if(self, condition: int, label: int) -> None:
        code = self.code
        distance = self.labels[label] - len(code) - 2
        if -128 <= distance < -2 and self.labels[label] >= 0:
            code += JCC8[condition] + BYTE[distance]
            return
        code += JCC[condition] + b"\0\0\0\0"
        self.fixups.append((len(code), label))

    def trap_if(self, condition: int, trap: int, place: int) -> None:
        """Jump to the trap when the condition holds."""
        code = self.code
        code += JCC[condition] + b"\0\0\0\0"
        self.stubs.setdefault((trap, place), []).append(len(code))

    def trap_always(self, trap: int, place: int) -> None:
        self.traps.append((len(self.code), trap, place))
        self.code += FAULT

    def short_jump(self, head: bytes) -> int:
        """A jump over a few bytes; `land` says where to."""
        self.code += head + b"\0"
        return len(self.code)

    def land(self, jump: int) -> None:
        self.code[jump - 1] = len(self.code) - jump

    def pad(self, start: int, size: int) -> None:
        """Keep a branch of `size` bytes, begun at `start`, off the 32-byte boundaries, on processors that need it (see `padding`)."""
        if not self.pads:
            return
        place = start & 31
        if place + size >= BRANCH_BOUNDARY_BYTES and place and size < BRANCH_BOUNDARY_BYTES:
            gap = BRANCH_BOUNDARY_BYTES - place
            self.code[start:start] = nops(gap)
            if self.traps and self.traps[-1][0] >= start:
                offset, trap, where = self.traps[-1]
                self.traps[-1] = (offset + gap, trap, where)
            pooled = self.pool_fixups
            last = len(pooled) - 1
            while last >= 0 and pooled[last][0] >= start:
                offset, behind, constant = pooled[last]
                pooled[last] = (offset + gap, behind, constant)
                last -= 1

    def call_site(self, value: int, stack_bytes: int = 0) -> None:
        """Note the present offset as the return address of the call that `value` makes."""
        self.call_sites.append((len(self.code), self.marks.get(value, 0), stack_bytes))
        if value in self.function.pads:
            self.covered.setdefault(value, []).append(len(self.code))
