"""Rules and addresses alone."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from purewasm_http.addresses import is_public, refused
from purewasm_http.rules import Rule, parse_target


@pytest.mark.parametrize(
    ("rule", "verb", "url", "allowed"),
    [
        ("https://a.org", "GET", "https://a.org/", True),
        ("https://a.org", "GET", "https://A.ORG:443/x?y", True),
        ("https://a.org", "GET", "https://a.org./x", True),
        ("https://a.org", "GET", "http://a.org/", False),
        ("https://a.org", "GET", "https://a.org:8443/", False),
        ("https://a.org", "GET", "https://b.a.org/", False),
        ("https://a.org", "GET", "https://xa.org/", False),
        ("https://a.org", "GET", "https://a.org.evil.net/", False),
        ("https://a.org", "TRACE", "https://a.org/", False),
        ("https://*.a.org", "GET", "https://b.a.org/", True),
        ("https://*.a.org", "GET", "https://c.b.a.org/", True),
        ("https://*.a.org", "GET", "https://a.org/", False),
        ("https://*.a.org", "GET", "https://ba.org/", False),
        ("GET,HEAD http://a.org:8080/v1/", "HEAD", "http://a.org:8080/v1", True),
        ("GET,HEAD http://a.org:8080/v1/", "GET", "http://a.org:8080/v1/x?q=/../", True),
        ("GET,HEAD http://a.org:8080/v1/", "GET", "http://a.org:8080/v10", False),
        ("GET,HEAD http://a.org:8080/v1/", "POST", "http://a.org:8080/v1/", False),
        ("https://bücher.example", "GET", "https://bücher.example/", None),
        ("http://[::1]:80", "GET", "http://[::1]/", True),
    ],
)
def test_a_rule_allows(rule: str, verb: str, url: str, allowed: bool | None) -> None:
    if allowed is None:
        with pytest.raises(ValueError, match="is no rule"):
            Rule.parse(rule)
        assert parse_target(url).host == "xn--bcher-kva.example"
        return
    assert Rule.parse(rule).allows(verb, parse_target(url)) is allowed


@pytest.mark.parametrize(
    "rule",
    ["", "a.org", "ftp://a.org", "https://", "https://a.org:x", "https://*", "BREW https://a.org", "https://a.org/?q", "https://a b"],
)
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(ValueError, match="is no rule"):
        Rule.parse(rule)


@pytest.mark.parametrize(
    "url",
    [
        "", "a.org", "//a.org/", "file:///etc/passwd", "http://", "http://u@a.org/", "http://u:p@a.org/",
        "http://a.org/%2e%2e/x", "http://a.org/%252e%252e/x", "http://a.org/a\\..\\b", "http://a.org:99999/", "http://a.org\r\nX: y/", "http://[::1/",
    ],
)  # fmt: skip
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        parse_target(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255",
        "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:db8::1", "240.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ip_address(address))


def test_dot_segments_are_gone_before_a_rule_sees_the_path() -> None:
    target = parse_target("http://a.org/v1/../admin")
    assert target.path == "/admin"
    assert not Rule.parse("http://a.org/v1").allows("GET", target)


def test_networks_are_exceptions() -> None:
    from purewasm_http.addresses import parse_networks

    networks = parse_networks(["10.1.0.0/16", "::1/128"])
    assert refused([ip_address("10.1.2.3"), ip_address("::1"), ip_address("8.8.8.8")], networks) is None
    assert str(refused([ip_address("8.8.8.8"), ip_address("10.2.0.1")], networks)) == "10.2.0.1"
