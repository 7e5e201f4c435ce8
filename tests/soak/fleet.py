"""`./dev soak fleet`: 50 relays over a pair of Redis, under harm; then each journal is compared.

Five hosts have daemons of their own, which are worked with and killed; the others follow three
daemons that watch recorded syncs, played over and over. All speak to the pair through lines that
are cut, held up, and take the half of what is said. In the end what is kept of each host has to
be its journal, and two readers have to show it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from redis.exceptions import RedisError

from kaspad_taskd.base.durations import parse_duration
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import Recording, load
from tests.fakes.bridged import free_port
from tests.fakes.fleet_reader import Followed
from tests.fakes.harmful_proxy import HarmfulProxy
from tests.fakes.redis_server import Kept, RedisServer, Relay
from tests.fakes.taskd_process import Line, Taskd
from tests.fakes.writers import all_events
from tests.soak.promises import Promise

OWN, RECORDED, PLAYED = 5, 45, 3
"""Hosts with a daemon of their own, those that follow recorded syncs, and the daemons of these."""
NODES, SPEED, PASS_S = 4, 8.0, 50.0
"""Nodes of such a daemon, how fast they play, and seconds until one begins anew."""
KEEP = 100_000
BETWEEN_S = 2.0
"""Seconds between two harms, at most."""
CALM_S = 300.0
"""Seconds in which all has to be carried when no harm is done any more."""
DEFINITION = 'type = "node-sync"\nservice = "{name}"\ninterval = "1s"\n[checker]\nurl = "{url}"\n'
SAME = ("status", "health", "attempt", "origin", "createdAt")


T = TypeVar("T")


class Pair:
    """Two servers, of which one is the master, and the lines to both."""

    def __init__(self, place: Path, dice: random.Random) -> None:
        self._dice = dice
        self._servers = [
            RedisServer(place / name, "--repl-diskless-sync-delay", "0", port=free_port())
            for name in ("one", "two")
        ]
        self.lines = [HarmfulProxy(each.socket, dice) for each in self._servers]

    @property
    def master(self) -> RedisServer:
        """The one that is written to."""
        return self._servers[0]

    async def __aenter__(self) -> Pair:
        first, second = self._servers
        first.start()
        second.start("--replicaof", f"127.0.0.1 {first.port}")
        for line in self.lines:
            await line.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self.lines:
            await line.__aexit__(None, None, None)
        for server in self._servers:
            server.__exit__(None, None, None)

    async def kill(self) -> None:
        """Kill the master; it comes back with what it has on its disk."""
        self.master.kill()
        await asyncio.sleep(self._dice.random() * 2)
        await asyncio.to_thread(self.master.start)

    async def fail_over(self) -> None:
        """Lose the master, whose replica has not heard its last; it comes back as the replica."""
        old, new = self._servers
        with new.client() as client:
            client.execute_command("REPLICAOF", "NO", "ONE")
        await asyncio.sleep(self._dice.random() * 2)
        old.kill()
        await asyncio.sleep(self._dice.random())
        self._servers.reverse()
        await asyncio.to_thread(old.start, "--replicaof", f"127.0.0.1 {new.port}")

    def cut(self) -> None:
        """End all connections."""
        for line in self.lines:
            line.cut()


class Played:
    """A daemon that watches nodes on recorded syncs, which begin anew at their end."""

    def __init__(self, place: Path, recording: Recording) -> None:
        self.taskd = Taskd(place)
        self._recording = recording
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Start it."""
        for number in range(NODES):
            port, name = free_port(), f"node-{number}"
            url = f"grpc://127.0.0.1:{port}"
            self.taskd.define(name, DEFINITION.format(name=name, url=url))
            beginning = number * self._recording.duration / NODES
            self._tasks.append(asyncio.create_task(self._play(port, beginning)))
        await self.taskd.start()

    async def _play(self, port: int, beginning: float) -> None:
        while True:
            async with PlayingNode(self._recording, SPEED, port=port, beginning=beginning):
                await asyncio.sleep(PASS_S)
            beginning = 0.0

    async def end(self) -> None:
        """Let its nodes be as they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Soak:
    """The fleet and what is done to it.

    Args:
        place: where everything lies.
        dice: decides.
        recorded: hosts that follow recorded syncs.
        own: hosts with a daemon of their own.
    """

    def __init__(
        self, place: Path, dice: random.Random, recorded: int = RECORDED, own: int = OWN
    ) -> None:
        self._place = place
        self._dice = dice
        self._recorded = recorded
        self._daemons = [Taskd(place / f"own-{number}") for number in range(own)]
        self._played: list[Played] = []
        self._relays: list[tuple[Relay, Taskd]] = []
        self._readers: list[Followed] = []
        self.harms: dict[str, int] = {}
        self.events = Promise("what is kept of a host is its journal: none missing, none twice")
        self.readers = Promise("each reader shows each host as its daemon says it is")
        self.logs = Promise("no traceback, and no relay takes another for its rival")

    async def go(self, seconds: float) -> None:
        """Do harm for so long, then compare."""
        async with AsyncExitStack() as stack:
            self._pair = await stack.enter_async_context(Pair(self._place, self._dice))
            await self._begin(stack)
            working = [asyncio.create_task(self._work(each)) for each in self._daemons]
            for line in self._pair.lines:
                line.harm = True
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await asyncio.sleep(self._dice.random() * BETWEEN_S)
                await self._harm()
            for line in self._pair.lines:
                line.harm = False
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            for played in self._played:
                await played.end()
            await self._compare()

    async def _begin(self, stack: AsyncExitStack) -> None:
        recording = load()
        for daemon in self._daemons:
            await stack.enter_async_context(daemon)
            line = await daemon.start()
            await line.call("registerTask", id="busy", type="report", service="busy")
        for number in range(min(PLAYED, self._recorded)):
            played = Played(self._place / f"played-{number}", recording)
            self._played.append(played)
            await stack.enter_async_context(played.taskd)
            stack.push_async_callback(played.end)
            await played.begin()
        watched = [*self._daemons, *(self._played[n % PLAYED].taskd for n in range(self._recorded))]
        servers = [line.server for line in self._pair.lines]
        for number, taskd in enumerate(watched):
            relay = Relay(self._place, taskd.runtime / "watch.sock", f"host-{number:02}")
            relay.tell(servers, f"keep = {KEEP}")
            self._relays.append((await stack.enter_async_context(relay), taskd))
            await relay.start()
        for _ in range(2):
            reader = await Followed(*servers).__aenter__()
            self._readers.append(reader)
        stack.push_async_callback(self._end_readers)

    async def _end_readers(self) -> None:
        for reader in self._readers:
            await reader.__aexit__(None, None, None)

    async def _work(self, taskd: Taskd) -> None:
        """A task that pauses and goes on for ever, whoever kills its daemon."""
        for turn in count():
            try:
                line = await taskd.line()
                for again in count(turn):
                    await line.call("pauseTask" if again % 2 else "resumeTask", taskId="busy")
                    await asyncio.sleep(0.1)
            except Exception:  # killed, or just so: either is tried again
                await asyncio.sleep(0.1)

    # -- harm

    async def _harm(self) -> None:
        harms: dict[str, tuple[int, Callable[[], Awaitable[None]]]] = {
            "relay killed": (8, self._kill_relay),
            "relay stopped": (3, self._stop_relay),
            "daemon killed": (2, self._kill_daemon),
            "reader begun anew": (2, self._begin_reader_anew),
            "engine killed": (2, self._pair.kill),
            "fail-over": (1, self._pair.fail_over),
            "lines cut": (4, self._cut),
        }
        (name,) = self._dice.choices(list(harms), [weight for weight, _ in harms.values()])
        self.harms[name] = self.harms.get(name, 0) + 1
        await harms[name][1]()

    async def _kill_relay(self) -> None:
        await self._end_relay(signal.SIGKILL)

    async def _stop_relay(self) -> None:
        await self._end_relay(signal.SIGTERM)

    async def _end_relay(self, number: signal.Signals) -> None:
        relay, _ = self._dice.choice(self._relays)
        code, _ = await relay.end(number)
        self.logs.held(code in (0, -number), f"{relay.host} ended with {code}")
        await asyncio.sleep(self._dice.random())
        await relay.start()

    async def _kill_daemon(self) -> None:
        taskd = self._dice.choice(self._daemons)
        await taskd.kill()
        await asyncio.sleep(self._dice.random())
        await taskd.start()

    async def _begin_reader_anew(self) -> None:
        place = self._dice.randrange(len(self._readers))
        await self._readers[place].__aexit__(None, None, None)
        servers = [line.server for line in self._pair.lines]
        self._readers[place] = await Followed(*servers).__aenter__()

    async def _cut(self) -> None:
        self._pair.cut()

    # -- what is left

    async def _compare(self) -> None:
        until = time.monotonic() + CALM_S
        with self._pair.master.client() as client:
            for relay, taskd in self._relays:
                await self._compare_host(Kept(client, relay.host), taskd, until)
        for relay, taskd in self._relays:
            for number, reader in enumerate(self._readers):
                wrong = await self._differs(reader, relay.host, taskd, until)
                self.readers.held(not wrong, f"{relay.host}, reader {number}: {wrong}")
        for relay, _ in self._relays:
            for word in ("Traceback", "another relay"):
                self.logs.held(word not in relay.said(), f"{relay.host}: {word} in {relay.log}")

    async def _compare_host(self, kept: Kept, taskd: Taskd, until: float) -> None:
        """Wait until its events are its journal's; the recorded ones go on until then."""
        while True:
            wanted = await asked(taskd, all_events)
            try:
                there = kept.events()
            except (RedisError, OSError):
                there = []
            if there == wanted or time.monotonic() > until:
                break
            await asyncio.sleep(0.5)
        self.events.measured["events"] = self.events.measured.get("events", 0) + len(wanted)
        self.events.held(there == wanted and bool(wanted), f"{kept.host}: {first(there, wanted)}")

    async def _differs(self, reader: Followed, host: str, taskd: Taskd, until: float) -> str:
        """What a reader shows otherwise; "": nothing."""
        while True:
            wrong = await asked(taskd, partial(self._difference, reader, host))
            if not wrong or time.monotonic() > until:
                return wrong
            await asyncio.sleep(0.5)

    async def _difference(self, reader: Followed, name: str, line: Line) -> str:
        host = reader.mirror.hosts.get(name)
        if host is None or host.fault is not None:
            return "it is not known" if host is None else str(host.fault)
        tasks = {each["id"]: each for each in await line.call("getAllTasks")}
        if host.tasks.keys() != tasks.keys():
            return f"tasks {sorted(host.tasks)}"
        for task_id, task in tasks.items():
            known = host.task(task_id) or {}
            if [known.get(key) for key in SAME] != [task[key] for key in SAME]:
                return f"task {task_id}"
        shown = [{"seq": e.seq, "event": e.name, "data": e.data} for e in host.events()]
        wanted = (await all_events(line))[-len(shown) :]
        if not shown or shown != wanted:
            return first(shown, wanted)
        told = reader.events.get(name, [])
        return "" if told == list(range(told[0], told[0] + len(told))) else "told with holes"


async def asked(taskd: Taskd, question: Callable[[Line], Awaitable[T]]) -> T:
    """Ask a daemon over a line of its own: who has taken nothing for long has lost his."""
    line = await taskd.line()
    try:
        return await question(line)
    finally:
        await line.close()


def first(there: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> str:
    """The first event that is another one."""
    for one, other in zip(there, wanted, strict=False):
        if one != other:
            return f"{one} in place of {other}"
    return f"{len(there)} events in place of {len(wanted)}"


def main(given: list[str]) -> int:
    """Run it; returns 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="./dev soak fleet", description=__doc__)
    add = parser.add_argument
    add("--for", dest="span", default="1min", metavar="D", help="how long: 1min, 10min (1min)")
    add("--seed", type=int, default=None, help="of the dice; without it another one each time")
    add("--keep", action="store_true", help="leave logs and states where they are")
    options = parser.parse_args(given)
    seconds = parse_duration(options.span)
    if seconds is None:
        parser.error(f'--for: "{options.span}" is no duration; write "1min" or "10min"')
    logging.basicConfig(
        level=logging.ERROR
    )  # what readers say of their lines is what we do to them
    seed = random.randrange(10**6) if options.seed is None else options.seed
    place = Path(tempfile.mkdtemp(prefix="kaspad-taskd-fleet-"))
    print(f"for {options.span}, --seed {seed}, in {place}", flush=True)
    broken = asyncio.run(soak(place, seconds, seed))
    if not options.keep and not broken:
        shutil.rmtree(place)
    return 1 if broken else 0


async def soak(
    place: Path, seconds: float, seed: int, recorded: int = RECORDED, own: int = OWN
) -> list[str]:
    """Live for so many seconds; prints what was promised, returns what was broken."""
    began, it = time.monotonic(), Soak(place, random.Random(seed), recorded, own)
    await it.go(seconds)
    harms = ", ".join(f"{name} {times}" for name, times in sorted(it.harms.items()))
    print(f"{time.monotonic() - began:.0f} s, {recorded + own} relays; {harms}")
    promises = (it.events, it.readers, it.logs)
    for one in promises:
        figures = "".join(f", {name} {value:g}" for name, value in one.measured.items())
        print(f"{one.says}: put to the test {one.tried:,}, broken {one.broken:,}{figures}")
        for account in one.accounts:
            print(f"  {account}")
    return [account for one in promises for account in one.accounts]


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
