"""Whose request it is, as proxies say and as others would like to have it."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.bridge.forwarded import client, counted_as

PROXIES = tuple(map(ip_network, ("127.0.0.1/32", "::1/128", "10.0.0.0/8")))


def seen(peer: str, *xff: str, forwarded: Any = (), proxies: Any = PROXIES) -> str:
    return client(peer, xff, forwarded, proxies)


def test_nobody_is_believed_unless_the_settings_say_so() -> None:
    """Neither without proxies nor from another peer."""
    assert seen("127.0.0.1", "1.2.3.4", proxies=()) == "127.0.0.1"
    assert seen("192.0.2.9", "1.2.3.4", forwarded=["for=1.2.3.4"]) == "192.0.2.9"


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ((), "127.0.0.1"),
        (("203.0.113.7",), "203.0.113.7"),
        (("6.6.6.6, 203.0.113.7",), "203.0.113.7"),
        (("6.6.6.6", "203.0.113.7, 10.1.2.3"), "203.0.113.7"),
        (("203.0.113.7:4711, 10.1.2.3:80",), "203.0.113.7"),
        (("[2001:db8::7]:443",), "2001:db8::7"),
        (("2001:db8::7",), "2001:db8::7"),
        (("::ffff:203.0.113.7",), "203.0.113.7"),
        (("203.0.113.7, ::ffff:10.1.2.3",), "203.0.113.7"),
        (("10.9.9.9, 10.1.2.3",), "10.9.9.9"),
        (("6.6.6.6, unknown, 10.1.2.3",), "10.1.2.3"),
        (("6.6.6.6, unknown",), "127.0.0.1"),
        ((" , ,",), "127.0.0.1"),
        (("<script>",), "127.0.0.1"),
    ],
)
def test_the_rightmost_that_is_no_proxy_counts(lines: tuple[str, ...], address: str) -> None:
    """What stands left of it anybody can have written; where it ends in the dark, its writer."""
    assert seen("127.0.0.1", *lines) == address
    assert seen("::ffff:127.0.0.1", *lines) == address


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (["for=203.0.113.7"], "203.0.113.7"),
        (['For="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17"),
        (["for=192.0.2.60;proto=http;by=203.0.113.43"], "192.0.2.60"),
        (["proto=https; for=192.0.2.60"], "192.0.2.60"),
        (["for=6.6.6.6, for=198.51.100.17"], "198.51.100.17"),
        (["for=6.6.6.6", "for=198.51.100.17, for=10.0.0.2"], "198.51.100.17"),
        (["for=6.6.6.6, for=_hidden"], "127.0.0.1"),
        (["for=6.6.6.6, for=unknown, for=10.0.0.2"], "10.0.0.2"),
        (["for=6.6.6.6, proto=http"], "127.0.0.1"),
        (['for="6.6.6.6, for=7.7.7.7"'], "127.0.0.1"),
        (['for="1.2.3.4'], "127.0.0.1"),
    ],
)
def test_forwarded_is_read_as_its_rfc_has_it(lines: list[str], address: str) -> None:
    """RFC 7239: pairs, quotes, ports, what is hidden."""
    assert seen("127.0.0.1", forwarded=lines) == address


def test_a_header_that_the_proxy_let_pass_cannot_choose_an_address() -> None:
    """A proxy sets one of the two; where they disagree, neither counts."""
    assert seen("127.0.0.1", "203.0.113.7", forwarded=["for=6.6.6.6"]) == "127.0.0.1"
    assert seen("127.0.0.1", "203.0.113.7", forwarded=["for=203.0.113.7"]) == "203.0.113.7"


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_a_header_holds_the_last_hop_is_the_proxys(header: str, other: str) -> None:
    """Nothing crashes, and who forges entries is counted as what its proxy saw."""
    assert seen("127.0.0.1", header, "203.0.113.7") == "203.0.113.7"
    assert seen("127.0.0.1", header, forwarded=[other])


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("?", "?"),
    ],
)
def test_tries_are_counted_by_address_or_network(address: str, counted: str) -> None:
    """A host has a whole /64 of IPv6 to try from."""
    assert counted_as(address) == counted
