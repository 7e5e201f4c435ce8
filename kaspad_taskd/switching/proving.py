"""Whether services use the local node, seen now: what reaches them, and who is connected to it.

A connection belongs to a user, not to a unit: it proves something only where that user runs nothing
else that is watched. What root's helper has noted at the switch counts while the same process runs.
"""

from __future__ import annotations

import asyncio
import glob
import os
import pwd
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from kaspad_taskd.config.switched import SwitchedService, Unit
from kaspad_taskd.core.attention import Override, Proof, ServiceState, Sight
from kaspad_taskd.kaspa.client import NodeError
from kaspad_taskd.kaspa.connect import addresses
from kaspad_taskd.switching import environment, sockets
from kaspad_taskd.switching.endpoint import Endpoints
from kaspad_taskd.switching.noting import read as read_note
from kaspad_taskd.switching.sockets import Address, Row

PROPERTIES: Final = (
    *environment.PROPERTIES, "UID", "User", "PrivateNetwork", "NetworkNamespacePath"
)  # fmt: skip
"""What is asked of a unit."""
LARGEST: Final = 256 * 1024
"""Characters of an environment file that are read."""
MATCHES: Final = 64
"""Files of one pattern that are read."""
RESOLVED: Final = 300.0
"""Seconds for which the addresses of a node's name are kept."""

Shown = Mapping[str, Mapping[str, str]]


class Prover:
    """Sees who uses the local node.

    Args:
        endpoints: the endpoint files, and what root's helper has noted.
        rows: the TCP sockets of this host with one of these ports; raises OSError.
    """

    def __init__(
        self, endpoints: Endpoints, rows: Callable[[Collection[int]], list[Row]] = sockets.rows
    ) -> None:
        self._endpoints = endpoints
        self._rows = rows
        self._resolved: dict[str, tuple[float, list[str]]] = {}

    async def prove(
        self,
        services: Mapping[str, SwitchedService],
        shown: Shown,
        seen: Mapping[str, Sight],
    ) -> Mapping[str, Sight]:
        """Return what was seen, with what proves or refutes that the local node is used.

        Args:
            services: those that point to the local node, and run as a unit.
            shown: PROPERTIES of all declared units, by name.
            seen: of those services.
        """
        if not services:
            return {}
        places = {name: await self._places(each) for name, each in services.items()}
        return await asyncio.to_thread(self._prove, services, shown, seen, places)

    def _prove(
        self,
        services: Mapping[str, SwitchedService],
        shown: Shown,
        seen: Mapping[str, Sight],
        places: Mapping[str, Mapping[Address, str]],
    ) -> Mapping[str, Sight]:
        users = Counter(filter(None, map(user, shown.values())))
        try:
            rows = self._rows({port for each in places.values() for _, port in each})
        except OSError:
            rows = None
        found = {}
        for name, declared in services.items():
            assert isinstance(declared.runs_as, Unit)
            unit = shown[declared.runs_as.name]
            known = replace(seen[name], noted=self._noted(name, seen[name]),
                            override=self._override(name, declared, unit))  # fmt: skip
            alone = users[user(unit)] == 1 and not _apart(unit)
            if rows is not None and alone:
                known = _counted(known, user(unit), rows, places[name])
            found[name] = known
        return found

    def _noted(self, service: str, seen: Sight) -> Proof | None:
        note = read_note(self._endpoints.note(service))
        if note is None or not seen.process or note.process != seen.process:
            return None
        return Proof("noted", note.count, note.address, note.at, note.at)

    def _override(
        self, service: str, declared: SwitchedService, unit: Mapping[str, str]
    ) -> Override | None:
        ours = str(self._endpoints.path(service))
        return environment.override(declared.env, ours, unit, read_files)

    async def _places(self, declared: SwitchedService) -> Mapping[Address, str]:
        """The addresses that a service's variables name, each as the settings write it."""
        found = {}
        for host, port in sockets.wanted(declared.env.values()):
            for ip in sockets.numeric(host) or await self._look_up(host, port):
                found[ip, port] = sockets.written(host, port)
        return found

    async def _look_up(self, host: str, port: int) -> list[str]:
        time = asyncio.get_running_loop().time()
        at, known = self._resolved.get(host, (-RESOLVED, []))
        if time - at >= RESOLVED:
            try:
                known = await addresses(host, port, None)
            except NodeError:
                known = []
            self._resolved[host] = time, known
        return known


def user(shown: Mapping[str, str]) -> int:
    """Return the user of a unit by its properties; 0: root, or nobody knows."""
    if shown["UID"].isdecimal() and int(shown["UID"]) < 2**32 - 1:
        return int(shown["UID"])
    name = shown["User"]
    try:
        return int(name) if name.isdecimal() else pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return 0


def _apart(unit: Mapping[str, str]) -> bool:
    """Whether a unit has a network of its own, whose connections this host's table lacks."""
    return unit["PrivateNetwork"] == "yes" or bool(unit["NetworkNamespacePath"])


def _counted(seen: Sight, uid: int, rows: list[Row], places: Mapping[Address, str]) -> Sight:
    """What was seen, with its connections, where they can be told from those of others."""
    if seen.state is not ServiceState.RUNNING or not places:
        return seen
    if uid in (0, os.geteuid()) or uid in sockets.listeners(rows, places):
        return seen
    theirs = sockets.to(rows, places)
    count, address = sockets.by_place([row for row in theirs if row.uid == uid], places)
    if count:
        return replace(seen, connections=count, address=address)
    if any(row.state == sockets.TIME_WAIT for row in theirs):  # whose they were nobody knows
        return seen
    return replace(seen, connections=0, address=next(iter(places.values())))


def read_files(pattern: str) -> list[tuple[str, str | None]]:
    """Return the files that `EnvironmentFile=` names, with their texts; see `environment.Read`."""
    magic = any(char in pattern for char in "*?[")
    paths = sorted(glob.glob(pattern))[:MATCHES] if magic else [pattern]  # noqa: PTH207
    return [(path, _text(Path(path))) for path in paths]


def _text(path: Path) -> str | None:
    """The text of a file; "" where it is not there, None where it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError:
        return None
