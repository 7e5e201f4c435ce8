"""Hosts read as a whole: many in a few round trips, none larger than a reader has room for.

A host's newest batch is read before its hashes: so these are no older, and what follows that batch
is only said again. Sizes are asked for first, for a host may have put anything there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.asking import Asking, Command, entries, pairs
from kaspad_taskd.fleet.faults import Trouble
from kaspad_taskd.fleet.host import Host, Read

Found: TypeAlias = Read | str | None
"""What a host's keys hold, why that cannot be taken, or None: there are none."""

CHUNK: Final = 50
"""Hosts that are read together."""
MAX_HOST: Final = 16 * 2**20
"""Bytes that a host's keys may take in the server, events apart."""
MAX_EVENTS: Final = 4 * 2**20
"""Bytes of events that are read of a host at once."""
_WEIGHED: Final = (
    keys.META, keys.NOW, keys.TASKS, keys.PROGRESS, keys.SERVICES, keys.WARNINGS,
)  # fmt: skip
_READ: Final = 6


async def fetch(asking: Asking, hosts: Sequence[Host], keep: int) -> dict[Host, Found]:
    """Return what the keys of hosts hold.

    Args:
        asking: the server that has them.
        hosts: CHUNK at most.
        keep: how many of the newest events are wanted.

    Raises:
        Trouble: the server is gone.
    """
    found: dict[Host, Found] = await _weigh(asking, hosts)
    good = [host for host in hosts if host not in found]
    answers = await asking.ask_all([each for host in good for each in _reading(host)])
    parts = {host: answers[at * _READ : (at + 1) * _READ] for at, host in enumerate(good)}
    for host, part in parts.items():
        found[host] = _refused(part) or _read(part)
    whole = {host: read for host, read in found.items() if isinstance(read, Read)}
    await _events(asking, whole, keep)
    return found


async def _weigh(asking: Asking, hosts: Sequence[Host]) -> dict[Host, Found]:
    """Those whose keys are not there, or too large."""
    commands: list[Command] = [
        ("MEMORY", "USAGE", keys.key(host.name, part)) for host in hosts for part in _WEIGHED
    ]
    answers = await asking.ask_all(commands)
    found: dict[Host, Found] = {}
    for at, host in enumerate(hosts):
        sizes = answers[at * len(_WEIGHED) : (at + 1) * len(_WEIGHED)]
        refused = _refused(sizes)
        weight = 0 if refused else sum(size or 0 for size in sizes)
        if refused:
            found[host] = refused
        elif sizes[0] is None:
            found[host] = None
        elif weight > MAX_HOST:
            found[host] = f"its keys take {weight} bytes, more than {MAX_HOST}"
    return found


def _reading(host: Host) -> list[Command]:
    name = host.name
    return [
        ("XREVRANGE", keys.key(name, keys.NOW), "+", "-", "COUNT", 1),
        ("HGETALL", keys.key(name, keys.META)),
        ("HGETALL", keys.key(name, keys.TASKS)),
        ("HGETALL", keys.key(name, keys.PROGRESS)),
        ("GET", keys.key(name, keys.SERVICES)),
        ("GET", keys.key(name, keys.WARNINGS)),
    ]


def _refused(answers: Sequence[Any]) -> str | None:
    """What the server said of a key that is of another kind than it should be."""
    return next((each.detail for each in answers if isinstance(each, Trouble)), None)


def _read(part: Sequence[Any]) -> Found:
    newest = list(entries(part[0]))
    read = Read(dict(pairs(part[1])), dict(pairs(part[2])), dict(pairs(part[3])), part[4], part[5])
    if not read.meta:
        return None
    if newest:
        read.cursor, fields = newest[0]
        read.newest = fields.get(b"w", b"")
        try:
            read.count = keys.number_of(read.cursor)
        except ValueError as fault:
            return str(fault)
    return read


async def _events(asking: Asking, hosts: Mapping[Host, Read], keep: int) -> None:
    """Read the newest events of hosts, those beyond what is known where it is the same stream."""
    streams = {host: _stream(host, read) for host, read in hosts.items()}
    there = [host for host in hosts if streams[host]]
    commands: list[Command] = []
    for host in there:
        commands += [("MEMORY", "USAGE", streams[host]), ("XLEN", streams[host])]
    sizes = await asking.ask_all(commands)
    commands, counts = [], []
    for at, host in enumerate(there):
        count = _room(sizes[2 * at], sizes[2 * at + 1], keep)
        after = keys.entry_id(host.to + 1) if _same(host, hosts[host]) else "-"
        counts.append(count)
        commands.append(("XREVRANGE", streams[host], "+", after, "COUNT", count))
    for host, count, answer in zip(there, counts, await asking.ask_all(commands), strict=True):
        if not isinstance(answer, Trouble):
            read = hosts[host]
            read.events = list(entries(answer))[::-1]
            read.whole = len(read.events) < count


def _room(size: Any, length: Any, keep: int) -> int:
    """How many events may be read, by what they take on average."""
    if isinstance(size, Trouble) or isinstance(length, Trouble) or not size or not length:
        return keep
    return max(1, min(keep, int(MAX_EVENTS * length // size)))


def _stream(host: Host, read: Read) -> str:
    part = read.meta.get(b"stream", b"").decode(errors="replace")
    name = keys.key(host.name, part)
    return name if part.startswith("ev:") and len(part) < 100 else ""


def _same(host: Host, read: Read) -> bool:
    return host.count >= 0 and host.meta.stream.encode() == read.meta.get(b"stream")
