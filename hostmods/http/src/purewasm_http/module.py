"""The host module: every hop of a request is checked before anything is sent."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final, final
from urllib.parse import urljoin

import httpx

from purewasm.hostmod import Call, OperationError, Status, u32
from purewasm_http.abi import HttpAbi
from purewasm_http.addresses import Resolver, parse_networks, refused, resolve_within, system_resolver
from purewasm_http.beside import Beside
from purewasm_http.rules import VERBS, Rule, Target, parse_target

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_CONNECTION_HEADERS: Final = frozenset(
    "accept-encoding connection content-length expect host keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    "transfer-encoding upgrade".split()
)
_SECRET_HEADERS: Final = frozenset(("authorization", "cookie"))
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_MAX_HEADERS: Final = 100
_MAX_HEADER_BYTES: Final = 1 << 16
_CHUNK_BYTES: Final = 1 << 16

Headers = list[tuple[bytes, bytes]]


@final
class Http(HttpAbi):
    """HTTP requests of guests: `Http(allow=["https://api.example.org/v1/"]).register(runtime)`. Without rules all is denied.

    `ssl_context` says which certificates are trusted, those that httpx trusts by default. `transport` is for tests: an httpx transport that
    takes the place of the network. It gets requests to the addresses that `resolver` found, with the name in the header Host.
    """

    def __init__(
        self,
        allow: Iterable[str | Rule] = (),
        *,
        allow_networks: Sequence[str] = (),
        timeout: float = 10.0,
        max_response_bytes: int = 8 << 20,
        max_redirects: int = 5,
        ssl_context: ssl.SSLContext | None = None,
        resolver: Resolver = system_resolver,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__()
        self._rules = tuple(rule if isinstance(rule, Rule) else Rule.parse(rule) for rule in allow)
        self._networks = parse_networks(allow_networks)
        self._timeout, self._max_response_bytes, self._max_redirects = timeout, max_response_bytes, max_redirects
        self._resolver = resolver
        if transport is None:
            # A connection to an address is only good for the name that it was checked for, so none is kept.
            limits = httpx.Limits(max_keepalive_connections=0)
            transport = httpx.HTTPTransport(verify=True if ssl_context is None else ssl_context, trust_env=False, limits=limits)
        # No client around it: that would follow redirects, keep cookies and read the environment.
        self._transport = transport
        self.max_reply_bytes = max_response_bytes + 2 * _MAX_HEADER_BYTES

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    # ---- operations

    def on_allowed(self, verb: str, url: str) -> bool:
        """True if a rule allows it."""
        try:
            target = parse_target(url)
        except ValueError:
            return False
        return any(rule.allows(verb, target) for rule in self._rules)

    def on_request(
        self, call: Call, verb: str, url: str, headers: list[str], body: bytes, timeout_ms: u32 = 0
    ) -> tuple[u32, list[str], bytes]:
        """Send a request, follow redirects, and collect the answer. A guest that has to stop is not waited for."""
        deadline = time.monotonic() + min(timeout_ms / 1000 or self._timeout, self._timeout)
        if verb not in VERBS:
            raise OperationError(Status.INVALID, f"unknown verb {verb[:20]!r}: there are {' '.join(VERBS)}")
        sent, target = _checked_headers(headers), _target(url)
        self._check_rules(verb, target)
        request = partial(self._request, verb, target, sent, body, deadline)
        return Beside(request, f"request to {target.host[:40]}").result(call.check_interruption)

    def _check_rules(self, verb: str, target: Target) -> None:
        if not any(rule.allows(verb, target) for rule in self._rules):
            raise OperationError(Status.DENIED, f"{verb} {target} is not allowed")

    def _request(self, verb: str, target: Target, sent: Headers, body: bytes, deadline: float) -> tuple[int, list[str], bytes]:
        for _ in range(self._max_redirects + 1):
            response = self._send(verb, target, sent, body, deadline)
            try:
                location = response.headers.get("location")
                if response.status_code not in _REDIRECTS or location is None:
                    return self._collect(response, deadline)
            finally:
                response.close()
            following = _target(location, target)
            if following.origin != target.origin:
                sent = [(name, value) for name, value in sent if name.lower().decode() not in _SECRET_HEADERS]
            if response.status_code == 303 or (response.status_code in (301, 302) and verb == "POST"):
                verb, body = ("HEAD" if verb == "HEAD" else "GET"), b""
                sent = [(name, value) for name, value in sent if not name.lower().startswith(b"content-")]
            target = following
        raise OperationError(Status.UNAVAILABLE, f"more than {self._max_redirects} redirects")

    # ---- one hop

    def _send(self, verb: str, target: Target, headers: Headers, body: bytes, deadline: float) -> httpx.Response:
        self._check_rules(verb, target)
        address = self._address(target, deadline)
        host = f"[{address}]" if ":" in address else address
        left = deadline - time.monotonic()
        if left <= 0:
            raise OperationError(Status.TIMEOUT, f"{target} took too long")
        try:
            request = httpx.Request(
                verb,
                f"{target.scheme}://{host}:{target.port}{target.path}",
                headers=[*headers, (b"host", target.authority.encode()), (b"accept-encoding", b"identity")],
                content=body,
                extensions={"sni_hostname": target.host, "timeout": httpx.Timeout(left).as_dict()},
            )
            response = self._transport.handle_request(request)
            response.request = request
            return response
        except httpx.TimeoutException:
            raise OperationError(Status.TIMEOUT, f"{target} took too long") from None
        except httpx.InvalidURL as error:
            raise OperationError(Status.INVALID, str(error)) from None
        except httpx.HTTPError as error:
            raise OperationError(Status.UNAVAILABLE, f"{target}: {error}") from None

    def _address(self, target: Target, deadline: float) -> str:
        """The address to connect to: the first one, after all of them were checked."""
        try:
            addresses = resolve_within(self._resolver, target.host, target.port, deadline - time.monotonic())
        except TimeoutError as error:
            raise OperationError(Status.TIMEOUT, str(error)) from None
        except (OSError, ValueError) as error:
            raise OperationError(Status.UNAVAILABLE, str(error)) from None
        if not addresses:
            raise OperationError(Status.UNAVAILABLE, f"{target.host!r} has no address")
        private = refused(addresses, self._networks)
        if private is not None:
            raise OperationError(Status.DENIED, f"{target.host!r} leads to {private}, which is no public address")
        return str(addresses[0])

    def _collect(self, response: httpx.Response, deadline: float) -> tuple[int, list[str], bytes]:
        body = bytearray()
        try:
            for chunk in response.iter_raw(_CHUNK_BYTES):
                body += chunk
                if len(body) > self._max_response_bytes:
                    limit = self._max_response_bytes
                    raise OperationError(Status.TOO_LARGE, f"the answer is over the limit of {limit} bytes", limit)
                if time.monotonic() > deadline:
                    raise OperationError(Status.TIMEOUT, "the answer took too long")
        except httpx.TimeoutException:
            raise OperationError(Status.TIMEOUT, "the answer took too long") from None
        except httpx.HTTPError as error:
            raise OperationError(Status.UNAVAILABLE, f"the answer broke off: {error}") from None
        fields = [part for name, value in response.headers.raw for part in (name.decode("latin-1").lower(), value.decode("latin-1"))]
        if len(fields) > 4 * _MAX_HEADERS or sum(map(len, fields)) > _MAX_HEADER_BYTES:
            raise OperationError(Status.TOO_LARGE, "the answer has too many headers")
        return response.status_code, fields, bytes(body)


def _target(url: str, base: Target | None = None) -> Target:
    """Where a URL leads. A guest's is whole, a redirect's may lean on `base`."""
    try:
        return parse_target(url if base is None else urljoin(str(base), url))
    except ValueError as error:
        raise OperationError(Status.INVALID, str(error)) from None


def _checked_headers(headers: list[str]) -> Headers:
    """Names and values in turn. `OperationError` for what is none, and for the connection's own."""
    if len(headers) % 2 or len(headers) > 2 * _MAX_HEADERS or sum(map(len, headers)) > _MAX_HEADER_BYTES:
        problem = f"headers are at most {_MAX_HEADERS} names and values in turn, {_MAX_HEADER_BYTES} bytes together"
        raise OperationError(Status.INVALID, problem)
    pairs = list(zip(headers[::2], headers[1::2], strict=True))
    for name, value in pairs:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise OperationError(Status.INVALID, f"the header {name[:50]!r} is malformed")
        if name.lower() in _CONNECTION_HEADERS:
            raise OperationError(Status.DENIED, f"the header {name!r} is the host's own")
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in pairs]
