"""A wizard's server over restarts of both sides: nothing is lost, nothing told twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.taskd_process import Taskd, until
from tests.npm.here import Wizard, wizard

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


class Server(Wizard):
    """The wizard's server (server.cjs)."""

    async def told(self, task_id: str) -> list[str]:
        """The events of a task that browsers were told, progress once in a row."""
        names = [
            name for name, of in (await self.do(what="told"))["told"] if of["taskId"] == task_id
        ]
        return [name for n, name in enumerate(names) if names[n - 1 : n] != [name]]

    async def ended(self) -> list[list[Any]]:
        """For which tasks and attempts `onComplete` was called."""
        found: list[list[Any]] = (await self.do(what="told"))["ended"]
        return found

    async def shows(self, task_id: str, **want: Any) -> dict[str, Any]:
        """The task, as soon as it is so."""

        async def found() -> Any:
            task = await self.do(what="get", id=task_id)
            return task if task and all(task[key] == value for key, value in want.items()) else None

        shown: dict[str, Any] = await until(found)
        return shown


@asynccontextmanager
async def server(taskd: Taskd) -> AsyncIterator[Server]:
    async with wizard("server.cjs", str(taskd.socket), str(taskd.place / "work.json")) as process:
        yield Server(process)


def says(taskd: Taskd, **status: Any) -> None:
    """What the wizard's checker says from now on."""
    made = taskd.place / "work.new"
    made.write_text(json.dumps(status))
    made.rename(taskd.place / "work.json")


async def test_the_daemon_is_killed_while_the_wizard_looks(tmp_path: Path) -> None:
    """Looks go on without it; what they found is told when it is back, the end too, and once."""
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        says(taskd, completed=False, progress=30)
        async with server(taskd) as wizards:
            assert (await wizards.do(what="register", id="work", looks=True))["success"]
            assert (await wizards.do(what="start", id="work"))["success"]
            await wizards.shows("work", progress=30)
            await taskd.kill()
            says(taskd, completed=False, progress=60)
            await wizards.shows("work", progress=60)
            line = await taskd.start()

            async def reached() -> bool:
                return bool((await line.call("getTask", taskId="work"))["progress"] == 60)

            await until(reached)
            await taskd.kill()
            says(taskd, completed=True, progress=100, metadata={"rows": 7})
            line = await taskd.start()
            task = await wizards.shows("work", status="complete")
            assert task["metadata"]["rows"] == 7

            async def noted() -> bool:
                known = [each["decision"] for each in await line.call("getDecisions")]
                return known == ["on-complete work 1"]

            await until(noted)
            assert await wizards.told("work") == ["sync:start", "sync:progress", "sync:complete"]
            assert await wizards.ended() == [["work", 1]]
        await taskd.end()


async def test_it_ends_while_the_wizard_is_away(tmp_path: Path) -> None:
    """The next wizard finds it complete, calls `onComplete`, and a third one does not."""
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        async with server(taskd) as first:
            await first.do(what="register", id="work")
            await first.do(what="start", id="work")
            first.process.kill()
            await first.process.wait()
        await line.call("completeTask", taskId="work", finalStatus={"metadata": {"rows": 7}})
        async with server(taskd) as second:
            answer = await second.do(what="register", id="work")
            assert (answer["success"], answer["task"]["status"]) == (True, "complete")
            assert (await second.do(what="start", id="work"))["success"]

            async def ended() -> bool:
                return await second.ended() == [["work", 1]]

            await until(ended)
            await until(lambda: line.call("getDecisions"))
        async with server(taskd) as third:
            await third.do(what="register", id="work")
            await line.call("registerTask", type="report", service="other")
            await third.shows("report-other", status="in-progress")
            await line.call("retryTask", taskId="work")
            await line.call("completeTask", taskId="work")

            async def again() -> bool:
                return await third.ended() == [["work", 2]]

            await until(again)
        await taskd.end()


@pytest.mark.long
async def test_the_state_of_the_daemon_is_lost(tmp_path: Path) -> None:
    """What this process had registered is registered anew, and goes on."""
    other = tmp_path / "other"
    other.mkdir()
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        says(taskd, completed=False, progress=30)
        async with server(taskd) as wizards:
            await wizards.do(what="register", id="work", looks=True)
            await wizards.do(what="start", id="work")
            await wizards.shows("work", progress=30)
            await taskd.kill()
            taskd.state = other
            says(taskd, completed=False, progress=40)
            line = await taskd.start()

            async def there() -> Any:
                task = await line.call("getTask", taskId="work")
                return task and task["progress"] == 40

            await until(there)
            await wizards.shows("work", progress=40, status="in-progress")
        await taskd.end()
