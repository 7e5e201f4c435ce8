"""`switch`: services, and one followed to its end, in a pipe and in a real terminal."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from kaspad_taskd.core.switch import Side, Switch, SwitchReason
from tests.cli.conftest import Ran
from tests.cli.test_watch import in_terminal, read_until
from tests.fakes.kept import BEHIND, watched
from tests.fakes.patience import PATIENCE
from tests.fakes.switches import BORSH, LOST, NOW, failed, no, on, service, switch, undone, wire
from tests.fakes.taskd import Error, ScriptedTaskd

Ctl = Callable[..., Ran]
EVENT = {"running": "progress", "undoing": "progress", "done": "complete"}


def all_of(last: Switch) -> list[Switch]:
    """A switch at each of its states, up to the last one."""
    states = [switch(to=last.to, ago=NOW - last.started_at)]
    for step in last.steps:
        if step.reason is not None:
            assert step.ended_at is not None
            assert step.started_at is not None
            took = step.ended_at - step.started_at
            states.append(no(states[-1], step.reason, took))
        elif step.ended_at is not None:
            states.append(on(states[-1]))
    return states


def told(taskd: ScriptedTaskd, made: Switch, seq: int) -> None:
    """Tell the event of a switch's state."""
    shape = wire(made)
    name = EVENT.get(made.state, "error")
    taskd.tell(seq, f"switch:{name}", taskId=None, service=made.service, to=made.to, switch=shape)


def begun(taskd: ScriptedTaskd, made: Switch) -> None:
    """Answer as a daemon that begins a switch."""
    taskd.answers |= {
        "getEvents": {"events": [], "seq": 1042, "oldest": 1},
        "switchService": {"success": True, "service": made.service, "switch": wire(made)},
        "subscribe": lambda params: {"seq": params["after"]},
    }


def follow(taskd: ScriptedTaskd, last: Switch, drop_at: int | None = None) -> threading.Thread:
    """Answer as a daemon that runs a switch to this end."""
    states = all_of(last)
    begun(taskd, states[0])

    def telling() -> None:
        for place, state in enumerate(states):
            if place == drop_at:
                assert taskd.subscribed.wait(PATIENCE)
                taskd.drop()
            assert taskd.subscribed.wait(PATIENCE)
            told(taskd, state, 1043 + place)

    thread = threading.Thread(target=telling)
    thread.start()
    return thread


def test_a_pipe_gets_each_step_once_and_the_verdict(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Step k of n, its sign, what was done, its seconds; exit 0."""
    teller = follow(taskd, switch(4))
    code, out, err = ctl("switch", "kasia-indexer", "local")
    teller.join()
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "  1/4 check the node      ✓ synced, 17110 answers, mainnet               0.4 s",
        "  2/4 write the endpoint  ✓ kaspad-taskd-endpoints/kasia-indexer.env     0.0 s",
        "  3/4 restart             ✓ kasia-indexer.service                        2.1 s",
        "  4/4 verify              ✓ indexer-sync-kasia-indexer answers          12.0 s",
        "✓ kasia-indexer runs on the local node",
    ]


def test_what_is_undone_shows_the_way_back_and_what_to_type(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Two lines more, the verdict, one command; exit 1."""
    teller = follow(taskd, undone())
    code, out, _err = ctl("switch", "kasia-indexer", "local")
    teller.join()
    assert code == 1
    assert out.splitlines()[3:] == [
        "  4/4 verify              ✗ no answer on 127.0.0.1:3002 within 2 min   120.0 s",
        "  back 1/2 endpoint       ✓ kaspad-taskd-endpoints/kasia-indexer.env     0.0 s",
        "  back 2/2 restart        ✓ kasia-indexer.service is active again        3.0 s",
        "✗ kasia-indexer stays on the public node",
        "  journalctl -u kasia-indexer.service -n 50",
    ]


def test_a_failed_undo_is_said_loudly(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """It works with neither node; what to type by hand; exit 1."""
    teller = follow(taskd, failed())
    code, out, _err = ctl("switch", "kasia-indexer", "local")
    teller.join()
    assert code == 1
    assert "✗ kasia-indexer works with neither node" in out
    assert "sudo systemctl restart kasia-indexer.service" in out.splitlines()[-1]


def test_a_switch_that_is_turned_round_has_ended_as_wanted(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Asked for the public node while it goes to the local one: undone is success."""
    teller = follow(taskd, on(on(no(switch(2), SwitchReason.CANCELLED))))
    code, out, _err = ctl("switch", "kasia-indexer", "public")
    teller.join()
    assert code == 0
    assert out.splitlines()[-1] == "✓ kasia-indexer stays on the public node"


def test_a_restart_of_the_daemon_is_survived(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """The connection breaks in the middle: no step twice, none missing."""
    teller = follow(taskd, switch(4), drop_at=2)
    code, out, err = ctl("switch", "kasia-indexer", "local")
    teller.join()
    assert code == 0
    assert [line.strip()[:3] for line in out.splitlines()] == ["1/4", "2/4", "3/4", "4/4", "✓ k"]
    assert "reconnecting since" in err


def test_a_gap_is_bridged_by_asking(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Events that are not kept any more: the service itself tells how it ended."""
    begun(taskd, switch())
    taskd.answers |= {
        "subscribe": Error(-32007, "gap", reason="gap"),
        "getServices": [service(switch(4))],
    }
    code, out, _err = ctl("switch", "kasia-indexer", "local")
    assert code == 0
    assert out.endswith("✓ kasia-indexer runs on the local node\n")
    taskd.answers["getServices"] = [service(switch(4, number=8))]
    code, _out, err = ctl("switch", "kasia-indexer", "local")
    assert code == 1
    assert "not kept any more" in err


def test_json_is_an_event_per_line(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """The events of this switch, none of others, to its end."""
    teller = follow(taskd, undone())
    code, out, _err = ctl("switch", "kasia-indexer", "local", "--json")
    teller.join()
    assert code == 1
    events = [json.loads(line) for line in out.splitlines()]
    assert [each["data"]["switch"]["state"] for each in events] == [
        *["running"] * 4, *["undoing"] * 2, "undone",
    ]  # fmt: skip


def test_refusals_say_what_to_do(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Under way already; there already; not declared: the declared ones are named. Exit 1."""
    begun(taskd, switch())
    taskd.answers["getServices"] = [service(), service(name="k-indexer")]
    said = "Not possible now: kasia-indexer is being switched to the local node."
    taskd.answers["switchService"] = Error(-32002, said, reason="conflict", switch=wire(switch()))
    assert ctl("switch", "kasia-indexer", "local") == (
        1,
        "",
        f"kaspad-taskctl: {said[:-1]}\n  See it: kaspad-taskctl switch kasia-indexer status\n",
    )
    taskd.answers["switchService"] = Error(-32001, "none", reason="not-found", service="x")
    for words in (("switch", "x", "local"), ("switch", "x")):
        code, _out, err = ctl(*words)
        assert code == 1
        assert "declare no service x\n  Declared: kasia-indexer, k-indexer\n" in err
    code, _out, err = ctl("switch", "x", "local", "--json")
    assert json.loads(err)["error"]["data"]["reason"] == "not-found"


@pytest.mark.parametrize("words", [("x", "there"), ("x", "local", "y"), ("x", "local", "--no")])
def test_a_bad_line_is_exit_2(ctl: Ctl, words: tuple[str, ...]) -> None:
    """And says which words there are."""
    code, _out, err = ctl("switch", *words)
    assert code == 2
    assert "kaspad-taskctl switch --help" in err


def test_services_in_every_state(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """A line each, the wrong ones explained below with what to type."""
    taskd.answers["getServices"] = [
        service(switch(4)),
        service(name="simply-kaspa"),
        service(name="k-indexer", hints=(BORSH,)),
        service(switch(2, service="moving"), name="moving"),
        service(failed()),
        service(switch(4), hints=(LOST,)),
    ]
    code, out, _err = ctl("switch")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["SERVICE", "USES", "SINCE", "STATE"]
    assert [line[0] for line in lines[1:7]] == list("✓·!▸✗!")
    assert "switches when kaspa-node is ready" in lines[2]
    assert "step 3 of 4, restarting" in lines[4]
    assert "The node does not offer port 17110" in out
    assert "Start kaspad with --rpclisten-borsh=127.0.0.1:17110" in out
    assert all(len(line) <= 80 for line in lines if "systemctl" not in line)  # that stays whole


@pytest.mark.parametrize("asked", [("switch",), ("switch", "kasia-indexer")])
def test_a_service_on_a_node_that_is_behind_says_so(
    ctl: Ctl, taskd: ScriptedTaskd, asked: tuple[str, ...]
) -> None:
    """Who looks at the service learns what is wrong with its node; of a good one nothing."""
    local = service(switch(4, ago=90_000_000))
    taskd.answers["getServices"] = [local]
    node = watched(id=local["task"])
    taskd.answers["getTasksByType"] = [node]
    assert "attention" not in ctl(*asked)[1]
    taskd.answers["getTasksByType"] = [{**node, **BEHIND}]
    out = " ".join(ctl(*asked)[1].split())
    assert "! kasia-indexer uses a node that needs attention: kaspa-node is behind by 14 min" in out


def test_one_service_in_full(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Where it points and since when, what runs it, its node, and a switch not gone well."""
    taskd.answers["getServices"] = [service(undone())]
    code, out, _err = ctl("switch", "kasia-indexer", "status")
    assert code == 0
    assert re.match(r"! kasia-indexer uses the public node since .*14:08\n", out)
    assert "Runs as    kasia-indexer.service" in out
    assert "back 2/2 restart" in out
    assert out.endswith("  journalctl -u kasia-indexer.service -n 50\n")
    code, json_out, _err = ctl("switch", "kasia-indexer", "--json")
    assert json.loads(json_out) == service(undone())


def test_without_services_it_says_how_to_declare_one(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Nothing is declared: the place and the next command."""
    taskd.answers["getServices"] = []
    assert "Put [services.NAME] into" in ctl("switch")[1]


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_the_step_under_way(taskd: ScriptedTaskd, columns: int) -> None:
    """The current step with its seconds so far, rewritten when it ends; the cursor comes back."""
    taskd.answers |= {"getServices": [service()]}
    teller = follow(taskd, switch(4, ago=NOW - int(time.time() * 1000)))  # it has just begun
    words = ("switch", "kasia-indexer", "local", "--ascii")
    with in_terminal(taskd, *words, columns=columns) as (process, master):
        got = read_until(master, "runs on the local node")
        teller.join()
        assert process.wait(PATIENCE) == 0
    assert "\x1b[?25l" in got
    seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", got)
    assert re.search(r"1/4 check the node      > +\d+ s", seen)
    assert "1/4 check the node      + synced" in seen
    assert got.isascii()


def test_ctrl_c_ends_the_view_and_says_that_the_switch_goes_on(taskd: ScriptedTaskd) -> None:
    """Exit 130; what to type to see it again."""
    teller = follow(taskd, switch(2))
    with in_terminal(taskd, "switch", "kasia-indexer", "local") as (process, master):
        read_until(master, "3/4 restart")
        teller.join()
        process.send_signal(signal.SIGINT)
        read_until(master, "The switch goes on: kaspad-taskctl switch kasia-indexer status")
        assert process.wait(PATIENCE) == 130


def test_a_daemon_that_stays_away_is_exit_3(
    ctl: Ctl, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a minute of trying."""
    monkeypatch.setattr("kaspad_taskd.cli.ending.GRACE", 0.2)
    begun(taskd, switch())

    def gone(_params: Any) -> Any:
        taskd.stop()
        raise ConnectionError

    taskd.answers["subscribe"] = gone
    code, _out, err = ctl("switch", "kasia-indexer", "local")
    assert code == 3
    assert "cannot reach kaspad-taskd" in err or "closed" in err


def test_a_switch_back_says_public(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """The other way round."""
    teller = follow(taskd, switch(4, to=Side.PUBLIC))
    code, out, _err = ctl("switch", "kasia-indexer", "public")
    teller.join()
    assert code == 0
    assert out.endswith("✓ kasia-indexer runs on the public node\n")


def need(number: int) -> dict[str, Any]:
    """A service that needs somebody, as `getInfo` has it."""
    return {
        "service": f"indexer-{number}",
        "code": "down",
        "params": {},
        "note": f"k{number}.service does not run.",
        "cure": f"sudo systemctl restart k{number}.service",
        "since": "2026-11-23T14:12:09.000Z",
    }


@pytest.mark.parametrize("words", [(), ("list",), ("status", "kaspa-node")])
def test_services_in_need_stand_above_all_tasks(
    ctl: Ctl, taskd: ScriptedTaskd, words: tuple[str, ...]
) -> None:
    """Who never types `switch` hears of them, with what to type; of many the first three."""
    taskd.answers["getInfo"] = {"host": "node-1", "attentions": [need(n) for n in range(5)]}
    out = ctl(*words)[1].splitlines()
    assert out[:2] == [
        "✗ indexer-0: k0.service does not run.",
        "  sudo systemctl restart k0.service",
    ]
    assert out[6] == "  5 services need attention: kaspad-taskctl switch"
    taskd.answers["getInfo"]["attentions"] = [{**need(1), "cure": None}]
    assert ctl(*words)[1].splitlines()[1] == "  kaspad-taskctl switch indexer-1"


@pytest.mark.parametrize("words", [("switch",), ("switch", "kasia-indexer", "status")])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_service_in_need_is_exit_1(
    ctl: Ctl, taskd: ScriptedTaskd, words: tuple[str, ...], options: tuple[str, ...]
) -> None:
    """A script hears it as well."""
    taskd.answers["getServices"] = [service(switch(4))]
    assert ctl(*words, *options)[0] == 0
    taskd.answers["getServices"] = [{**service(switch(4)), "attention": need(1)}]
    assert ctl(*words, *options)[0] == 1


PLAN: dict[str, Any] = {
    "service": "kasia-indexer", "to": "local", "possible": True, "there": False, "held": False,
    "busy": False, "unit": "kasia-indexer.service", "compose": None, "away": 14.6,
    "awayAt": "2026-11-23T13:00:00.000Z",
    "checks": [
        {"key": "unit", "good": True, "decides": True, "note": "it is there", "cure": None},
        {"key": "order", "good": False, "decides": False, "note": "URL comes from /etc/default/k.",
         "cure": "Take URL out of it"},
    ],
}  # fmt: skip


def test_a_dry_run_shows_every_check_and_what_would_be_done(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Without a side it is to the other node; what cannot be done is exit 1."""
    taskd.answers |= {"getServices": [service()], "getSwitchPlan": PLAN}
    code, out, _err = ctl("switch", "kasia-indexer", "--dry-run")
    assert code == 0
    assert taskd.asked[-1] == ("getSwitchPlan", {"service": "kasia-indexer", "to": "local"})
    assert re.search(r"✓ unit +it is there", out)
    assert re.search(r"! order +URL comes from /etc/default/k.\n +Take URL out of it", out)
    assert "It would restart kasia-indexer.service." in out
    assert re.search(r"Last time it was away for 14 s", out)
    assert "switchService" not in [method for method, _ in taskd.asked]
    no = {**PLAN, "possible": False, "there": True, "held": True, "away": None, "awayAt": None}
    taskd.answers["getSwitchPlan"] = no
    code, out, _err = ctl("switch", "kasia-indexer", "local", "--dry-run")
    assert code == 1
    assert "kasia-indexer is there already." in out
    assert "it was not switched yet" in out
    assert "nothing but you would switch it" in out
    code, out, _err = ctl("switch", "kasia-indexer", "local", "--dry-run", "--json")
    assert (code, json.loads(out)) == (1, no)
    assert ctl("switch", "--dry-run")[0] == 2
    assert ctl("switch", "kasia-indexer", "status", "--dry-run")[0] == 2


def test_a_service_is_held_and_let_go(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """And a switch by hand of a held one says that it is."""
    taskd.answers["holdService"] = lambda params: {
        "success": True, "service": params["service"], "held": params["hold"]}  # fmt: skip
    assert ctl("hold", "kasia-indexer")[:2] == (
        0, "kasia-indexer is held where it is: only you switch it.\n")  # fmt: skip
    assert ctl("hold", "kasia-indexer", "--off")[1].endswith("switched by itself again.\n")
    assert json.loads(ctl("hold", "kasia-indexer", "--json")[1])["held"] is True
    held = {**service(), "held": True}
    taskd.answers["getServices"] = [held]
    assert "held where it is" in ctl("switch")[1]
    assert "hold kasia-indexer --off" in ctl("switch", "kasia-indexer")[1]


def test_what_is_seen_now_is_shown(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """A proof with its age, or that there is none; what needs somebody, with its cure."""
    seen = {"stateAt": "2026-11-23T14:12:09.000Z", "state": "running"}
    proof = {"kind": "connections", "count": 3, "address": "127.0.0.1:17110",
             "since": "2026-11-23T13:39:00.000Z", "at": "2026-11-23T14:12:09.000Z"}  # fmt: skip
    works = {**service(switch(4)), **seen, "verified": True, "proof": proof}
    taskd.answers["getServices"] = [works]
    found = " ".join(ctl("switch")[1].split())
    assert "works there: 3 connections to 127.0.0.1:17110 since" in found
    one = {**proof, "count": 1, "kind": "noted"}
    taskd.answers["getServices"] = [{**works, "proof": one}]
    found = " ".join(ctl("switch", "kasia-indexer")[1].split())
    assert "1 connection to 127.0.0.1:17110 at the switch" in found
    taskd.answers["getServices"] = [{**works, "verified": None, "proof": None}]
    assert "restarted, not proven" in ctl("switch")[1]
    mended = {**service(failed()), **seen, "verified": None}
    taskd.answers["getServices"] = [mended]
    assert "down" not in ctl("switch")[1]
    down = {"code": "down", "note": "k does not run.", "cure": "restart k", "params": {},
            "since": "2026-11-23T13:39:00.000Z"}  # fmt: skip
    taskd.answers["getServices"] = [{**mended, "attention": down}]
    out = ctl("switch")[1]
    assert re.search(r"✗ kasia-indexer .* down", out)
    assert "! k does not run.\n  restart k" in out
    unused = {**down, "code": "not-used", "note": "It does not."}
    taskd.answers["getServices"] = [{**works, "verified": False, "attention": unused}]
    out = ctl("switch")[1]
    assert "works there" not in out
    assert "does not use it, see below" in out
