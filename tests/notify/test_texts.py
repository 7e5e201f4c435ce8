"""What people read: each kind of message as it was judged by eye, and what always holds."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.attention import AttentionCode
from kaspad_taskd.notify.model import Item, Kind
from kaspad_taskd.notify.texts import TITLE, link, say_items
from tests.fakes import golden

VIENNA = ZoneInfo("Europe/Vienna")
NOW = 1_780_000_000_000  # 28 May 2026 22:26 in Vienna
MINUTE = 60_000
NODE, DISK = "task:node-sync-kaspa-node", "disk:node-sync-kaspa-node"
REFUSED = {
    "note": "127.0.0.1:16110 refuses: stopped, still starting, or listening elsewhere.",
    "reason": "refused",
}
LAG = {"behind": 834.2, "worst": 912.0, "note": "It has no peers.", "reason": "no-peers"}
RUNWAY = {"seconds": 7300, "free": 3e10, "rate": 4e6, "before": True}
LOST = {
    "note": "kasia runs on the local node, and 127.0.0.1:17110 does not answer.",
    "cure": "systemctl status kaspad",
}
UNDONE = {
    "to": "local", "by": "user", "cure": "journalctl -u kasia -n 50",
    "error": "No answer of indexer-sync-kasia within 2 min. kasia runs on the public node.",
}  # fmt: skip
BACKUP = {"note": "No backup of the state has been made.", "cure": "sudo kaspad-taskctl backup"}


def bad(of: str, code: str, ago: int, /, until: int | None = None, **more: object) -> Item:
    """A trouble that began so many minutes ago, and ended so many minutes ago."""
    name = of.partition(":")[2].removeprefix("node-sync-")
    params = more.pop("params", {})
    ended = None if until is None else NOW - until * MINUTE
    kind = more.pop("kind", Kind.TROUBLE)
    began = NOW - ago * MINUTE
    return Item(kind, of, name, code, params, began, ended, **more)  # type: ignore[arg-type]


def once(kind: Kind, of: str, code: str, /, **params: object) -> Item:
    """What was so a minute ago."""
    return bad(of, code, 1, kind=kind, params=params)


SHOWN: dict[str, list[Item]] = {
    "behind": [bad(NODE, "behind", 30, params=LAG)],
    "behind, how far is not known": [bad(NODE, "behind", 30)],
    "not reachable, again and again": [bad(NODE, "unreachable", 30, params=REFUSED, count=7)],
    "not reachable, still": [bad(NODE, "unreachable", 1500, params=REFUSED, again=True)],
    "stalled": [bad(NODE, "stalled", 12, params={"reason": "cut-off"})],
    "silent": [
        bad("task:dump", "stalled", 40, params={"type": "report", "reason": "silent-report",
            "note": "Its program has not reported for 20 min."}),
    ],
    "relapse": [bad(NODE, "relapse", 90, params={"because": "far-behind"})],
    "relapse of a later version": [bad(NODE, "relapse", 90, params={"because": "moon"})],
    "a health of a later version": [bad(NODE, "drowsy", 9, params={"note": "It sleeps."})],
    "past": [bad(NODE, "behind", 1500, 1480, params=LAG)],
    "past, again and again": [bad(NODE, "unreachable", 90, 10, params=REFUSED, count=3)],
    "well": [bad(NODE, "behind", 90, 10, kind=Kind.RECOVERED, params=LAG)],
    "well, again and again": [bad(NODE, "unreachable", 90, 10, kind=Kind.RECOVERED, count=3)],
    "disk": [bad(DISK, "disk-runway", 20, params=RUNWAY)],
    "disk without inodes": [bad(DISK, "disk-runway", 20, params={**RUNWAY, "inodes": 900})],
    "disk full": [bad(DISK, "disk-full", 20, params={"free": 5e8})],
    "disk, past": [bad(DISK, "disk-runway", 80, 20, params=RUNWAY)],
    "disk, well": [bad(DISK, "disk-runway", 80, 20, kind=Kind.RECOVERED, params=RUNWAY)],
    "service": [bad("service:kasia", "node-lost", 20, params=LOST)],
    "service, for a reason of a later version": [bad("service:kasia", "node-odd", 20, params=LOST)],
    "service, past": [bad("service:kasia", "down", 80, 20, params=LOST)],
    "service, well": [bad("service:kasia", "down", 80, 20, kind=Kind.RECOVERED)],
    "warning": [bad("warning:3", "backup-old", 20, params=BACKUP)],
    "warning of a later version": [bad("warning:3", "moon", 20)],
    "daemon": [bad("daemon", "silent", 3)],
    "daemon, past": [bad("daemon", "silent", 30, 3)],
    "daemon, well": [bad("daemon", "silent", 30, 3, kind=Kind.RECOVERED)],
    "complete": [once(Kind.COMPLETE, NODE, "complete", type="node-sync", took="2 hours 30 min")],
    "complete again": [
        once(Kind.COMPLETE, NODE, "complete-again", type="node-sync", because="db-reset")
    ],
    "failed": [
        once(Kind.ERROR, NODE, "wrong-network", reason="wrong-network",
             error="It is on testnet-10, the task expects mainnet."),
    ],
    "switched": [once(Kind.SWITCH, "service:kasia", "done", to="local", by="node-sync")],
    "switched by itself": [
        once(Kind.SWITCH, "service:kasia", "done", to="public", by="fallback", stood="behind",
             behind=900),
    ],
    "switched back by itself": [
        once(Kind.SWITCH, "service:kasia", "done", to="local", by="fallback", stood="ok"),
    ],
    "not switched": [once(Kind.SWITCH, "service:kasia", "undone", **UNDONE)],
    "switched to nowhere": [once(Kind.SWITCH, "service:kasia", "failed", **UNDONE)],
    "too much": [Item(Kind.TROUBLE, "notify", "", "too-many", {"n": 1234})],
    "three in trouble": [
        bad(f"task:node-sync-{name}", "unreachable", 30, params=REFUSED) for name in "abc"
    ],
    "three that were": [bad(f"task:node-sync-{name}", "stalled", 90, 10) for name in "abc"],
    "two that are well": [
        bad(f"task:node-sync-{name}", "stalled", 90, 10, kind=Kind.RECOVERED) for name in "ab"
    ],
    "a node and what uses it": [
        bad(NODE, "behind", 30, params=LAG), bad("service:kasia", "node-lost", 20, params=LOST),
    ],
    "a bit of all": [
        once(Kind.ERROR, "task:dump", "by-request", error="It broke."),
        bad(NODE, "behind", 30, params=LAG),
        once(Kind.SWITCH, "service:kasia", "done", to="public", by="fallback"),
        bad("task:node-sync-b", "stalled", 90, 10, kind=Kind.RECOVERED),
        once(Kind.COMPLETE, "task:node-sync-c", "complete", type="node-sync"),
    ],
    "a thousand that failed": [
        once(Kind.ERROR, f"task:t{k}", "gave-up", error="No movement for 2 hours.")
        for k in range(1000)
    ],
}  # fmt: skip


def test_what_people_read_is_as_it_was_judged() -> None:
    """Each message in full: title, link, text."""
    shown = []
    for name, items in SHOWN.items():
        said = say_items(items, NOW, VIENNA, "node-1", "https://host/taskd/")
        shown.append(f"--- {name}\n# {said.title}\n  {said.link}\n{said.text}\n")
    golden.check("notify.txt", "\n".join(shown))


@pytest.mark.parametrize("name", SHOWN)
def test_no_place_is_left_open(name: str) -> None:
    """Nothing is said of which nothing is known."""
    said = say_items(SHOWN[name], NOW, VIENNA)
    assert "?" not in said.title + said.text
    assert "None" not in said.title + said.text
    assert said.link is None


@pytest.mark.parametrize("code", AttentionCode)
def test_each_thing_that_services_have_is_said(code: AttentionCode) -> None:
    """In words, and not by its code."""
    said = say_items([bad("service:kasia", code, 20, params=LOST)], NOW, VIENNA)
    assert code == "down" or f": {code}" not in said.title


def test_the_link_leads_to_the_task_where_all_is_about_one() -> None:
    """Its health and its disk are; a service has no page of its own."""
    node, disk, other = bad(NODE, "behind", 1), bad(DISK, "disk-full", 1), bad("task:b", "x", 1)
    assert link([node, disk], "http://h/") == "http://h/task/node-sync-kaspa-node"
    assert link([node, other], "http://h") == "http://h/"
    assert link([node, bad("service:kasia", "down", 1)], "http://h") == "http://h/"


ITEM = st.builds(
    Item,
    st.sampled_from(Kind),
    st.sampled_from((NODE, DISK, "service:x", "warning:1", "daemon", "notify", "moon:x")),
    st.text(max_size=80),
    st.text(max_size=80) | st.sampled_from(("behind", "disk-runway", "silent", "done")),
    st.dictionaries(
        st.sampled_from(("note", "cure", "error", "behind", "worst", "because", "reason", "n",
                         "seconds", "free", "to", "by", "took", "type")),
        st.text(max_size=400) | st.floats() | st.integers() | st.booleans() | st.none(),
    ),
    st.none() | st.integers(0, 4_000_000_000_000),
    st.none() | st.integers(0, 4_000_000_000_000),
    st.integers(1, 10_000),
    st.booleans(),
)  # fmt: skip


@given(st.lists(ITEM, min_size=1, max_size=30), st.text(max_size=200))
def test_whatever_is_told_is_one_line_and_a_short_text(items: list[Item], host: str) -> None:
    """A title is one visible line, a text under 1,000 characters, of visible lines."""
    said = say_items(items, NOW, VIENNA, host, "http://h")
    assert said.title.isprintable()
    assert 0 < len(said.title) <= TITLE
    assert 0 < len(said.text) < 1000
    assert all(line.isprintable() for line in said.text.split("\n"))
