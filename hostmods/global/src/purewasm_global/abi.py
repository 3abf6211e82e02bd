"""The operations of `purewasm/globals@1`. Written by `purewasm gen` from abi.toml: change that instead."""

from __future__ import annotations

from purewasm.hostmod import MailboxModule, operation, u64


class GlobalBatchAbi(MailboxModule):
    """Named values that the host sets, many at once. A host module overrides every method."""

    name = "purewasm/globals@1"
    abi = (1, 0)
    max_request_bytes = 1048576

    @operation(1, name="get_many")
    def on_get_many(self, names: list[str], defaults: list[u64]) -> list[u64]:
        """The values of several names, the default of each where the host has none. Errors: INVALID."""
        raise NotImplementedError

    @operation(2, name="list")
    def on_list(self, prefix: str, after: str = "") -> list[str]:
        """The names that have a value and begin with a prefix, in order, after the name `after`; at most 1,000."""
        raise NotImplementedError
