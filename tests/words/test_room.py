"""A disk that runs full is trouble: on every surface that tells trouble, while the task runs."""

from __future__ import annotations

from typing import Any

import pytest

from kaspad_taskd.cli import checkup_tasks, detail, listing
from kaspad_taskd.cli.checkup import GOOD, WARNING
from kaspad_taskd.web.listing import listing as page_listing
from kaspad_taskd.web.listing import slim
from kaspad_taskd.web.overview import overview
from kaspad_taskd.words import room
from kaspad_taskd.words import task as words
from kaspad_taskd.words.sentences import fill
from kaspad_taskd.words.status_line import status_line
from tests.fakes.golden import NOW, golden_task
from tests.web.states import STATES, filling

RUNWAY = STATES["disk-runway"]
SENTENCE = "its disk is full in about 1 hour 15 min, before the sync ends"


def text(lines: list[Any]) -> str:
    return " ".join(" ".join(piece for piece, _ in line).strip() for line in lines)


def test_it_is_trouble_beside_what_the_task_does() -> None:
    """The verdict tells both, the status line the trouble, the list a sentence of it."""
    assert words.condition(RUNWAY) == "ok"
    assert words.troubled(RUNWAY)
    assert words.headline(RUNWAY, NOW).endswith(f"left, ready around 15:32; {SENTENCE}")
    assert words.attention(RUNWAY, NOW) == f"kaspa-node: {SENTENCE}"
    other = golden_task("explorer-db")
    assert status_line([other, RUNWAY]) == (
        "2 running: kaspa-node disk full in 1 hour 15 min, explorer-db 58 % (25 minutes)"
    )
    assert f"kaspa-node: {SENTENCE}." in text(listing.rows([other, RUNWAY], 200, NOW))
    shown = text(detail.page(RUNWAY, 300, NOW))
    assert "90.0 GB of 2.0 TB free on its disk, 20.0 MB more used every second" in shown
    assert "Make room where /srv/kaspa is" in shown


def test_the_page_says_it_first() -> None:
    """In the headline, in the line that asks for attention, in the title, in the filter."""
    assert overview([RUNWAY], NOW, "h")["headline"].endswith(SENTENCE)
    other = {**RUNWAY, "id": "other", "type": "http-json"}
    told = overview([golden_task("kaspa-node"), other], NOW, "h")
    assert told["troubled"] == "other"
    assert "before the work ends" in told["attention"]
    assert told["title"].startswith("! ")
    found = page_listing([golden_task("explorer-db"), RUNWAY], {"state": "attention"})
    assert found.cards == [RUNWAY]
    assert words.troubled(slim(RUNWAY))


def test_doctor_says_it_once_with_what_to_do() -> None:
    """As a warning; what is hidden is one of any type of task."""
    found = list(checkup_tasks.tasks([RUNWAY], NOW))
    assert [(one.level, SENTENCE in one.text) for one in found] == [(WARNING, True)]
    assert "Make room where /srv/kaspa is" in (found[0].cure or "")
    hidden = {**STATES["data-dir-hidden"], "type": "http-json"}
    found = list(checkup_tasks.tasks([hidden], NOW))
    assert [one.level for one in found] == [WARNING]
    assert "ProtectHome=tmpfs" in (found[0].cure or "")
    assert [one.level for one in checkup_tasks.tasks([STATES["disk-roomy"]], NOW)] == [GOOD]


@pytest.mark.parametrize("status", ["pending", "paused", "complete", "error", "cancelled"])
def test_who_does_not_run_fills_no_disk(status: str) -> None:
    """The task is over, or waits."""
    assert room.filling({**RUNWAY, "status": status}) is None
    assert room.left({**RUNWAY, "status": status}) == ""


def test_what_is_worse_is_said_first() -> None:
    """A node that does not answer is told as that; its disk stands beside."""
    gone = {**RUNWAY, "health": "unreachable", "reason": "refused"}
    assert "has not answered" in words.attention(gone, NOW)
    assert status_line([gone]) == "1 running: kaspa-node unreachable"


def test_each_shape_has_its_sentence() -> None:
    """Bytes or inodes, before the end or not."""
    assert room.brief(filling(seconds=90, free=1, rate=1, before=False)) == (
        "its disk is full in about 1 minute"
    )
    assert room.brief(filling(seconds=90, free=1, rate=0, before=True, inodes=9)) == (
        "no more files fit on its disk in about 1 minute, before the sync ends"
    )
    assert room.brief(filling("disk-full", free=5e8)) == "only 0.5 GB are free on its disk"
    for state in ("disk-runway", "disk-runway-beside", "disk-inodes", "disk-full"):
        one = STATES[state]["hints"][0]
        says, do = words.hint(one["code"], {**words.params(STATES[state]), **one["params"]})
        assert "{" not in says + str(do)
        assert do


def test_a_fact_of_that_name_is_not_ours() -> None:
    """A program may report a `diskFree` of its own."""
    assert room.left({"status": "in-progress", "metadata": {"diskFree": 5}}) == ""


def test_a_place_that_picks_a_sentence_shows_nothing() -> None:
    """`{before:yes}`: that sentence where it is so, else the next."""
    forms = ["before{before:yes}", "else"]
    assert fill(forms, {"before": True}) == "before"
    assert fill(forms, {"before": "a"}) == "before"
    assert fill(forms, {"before": False}) == "else"
    assert fill(forms, {}) == "else"
