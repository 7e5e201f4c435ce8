"""Who goes on from the `seq` of the last thing it saw, whatever that was, misses no event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kaspad_taskd.api.feed import Feed
from kaspad_taskd.bridge import fanout
from kaspad_taskd.bridge.browser import Browser
from kaspad_taskd.bridge.browsers import Browsers
from kaspad_taskd.bridge.calls import Calls
from kaspad_taskd.bridge.outbox import Outbox
from kaspad_taskd.bridge.own import OwnSource
from kaspad_taskd.bridge.topic import Topic
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.rpc.server import RpcServer
from tests.api.house import ApiHouse, api_house
from tests.bridge.house import Bridged, bridged
from tests.fakes.access import access
from tests.fakes.house import definition
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Refusal

STATE = ("hello", "sync:progress", "tasks:list:response", "task:error", "subscribed")
TASKS = ("a", "b", "c")
CHANGES = ("completeTask", "errorTask", "pauseTask", "resumeTask", *("retryTask",) * 4)


class Clerk:
    """Writes down every event, and where the last thing it was told says that it is."""

    def __init__(self) -> None:
        self.began: int | None = None
        self.at: int | None = None
        self.got: list[int] = []
        self.lines = 0

    def saw(self, name: str, data: Any) -> None:
        seq = data.get("seq")
        if seq is None:
            return
        if name not in STATE:
            self.got.append(seq)
        if self.began is None:
            self.began = seq if name in STATE else seq - 1
        self.at = max(seq, self.at or 0)

    def check(self, last: int) -> None:
        """All that happened since it began has come."""
        assert self.began is not None
        missed = set(range(self.began + 1, last + 1)) - set(self.got)
        assert not missed, (sorted(missed), self.began, last)


class Play:
    """Tasks that move, end and begin again, as the dice say."""

    def __init__(self, house: ApiHouse, dice: Random) -> None:
        self.house, self.dice = house, dice

    async def begin(self) -> None:
        for each in TASKS:
            await self.house.roster.register(definition(each, interval=1.0, confirmations=1))

    async def turn(self) -> None:
        house, dice = self.house, self.dice
        for each in TASKS:
            whole = dice.random() < 0.1
            at = 10.0 if whole else dice.uniform(0, 9.9)
            house.probe(each).default = Reading(position=at, target=10.0, complete=whole)
        task_id, method = dice.choice(TASKS), dice.choice((*CHANGES, "checkTaskStatus"))
        given = {"error": "broken"} if method == "errorTask" else {}
        with suppress(Refusal):
            await house.ask(method, taskId=task_id, **given)


# -- the door for programs


async def program(feed: Feed, clerk: Clerk, dice: Random, only: Sequence[str] | None) -> None:
    """One connection: reads for a while, and loses what was on its way."""
    answer, reader = feed.open(clerk.at, only)
    clerk.saw("subscribed", answer)
    way: list[Mapping[str, Any]] = []

    async def send(events: Sequence[Mapping[str, Any]]) -> None:
        for each in events:
            way.append(each)
            if dice.random() < 0.3:
                await asyncio.sleep(dice.choice((0.0, 0.0, 0.4)))

    running = asyncio.create_task(reader.run(send))
    await asyncio.sleep(dice.uniform(0, 3))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    for each in way[: dice.randint(0, len(way))]:
        assert each["seq"] == each["data"]["seq"]
        clerk.saw(each["event"], each["data"])


@pytest.mark.looptime
@pytest.mark.parametrize("seed", range(10))
async def test_a_subscription_resumed_anywhere_is_whole(tmp_path: Path, seed: int) -> None:
    """Cut at any message, on from the last `seq`: every event of the tasks asked for."""
    dice = Random(seed)
    async with api_house(tmp_path) as house:
        play, clerks = Play(house, dice), [Clerk() for _ in range(4)]
        await play.begin()
        over = False

        async def follow(clerk: Clerk, only: Sequence[str] | None) -> None:
            while not over:
                await program(house.feed, clerk, dice, only)

        readers = [asyncio.create_task(follow(each, None)) for each in clerks[:3]]
        readers.append(asyncio.create_task(follow(clerks[3], ["a"])))
        turns = 0
        while turns < 150 or house.engine.seq <= 50:  # the dice may be slow
            await play.turn()
            await asyncio.sleep(dice.choice((0.0, 0.1, 1.2)))
            turns += 1
        over = True
        await asyncio.gather(*readers)
        events = (await house.ask("getEvents"))["events"]
        assert len(events) > 50
        for clerk in clerks[:3]:
            assert clerk.at is not None
            clerk.check(clerk.at)
        own = [each["seq"] for each in events if each["data"]["taskId"] == "a"]
        last = clerks[3]
        assert last.at is not None
        assert last.began is not None
        assert {each for each in own if last.began < each <= last.at} <= set(last.got)


# -- the door for browsers, without its sockets


class Rooms:
    """The bridge's rooms, and browsers whose lines are queues."""

    def __init__(self, house: ApiHouse) -> None:
        self.fanout = fanout.Fanout(OwnSource(house.api), lambda why: pytest.fail(why))
        topic = Topic(self.fanout, Calls(house.methods), lambda: {"host": "h"})
        self.browsers = Browsers(access(), lambda _auth: topic, "cookie")
        self.number = 0

    async def visit(self, clerk: Clerk, dice: Random) -> None:
        """One connection: some questions, and an end that loses what was on its way."""
        self.number += 1
        sid, box = f"visit-{self.number}", Outbox()
        auth = {} if clerk.at is None else {"since": clerk.at}
        await self.browsers.entering(sid, {}, "::1", auth)
        self.browsers.joined(sid, box)
        for _ in range(dice.randint(0, 5)):
            await asyncio.sleep(dice.choice((0.0, 0.0, 0.01, 0.7)))
            if dice.random() < 0.3:
                await self.browsers.asked(sid, "tasks:list", [], None)
            if dice.random() < 0.2 and clerk.at is not None:
                since = dice.choice((clerk.at, clerk.at, 10**9, "x"))
                await self.browsers.asked(sid, "events:since", [{"seq": since}], None)
            if dice.random() < 0.3:
                self.take(box, clerk, box.qsize())
        box.ended = dice.random() < 0.3
        await asyncio.sleep(dice.choice((0.0, 0.5)))
        self.take(box, clerk, dice.randint(0, box.qsize()))
        self.browsers.left(sid)

    @staticmethod
    def take(box: Outbox, clerk: Clerk, count: int) -> None:
        while count:
            try:
                packet = box.get_nowait()
            except asyncio.QueueEmpty:  # a poll's answer is full
                continue
            count -= 1
            if packet.data[0] == "2":
                clerk.saw(*json.loads(packet.data[1:]))


@pytest.mark.looptime
@pytest.mark.parametrize("seed", range(10))
async def test_a_browser_that_comes_back_anywhere_misses_nothing(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snapshots, progress, greetings, lists: each says a `seq` up to which all was told."""
    monkeypatch.setattr(fanout, "TURN", 1)  # others have their turn after each delivery
    monkeypatch.setattr(fanout, "BATCH", 3)
    dice = Random(seed)
    async with api_house(tmp_path) as house:
        play, rooms = Play(house, dice), Rooms(house)
        await play.begin()
        telling = asyncio.create_task(rooms.fanout.run())
        clerks, over = [Clerk() for _ in range(5)], False

        async def follow(clerk: Clerk) -> None:
            while not over:
                await rooms.visit(clerk, dice)

        readers = [asyncio.create_task(follow(each)) for each in clerks]
        for _ in range(150):
            await play.turn()
            await asyncio.sleep(dice.choice((0.0, 0.1, 1.2)))
        over = True
        await asyncio.gather(*readers)
        telling.cancel()
        assert house.engine.seq > 50
        for clerk in clerks:
            assert clerk.at is not None
            clerk.check(clerk.at)


@pytest.mark.looptime
async def test_what_was_cut_is_told_nothing_more(tmp_path: Path) -> None:
    """Else a snapshot after an event that was left out would say that all was told."""
    async with api_house(tmp_path) as house:
        rooms, box = Rooms(house), Outbox()
        telling = asyncio.create_task(rooms.fanout.run())
        await rooms.browsers.entering("one", {}, "::1", {})
        rooms.browsers.joined("one", box)
        await house.settle()
        while not box.empty():
            box.get_nowait()
        box.ended = True
        await house.roster.register(definition("a"))
        await rooms.browsers.asked("one", "tasks:list", [], None)
        await asyncio.sleep(1)
        assert box.empty()
        telling.cancel()


@pytest.mark.looptime
async def test_who_cannot_be_told_the_past_is_not_left_out_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that cannot be read costs the connection: it comes back and asks again."""
    async with api_house(tmp_path) as house:
        await house.roster.register(definition("a"))
        rooms, box, lost = Rooms(house), Outbox(), []
        box.lost = lambda: lost.append(True)
        browser = Browser("one", "::1", lambda: True, outbox=box)

        async def broken(*_: Any) -> Any:
            raise OSError("the disk is gone")

        monkeypatch.setattr(house.board, "read", broken)
        with pytest.raises(OSError, match="gone"):
            await rooms.fanout.catch_up(browser, 0)
        assert lost


# -- both doors, with real sockets


@asynccontextmanager
async def both(place: Path) -> AsyncIterator[tuple[Bridged, Path]]:
    path = place / "rpc.sock"
    async with bridged(place) as built:
        server = RpcServer(built.house.methods, Feed(built.house.api), path=path)
        await server.start()
        try:
            yield built, path
        finally:
            await server.stop()


async def call_in(path: Path, clerk: Clerk, lines: int) -> None:
    """Subscribe over the socket, read so many lines, hang up."""
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 22)
    params = {} if clerk.at is None else {"after": clerk.at}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": params}
    writer.write(json.dumps(asked).encode() + b"\n")
    try:
        async with asyncio.timeout(PATIENCE):
            clerk.saw("subscribed", json.loads(await reader.readline())["result"])
            for _ in range(lines):
                told = json.loads(await reader.readline())["params"]
                clerk.saw(told["event"], told["data"])
    finally:
        writer.close()


async def look_in(house: Bridged, clerk: Clerk, events: int) -> None:
    """Connect to the bridge, read so many events, hang up."""
    visitor = await house.visit({} if clerk.at is None else {"since": clerk.at})
    for _ in range(events):
        await visitor.event()
        clerk.saw(*visitor.told[-1])
    assert visitor.line._response is not None
    visitor.line._response.close()


@pytest.mark.parametrize("seed", range(3))
async def test_at_both_doors_nothing_is_missed_over_real_sockets(tmp_path: Path, seed: int) -> None:
    """Connections cut after any message, while tasks move and end."""
    dice = Random(seed)
    async with both(tmp_path) as (built, path):
        play = Play(built.house, dice)
        await play.begin()
        programs, pages = Clerk(), Clerk()
        over = False

        async def churn() -> None:
            while not over:
                await play.turn()
                await asyncio.sleep(dice.choice((0.0, 0.001, 0.01)))

        async def program_reads() -> None:
            for _ in range(25):
                await call_in(path, programs, dice.randint(0, 12))

        async def page_reads() -> None:
            for _ in range(25):
                await look_in(built, pages, dice.randint(1, 12))

        churning = asyncio.create_task(churn())
        await asyncio.gather(program_reads(), page_reads())
        over = True
        await churning
        for clerk in (programs, pages):
            assert clerk.at is not None
            clerk.check(clerk.at)
            assert len(clerk.got) > 20
