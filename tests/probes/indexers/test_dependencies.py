"""An indexer whose node or database is down says so, or we see it: reason and hint name it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes import Means
from tests.fakes.bridged import free_port
from tests.fakes.indexers import KWebserver, ScoredNode, SimplyKaspa
from tests.fakes.patience import PATIENCE
from tests.fakes.website import Reply
from tests.probes.looks import look, made, read, said


def databases(place: Path, port: int) -> Means:
    """Settings that name a database at this port of ours."""
    file = place / "explorer.dsn"
    file.write_text(f"postgresql://watcher:secret@127.0.0.1:{port}/explorer?sslmode=disable")
    return Means(databases={"explorer": file})


async def see(twin: Any, means: Means | None = None, memory: Any = None, **more: Any) -> Any:
    timeout = more.pop("timeout", PATIENCE)
    data = {"url": twin.url, "flavor": "simply-kaspa", **more}
    return await look(made("indexer-sync", data, means, timeout), memory)


def shown(seen: Any) -> tuple[Any, list[str]]:
    return seen.reason, [hint.code for hint in seen.hints]


HANGS = Reply(way="hang")


async def test_a_start_without_its_node_names_it(ski: SimplyKaspa, node: ScoredNode) -> None:
    """By its log, which says so every five seconds; else by our own look."""
    ski.say("node-down")
    assert shown(await see(ski, log=str(ski.log))) == (Reason.NODE_LOST, ["node-lost"])
    assert shown(await see(ski, node=node.url)) == (Reason.REFUSED, ["indexer-starting"])
    await node.__aexit__()
    assert shown(await see(ski, node=node.url)) == (Reason.NODE_LOST, ["node-silent"])


@pytest.fixture
async def node() -> AsyncIterator[ScoredNode]:
    async with ScoredNode() as node:
        yield node


async def test_a_node_that_rejects_us_alone_is_not_down(ski: SimplyKaspa, node: ScoredNode) -> None:
    """What only we do not get says nothing of the indexer."""
    node.ways.errors["getBlockDagInfo"] = "secret"
    assert Reason.NODE_LOST is not (await see(ski, node=node.url)).reason


async def test_a_database_that_is_down_is_named(ski: SimplyKaspa, tmp_path: Path) -> None:
    """Its HTTP hangs, then it panics, then each start ends after 30 s: by its log all the time."""
    await ski.enter("catching-up")
    first = await see(ski, log=str(ski.log))
    ski.replies = dict.fromkeys(ski.replies, HANGS)
    ski.say("pool-timed-out")
    lost = Reason.DATABASE_LOST, ["database-lost"]
    seen = await see(ski, None, first.memory, log=str(ski.log), timeout=1.0)
    assert shown(seen) == lost
    await ski.enter("database-down")
    seen = await see(ski, None, seen.memory, log=str(ski.log))
    assert shown(seen) == lost
    ski.say("start")
    seen = await see(ski, None, seen.memory, log=str(ski.log))
    assert shown(seen) == lost
    assert "secret" not in repr(seen)


@pytest.mark.parametrize("state", ["hangs", "closed"])
async def test_without_a_log_we_look_at_the_database(
    state: str, ski: SimplyKaspa, tmp_path: Path, node: ScoredNode
) -> None:
    """That the settings name; it comes before a node that is up."""
    if state == "hangs":
        await ski.enter("synced")
        ski.replies = dict.fromkeys(ski.replies, HANGS)
    seen = await see(
        ski, databases(tmp_path, free_port()), dsn="explorer", node=node.url,
        timeout=4.0 if state == "hangs" else PATIENCE,
    )  # fmt: skip
    assert shown(seen) == (Reason.DATABASE_LOST, ["database-silent"])
    assert seen.hints[0].params == {"database": "explorer"}
    assert "secret" not in repr(seen)


async def test_a_database_that_we_cannot_ask_is_said(ski: SimplyKaspa, node: ScoredNode) -> None:
    """It says nothing of the indexer; a node that is down does."""
    known = {"dsn": "explorer", "node": node.url}
    assert shown(await see(ski, Means(), **known)) == (Reason.REFUSED, ["credentials"])
    await node.__aexit__()
    assert shown(await see(ski, Means(), **known)) == (Reason.NODE_LOST, ["node-silent"])


async def test_three_starts_without_an_upgrade_and_one_with_it(ski: SimplyKaspa) -> None:
    """What was to be done is not said any more once it is done; what fails then, is."""
    memory: Any = {}
    for state, hints in (
        ("start", []), ("outdated", ["schema-outdated"]), ("outdated", ["schema-outdated"]),
        ("outdated", ["schema-outdated", "crash-loop"]),
        ("start", ["schema-outdated", "crash-loop"]),
        ("migrating", ["indexer-migrating"]), ("noise", ["indexer-migrating"]),
        ("broken", ["upgrade-failed"]), ("migrating", ["indexer-migrating"]),
        ("waiting", ["node-not-synced"]),
    ):  # fmt: skip
        ski.say(state)
        seen = await see(ski, None, memory, log=str(ski.log))
        assert (state, shown(seen)[1]) == (state, hints)
        memory = seen.memory


async def test_a_web_server_of_a_k_indexer_says_408_for_its_database(ski: SimplyKaspa) -> None:
    """After its own 30 s: all that its health does is to ask."""
    web = KWebserver()
    await web.enter("synced")
    web.database_down = True
    for more in ({}, {"source": ski.url}):
        seen = await look(made("indexer-sync", {"url": web.url, "flavor": "k-indexer", **more}))
        assert shown(seen) == (Reason.DATABASE_LOST, ["database-lost"])
    await web.stop()


def test_a_database_is_one_of_the_settings() -> None:
    """By its name, for those that have one."""
    data = {"url": "http://h:1", "flavor": "simply-kaspa", "dsn": "explorer"}
    checker, faults = read("indexer-sync", data)
    assert (faults, checker.config["dsn"]) == ([], "explorer")
    assert read("indexer-sync", checker.config, "json", "") == (checker, [])
    assert "must name one of" in said("indexer-sync", {**data, "dsn": "postgresql://x:y@h/d"})
    assert "dsn: unknown key" in said("indexer-sync", {**data, "flavor": "kasia"})
