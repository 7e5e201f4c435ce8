"""Looks at everything but nodes: what each costs, beside the bare question, in turns in one run.

Run it by `./dev bench probes`. CPU is that of the looking process; what it asks (an HTTP server of
the tests, a PostgreSQL) is a process of its own. Bare is what nobody can do without, over the same
library with a kept connection: a GET whose JSON is read, a SELECT, a program that is started and
read. A command's cost is its wall time, and the CPU of all of it with the program. Then the whole
daemon with many http-json tasks, beside a loop with as many bare GETs. Machines differ and are
noisy: only the ratios within one run count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.process import cpu_seconds, daemon, rss_mib
from kaspad_taskd.base.tables import Fault, Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.probes import TYPES, Means, open_probe

ME = (sys.executable, "-m", "benchmarks.probes")
PROGRAM = ("/bin/echo", '{"progress": 42}')
MANY, EVERY = 1000, 10.0
Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Pair:
    """A look and the bare question, with what `each` measures of them."""

    name: str
    goal: str
    look: Ask
    bare: Ask


def definition(kind: str, checker: dict[str, Any]) -> Definition:
    """A task of a type."""
    faults: list[Fault] = []
    read = TYPES[kind].parse(Table(checker, faults, "checker"), kind)
    assert not faults, faults
    return Definition(kind, kind, kind, checker=read.config)


@asynccontextmanager
async def looking(kind: str, checker: dict[str, Any], means: Means) -> AsyncIterator[Ask]:
    """A look, again and again, with its memory; it has to be a Reading."""
    probe = open_probe(definition(kind, checker), means)
    assert probe is not None
    memory: dict[str, Any] = {}

    async def look() -> None:
        seen = await probe.observe(memory)
        if not isinstance(seen, Reading):
            raise SystemExit(f"{kind} does not answer: {seen}")
        memory.update(seen.memory)

    try:
        yield look
    finally:
        await probe.close()


@contextmanager
def site() -> Iterator[dict[str, str]]:
    """The tests' HTTP server and simply-kaspa-indexer, in a process of their own: URLs by name."""
    with subprocess.Popen([*ME, "site"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


async def serve() -> None:
    """Be that server until killed."""
    from tests.fakes.indexers import SimplyKaspa
    from tests.fakes.website import Reply, Website

    twin = SimplyKaspa()
    await twin.enter("catching-up")
    async with Website({"/s": Reply({"done": 5, "total": 10})}) as plain:
        print(json.dumps({"plain": f"{plain.url}/s", "indexer": twin.url}), flush=True)
        while True:
            plain.asked.clear()
            twin.asked.clear()
            await asyncio.sleep(1)


@asynccontextmanager
async def over_http(urls: dict[str, str]) -> AsyncIterator[list[Pair]]:
    """The looks at JSON, and a bare GET."""
    import aiohttp

    places = {"url": urls["plain"], "done": "done", "total": "total"}
    indexer = {"url": urls["indexer"], "flavor": "simply-kaspa"}
    async with (
        aiohttp.ClientSession() as session,
        looking("http-json", places, Means()) as plain,
        looking("indexer-sync", indexer, Means()) as twin,
    ):

        async def bare() -> None:
            async with session.get(urls["plain"]) as answer:
                json.loads(await answer.read())

        async def bare_twice() -> None:
            for path in ("health", "metrics"):
                async with session.get(f"{urls['indexer']}/api/{path}") as answer:
                    json.loads(await answer.read())

        yield [
            Pair("http-json", "<= 1.5 ms", plain, bare),
            Pair("indexer-sync, simply-kaspa", "<= 1.5 ms", twin, bare_twice),
        ]


@asynccontextmanager
async def over_postgres() -> AsyncIterator[list[Pair]]:
    """The look at a database; none where no PostgreSQL is installed."""
    from tests.fakes.node_packages import Missing
    from tests.fakes.postgres import serving
    from tests.fakes.postgres_versions import programs, wanted

    try:
        found = programs(wanted()[0])
    except Missing as why:
        print(f"database-migration: not measured, {why}")
        yield []
        return
    with serving(found) as server:
        root = await server.admin()
        await root.execute("CREATE TABLE vars (key text, value text);"
                           "INSERT INTO vars VALUES ('schema_version', '22')")  # fmt: skip
        file = server.home / "dsn"
        await asyncio.to_thread(file.write_text, server.dsn("postgres", "admin", None))
        means = Means(databases={"x": file})
        checker = {"dsn": "x", "tool": "simply-kaspa"}
        async with looking("database-migration", checker, means) as look:
            bare = "SELECT key, value FROM vars"
            yield [Pair("database-migration", "<= 3 ms", look, lambda: root.fetch(bare))]
        root.terminate()


@asynccontextmanager
async def over_commands() -> AsyncIterator[list[Pair]]:
    """A look by a command, and the same program started and read."""

    async def bare() -> None:
        process = await asyncio.create_subprocess_exec(*PROGRAM, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        json.loads(output)

    async with looking("command", {"command": list(PROGRAM)}, Means()) as look:
        yield [Pair("command", "<= 2 of bare", look, bare)]


def cpu() -> float:
    """Seconds of CPU of this process and of what it started, whether that has ended or not."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used) + living()


def living() -> float:
    """Seconds of CPU of the children that live (those that keep commands), and of theirs."""
    ticks = os.sysconf("SC_CLK_TCK")
    seconds = 0.0
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += sum(map(int, stat[11:15])) / ticks
    return seconds


async def each(ask: Ask, count: int) -> tuple[float, float]:
    """CPU ms and wall ms of one of `count`."""
    before, began = cpu(), time.perf_counter()
    for _ in range(count):
        await ask()
    return (cpu() - before) / count * 1000, (time.perf_counter() - began) / count * 1000


async def measure(pair: Pair, rounds: int, count: int) -> str:
    """The line of a table: medians of rounds, in turns."""
    await each(pair.look, 20)
    await each(pair.bare, 20)
    looks, bares = [], []
    for _ in range(rounds):
        looks.append(await each(pair.look, count))
        bares.append(await each(pair.bare, count))
    look, bare = (tuple(map(statistics.median, zip(*all_, strict=True))) for all_ in (looks, bares))
    shown = "".join(f"{a:8.2f}{b:8.2f}{a / b:7.2f}" for a, b in zip(look, bare, strict=True))
    return f"{pair.name:28}{shown}  {pair.goal}"


async def singles(urls: dict[str, str], rounds: int, count: int) -> None:
    """Measure each look beside the bare question."""
    print(f"{'':28}{'CPU ms':>8}{'bare':>8}{'ratio':>7}{'wall ms':>8}{'bare':>8}{'ratio':>7}  goal")
    for these in (over_http(urls), over_postgres(), over_commands()):
        async with these as pairs:
            for pair in pairs:
                print(await measure(pair, rounds, count), flush=True)


async def gets(url: str) -> None:
    """The floor of the many: as many loops, each a bare GET over a kept connection, for ever."""
    import aiohttp

    async def one(number: int) -> None:
        await asyncio.sleep(EVERY * number / MANY)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=90)
        ) as session:
            while True:
                async with session.get(url) as answer:
                    json.loads(await answer.read())
                await asyncio.sleep(EVERY)

    await asyncio.gather(*map(one, range(MANY)))


def weigh(pid: int, seconds: float) -> tuple[float, float]:
    """% of a core and MiB, once every task has looked twice."""
    time.sleep(2.5 * EVERY)
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    used = (cpu_seconds(pid) - before) / (time.monotonic() - began)
    return used * 100, rss_mib(pid)


def check(tasks: Sequence[dict[str, Any]]) -> None:
    """All of them are answered, and in time."""
    latest = datetime.now(UTC) - timedelta(seconds=1.2 * EVERY)
    good = sum(
        each["health"] == "ok" and datetime.fromisoformat(each["lastUpdate"]) > latest
        for each in tasks
    )
    if good != MANY:
        raise SystemExit(f"only {good} of {MANY} tasks are answered in time: {tasks[0]}")


def many(url: str, seconds: float) -> None:
    """Measure the daemon with many tasks, then the bare GETs."""
    with tempfile.TemporaryDirectory() as place:
        definitions = Path(place) / "definitions"
        definitions.mkdir()
        for number in range(MANY):
            (definitions / f"web-{number}.toml").write_text(
                f'type = "http-json"\nservice = "web-{number}"\ninterval = "{EVERY:g}s"\n'
                f'[checker]\nurl = "{url}"\ndone = "done"\ntotal = "total"\n'
            )
        with daemon(Path(place)) as started:
            core, rss = weigh(started.pid, seconds)
            check(started.call("getAllTasks"))
    with subprocess.Popen([*ME, "gets", url]) as process:
        bare_core, bare_rss = weigh(process.pid, seconds)
        process.kill()
    print(f"{f'{MANY} http-json tasks, {EVERY:g} s':28}{'daemon':>8}{'bare':>8}{'ratio':>7}  goal")
    for name, a, b, goal in (("CPU, % of a core", core, bare_core, "<= 15"),
                             ("memory, MiB", rss, bare_rss, "<= 90")):  # fmt: skip
        print(f"{name:28}{a:8.1f}{b:8.1f}{a / b:7.2f}  {goal}")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="./dev bench probes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=200, help="looks of a round")
    parser.add_argument("--seconds", type=float, default=20.0, help="the many are watched for")
    options = parser.parse_args(argv)
    with site() as urls:
        asyncio.run(singles(urls, options.rounds, options.count))
        print()
        many(urls["plain"], options.seconds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["site"]:
        asyncio.run(serve())
    elif sys.argv[1:2] == ["gets"]:
        asyncio.run(gets(sys.argv[2]))
    else:
        main()
