"""The house of the pictures: a daemon with the demo's node and its neighbours, in many states.

The daemon is the whole program, at the pace of the clock. The node plays the recording of the demo;
the indexer is the tests' twin of one, which in the middle of its work is started anew to migrate
its database, and does not answer meanwhile; one job has reported its end, another reports how far
it is, and a task waits for the node.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from kaspad_taskd.demo.show import DEFINITION, TASK
from tests.fakes.bridged import bridged
from tests.fakes.indexers import BEHIND, SimplyKaspa
from tests.fakes.taskd_process import Line, until

Step: TypeAlias = Callable[[float], Awaitable[None]]
"""A neighbour's work, told the seconds that have passed."""

DAEMON = "docs.pictures.daemon"
INDEXER_PORT = 8500  # where a simply-kaspa-indexer listens by itself
IMPORT, BACKUP = "report-snapshot-import", "report-archive-backup"
NEIGHBOURS = {
    "indexer-sync-simply-kaspa-indexer": f"""\
type = "indexer-sync"
service = "simply-kaspa-indexer"
interval = "5s"
[checker]
url = "http://127.0.0.1:{INDEXER_PORT}"
network = "mainnet"
log = "{{log}}"
""",
    "indexer-sync-k-indexer": f"""\
type = "indexer-sync"
service = "k-indexer"
after = ["{TASK}"]
[checker]
url = "http://127.0.0.1:3000"
source = "http://127.0.0.1:{INDEXER_PORT}"
network = "mainnet"
""",
    BACKUP: 'type = "report"\nservice = "archive-backup"\n',
    IMPORT: 'type = "report"\nservice = "snapshot-import"\n',
}

PATIENCE = 400.0
"""Seconds until the node's time left, which is known after about 265, must be."""
IMPORTED_AFTER, GONE_AFTER, SEEN_AFTER = 95.0, 70.0, 265.0
"""Seconds until the import is complete, until the indexer goes away, until pictures are taken."""
INDEXED, BACKED_UP = 31.0, 42.0
"""Percent: how far the indexer comes, and how far the backup is when pictures are taken."""


@dataclass(frozen=True)
class House:
    """A daemon that runs.

    Attributes:
        page: the address of its page.
        socket: the path of its socket.
        line: a connection to it.
        life: what its neighbours do.
    """

    page: str
    socket: Path
    line: Line
    life: asyncio.Task[None]

    async def tasks(self) -> list[Mapping[str, Any]]:
        """Return all tasks as the doors show them."""
        return list(await self.line.call("getAllTasks"))

    async def ready(self) -> None:
        """Return when the node's time left is known; raises TimeoutError."""

        async def known() -> bool:
            if self.life.done():
                self.life.result()  # why it ended
            task = await self.line.call("getTask", taskId=TASK)
            return task["estimatedTimeRemaining"] is not None

        await until(known, PATIENCE, 0.2)


@asynccontextmanager
async def house(place: Path) -> AsyncIterator[House]:
    """Build it under `place`, and let it live.

    Raises:
        OSError: the port of the indexer is taken.
    """
    logs = {name: place / f"{name}.log" for name in ("node", "indexer")}
    for log in logs.values():
        log.touch()
    async with PlayingNode(load(), log=logs["node"]) as node, _indexer(logs["indexer"]) as indexer:
        texts = {TASK: DEFINITION.format(interval=2000, url=node.url, log=logs["node"])}
        texts |= {name: text.format(log=logs["indexer"]) for name, text in NEIGHBOURS.items()}
        _define(place / "daemon" / "tasks.d", texts)
        async with bridged(place / "daemon", DAEMON) as (taskd, page):
            line = await taskd.line()
            life = asyncio.create_task(_live(line, indexer))
            try:
                yield House(page, taskd.socket, line, life)
            finally:
                life.cancel()
                await asyncio.gather(life, return_exceptions=True)
                await taskd.end()


@asynccontextmanager
async def _indexer(log: Path) -> AsyncIterator[SimplyKaspa]:
    indexer = SimplyKaspa(log)
    indexer.port = INDEXER_PORT
    await indexer.enter("catching-up")
    try:
        yield indexer
    finally:
        await indexer.enter("start")


def _define(tasks: Path, texts: Mapping[str, str]) -> None:
    tasks.mkdir(parents=True)
    for task_id, text in texts.items():
        (tasks / f"{task_id}.toml").write_text(text)


async def _live(line: Line, indexer: SimplyKaspa) -> None:
    """Let the neighbours do their work, a piece every two seconds."""
    began = time.monotonic()
    steps = (_index(indexer), _import(line), _back_up(line))
    while True:
        passed = time.monotonic() - began
        for step in steps:
            await step(passed)
        await asyncio.sleep(2)


def _index(indexer: SimplyKaspa) -> Step:
    async def step(passed: float) -> None:
        if indexer.up:
            indexer.behind = round(BEHIND * (1 - INDEXED / 100 * min(1.0, passed / GONE_AFTER)))
            if passed > GONE_AFTER + 10:  # its last words were heard
                await indexer.enter("migrating")

    return step


def _import(line: Line) -> Step:
    complete = False

    async def step(passed: float) -> None:
        nonlocal complete
        done = round(100 * passed / IMPORTED_AFTER, 1)
        if done < 100:
            await line.call("reportTask", taskId=IMPORT, progress=done)
        elif not complete:
            complete = True
            await line.call("completeTask", taskId=IMPORT)

    return step


def _back_up(line: Line) -> Step:
    async def step(passed: float) -> None:
        done = round(BACKED_UP * passed / SEEN_AFTER, 2)
        await line.call("reportTask", taskId=BACKUP, progress=done)

    return step
