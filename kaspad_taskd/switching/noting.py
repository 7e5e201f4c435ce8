"""What root's helper, which may look, sees of a unit after its restart: who uses the node.

The daemon cannot see which sockets are whose process's. The helper can, and leaves a note beside
the endpoint file: how many connections, to which address, of which process. Standard library alone.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.switching import sockets
from kaspad_taskd.switching.sockets import Address

PATIENCE: Final = 5.0
"""Seconds that a service has to connect before nothing is noted."""
EVERY: Final = 0.25
LARGEST: Final = 4096
DEEPEST: Final = 12
"""Directories of control groups below each other that are looked into."""
_SOCKET: Final = re.compile(r"socket:\[(\d+)\]")
_USERS: Final = re.compile(r"user@\d+\.service")


@frozen
class System:
    """Where a system tells of its processes."""

    proc: Path = Path("/proc")
    groups: Path = Path("/sys/fs/cgroup")
    units: Path = Path("/run/systemd/units")
    user: bool = False


@frozen
class Note:
    """What was seen.

    Attributes:
        process: systemd's invocation of the unit: another one after each start.
        count: of established connections.
        address: to which, as the settings write it.
        at: when, ms since 1970 UTC.
    """

    process: str
    count: int
    address: str
    at: int

    def text(self) -> str:
        """The note as its file has it."""
        known = {"process": self.process, "count": self.count, "address": self.address,
                 "at": self.at}  # fmt: skip
        return json.dumps(known) + "\n"


def read(path: Path) -> Note | None:
    """Return the note of a file, or None: there is none that can be understood."""
    try:
        with path.open(encoding="utf-8") as file:
            given = json.loads(file.read(LARGEST))
        found = given["process"], given["address"], given["count"], given["at"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    match found:
        case str(process), str(address), int(count), int(at):
            return Note(process, count, address, at)
    return None


def look(
    unit: str,
    values: Iterable[str],
    system: System,
    *,
    patience: float = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
) -> Note | None:
    """Look until the unit's processes are seen to be connected to a node; None: they were not.

    Args:
        unit: its name.
        values: of the variables that name nodes. Names are not looked up: addresses and localhost.
        system: where to look.
        patience: for so long, in seconds.
        sleep: waits.
    """
    places = {
        (ip, port): sockets.written(host, port)
        for host, port in sockets.wanted(values)
        for ip in sockets.numeric(host) or ()
    }
    end = time.monotonic() + patience
    while places:
        process = invocation(unit, system)
        if process is None:
            return None
        count, address = _connections(_processes(unit, system), places, system.proc)
        if count and invocation(unit, system) == process:
            return Note(process, count, address, int(time.time() * 1000))
        if time.monotonic() >= end:
            return None
        sleep(EVERY)
    return None


def invocation(unit: str, system: System) -> str | None:
    """Return systemd's id of the run of a unit; None: it does not run."""
    try:
        return str((system.units / f"invocation:{unit}").readlink())
    except OSError:
        return None


def _processes(unit: str, system: System) -> list[int]:
    """The processes of a unit, those of its own groups among them."""
    group = _group(unit, system)
    found = []
    for path in [] if group is None else group.rglob("cgroup.procs"):
        try:
            found += [int(line) for line in path.read_text().split()]
        except (OSError, ValueError):
            continue
    return found


def _group(unit: str, system: System) -> Path | None:
    """The control group of a unit: the one nearest to the root that is called like it."""
    level = [system.groups]
    for _ in range(DEEPEST):
        below = [each for group in level for each in _directories(group)]
        for each in below:
            mine = any(map(_USERS.fullmatch, each.parts)) is system.user
            if each.name == unit and mine:
                return each
        level = below
    return None


def _directories(group: Path) -> Iterator[Path]:
    try:
        found = [each for each in group.iterdir() if not each.is_symlink() and each.is_dir()]
    except OSError:
        return
    yield from found


def _connections(
    processes: Collection[int], places: Mapping[Address, str], proc: Path
) -> tuple[int, str]:
    """How many connections to which node these processes have; each network is read once."""
    best = 0, ""
    ports = {port for _, port in places}
    tables: dict[str, list[sockets.Row]] = {}
    own: dict[str, set[int]] = {}
    for process in processes:
        place = proc / str(process)
        try:
            network = str((place / "ns" / "net").readlink())
            if network not in tables:
                tables[network] = sockets.to(sockets.rows(ports, place / "net"), places)
            own.setdefault(network, set()).update(_inodes(place / "fd"))
        except OSError:
            continue
    for network, rows in tables.items():
        mine = [row for row in rows if row.inode in own.get(network, ())]
        best = max(best, sockets.by_place(mine, places))
    return best


def _inodes(descriptors: Path) -> Iterator[int]:
    for each in descriptors.iterdir():
        try:
            found = _SOCKET.fullmatch(str(each.readlink()))
        except OSError:
            continue
        if found is not None:
            yield int(found[1])
