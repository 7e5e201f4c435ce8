"""Explanations as the daemon tells them: tasks that a few looks brought into a state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kaspad_taskd.api.explained import explanation_shape
from kaspad_taskd.api.wire import Shapes
from kaspad_taskd.core.explain import explain
from kaspad_taskd.core.inputs import Input, Look, Start
from kaspad_taskd.core.model import Definition, Status, Task
from kaspad_taskd.core.observation import (
    Condition,
    Done,
    Leg,
    PlannedPhase,
    Reading,
    Route,
    Unreachable,
)
from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.core.transition import step
from tests.fakes.golden import NOW

NODE = Definition(
    "node-sync-kaspa-node", "node-sync", "kaspa-node", endpoint="grpc://127.0.0.1:16110",
    give_up_after=7200.0,
)  # fmt: skip
JOB = Definition("report-import", "report", "import")
SINK = 130_000_412
AT_BLOCKS = Reading(
    phase="blocks",
    plan=tuple(
        PlannedPhase(key, weight)
        for key, weight in (
            ("connecting", 1), ("proof", 4), ("headers", 20), ("smt", 5), ("utxo", 25),
            ("blocks", 75), ("confirming", 1),
        )
    ),
    pass_number=2,
    position=float(SINK),
    start=SINK - 533_400.0,
    target=SINK + 648_000.0,
    drift=10.0,
    unit="blocks",
    basis="estimated",
    done=Done("blocks", float(SINK)),
    route=Route((Leg("blocks", 640_000.0),), 8_000.0, ("headers", "blocks"),
                {"headers": 2_000.0, "blocks": 145.0}, 2.0),
    conditions=(
        Condition("synced", True),
        Condition("no-download", False, 1, 0),
        Condition("peers", True, 8, 1),
        Condition("state-there", True),
        Condition("clock", True),
        Condition("young-block", False, 64_800.0, 60.0),
        Condition("headers-near", False, 640_000, 600),
        Condition("follows", False, None, 6.0),
    ),
)  # fmt: skip
WARMING_UP = Reading(position=42.0, target=100.0, unit="rows", basis="exact",
                     conditions=(Condition("good-answer", True),
                                 Condition("all-done", False, 42, 100)))  # fmt: skip


def _played(definition: Definition, given: Mapping[float, Input]) -> Task:
    """The task after these inputs, each so many seconds before NOW."""
    task = Task(definition, round(NOW * 1000) - 7_200_000)
    for before, each in given.items():
        task, _ = step(task, definition, each, round((NOW - before) * 1000))
    return task


def _said(task: Task) -> dict[str, Any]:
    now = round(NOW * 1000)
    due = 7.0 if task.status is Status.IN_PROGRESS else None
    shapes = Shapes(lambda _id: due, lambda _id: None, lambda: now)
    return explanation_shape(explain(task, task.definition, now), shapes.task(task))


def explanations() -> dict[str, dict[str, Any]]:
    """By name: what `explainTask` answers."""
    rows = Definition("http-json-rows", "http-json", "rows")
    proof = Condition("synced", True), Condition("follows", True, 9.5, 6.0)
    done = Reading(complete=True, phase="confirming", plan=AT_BLOCKS.plan, conditions=proof)
    gone = Look(1, Unreachable(Reason.REFUSED))
    still = Reading(phase="utxo", plan=AT_BLOCKS.plan, at_work=False, unit="entries",
                    eta_reason=EtaReason.NO_TOTAL, conditions=AT_BLOCKS.conditions[:2])  # fmt: skip
    begun: dict[float, Input] = {3600.0: Start()}
    return {
        "blocks": _said(_played(NODE, {**begun, 3.0: Look(1, AT_BLOCKS)})),
        "gone": _said(_played(NODE, {**begun, 300.0: Look(1, AT_BLOCKS), 60.0: gone, 4.0: gone})),
        "stalled": _said(_played(NODE, {**begun, 3000.0: Look(1, still), 4.0: Look(1, still)})),
        "complete": _said(_played(NODE, {**begun, 14.0: Look(1, done), 4.0: Look(1, done)})),
        "rows": _said(
            _played(rows, {**begun, 14.0: Look(1, WARMING_UP), 4.0: Look(1, WARMING_UP)})
        ),
        "unread": _said(_played(NODE, begun)),
        "pending": _said(_played(JOB, {})),
    }
