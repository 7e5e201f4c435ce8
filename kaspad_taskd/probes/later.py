"""Types that definitions may name and that this version cannot watch yet."""

from __future__ import annotations

from urllib.parse import urlsplit

from kaspad_taskd.core.model import Definition
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType
from kaspad_taskd.tables import Table

_PORTS = {"http": 80, "https": 443}


def _parse(table: Table, name: str, url_keys: tuple[str, ...]) -> Checker:
    # Whoever may not ask there at all is told so first.
    asks = tuple(place for key in url_keys if (place := _place(table.raw(key))) is not None)
    if name == "command" and table.style == "json":
        table.fault("", "a command can only stand in a file of tasks.d", kind="forbidden")
    else:
        table.fault("", f"the type {name} is not in this version yet")
    return Checker(asks=asks)


def _place(url: object) -> tuple[str, int] | None:
    """Return the host and port that a URL names, or None where it names none."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        port = parts.port if parts else None
    except ValueError:
        return None
    if parts is None or not parts.hostname:
        return None
    return parts.hostname, port or _PORTS.get(parts.scheme, 443)


def _open(definition: Definition, _means: Means) -> None:
    raise ImportError(f"the type {definition.type} is not in this version yet")


def later(name: str, *url_keys: str) -> ProbeType:
    """Return a type whose every definition is a fault; `url_keys` name the URLs that it asks."""
    return ProbeType(name, lambda table, _: _parse(table, name, url_keys), _open)
