"""Registering: the three forms, who is known already, and all that can be wrong with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kaspad_taskd.core.observation import Reading
from tests.api.house import ApiHouse
from tests.fakes.taskd_process import Refusal

pytestmark = pytest.mark.looptime
NODE = {"service": "kaspa-node"}


async def test_a_task_is_registered(house: ApiHouse) -> None:
    """With nothing to wait for the answer is in-progress; the id is type and service."""
    answer = await house.ask("registerTask", type="report", service="work", checkInterval="2s")
    task = answer["task"]
    assert (answer["success"], answer["created"]) == (True, True)
    assert answer["taskId"] == task["id"] == "report-work"
    assert (task["status"], task["attempt"], task["origin"]) == ("in-progress", 1, "api")
    assert (task["checkInterval"], task["progress"], task["error"]) == (2000, 0, None)
    assert task["actions"] == ["pause", "cancel", "remove"]
    assert await house.ask("getTask", taskId="report-work") == task


async def test_the_object_may_stand_in_an_array(house: ApiHouse) -> None:
    """Parameters by position are one object; more or other things are -32602."""
    answer = await house.ask("registerTask", {"type": "report", "service": "work"})
    assert answer["taskId"] == "report-work"
    wrong: list[list[Any]] = [[1], [{}, {}], ["report"]]
    for params in wrong:
        no = await house.no("registerTask", *params)
        assert (no.code, no.data["parameter"]) == (-32602, "params")


async def test_a_task_that_need_not_start(house: ApiHouse) -> None:
    """`start: false` leaves it pending until somebody starts it."""
    answer = await house.ask("registerTask", type="report", service="work", start=False)
    assert answer["task"]["status"] == "pending"
    assert answer["task"]["actions"] == ["start", "cancel", "remove"]


async def test_a_task_that_waits(house: ApiHouse) -> None:
    """What it waits for is named, also in the note; it starts when all of that is complete."""
    await house.ask("registerTask", type="report", service="first")
    answer = await house.ask(
        "registerTask", type="report", service="second", after=["report-first", "missing"]
    )
    task = answer["task"]
    assert (task["status"], task["waitingFor"]) == ("pending", ["report-first", "missing"])
    assert "report-first" in task["note"]
    assert "missing" in task["note"]
    await house.ask("registerTask", id="missing", type="report", service="third")
    await house.ask("completeTask", taskId="report-first")
    await house.settle()
    assert (await house.ask("getTask", taskId="report-second"))["waitingFor"] == ["missing"]
    await house.ask("completeTask", taskId="missing")
    await house.settle()
    task = await house.ask("getTask", taskId="report-second")
    assert (task["status"], task["waitingFor"], task["note"]) == ("in-progress", [], None)


NODE_FORMS: list[tuple[dict[str, Any], str]] = [
    ({}, "grpc://localhost:16110"),
    ({"host": "127.0.0.1", "port": 16210}, "grpc://127.0.0.1:16210"),
    ({"protocol": "wrpc-json"}, "ws://localhost:18110"),
    ({"protocol": "wrpc-json", "port": 18210}, "ws://localhost:18210"),
    ({"host": "::1"}, "grpc://[::1]:16110"),
    ({"useHttps": True}, "grpc://localhost:16110"),
]


@pytest.mark.parametrize(("given", "endpoint"), NODE_FORMS)
async def test_a_node(house: ApiHouse, given: dict[str, Any], endpoint: str) -> None:
    """Host, port and protocol, with their defaults, make the address."""
    answer = await house.ask("registerNodeSyncTask", **NODE, **given)
    task = answer["task"]
    assert (task["type"], task["endpoint"]) == ("node-sync", endpoint)
    assert task["config"]["url"] == endpoint
    assert answer["taskId"] == "node-sync-kaspa-node"


async def test_all_that_can_be_said_of_a_node(house: ApiHouse) -> None:
    """Pace, network, lag and switches: beside the address, or in `config`."""
    answer = await house.ask(
        "registerNodeSyncTask",
        **NODE,
        network="testnet-10",
        autoSwitch=False,
        checkInterval=2500,
        timeout="3s",
        config={"maxLag": "30s"},
    )
    task = answer["task"]
    assert task["checkInterval"] == 2500
    assert task["config"] == {
        "url": "grpc://localhost:16110",
        "network": "testnet-10",
        "maxLag": "30s",
    }
    stored = house.task(answer["taskId"]).definition
    assert (stored.auto_switch, stored.timeout) == (False, 3.0)


@pytest.mark.parametrize(
    ("given", "key", "must"),
    [
        ({"port": 17110}, "port", "Borsh"),
        ({"port": 17110, "protocol": "wrpc-json"}, "port", "Borsh"),
        ({"port": 0}, "port", "1"),
        ({"port": "16110"}, "port", "number"),
        ({"protocol": "http"}, "protocol", "grpc"),
        ({"network": "main"}, "network", "mainnet"),
        ({"colour": "red"}, "colour", "unknown"),
        ({"checkInterval": 100}, "checkInterval", "250"),
        ({"checkInterval": "soon"}, "checkInterval", "10s"),
        ({"autoSwitch": "yes"}, "autoSwitch", "true"),
        ({"service": "a b"}, "service", "letters"),
    ],
)
async def test_a_bad_node(house: ApiHouse, given: dict[str, Any], key: str, must: str) -> None:
    """Each fault names the key as it was given, and what it must be."""
    no = await house.no("registerNodeSyncTask", **{**NODE, **given})
    assert (no.code, no.reason) == (-32004, "invalid-definition")
    (fault,) = no.data["faults"]
    assert fault["key"].rpartition(".")[2] == key
    assert must in fault["problem"]
    assert await house.ask("getAllTasks") == []


async def test_an_indexer_asks_where(house: ApiHouse) -> None:
    """`indexerUrl` is the checker's URL: one that may not be asked is forbidden at once."""
    no = await house.no(
        "registerIndexerSyncTask", service="kasia-indexer", indexerUrl="http://10.9.9.9:8080"
    )
    assert no.reason == "forbidden"
    assert "10.9.9.9" in no.message
    answer = await house.ask(
        "registerIndexerSyncTask",
        service="kasia-indexer",
        indexerUrl="http://localhost:8080/metrics",
        node="grpc://localhost:16110",
    )
    task = answer["task"]
    assert (task["type"], task["endpoint"]) == ("indexer-sync", "http://localhost:8080")
    assert task["config"] == {
        "flavor": "kasia",
        "url": "http://localhost:8080",
        "node": "grpc://localhost:16110",
        "maxLag": "1min",
    }


@pytest.mark.parametrize("key", ["node", "source"])
async def test_all_that_an_indexer_asks_must_be_allowed(house: ApiHouse, key: str) -> None:
    """Not its own address alone."""
    place = {"node": "grpc://10.9.9.9:16110", "source": "http://10.9.9.9:8501"}[key]
    no = await house.no(
        "registerIndexerSyncTask",
        service="k-indexer",
        indexerUrl="http://localhost:8080",
        flavor="k-indexer",
        **{key: place},
    )
    assert no.reason == "forbidden"
    assert "10.9.9.9" in no.message


async def test_all_faults_at_once(house: ApiHouse) -> None:
    """`data.faults` has every one, with key and problem; the message the first few."""
    no = await house.no(
        "registerTask",
        type="node-sync",
        service="",
        checkInterval="soon",
        confirmations=0,
        colour="red",
        config={"url": "http://localhost", "maxLag": -1},
    )
    keys = {fault["key"] for fault in no.data["faults"]}
    assert keys == {"service", "checkInterval", "confirmations", "colour", "config.url",
                    "config.maxLag"}  # fmt: skip
    assert all(fault.keys() == {"key", "problem"} for fault in no.data["faults"])


@pytest.mark.parametrize("missing", ["type", "service"])
async def test_what_is_missing(house: ApiHouse, missing: str) -> None:
    """Type and service must be there."""
    given = {"type": "report", "service": "work"}
    del given[missing]
    no = await house.no("registerTask", **given)
    assert no.reason == "invalid-definition"
    assert [fault["key"] for fault in no.data["faults"]] == [missing]


@pytest.mark.parametrize("given", ["", "-a", "a" * 101, "ä", "a/b", 7, ["x"]])
async def test_a_bad_id(house: ApiHouse, given: object) -> None:
    """An id that cannot be one is -32602, with what it must be."""
    no = await house.no("registerTask", id=given, type="report", service="work")
    assert (no.code, no.data["parameter"]) == (-32602, "id")
    assert "letters" in no.message


async def test_a_known_id_with_the_same_work(house: ApiHouse) -> None:
    """The task as it is, whatever its pace: nothing changes."""
    first = await house.ask("registerTask", id="x", type="report", service="work")
    again = await house.ask(
        "registerTask", id="x", type="report", service="work", checkInterval="1min"
    )
    assert again == {**first, "created": False}
    await house.ask("completeTask", taskId="x")
    again = await house.ask("registerTask", id="x", type="report", service="work")
    assert (again["created"], again["task"]["status"]) == (False, "complete")


async def test_a_known_id_with_other_work(house: ApiHouse) -> None:
    """Is a conflict, and changes nothing."""
    before = (await house.ask("registerTask", id="x", type="report", service="work"))["task"]
    no = await house.no("registerTask", id="x", type="report", service="other")
    assert (no.code, no.reason) == (-32002, "conflict")
    assert await house.ask("getTask", taskId="x") == before
    await house.ask("registerNodeSyncTask", **NODE)
    no = await house.no("registerNodeSyncTask", **NODE, port=16210)
    assert no.reason == "conflict"


async def test_without_an_id_an_ended_task_begins_anew(house: ApiHouse) -> None:
    """A new attempt with the new definition; a live one is only returned."""
    await house.ask("registerNodeSyncTask", **NODE)
    await house.ask("cancelTask", taskId="node-sync-kaspa-node")
    again = await house.ask("registerNodeSyncTask", **NODE, port=16210)
    task = again["task"]
    assert (again["created"], task["status"], task["attempt"]) == (True, "in-progress", 2)
    assert task["config"]["url"] == "grpc://localhost:16210"
    assert house.mirror.kept["node-sync-kaspa-node"].checker["url"] == "grpc://localhost:16210"
    more = await house.ask("registerNodeSyncTask", **NODE, port=16210)
    assert (more["created"], more["task"]["attempt"]) == (False, 2)


async def test_two_who_register_the_same_at_once(house: ApiHouse) -> None:
    """One of them made it, both get it."""
    given = {"type": "report", "service": "work"}
    both = await asyncio.gather(*(house.ask("registerTask", **given) for _ in range(2)))
    assert sorted(each["created"] for each in both) == [False, True]
    assert both[0]["task"] == both[1]["task"]


async def test_two_who_register_the_same_when_the_disk_fails(house: ApiHouse) -> None:
    """Neither is told that there is a task which was never written."""
    given = {"type": "report", "service": "work"}
    house.store.fail_next("the disk is full")
    both = await asyncio.gather(
        *(house.ask("registerTask", **given) for _ in range(2)), return_exceptions=True
    )
    for each in both:
        if isinstance(each, Refusal):
            assert each.reason == "store-unavailable"
        else:
            assert not isinstance(each, BaseException)
            assert await house.ask("getTask", taskId="report-work") == each["task"]


FORBIDDEN: list[dict[str, Any]] = [
    {"type": "command", "service": "x", "config": {"command": ["/bin/true"]}},
    {"type": "command", "service": "x", "config": {}, "colour": "red"},
    {"type": "report", "service": "x", "onComplete": {"command": ["/bin/true"]}},
    {"type": "node-sync", "service": "x", "config": {"url": "grpc://10.9.9.9:16110"}},
    {"type": "node-sync", "service": "x", "config": {"host": "example.org"}, "colour": "red"},
    {"type": "node-sync", "service": "x", "config": {"url": "grpc://169.254.169.254:80"}},
]


@pytest.mark.parametrize("given", FORBIDDEN)
async def test_what_is_forbidden_over_an_api(house: ApiHouse, given: dict[str, Any]) -> None:
    """Commands, and hosts that are not allowed: said before anything else that is wrong."""
    no = await house.no("registerTask", **given)
    assert (no.code, no.reason) == (-32005, "forbidden")
    assert await house.ask("getAllTasks") == []


async def test_a_cycle_is_a_fault(house: ApiHouse) -> None:
    """A task that waits for one that waits for it; or for itself."""
    await house.ask("registerTask", id="a", type="report", service="a", after=["b"])
    no = await house.no("registerTask", id="b", type="report", service="b", after=["a"])
    assert no.reason == "invalid-definition"
    assert [fault["key"] for fault in no.data["faults"]] == ["after"]
    no = await house.no("registerTask", id="c", type="report", service="c", after=["c"])
    assert [fault["key"] for fault in no.data["faults"]] == ["after"]


async def test_a_full_roster_is_busy(house: ApiHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 10,000 tasks (here: 2) none is taken; known ones still are."""
    monkeypatch.setattr("kaspad_taskd.engine.roster.TASKS", 2)
    for service in ("a", "b"):
        await house.ask("registerTask", type="report", service=service)
    no = await house.no("registerTask", type="report", service="c")
    assert (no.code, no.reason, no.data["limit"]) == (-32008, "busy", 2)
    assert (await house.ask("registerTask", type="report", service="a"))["created"] is False
    await house.ask("removeTask", taskId="report-a")
    assert (await house.ask("registerTask", type="report", service="c"))["created"]


async def test_a_disk_that_fails(house: ApiHouse) -> None:
    """store-unavailable, with why; no task is there, and the next one is taken."""
    house.store.fail_next("the disk is full")
    no = await house.no("registerTask", type="report", service="work")
    assert (no.code, no.reason) == (-32006, "store-unavailable")
    assert "the disk is full" in no.message
    assert await house.ask("getAllTasks") == []
    assert (await house.ask("registerTask", type="report", service="work"))["created"]


async def test_looks_begin_at_once(house: ApiHouse) -> None:
    """The first look at a registered node is taken now, the next after the interval."""
    house.probe("node-sync-kaspa-node").default = Reading(position=10.0, target=100.0, start=0.0)
    await house.ask("registerNodeSyncTask", **NODE, checkInterval="10s")
    await asyncio.sleep(1)
    task = await house.ask("getTask", taskId="node-sync-kaspa-node")
    assert house.probe("node-sync-kaspa-node").looks == 1
    assert task["lastChecked"] is not None
    assert task["health"] == "ok"
    assert task["nextCheck"] > task["lastChecked"]


async def test_nobody_looks_at_a_report(house: ApiHouse) -> None:
    """A task of that type has no next look and cannot be checked, whatever its interval."""
    task = (await house.ask("registerTask", type="report", service="work"))["task"]
    assert task["nextCheck"] is None
    await asyncio.sleep(60)
    task = await house.ask("getTask", taskId="report-work")
    assert (task["nextCheck"], task["lastChecked"]) == (None, None)


async def test_many_at_once_do_not_overfill_the_roster(
    house: ApiHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those under way count too; who failed does not."""
    monkeypatch.setattr("kaspad_taskd.engine.roster.TASKS", 3)
    house.store.fail_next("the disk is full")
    for _ in range(2):
        await asyncio.gather(
            *(house.ask("registerTask", type="report", service=f"s{n}") for n in range(8)),
            return_exceptions=True,
        )
    assert len(await house.ask("getAllTasks")) == 3
