"""Which register has which role in compiled code; `machine` has the whole picture."""

from __future__ import annotations

from purewasm.isa.x64.registers import R10, R11, R14, R15
from purewasm.light_typing import Final

CONTEXT: Final = R14
MEMORY: Final = R15
# A call's target and what its checks need: no argument arrives in these.
TARGET_REGISTER: Final = R11
SECOND_REGISTER: Final = R10
