"""What browsers ask: the wizard's events, `rpc`, and every "no"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.bridge import wizard
from kaspad_taskd.bridge.browsers import IN_FLIGHT
from kaspad_taskd.bridge.tries import WAITING
from kaspad_taskd.config.settings import Address, Bridge
from kaspad_taskd.core.observation import Reading
from tests.bridge.house import Bridged, Visitor, bridged, until

NODE = "node-sync-kaspa-node"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path) as built:
        yield built


@pytest.fixture
async def visitor(house: Bridged) -> Visitor:
    return await house.visit()


def register(service: str = "kaspa-node") -> dict[str, Any]:
    config = {"host": "localhost", "port": 16110, "useHttps": True, "network": "mainnet"}
    return {"type": "node-sync", "service": service, "config": config}


async def test_a_wizard_registers_a_node_by_the_old_arguments(visitor: Visitor) -> None:
    """`config` holds the convenience method's arguments; `useHttps` says nothing any more."""
    answer = await visitor.ask("task:register", register())
    assert answer["taskId"] == NODE
    assert answer["task"]["endpoint"] == "grpc://localhost:16110"
    assert ("task:registered", answer) in visitor.told


async def test_any_other_type_is_registered_as_it_is(visitor: Visitor) -> None:
    """With an id of its own."""
    given = {"type": "report", "service": "import", "config": {}, "id": "mine"}
    assert (await visitor.ask("task:register", given))["taskId"] == "mine"


async def test_the_answer_and_the_acknowledgement_are_the_same_object(visitor: Visitor) -> None:
    """Whoever listens for either sees it."""
    await visitor.ask("task:register", register())
    for request, payload, event in (
        ("task:status", {"taskId": NODE}, "task:status:response"),
        ("tasks:list", None, "tasks:list:response"),
        ("task:cancel", {"taskId": NODE}, "task:cancelled"),
        ("task:cancel", {"taskId": NODE}, "task:error"),
    ):
        answer = await visitor.ask(request, payload)
        assert (event, answer) in visitor.told


async def test_without_an_acknowledgement_the_event_answers(visitor: Visitor) -> None:
    """As old wizards do it."""
    await visitor.emit("tasks:list")
    answer = await visitor.event("tasks:list:response")
    assert answer["tasks"] == []
    assert answer["seq"] == 0


async def test_pause_without_a_payload_means_every_node_sync(
    house: Bridged, visitor: Visitor
) -> None:
    """The wizard's buttons send none; other tasks go on."""
    await visitor.ask("task:register", register())
    await visitor.ask("task:register", register("other-node"))
    await house.add("job")
    both = {NODE, "node-sync-other-node"}
    assert set((await visitor.ask("sync:pause"))["taskIds"]) == both
    assert house.house.task(NODE).status == "paused"
    assert house.house.task("job").status == "in-progress"
    again = await visitor.ask("sync:pause")
    assert (again["reason"], again["request"]) == ("not-allowed", "sync:pause")
    assert set((await visitor.ask("sync:resume", None))["taskIds"]) == both


async def test_every_node_sync_are_those_kept_watch_on_too(
    house: Bridged, visitor: Visitor
) -> None:
    """A watch is paused and resumed as a live task; what has none, and other types, are not."""
    for node, keep in (("kept", True), ("ended", False)):
        await house.add(node, type="node-sync", confirmations=1, keep_watching=keep)
        house.house.probe(node).default = Reading(complete=True)
    await house.add("job", type="http-json", confirmations=1, keep_watching=True)
    house.house.probe("job").default = Reading(complete=True)
    await until(lambda: _all_complete(house))
    assert await visitor.ask("sync:pause") == {"taskIds": ["kept"]}
    assert (house.house.task("kept").status, house.house.task("kept").watch) == (
        "complete", "paused",
    )  # fmt: skip
    assert house.house.task("job").watch == "on"
    assert (await visitor.ask("sync:pause"))["reason"] == "not-allowed"
    assert await visitor.ask("sync:resume") == {"taskIds": ["kept"]}
    assert house.house.task("kept").watch == "on"
    assert (await visitor.ask("sync:resume"))["reason"] == "not-allowed"


def _all_complete(house: Bridged) -> bool:
    return {house.house.task(each).status for each in ("kept", "ended", "job")} == {"complete"}


async def test_pause_and_resume_take_a_task(house: Bridged, visitor: Visitor) -> None:
    """With `{taskId}` that one alone, of any type."""
    await house.add("job")
    assert await visitor.ask("sync:pause", {"taskId": "job"}) == {"taskIds": ["job"]}
    assert house.house.task("job").status == "paused"
    assert await visitor.ask("sync:resume", {"taskId": "job"}) == {"taskIds": ["job"]}


async def test_retry_begins_the_next_attempt(house: Bridged, visitor: Visitor) -> None:
    """After a cancel."""
    await house.add("job")
    await visitor.ask("task:cancel", {"taskId": "job"})
    answer = await visitor.ask("task:retry", {"taskId": "job"})
    assert answer["task"]["attempt"] == 2


async def test_a_dialog_gets_what_it_reads_and_sends_back_the_choice(
    house: Bridged, visitor: Visitor
) -> None:
    """Labels and a time left as texts, numbers of blocks; `nodeKey` comes back with the choice."""
    await visitor.ask("task:register", register())
    advice = (await visitor.rpc("getSyncStrategy", taskId=NODE))["result"]
    assert [type(advice[key]) for key in ("estimatedTime", "nodeKey")] == [str, str]
    assert all(isinstance(each["label"], str) for each in advice["options"])
    blocks = ("percentage", "currentBlock", "targetBlock", "blocksRemaining")
    assert all(isinstance(advice["syncStatus"][key], int | float) for key in blocks)
    best = next(each["id"] for each in advice["options"] if each["recommended"])
    chosen = {"choice": best, "nodeKey": advice["nodeKey"]}
    answer = await visitor.ask("sync:strategy-chosen", chosen)
    assert answer["decision"]["context"] == {"choice": best, "nodeKey": "kaspa-node"}


async def test_a_choice_is_put_on_record(visitor: Visitor) -> None:
    """As a decision with what it was about."""
    chosen = {"choice": "background", "nodeKey": "kaspa-node"}
    await visitor.ask("sync:strategy-chosen", chosen)
    found = (await visitor.rpc("getDecisions"))["result"]
    assert [(each["decision"], each["context"]) for each in found] == [("sync-strategy", chosen)]


@pytest.mark.parametrize(
    "request_name", [*wizard.REQUESTS, wizard.EVENTS_SINCE, wizard.RPC, "nope"]
)
@pytest.mark.parametrize("payload", [7, "x", [1], True, {"taskId": 7}, {"x": {"y": []}}])
async def test_a_bad_payload_is_answered_with_words(
    visitor: Visitor, request_name: str, payload: Any
) -> None:
    """Every event, every wrong type: a sentence, the code, what was asked; and it goes on."""
    answer = await visitor.ask(request_name, payload)
    if request_name == wizard.RPC:
        assert answer["error"]["message"]
    else:
        assert answer["error"]
        assert answer["request"] == request_name
        assert answer["code"] in range(-32700, -31999)
        assert answer["reason"]
    assert "Traceback" not in str(answer)
    assert (await visitor.rpc("ping"))["result"]["pong"] is True


@pytest.mark.parametrize(
    "request_name", sorted(set(wizard.REQUESTS) - {"tasks:list", "sync:pause", "sync:resume"})
)
async def test_no_payload_is_answered_with_words(visitor: Visitor, request_name: str) -> None:
    """Where one is needed, null and nothing are told so, with an example."""
    for args in ([], [None]):
        answer = await visitor.ask(request_name, *args)
        assert "must be an object, for example" in answer["error"]


async def test_an_unknown_task_is_said(visitor: Visitor) -> None:
    """With its id and the reason of the closed list."""
    answer = await visitor.ask("task:status", {"taskId": "nobody"})
    assert (answer["reason"], answer["taskId"]) == ("not-found", "nobody")


async def test_rpc_answers_by_the_methods_own_name(visitor: Visitor) -> None:
    """`{result}` or `{error}`, as on the other door."""
    assert (await visitor.rpc("ping"))["result"]["pong"] is True
    wrong = (await visitor.rpc("getTask"))["error"]
    assert (wrong["code"], wrong["data"]["parameter"]) == (-32602, "taskId")
    assert (await visitor.ask("rpc", {"method": "getTask", "params": ["x"]})) == {"result": None}
    assert (await visitor.ask("rpc", {"method": "nope"}))["error"]["code"] == -32601
    more = {"method": "ping", "id": 1, "jsonrpc": "2.0", "meta": {"trace": "4bf9"}}
    assert (await visitor.ask("rpc", more))["result"]["pong"] is True
    assert (await visitor.ask("rpc", {"method": "ping", "params": 7}))["error"]["code"] == -32602


async def test_a_browser_may_change_the_pace(visitor: Visitor) -> None:
    """With the token, as any other change; the fault is the other door's too."""
    assert "result" in await visitor.rpc("registerTask", id="job", type="report", service="job")
    answer = await visitor.rpc("updateTask", taskId="job", checkInterval="20s", stallAfter=300_000)
    task = answer["result"]["task"]
    assert (task["checkInterval"], task["stallAfter"]) == (20_000, 300_000)
    no = await visitor.rpc("updateTask", taskId="job", checkInterval="1ms")
    assert no["error"]["data"]["reason"] == "invalid-definition"


@pytest.mark.parametrize("method", ["shutdown", "reload", "backup", "subscribe"])
async def test_some_methods_are_for_the_host_alone(
    house: Bridged, visitor: Visitor, method: str
) -> None:
    """Even with the token."""
    answer = await visitor.rpc(method)
    assert answer["error"]["data"]["reason"] == "forbidden"
    assert house.house.host.stopped == 0


async def test_without_the_token_nothing_is_changed(house: Bridged) -> None:
    """All that changes is refused, all that reads is answered."""
    await house.add("job")
    revision = house.house.task("job").revision
    reader = await house.visit(trusted=False)
    assert (await reader.event("hello"))["canChange"] is False
    for name, request in wizard.REQUESTS.items():
        answer = await reader.ask(name, {"taskId": "job", "choice": "wait", "type": "report"})
        if request.changes:
            assert answer["reason"] == "forbidden", name
            assert "access token" in answer["error"]
    changing = [each for each in house.house.methods.values() if each.changes]
    for method in changing:
        answer = (await reader.ask("rpc", {"method": method.name}))["error"]
        assert answer["data"]["reason"] == "forbidden", method.name
    assert house.house.task("job").revision == revision
    assert (await reader.rpc("getAllTasks"))["result"][0]["id"] == "job"


async def test_a_wrong_token_is_not_let_in(house: Bridged) -> None:
    """It is told why; while eight of its address wait for that, the ninth is sent away."""
    with pytest.raises(PermissionError, match="That token is not right"):
        await house.visit({"token": "wrong"}, trusted=False)
    wrong = {"token": "wrong"}
    waiting = [asyncio.create_task(house.visit(wrong, trusted=False)) for _ in range(WAITING)]
    await until(lambda: len(house.access._shown._known["127.0.0.1"].ends) == WAITING)
    with pytest.raises(PermissionError, match=r'Too many tries.*"busy".*"retryAfter"'):
        await house.visit({"token": house.token}, trusted=False)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize("auth", [{"token": 7}, {"token": ""}, {"token": {"a": 1}}])
async def test_a_token_of_a_wrong_type_is_a_wrong_one(house: Bridged, auth: Any) -> None:
    """And crashes nothing."""
    with pytest.raises(PermissionError, match="not right"):
        await house.visit(auth, trusted=False)


async def test_bearer_and_session_may_change(house: Bridged) -> None:
    """A program by its header, a browser by its cookie, as long as the session lives."""
    program = await house.visit(trusted=False, headers={"Authorization": f"Bearer {house.token}"})
    assert (await program.event("hello"))["canChange"] is True
    async with house.http.post(f"{house.base}/session", json={"token": house.token}) as answer:
        assert answer.status == 200
    page = await house.visit(trusted=False)
    assert (await page.event("hello"))["canChange"] is True
    async with house.http.delete(f"{house.base}/session") as answer:
        assert answer.status == 200
    await page.ended()
    again = await house.visit(trusted=False)
    assert (await again.rpc("cleanupOldTasks"))["error"]["data"]["reason"] == "forbidden"


async def test_on_a_public_address_reading_needs_the_token_too(tmp_path: Path) -> None:
    """Socket.IO says so when it is asked to connect."""
    async with bridged(tmp_path, Bridge(Address("0.0.0.0", 0))) as house:
        with pytest.raises(PermissionError, match="needs the access token"):
            await house.visit(trusted=False)
        assert (await (await house.visit()).event("hello"))["canChange"] is True


async def test_a_flood_is_answered_in_order(visitor: Visitor) -> None:
    """Far more at once than are answered at once; none is lost."""
    count = 5 * IN_FLIGHT
    for number in range(count):
        await visitor.line.send_str(f'42{number}["rpc",{{"method":"ping"}}]')
    answered: list[int] = []
    while len(answered) < count:
        packet = await visitor.read()
        if packet[0] == "3":
            assert "pong" in packet
            answered.append(int(packet[1 : packet.index("[")]))
    assert sorted(answered) == list(range(count))


async def test_too_many_that_wait_are_told_to(
    house: Bridged, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes on, its heartbeat too."""
    monkeypatch.setattr("kaspad_taskd.bridge.browsers.SLOT_S", 0.05)
    await house.add("job")
    waits = '["rpc",{"method":"waitTask","params":{"taskId":"job"}}]'
    for number in range(IN_FLIGHT):
        await visitor.line.send_str(f"421{number:04}{waits}")
    answer = await visitor.rpc("ping")
    assert answer["error"]["data"] == {"reason": "busy", "limit": IN_FLIGHT}
    await visitor.line.close()
    await until(lambda: not house.server.browsers._asking)


async def test_who_leaves_loses_the_answer_not_the_change(house: Bridged) -> None:
    """A change that was asked for is made."""
    await house.add("job")
    visitor = await house.visit()
    await visitor.emit("sync:pause", {"taskId": "job"})
    await visitor.line.close()
    await until(lambda: house.house.task("job").status == "paused")
    await until(lambda: len(house.server.browsers) == 0)


async def test_a_crash_is_an_incident(
    house: Bridged, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """The log has the traceback, the wire its number."""

    def crash(*_: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(house.house.engine, "tasks", crash)
    answer = await visitor.ask("tasks:list")
    assert answer["code"] == -32603
    assert answer["incident"] in [vars(each).get("incident") for each in caplog.records]
    assert "a secret" not in str(answer)
    assert "a secret" in caplog.text


async def test_hostile_texts_come_back_as_they_are(house: Bridged, visitor: Visitor) -> None:
    """Strings are strings: HTML, right-to-left and zero-width ones too."""
    text = "<img src=x onerror=alert(1)>\u202e\u200b" + "x" * 250
    await house.add("job")
    await visitor.rpc("errorTask", taskId="job", error=text)
    assert (await visitor.rpc("getTask", taskId="job"))["result"]["error"] == text


async def test_a_reader_who_waits_does_not_hold_up_his_own_heartbeat(
    house: Bridged, visitor: Visitor
) -> None:
    """A long `waitTask` leaves the line free for everything else."""
    await house.add("job")
    await visitor.line.send_str('4277["rpc",{"method":"waitTask","params":{"taskId":"job"}}]')
    assert (await visitor.rpc("ping"))["result"]["pong"] is True
    await visitor.rpc("pauseTask", taskId="job")
    await visitor.line.close()


async def test_a_foreign_event_says_what_is_wrong(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    """A wizard with one socket, pointed here, hears of it; so does the log, sparingly."""
    for event in ("install:start", "update:check", "x\x1b[31m" * 40):
        answer = await visitor.ask(event, {"profile": "core"})
        assert ("task:error", answer) in visitor.told
        assert (answer["code"], answer["reason"], answer["parameter"]) == (
            -32602, "invalid-params", "event",
        )  # fmt: skip
        assert "not the wizard's own server" in answer["error"]
        assert "docs/wizard.md" in answer["error"]
        assert "\x1b" not in answer["error"]
        assert len(answer["error"]) < 400
    warned = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert len(warned) == 1
    assert '"install:start"' in warned[0]
    assert "Node package kaspad-taskd" in warned[0]
