"""References: null, functions, tests, casts, i31, and branches on them (spec: reference instructions)."""

from __future__ import annotations

from purewasm.engine.interpreter.control import branch_on
from purewasm.engine.interpreter.fragments import AND, ATOM, NAME, OR, PLAIN, Fragment, condition, inside
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.wasm import valtypes as vt
from purewasm.wasm.deftypes import FuncType

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.engine.interpreter.lowering import Handlers, Lowering


def lower_ref_null(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    stack.append(("None", ATOM, 0, 0, 0, 0, PLAIN, "", ""))


def lower_ref_is_null(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    a = stack.pop()
    text = inside(a, OR)
    low.push(condition(f"{text} is None", f"{text} is not None", a[4], a[5]))


def lower_ref_func(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    stack.append((f"F{imm}", ATOM, 0, 0, 0, 0, PLAIN, "", ""))


def lower_ref_eq(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    b, a = stack.pop(), stack.pop()
    text = f"ref_eq({a[0]}, {b[0]})"
    low.push(condition(text, f"not {text}", a[4] | b[4], a[5] or b[5]))


def lower_as_non_null(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    low.flush_impure()
    low.push_statement(f"non_null({stack.pop()[0]})", at)


# ---- tests and casts


def membership(low: Lowering, name: str, heap: int, nullable: bool) -> str:
    """Python condition that the reference in a variable is one to `heap`. A concrete type is named by the module's index for it."""
    if heap in (vt.NONE, vt.NOFUNC, vt.NOEXTERN, vt.NOEXN):
        return f"{name} is None" if nullable else "False"
    if heap >= 0:
        index = low.context.type_index(heap)
        kind = "function_type" if isinstance(low.module.types[index].composite, FuncType) else "type"
        test = f"is_{kind}({name}, Y{index}.id)"
    elif heap in (vt.FUNC, vt.EXTERN, vt.EXN, vt.ANY):
        test = f"{name} is not None"  # the top of a hierarchy: validation leaves nothing else to ask
    else:
        test = f"is_{vt.HEAP_NAMES[heap]}({name})"
    if not nullable:
        return test
    return "True" if test.endswith("is not None") else f"({name} is None or {test})"


def _name(low: Lowering, stack: list[Fragment]) -> str:
    """Put the topmost operand in a variable; the variable's name."""
    low.flush_impure()
    if stack[-1][1] != NAME:
        value = stack.pop()
        name = low.temp()
        low.emit(f"{name} = {value[0]}", value[5] - 1)
        stack.append((name, NAME, 0, 0, 0, 0, PLAIN, "", ""))
    return stack[-1][0]


def _test(nullable: bool) -> Callable[[Lowering, list[Fragment], int, int], None]:
    def lower_ref_test(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
        name = _name(low, stack)
        reads = stack.pop()[4]
        text = membership(low, name, imm, nullable)
        low.push(condition(text, f"not {text}", reads, 0))

    return lower_ref_test


def _cast(nullable: bool) -> Callable[[Lowering, list[Fragment], int, int], None]:
    def lower_ref_cast(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
        name = _name(low, stack)
        low.emit(f"if not {membership(low, name, imm, nullable)}: cast_failure()", at)

    return lower_ref_cast


def _branch_on_cast(on_success: bool) -> Callable[[Lowering, list[Fragment], tuple[int, int, int], int], None]:
    def lower_branch_on_cast(low: Lowering, stack: list[Fragment], imm: tuple[int, int, int], at: int) -> None:
        depth, _, target = imm
        name = _name(low, stack)
        yes = membership(low, name, vt.heap_of(target), vt.is_nullable(target))
        no = f"not {yes}"
        branch_on(low, *((yes, no) if on_success else (no, yes)), depth, at)

    return lower_branch_on_cast


def lower_br_on_null(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    name = _name(low, stack)
    value = stack.pop()
    branch_on(low, f"{name} is None", f"{name} is not None", imm, at)
    stack.append(value)


def lower_br_on_non_null(low: Lowering, stack: list[Fragment], imm: int, at: int) -> None:
    name = _name(low, stack)
    branch_on(low, f"{name} is not None", f"{name} is None", imm, at)
    stack.pop()


# ---- i31


def lower_ref_i31(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    a = stack.pop()
    low.push((f"I31({inside(a, AND)} & 2147483647)", ATOM, 0, 0, a[4], a[5], PLAIN, "", ""))


def lower_i31_get_u(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    low.flush_impure()
    low.push_statement(f"{inside(stack.pop(), ATOM)}.value", at, 0, (1 << 31) - 1)


def lower_i31_get_s(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    low.flush_impure()
    text = f"t if (t := {inside(stack.pop(), ATOM)}.value) < 1073741824 else t - 2147483648"
    low.push_statement(text, at, -(1 << 30), (1 << 30) - 1)


def lower_identity(low: Lowering, stack: list[Fragment], imm: None, at: int) -> None:
    """An external reference and its internal form are one object."""


HANDLERS: Final[Handlers] = {
    0xD0: lower_ref_null,
    0xD1: lower_ref_is_null,
    0xD2: lower_ref_func,
    0xD3: lower_ref_eq,
    0xD4: lower_as_non_null,
    0xD5: lower_br_on_null,
    0xD6: lower_br_on_non_null,
    0xFB014: _test(nullable=False),
    0xFB015: _test(nullable=True),
    0xFB016: _cast(nullable=False),
    0xFB017: _cast(nullable=True),
    0xFB018: _branch_on_cast(on_success=True),
    0xFB019: _branch_on_cast(on_success=False),
    0xFB01A: lower_identity,
    0xFB01B: lower_identity,
    0xFB01C: lower_ref_i31,
    0xFB01D: lower_i31_get_s,
    0xFB01E: lower_i31_get_u,
}
