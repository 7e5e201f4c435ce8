"""A state with ninety days of a watched node on record: the rules made it, in virtual time."""

from __future__ import annotations

import asyncio
import tomllib
from dataclasses import replace
from pathlib import Path

from kaspad_taskd.config.definitions import parse_definition
from kaspad_taskd.core.inputs import Look, Start
from kaspad_taskd.core.model import Definition, Origin, Task
from kaspad_taskd.core.observation import Following, Observation, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.probes import TYPES
from kaspad_taskd.store.sqlite import SqliteStore

DAY_S = 86_400
EVERY_S = 900
TROUBLES = (
    # days before the end, seconds, what is seen; "off": the daemon does not run
    (80.3, 2 * DAY_S + 7_000, "off"),
    (70.1, 200, "gone"),
    (61.5, 30_000, "bad"),
    (55.2, 4_000, "gone"),
    *((50 - each * 0.9, 700 + 100 * each, "gone" if each % 3 else "bad") for each in range(24)),
    (27.4, 40_000, "off"),
    (20.0, 3 * DAY_S, "gone"),
    (12.6, 9_000, "still"),
    (5.5, 180, "gone"),
    (2.3, 3_600, "bad"),
    (0.4, 600, "gone"),
)


class _Days:
    def __init__(self, path: Path, definition: Definition, end: int, days: float) -> None:
        self.path, self.end, self.score = path, end, 0
        self.wall = end - int(days * DAY_S) * 1000
        self.definition = replace(
            definition, watch_interval=float(EVERY_S), interval=10.0, behind_after=60.0,
            stall_after=3600.0, confirmations=1,
        )  # fmt: skip
        self.engine = self.opened()

    def now(self) -> int:
        return self.wall

    def opened(self) -> Engine:
        engine = Engine(SqliteStore(self.path, self.now), self.now)
        engine.begin(engine.store.open())
        return engine

    async def begin(self) -> None:
        task = Task(self.definition, self.wall, 1, health_since=self.wall)
        await self.engine.durable(self.engine.commit([task]))
        await self.engine.act(task.id, Start())

    def says(self, word: str) -> Observation:
        if word == "gone":
            return Unreachable(Reason.REFUSED, params={"address": "127.0.0.1:16110"})
        self.score += 0 if word == "still" else 600
        told = Following(str(self.score), float(self.score), 10.0, True)
        good = word in ("ok", "still")
        return Reading(complete=good, behind=0.5 if good else 835.0, following=told)

    async def look(self, word: str) -> None:
        written = self.engine.submit(self.definition.id, Look(1, self.says(word)))
        if written is not None:
            await written
        await asyncio.sleep(0)

    async def until(self, moment: int, word: str, every: int) -> None:
        while self.wall + every * 1000 <= moment:
            self.wall += every * 1000
            await self.look(word)

    async def off(self, moment: int) -> None:
        await self.close()
        self.wall = max(self.wall, moment)
        self.engine = self.opened()
        await self.look("ok")

    async def close(self) -> None:
        await asyncio.gather(*self.engine.flush(all_of_it=True))
        await self.engine.store.close()


async def fill(path: Path, task_id: str, definition: str, end: int, days: float = 90.2) -> None:
    """Write a state for a daemon that is started with this definition at `end`, ms.

    Args:
        path: of the state; there is none yet.
        task_id: of the definition.
        definition: its file's text.
        end: the last moment on record.
        days: how long it was watched.
    """
    found = parse_definition(
        tomllib.loads(definition), TYPES, origin=Origin.ADMIN, style="toml", id=task_id
    )
    assert isinstance(found, Definition), found
    life = _Days(path, found, end, days)
    await life.begin()
    await life.look("ok")
    for ago, lasts, word in TROUBLES:
        begins = end - int(ago * DAY_S) * 1000
        if begins <= life.wall:
            continue
        await life.until(begins, "ok", EVERY_S)
        if word == "off":
            await life.off(begins + lasts * 1000)
            continue
        await life.until(begins + lasts * 1000, word, 60 if lasts < 2000 else EVERY_S)
        life.wall += 60_000
        await life.look("ok")
    await life.until(end, "ok", EVERY_S)
    await life.close()
