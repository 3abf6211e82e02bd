"""What has to be done when an object goes, such as giving pages back that Python knows nothing of.

A collection of garbage may come at the limit of recursion, where no Python function can be called: `__del__` would be lost there, with
a message for the user. Here the callback of a weak reference is generated code. It calls Python; where that has no room, the work is
left for the next time.
"""

from __future__ import annotations

import sys

from purewasm.engine.native import libc
from purewasm.engine.native.assembler import Assembler
from purewasm.engine.native.control import STUBS, keep
from purewasm.isa.x64.conditions import CC_E, CC_NE
from purewasm.isa.x64.control import RET
from purewasm.isa.x64.integer import ADD_RM64_IMM8, SUB_RM64_IMM8, TEST_RM32_R32, TEST_RM64_R64
from purewasm.isa.x64.registers import RAX, RCX, RDI, RSP
from purewasm.light_library import lru_cache, ref
from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_works: Final[dict[ref[object], Callable[[], None]]] = {}
_left: Final = libc.Block(8)
"""Not 0: something has gone whose work was not done."""
_FRAMES: Final = 40
"""More than any of the works needs."""


def at_end_of(owner: object, work: Callable[[], None]) -> None:
    """Call `work`, which does not hold the owner, when the owner is gone. What it has not finished (a signal's handler may raise) it
    finishes when it is called again; what it has finished it does not do twice, also if it is called once more."""
    _works[ref(owner, _callback())] = work


def settle() -> None:
    """Do what was left. Called before more of what those objects hold is taken."""
    if _left.words[0]:
        _left.words[0] = 0
        for gone in list(_works):
            if gone() is None:
                _end(gone)


def _end(gone: ref[object], ending: Callable[[], bool] = sys.is_finalizing) -> None:
    if not ending():  # at the interpreter's end names are gone, and everything goes with the process
        _make_room(_FRAMES)
        work = _works.get(gone)
        if work is not None:
            work()
            _works.pop(gone, None)


def _make_room(frames: int) -> None:
    """Fail where the work would fail in the middle."""
    if frames:
        _make_room(frames - 1)


@lru_cache(maxsize=1)
def _callback() -> Callable[[ref[object]], object]:
    """Calls `_end`; that there is no room for it is no error. An object of a type of its own: CPython's builtins count as recursion."""
    if not libc.has_api():
        return _end
    a = Assembler()
    a.put(SUB_RM64_IMM8(RSP, 8))
    a.constant(RDI, keep(_end))
    a.constant(RCX, 0)
    a.call(libc.api_address("PyObject_Vectorcall"))
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_NE, "done")
    a.constant(RAX, 1)
    a.constant(RCX, _left.address)
    a.store(RCX, 0, RAX)
    a.constant(RDI, id(RecursionError))
    a.call(libc.api_address("PyErr_ExceptionMatches"))
    a.put(TEST_RM32_R32(RAX, RAX))
    a.jump_if(CC_E, "failed")
    a.call(libc.api_address("PyErr_Clear"))
    a.constant(RDI, id(None))
    a.call(libc.api_address("Py_IncRef"))
    a.constant(RAX, id(None))
    a.jump("done")
    a.label("failed")
    a.constant(RAX, 0)
    a.label("done")
    a.put(ADD_RM64_IMM8(RSP, 8), RET())
    kind, vectorcall = libc.vectorcall_type("purewasm.Ending", object, 0)
    made: Callable[[ref[object]], object] = kind()
    libc.write_word(id(made) + vectorcall, libc.incoming(STUBS.add(a.finish())))
    return made
