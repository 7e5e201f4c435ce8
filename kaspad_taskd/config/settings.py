"""The settings: what the administrator decides for the whole daemon."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import MISSING, Fault, Table, key_path
from kaspad_taskd.base.written import Written, merge
from kaspad_taskd.config.bridge import BRIDGE, address_of, check_absolute, network_of, read_bridge
from kaspad_taskd.config.bridge import Address as Address
from kaspad_taskd.config.bridge import Bridge as Bridge
from kaspad_taskd.config.bridge import Network as Network
from kaspad_taskd.config.bridge import parse_listen as parse_listen
from kaspad_taskd.config.drop_ins import read_files
from kaspad_taskd.config.places import Places
from kaspad_taskd.config.switched import SwitchedService, doubts, read_service

LOG_LEVELS: Final = ("debug", "info", "warning", "error")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_WORDS: Final = (
    "must be letters, digits, . _ or -, beginning with a letter or digit, 64 at most"
)
_ALLOW_WORDS: Final = 'write "loopback", "files", "HOST", "HOST:PORT" or "10.0.0.0/8"'


LOOPBACK: Final = Address("loopback")
"""In `allow_hosts`: 127.0.0.0/8 and ::1, any port."""
FILES: Final = Address("files")
"""In `allow_hosts`: each host:port that a definition file names."""


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
    bridge: Bridge = BRIDGE
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
        bridge=read_bridge(table.table("bridge")),
        databases=databases,
        services={n: _service(t, databases) for n, t in _named(table, "services").items()},
        backup_max_age=table.duration("backup_max_age", None, *BACKUP_AGE),
    )
    table.done()
    return settings, faults


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


def _allow_hosts(table: Table) -> tuple[Address, ...]:
    found = []
    for text in table.strings("allow_hosts", tuple(map(str, DEFAULTS.allow_hosts))):
        address = network_of(text) or address_of(text)
        if address is None:
            table.fault_each("allow_hosts", [f'"{text[:100]}" is no host; {_ALLOW_WORDS}'])
        else:
            found.append(address)
    return tuple(found)


def _file(table: Table, key: str) -> Path:
    text = table.string(key)
    check_absolute(table, key, text)
    return Path(text)
