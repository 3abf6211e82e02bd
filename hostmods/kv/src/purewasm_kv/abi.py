"""The operations of `purewasm/kv@1`. Written by `purewasm gen` from abi.toml: change that instead."""

from __future__ import annotations

from purewasm.hostmod import MailboxModule, operation, u32, u64


class KvAbi(MailboxModule):
    """Bytes by text keys, kept by the host. A host module overrides every method."""

    name = "purewasm/kv@1"
    abi = (1, 0)
    max_request_bytes = 2097152

    @operation(1, name="get")
    def on_get(self, key: str) -> bytes:
        """The value of a key. Errors: NOT_FOUND, INVALID."""
        raise NotImplementedError

    @operation(2, name="set")
    def on_set(self, key: str, value: bytes, ttl_ms: u64 = 0) -> None:
        """Give a key a value; with a time to live (milliseconds, 0 for ever) it is gone after that. Errors: INVALID, TOO_LARGE,
        DENIED.
        """
        raise NotImplementedError

    @operation(3, name="delete")
    def on_delete(self, key: str) -> bool:
        """Remove a key; true if it was there. Errors: INVALID, DENIED."""
        raise NotImplementedError

    @operation(4, name="exists")
    def on_exists(self, key: str) -> bool:
        """True if the key has a value. Errors: INVALID."""
        raise NotImplementedError

    @operation(5, name="list")
    def on_list(self, prefix: str, after: str = "", limit: u32 = 0) -> list[str]:
        """Keys that begin with a prefix, in the order of their UTF-8 bytes, after the key `after`; at most `limit` of them (0: as
        many as the host gives at once). Errors: INVALID.
        """
        raise NotImplementedError

    @operation(6, name="add")
    def on_add(self, key: str, value: bytes, ttl_ms: u64 = 0) -> None:
        """Give a key a value if it has none. Errors: EXISTS, INVALID, TOO_LARGE, DENIED."""
        raise NotImplementedError

    @operation(7, name="compare_and_set")
    def on_compare_and_set(self, key: str, expected: bytes, value: bytes) -> bool:
        """Replace the value of a key if it is the expected one, in one step; true if it was. The time to live ends. Errors:
        NOT_FOUND, INVALID, TOO_LARGE, DENIED.
        """
        raise NotImplementedError

    @operation(8, name="get_many")
    def on_get_many(self, keys: list[str]) -> tuple[list[bool], list[bytes]]:
        """The values of several keys at once; a key without one has an empty value, and false in `found`. Returns found, values.
        Errors: INVALID.
        """
        raise NotImplementedError
