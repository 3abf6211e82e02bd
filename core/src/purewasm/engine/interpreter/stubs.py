"""Stubs: what stands for a function until its first call, when it is lowered.

A stub calls `prepare()`, which lowers the function, puts it where the stub was, and returns it, and then makes the call that it was
called for. It passes its arguments one by one, because a call with `*arguments` nests on the C stack on CPython 3.11, and a guest
may well call ten thousand functions for the first time one inside the other.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType

    from purewasm.wasm.deftypes import DefType

    Entry = Callable[..., object]
    _Maker = Callable[[Callable[[], Entry]], FunctionType]

_makers: Final[dict[int, _Maker]] = {}


def _maker(count: int) -> _Maker:
    """A function that makes stubs of `count` parameters."""
    known = _makers.get(count)
    if known is None:
        parameters = ", ".join(f"x{i}" for i in range(count))
        source = f"def make(prepare):\n def stub({parameters}): return prepare()({parameters})\n return stub\n"
        namespace: dict[str, object] = {"__name__": __name__}
        exec(compile(source, "<stub>", "exec"), namespace)
        known = _makers[count] = cast("_Maker", namespace["make"])
    return known


def make_stub(deftype: DefType, prepare: Callable[[], Entry]) -> Entry:
    """A stub for a function of this type."""
    stub = _maker(len(deftype.func.params))(prepare)
    stub.prepare = prepare  # type: ignore[attr-defined]
    return stub


def is_ready(raw: Entry) -> bool:
    """False for a stub: its function has not been lowered yet."""
    return not hasattr(raw, "prepare")


def ready(raw: Entry) -> Entry:
    """The function behind a stub, lowered now; any other callable as it is."""
    prepare = getattr(raw, "prepare", None)
    return raw if prepare is None else prepare()


def tail_of(raw: Entry) -> Entry:
    """What a tail call calls: the body of a function that makes tail calls itself, which may return another call that is owed."""
    real = ready(raw)
    return getattr(real, "body", real)
