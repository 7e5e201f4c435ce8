"""What the page says of services."""

from __future__ import annotations

from typing import Any

import pytest

from kaspad_taskd.api.switches import attention_shape
from kaspad_taskd.core.attention import Attention, AttentionCode
from kaspad_taskd.core.fallback import Why
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import Side, Switch, SwitchReason
from kaspad_taskd.web.page import Page
from kaspad_taskd.web.services import panel, with_switching
from kaspad_taskd.web.story import story
from tests.fakes.golden import golden_task
from tests.fakes.kept import BEHIND, watched
from tests.fakes.switches import (
    BORSH,
    LOST,
    NODE,
    NOW,
    failed,
    fallen,
    no,
    on,
    service,
    staying,
    switch,
    undone,
)
from tests.web.snapshots import EVENTS, snapshot, switched

COMPLETE = {**golden_task("kaspa-node"), "status": "complete", "switches": ["kasia-indexer", "k"]}


def one(made: dict[str, Any], task: dict[str, Any] | None = None) -> dict[str, Any]:
    return panel([made], [task] if task else [], NOW / 1000)[0]


def test_a_service_that_works_on_the_local_node() -> None:
    """Where, since when, that it was seen to work, and the way back."""
    shown = one(service(switch(4, ago=90_000_000)))
    assert (shown["icon"], shown["tone"], shown["state"]) == ("tick", "done", "Local node")
    assert shown["when"] == "22 Nov 13:12 UTC"
    assert shown["facts"] == ["Works there"]
    assert shown["button"]["label"] == "Back to public node"
    assert (shown["steps"], shown["banner"]) == ([], "")


def test_a_service_on_a_node_that_is_behind_says_so() -> None:
    """Who looks at the service learns what is wrong with its node."""
    local = service(switch(4, ago=90_000_000))
    node = watched(id=local["task"])
    assert one(local, node)["facts"] == ["Works there"]
    told = one(local, {**node, **BEHIND})["facts"]
    assert told == ["Works there", "kaspa-node is behind by 14 min since 09:12 UTC"]


def test_a_service_that_waits_for_its_node() -> None:
    """It switches by itself; that the node is not in sync needs no second word."""
    hints = (Hint("node-not-synced", {"address": "grpc://localhost:16110"}),)
    shown = one(service(hints=hints), golden_task("kaspa-node"))
    assert (shown["state"], shown["tone"]) == ("Public node", "quiet")
    assert shown["facts"] == ["Switches when kaspa-node is ready"]
    assert shown["button"]["to"] == "local"
    waits_for_nobody = one(service(hints=hints))
    assert waits_for_nobody["facts"] == ["The local node grpc://localhost:16110 is not in sync."]


def test_what_speaks_against_a_switch_has_its_cure() -> None:
    """The hint is said as trouble, with what to do."""
    shown = one(service(hints=(BORSH,)))
    assert shown["tone"] == "attention"
    assert shown["banner"] == "The node does not offer port 17110, which services need."
    assert shown["cures"] == ["Start kaspad with --rpclisten-borsh=127.0.0.1:17110"]


def test_a_service_on_a_local_node_that_is_lost_needs_attention() -> None:
    """What spoke against a switch speaks against staying too."""
    shown = one(service(switch(4), hints=(LOST,)))
    assert (shown["state"], shown["tone"]) == ("Local node", "attention")
    assert "does not answer" in shown["banner"]
    assert shown["cures"] == ["systemctl status kaspad"]


def test_the_steps_of_a_running_switch() -> None:
    """What is done with its time, what is under way since when, what follows; and a way out."""
    shown = one(service(switch(2, ago=5000)))
    assert (shown["icon"], shown["state"]) == ("arrows", "Switching to the local node")
    assert [(each["state"], each["took"]) for each in shown["steps"]] == [
        ("done", "400 ms"), ("done", "29 ms"), ("current", "4 s"), ("next", "next"),
    ]  # fmt: skip
    assert shown["steps"][0]["note"] == "synced, 17110 answers, mainnet"
    assert shown["steps"][2]["since"] == "2026-11-23T14:12:04.430Z"
    assert shown["button"]["title"] == "Cancel the switch of kasia-indexer?"


def test_the_way_back_stands_in_the_same_list() -> None:
    """While it is gone: the failed step, then the two of the undo; nothing can be pressed."""
    shown = one(service(no(switch(3, ago=125_000))))
    assert shown["state"] == "Being put back"
    assert [each["state"] for each in shown["steps"]] == [
        "done", "done", "done", "failed", "current", "next",
    ]  # fmt: skip
    assert shown["steps"][3]["took"] == "failed after 2 min"
    assert shown["steps"][4]["label"] == "Back 1 of 2: endpoint"
    assert shown["button"] is None
    assert one(service(switch(2, to=Side.PUBLIC)))["button"] is None


def test_how_a_switch_ended_is_one_sentence() -> None:
    """Undone: it runs as before. Failed: with neither node, and what to type."""
    shown = one(service(undone()))
    assert (shown["state"], shown["icon"], shown["tone"]) == ("Public node", "back", "attention")
    assert shown["banner"].endswith("kasia-indexer runs on the public node as before.")
    assert shown["cures"] == ["journalctl -u kasia-indexer.service -n 50"]
    assert shown["button"]["to"] == "local"
    assert shown["when"] == "14:10 UTC"
    shown = one(service(failed()))
    assert (shown["state"], shown["tone"]) == ("Down", "failure")
    assert "works with neither node" in shown["banner"]
    assert shown["button"]["to"] == "public"


def test_what_a_switch_said_is_not_said_again_as_a_hint() -> None:
    """Refused for a closed port, which is closed still: once."""
    refused = no(switch(), SwitchReason.BORSH_CLOSED, 300, **BORSH.params)
    shown = one(service(refused, hints=(BORSH,)))
    assert shown["banner"].count("17110") == 1
    assert [each["state"] for each in shown["steps"]] == ["failed"]  # the others never began


def test_a_cancelled_switch_is_no_trouble() -> None:
    """Somebody wanted it so."""
    shown = one(service(on(on(no(switch(2), SwitchReason.CANCELLED)))))
    assert (shown["state"], shown["tone"], shown["steps"]) == ("Public node", "quiet", [])


def test_a_file_that_cannot_be_read_is_said() -> None:
    """Nobody claims to know where it points."""
    shown = one({**service(), "points": "unknown"})
    assert (shown["state"], shown["tone"]) == ("Unknown", "attention")
    assert shown["banner"] == "Its endpoint file cannot be read."


@pytest.mark.parametrize(
    ("task", "made", "says"),
    [
        (COMPLETE, switch(2, by_node=True), True),
        (COMPLETE, no(switch(3, by_node=True)), True),
        (COMPLETE, switch(2), False),  # somebody's, not the node's
        (COMPLETE, switch(4, by_node=True), False),
        ({**COMPLETE, "status": "in-progress"}, switch(2, by_node=True), False),
    ],
)
def test_a_complete_node_says_that_it_switches(task: Any, made: Any, says: bool) -> None:
    """While its switches run, and only then."""
    shown = with_switching({**task, "id": NODE}, [service(made)])
    assert ("switching" in shown) is says
    if says:
        assert shown["switching"]["n"] == 2


def test_the_page_says_it_first() -> None:
    """In the verdict and the title, on the card, and in the services' steps."""
    made = service(switch(2, by_node=True, ago=5000))
    text = Page().index(snapshot(tasks=[{**COMPLETE, "actions": []}], services=[made]), {})
    assert ">kaspa-node is ready, 2 services are being switched</h1>" in text
    assert "<title>Switching 2 services · node-1</title>" in text
    assert "Ready. kasia-indexer: step 3 of 4, restarting." in text
    assert 'data-since="2026-11-23T14:12:04.430Z"' in text


def test_buttons_are_there_for_who_may_press_them() -> None:
    """Without the right none; without services no panel."""
    assert 'data-action="switch"' in Page().index(snapshot(services=[service()]), {})
    read_only = Page().index(snapshot(services=[service()], canChange=False), {})
    assert 'data-action="switch"' not in read_only
    assert "services-title" not in Page().index(snapshot(), {})


def test_a_switch_is_one_line_of_what_happened() -> None:
    """Its newest state, by its service, which leads to the panel."""
    told = [
        *EVENTS,
        switched(6, "14:11:49", switch()),
        switched(7, "14:11:50", switch(1)),
        switched(8, "14:12:05", switch(4)),
        switched(9, "14:12:06", switch(1, number=8)),
    ]
    newest, before = story(told)[:2]
    assert newest["text"] == "switching to the local node: step 2 of 4, writing the endpoint"
    assert (before["text"], before["seq"]) == ("switched to the local node", 8)
    assert len(story(told)) == len(story(EVENTS)) + 2
    text = Page().index(snapshot(events=told, services=[service()]), {})
    assert '<a href="./#s-kasia-indexer">kasia-indexer</a> switched to the local node' in text


def test_a_service_in_need_is_told_in_the_first_lines() -> None:
    """In the title and the attention line, which leads to its card."""
    down = {"service": "kasia-indexer", "code": "down", "note": "k.service does not run."}
    html = Page().index(snapshot(tasks=[], services=[service(switch(4))], attentions=[down]), {})
    assert "<title>! kasia-indexer · node-1</title>" in html
    link = '<a data-o="attention" href="#s-kasia-indexer">1 service needs attention: '
    assert f"{link}k.service does not run.</a>" in html
    assert 'id="s-kasia-indexer"' in html


DOWN = {
    "code": "down", "note": "k.service does not run.", "cure": "sudo systemctl restart k.service",
    "params": {}, "since": "2026-11-23T14:01:00.000Z",
}  # fmt: skip
SEEN = {"stateAt": "2026-11-23T14:12:09.000Z", "state": "failed"}


@pytest.mark.parametrize("last", [None, switch(4), failed()], ids=["never", "done", "failed"])
def test_what_is_seen_to_be_down_is_told_whatever_the_last_switch_was(last: Switch | None) -> None:
    """Since when, why, what to type; not the steps of a switch that has nothing to do with it."""
    shown = one({**service(last), **SEEN, "attention": DOWN})
    assert (shown["icon"], shown["tone"], shown["state"]) == ("octagon", "failure", "Down")
    assert shown["banner"] == "k.service does not run."
    assert shown["cures"] == ["sudo systemctl restart k.service"]
    assert shown["when"].startswith("14:01")
    assert shown["steps"] == []
    html = Page().index(snapshot(services=[{**service(last), **SEEN, "attention": DOWN}]), {})
    assert "sudo systemctl restart k.service" in html


def test_what_was_mended_is_not_told_as_down() -> None:
    """The last switch failed, and the unit is seen to run since."""
    shown = one({**service(failed()), "stateAt": SEEN["stateAt"], "state": "running"})
    assert shown["icon"] != "octagon"
    assert "may be down" not in shown["banner"]


def test_a_proof_is_told_with_its_age_and_a_doubt_as_one() -> None:
    """Never more than was seen."""
    proof = {"kind": "connections", "count": 3, "address": "127.0.0.1:17110",
             "since": "2026-11-23T13:39:00.000Z", "at": "2026-11-23T14:12:09.000Z"}  # fmt: skip
    known = {**service(switch(4)), "stateAt": SEEN["stateAt"], "state": "running"}
    (fact,) = one({**known, "verified": True, "proof": proof})["facts"]
    assert fact.startswith("Works there: 3 connections to 127.0.0.1:17110 since 13:39 UTC")
    (fact,) = one({**known, "verified": None, "proof": None})["facts"]
    assert fact == "Restarted, not proven"
    unused = {**DOWN, "code": "not-used", "note": "k does not use the local node."}
    shown = one({**known, "verified": False, "proof": None, "attention": unused})
    assert (shown["tone"], shown["banner"]) == ("attention", "k does not use the local node.")
    assert "Works there" not in " ".join(shown["facts"])


def test_a_held_service_says_so() -> None:
    """And not that it waits for its node, which it does not."""
    shown = one({**service(), "held": True}, golden_task("kaspa-node"))
    assert shown["facts"] == ["Held where it is"]


def test_a_service_that_fell_back_says_so() -> None:
    """When, why, and what comes next; where it stays, why."""
    (told,) = one(fallen())["facts"]
    assert told == (
        "It went to the public node at 13:12 UTC, since the local node was behind by 14 min; "
        "it returns after 30 min in sync."
    )
    assert one(fallen(Why.WAITING, 60_000))["facts"][1].startswith("It returns in 1 min")
    works, stays = one(staying(Why.HELD))["facts"]
    assert (works, stays) == ("Works there", "It stays where it is: it is held.")


def test_a_service_on_a_node_that_is_behind_needs_attention() -> None:
    """With what keeps it there, once; its cure is that."""
    params: dict[str, Any] = {
        "service": "k",
        "task": NODE,
        "behind": 840.0,
        "stays": "public-not-synced",
    }
    stood = attention_shape(Attention("k", AttentionCode.NODE_BEHIND, params, NOW - 840_000))
    shown = one({**staying(Why.PUBLIC_NOT_SYNCED), "attention": stood})
    assert (shown["tone"], shown["state"]) == ("attention", "Local node")
    assert shown["banner"] == (
        "k runs on the local node, which is behind by 14 min. "
        "It stays where it is: the public node is not in sync either."
    )
    assert shown["cures"] == ["Name another node in public_env of [services.k]"]
    assert shown["facts"] == ["Its node is not in sync"]
