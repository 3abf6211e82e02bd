"""What builds an instruction, by opcode. Families are imported when the first of their instructions comes: most modules have nothing of
some of them, and baseline code deals with what is frequent itself.
"""

from __future__ import annotations

from purewasm.errors import InternalError
from purewasm.light_importing import import_module
from purewasm.light_typing import TYPE_CHECKING, Any, Final
from purewasm.wasm.opcodes import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.frontend.state import Builder

    Handler = Callable[[Builder, int, Any], bool]

_CASTS: Final = "casts"
"""What asks for the types of objects, whatever its family."""


class _Handlers(dict[int, "Handler"]):
    def __missing__(self, code: int) -> Handler:
        family = next((family for family, rows in FAMILIES.items() if any(row[0] == code for row in rows)), "control")
        for name in (family, _CASTS):
            if code not in self:
                self.update(import_module(f"purewasm.frontend.{name}").HANDLERS)
        found = self.get(code)
        if found is None:
            raise InternalError(f"nothing builds instruction {code:#x}")
        return found


HANDLERS: Final = _Handlers()
