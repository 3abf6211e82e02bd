"""The operations of `purewasm/log@1`. Written by `purewasm gen` from abi.toml: change that instead."""

from __future__ import annotations

from purewasm import Caller
from purewasm.hostmod import Call, MailboxModule, i32, operation, plain_import, u32


class LogAbi(MailboxModule):
    """Messages for the host's log. A host module overrides every method."""

    name = "purewasm/log@1"
    abi = (1, 0)
    max_request_bytes = 65536

    @operation(1, name="write")
    def on_write(self, call: Call, level: u32, logger: str, message: str, fields: list[str]) -> None:
        """Log a message of a level (10 debug, 20 info, 30 warning, 40 error, 50 critical) under a name; fields are names and
        values in turn. Errors: INVALID, TOO_LARGE.
        """
        raise NotImplementedError

    @operation(2, name="enabled")
    def on_enabled(self, call: Call, level: u32, logger: str) -> bool:
        """True if a message of this level under this name would be kept: ask before making an expensive one. Errors: INVALID."""
        raise NotImplementedError

    @plain_import("__log_lowest_level")
    def on_lowest_level(self, caller: Caller) -> i32:
        """The lowest level that is kept under the guest's own name, and 51 where none is. It costs next to nothing: ask before
        each message.
        """
        raise NotImplementedError
