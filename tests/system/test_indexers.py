"""A chain of indexers followed through the real daemon, killed in the middle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.indexers import Kasia, ScoredNode, SimplyKaspa
from tests.fakes.taskd_process import Line, Taskd, until

pytestmark = pytest.mark.system


async def _status(line: Line, task_id: str) -> Any:
    return await line.call("getTask", taskId=task_id)


async def test_indexers_from_absent_to_complete(tmp_path: Path) -> None:
    """Registered by the API; a kill in the middle costs neither the place nor the start."""
    ski = SimplyKaspa()
    await ski.reserve()
    async with Taskd(tmp_path) as taskd, ScoredNode() as node:
        kasia = Kasia(node)
        await kasia.reserve()
        line = await taskd.start()
        pace = {"checkInterval": 250, "timeout": "3s"}
        first = await line.call(
            "registerIndexerSyncTask", service="simply-kaspa-indexer", indexerUrl=ski.url, **pace
        )
        assert first["task"]["config"]["flavor"] == "simply-kaspa"
        one = first["taskId"]

        async def refused() -> Any:
            task = await _status(line, one)
            return task if task["health"] == "unreachable" else None

        task = await until(refused)
        assert (task["reason"], task["hints"][0]["code"]) == ("refused", "indexer-starting")
        await ski.enter("catching-up")

        async def moving() -> Any:
            task = await _status(line, one)
            return task if task["health"] == "ok" and task["metadata"].get("position") else None

        begun = await until(moving)
        assert begun["progress"] == 0
        await taskd.kill()
        ski.behind //= 2
        line = await taskd.start()

        async def further() -> Any:
            task = await _status(line, one)
            return task if task["progress"] > 0 else None

        halfway = await until(further)
        assert (halfway["status"], halfway["progress"]) == ("in-progress", 50)
        second = await line.call(
            "registerIndexerSyncTask",
            service="kasia-indexer",
            indexerUrl=kasia.url,
            node=node.url,
            after=[first["taskId"]],
            **pace,
        )
        two = second["taskId"]
        assert second["task"]["waitingFor"] == [one]
        await ski.enter("synced")
        await kasia.enter("synced")

        async def both() -> bool:
            states = [(await _status(line, each))["status"] for each in (one, two)]
            return states == ["complete", "complete"]

        await until(both, 20)
        assert (await _status(line, two))["metadata"]["history"] == "unknown"
        await taskd.end()
        await kasia.stop()
    await ski.stop()
