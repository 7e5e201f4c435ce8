"""A task reads the same in Python, in the terminal's words, and in what wizards embed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.api.schemas import COMPONENTS
from kaspad_taskd.web.embed.src import bundle
from kaspad_taskd.web.view import view
from tests.fakes import npm
from tests.fakes.golden import NOW, golden_tasks

HERE = Path(__file__).parent
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "x" * 300,
    "\u202eevil\u202c \u200bzero\u200dwidth\ufeff",
    "line\nend\ttab\x1b[31m",
    "a" + "\u0301" * 40,
    "{name} {eta:left}",
    "\U0001f469\u200d\U0001f52c and \ud7ff",
)
ETAS = (None, 0, 1, 59, 60, 3599, 3600, 86399, 86400, 190_000)
NUMBERS = (0, 0.05, 0.99999999, 9.5, 9.99, 45.1, 71.4, 99.96, 99.9999999, 100, 533_400.7, 1e12)
PAIRS = ((99.98, 100), (0.9999997, 1), (100.2, 100.5), (0.93, 0.99), (9.96, 10), (1000.5, 1001))
LATE = (0.04, 59.2, 60, 61, 3599, 3600, 86_399, 86_401, 190_000)


def cases() -> list[dict[str, Any]]:
    """The golden tasks, and what they become with odd times, numbers and texts."""
    tasks = golden_tasks()
    return [*tasks, *_odd(next(task for task in tasks if task["service"] == "kaspa-node"))]


def _odd(task: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for eta in ETAS:
        yield {**task, "estimatedTimeRemaining": eta, "etaReason": "warming-up"}
    for value in NUMBERS:
        detail = {**task["progressDetail"], "done": value}
        share = min(value, 99.9)
        yield {**task, "progressDetail": detail, "syncRate": value, "progress": share}
        yield {**task, "progressBasis": "exact", "behind": value, "progress": share}
    for done, total in PAIRS:
        yield {**task, "progressDetail": {**task["progressDetail"], "done": done, "total": total}}
    for behind in LATE:
        yield {**task, "behind": behind}
    for text in HOSTILE:
        yield {**task, "service": text, "rateUnit": text, "phase": text}
        yield {**task, "status": "error", "error": text}
        yield {**task, "type": text, "etaReason": text, "estimatedTimeRemaining": None}
        yield {**task, "health": "stalled", "reason": text, "note": text, "hints": [{"code": text}]}
    fields: Any = COMPONENTS["Task"]["properties"]
    for key, schema in fields.items():
        if "null" in schema.get("type", ()):
            yield {**task, key: None}


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    """What the embedded script says of each case."""
    given = json.dumps({"script": bundle.SCRIPT.as_uri(), "now": NOW, "tasks": cases()})
    command = [npm.node(), str(HERE / "say.mjs")]
    outcome = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=150, check=False,
        env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    found: list[dict[str, Any]] = json.loads(outcome.stdout)
    return found


def test_the_same_in_both_languages(told: list[dict[str, Any]]) -> None:
    """Each text of each case, letter by letter; browsers leave out that the time is UTC."""
    wanted = json.loads(json.dumps([view(task, NOW) for task in cases()]).replace(" UTC", ""))
    for task, one, other in zip(cases(), wanted, told, strict=True):
        assert other == one, task


def test_every_condition_is_there() -> None:
    """The golden tasks show each state that a card can have."""
    tones = {view(task, NOW)["icon"] for task in golden_tasks()}
    assert len(tones) == 9
