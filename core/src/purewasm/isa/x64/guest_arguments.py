"""The registers of arguments and results in calls of guest functions, as `backend.placement` wants them: apart from the rest of the
machine, for engines enter guests also where nothing is compiled."""

from __future__ import annotations

from purewasm.backend.target import VECTOR_REGISTER, ArgumentRegisters
from purewasm.isa.x64.registers import R8, R9, RAX, RCX, RDI, RDX, RSI
from purewasm.light_typing import Final

GUEST_ARGUMENTS: Final = ArgumentRegisters((RDI, RSI, RDX, RCX, R8, R9), tuple(range(VECTOR_REGISTER, VECTOR_REGISTER + 8)))
INT_RESULT: Final = RAX
VECTOR_RESULT: Final = VECTOR_REGISTER
"""Where the first result is."""
