"""What is asked before a switch and after it: over real sockets, with systemd's answers told."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web

from kaspad_taskd.config.switched import Compose, SwitchedService, VerifyHttp, VerifyTask
from kaspad_taskd.core.attention import Override, ServiceState, Sight
from kaspad_taskd.core.model import Definition, Health, Status, Task, Watch
from kaspad_taskd.core.observation import Observation, Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.switch import Side, Switch, SwitchReason, SwitchState
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from kaspad_taskd.kaspa.sync import settling
from kaspad_taskd.switching import node, plan, verify
from kaspad_taskd.switching.acting import LocalHands
from kaspad_taskd.switching.codes import helper_unit
from kaspad_taskd.switching.endpoint import Endpoints, render, variables
from kaspad_taskd.switching.hands import Bad, Good, Result
from kaspad_taskd.switching.units import NoSystemd, Systemd
from tests.fakes.bridged import free_port
from tests.fakes.hands import service
from tests.fakes.house import ScriptedProbe
from tests.fakes.patience import PATIENCE

LOCAL, PUBLIC = Side.LOCAL, Side.PUBLIC
UNIT = "kasia-indexer.service"
NETWORK = "simnet"


@dataclass
class ToldSystemd:
    """Answers as it is told, by unit; counts what is asked."""

    units: dict[str, dict[str, str]] = field(default_factory=dict)
    gone: bool = False
    user: bool = False
    after: list[dict[str, str]] = field(default_factory=list)

    async def show(self, unit: str, *names: str) -> Mapping[str, str]:
        if self.gone:
            raise NoSystemd("no bus")
        known = self.units.get(unit, {"LoadState": "loaded"})
        if unit == UNIT and self.after:
            known = self.after.pop(0) if len(self.after) > 1 else self.after[0]
        return {name: known.get(name, "") for name in names}

    async def show_all(self, units: Sequence[str], *names: str) -> Mapping[str, Mapping[str, str]]:
        return {unit: await self.show(unit, *names) for unit in units}

    busy = Systemd.busy
    _works = Systemd._works


class Desk:
    """Hands, and all that they reach for."""

    def __init__(self, place: Path) -> None:
        self.systemd = ToldSystemd()
        self.endpoints = Endpoints(place)
        self.tasks: dict[str, Task] = {}
        self.probe = ScriptedProbe()
        self.hands = LocalHands(
            self.endpoints,
            cast(Systemd, self.systemd),
            {},
            self.tasks.get,
            lambda: list(self.tasks.values()),
            lambda _definition: self.probe,
        )
        self.unit(LoadState="loaded", EnvironmentFiles=f"{self.file} (ignore_errors=yes)")

    @property
    def file(self) -> str:
        return str(self.endpoints.path("kasia"))

    def write(self, side: Side, declared: SwitchedService) -> None:
        Path(self.file).write_text(render("kasia", side, variables(declared, side)))

    def unit(self, **properties: str) -> None:
        self.systemd.units[UNIT] = properties

    def add(self, task_id: str, kind: str, **checker: Any) -> None:
        definition = Definition(task_id, kind, task_id, timeout=1.0, checker=checker)
        self.tasks[task_id] = Task(definition, 1)

    async def check(self, declared: SwitchedService, to: Side = LOCAL) -> Result:
        return await self.hands.check("kasia", declared, to)

    async def verify(self, declared: SwitchedService, side: Side = PUBLIC) -> Result:
        return await self.hands.verify("kasia", declared, side)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name, value in {"SETTLE": 0.3, "ACTIVE": 0.4, "EVERY": 0.05}.items():
        monkeypatch.setattr(verify, name, value)
    monkeypatch.setattr(node, "APART", 0.05)
    monkeypatch.setattr(settling, "SPAN_S", 0.1)
    monkeypatch.setattr(os, "geteuid", lambda: 999)
    return Desk(tmp_path)


@pytest.fixture
async def ready() -> AsyncIterator[str]:
    """The URL of a node in sync."""
    async with PlayingNode(load(), 1_000_000) as playing:
        yield playing.url


@pytest.fixture
async def borsh() -> AsyncIterator[int]:
    """A port that takes WebSockets."""

    async def take(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.receive()
        return ws

    app = web.Application()
    app.add_routes([web.get("/", take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield port
    await runner.cleanup()


def reason(result: Result) -> SwitchReason | None:
    return result.reason if isinstance(result, Bad) else None


# -- before


async def test_all_is_well(desk: Desk, ready: str, borsh: int) -> None:
    """Unit, helper, polkit, node, endpoint: each was asked, and facts are kept for the sentence."""
    url = f"ws://127.0.0.1:{borsh}"
    declared = service(node=ready, network=NETWORK, env={"A": url, "B": "no address"})
    result = await desk.check(declared)
    assert isinstance(result, Good), result
    assert result.facts["unit"] == UNIT
    assert (result.facts["network"], result.facts["ports"]) == (NETWORK, str(borsh))
    assert await desk.hands.hints("kasia", declared) == []


async def test_the_unit_must_be_there_and_load_the_file(desk: Desk) -> None:
    """Each with the name that somebody has to correct."""
    desk.unit(LoadState="not-found")
    assert reason(await desk.check(service())) is SwitchReason.UNIT_MISSING
    desk.unit(LoadState="loaded", EnvironmentFiles="/etc/default/kasia (ignore_errors=no)")
    result = await desk.check(service(), PUBLIC)
    assert isinstance(result, Bad)
    assert result.reason is SwitchReason.ENDPOINT_UNUSED
    assert result.facts["file"] == desk.file


async def test_the_helper_and_polkit_must_be_there(desk: Desk) -> None:
    """A user's own systemd needs no polkit."""
    helper = "kaspad-taskd-switch@kasia:public.service"
    desk.systemd.units[helper] = {"LoadState": "not-found"}
    assert reason(await desk.check(service(), PUBLIC)) is SwitchReason.HELPER_MISSING
    del desk.systemd.units[helper]
    desk.systemd.units["polkit.service"] = {"LoadState": "not-found"}
    assert reason(await desk.check(service(), PUBLIC)) is SwitchReason.NO_POLKIT
    desk.systemd.user = True
    assert reason(await desk.check(service(), PUBLIC)) is None
    desk.systemd.gone = True
    assert reason(await desk.check(service(), PUBLIC)) is SwitchReason.NO_SYSTEMD


async def test_a_users_own_systemd_is_told_in_the_cures(desk: Desk) -> None:
    """`sudo systemctl` would look for the unit where it is not."""
    desk.unit(LoadState="loaded")
    assert "systemctl" not in (await desk.check(service(), PUBLIC)).facts
    desk.systemd.user = True
    facts = (await desk.check(service(), PUBLIC)).facts
    assert (facts["systemctl"], facts["journalctl"]) == ("systemctl --user", "journalctl --user")


async def test_the_node_must_be_ready_and_on_the_network(desk: Desk, ready: str) -> None:
    """By the gate of its own task; the public node is not asked."""
    gone = service(node=f"grpc://127.0.0.1:{free_port()}", network=NETWORK)
    assert reason(await desk.check(gone)) is SwitchReason.NODE_UNREACHABLE
    assert reason(await desk.check(gone, PUBLIC)) is None
    other = await desk.check(service(node=ready, network="mainnet"))
    assert isinstance(other, Bad)
    assert (other.reason, other.facts["found"]) == (SwitchReason.NODE_WRONG_NETWORK, NETWORK)
    async with PlayingNode(load(), 1.0) as syncing:
        syncing._began -= 100  # seconds of the recording: it is in the middle of it
        behind = service(node=syncing.url, network=NETWORK)
        assert reason(await desk.check(behind)) is SwitchReason.NODE_NOT_SYNCED


async def test_each_address_in_env_must_open(desk: Desk, ready: str) -> None:
    """Variable and address are told, the value is not: it may be secret."""
    port = free_port()
    env = {"URL": f"ws://me:hunter2@127.0.0.1:{port}/x"}
    result = await desk.check(service(node=ready, network=NETWORK, env=env))
    assert isinstance(result, Bad)
    assert result.reason is SwitchReason.ENDPOINT_CLOSED
    assert (result.facts["variable"], result.facts["address"]) == ("URL", f"127.0.0.1:{port}")
    assert "hunter2" not in str(result)


async def test_a_web_server_is_no_node(desk: Desk, ready: str) -> None:
    """The handshake has to succeed, not only the connect."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        env = {"URL": f"ws://127.0.0.1:{port}"}
        result = await desk.check(service(node=ready, network=NETWORK, env=env))
    assert reason(result) is SwitchReason.ENDPOINT_CLOSED


async def test_what_cannot_be_checked_is_said(desk: Desk, ready: str, borsh: int) -> None:
    """simply-kaspa-indexer without a database; and a hint is asked for once in a while only."""
    env = {"URL": f"ws://127.0.0.1:{borsh}"}
    declared = service(node=ready, network=NETWORK, env=env, verify=VerifyTask("ski", 1.0))
    desk.add("ski", "indexer-sync", flavor="simply-kaspa")
    hints = await desk.hands.hints("kasia", declared)
    assert [each.code for each in hints] == ["checkpoint-unchecked"]
    desk.unit(LoadState="not-found")
    assert await desk.hands.hints("kasia", declared) == hints
    changed = service(node=ready, network=NETWORK, env=env)
    assert [each.code for each in await desk.hands.hints("kasia", changed)] == ["unit-missing"]


async def test_hints_are_no_older_than_what_stands_beside_them(
    desk: Desk, ready: str, borsh: int
) -> None:
    """After a look at services what concerns this host is asked anew, and so is all after a switch.

    The node is, as soon as its own task sees it otherwise.
    """
    declared = service(node=ready, network=NETWORK, env={"URL": f"ws://127.0.0.1:{borsh}"})
    assert await desk.hands.hints("kasia", declared) == []
    desk.unit(LoadState="masked")
    await desk.hands.look({"kasia": declared}, {})
    (hint,) = await desk.hands.hints("kasia", declared)
    assert (hint.code, hint.params["unit"]) == ("unit-masked", UNIT)
    desk.unit(LoadState="loaded", EnvironmentFiles=f"{desk.file} (ignore_errors=yes)")
    gone = service(node=ready, network=NETWORK, env={"URL": f"ws://127.0.0.1:{free_port()}"})
    desk.hands._asking._hints["kasia"].declared = gone  # as if it had been so all along
    assert await desk.hands.hints("kasia", gone) == [hint]
    desk.add("n", "node-sync", url=ready)
    assert [each.code for each in await desk.hands.hints("kasia", gone)][-1] == "endpoint-closed"


async def test_what_wins_over_the_endpoint_file_is_a_hint(desk: Desk, tmp_path: Path) -> None:
    """It names the file and the variable, and stops no switch."""
    declared = service(node="grpc://127.0.0.1:1", env={"KASPA_URL": "ws://127.0.0.1:1"})
    later = tmp_path / "later.conf"
    later.write_text("KASPA_URL=wss://public.example\n")
    files = "".join(f"{path} (ignore_errors=yes)\n" for path in (desk.file, later))
    desk.unit(LoadState="loaded", EnvironmentFiles=files, ActiveState="active", UID="4242")
    hint = next(each for each in await desk.hands.hints("kasia", declared)
                if each.code == "endpoint-overridden")  # fmt: skip
    assert (hint.params["variable"], hint.params["by"]) == ("KASPA_URL", str(later))
    assert "public.example" not in str(hint)
    checks = {each.key: each for each in await desk.hands.checks("kasia", declared, PUBLIC)}
    assert list(checks) == ["unit", "helper", "checker", "order"]
    assert isinstance(checks["order"].result, Bad)
    assert not checks["order"].decides
    desk.write(LOCAL, declared)
    seen = (await desk.hands.look({"kasia": declared}, {}))["kasia"]
    assert seen.override == Override("KASPA_URL", str(later))
    desk.write(PUBLIC, declared)
    assert (await desk.hands.look({"kasia": declared}, {}))["kasia"].override is None


async def test_every_check_is_made_for_a_dry_run(desk: Desk) -> None:
    """Though the first "no" would end a switch; with what each has found."""
    declared = service(node=f"grpc://127.0.0.1:{free_port()}", verify=VerifyTask("none", 1.0))
    desk.unit(LoadState="not-found")
    checks = {each.key: each.result for each in await desk.hands.checks("kasia", declared, LOCAL)}
    assert [key for key, result in checks.items() if isinstance(result, Good)] == [
        "helper", "order"]  # fmt: skip
    assert reason(checks["unit"]) is SwitchReason.UNIT_MISSING
    assert reason(checks["node"]) is SwitchReason.NODE_UNREACHABLE


# -- looks

STATES = {
    "running": {"ActiveState": "active"},
    "starting": {"ActiveState": "activating", "SubState": "start-pre"},
    "restarting": {"ActiveState": "activating", "SubState": "auto-restart-queued"},
    "stopping": {"ActiveState": "deactivating"},
    "down": {"ActiveState": "inactive", "LoadState": "loaded"},
    "failed": {"ActiveState": "failed", "LoadState": "loaded"},
    "masked": {"ActiveState": "inactive", "LoadState": "masked"},
    "missing": {"ActiveState": "inactive", "LoadState": "not-found"},
    "unknown": {"ActiveState": "of a later systemd"},
}


@pytest.mark.parametrize("state", STATES)
async def test_a_unit_is_seen_as_it_is(desk: Desk, state: str) -> None:
    """And a container, or a host without systemd, as unknown."""
    desk.unit(**STATES[state])
    ski = service(runs_as=Compose("kaspa", Path("/c.yaml"), "ski"))
    seen = await desk.hands.look({"kasia": service(), "ski": ski}, {})
    assert (seen["kasia"].state, seen["ski"].state) == (state, "unknown")
    desk.systemd.gone = True
    assert (await desk.hands.look({"kasia": service()}, {}))["kasia"].state == "unknown"


async def test_how_a_unit_ended_is_seen(desk: Desk) -> None:
    """By a signal, for its memory, or because a condition is not met; queued is no end."""

    async def look(**given: str) -> Sight:
        desk.unit(**{"LoadState": "loaded", **given})
        return (await desk.hands.look({"kasia": service()}, {}))["kasia"]

    killed = await look(ActiveState="failed", Result="signal", ExecMainCode="2", ExecMainStatus="9")
    assert (killed.result, killed.ended_by) == ("signal", "SIGKILL")
    asked = await look(ActiveState="inactive", ConditionResult="no")
    assert not asked.condition  # it was never tried
    unmet = await look(
        ActiveState="inactive", ConditionResult="no", ConditionTimestampMonotonic="77"
    )
    assert unmet.condition
    assert (await look(ActiveState="inactive", Job="12")).state is ServiceState.STARTING
    assert (await look(ActiveState="inactive", UnitFileState="disabled")).enabled is False
    assert (await look(ActiveState="inactive", UnitFileState="static")).enabled is True


ENDS = {
    "unit-condition": {"ActiveState": "inactive", "ConditionResult": "no",
                       "ConditionTimestampMonotonic": "7"},
    "unit-killed": {"ActiveState": "failed", "Result": "signal", "ExecMainCode": "2",
                    "ExecMainStatus": "9"},
    "unit-out-of-memory": {"ActiveState": "activating", "SubState": "auto-restart",
                           "Result": "oom-kill", "ExecMainCode": "2", "ExecMainStatus": "9"},
    "service-died": {"ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1",
                     "ExecMainStatus": "9"},
}  # fmt: skip


@pytest.mark.parametrize("expected", ENDS)
async def test_why_a_restarted_unit_does_not_run_is_told(desk: Desk, expected: str) -> None:
    """A condition, a signal, its memory are told as such."""
    desk.unit(**ENDS[expected])
    result = await desk.verify(service())
    assert reason(result) == expected
    killed = isinstance(result, Bad) and expected == "unit-killed"
    assert not killed or result.facts["signal"] == "SIGKILL"


async def test_why_a_restart_failed_is_told(desk: Desk) -> None:
    """Where the unit itself was killed, and was restarted at all."""
    desk.unit(**ENDS["unit-killed"])

    async def helper(*_given: Any) -> Result:
        return Bad(SwitchReason.RESTART_FAILED, {"unit": UNIT})

    desk.systemd.helper = helper  # type: ignore[attr-defined]
    declared = service()
    desk.write(PUBLIC, declared)
    result = await desk.hands.apply("kasia", declared, LOCAL, lambda: None)
    assert reason(result) is SwitchReason.RESTART_FAILED
    result = await desk.hands.apply("kasia", declared, PUBLIC, lambda: None)
    assert reason(result) is SwitchReason.UNIT_KILLED
    desk.unit(**ENDS["service-died"])
    result = await desk.hands.apply("kasia", declared, PUBLIC, lambda: None)
    assert reason(result) is SwitchReason.RESTART_FAILED


async def test_what_a_failed_switch_left_is_asked_whether_it_works(desk: Desk) -> None:
    """Its checker, once a look; nobody is asked otherwise."""
    desk.unit(ActiveState="active", LoadState="loaded")
    desk.add("idx", "http-json")
    declared = service(verify=VerifyTask("idx", 1.0))
    last = plan.begin(1, "kasia", PUBLIC, None, 5)
    for _ in range(2):
        last = plan.passed(last, 6)
    last = plan.failed(last, 7, SwitchReason.NO_ANSWER, touched=True)
    assert last.state is SwitchState.FAILED

    async def answers(last: Switch | None) -> bool | None:
        lasts = {} if last is None else {"kasia": last}
        return (await desk.hands.look({"kasia": declared}, lasts))["kasia"].answers

    assert await answers(None) is None
    assert desk.probe.looks == 0
    assert await answers(last) is True
    desk.probe.default = Unreachable(Reason.REFUSED)
    assert await answers(last) is False


async def test_a_node_that_does_not_answer_its_own_task_is_seen(desk: Desk) -> None:
    """Of the same node, while it is watched."""
    desk.unit(ActiveState="active")
    desk.add("n", "node-sync", url="grpc://127.0.0.1:16110")

    async def node_of(**given: Any) -> bool | None:
        desk.tasks["n"] = replace(desk.tasks["n"], **given)
        return (await desk.hands.look({"kasia": service()}, {}))["kasia"].node

    assert await node_of(status=Status.IN_PROGRESS, health=Health.UNREACHABLE) is False
    assert await node_of(health=Health.OK) is True
    assert await node_of(status=Status.COMPLETE) is None
    lost = {"watch": Watch.ON, "health": Health.UNREACHABLE}
    assert await node_of(status=Status.COMPLETE, **lost) is False


async def test_how_a_node_is_that_answers_is_seen_too(desk: Desk) -> None:
    """Stalled, behind, and one that has to sync again; not one that somebody has just begun."""
    desk.unit(ActiveState="active")
    desk.add("n", "node-sync", url="grpc://127.0.0.1:16110")
    now = round(time.time() * 1000)

    async def health_of(**given: Any) -> Health:
        desk.tasks["n"] = replace(desk.tasks["n"], **given)
        return (await desk.hands.look({"kasia": service()}, {}))["kasia"].node_health

    over = {"status": Status.COMPLETE, "watch": Watch.ON}
    assert await health_of(**over, health=Health.OK) is Health.UNKNOWN
    for health in (Health.STALLED, Health.BEHIND, Health.UNREACHABLE):
        assert await health_of(**over, health=health) is health
    again = {"status": Status.IN_PROGRESS, "watch": Watch.NONE, "health": Health.OK}
    assert await health_of(**again, started_at=now) is Health.UNKNOWN
    assert await health_of(**again, started_at=now - 180_000) is Health.BEHIND
    assert await health_of(**again, started_at=now, because="db-reset") is Health.BEHIND


async def test_a_database_that_does_not_tell_stops_the_switch(
    desk: Desk, ready: str, borsh: int
) -> None:
    """A dsn was given, so its blocks count."""
    env = {"URL": f"ws://127.0.0.1:{borsh}"}
    declared = service(node=ready, network=NETWORK, env=env, dsn="none")
    result = await desk.check(declared)
    assert reason(result) is SwitchReason.CHECKPOINT_UNKNOWN


async def test_a_task_that_verify_names_is_looked_for_first(
    desk: Desk, ready: str, borsh: int
) -> None:
    """Nothing is restarted, twice at that, only to learn that nobody can tell."""
    url = f"ws://127.0.0.1:{borsh}"
    declared = service(node=ready, network=NETWORK, env={"A": url}, verify=VerifyTask("none", 1.0))
    assert reason(await desk.check(declared)) is SwitchReason.CHECKER_MISSING
    hints = await desk.hands.hints("kasia", declared)
    assert "checker-missing" in [each.code for each in hints]
    desk.add("none", "http-json")
    assert reason(await desk.check(declared)) is None


# -- what was done already


@pytest.mark.parametrize(
    ("state", "later", "side", "expected"),
    [("active", 1000, LOCAL, True), ("active", -1000, LOCAL, False),
     ("failed", 1000, LOCAL, False), ("active", 1000, PUBLIC, False)],
)  # fmt: skip
async def test_a_start_after_the_file_is_known(
    desk: Desk, state: str, later: float, side: Side, expected: bool
) -> None:
    """With the file of that side, by a unit that is up; its environment is of its start."""
    declared = service()
    assert await desk.hands.applied("kasia", declared, side) is False
    desk.write(LOCAL, declared)
    begun = str(int((time.monotonic() + later) * 1e6))
    ready = str(int((time.monotonic() + 2000) * 1e6))
    desk.unit(
        ActiveState=state,
        ExecMainStartTimestampMonotonic=begun,
        ActiveEnterTimestampMonotonic=ready,
    )
    assert await desk.hands.applied("kasia", declared, side) is expected


@pytest.mark.parametrize("at_work", [LOCAL, PUBLIC])
async def test_nothing_is_done_while_a_helper_is_at_work(desk: Desk, at_work: Side) -> None:
    """An earlier daemon has started it: it may write another file yet."""
    declared = service()
    desk.write(PUBLIC, declared)
    begun = str(int((time.monotonic() + 1000) * 1e6))
    desk.unit(ActiveState="active", ExecMainStartTimestampMonotonic=begun)
    assert await desk.hands.applied("kasia", declared, PUBLIC)
    desk.systemd.units[helper_unit("kasia", at_work)] = {"ActiveState": "activating"}
    assert not await desk.hands.applied("kasia", declared, PUBLIC)


# -- after


def up(invocation: str = "a", state: str = "active", **more: str) -> dict[str, str]:
    return {"ActiveState": state, "SubState": "running", "InvocationID": invocation,
            "NRestarts": "0", **more}  # fmt: skip


@pytest.mark.looptime
async def test_a_unit_has_to_stay_active(desk: Desk) -> None:
    """For its time, as the same process."""
    desk.systemd.after = [up()]
    assert isinstance(await desk.verify(service()), Good)


@pytest.mark.looptime
@pytest.mark.parametrize(
    "after",
    [[up(), up(), up(state="failed")], [up(), up("b")], [up(), up(NRestarts="1")],
     [up(), up(SubState="auto-restart", state="activating")], [up(state="inactive")],
     [up(SubState="auto-restart-queued", state="activating")]],
)  # fmt: skip
async def test_one_that_ends_has_failed(desk: Desk, after: list[dict[str, str]]) -> None:
    """Failed, started again by somebody, or about to be."""
    desk.systemd.after = after
    assert reason(await desk.verify(service())) is SwitchReason.SERVICE_DIED


@pytest.mark.looptime
async def test_one_that_never_comes_up(desk: Desk) -> None:
    """It has its time to start, and no more."""
    desk.systemd.after = [up(state="activating")]
    assert reason(await desk.verify(service())) is SwitchReason.NO_ANSWER


GOOD = Reading(metadata={"network": NETWORK})


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([GOOD], None),
        ([Unreachable(Reason.REFUSED), Unreachable(Reason.REFUSED), GOOD], None),
        ([Refused(Reason.CHECKER_ERROR), GOOD], None),
        ([Unreachable(Reason.REFUSED)], SwitchReason.NO_ANSWER),
        ([RuntimeError("a fault")], SwitchReason.NO_ANSWER),
        ([Refused(Reason.CHECKER_ERROR)], SwitchReason.SERVICE_REFUSED),
        ([Refused(Reason.WRONG_NETWORK, {"network": "x"})], SwitchReason.SERVICE_WRONG_NETWORK),
        ([Reading(metadata={"network": "testnet-10"})], SwitchReason.SERVICE_WRONG_NETWORK),
        ([GOOD, Unreachable(Reason.REFUSED)], SwitchReason.NO_ANSWER),
    ],
)
async def test_its_checker_has_the_word(
    desk: Desk, answers: list[Observation], expected: SwitchReason | None
) -> None:
    """It answers in time and goes on answering; what it refuses twice is believed."""
    desk.systemd.after = [up()]
    desk.add("idx", "http-json")
    desk.probe.answers, desk.probe.default = list(answers[:-1]), answers[-1]
    declared = service(verify=VerifyTask("idx", 0.6), network=NETWORK)
    assert reason(await desk.verify(declared)) is expected
    assert desk.probe.closed == desk.probe.looks


@pytest.mark.looptime
async def test_one_that_answers_at_last_works(desk: Desk) -> None:
    """However long the look before took: who answers now is not said to be silent."""
    desk.systemd.after = [up()]
    desk.add("idx", "http-json")
    desk.probe.takes = 0.9
    desk.probe.answers, desk.probe.default = [Unreachable(Reason.REFUSED)], GOOD
    declared = service(verify=VerifyTask("idx", 0.6), network=NETWORK)
    assert isinstance(await desk.verify(declared), Good)


async def test_a_checker_that_is_not_there(desk: Desk) -> None:
    """`verify` names a task that nobody watches."""
    declared = service(verify=VerifyTask("none", 1.0))
    assert reason(await desk.verify(declared)) is SwitchReason.CHECKER_MISSING


@pytest.mark.parametrize(("status", "good"), [(204, True), (404, False), (503, False)])
async def test_a_page_has_to_answer(desk: Desk, status: int, good: bool) -> None:
    """With 2xx; of a container that is all that can be seen."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.add_routes([web.get("/health", answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    declared = service(
        runs_as=Compose("p", Path("/c"), "s"),
        verify=VerifyHttp(f"http://127.0.0.1:{port}/health", PATIENCE if good else 0.6),
    )
    result = await desk.verify(declared)
    await runner.cleanup()
    assert isinstance(result, Good) is good
    assert result.facts["address"] == f"http://127.0.0.1:{port}"


async def test_a_node_that_was_lost_meanwhile(desk: Desk) -> None:
    """The service may not need it at once; it is asked for once more."""
    desk.systemd.after = [up()]
    declared = service(node=f"grpc://127.0.0.1:{free_port()}", network=NETWORK)
    assert reason(await desk.verify(declared, LOCAL)) is SwitchReason.NODE_LOST
    assert reason(await desk.verify(declared, PUBLIC)) is None
