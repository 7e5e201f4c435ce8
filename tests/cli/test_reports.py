"""What the terminal tells of a program that reports: its reports, and no checks."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kaspad_taskd.cli import checkup_tasks, detail, listing, live
from kaspad_taskd.words import task as words
from kaspad_taskd.words.event import sentence
from tests.cli.test_looks import written
from tests.fakes.golden import NOW
from tests.web.states import STATES

OF_CHECKS = re.compile(r"\b(check|looked|answer)", re.IGNORECASE)
NAMES = ("report-none-yet", "report-running", "report-silent", "report-still")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_told_of_reports_speaks_of_checks(name: str) -> None:
    """Neither the list, nor its page, nor `watch`, nor `doctor`."""
    task = STATES[name]
    found = [each.text + (each.cure or "") for each in checkup_tasks.tasks([task], NOW)]
    said = [
        written(listing._narrow([task], 80, NOW)[1:]),
        written(listing.troubles([task], 80, NOW, None)),
        written(detail.page(task, 80, NOW)),
        written(live.body([task], 80, 20, NOW)),
        *found,
    ]
    assert not OF_CHECKS.search("\n".join(said)), said


def test_who_does_not_report_is_told_with_the_time() -> None:
    """Since the last report, in the first sentence of every place."""
    silent = STATES["report-silent"]
    assert words.headline(silent, NOW) == "headers-import: no report for 5 minutes"
    assert words.state(silent) == "no report"
    assert live.remark(silent, NOW) == "no report for 5 minutes"
    assert words.headline(STATES["report-none-yet"], NOW) == (
        "headers-import: no report has come yet"
    )
    assert "  Reported   5 min ago\n" in written(detail.page(STATES["report-running"], 80, NOW))
    still = words.headline(STATES["report-still"], NOW)
    assert still == "headers-import has reported no movement for 5 min"


def test_the_facts_of_a_report_are_shown() -> None:
    """In the order in which they came, whatever state it is in; a node's metadata is its own."""
    shown = written(detail.page(STATES["report-facts"], 100, NOW))
    assert "  Says       rows: 12, file: utxo.bin, ok: true, share: 0.5, whole: 3" in shown
    assert "Says" in written(detail.page(STATES["command-facts"], 80, NOW))
    assert "Says" not in written(detail.page(STATES["syncing"], 80, NOW))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"health": "ok"}, "reports again"),
        ({"health": "stalled", "reason": "silent-report"},
         "no report: its program has stopped reporting"),
        ({"health": "stalled", "reason": "no-movement"},
         "no movement: it reports, but nothing moves"),
        ({"health": "unknown"}, "no report yet"),
    ],
)  # fmt: skip
def test_events_of_reports(data: dict[str, Any], told: str) -> None:
    """What is looked at is told as before."""
    assert sentence("sync:health", {"type": "report", **data}) == told
    assert sentence("sync:health", {"type": "node-sync", "health": "ok"}) == "answers again"
