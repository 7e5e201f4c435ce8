"""What is complete and kept watch on, as both doors show it and as it is acted on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kaspad_taskd.core.observation import Following, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from tests.api.house import ApiHouse
from tests.api.methods.test_events import Ear

pytestmark = pytest.mark.looptime
NODE = "node-sync-node"


def sees(house: ApiHouse, score: int, complete: bool = True, **more: Any) -> None:
    told = Following(str(score), float(score), 10.0, True)
    given = {"complete": complete, "behind": 0.44, "following": told, **more}
    house.probe(NODE).default = Reading(**given)


async def goes_on(house: ApiHouse, seconds: int, complete: bool = True, **more: Any) -> None:
    """Let time pass, with new blocks all the time."""
    for _ in range(seconds):
        sees(house, round(house.now() / 100), complete, **more)
        await asyncio.sleep(1)


async def kept(house: ApiHouse, **more: Any) -> None:
    """A node that has just completed."""
    await house.ask("registerNodeSyncTask", service="node", confirmations=1, **more)
    await goes_on(house, 12)


async def test_the_task_object_says_that_it_is_watched_and_how(house: ApiHouse) -> None:
    """Complete and at 100, with a health that is of now, and when the next look is due."""
    await kept(house)
    task = await house.ask("getTask", taskId=NODE)
    assert (task["status"], task["progress"], task["watch"], task["health"]) == (
        "complete", 100, "on", "ok",
    )  # fmt: skip
    assert (task["keepWatching"], task["watchInterval"]) == (True, 30_000)
    assert (task["behindAfter"], task["relapseAfter"]) == (120_000, 3_600_000)
    assert task["healthSince"] == task["completedAt"]
    assert task["nextCheck"] > task["lastChecked"]
    assert (task["behind"], task["estimatedTimeRemaining"]) == (0.5, 0)
    assert task["formattedTimeRemaining"] == "Complete"
    assert task["actions"] == ["pause", "retry", "check", "remove"]


async def test_its_progress_says_how_it_is_and_is_true_of_now(house: ApiHouse) -> None:
    """Status and percent stay; synced only while it is so, and no number but the ETA is null."""
    ear = Ear(house)
    await kept(house)
    await goes_on(house, 40)
    well = ear.progress()[-1]
    assert (well["status"], well["progress"], well["health"]) == ("complete", 100, "ok")
    assert (well["synced"], well["connected"], well["behind"]) == (True, True, 0.5)
    assert well["lastChecked"] is not None
    await goes_on(house, 200, complete=False, behind=90.04, reason=Reason.NO_PEERS)
    late = ear.progress()[-1]
    assert (late["status"], late["progress"], late["health"]) == ("complete", 100, "behind")
    assert (late["synced"], late["connected"], late["behind"]) == (False, True, 90.1)
    house.probe(NODE).default = Unreachable(Reason.REFUSED)
    await asyncio.sleep(60)
    gone = ear.progress()[-1]
    assert (gone["health"], gone["synced"], gone["connected"]) == ("unreachable", False, False)
    assert "behind" not in gone


async def test_its_health_events_tell_the_lag_and_the_cause(house: ApiHouse) -> None:
    """A sentence for people, seconds for programs; rounded up, as what is missing is."""
    await kept(house)
    await goes_on(house, 200, complete=False, behind=90.04, reason=Reason.NO_PEERS)
    events = (await house.ask("getEvents"))["events"]
    told = [each["data"] for each in events if each["event"] == "sync:health"]
    assert [(each["health"], each["behind"], each["reason"]) for each in told] == [
        ("behind", 90.1, "no-peers")
    ]
    assert told[0]["note"]


@pytest.mark.parametrize(
    ("pause", "resume"), [("pauseTask", "resumeTask"), ("stopMonitoring", "startMonitoring")]
)
async def test_a_watch_is_paused_and_resumed_as_a_live_task(
    house: ApiHouse, pause: str, resume: str
) -> None:
    """By the same methods; the status stays, and what can be done says so."""
    await kept(house)
    await house.ask(pause, taskId=NODE)
    task = await house.ask("getTask", taskId=NODE)
    assert (task["status"], task["watch"], task["health"]) == ("complete", "paused", "unknown")
    assert (task["behind"], task["nextCheck"]) == (None, None)
    assert task["actions"] == ["start", "retry", "remove"]
    await house.ask(resume, taskId=NODE)
    assert (await house.ask("getTask", taskId=NODE))["watch"] == "on"


async def test_twice_is_refused_or_fine_as_of_a_live_task(house: ApiHouse) -> None:
    """The verb of a button says that nothing changes, the other does not mind."""
    await kept(house)
    assert (await house.no("resumeTask", taskId=NODE)).data["status"] == "complete"
    await house.ask("startMonitoring", taskId=NODE)
    await house.ask("pauseTask", taskId=NODE)
    assert (await house.no("pauseTask", taskId=NODE)).data["status"] == "complete"
    await house.ask("stopMonitoring", taskId=NODE)


async def test_a_check_asks_the_node_now(house: ApiHouse) -> None:
    """`completed` is of the attempt, the task's health of this moment."""
    await kept(house)
    house.probe(NODE).default = Unreachable(Reason.REFUSED)
    answer = await house.ask("checkTaskStatus", taskId=NODE)
    assert (answer["completed"], answer["status"]["progress"]) == (True, 100)
    assert (answer["task"]["health"], answer["task"]["reason"]) == ("unreachable", "refused")
    assert answer["inSync"] is False


async def test_a_check_says_whether_it_is_in_sync_now(house: ApiHouse) -> None:
    """By this look: health bears with a gap for two minutes; unknown where nobody looks."""
    await kept(house)
    sees(house, round(house.now() / 100))
    assert (await house.ask("checkTaskStatus", taskId=NODE))["inSync"] is True
    sees(house, round(house.now() / 100), complete=False)
    answer = await house.ask("checkTaskStatus", taskId=NODE)
    assert (answer["task"]["health"], answer["inSync"]) == ("ok", False)
    await house.ask("pauseTask", taskId=NODE)
    assert (await house.ask("checkTaskStatus", taskId=NODE))["inSync"] is None


async def test_who_waits_looks_at_the_status_alone(house: ApiHouse) -> None:
    """A complete task that is behind is complete: at once."""
    await kept(house)
    await goes_on(house, 200, complete=False)
    before = asyncio.get_running_loop().time()
    task = await house.ask("waitTask", taskId=NODE, revision=10_000)
    assert asyncio.get_running_loop().time() == before
    assert (task["status"], task["health"]) == ("complete", "behind")


async def test_cleaning_up_leaves_it_unless_it_is_asked_for(house: ApiHouse) -> None:
    """`watched: true` is the word for it."""
    await kept(house)
    await goes_on(house, 2)
    assert (await house.ask("cleanupOldTasks", maxAge=0))["cleaned"] == 0
    assert (await house.ask("cleanupOldTasks", maxAge=0, watched=True))["cleaned"] == 1


@pytest.mark.parametrize(("change", "left"), [("pauseTask", 0), ("retryTask", 0), (None, 1)])
async def test_cleaning_up_takes_what_has_ended_and_nothing_else(
    house: ApiHouse, change: str | None, left: int
) -> None:
    """A watch that is paused is a watch still, a new attempt is live; a watch that is over is not.

    `watched` takes neither what is live nor a file's.
    """
    await kept(house)
    if change is None:
        await house.ask("updateTask", taskId=NODE, keepWatching=False)
    else:
        house.probe(NODE).default = Reading()
        await house.ask(change, taskId=NODE)
    await asyncio.sleep(1)
    assert (await house.ask("cleanupOldTasks", maxAge=0))["cleaned"] == left
    paused = change == "pauseTask"
    assert (await house.ask("cleanupOldTasks", maxAge=0, watched=True))["cleaned"] == int(paused)


async def test_who_has_no_watch_gets_one_by_asking_for_it(house: ApiHouse) -> None:
    """Completed by hand out of sync, or by a version without it: its definition says so anyway."""
    await house.ask("registerNodeSyncTask", service="node", confirmations=1)
    await goes_on(house, 5, complete=False)
    await house.ask("completeTask", taskId=NODE)
    task = await house.ask("getTask", taskId=NODE)
    assert (task["keepWatching"], task["watch"]) == (True, "none")
    await house.ask("updateTask", taskId=NODE, watchInterval="40s")
    assert (await house.ask("getTask", taskId=NODE))["watch"] == "none"
    task = (await house.ask("updateTask", taskId=NODE, keepWatching=True))["task"]
    assert (task["status"], task["watch"], task["health"]) == ("complete", "on", "unknown")
    await goes_on(house, 5)
    again = (await house.ask("updateTask", taskId=NODE, keepWatching=True))["task"]
    assert (again["health"], again["watch"]) == ("ok", "on")
    await house.ask("pauseTask", taskId=NODE)
    again = (await house.ask("updateTask", taskId=NODE, keepWatching=True))["task"]
    assert again["watch"] == "paused"  # resuming is another word


async def test_why_it_is_as_it_is(house: ApiHouse) -> None:
    """The rule of its health, the condition that fails; that it was proven stays so."""
    await kept(house)
    said = await house.ask("explainTask", taskId=NODE)
    assert (said["complete"]["rule"], said["health"]["rule"]) == ("proven", "answers")
    await goes_on(house, 200, complete=False)
    said = await house.ask("explainTask", taskId=NODE)
    assert (said["complete"]["rule"], said["complete"]["holds"]) == ("proven", True)
    assert (said["health"]["rule"], said["health"]["value"]) == ("behind", "behind")
    assert said["complete"]["conditions"][0]["holds"] is False
    await house.ask("pauseTask", taskId=NODE)
    said = await house.ask("explainTask", taskId=NODE)
    assert said["health"]["rule"] == "not-watched"


async def test_there_is_something_to_wait_for_while_it_is_behind(house: ApiHouse) -> None:
    """It says so, and nothing of how long; in sync nothing is left."""
    await kept(house)
    well = await house.ask("getSyncStrategy", taskId=NODE)
    assert (well["recommended"], well["estimatedTime"], well["estimatedSeconds"]) == (
        "wait", "Complete", 0,
    )  # fmt: skip
    assert well["note"] == "There is nothing to wait for: node is ready."
    assert well["syncStatus"]["percentage"] == 100
    await goes_on(house, 200, complete=False, behind=840.2, reason=Reason.NO_PEERS)
    late = await house.ask("getSyncStrategy", taskId=NODE)
    assert (late["recommended"], late["estimatedTime"], late["estimatedSeconds"]) == (
        "background", "behind by 15 min", None,
    )  # fmt: skip
    assert late["note"] == "node was ready, and is behind by 15 min now: it has no peers."
    house.probe(NODE).default = Unreachable(Reason.REFUSED)
    await house.ask("checkTaskStatus", taskId=NODE)
    gone = await house.ask("getSyncStrategy", taskId=NODE)
    assert (gone["recommended"], gone["estimatedTime"]) == ("background", "not reachable")
    assert gone["note"].startswith("node was ready, and is not reachable now: ")


async def test_a_watch_that_is_paused_leaves_nothing_to_wait_for(house: ApiHouse) -> None:
    """It is complete, and nobody knows of anything else."""
    await kept(house)
    await house.ask("pauseTask", taskId=NODE)
    answer = await house.ask("getSyncStrategy", taskId=NODE)
    assert (answer["recommended"], answer["estimatedSeconds"]) == ("wait", 0)


async def test_a_relapse_is_told_with_its_cause(house: ApiHouse) -> None:
    """`sync:start {attempt, because}`; the task is in progress again."""
    await kept(house)
    sees(house, 1, complete=False, epoch="db-reset")
    await house.ask("checkTaskStatus", taskId=NODE)
    events = (await house.ask("getEvents"))["events"]
    begun = [each["data"] for each in events if each["event"] == "sync:start"]
    assert (begun[-1]["attempt"], begun[-1]["because"]) == (2, "db-reset")
    assert "because" not in begun[0]
    task = await house.ask("getTask", taskId=NODE)
    assert (task["status"], task["watch"], task["attempt"]) == ("in-progress", "none", 2)


async def test_stopping_counts_what_was_looked_at(house: ApiHouse) -> None:
    """Monitors stopped: those of what is complete, too."""
    await kept(house)
    assert (await house.ask("shutdown"))["tasksCleaned"] == 1
