"""The table: step, commit, swap."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from kaspad_taskd.core.change import NotAllowed
from kaspad_taskd.core.fact import EventName
from kaspad_taskd.core.inputs import Cancel, Complete, Pause, Start
from kaspad_taskd.core.model import Origin, Status
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.engine import roster
from kaspad_taskd.engine.errors import Conflict, NotDurable, NotFound
from kaspad_taskd.engine.follow import Progress
from tests.fakes.house import House, definition, house
from tests.fakes.patience import PATIENCE

pytestmark = pytest.mark.looptime


async def _names(built: House) -> list[str]:
    return [event.fact.name.value for event in await built.store.events(0, 1000)]


async def test_a_registered_task_is_watched_at_once_and_ends_complete() -> None:
    """A registered task is looked at without delay, and its story is on record in order."""
    async with house() as built:
        built.probe("work").answers = [Reading(position=5.0, target=10.0)]
        built.probe("work").default = Reading(complete=True)
        task, created = await built.roster.register(definition())
        assert created
        assert task.status is Status.IN_PROGRESS
        await asyncio.sleep(1)
        assert built.task("work").percent == 50.0
        await asyncio.sleep(10)
        assert built.task("work").status is Status.COMPLETE
        assert built.task("work").percent == 100.0
        assert await _names(built) == ["task:added", "sync:start", "sync:complete"]
        assert built.probe("work").closed == 1


async def test_nothing_is_shown_before_it_is_on_disk() -> None:
    """Until the store has answered, readers see the old state."""
    async with house() as built:
        await built.roster.register(definition(start=False))
        future = built.engine.submit("work", Start())
        assert future is not None
        assert built.task("work").status is Status.PENDING
        await future
        assert built.task("work").status is Status.IN_PROGRESS


async def test_a_second_input_sees_the_result_of_the_first() -> None:
    """Inputs of one moment queue behind each other, and the impossible one is refused."""
    async with house() as built:
        await built.roster.register(definition(start=False))
        answers = await asyncio.gather(
            built.engine.act("work", Start()),
            built.engine.act("work", Pause()),
            built.engine.act("work", Cancel()),
            built.engine.act("work", Complete()),
            return_exceptions=True,
        )
        assert isinstance(answers[3], NotAllowed)
        assert built.task("work").status is Status.CANCELLED
        assert (await _names(built))[1:] == ["sync:start", "sync:paused", "sync:cancelled"]


async def test_a_failed_commit_changes_nothing_and_all_that_stood_on_it_fails() -> None:
    """When the disk says no, every queued change is refused and the table stands."""
    async with house() as built:
        await built.roster.register(definition(start=False))
        built.store.fail_next("the disk is full")
        answers = await asyncio.gather(
            built.engine.act("work", Start()),
            built.engine.act("work", Pause()),
            return_exceptions=True,
        )
        assert [type(each) for each in answers] == [NotDurable, NotDurable]
        assert built.task("work").status is Status.PENDING
        assert built.engine.problem == "the disk is full"
        await built.engine.act("work", Start())
        assert built.engine.problem is None
        assert built.engine.seq == 2


async def test_a_refusal_that_stood_on_a_failed_change_is_taken_again() -> None:
    """What was refused because of a change that then failed is decided on what really is."""
    async with house() as built:
        await built.roster.register(definition(start=False))
        built.store.fail_next("the disk is full")
        first, second = await asyncio.gather(
            built.engine.act("work", Start()),
            built.engine.act("work", Start()),
            return_exceptions=True,
        )
        assert isinstance(first, NotDurable)
        assert not isinstance(second, BaseException)
        assert built.task("work").status is Status.IN_PROGRESS


async def test_looks_go_on_while_the_disk_is_full() -> None:
    """A look whose change cannot be written still counts as a look."""
    async with house() as built:
        await built.roster.register(definition())
        await asyncio.sleep(1)
        before = built.task("work").live.last_checked
        for _ in range(3):
            built.store.fail_next("the disk is full")
            built.probe("work").default = Reading(
                position=built.probe("work").looks + 2.0, target=10
            )
            await asyncio.sleep(10)
        after = built.task("work").live.last_checked
        assert before is not None
        assert after is not None
        assert after - before >= 29_000


async def test_live_fields_are_written_after_half_a_minute_and_at_a_stop() -> None:
    """What was seen lately survives a stop, and most of it a kill."""
    async with house() as built:
        built.probe("work").default = Reading(position=1.0, target=10.0, metadata={"x": 1})
        await built.roster.register(definition())
        await asyncio.sleep(61)
        await asyncio.wait(built.engine.flush())
        kept = built.store.open().tasks[0]
        assert kept.live.last_checked is not None
        assert kept.live.last_checked >= built.now() - 45_000
    last = built.store.open().tasks[0].live.last_checked
    assert last == built.task("work").live.last_checked


async def test_a_restart_goes_on_where_it_was() -> None:
    """Status, progress, attempt and seq go on, and nothing is told twice."""
    async with house() as built:
        built.probe("work").default = Reading(position=5.0, target=10.0)
        await built.roster.register(definition())
        await asyncio.sleep(1)
    async with house(built.store) as again:
        again.probe("work").default = Reading(position=4.0, target=10.0)
        assert again.task("work").percent == 50.0
        await asyncio.sleep(1)
        assert again.task("work").percent == 50.0
        assert again.probe("work").looks == 1
        assert again.engine.seq == 2


async def test_registering_again() -> None:
    """The same definition is the same task; another one under the id is a conflict."""
    async with house() as built:
        await built.roster.register(definition(origin=Origin.API))
        task, created = await built.roster.register(definition(origin=Origin.API, interval=5.0))
        assert not created
        assert task.definition.interval == 10.0
        with pytest.raises(Conflict):
            await built.roster.register(definition(checker={"url": "other"}))
        ended = await built.engine.act("work", Cancel())
        task, created = await built.roster.again(
            definition(origin=Origin.API, checker={"url": "other"})
        )
        assert created
        assert (task.attempt, task.revision) == (2, ended.revision + 1)
        assert task.definition.checker == {"url": "other"}


async def test_removing_a_live_task_cancels_it_first() -> None:
    """Its story ends with sync:cancelled and task:removed, and nothing of it stays."""
    async with house() as built:
        await built.roster.register(definition(origin=Origin.API))
        await built.roster.remove("work")
        assert built.engine.get("work") is None
        assert (await _names(built))[-2:] == ["sync:cancelled", "task:removed"]
        assert built.mirror.kept == {}
        with pytest.raises(NotFound):
            await built.roster.remove("work")


async def test_reload_follows_the_files() -> None:
    """Added, changed and removed files change their tasks, and no others."""
    async with house() as built:
        await built.roster.reload([definition(each, start=False) for each in "abc"])
        faster = definition("b", start=False, interval=1.0)
        await built.roster.reload([definition("d")], [faster], ["a"])
        assert {task.id for task in built.engine.tasks()} == {"b", "c", "d"}
        assert built.task("b").definition.interval == 1.0
        assert built.task("b").revision == 2


async def test_a_chain_starts_link_by_link() -> None:
    """A task that waits starts when what it waits for is complete, and says for what it waits."""
    async with house() as built:
        await built.roster.register(definition("second", after=("first",)))
        assert built.task("second").waiting_for == ("first",)
        built.probe("first").default = Reading(complete=True)
        await built.roster.register(definition("first"))
        await asyncio.sleep(1)
        assert built.task("second").status is Status.IN_PROGRESS
        assert built.task("second").waiting_for == ()


async def test_a_chain_goes_on_after_a_restart() -> None:
    """What waited before a restart starts when what it waits for completes after it."""
    async with house() as built:
        await built.roster.register(definition("second", after=("first",)))
        await built.roster.register(definition("first"))
        await asyncio.sleep(1)
    async with house(built.store) as again:
        again.probe("first").default = Reading(complete=True)
        await asyncio.sleep(11)
        assert again.task("first").status is Status.COMPLETE
        assert again.task("second").status is Status.IN_PROGRESS


async def test_a_complete_node_is_announced_once() -> None:
    """`node:ready` follows a node-sync's completion, once, over a restart too."""
    async with house() as built:
        built.probe("node").default = Reading(complete=True)
        node = definition("node", type="node-sync", checker={"url": "grpc://127.0.0.1:16110"})
        await built.roster.register(node)
        await asyncio.sleep(1)
    async with house(built.store) as again:
        await asyncio.sleep(1)
        ready = [e for e in await again.store.events(0, 99) if e.fact.name is EventName.NODE_READY]
        assert len(ready) == 1
        assert (ready[0].fact.data["host"], ready[0].fact.data["port"]) == ("127.0.0.1", 16110)


async def test_followers_get_every_event_once_and_progress_before_the_end() -> None:
    """Replay and live are one story; the last progress comes before the terminal event."""
    async with house() as built:
        early: list[object] = []
        await built.listen(early)  # type: ignore[arg-type]
        built.probe("work").answers = [Reading(position=float(n), target=10.0) for n in range(5)]
        built.probe("work").default = Reading(complete=True)
        await built.roster.register(definition(interval=1.0))
        await asyncio.sleep(3)
        late: list[object] = []
        await built.listen(late, after=0)  # type: ignore[arg-type]
        await asyncio.sleep(10)
        for told in (early, late):
            seqs = [each.seq for each in told if not isinstance(each, Progress)]  # type: ignore[attr-defined]
            assert seqs == [1, 2, 3]
            assert isinstance(told[-2], Progress)
            assert told[-2].task.status is Status.COMPLETE
        assert sum(isinstance(each, Progress) for each in early) >= 4


async def test_what_is_shown_before_a_follower_runs_reaches_it() -> None:
    """Between its snapshot and its first step nothing is lost, progress included."""
    async with house() as built:
        built.probe("work").answers = [Reading(position=1.0, target=10.0)]
        built.probe("work").default = Reading(position=2.0, target=10.0)
        await built.roster.register(definition(interval=2.0))
        await asyncio.sleep(1)
        follower = built.board.follow()
        await asyncio.sleep(4)  # the second reading is shown
        told: list[object] = []

        async def send(news: Sequence[object]) -> None:
            told.extend(news)

        running = asyncio.create_task(follower.run(send))
        await asyncio.sleep(0.1)
        running.cancel()
        assert [one.task.live.position for one in told if isinstance(one, Progress)] == [2.0]


async def test_progress_is_told_once_a_second_at_most_and_every_half_minute() -> None:
    """A busy task is not a flood, a quiet one not silent."""
    async with house() as built:
        told: list[object] = []
        await built.listen(told)  # type: ignore[arg-type]
        built.probe("busy").answers = [Reading(position=float(n), target=1e6) for n in range(500)]
        await built.roster.register(definition("busy", interval=0.25))
        await asyncio.sleep(20)
        busy = [each for each in told if isinstance(each, Progress)]
        assert 15 <= len(busy) <= 21
        built.probe("busy").answers = []
        built.probe("busy").default = Reading(position=0.0, target=1e6)
        await asyncio.sleep(5)
        told.clear()
        await asyncio.sleep(65)
        assert 2 <= sum(isinstance(each, Progress) for each in told) <= 4


async def test_the_last_places_are_given_while_others_are_just_being_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A task that is on record and not yet answered takes one place, not two."""
    monkeypatch.setattr(roster, "TASKS", 8)
    async with house() as built:
        second: list[asyncio.Task[object]] = []

        def follow() -> None:
            if not second:
                ids = [f"second-{number}" for number in range(4)]
                second.extend(
                    asyncio.create_task(built.roster.register(definition(each))) for each in ids
                )

        built.engine.on_events.append(follow)
        first = [built.roster.register(definition(f"first-{number}")) for number in range(4)]
        await asyncio.gather(*first)
        await asyncio.gather(*second)
        assert len(built.engine.tasks()) == 8


async def test_who_cannot_be_told_costs_nobody_an_answer() -> None:
    """An event that somebody fails to be told of is on record, and its caller hears that."""
    faults: list[object] = []

    def fail() -> None:
        raise OSError("no file is left")

    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: faults.append(context["exception"])
    )
    async with house() as built:
        built.engine.on_events.append(fail)
        async with asyncio.timeout(PATIENCE):
            await built.roster.register(definition("a"))
        assert built.task("a") is not None
        built.engine.on_events.remove(fail)
    assert [str(each) for each in faults] == ["no file is left"] * len(faults)
    assert faults


async def test_who_cannot_be_told_costs_nobody_else_the_news() -> None:
    """Those who come after him hear of it at once."""
    heard: list[int] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    async with house() as built:

        def fail() -> None:
            raise OSError("no file is left")

        built.engine.on_events += [fail, lambda: heard.append(built.engine.seq)]
        await built.roster.register(definition("a"))
        assert heard
        assert heard[-1] == built.engine.seq


@pytest.mark.looptime
async def test_what_the_store_says_by_itself_is_known_before_a_change_fails() -> None:
    """And it is over before one lands."""
    async with house() as built:
        engine = built.engine
        engine.hear("it was removed")
        assert engine.problem == "it was removed"
        engine.hear(None)  # nothing new: what a commit has said stands until one lands
        assert engine.problem == "it was removed"
        engine.hear(None, healed=True)
        assert engine.problem is None
