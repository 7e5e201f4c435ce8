"""Services that can be switched: how they are shown, and what is refused."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from kaspad_taskd.base.clock import iso
from kaspad_taskd.config.switched import Compose
from kaspad_taskd.core.attention import ServiceState, Sight
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import SwitchReason
from kaspad_taskd.switching.hands import Bad, Check, Good
from tests.api.house import ApiHouse
from tests.fakes.hands import service

pytestmark = pytest.mark.looptime
LOST = Bad(SwitchReason.NO_ANSWER, {"unit": "k.service", "task": "idx", "within": 120.0})


@pytest.fixture(autouse=True)
def _declared(house: ApiHouse) -> None:
    house.services["kasia"] = service()


async def end(house: ApiHouse) -> dict[str, object]:
    await house.switcher.idle("kasia")
    found: dict[str, object] = (await house.ask("getServices"))[0]
    return found


async def test_without_services_there_are_none(house: ApiHouse) -> None:
    """An empty list is an answer."""
    house.services.clear()
    assert await house.ask("getServices") == []


async def test_a_service_is_shown_with_its_task_and_hints(house: ApiHouse) -> None:
    """Before any switch; a hint has its sentence and its cure."""
    house.services["ski"] = service(
        runs_as=Compose("kaspa", Path("/opt/c.yaml"), "ski"), node="grpc://10.0.0.1:16110"
    )
    house.hands.told = [Hint("borsh-closed", {"port": 17110, "address": "127.0.0.1:17110"})]
    url = {"url": "grpc://127.0.0.1:16110"}
    await house.ask("registerTask", type="node-sync", service="n", config=url)
    kasia, ski = await house.ask("getServices")
    assert (kasia["unit"], kasia["compose"]) == ("kasia-indexer.service", None)
    assert (kasia["points"], kasia["since"], kasia["verified"]) == ("public", None, None)
    assert (kasia["task"], ski["task"]) == ("node-sync-n", None)
    assert kasia["switch"] is None
    hint = kasia["hints"][0]
    assert hint["note"] == "The node does not offer port 17110, which services need."
    assert hint["cure"] == "Start kaspad with --rpclisten-borsh=127.0.0.1:17110"
    assert ski["compose"] == {"project": "kaspa", "file": "/opt/c.yaml", "service": "ski"}
    task = await house.ask("getTask", taskId="node-sync-n")
    assert task["switches"] == ["kasia"]


async def test_a_service_is_shown_as_it_is_seen_now(house: ApiHouse) -> None:
    """Its state, what of it needs somebody with what to type, and the same as an event."""
    facts = {"service": "kasia", "unit": "k.service"}
    seen = Sight(house.now(), ServiceState.RUNNING, facts=facts)
    house.hands.sights["kasia"] = seen
    kasia = (await house.ask("getServices"))[0]
    assert (kasia["state"], kasia["attention"], kasia["held"]) == ("running", None, False)
    house.hands.sights["kasia"] = replace(seen, state=ServiceState.FAILED, result="exit-code")
    kasia = (await house.ask("getServices"))[0]
    assert (kasia["state"], kasia["stateAt"]) == ("failed", iso(seen.at))
    found = kasia["attention"]
    assert found["code"] == "down"
    assert found["note"] == "k.service does not run: it ended with exit-code."
    assert found["cure"].endswith("then by hand: sudo systemctl restart k.service")
    assert (await house.ask("getInfo"))["attentions"] == [{"service": "kasia", **found}]
    house.hands.sights["kasia"] = seen
    assert (await house.ask("getServices"))[0]["attention"] is None
    assert (await house.ask("getInfo"))["attentions"] == []
    await house.settle()
    events = [each for each in (await house.ask("getEvents"))["events"]
              if each["event"] == "service:attention"]  # fmt: skip
    assert [each["data"]["code"] for each in events] == ["down", None]
    assert {key: events[0]["data"][key] for key in found} == found
    assert events[0]["data"]["service"] == "kasia"
    assert events[1]["data"]["note"] is None


async def test_a_task_that_does_not_switch_names_none(house: ApiHouse) -> None:
    """`autoSwitch` is false, or it is of another node."""
    url = {"url": "grpc://127.0.0.1:16110"}
    await house.ask("registerTask", type="node-sync", service="n", config=url, autoSwitch=False)
    await house.ask("registerTask", type="node-sync", service="m", config={"port": 16210})
    for name in ("n", "m"):
        assert (await house.ask("getTask", taskId=f"node-sync-{name}"))["switches"] == []
    assert (await house.ask("getServices"))[0]["task"] is None


async def test_a_switch_is_answered_when_it_is_on_record(house: ApiHouse) -> None:
    """And runs on: the services' list has its steps for who comes late."""
    answer = await house.ask("switchService", service="kasia", to="local")
    begun = answer["switch"]
    assert (begun["state"], begun["step"], begun["of"], begun["by"]) == ("running", 1, 4, "user")
    await asyncio.sleep(1.2)
    late = (await house.ask("getServices"))[0]["switch"]
    assert (late["id"], late["state"], late["step"]) == (begun["id"], "running", 3)
    assert [each["state"] for each in late["steps"]] == ["done", "done", "current", "next"]
    assert late["steps"][1]["note"] == "/endpoints/kasia.env"
    found = await end(house)
    assert (found["points"], found["verified"], found["proof"]) == ("local", None, None)


async def test_works_there_is_said_of_who_is_seen_to_use_the_node(house: ApiHouse) -> None:
    """With what was seen, since when, and when last; what is restarted alone is not proven."""
    await house.ask("switchService", service="kasia", to="local")
    await end(house)
    first = house.now()
    for late in (0, 30_000):
        house.hands.sights["kasia"] = Sight(
            first + late, ServiceState.RUNNING, connections=3, address="127.0.0.1:17110"
        )
        found = (await house.ask("getServices"))[0]
    assert found["verified"] is True
    assert found["proof"] == {
        "kind": "connections", "count": 3, "address": "127.0.0.1:17110",
        "since": iso(first), "at": iso(first + 30_000),
    }  # fmt: skip


async def test_an_undone_switch_says_why_and_what_to_type(house: ApiHouse) -> None:
    """In the answer, in its event and in the list alike."""
    house.hands.bad["verify local"] = LOST
    await house.ask("switchService", service="kasia", to="local")
    switch = (await end(house))["switch"]
    assert isinstance(switch, dict)
    assert (switch["state"], switch["reason"], switch["of"]) == ("undone", "no-answer", 2)
    assert switch["error"] == (
        "No answer of idx within 2 min. kasia runs on the public node as before."
    )
    assert switch["cure"] == "journalctl -u k.service -n 50"
    told = (await house.ask("getEvents"))["events"][-1]
    assert told["event"] == "switch:error"
    assert told["data"]["switch"] == switch
    assert (told["data"]["taskId"], told["data"]["type"]) == (None, None)
    assert told["data"]["error"] == switch["error"]


async def test_an_undo_that_failed_says_that_it_may_be_down(house: ApiHouse) -> None:
    """The cure is that of the undo."""
    house.hands.bad["verify local"] = LOST
    house.hands.bad["apply public"] = Bad(SwitchReason.RESTART_FAILED, {"unit": "k.service"})
    await house.ask("switchService", service="kasia", to="local")
    found = await end(house)
    switch = found["switch"]
    assert isinstance(switch, dict)
    assert (switch["state"], found["verified"]) == ("failed", False)
    assert switch["error"].endswith(
        'kasia works with neither node. Its endpoint file says "public".'
    )
    assert "sudo systemctl restart k.service" in switch["cure"]


async def test_an_undo_that_could_not_write_does_not_say_where_the_file_points(
    house: ApiHouse,
) -> None:
    """It is as the way forward has left it; the helper's name is quoted, as a shell wants it."""
    house.hands.bad["verify local"] = LOST
    name = r"kaspad-taskd-switch@k\x2dx:public.service"
    facts = {"unit": "k.service", "helper": name, "directory": "/endpoints"}
    house.hands.bad["refuse public"] = Bad(SwitchReason.ENDPOINT_UNWRITABLE, facts)
    await house.ask("switchService", service="kasia", to="local")
    switch = (await end(house))["switch"]
    assert isinstance(switch, dict)
    assert switch["state"] == "failed"
    assert switch["error"] == "No answer of idx within 2 min. kasia may be down."
    assert switch["cure"] == f"journalctl -u '{name}' -n 20; df /endpoints"


async def test_a_users_own_systemd_is_named_in_the_cure(house: ApiHouse) -> None:
    """What is to be typed reaches the unit."""
    by = {"systemctl": "systemctl --user", "journalctl": "journalctl --user"}
    house.hands.bad["verify local"] = LOST
    failed = Bad(SwitchReason.RESTART_FAILED, {"unit": "k.service", **by})
    house.hands.bad["apply public"] = failed
    await house.ask("switchService", service="kasia", to="local")
    switch = (await end(house))["switch"]
    assert isinstance(switch, dict)
    assert switch["cure"] == (
        "journalctl --user -u k.service -n 50; then by hand: systemctl --user restart k.service"
    )


async def test_an_undo_that_fails_by_our_fault_has_a_cure_as_well(house: ApiHouse) -> None:
    """Its incident, where the unit to restart is not known."""
    house.hands.bad["verify local"] = LOST
    house.hands.crash.add("verify public")
    await house.ask("switchService", service="kasia", to="local")
    switch = (await end(house))["switch"]
    assert isinstance(switch, dict)
    assert switch["state"] == "failed"
    assert switch["cure"].startswith("journalctl -u kaspad-taskd INCIDENT=")


async def test_a_file_older_than_the_settings_is_said(house: ApiHouse) -> None:
    """With the command that renews it."""
    await house.ask("switchService", service="kasia", to="local")
    await end(house)
    house.hands.world.fresh = False
    hint = (await house.ask("getServices"))[0]["hints"][0]
    assert (hint["code"], hint["cure"]) == ("endpoint-stale", "kaspad-taskctl switch kasia local")
    assert (await house.ask("switchService", service="kasia", to="local"))["success"]


async def test_what_is_refused(house: ApiHouse) -> None:
    """Who is not declared, is there already, or is being switched."""
    no = await house.no("switchService", service="x", to="local")
    assert (no.reason, no.data["service"]) == ("not-found", "x")
    no = await house.no("switchService", service="kasia", to="public")
    assert no.reason == "not-allowed"
    await house.ask("switchService", service="kasia", to="local")
    no = await house.no("switchService", service="kasia", to="local")
    assert (no.reason, no.data["switch"]["state"]) == ("conflict", "running")
    turned = (await house.ask("switchService", service="kasia", to="public"))["switch"]
    assert (turned["state"], turned["reason"]) == ("undone", "cancelled")
    house.store.fail_next("the disk is full")
    no = await house.no("switchService", service="kasia", to="local")
    assert no.reason == "store-unavailable"


async def test_a_nodes_completion_switches_and_tells(house: ApiHouse) -> None:
    """The events name the task; the announcement comes last."""
    url = {"url": "grpc://localhost:16110"}
    await house.ask("registerTask", type="node-sync", service="n", config=url)
    await house.ask("completeTask", taskId="node-sync-n")
    await asyncio.sleep(5)
    events = (await house.ask("getEvents"))["events"]
    switched = [each["data"] for each in events if each["event"].startswith("switch:")]
    assert {(each["taskId"], each["type"]) for each in switched} == {("node-sync-n", "node-sync")}
    assert {each["service"] for each in switched} == {"kasia"}
    assert events[-1]["event"] == "node:ready"
    assert (events[-1]["data"]["switched"], events[-1]["data"]["failed"]) == (["kasia"], [])
    decision = (await house.ask("getDecisions"))[-1]
    assert decision["context"]["taskId"] == "node-sync-n"


async def test_no_value_of_a_variable_is_told(house: ApiHouse) -> None:
    """They may be secret: neither answers nor events have them."""
    house.services["kasia"] = service(env={"URL": "ws://user:hunter2@127.0.0.1:17110"})
    house.hands.bad["verify local"] = LOST
    await house.ask("switchService", service="kasia", to="local")
    await end(house)
    told = [await house.ask("getServices"), await house.ask("getEvents")]
    assert "hunter2" not in str(told)


@pytest.mark.parametrize("reason", list(SwitchReason))
@pytest.mark.parametrize("ending", ["undone", "failed"])
async def test_every_reason_is_said(house: ApiHouse, reason: SwitchReason, ending: str) -> None:
    """With nothing known of it, too: no hole in a sentence."""
    act = "check" if ending == "undone" else "verify local"
    house.hands.bad[act] = Bad(reason)
    house.hands.bad["verify public"] = Bad(reason)
    await house.ask("switchService", service="kasia", to="local")
    switch = (await end(house))["switch"]
    assert isinstance(switch, dict)
    assert (switch["state"], switch["reason"]) == (ending, reason.value)
    assert "?" not in switch["error"]
    assert switch["cure"] is None or "?" not in switch["cure"]


async def test_the_log_names_service_and_side(
    house: ApiHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """Who switched what, and whereto; the way back is another change."""
    caplog.set_level(logging.INFO, "kaspad_taskd.api.changed")
    await house.ask("switchService", service="kasia", to="local")
    await house.ask("switchService", service="kasia", to="public")
    await end(house)
    assert [each.getMessage() for each in caplog.records] == [
        "switchService service=kasia to=local by rpc uid=2 pid=1",
        "switchService service=kasia to=public by rpc uid=2 pid=1",
    ]


async def test_reports_once_a_second_are_a_line_a_minute(
    house: ApiHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever they say; the next line counts them."""
    caplog.set_level(logging.INFO)
    await house.ask("registerTask", type="report", service="import")
    caplog.clear()
    for second in range(61):
        await house.ask("reportTask", taskId="report-import", progress=second)
        await asyncio.sleep(1)
    who = "reportTask by rpc uid=2 pid=1"
    assert [each.getMessage() for each in caplog.records] == [who, f"{who}, and 59 more"]


NAMED = {"service": "kasia", "unit": "k.service"}


async def test_a_dry_run_tells_every_check_and_touches_nothing(house: ApiHouse) -> None:
    """With what would be restarted, and for how long it was away last time."""
    house.hands.asked = [
        Check("unit", Good({"unit": "k.service", "file": "/f.env"})),
        Check("order", Bad(SwitchReason.ENDPOINT_OVERRIDDEN, {
            "variable": "URL", "by": "/etc/default/k", "unit": "k.service", "file": "/f.env",
        }), decides=False),
    ]  # fmt: skip
    before = len(house.hands.done)
    plan = await house.ask("getSwitchPlan", service="kasia", to="local")
    assert len(house.hands.done) == before
    assert (plan["possible"], plan["unit"], plan["away"]) == (True, "kasia-indexer.service", None)
    unit, order = plan["checks"]
    assert (unit["good"], unit["note"]) == (True, "k.service is there and loads /f.env")
    assert (order["good"], order["decides"]) == (False, False)
    assert order["note"].startswith("URL of k.service comes from /etc/default/k")
    await house.ask("switchService", service="kasia", to="local")
    busy = await house.ask("getSwitchPlan", service="kasia", to="local")
    assert (busy["possible"], busy["busy"]) == (False, True)
    await end(house)
    there = await house.ask("getSwitchPlan", service="kasia", to="local")
    assert (there["possible"], there["there"]) == (False, True)
    switch = (await house.ask("getServices"))[0]["switch"]
    assert (there["away"], there["awayAt"]) == (switch["away"], switch["endedAt"])
    house.hands.asked = [Check("unit", Bad(SwitchReason.UNIT_MISSING, NAMED))]
    bad = await house.ask("getSwitchPlan", service="kasia", to="public")
    assert (bad["possible"], bad["checks"][0]["cure"]) == (
        False, "Correct `unit` of [services.kasia], or install k.service")  # fmt: skip
    assert (await house.no("getSwitchPlan", service="ski", to="local")).reason == "not-found"


async def test_a_service_can_be_held(house: ApiHouse) -> None:
    """It is told wherever it is listed, and by the switch that somebody asks for all the same."""
    assert await house.ask("holdService", service="kasia", hold=True) == {
        "success": True, "service": "kasia", "held": True}  # fmt: skip
    assert (await house.ask("getServices"))[0]["held"] is True
    assert (await house.ask("getSwitchPlan", service="kasia", to="local"))["held"] is True
    assert (await house.ask("switchService", service="kasia", to="local"))["held"] is True
    await house.ask("holdService", service="kasia", hold=False)
    assert (await end(house))["held"] is False
    assert (await house.no("holdService", service="ski", hold=True)).reason == "not-found"
    wrong = await house.raw("holdService", {"service": "kasia"})
    assert wrong["error"]["code"] == -32602
