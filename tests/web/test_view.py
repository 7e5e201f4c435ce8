"""What a card says of each state, in Python and in JavaScript."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.web.files import files
from kaspad_taskd.web.overview import overview
from kaspad_taskd.web.view import bar, view
from tests.fakes.golden import NOW, golden_tasks
from tests.web.states import HOSTILE, STATES

GOLDEN = Path(__file__).parent / "golden" / "views.json"

NODE_PROGRAM = """
import { readFileSync } from "node:fs";
const { view, overview } = await import("./static/view.js");
const { form } = await import("./static/words.js");
form.utc = true;
const { states, lists, now } = JSON.parse(readFileSync("given.json", "utf8"));
const views = states.map((task) => view(task, now));
const pages = lists.map(
  ([tasks, problem, services]) => overview(tasks, now, "node-1", problem, services),
);
console.log(JSON.stringify({ views, pages }));
"""

DOWN = {"service": "kasia-indexer", "note": "kasia-indexer.service does not run: it is masked."}
LOST = {"service": "<b>k\n", "note": "k runs on the local node, which does not answer"}
LISTS: list[tuple[list[dict[str, Any]], str | None, list[dict[str, Any]]]] = [
    ([], None, []),
    (golden_tasks(), None, []),
    (golden_tasks(), "the disk is full", []),
    *(([task], None, []) for task in STATES.values()),
    ([STATES["complete"], STATES["done-report"], STATES["cancelled"]], None, []),
    ([STATES["unreachable-refused"], STATES["stalled-no-peers"]], None, []),
    ([STATES["done-report"], STATES["kept-ok"], STATES["kept-behind"]], None, []),
    ([STATES["kept-lapsed"], STATES["kept-ok"], STATES["done-report"]], None, []),
    ([STATES["done-report"], STATES["kept-http"], STATES["kept-ok"]], None, []),
    ([], None, [DOWN]),
    ([STATES["complete"]], None, [LOST, DOWN]),
    ([STATES["unreachable-refused"], STATES["stalled-no-peers"]], None, [DOWN, LOST]),
    ([STATES["complete"], {**STATES["disk-runway"], "id": "other", "type": "http-json"}], None, []),
    ([golden_tasks()[0], {**STATES["disk-full"], "id": "other", "service": "other"}], None, []),
]


def test_the_text_of_each_state_is_as_it_was_judged() -> None:
    """Each state of the page has its words; GOLDEN=write renews them for a new judgement."""
    shown = {name: view(task, NOW) for name, task in STATES.items()}
    text = json.dumps(shown, indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert json.loads(text) == json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the page's scripts")
def test_python_and_javascript_say_the_same(tmp_path: Path) -> None:
    """The page that the server makes and the one that scripts keep alive cannot drift apart."""
    for path, (data, _) in files().items():
        if path in ("static/view.js", "static/words.js", "static/en.js"):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_bytes(data)
    given_ = {"states": list(STATES.values()), "lists": LISTS, "now": NOW}
    (tmp_path / "given.json").write_text(json.dumps(given_))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "run.js").write_text(NODE_PROGRAM)
    ran = subprocess.run(
        ["node", "run.js"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    mine = json.loads(json.dumps([view(task, NOW) for task in STATES.values()]))
    assert dict(zip(STATES, told["views"], strict=True)) == dict(zip(STATES, mine, strict=True))
    assert told["pages"] == [
        overview(tasks, NOW, "node-1", why, wrong) for tasks, why, wrong in LISTS
    ]


def test_100_percent_is_said_of_what_is_complete_alone() -> None:
    """Neither the number nor a step says 100 before the task is complete."""
    for name, task in STATES.items():
        if task["status"] != "complete":
            assert "100" not in view(task, NOW)["percent"], name
            assert "100" not in view(task, NOW)["share"], name


def test_what_is_not_looked_at_has_the_time_of_its_number() -> None:
    """Paused or unreachable, a percentage says from when it is."""
    for name in ("paused", "unreachable-refused", "unreachable-node", "error"):
        assert " at " in view(STATES[name], NOW)["percent"], name


def test_hostile_text_is_one_visible_line() -> None:
    """No control or format character comes through, and nothing is longer than 300 characters."""
    shown = view(STATES["hostile"], NOW)
    for text in (shown["name"], shown["state"], shown["kind"], *shown["facts"]):
        assert text.isprintable()
        assert "\u202e" not in text
    assert len(shown["name"]) == 100
    assert HOSTILE not in shown["banner"]


segments = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["proof", "headers", "utxoindex", "blocks"]),
            "state": st.sampled_from(["done", "current", "next"]),
            "weight": st.floats(0, 1e6),
            "progress": st.none() | st.floats(0, 100),
        }
    ),
    max_size=20,
)


@given(segments, st.floats(0, 100))
def test_the_segments_of_a_bar_lie_side_by_side(
    phases: list[dict[str, Any]], progress: float
) -> None:
    """Whatever the phases weigh, the bar is filled from left to right and never overflows."""
    drawn = bar({"status": "in-progress", "health": "ok", "phases": phases, "progress": progress})
    end = 0.0
    for begin, width, _ in drawn:
        assert begin >= end - 0.05
        end = begin + width
    assert end <= 100.05
