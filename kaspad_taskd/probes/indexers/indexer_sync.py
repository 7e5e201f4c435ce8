"""The type `indexer-sync`: has an indexer come as far as its node, and if not, how far is it?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kaspad_taskd.base.durations import format_duration, parse_duration
from kaspad_taskd.base.tables import Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Hint, Json, Observation, Reading, Refused, Scalar
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.logs import Follower, open_log
from kaspad_taskd.kaspa.opening import open_node
from kaspad_taskd.kaspa.sync.source import silent
from kaspad_taskd.probes.answers import HttpError
from kaspad_taskd.probes.data_dir import read_data_dir
from kaspad_taskd.probes.general import http_json
from kaspad_taskd.probes.general.http_json import client_of
from kaspad_taskd.probes.indexers.dependencies import Dependencies, Lost
from kaspad_taskd.probes.indexers.findings import Finding
from kaspad_taskd.probes.indexers.looks import LOOKS, Asker
from kaspad_taskd.probes.indexers.memory import Memory, crash_loop, from_json, told
from kaspad_taskd.probes.indexers.view import judge
from kaspad_taskd.probes.migrations.postgres import Database, read_dsn
from kaspad_taskd.probes.node.node_sync import (
    MAX_LAG,
    NETWORK,
    check_log,
    read_address,
    same_network,
    with_unread,
)
from kaspad_taskd.probes.probe_type import Checker, Means, Probe, ProbeType
from kaspad_taskd.probes.urls import Url, checker_of, parse_url, read_ca, read_headers, read_url

if TYPE_CHECKING:
    from kaspad_taskd.probes.http import HttpClient

GENERIC: Final = "generic"
WITH_DATABASE: Final = "simply-kaspa", "k-indexer"
"""Those that keep what they index in a PostgreSQL."""
SHARE: Final = 0.8
"""Of the look's time, what all questions together may take; before them its log is read."""
NODE_SHARE: Final = 0.3
"""Of the look's time, what one question to the node, or to the database, may take."""
LATE: Final = 0.4
"""Of the look's time: who has not answered until then may be without its node or its database."""
_SILENT: Final = Reason.REFUSED, Reason.STREAM_CLOSED, Reason.TIMEOUT
_HANGS: Final = Finding.DATABASE_LOST, Finding.NODE_LOST
"""What one that runs waits for, instead of answering."""
_REASONS: Final = {
    Finding.UNSYNCED: Reason.NODE_NOT_SYNCED,
    Finding.NODE_LOST: Reason.NODE_LOST,
    Finding.DATABASE_LOST: Reason.DATABASE_LOST,
}
_NAMES: Final = {
    "kasia": re.compile(r"kasia"),
    "simply-kaspa": re.compile(r"simply-?_?kaspa|(^|[-_.])ski($|[-_.])"),
    "k-indexer": re.compile(r"(^|[-_.])k[-_]?(indexer|social)"),
}
_ENDPOINT: Final = re.compile(r"/(api/health|api/metrics|api|health|metrics|stats)$")
"""What people copy from a browser, and what is not the base of an indexer's own paths."""


def guess(service: str) -> str:
    """Return the flavour that a service's name tells, else `generic`."""
    name = service.lower()
    return next((flavor for flavor, names in _NAMES.items() if names.search(name)), GENERIC)


def parse(table: Table, service: str) -> Checker:
    """Read `url`, `flavor` and, by the flavour, what it needs."""
    flavor = table.string("flavor", guess(service), choices=(*LOOKS, GENERIC))
    if flavor == GENERIC:
        return _generic(table, service)
    url, source = _base(table, "url"), None
    if flavor == "k-indexer" and table.peek("source") is not None:
        source = _base(table, "source")
    node = read_address(table, "node") if table.peek("node") is not None else None
    dsn = read_dsn(table, needed=False) if flavor in WITH_DATABASE else None
    network = table.string(
        "network", None, pattern=NETWORK, must='must be "mainnet", "testnet-10", "simnet"...'
    )
    max_lag = table.duration("max_lag", MAX_LAG, minimum=1.0, maximum=86_400.0)
    log = table.string("log", None)
    if log is not None:
        check_log(table, "log", log)
    config: dict[str, Json] = {
        "flavor": flavor,
        "url": None if url is None else str(url),
        "source": None if source is None else str(source),
        "node": None if node is None else str(node),
        "network": network,
        "maxLag": format_duration(max_lag),
        "log": log,
        "ca": read_ca(table),
        "dataDir": read_data_dir(table),
        **({} if dsn is None else {"dsn": dsn}),
    }
    checker = checker_of(config, read_headers(table), url, source)
    return (
        checker if node is None else replace(checker, asks=(*checker.asks, (node.host, node.port)))
    )


def _generic(table: Table, service: str) -> Checker:
    checker = http_json.parse(table, service)
    if table.peek("flavor") is None and not any(map(table.peek, http_json.PLACES)):
        names = ", ".join((*LOOKS, GENERIC))
        table.fault("flavor", f"cannot be told from the service's name; it must be one of {names}")
    return replace(checker, config={"flavor": GENERIC, **checker.config})


def _base(table: Table, key: str) -> Url | None:
    url = read_url(table, key)
    return None if url is None else replace(url, rest=_ENDPOINT.sub("", url.path).rstrip("/"))


class IndexerProbe:
    """Takes looks at one indexer, at its log and, where that is needed, at its node."""

    def __init__(self, definition: Definition, means: Means, client: HttpClient) -> None:
        """Make the clients; they connect with the first look.

        Raises:
            ImportError: the library for the node's transport is not installed.
        """
        config = definition.checker
        self._wall = means.wall
        self._timeout = definition.timeout * SHARE
        self._flavor, self._service = str(config["flavor"]), definition.service.lower()
        self._look = LOOKS[self._flavor]
        self._network: str | None = config.get("network")
        self._max_lag = parse_duration(str(config.get("maxLag", ""))) or MAX_LAG
        node, source, log = config.get("node"), config.get("source"), config.get("log")
        share = definition.timeout * NODE_SHARE
        self._asker = Asker(
            client,
            parse_url(str(config["url"])),
            parse_url(str(source)) if source else None,
            open_node(str(node), means.allow, share, header=share) if node else None,
            means.wall,
        )
        dsn = config.get("dsn")
        database = Database(str(dsn), means.databases, share) if dsn else None
        self._dependencies = Dependencies(self._asker, database, self._flavor != "kasia")
        self._log: Follower | None = open_log(str(log)) if log else None

    async def observe(self, memory: Mapping[str, Json]) -> Observation:
        """Read the log, ask the indexer, and judge the answers."""
        before, problem = await self._told(from_json(memory))
        missed = asyncio.Event()
        around = asyncio.ensure_future(self._look_around(missed))
        try:
            async with asyncio.timeout(self._timeout):
                view = await self._look(self._asker)
        except (TimeoutError, HttpError) as error:
            late = HttpError(Reason.TIMEOUT, {"seconds": self._timeout})
            missed.set()
            why = error if isinstance(error, HttpError) else late
            return await self._missed(why, before, problem, around)
        finally:
            around.cancel()
            await asyncio.wait([around])
        expected = self._network
        if expected and view.network and not same_network(expected, view.network):
            found: dict[str, Scalar] = {"network": view.network, "expected": expected}
            return Refused(Reason.WRONG_NETWORK, found, (Hint(str(Reason.WRONG_NETWORK), found),))
        if problem:
            view = replace(view, metadata={**view.metadata, "logProblem": problem[:200]})
        now = self._wall()
        reading = judge(view, before, self._max_lag, now)
        if expected and not view.network:
            reading = _of_no_network(reading)
        quiet = silent(before.since, before.line_ms, now)
        return replace(reading, hints=with_unread((*reading.hints, *quiet), problem))

    async def close(self) -> None:
        """Let the connections go."""
        await self._asker.client.close()
        if self._asker.node is not None:
            await self._asker.node.close()

    async def _told(self, memory: Memory) -> tuple[Memory, str | None]:
        if self._log is None:
            return memory, None
        grown = await self._log.read(memory.cursor)
        if grown.problem is not None:
            return memory, grown.problem
        return memory.told(grown.lines, grown.cursor, self._wall(), self._is_its), None

    def _is_its(self, who: str) -> bool:
        """Whether a name in a log is this indexer's."""
        name = who.lower()
        return guess(name) == self._flavor or (bool(self._service) and self._service in name)

    async def _look_around(self, missed: asyncio.Event) -> Lost | None:
        """Look at its node and its database once it has not answered, or is late."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout / SHARE * LATE):
                await missed.wait()
        return await self._dependencies.look()

    async def _missed(
        self, error: HttpError, memory: Memory, unread: str | None, around: Awaitable[Lost | None]
    ) -> Observation:
        """What it means that there is no answer: before it is ready its port is closed."""
        missed = error.observation()
        if isinstance(missed, Refused):
            return missed
        missed = replace(missed, memory=memory.to_json())
        if error.reason is Reason.DATABASE_LOST:
            return replace(missed, hints=(Hint(Finding.DATABASE_LOST),))
        if error.reason not in _SILENT:
            return missed
        closed = error.reason is not Reason.TIMEOUT
        finding, loop = _last_words(memory, closed, self._wall())
        if finding is not Finding.NONE:
            reason = _REASONS.get(finding, missed.reason)
            return replace(missed, reason=reason, hints=(Hint(str(finding)), *loop))
        lost = await around
        unsynced = lost is not None and lost[0] is Reason.NODE_NOT_SYNCED
        if lost is not None and not (unsynced and (loop or not closed)):  # it would wait, closed
            return replace(missed, reason=lost[0] or missed.reason, hints=(lost[1], *loop))
        if loop or error.reason is not Reason.REFUSED:
            return replace(missed, hints=loop)
        if unread:
            return replace(missed, hints=with_unread((), unread))
        return missed if self._log else replace(missed, hints=(Hint("indexer-starting"),))


def _last_words(memory: Memory, closed: bool, now: int) -> tuple[Finding, tuple[Hint, ...]]:
    """What its log tells of one whose port is closed, or of one that runs and does not answer."""
    finding = told(memory, now)
    if closed:
        return finding, crash_loop(memory, now)
    return (finding if finding in _HANGS else Finding.NONE), ()


def _of_no_network(seen: Reading) -> Reading:
    """The definition names a network, and nobody says that this is it: nothing is proven."""
    return replace(seen, complete=False, hints=(*seen.hints, Hint("network-unknown")))


def open_probe(definition: Definition, means: Means) -> Probe:
    """Return the probe; see IndexerProbe."""
    if definition.checker.get("flavor") == GENERIC:
        return http_json.open_probe(definition, means)
    return IndexerProbe(definition, means, client_of(definition, means))


TYPE = ProbeType("indexer-sync", parse, open_probe)
