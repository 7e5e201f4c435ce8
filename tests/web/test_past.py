"""The strip of what is kept watch on, and its incidents: what a reader sees of ninety days."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaspad_taskd.web.files import HERE
from kaspad_taskd.web.page import Page
from kaspad_taskd.web.past import DASH, INCIDENTS, NOTCH, SIZE, STACK, heights, past, read, strip
from kaspad_taskd.words import record as words
from kaspad_taskd.words.table import table
from tests.fakes.golden import NOW
from tests.web.snapshots import snapshot

DAY = 86_400
NODE = "node-sync-kaspa-node"
NONE = dict.fromkeys(STACK, 0)


def iso(seconds: float) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)).strftime(
        "%Y-%m-%dT%H:%M:%S.000Z"
    )


def record(parts: list[dict[str, int]], days: int = 90, **more: Any) -> dict[str, Any]:
    """An answer of getRecord, a part a day, up to now."""
    begin = NOW - DAY * len(parts)
    series: list[dict[str, Any]] = [
        {
            "from": iso(begin + DAY * place),
            "to": iso(begin + DAY * (place + 1)),
            "seconds": {**NONE, **one},
        }
        for place, one in enumerate(parts)
    ]
    seconds = {state: sum(one["seconds"][state] for one in series) for state in STACK}
    return {
        "taskId": NODE, "service": "kaspa-node", "days": days, "since": iso(begin), "until": None,
        "from": iso(begin), "to": iso(NOW), "seconds": seconds, "series": series,
        "incidents": {"count": 0, "longest": 0}, **more,
    }  # fmt: skip


def incident(number: int, **more: Any) -> dict[str, Any]:
    """An incident of 14 minutes, as many hours before now."""
    began = NOW - 3600 * number
    return {
        "id": 100 - number, "taskId": NODE, "service": "kaspa-node", "began": iso(began),
        "ended": iso(began + 840), "health": "behind", "reason": "no-peers",
        "note": "It has no peers.", "worstBehind": 835.0, "ending": "ok", **more,
    }  # fmt: skip


@given(st.fixed_dictionaries(dict.fromkeys(STACK, st.integers(0, DAY))))
@example(dict(zip(STACK, (5663, 4041, 5678, 1, 1), strict=True)))  # three alike, and two notches
def test_a_column_is_full_and_each_trouble_is_seen(seconds: dict[str, int]) -> None:
    """Whatever was, its heights are together the column, and no trouble is lost."""
    found = heights(seconds)
    total = sum(seconds.values())
    assert sum(found.values()) == (SIZE[1] if total else 0)
    assert all(tall >= 0 for tall in found.values())
    for state in STACK[2:]:
        assert not seconds[state] or found[state] >= NOTCH
    if not seconds["ok"]:
        assert "ok" not in found


def test_three_minutes_of_trouble_are_a_notch_and_no_bad_day() -> None:
    """The day is as green as it was, and the trouble stands at its head."""
    assert heights({**NONE, "ok": DAY - 180, "unreachable": 180}) == {
        "ok": SIZE[1] - NOTCH, "unreachable": NOTCH,
    }  # fmt: skip


def test_what_nobody_saw_is_never_drawn_as_in_sync() -> None:
    """A day of it has no other colour; two hours of it are beside what was seen."""
    assert heights({**NONE, "unknown": DAY}) == {"unknown": SIZE[1]}
    assert heights({**NONE, "unknown": 20}) == {"unknown": SIZE[1]}
    assert heights({**NONE, "ok": DAY - 120, "unknown": 120})["unknown"] == DASH
    assert heights({**NONE, "unknown": DAY - 1, "ok": 1})["unknown"] == SIZE[1]


def test_columns_stand_at_the_right_edge_and_before_the_record_is_nothing() -> None:
    """Three days of ninety are three columns at the end; one day has 24."""
    paths = strip(record([{"ok": DAY}] * 3))
    assert set(paths) == {"ok"}
    lefts = [float(each) for each in re.findall(r"M([\d.]+)", paths["ok"])]
    assert lefts == [696.0, 704.0, 712.0]
    assert strip(record([{"ok": DAY}] * 24, days=1))["ok"].startswith("M0.00 ")
    shapes = strip(record([{state: DAY} for state in STACK], days=7))
    widths = {state: re.findall(r"h([\d.]+)", path)[0] for state, path in shapes.items()}
    assert len({widths["ok"], widths["unknown"], widths["stalled"]}) == 3


def test_what_is_read_of_a_column_is_what_was() -> None:
    """The share is of what was seen, and is 100 % only where all of it was in sync."""
    days = [
        {"ok": DAY - 180, "behind": 180},
        {"ok": DAY - 7200, "unknown": 7200},
        {"unknown": DAY},
        {"ok": DAY - 1, "unreachable": 1},
    ]
    told = [each[2].replace("\u00a0", " ") for each in read(record(days))]
    assert told == [
        "in sync 99.7 %, behind 3 min",
        "in sync 100 %, not known 2 hours",
        "nobody looked",
        "in sync 99.9 %, not reachable 1 s",
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "Behind for 14 min, at most 14 minutes behind: It has no peers."),
        (
            {"ended": None, "ending": None},
            "Behind for 1 hour now, at most 14 minutes behind: It has",
        ),
        ({"ending": "not-watched", "note": None}, "then nobody looked any more."),
    ],
)
def test_an_incident_is_told_with_its_times(more: dict[str, Any], said: str) -> None:
    """From when to when, the worst of it, why, how it ended; the one that lasts has no end."""
    shown = past(record([{"ok": DAY}]), [incident(1, **more)], {}, NOW)
    (one,) = shown["incidents"]
    assert said in one["text"]
    assert (one["to"] is None) == ("ended" in more)


def test_a_page_has_twenty_incidents_and_leads_to_those_before() -> None:
    """With the same days and the chart's range; no link where there are no earlier ones."""
    many = [incident(number) for number in range(1, INCIDENTS + 2)]
    query = {"range": "6h", "until": iso(NOW)}
    shown = past(record([{"ok": DAY}], days=30), many, query, NOW)
    assert len(shown["incidents"]) == INCIDENTS
    assert shown["earlier"].startswith("?days=30&range=6h&until=2026-11-")
    assert [(days, here) for days, _, here in shown["days"] if here] == [(30, True)]
    assert past(record([{"ok": DAY}]), many[:INCIDENTS], {}, NOW)["earlier"] is None


def page(**more: Any) -> str:
    known = snapshot(**more)
    for task in known["tasks"]:
        if task["id"] == NODE:
            task.update(status="complete", watch="on", health="ok", watched=True)
    text = Page().task(known, NODE, {})
    assert text is not None
    return text


def test_the_page_of_a_task_has_its_record_without_scripts() -> None:
    """A sentence, the strip with a label, the incidents; of a task without a record, nothing."""
    seen = record([{"ok": DAY - 180, "behind": 180}, {"unknown": DAY}])
    text = page(record=seen, incidents=[incident(3)])
    assert 'class="columns"' in text
    assert 'aria-label="How it was, a bar a day"' in text
    assert "not known 24 hours" in text or "not known 1 day" in text
    assert "at most 14 minutes behind" in text
    assert 'class="columns"' not in page()


def test_a_watch_without_a_good_look_says_that_there_is_no_record_yet() -> None:
    """Rather than a strip of nothing."""
    none = {**record([]), "since": None, "from": None, "to": None}
    text = page(record=none, incidents=[])
    assert "Nothing is on record yet" in text
    assert 'class="columns"' not in text


def test_words_of_others_are_text() -> None:
    """A note with markup is shown, not obeyed."""
    text = page(record=record([{"ok": DAY}]), incidents=[incident(1, note="<b>x</b>")])
    assert "<b>x</b>" not in text


NODE_PROGRAM = """
import { readFileSync } from "node:fs";
const { columns, line, part } = await import("./embed/src/past.js");
const given = JSON.parse(readFileSync("given.json", "utf8"));
console.log(JSON.stringify(given.map((each) => ({
  columns: columns(each), line: line(each), parts: each.series.map((one) => part(one.seconds)),
}))));
"""


def some_records() -> list[dict[str, Any]]:
    """Of each length, with whatever may have been in a day."""
    chance, made = random.Random(90), []
    for days, known in ((90, 90), (90, 3), (30, 30), (7, 6), (1, 24), (1, 1), (90, 40)):
        parts = []
        for _ in range(known):
            cuts = sorted(chance.choice([0, 30, 180, 7_000, DAY]) for _ in range(4))
            spent = [end - begin for begin, end in zip([0, *cuts], [*cuts, DAY], strict=True)]
            chance.shuffle(spent)
            parts.append(dict(zip(STACK, spent, strict=True)))
        found = {"count": chance.randrange(3), "longest": chance.randrange(9_000)}
        made.append(record(parts, days=days, incidents=found))
    return [*made, record([{"unknown": DAY}] * 2), record([{"ok": DAY}])]


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the components' scripts")
def test_python_and_javascript_draw_and_say_the_same(tmp_path: Path) -> None:
    """The page that the server makes and what wizards embed cannot drift apart."""
    for path in ("static/words.js", "embed/src/past.js"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((HERE / path).read_bytes())
    (tmp_path / "static/en.js").write_text(f"export default {json.dumps(table())};")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "run.js").write_text(NODE_PROGRAM)
    given_ = some_records()
    (tmp_path / "given.json").write_text(json.dumps(given_))
    ran = subprocess.run(
        ["node", "run.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    for mine, told in zip(given_, json.loads(ran.stdout), strict=True):
        assert dict(told["columns"]) == strip(mine)
        assert told["line"] == words.line(mine)
        assert told["parts"] == [words.part(one["seconds"]) for one in mine["series"]]
