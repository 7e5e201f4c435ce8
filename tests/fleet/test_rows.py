"""A host's line on the page of all hosts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.fleet.hub.rows import row
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.words.status_line import status_line
from tests.fakes.fleet_writer import FleetHost, a_progress, a_task

STATUS = st.sampled_from(["in-progress", "paused", "error", "complete", "pending"])
HEALTH = st.sampled_from(["ok", "stalled", "unreachable", "unknown"])
NUMBER = st.integers(0, 4)
TASK = st.builds(
    lambda number, service, **how: a_task(number, service=f"node-{service}", **how),
    NUMBER, st.integers(0, 2), status=STATUS, health=HEALTH,
)  # fmt: skip
PROGRESS = st.builds(
    lambda number, **how: a_progress(f"task-{number}", **how),
    NUMBER, status=STATUS, health=HEALTH, progress=st.integers(0, 100),
)  # fmt: skip
BATCH = st.fixed_dictionaries(
    {"tasks": st.lists(TASK, max_size=2), "progress": st.lists(PROGRESS, max_size=2)},
    optional={"gone": st.lists(NUMBER.map("task-{}".format), max_size=1)},
)


@given(st.lists(BATCH, min_size=1, max_size=8))
def test_a_line_is_what_the_tasks_are_by_then(batches: list[dict[str, Any]]) -> None:
    """Each task's part of it is kept until the task moves, or another comes under its name."""
    written, mirror = FleetHost("a"), Mirror()
    host = mirror.find("a", "x")
    assert host is not None
    mirror.begin("a", written.read())
    for batch in batches:
        mirror.take("a", written.count + 1, written.batch(**batch), 1.0)
        known = sorted(host.tasks.values(), key=lambda shown: not shown.ill)
        line = status_line([shown.task() for shown in known])
        assert row(host, 1.0, 1)["said"] == line
    assert not mirror.again
