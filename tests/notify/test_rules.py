"""What is told to whom and when: a rule of the house a test."""

from __future__ import annotations

import sys
from datetime import UTC
from typing import Any

import pytest

from kaspad_taskd.notify import rules
from kaspad_taskd.notify.model import ITEMS, Item, Kind, Quiet, Rule
from kaspad_taskd.notify.rules import Asks, Snapshot
from kaspad_taskd.notify.state import KEPT
from tests.notify.told import BASE, DAY, HOUR, MINUTE, NODE, SECOND, Told, event, health, iso, items
from tests.notify.told import kinds as kinds_of

PHONE = (Rule("phone", gather=0),)
AT_ONCE = Rule("phone", after=0, gather=0)


def test_a_trouble_is_told_once_it_has_lasted_and_its_end_once_that_has() -> None:
    """`after` keeps both back: what ends sooner, and what comes again sooner."""
    told = Told().hear(health("unreachable", BASE))
    assert told.at(BASE + 5 * MINUTE - 1) == []
    (message,) = told.at(BASE + 6 * MINUTE)
    assert (message.kind, message.id, message.rule) == (Kind.TROUBLE, "5eed-1", "phone")
    assert message.made == BASE + 5 * MINUTE + 30 * SECOND
    told.hear(health("ok", BASE + 60 * MINUTE))
    assert told.at(BASE + 65 * MINUTE - 1) == []
    (message,) = told.at(BASE + 66 * MINUTE)
    (item,) = message.items
    assert (item.kind, item.began, item.ended) == (Kind.RECOVERED, BASE, BASE + 60 * MINUTE)
    assert told.at(BASE + 90 * DAY) == []
    assert rules.due(told.state, told.rules) is None


def test_a_shorter_trouble_is_never_told() -> None:
    """Neither it nor its end."""
    told = Told().hear(health("stalled", BASE), health("ok", BASE + 5 * MINUTE - 1))
    assert told.at(BASE + 24 * HOUR) == []


def test_what_flaps_is_one_trouble_with_a_count() -> None:
    """Seven times bad for two minutes, a minute well between: one message, and one at the end."""
    told = Told(Rule("phone", gather=0))
    for k in range(7):
        at = BASE + k * 3 * MINUTE
        told.hear(health("unreachable", at))
        told.at(at + 2 * MINUTE)
        told.hear(health("ok", at + 2 * MINUTE))
    (first,) = items(told.messages)
    assert (first.kind, first.count, first.began) == (Kind.TROUBLE, 3, BASE)
    (last,) = items(told.at(BASE + HOUR))
    assert (last.kind, last.count, last.began) == (Kind.RECOVERED, 7, BASE)


def test_behind_stalled_and_unreachable_are_one_trouble() -> None:
    """Its name changes; it is told once, by what it is then."""
    told = Told().hear(health("behind", BASE), health("unreachable", BASE + MINUTE))
    told.hear(health("stalled", BASE + 2 * MINUTE))
    (item,) = items(told.at(BASE + HOUR))
    assert (item.code, item.began) == ("stalled", BASE)


def test_what_lasts_is_told_again() -> None:
    """After `repeat`, as one that was told; never where that is wanted."""
    told = Told(Rule("phone", gather=0)).hear(health("stalled", BASE))
    found = items(told.at(BASE + 25 * HOUR))
    assert [item.again for item in found] == [False, True, True]
    told = Told(Rule("phone", gather=0, repeat=None)).hear(health("stalled", BASE))
    assert len(told.at(BASE + 25 * HOUR)) == 1


def test_ten_at_once_are_one_message() -> None:
    """What comes within `gather` is told together, trouble and end."""
    told = Told()
    for k in range(10):
        told.hear(health("unreachable", BASE + k * SECOND, f"node-sync-n{k}"))
    (message,) = told.at(BASE + HOUR)
    assert len(message.items) == 10
    for k in range(10):
        told.hear(health("ok", BASE + HOUR + k * SECOND, f"node-sync-n{k}"))
    (message,) = told.at(BASE + 2 * HOUR)
    assert len(message.items) == 10


def test_one_that_came_and_went_while_nobody_was_there_is_told_as_past() -> None:
    """Once, with its end, and no recovery after it."""
    told = Told()
    told.hear(health("behind", BASE), health("ok", BASE + HOUR), now=BASE + 3 * HOUR)
    (item,) = items(told.at(BASE + 4 * HOUR))
    assert (item.kind, item.began, item.ended) == (Kind.TROUBLE, BASE, BASE + HOUR)
    assert told.at(BASE + 90 * HOUR) == []


@pytest.mark.parametrize("name", ["sync:paused", "sync:cancelled", "task:removed", "sync:start"])
def test_what_somebody_does_ends_a_trouble_without_a_word(name: str) -> None:
    """Nothing more is told of what is paused, stopped, removed or tried again by a person."""
    told = Told().hear(health("unreachable", BASE))
    assert kinds_of(told.at(BASE + HOUR)) == [Kind.TROUBLE]
    told.hear(event(name, BASE + HOUR))
    assert told.at(BASE + 90 * HOUR) == []


def test_a_watch_that_is_paused_ends_a_trouble_without_a_word() -> None:
    """Its health is not known then, for no reason but that somebody wants it so."""
    told = Told().hear(health("unreachable", BASE))
    told.at(BASE + HOUR)
    told.hear(health("unknown", BASE + HOUR), health("ok", BASE + 2 * HOUR))
    assert told.at(BASE + 90 * HOUR) == []


def test_what_nobody_knows_is_neither_bad_nor_well() -> None:
    """A clock that is wrong ends no trouble and adds nothing to one; good looks end it."""
    told = Told(Rule("phone", gather=0)).hear(health("behind", BASE))
    told.at(BASE + 10 * MINUTE)
    told.hear(health("unknown", BASE + 10 * MINUTE, reason="clock-skew"))
    assert told.at(BASE + 24 * HOUR) == []
    told.hear(health("ok", BASE + 24 * HOUR))
    assert kinds_of(told.at(BASE + 25 * HOUR)) == [Kind.RECOVERED]


def test_a_failure_is_told_at_once_and_ends_the_trouble() -> None:
    """It says more than that the trouble is over."""
    told = Told(AT_ONCE).hear(health("unreachable", BASE))
    told.at(BASE + MINUTE)
    told.hear(event("sync:error", BASE + MINUTE, error="It broke.", reason="gave-up"))
    (item,) = items(told.at(BASE + 90 * HOUR))
    assert (item.kind, item.params["error"]) == (Kind.ERROR, "It broke.")


def test_a_relapse_is_a_trouble_until_it_is_complete() -> None:
    """It is told though being behind was, whatever the health of the attempt says."""
    told = Told(Rule("phone", gather=0)).hear(health("behind", BASE, behind=900))
    told.at(BASE + HOUR)
    told.hear(event("sync:start", BASE + HOUR, attempt=2, because="far-behind"))
    told.hear(health("unreachable", BASE + HOUR + MINUTE), health("ok", BASE + HOUR + 2 * MINUTE))
    told.at(BASE + 2 * HOUR)
    assert [item.code for item in items(told.messages)] == ["behind", "relapse"]
    told.hear(event("sync:complete", BASE + 3 * HOUR, because="far-behind"))
    found = items(told.at(BASE + 4 * HOUR))
    assert [(item.kind, item.code) for item in found] == [
        (Kind.COMPLETE, "complete-again"),
        (Kind.RECOVERED, "relapse"),
    ]


def test_a_relapse_that_is_paused_is_a_trouble_again_when_it_goes_on() -> None:
    """Nothing is told while it is paused."""
    told = Told(AT_ONCE).hear(event("sync:start", BASE, attempt=2, because="db-reset"))
    assert len(told.at(BASE + 1)) == 1
    told.hear(event("sync:paused", BASE + MINUTE))
    assert told.at(BASE + 24 * HOUR) == []
    told.hear(event("sync:resumed", BASE + 24 * HOUR))
    (item,) = items(told.at(BASE + 24 * HOUR))
    assert (item.code, item.params["because"]) == ("relapse", "db-reset")


def test_services_and_switches() -> None:
    """What needs somebody is a trouble, of whatever code; how a switch ended is told at once."""
    told = Told(AT_ONCE)
    wrong: dict[str, Any] = {
        "code": "node-odd",
        "params": {},
        "note": "It is odd.",
        "cure": "look",
        "since": None,
    }
    told.hear(event("service:attention", BASE, None, **{**wrong, "service": "kasia"}))
    (item,) = items(told.at(BASE))
    assert (item.of, item.code, item.params["note"]) == ("service:kasia", "node-odd", "It is odd.")
    well: dict[str, Any] = {
        "code": None,
        "params": {},
        "note": None,
        "cure": None,
        "service": "kasia",
    }
    told.hear(event("service:attention", BASE + MINUTE, None, **well))
    assert kinds_of(told.at(BASE + MINUTE)) == [Kind.RECOVERED]
    switch = {"state": "done", "by": "fallback", "because": {"health": "behind", "behind": 900}}
    told.hear(
        event("switch:complete", BASE + HOUR, None, service="kasia", to="public", switch=switch)
    )
    (item,) = items(told.at(BASE + HOUR))
    assert (item.kind, item.code, item.params["by"]) == (Kind.SWITCH, "done", "fallback")
    assert "the local node was behind by 15 min" in told.messages[-1].text


def test_a_warning_stands_until_somebody_has_seen_it() -> None:
    """No event tells that: `asks` says to look, and what is gone is over without a word."""
    told = Told(Rule("phone", gather=0))
    warning = {"id": 3, "code": "from-later", "params": {}, "note": "So it is.", "cure": None}
    told.hear(event("warning", BASE, None, **{**warning, "service": None}))
    assert rules.asks(told.state) == Asks((), True)
    (item,) = items(told.at(BASE + HOUR))
    assert (item.of, item.code, item.params["note"]) == ("warning:3", "from-later", "So it is.")
    told.state = rules.learn(told.state, told.rules, BASE + HOUR, warnings=[warning])
    assert kinds_of(told.at(BASE + 13 * HOUR)) == [Kind.TROUBLE]
    told.state = rules.learn(told.state, told.rules, BASE + 13 * HOUR, warnings=[])
    assert told.at(BASE + 90 * HOUR) == []
    assert rules.asks(told.state) == Asks()


def test_a_disk_that_runs_full_is_a_trouble_of_its_own_that_may_flicker() -> None:
    """A compaction gives back what is taken again: one trouble, told once."""
    told = Told(Rule("phone", gather=0))
    told.hear(event("sync:progress", BASE, status="in-progress", health="ok", diskFree=10**10))
    assert rules.asks(told.state) == Asks((NODE,))
    hint = {"code": "disk-runway", "params": {"seconds": 7200, "free": 10**10, "rate": 10**6}}
    for k in range(60):
        hints = [hint] if k % 3 else []
        task = {
            "id": NODE, "service": "kaspa-node", "type": "node-sync", "status": "in-progress",
            "health": "ok", "hints": hints, "metadata": {"diskFree": 10**10},
        }  # fmt: skip
        told.state = rules.learn(told.state, told.rules, BASE + k * MINUTE, [task])
        told.at(BASE + k * MINUTE)
    (item,) = items(told.messages)
    assert (item.of, item.code, item.began) == (f"disk:{NODE}", "disk-runway", BASE + MINUTE)
    told.hear(event("sync:complete", BASE + HOUR))
    assert rules.asks(told.state) == Asks()
    assert kinds_of(told.at(BASE + 90 * HOUR)) == [Kind.COMPLETE]


def test_how_far_behind_it_is_is_told_as_of_now() -> None:
    """And how far it was at the worst, when it is over."""
    told = Told(Rule("phone", gather=0)).hear(health("behind", BASE, behind=120.0))
    progress: dict[str, Any] = {"status": "complete", "health": "behind", "behind": 834.2}
    told.hear(event("sync:progress", BASE + 4 * MINUTE, **progress))
    (message,) = told.at(BASE + 5 * MINUTE)
    assert message.title == "kaspa-node is behind by 14 minutes"
    told.hear(event("sync:progress", BASE + 6 * MINUTE, **{**progress, "behind": 3.0}))
    told.hear(health("ok", BASE + 7 * MINUTE))
    (item,) = items(told.at(BASE + HOUR))
    assert item.params["worst"] == 834.2


def test_the_daemon_is_silent() -> None:
    """For two minutes it may be; then that is a trouble that began with the silence."""
    told = Told(AT_ONCE)
    told.state = rules.silent(told.state, told.rules, BASE, BASE + 5 * SECOND)
    assert told.at(BASE + 2 * MINUTE - 1) == []
    (item,) = items(told.at(BASE + 2 * MINUTE))
    assert (item.of, item.code, item.began) == ("daemon", "silent", BASE)
    told.state = rules.answers(told.state, told.rules, BASE + HOUR)
    (item,) = items(told.at(BASE + HOUR))
    assert (item.kind, item.began, item.ended) == (Kind.RECOVERED, BASE, BASE + HOUR)


def test_what_was_bad_is_not_told_while_the_daemon_is_silent() -> None:
    """Nobody knows whether it still is; when it answers, it is told."""
    told = Told().hear(health("behind", BASE))
    told.state = rules.silent(told.state, told.rules, BASE + MINUTE, BASE + MINUTE)
    assert [item.of for item in items(told.at(BASE + HOUR))] == ["daemon"]
    told.state = rules.answers(told.state, told.rules, BASE + HOUR)
    found = items(told.at(BASE + 2 * HOUR))
    assert [(item.of, item.kind) for item in found] == [
        (f"task:{NODE}", Kind.TROUBLE),
        ("daemon", Kind.RECOVERED),
    ]


QUIET = Quiet(23 * 60, 7 * 60)
EVENING = 1_780_005_600_000  # 2026-05-29 00:00 in Vienna


def test_by_night_only_failures_and_switches_are_told() -> None:
    """The rest is one message when the night ends, with what is past by then."""
    told = Told(Rule("phone", quiet=QUIET), zone="Europe/Vienna")
    told.hear(health("behind", EVENING), health("stalled", EVENING, "node-sync-b"))
    told.hear(health("ok", EVENING + HOUR), event("sync:complete", EVENING + HOUR, "node-sync-c"))
    assert told.at(EVENING + 2 * HOUR) == []
    told.hear(event("sync:error", EVENING + 2 * HOUR, "node-sync-d", error="No."))
    assert kinds_of(told.at(EVENING + 3 * HOUR)) == [Kind.ERROR]
    (message,) = told.at(EVENING + 8 * HOUR)
    assert message.made == EVENING + 7 * HOUR
    assert [(item.kind, item.ended) for item in message.items] == [
        (Kind.TROUBLE, EVENING + HOUR),
        (Kind.TROUBLE, None),
        (Kind.COMPLETE, None),
    ]


def test_a_night_that_nobody_saw_end_is_not_taken_for_the_next() -> None:
    """A notifier that begins in the next night keeps still."""
    told = Told(Rule("phone", quiet=QUIET), zone="Europe/Vienna").hear(health("behind", EVENING))
    told.at(EVENING + HOUR)
    assert told.killed().found(EVENING + DAY).tick(EVENING + DAY) == []
    assert len(told.at(EVENING + DAY + 8 * HOUR)) == 1


def test_a_night_is_one_by_the_clocks_that_people_see() -> None:
    """Set back out of it it is over, set forward into it it begins, and no trouble is longer."""
    night = Quiet(23 * 60, 7 * 60)
    told = Told(Rule("phone", after=300, gather=0, quiet=night)).hear(health("behind", BASE))
    late = 4 * HOUR  # 00:26
    assert told.tick(BASE + MINUTE, ahead=late) == []
    assert told.tick(BASE + 6 * MINUTE, ahead=late) == []
    due = rules.due(told.state, told.rules, late)
    assert due == BASE - BASE % DAY + DAY + 7 * HOUR - late
    (message,) = told.tick(BASE + 7 * MINUTE)
    assert message.made == BASE + 7 * MINUTE


def test_a_night_that_is_none_any_more_is_over() -> None:
    """Who takes `quiet` out of the settings, or shortens it, waits for nothing."""
    night = Quiet(20 * 60, 7 * 60)
    told = Told(Rule("phone", after=0, gather=0, quiet=night)).hear(health("behind", BASE))
    assert told.tick(BASE + MINUTE) == []
    told.rules = (Rule("phone", after=0, gather=0),)
    assert len(told.tick(BASE + 2 * MINUTE)) == 1


def test_quiet_hours_of_a_whole_day_end_once_a_day() -> None:
    """What was kept is told then, in one message a day."""
    told = Told(Rule("phone", quiet=Quiet(7 * 60, 7 * 60)), zone="Europe/Vienna")
    told.hear(health("behind", EVENING))
    told.at(EVENING + 3 * DAY)
    assert [message.made for message in told.messages] == [
        EVENING + 7 * HOUR + k * DAY for k in range(3)
    ]


def test_rules_are_told_of_what_concerns_them() -> None:
    """By kind, by id, by service, by pattern; warnings and the daemon those who take all."""
    told = Told(
        Rule("all", after=0, gather=0),
        Rule("id", tasks=("node-sync-kaspa-node",), after=0, gather=0),
        Rule("service", tasks=("kaspa-*",), after=0, gather=0),
        Rule("other", tasks=("kaspa",), after=0, gather=0),
        Rule("ends", on=frozenset({Kind.COMPLETE}), after=0, gather=0),
    )
    told.hear(health("behind", BASE))
    assert [message.rule for message in told.at(BASE)] == ["all", "id", "service"]
    told.state = rules.silent(told.state, told.rules, BASE, BASE)
    assert [message.rule for message in told.at(BASE + HOUR)] == ["all"]


def test_a_rule_that_is_new_is_told_of_what_is_bad_already() -> None:
    """And one that is gone leaves nothing behind."""
    told = Told(Rule("phone")).hear(health("behind", BASE))
    told.at(BASE + HOUR)
    told.rules = (Rule("mail", gather=0),)
    (message,) = told.at(BASE + HOUR + SECOND)
    assert (message.rule, message.items[0].began) == ("mail", BASE)
    assert list(told.state.desks) == ["mail"]


def test_a_rule_that_is_narrowed_forgets_what_it_does_not_want_any_more() -> None:
    """Told or not, and without a word of its end; nothing of it is told again."""
    told = Told(Rule("phone", gather=0)).hear(health("behind", BASE), health("behind", BASE, "x"))
    assert len(items(told.at(BASE + HOUR))) == 2
    told.rules = (Rule("phone", gather=0, tasks=("x",)),)
    told.killed().state = rules.fit(told.state, told.rules, BASE + HOUR)
    told.found(BASE + HOUR)
    again = items(told.at(BASE + 2 * DAY))
    assert {item.of for item in again} == {"task:x"}
    told.rules = (Rule("phone", gather=0, on=frozenset({Kind.RECOVERED, Kind.ERROR})),)
    told.state = rules.fit(told.state, told.rules, BASE + 2 * DAY)
    told.hear(health("ok", BASE + 2 * DAY), health("ok", BASE + 2 * DAY, "x"))
    assert told.at(BASE + 3 * DAY) == []


def test_a_rule_that_is_widened_is_told_of_what_is_bad_already() -> None:
    """Once, since when it is; what it knew it knows, and tells no sooner."""
    few = Rule("phone", gather=0, tasks=("x",), repeat=None)
    told = Told(few).hear(health("behind", BASE), health("behind", BASE, "x"))
    assert [item.of for item in items(told.at(BASE + HOUR))] == ["task:x"]
    told.rules = (Rule("phone", gather=0, repeat=None),)
    told.state = rules.fit(told.state, told.rules, BASE + HOUR)
    (item,) = items(told.at(BASE + HOUR))
    assert (item.of, item.began) == (f"task:{NODE}", BASE)
    assert told.at(BASE + DAY) == []


def test_a_first_look_finds_what_stands_since_when_it_does() -> None:
    """What had ended before is not told; what ends in a gap is."""
    told = Told(Rule("phone", gather=0))
    task = {"id": NODE, "service": "kaspa-node", "status": "complete", "health": "behind",
            "healthSince": iso(BASE), "completedAt": iso(BASE - DAY), "watch": "on"}  # fmt: skip
    old = {"id": "old", "service": "old", "status": "error", "erroredAt": iso(BASE - DAY)}
    attention = {"service": "kasia", "code": "down", "note": "It is.", "since": iso(BASE)}
    warning = {"id": 1, "at": iso(BASE), "code": "backup-old", "note": "It is.", "cure": None}
    snapshot = Snapshot([task, old], [warning], [attention])
    told.state = rules.see(told.state, told.rules, snapshot, BASE + HOUR)
    (message,) = told.at(BASE + HOUR)
    assert {(item.of, item.began) for item in message.items} == {
        (f"task:{NODE}", BASE), ("service:kasia", BASE), ("warning:1", BASE),
    }  # fmt: skip
    failed = {**old, "erroredAt": iso(BASE + 2 * HOUR), "error": "No."}
    well = {**task, "health": "ok", "healthSince": iso(BASE + 2 * HOUR)}
    told.state = rules.see(told.state, told.rules, Snapshot([well, failed]), BASE + 3 * HOUR)
    found = items(told.at(BASE + 4 * HOUR))
    assert sorted((item.kind, item.of) for item in found) == [
        (Kind.ERROR, "task:old"),
        (Kind.RECOVERED, "service:kasia"),
        (Kind.RECOVERED, f"task:{NODE}"),
    ]


def again(at: int, **more: Any) -> dict[str, Any]:
    """A task that syncs again by itself since `at`."""
    known = {"id": NODE, "service": "kaspa-node", "status": "in-progress", "health": "ok"}
    times = {"healthSince": iso(at), "startedAt": iso(at)}
    return {**known, **times, "because": "db-reset", **more}


def test_a_relapse_that_began_unheard_of_is_one() -> None:
    """A first look or one after a gap finds it; it lasts until it is complete."""
    seen = rules.see(rules.first("5eed"), PHONE, Snapshot([again(BASE)]), BASE + HOUR)
    seen = rules.answers(seen, PHONE, BASE + HOUR)
    (message,) = rules.tick(seen, PHONE, BASE + HOUR, UTC)[1]
    assert [(i.code, i.began, i.params["because"]) for i in message.items] == [
        ("relapse", BASE, "db-reset")
    ]
    told = Told(Rule("phone", gather=0)).hear(health("behind", BASE))
    assert len(told.at(BASE + 10 * MINUTE)) == 1
    look = Snapshot([again(BASE + HOUR)])
    told.state = rules.see(told.state, told.rules, look, BASE + 2 * HOUR)
    (item,) = items(told.at(BASE + 2 * HOUR))
    assert (item.code, item.began, item.again) == ("relapse", BASE, True)
    told.state = rules.see(told.state, told.rules, look, BASE + 2 * HOUR)
    assert told.at(BASE + 3 * HOUR) == []
    done = again(BASE + 4 * HOUR, status="complete", completedAt=iso(BASE + 4 * HOUR))
    told.state = rules.see(told.state, told.rules, Snapshot([done]), BASE + 5 * HOUR)
    ends = items(told.at(BASE + 6 * HOUR))
    assert [(i.kind, i.code) for i in ends] == [
        (Kind.RECOVERED, "relapse"), (Kind.COMPLETE, "complete-again"),
    ]  # fmt: skip


def test_no_clock_that_is_set_makes_a_trouble_longer() -> None:
    """Neither of the daemon's events, nor over a restart of ours."""
    told = Told().hear(event("sync:progress", BASE, status="complete"))
    told.hear(health("behind", BASE - 3 * DAY), now=BASE)  # set back by three days
    assert told.at(BASE + MINUTE) == []
    told.hear(health("ok", BASE + 7 * DAY), now=BASE + MINUTE)  # and forward by ten
    assert told.at(BASE + HOUR) == []
    told.hear(event("sync:progress", BASE + 7 * DAY + HOUR, status="complete"), now=BASE + HOUR)
    told.hear(health("behind", BASE + 7 * DAY + HOUR), now=BASE + HOUR)
    now = BASE + 7 * DAY + HOUR + MINUTE
    assert told.killed().found(now).at(now) == []
    assert told.at(now + 4 * MINUTE - 1) == []
    assert len(told.at(now + 5 * MINUTE)) == 1


def test_a_clock_of_ours_that_goes_back_over_a_restart_delays_nothing_for_long() -> None:
    """What is left of `after` is waited for, by our own time."""
    told = Told().hear(health("behind", BASE))
    told.at(BASE + 2 * MINUTE)
    back = BASE - DAY
    assert told.killed().found(back + MINUTE).at(back + MINUTE) == []
    assert len(told.at(back + 6 * MINUTE)) == 1


def test_a_thousand_that_fail_at_once_are_one_short_message() -> None:
    """And what is left of it on disk is nothing."""
    told = Told()
    failed = [event("sync:error", BASE, f"node-sync-{k}", error="No." * 80) for k in range(1000)]
    told.state = rules.hear_all(told.state, told.rules, failed, BASE)
    (message,) = told.at(BASE + HOUR)
    assert message.title == "1,000 tasks failed"
    assert len(message.text) < 1000
    assert message.text.endswith("more")
    assert (len(message.items), message.more) == (ITEMS, 1000 - ITEMS)
    assert told.state.desks["phone"].items == ()


def test_a_life_begins_deaf() -> None:
    """What was bad is not told before all that happened meanwhile is heard."""
    told = Told().hear(health("behind", BASE)).killed()
    assert told.at(BASE + MINUTE) == []
    assert [item.of for item in items(told.at(BASE + HOUR))] == ["daemon"]


def test_of_what_nobody_saw_nothing_is_counted() -> None:
    """History is lost, and it is bad again: what lies between was not all bad."""
    told = Told().hear(health("behind", BASE))
    told.tick(BASE + MINUTE)
    now = BASE + 5 * HOUR
    told.killed()
    told.state = rules.silent(told.state, told.rules, now, now)
    task = {"id": NODE, "service": "kaspa-node", "status": "complete", "health": "behind",
            "healthSince": iso(now - MINUTE), "watch": "on"}  # fmt: skip
    told.state = rules.see(told.state, told.rules, Snapshot([task]), now)
    told.found(now)
    assert told.at(now + 3 * MINUTE - 1) == []
    (item,) = items(told.at(now + HOUR))
    assert (item.began, item.count) == (BASE, 1)


def test_what_is_too_much_is_dropped_and_said() -> None:
    """The state has bounds; what is beyond is counted, and the count is told."""
    told = Told(Rule("phone", gather=0))
    bad = [health("behind", BASE, f"node-sync-{k}") for k in range(KEPT + 7)]
    told.state = rules.hear_all(told.state, told.rules, bad, BASE)
    assert len(told.state.desks["phone"].troubles) == len(told.state.present) == KEPT
    (first, *_) = told.at(BASE + HOUR)
    dropped = next(item for item in first.items if item.of == "notify")
    assert dropped.params["n"] == 7
    gone = [event("task:removed", BASE, f"node-sync-{k}") for k in range(KEPT + 7)]
    told.state = rules.hear_all(told.state, told.rules, gone, BASE + HOUR)
    assert told.state.desks["phone"].troubles == {}
    assert told.state.present == {}


def test_the_cost_of_many_is_in_proportion() -> None:
    """Four times as many tasks are four times as much work, and not sixteen times."""

    def work(count: int) -> int:
        told = Told()
        bad = [health("behind", BASE, f"node-sync-{k}") for k in range(count)]
        called = 0

        def note(*_: object) -> None:
            nonlocal called
            called += 1

        sys.setprofile(note)
        try:
            told.state = rules.hear_all(told.state, told.rules, bad, BASE)
            told.at(BASE + 5 * MINUTE + 30 * SECOND)
        finally:
            sys.setprofile(None)
        return called

    assert work(2000) < 5 * work(500)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"event": 3, "data": {}},
        {"event": "sync:health"},
        {"event": "sync:health", "data": []},
        {"event": "sync:health", "data": {"timestamp": "yesterday", "taskId": "x"}},
        {"event": "sync:health", "data": {"timestamp": iso(BASE), "health": "behind"}},
        {"event": "later:thing", "data": {"timestamp": iso(BASE), "taskId": "x"}},
        {"event": "switch:error", "data": {"timestamp": iso(BASE), "service": None, "switch": 3}},
        {"event": "warning", "data": {"timestamp": iso(BASE), "id": "x", "params": []}},
    ],
)
def test_what_is_no_event_changes_nothing(given: dict[str, object]) -> None:
    """A later daemon says what it wants."""
    told = Told(AT_ONCE)
    told.state = rules.hear(told.state, told.rules, given, BASE)
    assert told.at(BASE + HOUR) == []


def test_a_health_of_a_later_version_is_told() -> None:
    """By its name, with what the daemon says of it."""
    told = Told(AT_ONCE).hear(health("drowsy", BASE, note="It sleeps."))
    (message,) = told.at(BASE)
    assert "drowsy" in message.title
    assert "It sleeps." in message.text


def test_what_is_kept_is_what_was() -> None:
    """A state survives as JSON; what is none is refused."""
    told = Told(Rule("phone"), Rule("night", quiet=QUIET), zone="Europe/Vienna")
    told.hear(health("behind", EVENING), event("sync:error", EVENING, "b", error="No."))
    told.hear(event("sync:start", EVENING, "c", attempt=2, because="db-reset"))
    told.state = rules.silent(told.state, told.rules, EVENING, EVENING)
    told.at(EVENING + HOUR)
    before = told.state
    assert told.killed().state == before
    for bad in ({}, {"series": "x", "present": [], "desks": {}}, {"series": 1, "later": 2}):
        with pytest.raises(ValueError, match="not a state"):
            rules.decode(bad)


def test_items_are_plain() -> None:
    """What is kept of an event is text and numbers, and not much of it."""
    told = Told(AT_ONCE).hear(event("sync:error", BASE, error="x" * 5000, reason=["no"]))
    (item,) = items(told.at(BASE))
    assert isinstance(item, Item)
    assert all(len(str(value)) <= 300 for value in item.params.values())
