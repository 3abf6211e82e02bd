"""Guests in Python: what their source imports. `docs/guests-in-python.md` says what the subset is.

    from purewasm_guest.python import export, i32

    @export
    def add(a: i32, b: i32) -> i32:
        return a + b

`python -m purewasm_guest build guest.py -o guest.wasm` compiles it. CPython runs the same file: the numbers of fixed width wrap there too,
so a guest's functions can be tested without building it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeAlias, TypeVar, overload

if TYPE_CHECKING:
    i32: TypeAlias = int  # noqa: PYI042
    i64: TypeAlias = int  # noqa: PYI042
    u32: TypeAlias = int  # noqa: PYI042
    u64: TypeAlias = int  # noqa: PYI042
    f32: TypeAlias = float  # noqa: PYI042
    f64: TypeAlias = float  # noqa: PYI042
else:
    from purewasm_guest.python.fixed_width import f32, f64, i32, i64, u32, u64

__all__ = ["export", "f32", "f64", "host", "i32", "i64", "u32", "u64"]

P = ParamSpec("P")
R = TypeVar("R")


@overload
def export(given: Callable[P, R]) -> Callable[P, R]: ...
@overload
def export(given: str) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def export(given: Callable[P, R] | str) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """Make the function an export of the guest, under its own name or, as `@export("name")`, another one."""
    return (lambda function: function) if isinstance(given, str) else given


def host(module: str, name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Take the function, whose body is `...`, from the import module `module`."""

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        def imported(*arguments: P.args, **named: P.kwargs) -> R:
            raise NotImplementedError(f"{function.__name__} is the host's {module} {name}: only a built guest can call it")

        return imported

    return declare
