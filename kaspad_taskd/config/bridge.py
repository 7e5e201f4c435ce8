"""A door for browsers, as settings have it: the daemon's `[bridge]`, a hub's `[hub]`."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import Table

Network: TypeAlias = IPv4Network | IPv6Network

_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?")
_MAPPED: Final = 96
"""Bits before the IPv4 address that an IPv6 address carries."""
_LISTEN_WORDS: Final = 'must be "HOST:PORT" like "127.0.0.1:3080", "[::1]:3080", or "off"'


@frozen
class Address:
    """A host (name, IP address without brackets, or network) and a port; None is any port."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host and self.port is not None else self.host
        return host if self.port is None else f"{host}:{self.port}"


@frozen
class Bridge:
    """The door for browsers.

    Attributes:
        listen: where, or None for no bridge; port 0 is any free one.
        origins: pages that may connect besides its own, as browsers send them.
        hosts: names besides loopback by which browsers may reach it.
        token_file: holds the token for changes; None lets the daemon make one.
        proxies: who is believed when it says (X-Forwarded-For, Forwarded) whose request it passes
            on.
        place: where these settings stand, as people are told.
    """

    listen: Address | None = Address("127.0.0.1", 3080)
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    token_file: Path | None = None
    proxies: tuple[Network, ...] = ()
    place: str = "[bridge] of kaspad-taskd.toml"


BRIDGE: Final = Bridge()


def read_bridge(table: Table, default: Bridge = BRIDGE) -> Bridge:
    """Return what a section says of a door; `default` has its address where it says none."""
    listen = default.listen
    try:
        listen = parse_listen(table.string("listen", str(listen)))
    except ValueError as refusal:
        table.fault("listen", str(refusal))
    token_file = table.string("token_file", None)
    if token_file is not None:
        check_absolute(table, "token_file", token_file)
    hosts = table.strings("hosts", ())
    strange = [host for host in hosts if address_of(host) is None]
    says = '"{:.100}" is no host; write "taskd.example.org"'
    table.fault_each("hosts", map(says.format, strange))
    file = Path(token_file) if token_file else None
    return Bridge(listen, _origins(table), hosts, file, _proxies(table), default.place)


def _proxies(table: Table) -> tuple[Network, ...]:
    texts = table.strings("proxies", ())
    found = [(text, _proxy(text)) for text in texts]
    says = '"{:.100}" is no address or network of a proxy; write "127.0.0.1" or "10.0.0.0/8"'
    table.fault_each("proxies", (says.format(text) for text, proxy in found if proxy is None))
    proxies = tuple(proxy for _, proxy in found if proxy is not None)
    wide = [str(each) for each in proxies if not each.prefixlen]
    says = 'name each proxy; "{}" lets anybody say where it comes from'
    table.fault_each("proxies", map(says.format, wide))
    return proxies


def _proxy(text: str) -> Network | None:
    """The network of "ADDRESS" or "ADDRESS/BITS"; that of IPv4 where IPv6 carries one."""
    try:
        found = ip_network(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Network) and found.prefixlen >= _MAPPED:
        mapped = found.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, found.prefixlen - _MAPPED))
    return found


def _origins(table: Table) -> tuple[str, ...]:
    origins = tuple(origin.rstrip("/").lower() for origin in table.strings("origins", ()))
    stars = [origin for origin in origins if "*" in origin]
    strange = [each for each in origins if each not in stars and not _is_origin(each)]
    table.fault_each("origins", (f'name each page; "{each:.100}" lets any in' for each in stars))
    says = '"{:.100}" is no origin; write "https://example.org"'
    table.fault_each("origins", map(says.format, strange))
    return origins


def _is_origin(text: str) -> bool:
    scheme, _, rest = text.partition("://")
    return scheme in ("http", "https") and address_of(rest) is not None


def parse_listen(text: str) -> Address | None:
    """Return where "HOST:PORT" is; "off" is None.

    Raises:
        ValueError: it is neither; the sentence says what it must be.
    """
    if text == "off":
        return None
    address = address_of(text)
    if address is None or address.port is None:
        raise ValueError(_LISTEN_WORDS)
    return address


def network_of(text: str) -> Address | None:
    """Return the network or IPv6 address that this is; None: it is neither."""
    try:
        return Address(str(ip_network(text))) if "/" in text or text.count(":") > 1 else None
    except ValueError:
        return None


def address_of(text: str) -> Address | None:
    """Return the host, and the port if there is one, of "HOST", "HOST:PORT" or "[IPv6]:PORT"."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host is None or parts.netloc != text or parts.username is not None or text.endswith(":"):
        return None
    if ":" in host:
        return Address(host, port) if network_of(host) else None
    return Address(host, port) if _HOST.fullmatch(host) else None


def check_absolute(table: Table, key: str, text: str) -> None:
    """Note a fault where a path is not absolute."""
    if not text.startswith("/"):
        table.fault(key, "must be an absolute path")
