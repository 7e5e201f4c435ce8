"""`./dev soak fleet`: 50 relays over a pair of Redis, under harm; then each journal is compared.

Five hosts have daemons of their own, which are worked with and killed; the others follow three
daemons that watch recorded syncs, played over and over. All speak to the pair through lines that
are cut, held up, and take the half of what is said; two hubs and a reader in this process show
them. In the end what is kept of each host has to be its journal, and all three have to show it.
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
from itertools import count
from pathlib import Path

from kaspad_taskd.base.durations import parse_duration
from kaspad_taskd.demo.recording import load
from tests.fakes.fleet_reader import Followed
from tests.fakes.hub import HubProcess
from tests.fakes.patience import awaited, once
from tests.fakes.redis_server import Kept, Relay
from tests.fakes.taskd_process import Taskd
from tests.soak.alike import AtHub, Comparison, Reader, same_rows
from tests.soak.pair import Pair
from tests.soak.played import Played
from tests.soak.promises import Promise

OWN, RECORDED, PLAYED, HUBS = 5, 45, 3, 2
"""Hosts with a daemon of their own, those on recorded syncs, the daemons of these; hubs."""
KEEP = 100_000
BETWEEN_S = 2.0
"""Seconds between two harms, at most."""
BESIDE = 5
"""Relays that begin at once."""
PATIENCE_S = 300.0
"""Seconds for whatever one thing has to come: a start, an end, a harm."""
CALM_S = 900.0
"""Seconds in which all has to be carried and shown when no harm is done any more."""


class Soak:
    """The fleet and what is done to it.

    Args:
        place: where everything lies.
        dice: decides.
        recorded: hosts that follow recorded syncs.
        own: hosts with a daemon of their own.

    Attributes:
        harms: how often each was done.
        calm: seconds until all was alike when no harm was done any more.
    """

    def __init__(
        self, place: Path, dice: random.Random, recorded: int = RECORDED, own: int = OWN
    ) -> None:
        self._place = place
        self._dice = dice
        self._recorded = recorded
        self._pair = Pair(place, dice, PATIENCE_S)
        self._daemons = [Taskd(place / f"own-{number}") for number in range(own)]
        self._played: list[Played] = []
        self._relays: list[tuple[Relay, Taskd]] = []
        self._hubs: list[HubProcess] = []
        self._reader: Followed | None = None
        self.harms: dict[str, int] = {}
        self.calm = 0.0
        self.events = Promise("what is kept of a host is its journal: none missing, none twice")
        self.shown = Promise("each hub shows each host as its daemon says it is")
        self.same = Promise("all hubs show the same")
        self.logs = Promise("no traceback, and no relay takes another for its rival")

    @property
    def connections(self) -> int:
        """How many there were to the pair."""
        return self._pair.connections

    async def go(self, seconds: float) -> None:
        """Do harm for so long, then compare."""
        stack = AsyncExitStack()
        try:
            async with awaited("the fleet begins", PATIENCE_S * 4):
                await self._begin(stack)
            working = [asyncio.create_task(self._work(each)) for each in self._daemons]
            stack.callback(lambda: [task.cancel() for task in working])
            await self._do_harm(seconds)
            async with awaited("those who work with the daemons, and the nodes, end", PATIENCE_S):
                for task in working:
                    task.cancel()
                await asyncio.gather(*working, return_exceptions=True)
                for played in self._played:
                    await played.end()
            await self._compare()
        finally:
            async with awaited("all processes end", PATIENCE_S):
                await stack.aclose()

    async def _begin(self, stack: AsyncExitStack) -> None:
        """All of it, and until each host is heard: what comes is harm to what was well."""
        await stack.enter_async_context(self._pair)
        recording = load()
        for daemon in self._daemons:
            daemon.patience = PATIENCE_S
            await stack.enter_async_context(daemon)
            line = await daemon.start()
            await line.call("registerTask", id="busy", type="report", service="busy")
        for number in range(min(PLAYED, self._recorded)):
            played = Played(self._place / f"played-{number}", recording)
            played.taskd.patience = PATIENCE_S
            self._played.append(played)
            await stack.enter_async_context(played.taskd)
            stack.push_async_callback(played.end)
            await played.begin()
        for number in range(HUBS):
            hub = HubProcess(self._place / f"hub-{number}", self._servers())
            hub.patience = PATIENCE_S
            self._hubs.append(await stack.enter_async_context(hub))
        stack.push_async_callback(self._end_reader)
        await self._begin_reader()
        watched = [*self._daemons, *(self._played[n % PLAYED].taskd for n in range(self._recorded))]
        for start in range(0, len(watched), BESIDE):
            await self._begin_relays(stack, start, watched[start : start + BESIDE])

    async def _begin_relays(self, stack: AsyncExitStack, start: int, some: list[Taskd]) -> None:
        """A few at once: fifty programs that begin together stand in each other's way."""
        begun = []
        for number, taskd in enumerate(some, start):
            relay = Relay(self._place, taskd.runtime / "watch.sock", f"host-{number:02}")
            relay.patience = PATIENCE_S
            relay.tell(self._servers(), f"keep = {KEEP}")
            self._relays.append((await stack.enter_async_context(relay), taskd))
            await relay.start()
            begun.append(relay.host)

        def heard() -> bool:
            assert self._reader is not None
            hosts = [self._reader.mirror.hosts.get(name) for name in begun]
            return all(host is not None and host.answers for host in hosts)

        await once(heard, f"{', '.join(begun)} and their daemons are heard", PATIENCE_S)

    def _servers(self) -> list[str]:
        return [line.server for line in self._pair.lines]

    async def _begin_reader(self) -> None:
        self._reader = await Followed(*self._servers()).__aenter__()

    async def _end_reader(self) -> None:
        if self._reader is not None:
            async with awaited("the reader ends", PATIENCE_S):
                await self._reader.__aexit__(None, None, None)

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

    async def _do_harm(self, seconds: float) -> None:
        self._pair.harm(True)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(self._dice.random() * BETWEEN_S)
            await self._harm()
        self._pair.harm(False)

    async def _harm(self) -> None:
        harms: dict[str, tuple[int, Callable[[], Awaitable[None]]]] = {
            "relay killed": (8, self._kill_relay),
            "relay stopped": (3, self._stop_relay),
            "daemon killed": (2, self._kill_daemon),
            "hub killed": (2, self._kill_hub),
            "reader begun anew": (1, self._begin_reader_anew),
            "engine killed": (2, self._pair.kill),
            "fail-over": (1, self._pair.fail_over),
            "lines cut": (4, self._pair.cut),
        }
        (name,) = self._dice.choices(list(harms), [weight for weight, _ in harms.values()])
        self.harms[name] = self.harms.get(name, 0) + 1
        async with awaited(f"{name}, and back", PATIENCE_S):
            await harms[name][1]()

    async def _kill_relay(self) -> None:
        await self._end_relay(signal.SIGKILL)

    async def _stop_relay(self) -> None:
        await self._end_relay(signal.SIGTERM)

    async def _end_relay(self, number: signal.Signals) -> None:
        relay, _ = self._dice.choice(self._relays)
        assert relay.process is not None
        if relay.process.returncode is None:
            code, _ = await relay.end(number)
            self.logs.held(code in (0, -number), f"{relay.host} ended with {code}")
        else:
            self.logs.held(False, f"{relay.host} ended by itself with {relay.process.returncode}")
        await asyncio.sleep(self._dice.random())
        await relay.start()

    async def _kill_daemon(self) -> None:
        taskd = self._dice.choice(self._daemons)
        await taskd.kill()
        await asyncio.sleep(self._dice.random())
        await taskd.start()

    async def _kill_hub(self) -> None:
        hub = self._dice.choice(self._hubs)
        await hub.stop(signal.SIGKILL)
        await asyncio.sleep(self._dice.random())
        await hub.start()

    async def _begin_reader_anew(self) -> None:
        await self._end_reader()
        await self._begin_reader()

    # -- what is left

    async def _compare(self) -> None:
        assert self._reader is not None
        began = time.monotonic()
        until = began + CALM_S
        hubs = [AtHub(hub) for hub in self._hubs]
        viewers = {f"hub {number}": hub for number, hub in enumerate(hubs)}
        with self._pair.master.client() as client:
            hosts = [(Kept(client, relay.host), taskd) for relay, taskd in self._relays]
            it = Comparison(hosts, {**viewers, "reader": Reader(self._reader)})
            await it.run(until)
        self.events.measured["events"] = it.events
        for relay, _ in self._relays:
            for name in ("", *viewers, "reader"):
                wrong = it.wrong.get((relay.host, name), "")
                promise = self.shown if name else self.events
                promise.held(not wrong, f"{relay.host} {name}: {wrong}")
        wrong = await same_rows(hubs, len(self._relays), until)
        self.same.held(not wrong, wrong)
        self.calm = time.monotonic() - began
        for said, log in [
            *((relay.said(), relay.log) for relay, _ in self._relays),
            *((hub.log.read_text(), hub.log) for hub in self._hubs),
            *((taskd.said(), taskd.log) for _, taskd in self._relays),
        ]:
            for word in ("Traceback", "another relay"):
                self.logs.held(word not in said, f"{word} in {log}")


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
    print(f"{it.connections:,} connections; all alike {it.calm:.0f} s after the last harm")
    promises = (it.events, it.shown, it.same, it.logs)
    for one in promises:
        figures = "".join(f", {name} {value:,.0f}" for name, value in one.measured.items())
        print(f"{one.says}: put to the test {one.tried:,}, broken {one.broken:,}{figures}")
        for account in one.accounts:
            print(f"  {account}")
    return [account for one in promises for account in one.accounts]


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
