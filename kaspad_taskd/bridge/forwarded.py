"""Whose request it is: the peer's address, or what proxies that are trusted say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from kaspad_taskd.config.settings import Network

Ip: TypeAlias = IPv4Address | IPv6Address

HOPS: Final = 32
"""Addresses of a header that are looked at, from the right."""
NOBODY: Final = "?"
"""The address of who has none."""
_PAIR: Final = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*')


def address_of(text: str) -> Ip | None:
    """Return an address, with or without port, brackets or zone; IPv4 where IPv6 carries one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def counted_as(address: str) -> str:
    """Return what tries are counted under: an IPv4 address, or an IPv6 network of 64 bits."""
    found = address_of(address)
    if found is None or isinstance(found, IPv4Address):
        return str(found or address)
    return str(IPv6Network((found, 64), strict=False))


def client(
    peer: str,
    x_forwarded_for: Sequence[str],
    forwarded: Sequence[str],
    proxies: Sequence[Network],
) -> str:
    """Return the address that a request comes from.

    Of what proxies say the rightmost address counts that is no proxy's: what stands left of it
    anybody can have written. A proxy sets one of the two headers and lets the other pass, so where
    both lead to different addresses neither counts.

    Args:
        peer: of the connection.
        x_forwarded_for: the header's lines, as they came.
        forwarded: the same of `Forwarded` (RFC 7239).
        proxies: who is believed.
    """
    at = address_of(peer)
    if at is None:
        return peer or NOBODY
    if not _is_one(at, proxies):
        return str(at)
    lists = [_listed(x_forwarded_for), _fors(forwarded)]
    found = {_rightmost(at, each, proxies) for each in lists if each}
    return str(found.pop() if len(found) == 1 else at)


def _rightmost(peer: Ip, chain: Sequence[str], proxies: Sequence[Network]) -> Ip:
    at = peer
    for each in reversed(chain[-HOPS:]):
        found = address_of(each)
        if found is None:  # hidden or unknown: the one that wrote it is the last that is known
            return at
        at = found
        if not _is_one(at, proxies):
            return at
    return at


def _is_one(address: Ip, networks: Iterable[Network]) -> bool:
    return any(address.version == each.version and address in each for each in networks)


def _listed(lines: Sequence[str]) -> list[str]:
    return [each.strip() for line in lines for each in line.split(",") if each.strip()]


def _fors(lines: Sequence[str]) -> list[str]:
    """The `for` of each element of a `Forwarded` header; "" where one has none or is malformed."""
    return [_for(each) for line in lines for each in _elements(line)]


def _elements(line: str) -> list[str]:
    parts = re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^,"]|")+', line)
    return [each for each in parts if each.strip()]


def _for(element: str) -> str:
    for pair in re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^;"]|")+', element):
        found = _PAIR.fullmatch(pair)
        if found is not None and found[1].lower() == "for":
            return re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3]
    return ""
