"""Reading and checking function bodies in one pass over their bytes (spec: appendix, validation algorithm).

No list of instructions is built. The loop in `_run` decodes frequent instructions and checks them inline where the types on
the stack are exactly the expected ones; whatever else there is (subtypes, unreachable code, wide integers, errors) goes to the
function of the instruction's family, which decides. So the loop is never wrong, only sometimes not enough.
"""

from __future__ import annotations

from purewasm.binary.expressions import start_of_instruction
from purewasm.binary.leb import s32_tail, u32_tail
from purewasm.binary.reader import UNEXPECTED_END
from purewasm.binary.types import TypeSpace
from purewasm.errors import InternalError, MalformedError, ModuleError
from purewasm.light_library import length_hint
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn
from purewasm.validate import control, memory, parametric, plan, variable
from purewasm.validate.signatures import apply
from purewasm.validate.state import FLOOR, FLOOR_ONLY, LABEL, POLY, POLY_ONLY, BodyState
from purewasm.wasm import opcodes
from purewasm.wasm import valtypes as vt
from purewasm.wasm.features import Features
from purewasm.wasm.limits import MAX_BLOCK_NESTING
from purewasm.wasm.opcodes import CODE

if TYPE_CHECKING:
    from purewasm.validate.plan import Plan
    from purewasm.wasm.module import Code

_LOCAL_GET: Final = CODE["local.get"]
_LOOP: Final = CODE["loop"]
_IF: Final = CODE["if"]
_END: Final = CODE["end"]
_I32: Final = vt.I32
_REF_BASE: Final = vt.REF_BASE

# Block types of one byte: what the block leaves, and the stack that its `end` must find.
_PLAIN_BLOCKS: Final[dict[int, tuple[tuple[int, ...], list[int]]]] = {
    0x40: ((), FLOOR_ONLY),
    **{valtype: ((valtype,), [FLOOR, valtype]) for valtype in (vt.I32, vt.I64, vt.F32, vt.F64)},
}
_ALL: Final = Features.all().bits
_SHOWN_NAME: Final = 80  # characters of a function's name in a message


def check_body(state: BodyState, table: Plan, index: int, code: Code) -> None:
    """Check the body of function `index`. Errors say the function, and the offset of the instruction in the module."""
    body = state.module.source[code.start : code.end]
    made = state.module.func_types[index].func
    state.begin(body, made.results)
    state.declare_locals(made.params, code.locals, len(body))
    try:
        _run(state, table)
        left = length_hint(state.code)
        if state.frames:
            _refuse_missing_end(state.module.source, code)
        if left:
            raise MalformedError(f"section size mismatch: {left} bytes behind the END opcode")
    except (StopIteration, IndexError, ModuleError) as error:
        _refuse(state, index, code, body, error)


def _refuse_missing_end(source: bytes, code: Code) -> NoReturn:
    """The bytes of a body end behind a whole instruction, and it is not the END that closes the function."""
    if code.end == len(source):
        raise MalformedError(f"{UNEXPECTED_END}: no END opcode")
    if source[code.end] == _END:
        raise MalformedError("section size mismatch: the END opcode lies behind the size that is declared")
    raise MalformedError("END opcode expected")


def _refuse(state: BodyState, index: int, code: Code, body: bytes, error: StopIteration | IndexError | ModuleError) -> NoReturn:
    """Raise what stopped the loop as an error that says where it was."""
    position = len(body) - length_hint(state.code)
    where = f"function {index}"
    from purewasm.binary.names import decode_names  # for the message

    name = decode_names(state.module).functions.get(index)
    if name is not None:
        where += f" {name[:_SHOWN_NAME]!r}"
    if isinstance(error, MalformedError):
        error.message, error.offset = f"{error.message} ({where})", code.start + max(position - 1, 0)
        raise error
    try:
        start, opcode = start_of_instruction(body, position, TypeSpace(state.module.types, _ALL))
    except StopIteration:
        raise MalformedError(f"{UNEXPECTED_END} ({where})", offset=code.end) from None
    if isinstance(error, IndexError):
        error = _unknown_index(state, body[start:], error)
    if not isinstance(error, ModuleError):
        raise InternalError(f"validation failed at {opcodes.NAME[opcode]} in {where}, offset 0x{code.start + start:x}") from error
    error.message, error.offset = f"{error.message} ({opcodes.NAME[opcode]} in {where})", code.start + start
    raise error


def _unknown_index(state: BodyState, rest: bytes, error: IndexError) -> IndexError | ModuleError:
    """The loop indexes lists without asking; the instruction's handler says what it is that does not exist."""
    state.code = iter(rest)
    opcode = next(state.code)
    try:
        state.handlers[opcode](state, opcode)
    except ModuleError as explained:
        return explained
    return error


def _run(state: BodyState, table: Plan) -> None:
    """Check instructions until the function's END has been read or the bytes are used up.

    `stack` is always `state.stack`. Lists are indexed before anything is changed, so that an IndexError leaves all as it was.
    """
    code, frames, locals_, calls, globals_, settable = (
        state.code, state.frames, state.locals, state.calls, state.globals, state.settable
    )  # fmt: skip
    handlers, stack, near, initialised = state.handlers, state.stack, len(state.locals), state.initialised
    for op in code:
        if op == _LOCAL_GET:
            index = next(code)
            if index < 0x80:
                valtype = locals_[index]
            else:
                index = u32_tail(code, index)
                valtype = locals_[index] if index < near else variable.local_type(state, index)
            if valtype < 0:
                variable.refuse_uninitialized(index)
            stack.append(valtype)
            continue
        kind, wanted, made = table[op]
        if kind == plan.I32_CONST:
            # At most five bytes; the bits of the fifth that are none of the integer's must repeat its sign.
            if next(code) > 0x7F and next(code) > 0x7F and next(code) > 0x7F and next(code) > 0x7F:
                byte = next(code)
                if byte > 0x7F or byte & 0x78 not in (0, 0x78):
                    s32_tail(iter((0x80, 0x80, 0x80, byte, 0)), 0x80)
            stack.append(_I32)
        elif kind == plan.BINARY:
            valtype = stack.pop()
            if valtype == wanted == stack[-1]:
                stack[-1] = made
            else:
                stack.append(valtype)
                apply(state, op)
        elif kind == plan.LOCAL_SET:
            index = next(code)
            if index >= 0x80:
                index = u32_tail(code, index)
            valtype = locals_[index] if index < near else variable.local_type(state, index)
            if valtype == stack[-1]:
                stack.pop()
            else:
                variable.set_local(state, index)
        elif kind == plan.END:
            frame = frames[-1]
            ends = frame[4]
            if ends is not None and stack in (ends, POLY_ONLY):
                frames.pop()
                stack = state.stack = frame[5]
                stack += frame[2]
                if len(initialised) > frame[6]:
                    state.forget(frame[6])
            else:
                control.end_block(state, op)
                if not frames:
                    return
                stack = state.stack
        elif kind == plan.BR_IF:
            depth = next(code)
            if depth >= 0x80:
                depth = u32_tail(code, depth)
            label = frames[~depth][LABEL]
            if not label and stack[-1] == _I32:
                stack.pop()
            else:
                control.branch_if(state, depth)
        elif kind == plan.LOCAL_TEE:
            index = next(code)
            if index >= 0x80:
                index = u32_tail(code, index)
            valtype = locals_[index] if index < near else variable.local_type(state, index)
            if valtype != stack[-1]:
                variable.tee_local(state, index)
        elif kind == plan.BLOCK:
            byte = next(code)
            plain = _PLAIN_BLOCKS.get(byte)
            if plain is None or len(frames) > MAX_BLOCK_NESTING or (op == _IF and (byte != 0x40 or stack[-1] != _I32)):
                control.open_block(state, op, byte)
                stack = state.stack
            else:
                if op == _IF:
                    stack.pop()
                results, ends = plain
                frames.append((op, (), results, () if op == _LOOP else results, ends, stack, len(initialised)))
                stack = state.stack = [FLOOR]
        elif kind == plan.LOAD:
            align = next(code)
            if align > wanted:
                memory.access(state, op, align)
                continue
            byte = next(code)
            if byte > 0x7F:
                memory.offset_tail(state, byte)
            if stack[-1] == _I32:
                stack[-1] = made
            else:
                memory.apply_signature(state, op, _I32)
        elif kind == plan.STORE:
            align = next(code)
            if align > wanted:
                memory.access(state, op, align)
                continue
            byte = next(code)
            if byte > 0x7F:
                memory.offset_tail(state, byte)
            valtype = stack.pop()
            if valtype == made and stack[-1] == _I32:
                stack.pop()
            else:
                stack.append(valtype)
                memory.apply_signature(state, op, _I32)
        elif kind == plan.CALL:
            index = next(code)
            if index >= 0x80:
                index = u32_tail(code, index)
            number, params, results = calls[index]
            if number > 0 and stack[-number:] == params:
                del stack[-number:]
                stack += results
            elif number == 0:
                stack += results
            else:
                state.pop_types(params)
                state.push_types(results)
        elif kind == plan.UNARY:
            if stack[-1] == wanted:
                stack[-1] = made
            else:
                apply(state, op)
        elif kind == plan.BR:
            depth = next(code)
            if depth >= 0x80:
                depth = u32_tail(code, depth)
            label = frames[~depth][LABEL]
            if label:
                state.pop_types(label)
            stack[0] = POLY
            del stack[1:]
        elif kind == plan.GLOBAL_GET:
            index = next(code)
            stack.append(globals_[index if index < 0x80 else u32_tail(code, index)])
        elif kind == plan.GLOBAL_SET:
            index = next(code)
            if index >= 0x80:
                index = u32_tail(code, index)
            if settable[index] == stack[-1]:
                stack.pop()
            else:
                variable.set_global(state, index)
        elif kind == plan.UNREACHABLE:
            stack[0] = POLY
            del stack[1:]
        elif kind == plan.SELECT:
            if len(stack) > 3 and stack[-1] == _I32 and 0 < stack[-2] == stack[-3] < _REF_BASE:
                del stack[-2:]
            else:
                parametric.select(state, op)
        elif kind == plan.DROP:
            if stack[-1] >= 0:
                stack.pop()
            else:
                state.pop_any()
        else:
            handlers[op](state, op)
            stack = state.stack
