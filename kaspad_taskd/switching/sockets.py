"""TCP connections of this host, as the kernel lists them: whose are they, and do they go to a node?

/proc/net shows the table of whoever looks; it may be hidden (`ProcSubset=pid`), /proc/self/net is
not. Standard library alone: root's helper uses it, too.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from kaspad_taskd.base.frozen import frozen

Address: TypeAlias = tuple[str, int]
"""An IP address, as `ipaddress` writes it, and a port."""

ESTABLISHED: Final = 1
TIME_WAIT: Final = 6
LISTEN: Final = 10
OWN: Final = Path("/proc/self/net")
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a table that are read: 400,000 connections."""
LOOPBACK: Final = ("127.0.0.1", "::1")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"'<>,;]+")
_PLAIN: Final = re.compile(r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}")
_PORTS: Final = {"wss": 443, "https": 443, "ws": 80, "http": 80}


@frozen
class Row:
    """A socket. `uid` and `inode` are 0 where its program has closed it already."""

    local: Address
    remote: Address
    state: int
    uid: int
    inode: int


def rows(ports: Collection[int] | None = None, directory: Path = OWN) -> list[Row]:
    """Return the TCP sockets of a network; of tcp6 none where there is no IPv6.

    Args:
        ports: only those with one of these at either end: a host has thousands of others.
        directory: `/proc/PID/net`.

    Raises:
        OSError: it cannot be read.
    """
    found = list(parse(_text(directory / "tcp"), ports))
    if (directory / "tcp6").exists():
        found += parse(_text(directory / "tcp6"), ports)
    return found


def _text(path: Path) -> str:
    with path.open(encoding="ascii", errors="replace") as file:
        return file.read(LARGEST)


def parse(text: str, ports: Collection[int] | None = None) -> Iterator[Row]:
    """Yield the sockets of a table of proc(5); a line that cannot be understood is left out."""
    for line in text.splitlines()[1:] if ports is None else _lines(text, ports):
        parts = line.split()
        try:
            yield Row(
                _address(parts[1]), _address(parts[2]), int(parts[3], 16), int(parts[7]),
                int(parts[9]),
            )  # fmt: skip
        except (ValueError, IndexError):
            continue


def _lines(text: str, ports: Collection[int]) -> list[str]:
    """The lines that name one of these ports; those of others are never taken apart."""
    if not ports:
        return []
    named = "|".join(f"{port:04X}" for port in ports)
    return re.findall(rf"^.*:(?:{named}) .*$", text, re.MULTILINE)


def _address(text: str) -> Address:
    """An address as the kernel writes it: words of 32 bits, each in the order of this machine."""
    digits, _, port = text.partition(":")
    raw = bytes.fromhex(digits)
    if sys.byteorder == "little":
        raw = b"".join(raw[place : place + 4][::-1] for place in range(0, len(raw), 4))
    return plain(ipaddress.ip_address(raw)), int(port, 16)


def plain(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An address as text; IPv4 that came over an IPv6 socket is IPv4."""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def wanted(values: Iterable[str]) -> list[tuple[str, int]]:
    """Return the hosts and ports that variables name: of URLs, else of `host:port` alone."""
    found: dict[tuple[str, int], None] = {}
    for value in values:
        for url in _URL.findall(value):
            try:
                parts = urlsplit(url)
                port = parts.port or _PORTS.get(parts.scheme, 0)
            except ValueError:
                continue
            if parts.hostname and port:
                found[parts.hostname, port] = None
        if _PLAIN.fullmatch(value.strip()):
            host, _, digits = value.strip().rpartition(":")
            found[host.strip("[]"), int(digits)] = None
    return list(found)


def numeric(host: str) -> list[str] | None:
    """Return the addresses of a host that needs no name server, else None."""
    if host == "localhost":
        return list(LOOPBACK)
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    if found.is_unspecified:  # who connects there comes out here
        return [LOOPBACK[0] if found.version == 4 else LOOPBACK[1]]
    return [plain(found)]


def to(found: Iterable[Row], nodes: Collection[Address]) -> list[Row]:
    """Return the sockets whose other end is one of these, in whatever state."""
    return [row for row in found if row.remote in nodes]


def listeners(found: Iterable[Row], nodes: Collection[Address]) -> set[int]:
    """Return whose programs listen at these ports of this host."""
    ports = {port for _, port in nodes}
    return {row.uid for row in found if row.state == LISTEN and row.local[1] in ports}


def by_place(found: Iterable[Row], places: Mapping[Address, str]) -> tuple[int, str]:
    """Return how many are established, and to which node, as people write it; the most of them."""
    counts: dict[str, int] = {}
    for row in found:
        if row.state == ESTABLISHED and row.remote in places:
            counts[places[row.remote]] = counts.get(places[row.remote], 0) + 1
    best = max(counts, key=lambda place: counts[place], default="")
    return sum(counts.values()), best


def written(host: str, port: int) -> str:
    """Return `host:port` as people write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
