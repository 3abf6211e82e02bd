"""Stages of the compiler as text, for `purewasm inspect` and for developers."""

from __future__ import annotations

from purewasm.backend.machine_code import HIDDEN_PLACE
from purewasm.backend.target import SLOT, VECTOR_REGISTER
from purewasm.ir.printer import format_function, format_instruction
from purewasm.isa.x64.baseline.compile import BaselineCompiler
from purewasm.isa.x64.compile import compile_observed
from purewasm.isa.x64.disassemble import disassemble
from purewasm.isa.x64.registers import NAMES_64, NAMES_XMM
from purewasm.light_typing import TYPE_CHECKING, final
from purewasm.store.layout import TRAP_CODES

if TYPE_CHECKING:
    from purewasm.backend.linear_scan import Allocation
    from purewasm.backend.machine_code import MachineCode, TargetOptions
    from purewasm.ir.function import Function
    from purewasm.passes.intervals import Intervals
    from purewasm.wasm.module import WasmModule


def format_place(place: int) -> str:
    """A register's name, or the number of a slot."""
    if place < 0:
        return "-"
    if place < VECTOR_REGISTER:
        return NAMES_64[place]
    return NAMES_XMM[place - VECTOR_REGISTER] if place < SLOT else f"slot{place - SLOT}"


def format_allocation(function: Function, live: bytearray, found: Intervals, allocation: Allocation) -> str:
    """Live instructions with the place and the interval of each value."""
    lines = []
    for value, inst in enumerate(function.insts):
        if live[value]:
            place = allocation.places[value]
            where = f"  ; {format_place(place)} until {found.end[value]}" if place >= 0 else ""
            lines.append(f"{format_instruction(value, *inst)}{where}")
    return "\n".join(lines) + "\n"


def format_code(function: Function | None, made: MachineCode) -> str:
    """The disassembly, each IR instruction above its code, traps and calls with their place in the module."""
    starts: dict[int, list[int]] = {}
    for offset, value in made.instructions:
        starts.setdefault(offset, []).append(value)
    notes = {offset: f"trap: {TRAP_CODES[code]}, at 0x{place:x}" for offset, code, place in made.traps}
    notes |= {offset: _note_of_call(place) for offset, place, _ in made.call_sites}
    lines = []
    for line in disassemble(made.code[: made.pool_offset]):
        if function is not None:
            lines += [f"; {format_instruction(value, *function.insts[value])}" for value in starts.get(line.address, ())]
        note = notes.get(line.address)
        lines.append(f"{line}  ; {note}" if note else str(line))
    if made.pool_offset < len(made.code):
        lines.append(f"{made.pool_offset:8x}:  constants {made.code[made.pool_offset :].hex()}")
    return "\n".join(lines) + "\n"


def _note_of_call(place: int) -> str:
    return "back from a loop's own code" if place == HIDDEN_PLACE else f"back from the call at 0x{place:x}"


def baseline_code(module: WasmModule, index: int, options: TargetOptions) -> str | None:
    """The disassembly of a function's baseline code; None where it has none."""
    made = BaselineCompiler(module, options)(index)
    return None if made is None else format_code(None, made)


@final
class _Recorder:
    """Text of each stage, taken when it is there: the next one changes the instructions."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.function: Function | None = None

    def built(self, function: Function) -> None:
        self.function = function
        self.texts["ir"] = format_function(function)

    def allocated(self, function: Function, live: bytearray, found: Intervals, allocation: Allocation) -> None:
        self.texts["allocated"] = format_allocation(function, live, found, allocation)


def stages(module: WasmModule, index: int, options: TargetOptions, place: int = -1) -> dict[str, str]:
    """Every stage of one function, or of its loop at `place`, as text: `ir` as built, `allocated` with places, `asm` with the IR beside
    it."""
    recorder = _Recorder()
    made = compile_observed(module, index, options, recorder, place)
    if recorder.function is not None:
        recorder.texts["asm"] = format_code(recorder.function, made)
    return recorder.texts
