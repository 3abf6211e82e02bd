"""The operations of `purewasm/http@1`. Written by `purewasm gen` from abi.toml: change that instead."""

from __future__ import annotations

from purewasm.hostmod import Call, MailboxModule, operation, u32


class HttpAbi(MailboxModule):
    """HTTP requests, as far as the embedder allows them. A host module overrides every method."""

    name = "purewasm/http@1"
    abi = (1, 0)
    max_request_bytes = 2097152

    @operation(1, name="request")
    def on_request(
        self, call: Call, verb: str, url: str, headers: list[str], body: bytes, timeout_ms: u32 = 0
    ) -> tuple[u32, list[str], bytes]:
        """Send a request and wait for the whole answer. Headers are names and values in turn; a timeout of 0 is the host's own.
        Returns code, fields, content. Errors: DENIED, INVALID, TOO_LARGE, TIMEOUT, UNAVAILABLE.
        """
        raise NotImplementedError

    @operation(2, name="allowed")
    def on_allowed(self, verb: str, url: str) -> bool:
        """True if the embedder allows requests with this verb to this URL, as far as that can be said without resolving its host."""
        raise NotImplementedError
