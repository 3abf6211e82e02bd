"""What an operation answers with, and the errors of both sides.

Two kinds of failure are kept apart. An `OperationError` is an answer: valid use of a host module that did not succeed, such as a key
that is not there; the guest gets its status, and goes on. An `AbiError` is a guest that broke the ABI: its call ends, and the error comes
out of the embedder's call. Other instances, and later calls of the same one, are not affected by either.
"""

from __future__ import annotations

from enum import IntEnum

from purewasm.errors import WasmError
from purewasm.light_typing import Final, final


@final
class Status(IntEnum):
    """The statuses that every host module shares. From `MODULE_STATUS` on they are a host module's own."""

    OK = 0
    NOT_FOUND = 1
    EXISTS = 2
    INVALID = 3
    DENIED = 4
    TOO_LARGE = 5
    TIMEOUT = 6
    UNAVAILABLE = 7
    UNSUPPORTED = 8
    INTERNAL = 9


MODULE_STATUS: Final = 100
"""The first status that a host module may give a meaning of its own."""
MAX_STATUS: Final = 0x7FFF_FFFF


def status_name(status: int) -> str:
    """`NOT_FOUND`, or the number of a status that is a host module's own."""
    return Status(status).name if 0 <= status <= Status.INTERNAL else str(status)


class OperationError(WasmError):
    """Raised by an operation: the guest gets `status`, `message` and `data` (None, or a value that the ABI can carry) as its answer."""

    def __init__(self, status: int, message: str = "", data: object = None) -> None:
        if not 0 < status <= MAX_STATUS:
            raise ValueError(f"the status of an error is 1 to {MAX_STATUS}, not {status}")
        super().__init__(status, message, data)
        self.status, self.message, self.data = int(status), message, data

    def __str__(self) -> str:
        return f"{status_name(self.status)}: {self.message}" if self.message else status_name(self.status)


class AbiError(WasmError):
    """A guest broke the ABI of a host module: an address outside its memory, a length over its capacity, a message that is none.

    It ends the guest's call and comes out of the embedder's. `module` is the host module, `operation` the operation, import or export
    at fault, `problem` what is wrong with it, `address` the guest address in question (None where there is none).
    """

    def __init__(self, module: str, operation: str, problem: str, address: int | None = None) -> None:
        where = "" if address is None else f" (address 0x{address:08x})"
        super().__init__(f"{module} {operation}: {problem}{where}")
        self.module, self.operation, self.problem, self.address = module, operation, problem, address

    def __reduce__(self) -> tuple[type[AbiError], tuple[str, str, str, int | None]]:
        return (AbiError, (self.module, self.operation, self.problem, self.address))
