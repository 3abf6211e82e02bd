"""What the embedder allows: verbs, schemes, hosts, ports and paths."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

import httpx

VERBS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PORTS: Final = {"http": 80, "https": 443}
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")


class Target(NamedTuple):
    """Where a request goes: a URL that was checked for its form."""

    scheme: str
    host: str
    """In lower case and ASCII; an IPv6 address without brackets."""
    port: int
    path: str
    """With the query, as it is sent."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_target(text: str) -> Target:
    """A URL of a guest. `ValueError` says what it must not have."""
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii").lower().strip("[]")
        port = url.port
    except (httpx.InvalidURL, UnicodeError, TypeError, ValueError) as error:
        raise ValueError(f"{text[:200]!r} is no URL: {error}") from None
    if url.scheme not in PORTS or not host:
        raise ValueError(f"{text[:200]!r} is no URL of http or https")
    if port is not None and not 0 < port < 65_536:
        raise ValueError(f"a URL has a port of 1 to 65535, not {port}")
    if url.userinfo:
        raise ValueError("a URL has no user and password: send a header")
    if host.endswith("."):
        host = host[:-1]
    path = url.raw_path.decode("ascii")
    segments = re.split(r"[/\\]", unquote(unquote(path.partition("?")[0])))
    if "." in segments or ".." in segments:
        raise ValueError("the path of a URL has no segments '.' and '..'")
    return Target(url.scheme, host, port or PORTS[url.scheme], path)


class Rule(NamedTuple):
    """One thing that is allowed. `Rule.parse("GET,HEAD https://*.example.org/v1")`."""

    verbs: tuple[str, ...]
    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> Rule:
        """`[VERB[,VERB…]] scheme://host[:port][/path]`. `ValueError` for anything else."""
        head, _, address = text.strip().rpartition(" ")
        verbs = tuple(head.upper().split(",")) if head else VERBS
        scheme, separator, rest = address.partition("://")
        authority, slash, path = rest.partition("/")
        found = re.fullmatch(r"(.*?)(?::(\d{1,5}))?", authority.lower())
        if not separator or scheme not in PORTS or found is None or not _HOST.fullmatch(found[1]) or set(verbs) - set(VERBS):
            raise ValueError(f"{text!r} is no rule: [VERB,…] http(s)://host[:port][/path], host exact or *.domain, verbs {' '.join(VERBS)}")
        if "?" in path or "#" in path:
            raise ValueError(f"{text!r} is no rule: a rule has no query")
        port = int(found[2]) if found[2] else PORTS[scheme]
        return cls(verbs, scheme, found[1].strip("[]"), port, (slash + path).rstrip("/"))

    def allows(self, verb: str, target: Target) -> bool:
        """True if a request fits."""
        if verb not in self.verbs or (self.scheme, self.port) != (target.scheme, target.port):
            return False
        if self.host != target.host and not (self.host.startswith("*.") and target.host.endswith(self.host[1:])):
            return False
        path = target.path.partition("?")[0]
        return path == self.path or path.startswith(f"{self.path}/")
