"""From a host's name to an address that a guest may reach."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Sequence[str]]
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


def system_resolver(host: str, port: int) -> list[str]:
    """What the system says: addresses as text, in its order. `OSError` for a name that nobody knows."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolve_within(resolver: Resolver, host: str, port: int, seconds: float) -> list[Address]:
    """The addresses of a host. `TimeoutError`: the system's own functions know no limit, so they are waited for no longer."""
    found: list[list[str] | Exception] = []

    def work() -> None:
        try:
            found.append(list(resolver(host, port)))
        except (OSError, UnicodeError, ValueError) as error:
            found.append(error)

    thread = threading.Thread(target=work, daemon=True, name=f"resolve {host[:40]}")
    thread.start()
    thread.join(max(seconds, 0))
    if not found:
        raise TimeoutError(f"resolving {host!r} took too long")
    if isinstance(found[0], Exception):
        raise OSError(f"{host!r} cannot be resolved: {found[0]}")
    return [ip_address(text.partition("%")[0]) for text in found[0]]


def is_public(address: Address) -> bool:
    """True for addresses of the public network; those that carry an IPv4 address are judged by that too."""
    inner: list[IPv4Address | None] = []
    if isinstance(address, IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(address in network for network in _NAT64):
            inner.append(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
    own = address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback)
    return own and all(one is None or is_public(one) for one in inner)


def refused(addresses: Sequence[Address], networks: Sequence[Network]) -> Address | None:
    """The first address that is neither public nor in one of the networks that the embedder allows; None if all may be reached."""
    for address in addresses:
        if not is_public(address) and not any(address in network for network in networks):
            return address
    return None


def parse_networks(networks: Sequence[str]) -> list[Network]:
    """`ValueError` for a text that is no network."""
    return [ip_network(network) for network in networks]
