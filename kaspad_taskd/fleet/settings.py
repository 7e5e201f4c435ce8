"""`fleet.toml`: which Redis carries the fleet, and who writes; every fault with file, key and cure.

Relay and hub read the same file, and each only the password of its own section: they are two users
of the server, and may be two of the machine.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import MISSING, Fault, Table
from kaspad_taskd.config.bridge import Address, Bridge, read_bridge
from kaspad_taskd.config.reading import read_toml, shown
from kaspad_taskd.config.secret_files import secret_lines
from kaspad_taskd.fleet.keys import HOST, HOST_WORDS

PORT: Final = 6379
MAX_SERVERS: Final = 32
MAX_LABELS: Final = 20
MAX_WISHED: Final = 10_000
"""Hosts that may be wished for."""
MAX_LABEL: Final = 100
"""Characters of a label's value."""
KEEP: Final = (10, 100_000)
KEEP_DAYS: Final = (1, 3_650)
DATABASE: Final = (0, 1_000_000)
USER: Final = re.compile(r"\S{1,100}")
_UNIX: Final = "unix:"
_PLACE: Final = re.compile(r"(?:\[([0-9A-Fa-f:.%a-z]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Part(StrEnum):
    """A program of the fleet, by its section."""

    RELAY = "relay"
    HUB = "hub"


@frozen
class Server:
    """Where a Redis or Valkey listens: at a host and port, or on a socket."""

    host: str = ""
    port: int = PORT
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{_UNIX}{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@frozen
class Engine:
    """What carries the fleet, `[redis]`.

    Attributes:
        servers: one; or a pair, of which one is written to; or some of a cluster.
        database: its number.
        tls: whether it is spoken to so.
        ca_file: who is trusted, None for the system's.
        cert_file: our own certificate, None for none.
        key_file: its key.
    """

    servers: tuple[Server, ...]
    database: int = 0
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


@frozen
class Login:
    """A user of the server; without a name nobody logs in.

    Attributes:
        user: by name, None for none.
        password: a secret.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)


@frozen
class Relay:
    """What the relay is told, `[relay]`.

    Attributes:
        login: its user.
        keep: events that are kept of a host, about.
        keep_days: days before the newest of them.
    """

    login: Login = Login()
    keep: int = 400
    keep_days: int = 30


_DEFAULT: Final = Relay()
DOOR: Final = Bridge(Address("127.0.0.1", 3081), place="[hub] of fleet.toml")
"""A hub's, where nothing else is said: beside the daemon's."""


@frozen
class Hub:
    """What the hub is told, `[hub]`.

    Attributes:
        login: its user.
        expected: hosts that are shown though nothing was ever heard of them.
        door: where browsers come in, and who may.
    """

    login: Login = Login()
    expected: tuple[str, ...] = ()
    door: Bridge = DOOR


NO_HUB: Final = Hub()


@frozen
class Settings:
    """What `fleet.toml` says.

    Attributes:
        host: how this host is called in the fleet.
        labels: by which hosts are grouped.
        engine: what carries the fleet.
        relay: what is for the relay alone.
        hub: what is for the hub alone.
    """

    host: str
    labels: Mapping[str, str] = field(default_factory=dict)
    engine: Engine = Engine(())
    relay: Relay = Relay()
    hub: Hub = NO_HUB


def load(path: Path, part: Part | None) -> Settings | list[Fault]:
    """Return the settings of a file for a program, or all that is wrong. Blocks.

    `part`: whose password is read; None: nobody's, for who has one elsewhere.
    """
    data = read_toml(path)
    return [data] if isinstance(data, Fault) else parse(data, shown(path), part)


def parse(data: object, file: str, part: Part | None) -> Settings | list[Fault]:
    """Return the settings of a table that stands in `file`, or all that is wrong. Blocks."""
    faults: list[Fault] = []
    table = Table(data, faults, file=file)
    settings = Settings(
        host=_host(table),
        labels=_labels(table),
        engine=_engine(table.table("redis")),
        relay=_relay(table.table("relay"), part),
        hub=_hub(table.table("hub"), part),
    )
    table.done()
    return faults or settings


def _host(table: Table) -> str:
    given = table.string("host", None, pattern=HOST, must=HOST_WORDS)
    if given is not None or table.peek("host") is not None:
        return given or ""
    name = socket.gethostname()
    if not HOST.fullmatch(name):
        problem = f'is not there, and the machine\'s name "{name[:80]}" {HOST_WORDS}: set another'
        table.fault("host", problem, MISSING)
    return name


def _labels(table: Table) -> Mapping[str, str]:
    labels = table.texts("labels", {})
    if len(labels) > MAX_LABELS:
        table.fault("labels", f"has {len(labels)}; {MAX_LABELS} is the most")
    says = '"{:.40}" must be letters, digits, . _ or -, beginning with a letter or digit'
    table.fault_each("labels", (says.format(name) for name in labels if not _LABEL.fullmatch(name)))
    long = [name for name, value in labels.items() if len(value) > MAX_LABEL]
    says = f'"{{:.40}}" is longer than {MAX_LABEL} characters'
    table.fault_each("labels", map(says.format, long))
    return MappingProxyType(dict(labels))


def _engine(table: Table) -> Engine:
    tls = table.boolean("tls", False)
    files = {key: _file(table, key) for key in ("ca_file", "cert_file", "key_file")}
    for key, file in files.items():
        if file is not None and not tls:
            table.fault(key, "is for TLS; set tls = true")
        elif file is not None and not file.is_file():
            table.fault(key, f"{shown(file)} is not there, or no file")
    for key, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if files[key] is not None and files[other] is None:
            table.fault(other, f"is required beside {key}", MISSING)
    return Engine(
        servers=_servers(table), database=table.integer("database", 0, *DATABASE), tls=tls, **files
    )


def _servers(table: Table) -> tuple[Server, ...]:
    if table.peek("servers") is None:
        cure = 'is required: where Redis or Valkey listens, like ["redis.example.org:6379"]'
        table.strings("servers", ())
        table.fault("servers", cure, MISSING)
        return ()
    given = table.strings("servers", (), MAX_SERVERS)
    if not given:
        table.fault("servers", "is empty; name one")
    read = {text: server_of(text) for text in given}
    says = '"{:.80}" must be HOST, HOST:PORT, [ADDRESS]:PORT or unix:/PATH'
    table.fault_each("servers", (says.format(text) for text, server in read.items() if not server))
    return tuple(server for server in read.values() if server is not None)


def server_of(text: str) -> Server | None:
    """Return the server that a setting names; None: it names none."""
    if text.startswith(_UNIX):
        path = text[len(_UNIX) :]
        return Server(path=path) if path.startswith("/") and path.isprintable() else None
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    port = int(found[3] or PORT)
    return Server(found[1] or found[2], port) if 0 < port < 65_536 else None


def _relay(table: Table, part: Part | None) -> Relay:
    return Relay(
        login=login(table, part is Part.RELAY),
        keep=table.integer("keep", _DEFAULT.keep, *KEEP),
        keep_days=table.integer("keep_days", _DEFAULT.keep_days, *KEEP_DAYS),
    )


def _hub(table: Table, part: Part | None) -> Hub:
    expected = table.strings("expected", (), MAX_WISHED)
    says, wrong = (
        f'"{{:.80}}" {HOST_WORDS}',
        [each for each in expected if not HOST.fullmatch(each)],
    )
    table.fault_each("expected", map(says.format, wrong))
    door = read_bridge(table, DOOR)
    if door.listen is None:
        table.fault("listen", "must be an address: a hub that serves nobody need not run")
    return Hub(login=login(table, part is Part.HUB), expected=expected, door=door)


def login(table: Table, mine: bool) -> Login:
    """Return the user that a section names; the password is read where the section is `mine`."""
    user = table.string("user", None, pattern=USER, must="must be a name without blanks")
    file = _file(table, "password_file")
    if file is None:
        if user is not None and table.peek("password_file") is None:
            cure = f'is required: a file with the password of "{user}"'
            table.fault("password_file", cure, MISSING)
        return Login()
    if not mine:
        return Login(user)
    lines, faults = secret_lines(file, f"kaspad-taskd-{table.path}")
    table.faults.extend(faults)
    if lines is None:
        return Login()
    if len(lines) != 1:
        problem = "must have one line, the password"
        table.faults.append(Fault("", problem, shown(file)))
        return Login()
    return Login(user, lines[0][1])


def _file(table: Table, key: str) -> Path | None:
    text = table.string(key, None)
    if text is None:
        return None
    if not text.startswith("/"):
        table.fault(key, "must be an absolute path")
        return None
    return Path(text)


def unprotected(engine: Engine) -> str:
    """Return a server that is reached in clear over a network, "": there is none."""
    if engine.tls:
        return ""
    return next((str(each) for each in engine.servers if not each.path and not _own(each.host)), "")


def _own(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
