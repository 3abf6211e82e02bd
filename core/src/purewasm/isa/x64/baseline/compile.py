"""From a function of a validated module to its baseline code: frame, beginning and end.

Slots count in words from the stack pointer:

    padding, to a multiple of 16
    operands
    locals
    pointer to further results   if there are several results
    context of this instance     to go back to from calls of others
    results of calls             two words each, from the second on
    outgoing stack arguments     at the stack pointer

How many operands there are turns out on the way, so the frame's size is filled in at the end. Code begins with the count of calls
(`control.count_down`); a function that has none left starts over as its optimized code, with its arguments where they are.
"""

from __future__ import annotations

import gc
from itertools import compress

from purewasm.backend.placement import place_arguments
from purewasm.backend.target import STACK_ARGUMENT, VECTOR_REGISTER
from purewasm.binary.body import decode_body
from purewasm.frontend.context import ModuleContext, classes_of, slot_bytes
from purewasm.frontend.state import Builder
from purewasm.ir import ops
from purewasm.ir.builtins import OPTIMIZE
from purewasm.isa.x64 import control, integer, memory
from purewasm.isa.x64.baseline.body import emit_body
from purewasm.isa.x64.baseline.control import END_OF_FUNCTION, count_down
from purewasm.isa.x64.baseline.forms import (
    FRAME,
    LOAD_RAX,
    LOAD_RCX,
    LOAD_VECTOR,
    LOAD_XMM,
    STORE,
    STORE_RAX,
    STORE_XMM,
    offset_of,
)
from purewasm.isa.x64.baseline.state import State, TooManyMovesError, numbers
from purewasm.isa.x64.conditions import CC_B, CC_NE, CC_S
from purewasm.isa.x64.cpu import EMITTED_FEATURES, JCC_ERRATUM, usable
from purewasm.isa.x64.emit.finish import emit_cold, finish, legalizer
from purewasm.isa.x64.emit.polls import out_of_stack
from purewasm.isa.x64.emit.state import LOAD64, LOAD_V128, MOV_IMM32, STORE64, STORE_V128, at, pack32
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS
from purewasm.isa.x64.registers import RAX, RCX, RDI, RSP
from purewasm.isa.x64.roles import CONTEXT, SECOND_REGISTER, TARGET_REGISTER
from purewasm.light_importing import pause_collector
from purewasm.light_typing import TYPE_CHECKING, Any, Final, NamedTuple, final
from purewasm.store import layout
from purewasm.store.layout import ContextLayout
from purewasm.wasm.deftypes import FuncType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purewasm.backend.machine_code import MachineCode, TargetOptions
    from purewasm.isa.x64.baseline.body import CallPlan
    from purewasm.wasm.deftypes import DefType
    from purewasm.wasm.module import WasmModule

_UNSUPPORTED: Final = frozenset((0x06, 0x07, 0x09, 0x12, 0x13, 0x15, 0x18, 0x19, 0x1F, 0xD5, 0xD6, 0xFB018, 0xFB019))
"""What catches exceptions, tail calls, and branches that have to do with references."""
_CALLS: Final = frozenset((0x10, 0x11, 0x14))
_THROW: Final = 0x08
_WITH_ARGUMENTS: Final = _CALLS | {_THROW}
_LITTLE_ROOM_BYTES: Final = 64
"""Every function has this, where no call of the module needs more: it is not worth the search for those that need less."""
_MOST_RESULTS: Final = 1 << 16
"""Of calls, behind the first of each: there is a number for every operand that there may be."""
_MANY_LOCALS: Final = 16
"""So many words are cleared one by one."""
_JMP_REGISTER: Final = control.JMP_RM64.regs
_JMP_MEMORY: Final = control.JMP_RM64.based
_LEA_RIP: Final = memory.LEA_R64_M.rip
_LEA32: Final = memory.LEA_R64_M.based[TARGET_REGISTER][RSP][2]
_CMP: Final = integer.CMP_R64_RM64
_ADD32: Final = integer.ADD_RM64_IMM32.regs[RSP]
_RET: Final = control.RET.code
_RET_N: Final = control.RET_IMM16.code
_CLEAR: Final = integer.XOR_R32_RM32.regs[RAX][RAX]
_REP_STOSQ: Final = b"\xf3\x48\xab"


@final
class BaselineCompiler:
    """Makes baseline code of the defined functions of a module, by their index in the function index space."""

    __slots__ = ("_arguments", "_made")

    def __init__(self, module: WasmModule, options: TargetOptions, layout: ContextLayout | None = None) -> None:
        self._arguments = module, options, layout
        self._made: _Module | None = None

    def __call__(self, index: int) -> MachineCode | None:
        """None for a function that has instructions which only the optimizing compiler knows."""
        if self._made is None:
            module, options, layout = self._arguments
            self._made = _Module(module, options, layout or ContextLayout(module))
        is_paused = pause_collector()
        try:
            return self._made.compile(index)
        finally:
            if is_paused:
                gc.enable()


@final
class _Module:
    """What is worked out once for all functions of a module."""

    __slots__ = ("context", "layout", "legalizer", "module", "options", "plans", "room")

    def __init__(self, module: WasmModule, options: TargetOptions, layout: ContextLayout) -> None:
        self.module, self.layout = module, layout
        cpu = usable(options.cpu)
        self.options = options._replace(cpu=cpu & ~JCC_ERRATUM)  # what padding gains is little beside what the code is
        self.context = ModuleContext(module, options.explicit_checks, options.fuel, options.interruptible)
        missing = EMITTED_FEATURES & ~cpu
        self.legalizer = legalizer(missing) if missing else None
        self.plans: dict[int, CallPlan | None] = {}
        functions = [deftype for deftype in module.types if isinstance(deftype.composite, FuncType)]
        self.room = _room_for_calls(self.context, functions)
        """What any call may need."""

    def compile(self, index: int) -> MachineCode | None:
        module, context = self.module, self.context
        code = module.codes[index - module.imported_functions]
        body = decode_body(module, code)
        body_ops, imms, places = body.ops, body.imms, body.offsets
        used = frozenset(body_ops)
        if not used.isdisjoint(_UNSUPPORTED):
            return None
        stride = slot_bytes(context, index, used) // 8
        if context.fuel:
            from purewasm.frontend.build import charge  # others do without the whole front end
            from purewasm.wasm.fuel import segments

            body_ops, imms, places = charge(segments(body_ops, imms), body_ops, imms, places)
        room = self.room
        if room.extra or room.arguments > _LITTLE_ROOM_BYTES:
            room = _room_for_calls(context, _called(module, body_ops, imms))
            if room.extra > _MOST_RESULTS:
                return None
        s = self._lay_out(index, stride, room, len(body_ops))
        e, frame = s.e, _Frame(s, context.signature(module.func_types[index])[0])
        frame.begin()
        body_offset = len(e.code)
        frame.receive()
        try:
            emit_body(s, body_ops, imms, places, self.plans)
        except TooManyMovesError:
            e.cold.clear()  # as `emit_cold` does: with it, all of this goes at once
            return None
        frame.end()
        emit_cold(e)
        frame.fill_in()
        if self.legalizer is not None:
            body_offset = self.legalizer.run(e)(body_offset)
        result = finish(e)
        result.body_offset, result.is_baseline = body_offset, True
        result.makes_calls, result.has_loops = bool(used & _CALLS), 0x03 in used
        return result

    def _lay_out(self, index: int, stride: int, room: _Room, instructions: int) -> State:
        """The frame from the stack pointer up to the operands, of which there are as many as turn out to be needed."""
        module, context = self.module, self.context
        code, deftype = module.codes[index - module.imported_functions], module.func_types[index]
        parameters, results = context.signature(deftype)
        classes = [*parameters]
        for count, valtype in code.locals:
            classes += classes_of((valtype,)) * count
        saved_context = room.arguments // 8 + 2 * room.results
        saved_context += -saved_context % stride
        area = FRAME + saved_context + stride
        first_local = area + (stride if len(results) > 1 else 0)
        # Every instruction but calls pushes one operand at most; a body that does not come to its end need not have pushed the results.
        tops = numbers(first_local + stride * len(classes), instructions + room.extra + len(results) + 2, stride)
        locals_at = numbers(first_local, len(classes), stride)
        s = State(Builder(context, [], results), index, code.start, stride, area, locals_at, tops, self.layout, self.options)
        s.e.results_at, s.e.saved_context = room.arguments, 8 * saved_context
        if stride > 1:
            s.vectors = frozenset(local for local, value_class in enumerate(classes) if value_class == ops.VEC)
        return s


class _Room(NamedTuple):
    """What calls need at most: bytes of stack arguments, number of results; and the number of all results behind the first of each."""

    arguments: int
    results: int
    extra: int


def _room_for_calls(context: ModuleContext, deftypes: Iterable[DefType]) -> _Room:
    """For calls of these types."""
    outgoing = results = extra = 0
    counts: dict[DefType, int] = {}
    for deftype in deftypes:
        counts[deftype] = counts.get(deftype, 0) + 1
    for deftype, calls in counts.items():
        params, returned = context.signature(deftype)
        if len(returned) > 1:
            results, params = max(results, len(returned)), (*params, ops.INT)
            extra += calls * (len(returned) - 1)
        if len(params) > len(GUEST_ARGUMENTS.int_arguments):
            outgoing = max(outgoing, place_arguments(GUEST_ARGUMENTS, params)[1])
    return _Room(outgoing, results, extra)


def _called(module: WasmModule, body_ops: list[int], imms: list[Any]) -> Iterator[DefType]:
    """The type of each call, and of what is thrown."""
    for op, imm in compress(zip(body_ops, imms, strict=True), map(_WITH_ARGUMENTS.__contains__, body_ops)):
        if op == _THROW:
            yield module.tag_types[imm]
        else:
            yield module.func_types[imm] if op == 0x10 else module.types[imm[0] if op == 0x11 else imm]


@final
class _Frame:
    """The frame of one function; `patches` are offsets of 32-bit fields and what is to be added to the frame's size, or taken from it."""

    __slots__ = ("_parameters", "_patches", "_s")

    def __init__(self, s: State, parameters: tuple[int, ...]) -> None:
        self._s = s
        self._parameters = (*parameters, ops.INT) if len(s.result_classes) > 1 else parameters
        self._patches: list[tuple[int, int, int]] = []

    def _patch(self, sign: int, offset: int = 0) -> None:
        """The last four bytes: the frame's size times `sign`, and an offset."""
        self._patches.append((len(self._s.e.code) - 4, sign, offset))

    def begin(self) -> None:
        """Up to where the frame is made: the count of calls and the stack check, which is a poll too."""
        s, e = self._s, self._s.e
        code = e.code
        hot, start, short = e.new_label(), e.new_label(), e.new_label()
        code += count_down(s)
        e.jump_if(CC_S, hot)
        e.cold.append(lambda: _start_over(s, hot))
        e.bind(start)
        code += e.load_control
        code += _LEA32 + b"\0\0\0\0"
        self._patch(-1)
        code += at(_CMP.based[TARGET_REGISTER][RAX], layout.STACK_LIMIT)
        e.jump_if(CC_B, short)
        e.cold.append(lambda: out_of_stack(e, start, short))
        code += _ADD32 + b"\0\0\0\0"
        self._patch(-1)

    def receive(self) -> None:
        """Arguments to their slots, zeros into the other locals."""
        s = self._s
        code = s.e.code
        code += at(STORE64[CONTEXT][RSP], s.e.saved_context)
        slots = [*s.locals_at[: len(self._parameters)]]
        if len(s.result_classes) > 1:
            slots[len(self._parameters) - 1 :] = [s.area]
        for value_class, place, slot in zip(self._parameters, place_arguments(GUEST_ARGUMENTS, self._parameters)[0], slots, strict=True):
            if place >= STACK_ARGUMENT:
                self._receive_from_stack(value_class, place - STACK_ARGUMENT, slot)
            elif place < VECTOR_REGISTER:
                code += STORE[place][slot]
            elif value_class == ops.VEC:
                code += at(STORE_V128[place - VECTOR_REGISTER][RSP], offset_of(slot))
            else:
                code += STORE_XMM[place - VECTOR_REGISTER][slot]
        count = len(self._parameters) - (len(s.result_classes) > 1)
        words = s.stride * (len(s.locals_at) - count)
        first = s.first_operand - words
        if words > _MANY_LOCALS:
            code += at(memory.LEA_R64_M.based[RDI][RSP], offset_of(first)) + MOV_IMM32[RCX] + pack32(words) + _CLEAR + _REP_STOSQ
        elif words:
            code += _CLEAR + b"".join([STORE_RAX[slot] for slot in range(first, first + words)])

    def _receive_from_stack(self, value_class: int, offset: int, slot: int) -> None:
        code = self._s.e.code
        code += LOAD64[RAX][RSP][2] + b"\0\0\0\0"
        self._patch(1, 8 + offset)
        code += STORE_RAX[slot]
        if value_class == ops.VEC:
            code += LOAD64[RAX][RSP][2] + b"\0\0\0\0"
            self._patch(1, 16 + offset)
            code += STORE_RAX[slot + 1]

    def end(self) -> None:
        """Results to where the caller wants them, and back."""
        s, e = self._s, self._s.e
        code, classes = e.code, s.result_classes
        e.bind(END_OF_FUNCTION)
        tops = s.tops
        if len(classes) > 1:
            code += LOAD_RAX[s.area]
            for number, value_class in enumerate(classes[1:], 1):
                if value_class == ops.VEC:
                    code += LOAD_VECTOR[tops[number]] + at(STORE_V128[15][RAX], 16 * number)
                else:
                    code += LOAD_RCX[tops[number]] + at(STORE64[RCX][RAX], 16 * number)
        if classes and classes != (ops.INT,):
            if classes[0] == ops.INT:
                code += LOAD_RAX[tops[0]]
            elif classes[0] == ops.VEC:
                code += at(LOAD_V128[0][RSP], offset_of(tops[0]))
            else:
                code += LOAD_XMM[0][tops[0]]
        if classes:
            s.highest = max(s.highest, tops[len(classes) - 1])
        e.argument_bytes = place_arguments(GUEST_ARGUMENTS, self._parameters)[1]
        code += _ADD32 + b"\0\0\0\0"
        self._patch(1)
        code += _RET_N + e.argument_bytes.to_bytes(2, "little") if e.argument_bytes else _RET

    def fill_in(self) -> None:
        """The frame's size, which is known now."""
        s, code = self._s, self._s.e.code
        size = offset_of(s.highest + s.stride)
        size += (size + 8) & 15 and 8
        s.e.frame = size
        for at_, sign, offset in self._patches:
            code[at_ : at_ + 4] = pack32(sign * size + offset)


def _start_over(s: State, hot: int) -> None:
    """There is better code in the function's slot, or the engine makes it. The slot table's address is in rax."""
    e = s.e
    e.bind(hot)
    code = e.code
    start, other = e.new_label(), e.new_label()
    e.labels[start] = 0
    code += at(LOAD64[TARGET_REGISTER][RAX], 8 * s.index) + _LEA_RIP[SECOND_REGISTER] + b"\0\0\0\0"
    e.fixups.append((len(code), start))
    code += _CMP.regs[TARGET_REGISTER][SECOND_REGISTER]
    e.jump_if(CC_NE, other)
    code += MOV_IMM32[RAX] + pack32(s.index)
    code += at(LOAD64[TARGET_REGISTER][CONTEXT], layout.BUILTINS) + at(_JMP_MEMORY[TARGET_REGISTER], 8 * OPTIMIZE)
    e.bind(other)
    code += _JMP_REGISTER[TARGET_REGISTER]
