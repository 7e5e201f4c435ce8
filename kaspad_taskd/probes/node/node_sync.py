"""The type `node-sync`: is a kaspad in sync, and if not, how far is it?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from kaspad_taskd.base.durations import format_duration, parse_duration
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.base.tables import Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Hint, Json, Observation, Refused, Scalar, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.runway import Space
from kaspad_taskd.kaspa.client import NodeClient, NodeError
from kaspad_taskd.kaspa.connect import Address, crossed, parse_url
from kaspad_taskd.kaspa.logs import Follower, Grown, open_log, where_of
from kaspad_taskd.kaspa.opening import open_node
from kaspad_taskd.kaspa.read import APART, read_node
from kaspad_taskd.kaspa.sync import memory as memories
from kaspad_taskd.kaspa.sync.hints import Aside, gone, unreachable
from kaspad_taskd.kaspa.sync.judge import judge
from kaspad_taskd.kaspa.sync.memory import Memory
from kaspad_taskd.kaspa.sync.position import blocks_per_second
from kaspad_taskd.kaspa.sync.reading import NodeReading
from kaspad_taskd.kaspa.sync.source import listen
from kaspad_taskd.kaspa.sync.story import answered
from kaspad_taskd.probes.data_dir import PATIENCE_S, Meter, read_data_dir
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType

MAX_LAG = 60.0
SHARE = 0.8
"""Of the look's time, what one question to the node may take."""
REFERENCE_SHARE = 0.4
NETWORK = re.compile(r"(mainnet|testnet|simnet|devnet)(-\d{1,4})?")
HOST = re.compile(r"[A-Za-z0-9._:\-]{1,253}")
PROTOCOLS = {"grpc": ("grpc", 16110), "wrpc-json": ("ws", 18110)}
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def parse(table: Table, _service: str) -> Checker:
    """Read `url` (or host, port, protocol), `network`, `max_lag`, `reference`, `log`.

    And `data_dir`.
    """
    address = read_address(table, "url") if table.peek("url") is not None else _by_host(table)
    network = table.string(
        "network", None, pattern=NETWORK, must='must be "mainnet", "testnet-10", "simnet"...'
    )
    max_lag = table.duration("max_lag", MAX_LAG, minimum=1.0, maximum=86_400.0)
    reference = read_address(table, "reference") if table.peek("reference") is not None else None
    log = table.string("log", None)
    if log is not None:
        check_log(table, "log", log)
    if table.style == "json":
        table.boolean("use_https", None)  # older wizards send it; it means nothing here
    places = [place for place in (address, reference) if place is not None]
    config: dict[str, Json] = {
        "url": None if address is None else str(address),
        "network": network,
        "maxLag": format_duration(max_lag),
        "reference": None if reference is None else str(reference),
        "log": log,
        "dataDir": read_data_dir(table),
    }
    return Checker(
        {key: value for key, value in config.items() if value is not None},
        None if address is None else str(address),
        tuple((place.host, place.port) for place in places),
    )


def read_address(table: Table, key: str) -> Address | None:
    """Return the node's address at a key, None where it is faulty, which is noted."""
    url = table.string(key)
    try:
        return parse_url(url) if url else None
    except ValueError as fault:
        table.fault(key, str(fault))
        return None


def crossed_ports(checker: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Yield keys of a checker that name a node at a port of kaspad's for something else, and what.

    Warnings alone: who gave that port to another program knows better.
    """
    for key in ("url", "node", "reference"):
        with suppress(ValueError):
            if problem := crossed(parse_url(str(checker.get(key, "")))):
                yield key, problem


def _by_host(table: Table) -> Address | None:
    protocol = table.string("protocol", "grpc", choices=tuple(PROTOCOLS))
    scheme, default = PROTOCOLS[protocol]
    host = table.string("host", "localhost", pattern=HOST, must="must be a name or an address")
    port = table.integer("port", default, minimum=1, maximum=65_535)
    shown = f"[{host}]" if ":" in host else host
    try:
        return parse_url(f"{scheme}://{shown}:{port}")
    except ValueError as fault:
        table.fault("port", str(fault))
        return None


def check_log(table: Table, key: str, source: str) -> None:
    """Note what is wrong with the name of a log."""
    try:
        open_log(source)
    except ValueError as fault:
        table.fault(key, str(fault))


@frozen
class _Tip:
    """What a reference said: its network, its score, and the steady moment of that."""

    network: str
    score: int
    at: float

    def as_of(self, look: NodeReading, at: float) -> int | None:
        """Its score at the moment of a look's position: one may answer long after the other."""
        if self.network != look.network:
            return None
        apart = at - self.at
        grown = round(apart * blocks_per_second(look)) if abs(apart) >= APART else 0
        return max(0, self.score + grown)


@frozen
class _Answers:
    node: NodeReading | NodeError
    reference: int | None
    grown: Grown | None
    at: float  # the steady moment of the node's position

    @property
    def problem(self) -> str | None:
        """Why the log cannot be read, None where it can, or where there is none."""
        return None if self.grown is None else self.grown.problem


class NodeSyncProbe:
    """Takes looks at one node over one connection that is kept."""

    def __init__(self, definition: Definition, means: Means) -> None:
        """Make the clients; they connect with the first look.

        Raises:
            ImportError: the library for this transport is not installed.
        """
        config = definition.checker
        allow, self._wall = means.allow, means.wall
        address = parse_url(str(config["url"]))
        self._here = address.host in _LOCAL
        self._whom: dict[str, Scalar] = {"address": str(address), "expected": "kaspad"}
        self._network: str | None = config.get("network")
        self._max_lag = parse_duration(str(config.get("maxLag", ""))) or MAX_LAG
        self._reference_time = definition.timeout * REFERENCE_SHARE
        self._node = open_node(str(address), allow, definition.timeout * SHARE)
        reference = config.get("reference")
        self._reference: NodeClient | None = (
            open_node(str(reference), allow, self._reference_time) if reference else None
        )
        log = config.get("log")
        self._log: Follower | None = open_log(str(log)) if log else None
        self._where = where_of(str(log) if log else None)
        self._data_dir: str | None = config.get("dataDir")
        self._room: tuple[str, Meter] | None = None

    async def observe(self, memory: Mapping[str, Json]) -> Observation:
        """Ask the node, the reference and the log at once, and judge the answers."""
        before = memories.from_json(memory)
        answers = await self._ask(before)
        after = _told(before, answers.grown, self._wall())
        if isinstance(answers.node, NodeError):
            missed = await self._missed(answers.node, after)
            return replace(missed, hints=with_unread(missed.hints, answers.problem))
        if self._network is not None and not same_network(self._network, answers.node.network):
            found: dict[str, Scalar] = {"network": answers.node.network, "expected": self._network}
            return Refused(Reason.WRONG_NETWORK, found, (Hint(str(Reason.WRONG_NETWORK), found),))
        after = replace(after, story=answered(before.story, after.story, self._wall()))
        unit = self._where.get("unit")
        aside = Aside(
            max_lag=self._max_lag,
            reference=answers.reference,
            has_log=self._log is not None,
            unit=None if unit is None else str(unit),
            free=await self._free(after),
            steady=round(answers.at * 1000),
        )
        reading = judge(answers.node, after, aside)
        return replace(
            reading,
            hints=with_unread(reading.hints, answers.problem),
            metadata={**reading.metadata, **self._notes(answers)},
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._node.close()
        if self._reference is not None:
            await self._reference.close()

    async def _ask(self, memory: Memory) -> _Answers:
        (node, at), tip, grown = await asyncio.gather(
            self._look(), self._tip(), self._read_log(memory)
        )
        if isinstance(node, NodeReading) and tip is not None:
            return _Answers(node, tip.as_of(node, at), grown, at)
        return _Answers(node, None, grown, at)

    async def _look(self) -> tuple[NodeReading | NodeError, float]:
        """The node's answers, and the steady moment of its position."""
        loop, at = asyncio.get_running_loop(), 0.0

        def now_ms() -> int:
            nonlocal at
            at = loop.time()
            return self._wall()

        try:
            return await read_node(self._node, now_ms), at
        except NodeError as error:
            return error, at

    async def _tip(self) -> _Tip | None:
        """What the reference says; one that does not answer is none."""
        if self._reference is None:
            return None
        try:
            async with asyncio.timeout(self._reference_time):
                dag = await self._reference.dag_info()
        except (NodeError, TimeoutError):
            return None
        return _Tip(dag.network, dag.virtual_daa_score, asyncio.get_running_loop().time())

    async def _read_log(self, memory: Memory) -> Grown | None:
        return None if self._log is None else await self._log.read(memory.cursor)

    async def _missed(self, error: NodeError, memory: Memory) -> Unreachable | Refused:
        if error.reason is Reason.WRONG_PROGRAM:
            return _stranger({**self._whom, **error.params})
        if error.reason is Reason.OWN_LIMIT:  # nothing of the node
            return Unreachable(error.reason, error.params)
        memory = replace(memory, ready=None)  # complete looks are no longer in a row
        now = self._wall()
        told = gone(memory, error.reason, now)
        found = unreachable(memory, self._where, now, await self._free(memory))
        if "likely" in error.params:  # the cure needs it
            found = (Hint(str(error.reason), error.params), *found)
        more = next((each.params for each in found if each.code == told), {})
        params = {**self._whom, **error.params, **more}
        return Unreachable(told, params, found, memory.to_json())

    async def _free(self, memory: Memory) -> int | None:
        """Free bytes on the disk of the node's data, where it is this host's and known."""
        place = self._data_dir or (memory.story.appdir if self._here else None)
        if place is None:
            return None
        if self._room is None or self._room[0] != place:
            self._room = place, Meter(place)
        found = await self._room[1].take(PATIENCE_S)
        return found.free if isinstance(found, Space) else None

    def _notes(self, answers: _Answers) -> Mapping[str, Scalar]:
        notes: dict[str, Scalar] = {}
        if self._reference is not None:
            notes["referenceAnswers"] = answers.reference is not None
        if answers.problem is not None:
            notes["logProblem"] = answers.problem[:200]
        return notes


def _told(memory: Memory, grown: Grown | None, at: int) -> Memory:
    """Return the memory with the log's new lines in its story."""
    if grown is None or grown.problem is not None:
        return memory
    return replace(memory, story=listen(memory.story, grown.lines, at), cursor=grown.cursor)


def with_unread(hints: tuple[Hint, ...], problem: str | None) -> tuple[Hint, ...]:
    """Return the hints, and that a log cannot be read, where that is so: then it is not silent."""
    if problem is None:
        return hints
    others = (each for each in hints if each.code != "log-silent")
    return (*others, Hint("log-unread", {"problem": problem[:200]}))


def _stranger(params: Mapping[str, Scalar]) -> Refused:
    """What it means that another program says what it is; its own URL, where one is known."""
    code = "other-protocol" if "url" in params else str(Reason.WRONG_PROGRAM)
    return Refused(Reason.WRONG_PROGRAM, params, (Hint(code, params),))


def same_network(expected: str, found: str) -> bool:
    """Whether a network is the expected one; "testnet" takes any of them."""
    return found == expected or found.startswith(f"{expected}-")


def open_probe(definition: Definition, means: Means) -> NodeSyncProbe:
    """Return the probe; see NodeSyncProbe."""
    return NodeSyncProbe(definition, means)


TYPE = ProbeType("node-sync", parse, open_probe)
