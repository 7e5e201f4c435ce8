"""Durable changes: the store beside SQLite itself, in turns, in one run.

Run it by `./dev bench store`. All put the same document in the same table, WAL and FULL, on the
same disk: SQLite in a plain loop that waits for each commit, the store through its queue and
threads. Between them is SQLite in a thread that an event loop asks and hears of, with nothing of
ours: what a loop pays that does not stand still for the disk. With 64 at once the store gathers;
how long the event loop was late meanwhile is told too. Machines differ and are noisy: only the
ratios within one run count.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue

from benchmarks.process import quantile
from kaspad_taskd.core.model import Definition, Detail, Health, Live, Samples, Status, Task, Window
from kaspad_taskd.core.record import Change, Outcome
from kaspad_taskd.store.codec import task_text
from kaspad_taskd.store.sqlite import SqliteStore

AT_ONCE = 64
PUT = "INSERT INTO tasks VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document"
NOW = 1_790_000_000_000


def sample(number: int) -> Task:
    """A node at work: some 1.6 KB as a document."""
    name = f"node-sync-{number}"
    checker = {"url": "grpc://localhost:16110", "network": "mainnet", "max_lag": 60.0}
    moments = tuple(NOW + n * 10_000 for n in range(20))
    samples = Samples(moments, tuple(1e8 + n * 1000.0 for n in range(20)))
    live = Live(
        last_checked=NOW,
        last_update=NOW,
        position=1e8,
        target=2e8,
        detail=Detail(1e8, 2e8, "blocks", "exact"),
        rate=100.0,
        eta=1e6,
        metadata={"peers": 8, "version": "1.0.1", "network": "mainnet"},
        window=Window("blocks", samples),
    )
    definition = Definition(name, "node-sync", name, checker=checker)
    return Task(definition, NOW, number, Status.IN_PROGRESS, Health.OK, live=live)


@dataclass
class Found:
    """Seconds of each single change, changes a second at once, seconds that the loop was late."""

    single: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)


class Ours:
    """The store, and who waits for it."""

    def __init__(self, store: SqliteStore) -> None:
        self.found = Found()
        self._store = store
        self._tasks = [sample(number) for number in range(AT_ONCE)]
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.fault is not None:
                raise SystemExit(outcome.fault)
            self._waiting.pop(outcome.change.put[0].id).set_result(None)

    async def put(self, number: int) -> None:
        task = self._tasks[number]
        self._tasks[number] = task = replace(task, revision=task.revision + 1)
        done = asyncio.get_running_loop().create_future()
        self._waiting[task.id] = done
        self._store.submit(Change(put=(task,)))
        await done

    async def one_at_a_time(self, count: int) -> None:
        for _ in range(count):
            began = time.perf_counter()
            await self.put(0)
            self.found.single.append(time.perf_counter() - began)

    async def at_once(self, count: int) -> None:
        async def updater(number: int) -> None:
            for _ in range(count // AT_ONCE):
                await self.put(number)

        watch = asyncio.create_task(self._watch())
        began = time.perf_counter()
        await asyncio.gather(*map(updater, range(AT_ONCE)))
        self.found.rate.append(count / (time.perf_counter() - began))
        watch.cancel()

    async def _watch(self) -> None:
        """How much later than asked the loop wakes a sleeper."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            self.found.late.append(time.perf_counter() - began - 0.001)


class Theirs:
    """SQLite itself: the same rows, their documents made beforehand.

    Each has two, in turn: SQLite would not write what is there already.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self.found = Found()
        self._db = db
        tasks = [sample(number) for number in range(AT_ONCE)]
        self._rows, self._others = (
            [(task.id, task_text(replace(task, revision=revision))) for task in tasks]
            for revision in (1, 2)
        )

    def one_at_a_time(self, count: int) -> None:
        for _ in range(count):
            began = time.perf_counter()
            self.commit(1)
            self.found.single.append(time.perf_counter() - began)

    def at_once(self, count: int) -> None:
        began = time.perf_counter()
        for _ in range(count // AT_ONCE):
            self.commit(AT_ONCE)
        self.found.rate.append(count / (time.perf_counter() - began))

    def commit(self, count: int) -> None:
        """Make the first `count` rows what they were not, in one transaction."""
        self._rows, self._others = self._others, self._rows
        self._db.execute("BEGIN IMMEDIATE")
        for row in self._rows[:count]:
            self._db.execute(PUT, row)
        self._db.execute("COMMIT")


class InThread:
    """SQLite itself, in a thread: the floor for whoever has an event loop to keep free."""

    def __init__(self, other: Theirs) -> None:
        self.found = Found()
        self._other = other
        self._queue: SimpleQueue[asyncio.Future[None] | None] = SimpleQueue()

    async def one_at_a_time(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._run, args=(loop,))
        thread.start()
        for _ in range(count):
            began = time.perf_counter()
            done = loop.create_future()
            self._queue.put(done)
            await done
            self.found.single.append(time.perf_counter() - began)
        self._queue.put(None)
        thread.join()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while (done := self._queue.get()) is not None:
            self._other.commit(1)
            loop.call_soon_threadsafe(done.set_result, None)


@asynccontextmanager
async def ours(directory: Path) -> AsyncIterator[Ours]:
    store = SqliteStore(directory / "state.db", lambda: NOW)
    store.open()
    made = Ours(store)
    store.start(made.settled)
    try:
        yield made
    finally:
        await store.close()


@contextmanager
def theirs(directory: Path) -> Iterator[Theirs]:
    path = directory / "sqlite.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE tasks (id TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT")
        yield Theirs(db)


async def measure(directory: Path, rounds: int, count: int) -> tuple[Found, Found, Found]:
    """In turns, so that all meet the same weather: the store, SQLite, SQLite in a thread."""
    async with ours(directory) as mine:
        with theirs(directory) as other:
            between = InThread(other)
            for _ in range(rounds):
                await mine.one_at_a_time(count)
                other.one_at_a_time(count)
                await between.one_at_a_time(count)
                await mine.at_once(count * AT_ONCE // 8)
                other.at_once(count * AT_ONCE // 8)
            return mine.found, other.found, between.found


def table(mine: Found, other: Found, between: Found) -> Iterator[str]:
    """The lines of the result; a ratio is ours to theirs."""
    yield f"{'':34}{'store':>10}{'SQLite':>10}{'ratio':>8}  goal"
    middle: Callable[[Sequence[float]], float] = statistics.median
    for name, share, goal in (("p50", 0.5, "<= 2"), ("p99", 0.99, "")):
        a, b = quantile(mine.single, share), quantile(other.single, share)
        label = f"one at a time, {name} ms"
        yield f"{label:34}{a * 1e3:10.3f}{b * 1e3:10.3f}{a / b:8.2f}  {goal}"
    c, b = quantile(between.single, 0.5), quantile(other.single, 0.5)
    label = "... SQLite in a thread, p50 ms"
    yield f"{label:34}{c * 1e3:10.3f}{b * 1e3:10.3f}{c / b:8.2f}"
    a, b = (len(found.single) / sum(found.single) for found in (mine, other))
    yield f"{'one at a time, changes/s':34}{a:10.0f}{b:10.0f}{a / b:8.2f}"
    many, batch = middle(mine.rate), middle(other.rate)
    label = f"{AT_ONCE} at once, changes/s"
    yield f"{label:34}{many:10.0f}{batch:10.0f}{many / batch:8.2f}"
    yield f"{'at once / one at a time':34}{many / a:10.1f}{batch / b:10.1f}{'':10}>= 8 (store)"
    late = quantile(mine.late, 0.99)
    yield f"{'loop late meanwhile, p99 ms':34}{late * 1e3:10.2f}{'':20}<= 5"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="./dev bench store", description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--count", type=int, default=400, help="single changes of a round")
    parser.add_argument("--directory", help="on the disk to measure (default: where /tmp is)")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        found = asyncio.run(measure(Path(directory), options.rounds, options.count))
    print("\n".join(table(*found)))


if __name__ == "__main__":
    main()
