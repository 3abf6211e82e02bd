"""The loop over a function's instructions.

rax holds the operand or the local `kept`; where `is_new`, its slot does not have the value yet, and gets it before rax is needed for
something else. A compare leaves its result in the flags for the branch behind it. Floats are their bits here: only arithmetic takes them
to xmm registers.
"""

from __future__ import annotations

from purewasm.backend.placement import place_arguments
from purewasm.backend.target import STACK_ARGUMENT, VECTOR_REGISTER
from purewasm.frontend.actions import (
    ACTION,
    BINARY,
    COMPARE,
    CONVERTING,
    FLOAT_COMPARE,
    FLOAT_COMPARES,
    LOAD,
    STORE,
    TRAPPING,
    UNARY,
)
from purewasm.ir import ops
from purewasm.isa.x64.baseline import control
from purewasm.isa.x64.baseline.forms import (
    ARITHMETIC,
    ARITHMETIC_ROWS,
    CALL,
    COMPARE_ZERO,
    COMPARE_ZERO_WIDE,
    COMPARES,
    EXTENSION_ROWS,
    EXTENSIONS,
    FLAG_TO_EAX,
    LOAD_MEMORY,
    LOAD_RAX,
    LOAD_RCX,
    LOAD_XMM,
    SHIFT_ROWS,
    SHIFTS,
    STORE_MEMORY,
    STORE_RAX,
    STORE_RCX,
    STORE_XMM,
    TEST_EAX,
    TEST_ECX,
    TEST_RAX,
    TEST_RCX,
)
from purewasm.isa.x64.baseline.forms import LOAD as LOAD_REGISTER
from purewasm.isa.x64.baseline.state import LAZY, Block, State, immediate
from purewasm.isa.x64.conditions import CC_NE, SWAPPED
from purewasm.isa.x64.emit.state import BYTE, JCC, LOAD64, STORE64, at, pack32
from purewasm.isa.x64.guest_arguments import GUEST_ARGUMENTS
from purewasm.isa.x64.registers import RAX, RCX
from purewasm.isa.x64.roles import CONTEXT
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.store.layout import TRAP_NUMBER
from purewasm.traps import OUT_OF_BOUNDS_MEMORY, UNREACHABLE
from purewasm.wasm.valtypes import V128

if TYPE_CHECKING:
    from purewasm.isa.x64.baseline.forms import Arithmetic, Slots
    from purewasm.isa.x64.emit.state import Emitter

NO: Final = ops.NO
_FLAGS: Final = -(1 << 50)
"""On the stack: what the flags say."""
_MANY_INSTRUCTIONS: Final = 1024
"""Fewer cannot make a search among the operands long."""
_USES_FLAGS: Final = (0x0D, 0x04, 0x45, 0x1B)
_UNREACHABLE: Final = TRAP_NUMBER[UNREACHABLE]
_OUT_OF_BOUNDS: Final = TRAP_NUMBER[OUT_OF_BOUNDS_MEMORY]
# What the loop does with an instruction, by the byte of its opcode; what the front end's loop calls simple is one emitter's here.
_ARITHMETIC: Final = 1
_LOAD: Final = 2
_SET: Final = 3
_TEST: Final = 4
_END: Final = 5
_BLOCK: Final = 6
_STORE: Final = 7
_TEE: Final = 8
_COMPARE: Final = 9
_SHIFT: Final = 10
_SAME: Final = 11
_EXTEND: Final = 12
_DROP: Final = 13
_ONE: Final = 14
_TWO: Final = 15
_DIVIDE: Final = 16
_COMPARE_FLOATS: Final = 17
_OTHER: Final = 18
_OPERATIONS: Final = (_ONE, _TWO, _DIVIDE, _COMPARE_FLOATS, _EXTEND)
"""What is one operation of the IR."""
_KIND: Final = bytearray([_OTHER] * 256)
_KIND_OF_ACTION: Final = {
    UNARY: _ONE, CONVERTING: _ONE, BINARY: _TWO, TRAPPING: _DIVIDE, FLOAT_COMPARE: _COMPARE_FLOATS, LOAD: _LOAD, STORE: _STORE,
    COMPARE: _COMPARE,
}  # fmt: skip
for _op, _action in enumerate(ACTION):
    _KIND[_op] = _KIND_OF_ACTION.get(_action, _OTHER)
for _kind, _ops in (
    (_ARITHMETIC, ARITHMETIC_ROWS), (_SHIFT, SHIFT_ROWS), (_TEST, (0x0D, 0x04, 0x45, 0x50)), (_SET, (0x21,)), (_TEE, (0x22,)),
    (_END, (0x0B,)), (_BLOCK, (0x02,)), (_DROP, (0x1A,)), (_EXTEND, EXTENSION_ROWS),
    (_SAME, (0xAD, 0xBD, 0xBE, 0xBF)),  # slots hold an i32 zero-extended, and floats are their bits
):  # fmt: skip
    for _op in _ops:
        _KIND[_op] = _kind

CallPlan = tuple[tuple[tuple["Slots", int, bool], ...], int]
"""How each argument is loaded (from a slot, the register's number, whether it is a float), and the class of the result."""


def plan_of_call(s: State, function: int) -> CallPlan | None:
    """None where not all arguments are in registers, or there are several results, or vectors."""
    context = s.builder.context
    params, results = context.signature(context.module.func_types[function])
    if function < context.module.imported_functions or len(results) > 1 or ops.VEC in params or ops.VEC in results:
        return None
    loads: list[tuple[Slots, int, bool]] = []
    for place in place_arguments(GUEST_ARGUMENTS, params)[0]:
        if place >= STACK_ARGUMENT:
            return None
        if place >= VECTOR_REGISTER:
            loads.append((LOAD_XMM[place - VECTOR_REGISTER], place - VECTOR_REGISTER, True))
        else:
            loads.append((LOAD_REGISTER[place], place, False))
    return tuple(loads), results[0] if results else 0


def emit_body(s: State, body_ops: list[int], imms: list[Any], places: list[int], plans: dict[int, CallPlan | None]) -> None:
    """Code of the instructions at `places` in the module. `plans` are those of the module's functions, made when they are called first.

    What changes on the way, besides the stack:
    kept       the operand or local (or constant) that rax holds, -1 for none of them
    is_new     its slot does not have it yet: `code += STORE_RAX[kept]` comes before rax changes, and before anybody reads the slot
    flags      the condition that holds where the topmost operand, `_FLAGS`, is 1; below 0 there is no such operand
    dead       0 where code is reached, else 1 and the number of blocks that opened in the code that is not
    highest    the last slot in use; stores to slots of operands may change it, as those of `State` change `State.highest`
    innermost  number of the innermost open loop, -1 for none: branches to blocks of lower numbers leave it

    Families are written out by their frequency: what a call of a function would cost is more than most do. Each ends with `continue`, or
    leaves the case that it does not deal with to what follows.
    """
    e, b, stack, tops, locals_at, vectors, stride = s.e, s.builder, s.stack, s.tops, s.locals_at, s.vectors, s.stride
    code, traps, constants, constant_ids, call_sites = e.code, e.traps, b.constants, b.constant_ids, e.call_sites
    guard, global_types = b.context.guard_bytes, b.context.module.global_types
    push, pop = stack.append, stack.pop
    kinds, arithmetic, first_operand = _KIND, ARITHMETIC, s.first_operand
    kept, is_new = -1, False
    flags = innermost = -1
    dead = 0
    highest = first_operand
    few = len(body_ops) < _MANY_INSTRUCTIONS  # then any operand may be a local that is read later, else the lowest alone
    s.lazy = _MANY_INSTRUCTIONS if few else LAZY
    labels, blocks, fixups = e.labels, s.blocks, e.fixups
    for op, imm, place in zip(body_ops, imms, places, strict=True):
        if dead:
            if op == 0x02 or op == 0x03 or op == 0x04:
                dead += 1
                continue
            if op == 0x0B:
                if dead > 1:
                    dead -= 1
                    continue
            elif dead > 1 or op != 0x05:
                continue
        if flags >= 0 and op not in _USES_FLAGS:
            if is_new:
                code += STORE_RAX[kept]
                if kept > highest:
                    highest = kept
            code += FLAG_TO_EAX[flags]
            flags = -1
            kept = stack[-1] = tops[len(stack) - 1]
            is_new = True
        if op == 0x20:  # local.get
            if few or len(stack) < LAZY:
                push(locals_at[imm])
            else:
                s.copy(locals_at[imm], tops[len(stack)])
                push(tops[len(stack)])
            continue
        if op == 0x41 or op == 0x42 or op == 0x43 or op == 0x44:  # constants
            known = constant_ids.get(imm)
            push(b.constant(imm) if known is None else known)
            continue
        kind = kinds[op] if op < 256 else _OTHER
        if kind <= _TEST:
            if kind == _ARITHMETIC:
                y = pop()
                x = pop()
                forms = arithmetic[op]
                if forms.is_commutative and (y == kept or x < 0):
                    x, y = y, x
                if x != kept:
                    if is_new:
                        code += STORE_RAX[kept]
                        if kept > highest:
                            highest = kept
                    if x >= 0:
                        code += LOAD_RAX[x]
                    else:
                        e.move_constant(RAX, constants[~x])  # type: ignore[arg-type]
                if y >= 0:
                    code += forms.slot[y]
                else:
                    _with_constant(e, forms, y)
                kept = tops[len(stack)]
                push(kept)
                is_new = True
                continue
            if kind == _LOAD:
                offset, index, _ = imm
                x = stack[-1]
                if offset < guard and index == 0:
                    if x != kept:
                        if is_new:
                            code += STORE_RAX[kept]
                            if kept > highest:
                                highest = kept
                        if x >= 0:
                            code += LOAD_RAX[x]
                        else:
                            e.move_constant(RAX, constants[~x])  # type: ignore[arg-type]
                    traps.append((len(code), _OUT_OF_BOUNDS, place))
                    tails = LOAD_MEMORY[op]
                    if offset < 128:
                        code += tails[1] + BYTE[offset] if offset else tails[0]
                    else:
                        code += tails[2] + pack32(offset)
                    kept = stack[-1] = tops[len(stack) - 1]
                    is_new = True
                    continue
            elif kind == _SET:
                value = pop()
                target = locals_at[imm]
                if target in (stack if few else stack[:LAZY]):
                    s.settle_local(target)
                if value == kept:
                    code += STORE_RAX[target]
                    kept, is_new = target, False
                    continue
                if imm in vectors or value < 0:
                    s.copy(value, target)
                elif value != target:
                    code += LOAD_RCX[value] + STORE_RCX[target]
                if kept == target:
                    kept = -1
                continue
            else:  # br_if, if, i32.eqz, i64.eqz
                value = pop()
                if flags < 0:
                    flags = CC_NE
                    if value == kept:
                        code += TEST_RAX if op == 0x50 else TEST_EAX
                        if kept >= first_operand:
                            kept, is_new = -1, False
                    elif value >= 0:
                        code += (COMPARE_ZERO_WIDE if op == 0x50 else COMPARE_ZERO)[value] + b"\0"
                    else:
                        e.move_constant(RCX, constants[~value])  # type: ignore[arg-type]
                        code += TEST_RCX
                if op == 0x45 or op == 0x50:
                    flags ^= 1
                    push(_FLAGS)
                    continue
                if is_new:
                    code += STORE_RAX[kept]
                    if kept > highest:
                        highest = kept
                    is_new = False
                condition, flags = flags, -1
                if op == 0x04:
                    control.if_(s, imm, condition)
                    continue
                target = blocks[~imm]
                if target.index < innermost or (target.params if target.is_loop else target.results):
                    control.br_if(s, imm, condition)
                elif target.is_loop:
                    e.jump_if(condition, target.label)
                else:
                    code += JCC[condition] + b"\0\0\0\0"
                    fixups.append((len(code), target.label))
                    target.is_target = True
                continue
        elif kind <= _TEE:
            if kind == _END:
                block = blocks[-1]
                if not dead and block.__class__ is Block and not block.results and block.index:
                    blocks.pop()
                    if block.is_target:
                        labels[block.label] = len(code)
                        kept = -1
                    continue
            elif kind == _BLOCK:
                if len(stack) == blocks[-1].height and not imm[0]:
                    labels.append(-1)
                    blocks.append(Block(len(blocks), len(labels) - 1, len(stack), 0, len(imm[1])))
                    continue
            elif kind == _STORE:
                offset, index, _ = imm
                x = stack[-2]
                if offset < guard and index == 0:
                    y = pop()
                    pop()
                    stores = STORE_MEMORY[op]
                    if y == kept:
                        if x >= 0:
                            code += LOAD_RCX[x]
                        else:
                            e.move_constant(RCX, constants[~x])  # type: ignore[arg-type]
                        tails = stores.rax
                        tail = b""
                    else:
                        if x != kept:
                            if is_new:
                                code += STORE_RAX[kept]
                                if kept > highest:
                                    highest = kept
                                is_new = False
                            if x >= 0:
                                code += LOAD_RAX[x]
                            else:
                                e.move_constant(RAX, constants[~x])  # type: ignore[arg-type]
                            kept = x
                        tails, tail = stores.rcx, b""
                        if y >= 0:
                            code += LOAD_RCX[y]
                        else:
                            known_constant = constants[~y]
                            if not isinstance(known_constant, int):
                                known_constant = int.from_bytes(known_constant, "little")
                            if stores.constant_bytes == 4 and 0x8000_0000 <= known_constant < 0xFFFF_FFFF_8000_0000 and op in (0x37, 0x39):
                                e.move_constant(RCX, known_constant)
                            else:
                                tails, tail = stores.constant, immediate(known_constant, stores.constant_bytes)
                    traps.append((len(code), _OUT_OF_BOUNDS, place))
                    if offset < 128:
                        code += (tails[1] + BYTE[offset] if offset else tails[0]) + tail
                    else:
                        code += tails[2] + pack32(offset) + tail
                    if kept >= first_operand:  # an operand, which is gone
                        kept, is_new = -1, False
                    continue
            else:  # local.tee
                value = stack[-1]
                target = locals_at[imm]
                if value == target:
                    continue
                if target in (stack if few else stack[:LAZY]):
                    s.settle_local(target)
                if value == kept:
                    code += STORE_RAX[target]
                    if few or len(stack) < LAZY:
                        stack[-1] = kept = target
                        is_new = False
                    continue
                if imm in vectors or value < 0:
                    s.copy(value, target)
                else:
                    code += LOAD_RCX[value] + STORE_RCX[target]
                if kept == target:
                    kept = -1
                continue
        elif kind == _COMPARE:
            y = pop()
            x = pop()
            forms, flags = COMPARES[op]
            if y == kept or x < 0:
                x, y, flags = y, x, SWAPPED[flags]
            if x != kept:
                if is_new:
                    code += STORE_RAX[kept]
                    if kept > highest:
                        highest = kept
                    is_new = False
                if x >= 0:
                    code += LOAD_RAX[x]
                else:
                    e.move_constant(RAX, constants[~x])  # type: ignore[arg-type]
            if y >= 0:
                code += forms.slot[y]
            else:
                _with_constant(e, forms, y)
            kept = x if 0 <= x < first_operand else -1
            is_new = False
            push(_FLAGS)
            continue
        elif kind == _SHIFT:
            y = pop()
            x = pop()
            by_byte, by_cl, mask = SHIFTS[op]
            if x != kept:
                if is_new:
                    code += STORE_RAX[kept]
                    if kept > highest:
                        highest = kept
                if x >= 0:
                    code += LOAD_RAX[x]
                else:
                    e.move_constant(RAX, constants[~x])  # type: ignore[arg-type]
            if y >= 0:
                code += LOAD_RCX[y] + by_cl
            else:
                code += by_byte + BYTE[int(constants[~y]) & mask]
            kept = tops[len(stack)]
            push(kept)
            is_new = True
            continue
        elif kind == _SAME:
            if stack[-1] < 0 and op != 0xAD:
                bits = s.bits(stack[-1])
                stack[-1] = b.constant(bits if op == 0xBD else bits.to_bytes(4 if op == 0xBE else 8, "little"))
            continue
        elif kind == _EXTEND:
            x = stack[-1]
            if x >= 0:
                by_slot, by_rax = EXTENSIONS[op]
                if x == kept:
                    code += by_rax
                else:
                    if is_new:
                        code += STORE_RAX[kept]
                        if kept > highest:
                            highest = kept
                    code += by_slot[x]
                kept = stack[-1] = tops[len(stack) - 1]
                is_new = True
                continue
        elif kind == _DROP:
            if pop() == kept and kept >= first_operand:
                kept, is_new = -1, False
            continue
        # From here on rax is free.
        if is_new:
            code += STORE_RAX[kept]
            if kept > highest:
                highest = kept
            is_new = False
        if op == 0x10 and (plan := plans[imm] if imm in plans else plans.setdefault(imm, plan_of_call(s, imm))) is not None:
            loads, result = plan
            if loads:
                for (by_slot, register, is_float), value in zip(loads, stack[-len(loads) :], strict=True):
                    if value >= 0:
                        code += by_slot[value]
                    elif is_float:
                        e.load_constant(register, constants[~value])  # type: ignore[arg-type]
                    else:
                        e.move_constant(register, constants[~value])  # type: ignore[arg-type]
                del stack[-len(loads) :]
            code += CALL[imm]
            call_sites.append((len(code), place, 0))
            kept = -1
            if result == ops.INT:
                kept = tops[len(stack)]
                push(kept)
                is_new = True
            elif result:
                push(tops[len(stack)])
                code += STORE_XMM[0][stack[-1]]
                if stack[-1] > highest:
                    highest = stack[-1]
            continue
        if op == 0x02:
            control.block(s, imm)
            continue
        if (op == 0x23 or op == 0x24) and global_types[imm].valtype != V128:
            kept = _global(s, op, imm, kept)
            is_new = op == 0x23
            continue
        if op == 0x1B or op == 0x1C:  # select
            value = pop()
            if flags < 0:
                flags = CC_NE
                if value == kept:
                    code += TEST_EAX
                elif value >= 0:
                    code += COMPARE_ZERO[value] + b"\0"
                else:
                    e.move_constant(RCX, constants[~value])  # type: ignore[arg-type]
                    code += TEST_ECX
            control.select(s, flags)
            flags = -1
            if stride == 1:
                kept, is_new = stack[-1], True
            else:
                kept = -1
            continue
        kept = -1
        dead = 1 if _seldom(s, op, kind, imm, place, not dead) else 0
        innermost = s.loops[-1].index if s.loops else -1
    s.highest = max(s.highest, highest)


def _with_constant(e: Emitter, forms: Arithmetic, operand: int) -> None:
    """An operation on rax and a constant."""
    constant = int(e.constants[~operand])
    signed = constant - ((constant >> 63 << 64) if forms.wide else (constant >> 31 << 32))
    if -128 <= signed < 128:
        e.code += forms.byte + BYTE[signed]
    elif -0x8000_0000 <= signed < 0x8000_0000:
        e.code += forms.word + pack32(signed)
    else:
        e.move_constant(RCX, constant)
        e.code += forms.rcx


def _global(s: State, op: int, index: int, kept: int) -> int:
    """`global.get` and `global.set` of anything but a vector. What rax holds then."""
    e, layout = s.e, s.e.layout
    cell, base = layout.global_cell(index), CONTEXT
    if op == 0x23:
        e.code += at(LOAD64[RAX][CONTEXT], cell)
        if layout.global_is_indirect(index):
            e.code += at(LOAD64[RAX][RAX], 0)
        s.stack.append(s.tops[len(s.stack)])
        return s.stack[-1]
    value = s.stack.pop()
    if value != kept:
        s.load_rax(value)
    if layout.global_is_indirect(index):
        e.code += at(LOAD64[RCX][CONTEXT], cell)
        cell, base = 0, RCX
    e.code += at(STORE64[RAX][base], cell)
    return value if 0 <= value < s.first_operand else -1


def _seldom(s: State, op: int, kind: int, imm: Any, place: int, reached: bool) -> bool:
    """Everything else, where no register holds anything; True where what follows cannot be reached."""
    stack, tops = s.stack, s.tops
    if op == 0x0B:
        return control.end(s, reached)
    if op == 0x05:
        control.else_(s, reached)
    elif op == 0x03:
        control.loop(s, imm, place)
    elif op == 0x0C:
        control.br(s, imm)
        return True
    elif op == 0x0F:  # return
        control.br(s, len(s.blocks) - 1)
        return True
    elif op == 0x0E:
        control.br_table(s, imm)
        return True
    elif op == 0x00:
        s.e.trap_always(_UNREACHABLE, place)
        return True
    elif kind not in _OPERATIONS:
        return s.generic(op, imm, place)
    else:
        slot, b = tops[len(stack) - 1], NO
        if kind not in (_ONE, _EXTEND):
            b = stack.pop()
            slot = tops[len(stack) - 1]
            if kind == _DIVIDE:
                b = s.in_slot(b, len(stack) + 1)
        a, detail = stack[-1], 0
        if kind == _COMPARE_FLOATS:
            op, detail, swap = FLOAT_COMPARES[op]
            if swap:
                a, b = b, a
        s.emit(op, a, b, detail, slot, place)
        stack[-1] = slot
    return False
