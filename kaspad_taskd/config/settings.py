"""The settings: what the administrator decides for the whole daemon."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import MISSING, Fault, Table, key_path
from kaspad_taskd.base.written import Written, merge
from kaspad_taskd.config.drop_ins import read_files
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.switched import SwitchedService, doubts, read_service

Network: TypeAlias = IPv4Network | IPv6Network

LOG_LEVELS: Final = ("debug", "info", "warning", "error")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_WORDS: Final = (
    "must be letters, digits, . _ or -, beginning with a letter or digit, 64 at most"
)
_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?")
_MAPPED: Final = 96
"""Bits before the IPv4 address that an IPv6 address carries."""
_LISTEN_WORDS: Final = 'must be "HOST:PORT" like "127.0.0.1:3080", "[::1]:3080", or "off"'
_ALLOW_WORDS: Final = 'write "loopback", "files", "HOST", "HOST:PORT" or "10.0.0.0/8"'


@frozen
class Address:
    """A host (name, IP address without brackets, or network) and a port; None is any port."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host and self.port is not None else self.host
        return host if self.port is None else f"{host}:{self.port}"


LOOPBACK: Final = Address("loopback")
"""In `allow_hosts`: 127.0.0.0/8 and ::1, any port."""
FILES: Final = Address("files")
"""In `allow_hosts`: each host:port that a definition file names."""


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
    """

    listen: Address | None = Address("127.0.0.1", 3080)
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    token_file: Path | None = None
    proxies: tuple[Network, ...] = ()


@frozen
class Settings:
    """All settings; without a file these.

    Attributes:
        log_level: one of LOG_LEVELS.
        allow_hosts: where tasks registered over an API may connect to.
        probes: types of task from other packages, by name; their code runs in the daemon.
        bridge: the door for browsers.
        databases: the file that holds the DSN, by the name definitions use.
        services: what can be switched to the local node, by name.
        backup_max_age: seconds after which a backup of the state is too old; None: no matter.
        files: that were read, the lowest first; none where the defaults hold.
        written: which of them says what.
    """

    log_level: str = "info"
    allow_hosts: tuple[Address, ...] = (LOOPBACK, FILES)
    probes: tuple[str, ...] = ()
    bridge: Bridge = Bridge()
    databases: Mapping[str, Path] = field(default_factory=dict)
    services: Mapping[str, SwitchedService] = field(default_factory=dict)
    backup_max_age: float | None = None
    files: tuple[str, ...] = field(default=(), compare=False)
    written: Written = field(default_factory=lambda: Written(""), compare=False, repr=False)

    def source(self, *names: str) -> str | None:
        """Return the file that sets a key, else that which sets the table around it, or None."""
        return self.written.at(*names).file or None


BACKUP_AGE: Final = 3600.0, 3650 * 86_400.0
"""Seconds that may be given as the age of a backup."""
DEFAULTS: Final = Settings()


def load_settings(places: Places) -> Settings | list[Fault]:
    """Return the settings at these places, or all that is wrong with them. Blocks.

    No file is no fault, unless it was named on the command line.
    """
    settings, faults = look_over(places)
    return faults or settings or DEFAULTS


def look_over(places: Places) -> tuple[Settings | None, list[Fault]]:
    """Return the settings, None where a file cannot be read, and what is wrong with them. Blocks.

    Where faults come with them, they serve to find more: what else is wrong in other files. Where a
    file cannot be read, nothing is told to be missing that might stand in it.
    """
    layers, unread = read_files(places)
    merged, written = merge(layers)
    settings, faults = _read(merged, written)
    if unread:
        return None, [*unread, *(fault for fault in faults if fault.kind != MISSING)]
    return replace(settings, files=tuple(file for file, _ in layers), written=written), faults


def doubtful(settings: Settings) -> Iterator[Fault]:
    """Yield what is accepted of services, and hardly meant so."""
    for path, says in doubts(settings.services):
        key = path[0]
        for part in path[1:]:
            key = key_path(key, part)
        yield Fault(key, says, settings.source(*path))


def parse_settings(data: object, file: str | None = None) -> Settings | list[Fault]:
    """Return the settings of a table, or all that is wrong with it."""
    settings, faults = _read(data, file)
    return faults or settings


def _read(data: object, file: str | Written | None) -> tuple[Settings, list[Fault]]:
    faults: list[Fault] = []
    table = Table(data, faults, file=file)
    databases = {name: _file(t, "dsn_file") for name, t in _named(table, "databases").items()}
    settings = Settings(
        log_level=table.string("log_level", DEFAULTS.log_level, choices=LOG_LEVELS),
        allow_hosts=_allow_hosts(table),
        probes=table.strings("probes", ()),
        bridge=_bridge(table.table("bridge")),
        databases=databases,
        services={n: _service(t, databases) for n, t in _named(table, "services").items()},
        backup_max_age=table.duration("backup_max_age", None, *BACKUP_AGE),
    )
    table.done()
    return settings, faults


def parse_listen(text: str) -> Address | None:
    """Return where "HOST:PORT" is; "off" is None.

    Raises:
        ValueError: it is neither; the sentence says what it must be.
    """
    if text == "off":
        return None
    address = _address(text)
    if address is None or address.port is None:
        raise ValueError(_LISTEN_WORDS)
    return address


def _named(table: Table, key: str) -> dict[str, Table]:
    """Tables by names of ours; another name is a fault."""
    found = table.tables(key)
    for name, child in found.items():
        if not NAME.fullmatch(name):
            child.fault("", f"the name {NAME_WORDS}")
    return found


def _service(table: Table, databases: Mapping[str, Path]) -> SwitchedService:
    service = read_service(table)
    if service.dsn is not None and service.dsn not in databases:
        table.fault("dsn", f"there is no [databases.{service.dsn}]", MISSING)
    return service


def _bridge(table: Table) -> Bridge:
    listen = DEFAULTS.bridge.listen
    try:
        listen = parse_listen(table.string("listen", str(listen)))
    except ValueError as refusal:
        table.fault("listen", str(refusal))
    token_file = table.string("token_file", None)
    if token_file is not None:
        _check_absolute(table, "token_file", token_file)
    hosts = table.strings("hosts", ())
    strange = [host for host in hosts if _address(host) is None]
    says = '"{:.100}" is no host; write "taskd.example.org"'
    table.fault_each("hosts", map(says.format, strange))
    file = Path(token_file) if token_file else None
    return Bridge(listen, _origins(table), hosts, file, _proxies(table))


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
    return scheme in ("http", "https") and _address(rest) is not None


def _allow_hosts(table: Table) -> tuple[Address, ...]:
    found = []
    for text in table.strings("allow_hosts", tuple(map(str, DEFAULTS.allow_hosts))):
        address = _network(text) or _address(text)
        if address is None:
            table.fault_each("allow_hosts", [f'"{text[:100]}" is no host; {_ALLOW_WORDS}'])
        else:
            found.append(address)
    return tuple(found)


def _network(text: str) -> Address | None:
    try:
        return Address(str(ip_network(text))) if "/" in text or text.count(":") > 1 else None
    except ValueError:
        return None


def _address(text: str) -> Address | None:
    """The host, and the port if there is one, of "HOST", "HOST:PORT" or "[IPv6]:PORT"."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host is None or parts.netloc != text or parts.username is not None or text.endswith(":"):
        return None
    if ":" in host:
        return Address(host, port) if _network(host) else None
    return Address(host, port) if _HOST.fullmatch(host) else None


def _file(table: Table, key: str) -> Path:
    text = table.string(key)
    _check_absolute(table, key, text)
    return Path(text)


def _check_absolute(table: Table, key: str, text: str) -> None:
    if not text.startswith("/"):
        table.fault(key, "must be an absolute path")
