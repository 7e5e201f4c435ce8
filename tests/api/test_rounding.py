"""From a look to what is read: no number is shown as reached that is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.api.wire import Shapes, progress_shape
from kaspad_taskd.cli.detail import page
from kaspad_taskd.core import inputs
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.probes.general.http_json import understand
from kaspad_taskd.probes.migrations.judge import _percent
from kaspad_taskd.probes.said import judge
from kaspad_taskd.web.view import view
from tests.core.play import Story, pending


def shown(seen: Any, kind: str = "http-json") -> tuple[dict[str, Any], dict[str, Any], str]:
    """What both doors, and page and terminal, make of one look."""
    story = Story(pending(type=kind)).play("start")
    story.give(inputs.Look(1, seen))
    task = Shapes(lambda _: None, lambda _: None, lambda: story.now).task(story.task)
    lines = "\n".join("".join(text for text, _ in line) for line in page(task, 80, 0.0))
    told = f"{lines}\n{' '.join(view(task, 0.0)['facts'])}"
    return task, progress_shape(story.task, 1, story.now)["data"], told


@pytest.mark.parametrize(
    ("places", "answer", "detail", "position"),
    [
        ({"progress": "progress"}, {"progress": 99.98}, (99.9, 100), "99 of 100"),
        (
            {"done": "verificationprogress", "total": "`1`", "completed": "!initialblockdownload"},
            {"verificationprogress": 0.9999997, "initialblockdownload": True},
            (0.9, 1),
            "0.9 of 1",
        ),
        ({"done": "d", "total": "t"}, {"d": 100.2, "t": 100.5}, (100.2, 100.5), "100 of 101"),
    ],
)
def test_almost_is_not_all(places: Any, answer: Any, detail: Any, position: str) -> None:
    """99.98 % are 99.9 everywhere, and of 1 the part that is missing stays missing."""
    task, _, told = shown(judge(understand(places, answer), True, None))
    assert (task["progressDetail"]["done"], task["progressDetail"]["total"]) == detail
    assert task["progress"] <= 99.9
    assert told.count(position) == 2


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e6))
def test_less_is_told_as_less(one: float, other: float, behind: float) -> None:
    """On the wire: done below total, blocks that remain, and never less behind than it is."""
    done, total = sorted((one, other))
    seen = Reading(position=done, target=total, basis="exact", behind=behind)
    task, event, _ = shown(seen, "indexer-sync")
    assert task["behind"] >= behind
    if done < total:
        assert task["progressDetail"]["done"] < task["progressDetail"]["total"]
        assert event["currentBlock"] < event["targetBlock"]
        assert event["blocksRemaining"] > 0
        assert _percent(done, total) < 100
