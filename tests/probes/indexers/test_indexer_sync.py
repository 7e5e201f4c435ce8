"""Looks at twins of the indexers, in every state that they have."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd import words
from kaspad_taskd.core.observation import Hint, Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.indexers import k_indexer, kasia, simply_kaspa
from kaspad_taskd.probes.indexers.indexer_sync import guess
from kaspad_taskd.probes.indexers.memory import HOUR_MS, Memory, from_json
from kaspad_taskd.probes.indexers.view import View, judge
from tests.fakes.indexers import (
    BEHIND,
    STATES,
    TIP,
    Kasia,
    KWebserver,
    ScoredNode,
    SimplyKaspa,
    Twin,
)
from tests.fakes.patience import PATIENCE, elapse
from tests.fakes.website import Reply, Request
from tests.probes.looks import look, made, read, said

Open = Callable[..., Any]


@pytest.fixture
async def node() -> AsyncIterator[ScoredNode]:
    async with ScoredNode() as node:
        yield node


@pytest.fixture
async def ksi(tmp_path: Path, node: ScoredNode) -> AsyncIterator[Kasia]:
    twin = Kasia(node, tmp_path / "ksi.log")
    await twin.reserve()
    yield twin
    await twin.stop()


async def see(twin: Twin, flavor: str, memory: Any = None, **more: Any) -> Any:
    data = {"url": twin.url, "flavor": flavor, **more}
    return await look(made("indexer-sync", data), memory)


def codes(observation: Any) -> list[str]:
    return [hint.code for hint in observation.hints]


# -- definitions


@pytest.mark.parametrize(
    ("service", "flavor"),
    [
        ("simply-kaspa-indexer", "simply-kaspa"),
        ("Simply-Kaspa.Indexer-2", "simply-kaspa"),
        ("simply_kaspa", "simply-kaspa"),
        ("kasia-indexer", "kasia"),
        ("k-indexer", "k-indexer"),
        ("host.k-social", "k-indexer"),
        ("k-indexer-db", "k-indexer"),
        ("kaspa-indexer", "generic"),
        ("book-indexer", "generic"),
        ("explorer", "generic"),
    ],
)
def test_the_flavor_is_guessed_from_the_name(service: str, flavor: str) -> None:
    """And always shown."""
    assert guess(service) == flavor
    if flavor != "generic":
        checker, faults = read("indexer-sync", {"url": "http://x"}, "json", service)
        assert (faults, checker.config["flavor"]) == ([], flavor)


def test_a_definition_is_read_and_reads_again_as_itself() -> None:
    """What people copy from a browser is brought to the base."""
    data = {"url": "http://h:1/k/api/health", "node": "grpc://n:2", "network": "mainnet"}
    checker, faults = read("indexer-sync", data, service="simply-kaspa-indexer")
    assert faults == []
    assert checker.config == {
        "flavor": "simply-kaspa",
        "url": "http://h:1/k",
        "node": "grpc://n:2",
        "network": "mainnet",
        "maxLag": "1min",
    }
    assert checker.endpoint == "http://h:1/k"
    assert checker.asks == (("h", 1), ("n", 2))
    assert read("indexer-sync", checker.config, "json", "") == (checker, [])


def test_a_generic_one_is_http_json() -> None:
    """With its flavor shown."""
    data = {"url": "http://h:1/x", "done": "a", "total": "b"}
    checker, faults = read("indexer-sync", data, service="other")
    assert faults == []
    assert checker.config == {"flavor": "generic", "url": "http://h:1/x", "done": "a", "total": "b"}
    assert read("indexer-sync", checker.config, "json", "") == (checker, [])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"url": "http://h"}, "checker.flavor: cannot be told from the service's name"),
        ({"url": "http://h", "flavor": "ski"}, "none of simply-kaspa, kasia, k-indexer, generic"),
        ({"url": "h:1", "flavor": "kasia"}, "unknown; use http:// or https://"),
        ({"flavor": "kasia"}, "checker.url: is required"),
        ({"url": "http://h", "flavor": "kasia", "node": "http://n"}, "checker.node: scheme"),
        ({"url": "http://h", "flavor": "kasia", "node": "ws://n:17110"}, "speaks wRPC Borsh"),
        ({"url": "http://h", "flavor": "kasia", "source": "http://n"}, "source: unknown key"),
        ({"url": "http://h", "flavor": "kasia", "done": "a"}, "checker.done: unknown key"),
        ({"url": "http://h", "flavor": "kasia", "max_lag": 5}, "must be a duration"),
        ({"url": "http://h", "flavor": "kasia", "log": "x"}, "checker.log"),
    ],
)
def test_a_fault_says_the_cure(data: dict[str, Any], found: str) -> None:
    """By the flavour."""
    assert found in said("indexer-sync", data)


# -- every state of every flavour

SKI_STATES = {
    "start": (Reason.REFUSED, [], None),
    "migrating": (Reason.REFUSED, ["indexer-migrating"], None),
    "waiting": (Reason.NODE_NOT_SYNCED, ["node-not-synced"], None),
    "catching-up": (None, [], False),
    "synced": (None, [], True),
    "node-lost": (None, ["node-lost"], False),
    "crash-loop": (Reason.REFUSED, ["checkpoint-missing", "crash-loop"], None),
}
KASIA_STATES = {
    "start": (Reason.REFUSED, [], None),
    "migrating": (Reason.REFUSED, ["indexer-migrating"], None),
    "waiting": (Reason.NODE_NOT_SYNCED, ["node-not-synced"], None),
    "catching-up": (None, ["gaps-open"], False),
    "synced": (None, [], True),
    "node-lost": (None, ["node-silent"], False),
    "crash-loop": (Reason.REFUSED, ["crash-loop"], None),
}


async def test_simply_kaspa_in_every_state(ski: SimplyKaspa) -> None:
    """One life: health, reason, what to do, and complete only at the tip."""
    await _live(ski, "simply-kaspa", SKI_STATES, {"log": str(ski.log)})


async def test_kasia_in_every_state(ksi: Kasia, node: ScoredNode) -> None:
    """The node tells where its blocks are, and the log whether older gaps are open."""
    more = {"log": str(ksi.log), "node": node.url}
    await _live(ksi, "kasia", KASIA_STATES, more, node)


async def _live(
    twin: Twin, flavor: str, states: dict[str, Any], more: Any, node: ScoredNode | None = None
) -> None:
    assert tuple(states) == STATES
    memory: Any = {}
    probe = made("indexer-sync", {"url": twin.url, "flavor": flavor, **more})
    for state, (reason, hints, complete) in states.items():
        if node is not None and state == "waiting":
            node.ways.synced = False
        elif node is not None and state == "node-lost":
            await node.__aexit__()
        elif node is not None:
            node.ways.synced = True
        await twin.enter(state)
        seen = await probe.observe(memory)
        assert not isinstance(seen, Refused)
        memory = json.loads(json.dumps(seen.memory))
        assert len(json.dumps(memory)) < 1_000
        assert isinstance(seen, Unreachable if complete is None else Reading), state
        assert (state, seen.reason, codes(seen)) == (state, reason, hints)
        if isinstance(seen, Reading):
            assert (state, seen.complete) == (state, complete)
        _is_said(seen)
    await probe.close()


def _is_said(seen: Any) -> None:
    """Every word of it is ours, and whole."""
    for hint in seen.hints:
        says, do = words.hint(hint.code, hint.params)
        assert "?" not in says
        assert do
    if seen.reason is not None:
        assert "?" not in words.note(seen.reason, seen.params)
    assert "secret" not in repr(seen)


async def test_an_indexer_that_is_behind_is_a_number(ski: SimplyKaspa) -> None:
    """Its 503 is data: position, target, lag, drift; the percent counts from the first look."""
    await ski.enter("catching-up")
    first = await see(ski, "simply-kaspa")
    assert (first.position, first.target, first.drift) == (TIP - BEHIND, TIP, 10)
    assert (first.unit, first.basis, first.behind) == ("blocks", "exact", BEHIND / 10)
    assert first.start == TIP - BEHIND
    ski.behind = BEHIND // 2
    second = await see(ski, "simply-kaspa", first.memory)
    assert second.start == first.start
    assert second.position == TIP - BEHIND // 2
    facts = second.metadata
    assert (facts["version"], facts["network"], facts["nodeVersion"]) == (
        "v2.3.1", "mainnet", "2.1.0",
    )  # fmt: skip


async def test_only_what_is_enabled_counts(ski: SimplyKaspa) -> None:
    """A virtual chain that is switched off keeps its health at DOWN for ever."""
    ski.vcp = False
    await ski.enter("synced")
    seen = await see(ski, "simply-kaspa")
    assert seen.complete
    assert "virtualChainProcessor" not in seen.metadata


async def test_before_its_first_block_it_stands_at_its_checkpoint(ski: SimplyKaspa) -> None:
    """So that a restart shows no hole."""
    await ski.enter("synced")
    ski.fresh = True
    seen = await see(ski, "simply-kaspa")
    assert seen.position == TIP - 3 - 600
    assert not seen.complete


async def test_an_import_comes_first(ski: SimplyKaspa) -> None:
    """At the tip, yet not done."""
    await ski.enter("synced")
    ski.importing = True
    seen = await see(ski, "simply-kaspa")
    assert not seen.complete
    assert seen.metadata["utxosImported"] == 5_000


async def test_its_node_must_be_synced(ski: SimplyKaspa) -> None:
    """A tip that is none proves nothing."""
    await ski.enter("synced")
    ski.synced = False
    seen = await see(ski, "simply-kaspa")
    assert (seen.complete, seen.reason, codes(seen)) == (
        False, Reason.NODE_NOT_SYNCED, ["node-not-synced"],
    )  # fmt: skip


async def test_our_node_stands_in_for_one_that_is_lost(ski: SimplyKaspa, node: ScoredNode) -> None:
    """For the target; the indexer's own loss is still said."""
    await ski.enter("node-lost")
    seen = await see(ski, "simply-kaspa", node=node.url)
    assert (seen.target, codes(seen)) == (TIP, ["node-lost"])
    began = time.time()
    alone = await see(ski, "simply-kaspa")
    assert alone.target is None
    assert -1 < alone.behind - BEHIND / 10 < time.time() - began + 1


def loop_ms() -> int:
    """A wall clock that goes with the loop's, and can be elapsed."""
    return int(asyncio.get_running_loop().time() * 1000) + 10**12


@pytest.mark.parametrize("slow", ["/api/health", "/api/metrics"])
async def test_an_indexer_and_its_node_are_compared_at_one_moment(
    slow: str, ski: SimplyKaspa
) -> None:
    """Health tells the tip and metrics the place: both go on while one of them takes 20 s."""
    await ski.enter("synced")
    began = loop_ms()
    health: Any = ski.replies["/api/health"]
    metrics: Any = ski.replies["/api/metrics"]

    def grown(request: Request) -> int:
        if request.path == slow:
            elapse(20)
        return (loop_ms() - began) // 100

    def tip(request: Request) -> Reply:
        more = grown(request)
        reply: Reply = health(request)
        reply.body["kaspad"]["virtualDaaScore"] += more
        return reply

    def place(request: Request) -> Reply:
        ski.behind = 900 - grown(request)
        reply: Reply = metrics(request)
        return reply

    ski.replies |= {"/api/health": tip, "/api/metrics": place}
    seen = await see(ski, "simply-kaspa")
    assert 84 < seen.behind < 96  # 90 s, always
    assert not seen.complete


async def test_a_slow_node_makes_no_block_older(ksi: Kasia, node: ScoredNode) -> None:
    """The indexer's block has the age that it had when it was told, and so has the tip."""
    await ksi.enter("synced")
    node.slow, node.score = 15.0, TIP + 150
    seen = await see(ksi, "kasia", node=node.url, log=str(ksi.log))
    assert seen.behind < 10


async def test_a_log_that_would_tell_and_is_not_read_is_said(ski: SimplyKaspa) -> None:
    """While the port is closed, as well as later."""
    seen = await see(ski, "simply-kaspa", log="/nowhere/simply-kaspa.log")
    assert codes(seen) == ["log-unread"]
    assert "/nowhere/simply-kaspa.log" in words.hint("log-unread", seen.hints[0].params)[0]
    await ski.enter("synced")
    seen = await see(ski, "simply-kaspa", log="/nowhere/simply-kaspa.log")
    assert "/nowhere/simply-kaspa.log" in seen.metadata["logProblem"]
    assert codes(seen) == ["log-unread"]


async def test_a_log_without_lines_for_an_hour_is_said(ski: SimplyKaspa, tmp_path: Path) -> None:
    """While it answers; whoever named it believes that it tells something."""
    await ski.enter("synced")
    log = tmp_path / "empty.log"
    log.write_text("")
    first = await see(ski, "simply-kaspa", log=str(log))
    assert codes(first) == []
    old = {**first.memory, "since": first.memory["since"] - HOUR_MS}
    assert codes(await see(ski, "simply-kaspa", old, log=str(log))) == ["log-silent"]


WRAPPINGS = {
    "json": lambda line: json.dumps({"log": f"{line}\n", "stream": "stderr"}),
    "cri": lambda line: f"2026-11-29T14:00:00.1Z stderr F {line}",
    "compose": lambda line: f"kasia-indexer-1  | {line}",
    "syslog": lambda line: f"Nov 29 14:00:00 host kasia-indexer[8]: {line}",
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_wrapped_log_tells_what_the_bare_one_does(name: str) -> None:
    """Colours of its own included, which JSON escapes."""
    stamp = "\x1b[2m2026-11-29T14:00:00.1Z\x1b[0m \x1b[32m INFO\x1b[0m"
    lines = [
        "thread 'main' panicked at x",
        f"{stamp} Found gaps to fill \x1b[3mgap_count\x1b[0m\x1b[2m=\x1b[0m4",
        "Gap filler interrupted to=ab",
    ]
    plain = Memory(cursor=[]).told(lines, [1], 1_000)
    found = Memory(cursor=[]).told(map(WRAPPINGS[name], lines), [1], 1_000)
    assert (found.gaps, found.lost, found.ends) == (plain.gaps, plain.lost, plain.ends) == (
        4, True, (1_000,),
    )  # fmt: skip


async def test_an_indexer_that_its_disk_ended_says_so(ski: SimplyKaspa, tmp_path: Path) -> None:
    """At its first end: a full disk does not pass by itself."""
    log = tmp_path / "ski.log"
    log.write_text("thread 'main' panicked at x: IO error: No space left on device\n")
    assert codes(await see(ski, "simply-kaspa", log=str(log))) == ["disk-full"]


def test_another_service_s_end_in_the_same_log_is_not_its_own() -> None:
    """Where its own lines bear its name; a name that is nobody's is taken as it is."""
    panic = "thread 'main' panicked at x"
    rows = [f"kasia-indexer  | {panic}", f"kaspad         | {panic}"]
    both = Memory(cursor=[]).told(rows, [1], 1)
    its = Memory(cursor=[]).told(rows, [1], 1, lambda who: who == "kasia-indexer")
    assert (len(both.ends), len(its.ends)) == (2, 1)
    assert its.told(rows[1:], [2], 2, lambda who: who == "kasia-indexer").ends == its.ends


async def test_a_closed_port_is_told_apart_by_the_node(ski: SimplyKaspa, node: ScoredNode) -> None:
    """Without a log: the node is not synced, or one of three."""
    assert codes(await see(ski, "simply-kaspa")) == ["indexer-starting"]
    assert codes(await see(ski, "simply-kaspa", node=node.url)) == ["indexer-starting"]
    node.ways.synced = False
    seen = await see(ski, "simply-kaspa", node=node.url)
    assert (seen.reason, codes(seen)) == (Reason.NODE_NOT_SYNCED, ["node-not-synced"])


async def test_restarts_are_counted_by_its_uptime(ski: SimplyKaspa) -> None:
    """Where there is no log."""
    await ski.enter("catching-up")
    memory: Any = {}
    for uptime in (90_000, 5_000, 3_000, 2_000):
        ski.uptime = uptime
        seen = await see(ski, "simply-kaspa", memory)
        memory = seen.memory
    assert seen.hints == (Hint("crash-loop", {"count": 3}),)
    ski.replies["/api/health"] = Reply(way="close")  # a container's port before its program's
    down = await see(ski, "simply-kaspa", memory)
    assert (down.reason, codes(down)) == (Reason.STREAM_CLOSED, ["crash-loop"])


async def test_a_database_begun_anew_is_an_epoch(ski: SimplyKaspa) -> None:
    """Falling back to a checkpoint is none."""
    await ski.enter("catching-up")
    first = await see(ski, "simply-kaspa")
    ski.behind = BEHIND + 900
    second = await see(ski, "simply-kaspa", first.memory)
    assert (second.epoch, second.start) == (None, first.start)
    ski.behind = BEHIND + 50_000
    third = await see(ski, "simply-kaspa", second.memory)
    assert (third.epoch, third.start) == ("index-reset", third.position)
    assert "begun anew" in (words.epoch(third.epoch) or "")


@pytest.mark.parametrize("back", [6_000, 12_000, 30_000, 150_000])
async def test_a_crash_amid_catching_up_is_no_loss(back: int, ski: SimplyKaspa) -> None:
    """It goes back to what it saved, a minute ago: at that speed many minutes of blocks."""
    await ski.enter("catching-up")
    ski.behind, ski.saved = 500_000, back
    first = await see(ski, "simply-kaspa")
    ski.behind, ski.uptime, ski.saved = ski.behind + back, 1_000, 0
    second = await see(ski, "simply-kaspa", first.memory)
    assert (second.epoch, second.start) == (None, first.start)
    ski.behind -= 2 * back
    third = await see(ski, "simply-kaspa", second.memory)
    assert (third.epoch, third.start) == (None, first.start)


async def test_a_reconnection_of_kasia_opens_a_gap_and_finds_the_node(
    ksi: Kasia, node: ScoredNode
) -> None:
    """Its log tells both; it answers all the while."""
    await ksi.enter("synced")
    memory: Any = {}
    for state, hints in (
        ("synced", []), ("disconnected", ["node-lost"]), ("reconnected", ["gaps-open"]),
        ("synced", []),
    ):  # fmt: skip
        ksi.say(state)
        seen = await see(ksi, "kasia", memory, node=node.url, log=str(ksi.log))
        assert (state, codes(seen)) == (state, hints)
        memory = seen.memory


async def test_another_network_is_refused(ski: SimplyKaspa) -> None:
    """It cannot become success."""
    await ski.enter("synced")
    seen = await see(ski, "simply-kaspa", network="testnet-10")
    found = {"network": "mainnet", "expected": "testnet-10"}
    assert seen == Refused(Reason.WRONG_NETWORK, found, (Hint("wrong-network", found),))


async def test_kasia_without_a_node_is_never_complete(ksi: Kasia) -> None:
    """It names hashes only, and its 200 proves nothing."""
    await ksi.enter("synced")
    seen = await see(ksi, "kasia")
    assert (seen.complete, seen.position, seen.basis) == (False, None, "unknown")
    assert codes(seen) == ["node-missing", "history-unknown"]


async def test_kasia_without_its_log_follows_the_tip(ksi: Kasia, node: ScoredNode) -> None:
    """Whether older gaps are open is not known, and that is said."""
    await ksi.enter("synced")
    seen = await see(ksi, "kasia", node=node.url)
    assert (seen.complete, codes(seen)) == (True, ["history-unknown"])
    assert seen.metadata["history"] == "unknown"


async def test_kasia_before_its_first_block(ksi: Kasia, node: ScoredNode) -> None:
    """All zeros are no block."""
    await ksi.enter("synced")
    ksi.begun = False
    seen = await see(ksi, "kasia", node=node.url)
    assert (seen.position, seen.complete) == (None, False)


async def test_a_block_that_the_node_does_not_have(ksi: Kasia, node: ScoredNode) -> None:
    """The two cannot be compared, and services must not be switched to that node."""
    await ksi.enter("synced")
    ksi.replies["/metrics"] = Reply({**ksi._metrics(), "latest_accepting_block": "ee" * 32})
    seen = await see(ksi, "kasia", node=node.url)
    assert (seen.position, codes(seen)[0]) == (None, "checkpoint-missing")


async def test_a_node_far_behind_its_indexer_is_no_measure(ksi: Kasia, node: ScoredNode) -> None:
    """It has begun anew; nothing is complete by it."""
    await ksi.enter("synced")
    node.score = TIP - 500_000
    seen = await see(ksi, "kasia", node=node.url)
    assert (seen.complete, seen.target, seen.reason) == (False, None, Reason.NODE_NOT_SYNCED)


async def test_a_k_indexer_is_its_web_server_and_what_feeds_it(ski: SimplyKaspa) -> None:
    """Always "healthy" is not synced; the database must answer, and the transactions be there."""
    ski.vcp = False
    web = KWebserver()
    await web.enter("synced")
    alone = await see(web, "k-indexer")
    assert (alone.complete, codes(alone)) == (False, ["source-missing"])
    silent = await see(web, "k-indexer", source=ski.url)
    assert silent.reason is Reason.REFUSED
    await ski.enter("catching-up")
    assert not (await see(web, "k-indexer", source=ski.url)).complete
    await ski.enter("synced")
    seen = await see(web, "k-indexer", source=ski.url)
    assert (seen.complete, seen.metadata["webNetwork"]) == (True, "mainnet")
    assert "blockProcessor" not in seen.metadata
    assert (await see(ski, "k-indexer")).complete
    web.network = "unknown"
    no = await see(web, "k-indexer", source=ski.url)
    assert (type(no), no.reason) == (Unreachable, Reason.NOT_READY)
    await web.stop()
    assert (await see(web, "k-indexer", source=ski.url)).reason is Reason.REFUSED


@pytest.mark.parametrize("flavor", ["simply-kaspa", "kasia", "k-indexer"])
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply({"status": "ok"}), Reason.BAD_ANSWER),
        (Reply(b"<html>"), Reason.BAD_ANSWER),
        (Reply([1]), Reason.BAD_ANSWER),
        (Reply(b"", 503), Reason.NOT_READY),
        (Reply(status=302, headers={"Location": "http://169.254.169.254/"}), Reason.BAD_ANSWER),
        (Reply(way="hang"), Reason.TIMEOUT),
        (Reply(way="cut"), Reason.STREAM_CLOSED),
    ],
)
async def test_another_program_is_said(
    flavor: str, reply: Reply, reason: Reason, ski: SimplyKaspa
) -> None:
    """Never a reading, never a failure."""
    await ski.enter("synced")
    ski.replies = dict.fromkeys(("/api/health", "/metrics", "/health"), reply)
    data = {"url": ski.url, "flavor": flavor}
    patience = 1.0 if reason is Reason.TIMEOUT else PATIENCE
    seen = await look(made("indexer-sync", data, timeout=patience))
    assert (type(seen), seen.reason) == (Unreachable, reason)
    _is_said(seen)


async def test_what_is_absent_is_never_fine(ski: SimplyKaspa) -> None:
    """A 200 at the tip that says nothing of its parts, its node or its network proves nothing."""
    await ski.enter("synced")
    health, metrics = ski._health().body, ski._metrics()
    node = {key: value for key, value in health["kaspad"].items() if key != "networkId"}
    chain = {"virtualChainProcessor": {"enabled": False}}
    off = {name: {"enabled": False} for name in simply_kaspa.COMPONENTS}
    for spoiled, expected in (
        ({"components": {}}, None),
        ({"components": off}, None),
        ({"components": {**metrics["components"], "blockFetcher": {}}}, None),
        ({"components": {**metrics["components"], **chain}}, "mainnet"),
    ):
        ski.replies["/api/metrics"] = Reply({**metrics, **spoiled})
        ski.replies["/api/health"] = Reply({**health, "kaspad": node} if expected else health)
        more = {"network": expected} if expected else {}
        seen = await see(ski, "simply-kaspa", **more)
        assert (isinstance(seen, Reading), seen.complete) == (True, False), spoiled
        assert codes(seen) == (["network-unknown"] if expected else [])
    assert (await see(ski, "simply-kaspa")).complete


# -- the rules

WEIRD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


def spoiled(answer: Any) -> st.SearchStrategy[Any]:
    """The answer with some of its values replaced by anything."""
    if not isinstance(answer, dict):
        return st.one_of(st.just(answer), st.just(answer), WEIRD)
    return st.fixed_dictionaries({key: spoiled(value) for key, value in answer.items()})


TWIN = SimplyKaspa()


@settings(max_examples=150)
@given(
    health=spoiled(TWIN._health().body),
    metrics=spoiled(TWIN._metrics()),
    web=spoiled(KWebserver()._health()),
    ksi=spoiled(Kasia(ScoredNode())._metrics()),
)
def test_no_answer_crashes_the_parsers(health: Any, metrics: Any, web: Any, ksi: Any) -> None:
    """A view, or a ValueError whose words are ours."""
    for parser, answer in ((kasia.metrics, ksi), (k_indexer.network, web)):
        _tried(parser, answer)
    found = _tried(simply_kaspa.health, health) or simply_kaspa.Health(True, False, TIP)
    view = _tried(lambda answer: simply_kaspa.view(found, answer), metrics)
    if view is not None:
        reading = judge(view, Memory(), 60.0, 0)
        json.dumps([reading.memory, dict(reading.metadata), reading.at_work])


def _tried(parser: Callable[[Any], Any], answer: Any) -> Any:
    try:
        return parser(answer)
    except ValueError as fault:
        return None if str(fault).isascii() else pytest.fail(str(fault))


@given(
    position=st.none() | st.integers(0, 10**9).map(float),
    target=st.none() | st.integers(0, 10**9).map(float),
    synced=st.none() | st.booleans(),
    busy=st.booleans(),
)
def test_complete_means_at_the_tip_of_a_synced_node(
    position: float | None, target: float | None, synced: bool | None, busy: bool
) -> None:
    """Whatever the numbers are."""
    reading = judge(View(position, None, target, 10.0, synced, busy), Memory(), 60.0, 0)
    if reading.complete:
        assert synced
        assert not busy
        assert position is not None
        assert target is not None
        assert abs(target - position) <= 600
    if reading.target is not None:
        assert reading.position is not None
        assert reading.target >= reading.position


@given(data=st.dictionaries(st.sampled_from([*Memory.__dataclass_fields__, "v"]), WEIRD))
def test_a_memory_of_anything_is_read(data: dict[str, Any]) -> None:
    """Garbage is forgotten."""
    from_json(data)
    from_json({**data, "v": 1}).to_json()


def test_old_lines_and_old_ends_say_nothing_about_now() -> None:
    """The first look reads the log's past; an hour later a loop is over."""
    line = "thread 'main' panicked at x"
    first = Memory().told([line] * 5, [1, 2, 3], 1_000)
    assert first.ends == ()
    loop = first.told([line] * 3, [1, 2, 4], 2_000)
    assert loop.ends == (2_000, 2_000, 2_000)
    hints = judge(View(), loop, 60.0, 2_000 + HOUR_MS).hints
    assert hints == ()


def test_a_gap_that_was_interrupted_stays_open_until_the_next_start() -> None:
    """The indexer finds it again only then."""
    memory = Memory(cursor=[]).told(["gap_count=1", "Gap filler interrupted to=ab"], [], 1)
    memory = memory.told(["Gap filling finished self.gaps_filling_in_progress=0"], [], 2)
    assert memory.has_gaps
    assert not memory.told(["Found gaps to fill gap_count=0"], [], 3).has_gaps
