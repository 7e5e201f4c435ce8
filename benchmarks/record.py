"""Records what a real kaspad tells while something happens to it (docs/truth.md).

./dev bench record SCENARIO OUT.jsonl, then python -m benchmarks.thin OUT.jsonl OUT.jsonl.gz

Needs kaspad 2.1.0 ($KASPAD, on the PATH, or cargo's), 2 GB of disk in $TMPDIR, a quiet host with
two cores, 5 to 10 minutes each; the clocks need `apt install faketime` too.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.nodes import DEPTHS, Network
from benchmarks.recorder import Recorder
from tests.fakes.kaspad import Kaspad, find_kaspad

DOWN_S = 3.0
"""Each recording begins with the node down."""
SHORTEST_S, LONGEST_S = 180.0, 400.0


@dataclass(frozen=True)
class Stage:
    """What a scenario plays with."""

    network: Network
    node: Kaspad
    recorder: Recorder

    async def start(self) -> None:
        await asyncio.sleep(DOWN_S)
        await self.node.start()
        self.recorder.event("node started")

    async def caught_up(self, then: float = 20.0) -> None:
        """Wait until the node has caught up, at most until the recording is long; then on."""
        try:
            async with asyncio.timeout(max(1.0, LONGEST_S - self.recorder.t)):
                await self.recorder.caught_up.wait()
        except TimeoutError:
            self.recorder.event("not caught up")
            return
        await asyncio.sleep(max(then, SHORTEST_S - self.recorder.t))


Play = Callable[[Stage], Awaitable[None]]


async def catch_up(stage: Stage) -> None:
    await stage.start()
    await stage.caught_up()


async def freeze_peer(stage: Stage, line: str) -> None:
    await stage.start()
    await stage.recorder.heard(line)
    peers = stage.recorder.last["peerInfo"]
    address = next(each["address"] for each in peers if each.get("isIbdPeer"))
    stage.network.freeze(stage.network.by_address(address))
    stage.recorder.event(f"peer {address} SIGSTOP (connection stays)")
    await stage.caught_up()


async def freeze_in_headers(stage: Stage) -> None:
    await freeze_peer(stage, r"IBD: Processed \d+ block headers \([345]\d%\)")


async def freeze_in_blocks(stage: Stage) -> None:
    await freeze_peer(stage, r"IBD: Processed \d+ blocks \([345]\d%\)")


async def lose_peer(stage: Stage) -> None:
    await stage.start()
    await stage.recorder.heard(r"IBD: Processed \d+ block headers \([789]\d%\)")
    await stage.network.lines[0].cut()
    stage.recorder.event("connection to the peer ended")
    await stage.caught_up()


async def cut_off(stage: Stage) -> None:
    await stage.start()
    await stage.recorder.caught_up.wait()
    await asyncio.sleep(15)
    for seconds, after in ((75, 50), (120, 50)):
        stage.network.lines[0].freeze()
        stage.recorder.event("relay frozen (connection stays)")
        await asyncio.sleep(seconds)
        stage.network.lines[0].thaw()
        stage.recorder.event("relay thawed")
        await asyncio.sleep(after)


async def crash_loop(stage: Stage) -> None:
    await stage.start()
    for _ in range(18):
        await asyncio.sleep(6)
        await stage.node.stop(signal.SIGKILL)
        stage.recorder.event("node SIGKILL")
        await stage.start()
    await stage.caught_up()


async def slow_line(stage: Stage) -> None:
    await stage.start()
    await asyncio.sleep(180)


async def wrong_clock(stage: Stage) -> None:
    await stage.start()
    await asyncio.sleep(210)


@dataclass(frozen=True)
class Scenario:
    """How a recording is made.

    Attributes:
        summary: what happens.
        play: makes it happen.
        away_s: how far the node is behind when it starts.
        rate: bytes a second on the line from each peer.
        peers: how many the node knows.
        params: the network's, None for simnet's own (isSynced up to 661 s behind, as on mainnet).
        fresh: the node has no data; else those of `away_s` ago.
        clock_s: seconds that the clock of its host is ahead.
    """

    summary: str
    play: Play
    away_s: float
    rate: float
    peers: int = 1
    params: Mapping[str, Any] | None = None
    fresh: bool = False
    clock_s: int = 0


SCENARIOS = {
    "away-1": Scenario("catches up after 1 minute offline", catch_up, 60, 10_000),
    "away-10": Scenario("catches up after 10 minutes offline", catch_up, 600, 16_000),
    "away-30": Scenario("catches up after 30 minutes offline", catch_up, 1800, 32_000),
    "frozen-headers": Scenario(
        "its peer freezes amid headers, two others gossip", freeze_in_headers, 600, 14_000, 3
    ),
    "frozen-blocks": Scenario(
        "its peer freezes amid blocks, two others gossip", freeze_in_blocks, 600, 14_000, 3
    ),
    "lost": Scenario(
        "the connection ends amid the staged headers of a proof",
        lose_peer, 1460, 24_000, params=DEPTHS, fresh=True,
    ),
    "cut-off": Scenario("in sync, then cut off twice", cut_off, 30, 32_000),
    "crash-loop": Scenario("killed every 6 s, 18 times", crash_loop, 600, 12_000),
    "ahead-2": Scenario(
        "its clock is 2 minutes ahead", wrong_clock, 60, 16_000, clock_s=120
    ),
    "ahead-10": Scenario(
        "its clock is 10 minutes ahead", wrong_clock, 60, 16_000, clock_s=600
    ),
    "behind-10": Scenario(
        "its clock is 10 minutes behind", wrong_clock, 600, 16_000, clock_s=-600
    ),
    "slow-line": Scenario(
        "its line is just as fast as the network: it follows, 13 s behind", slow_line, 60, 8_000
    ),
    "gossip": Scenario("three peers relay while it syncs", catch_up, 600, 14_000, 3),
}  # fmt: skip


def clock_prefix(seconds: int) -> tuple[str, ...]:
    """What runs a program with its clock so far ahead."""
    if not seconds:
        return ()
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise SystemExit("a wrong clock needs libfaketime: apt install faketime")
    faked = (f"LD_PRELOAD={found[0]}", f"FAKETIME={seconds:+d}", "FAKETIME_DONT_FAKE_MONOTONIC=1")
    return ("env", *faked)


async def record(scenario: Scenario, program: str, place: Path, out: Path) -> None:
    """Build the network, play the scenario, write down what the node told."""
    network = Network(program, place, scenario.params)
    node = None
    try:
        node = await network.build(
            scenario.peers, scenario.away_s, scenario.rate, scenario.fresh,
            clock_prefix(scenario.clock_s),
        )  # fmt: skip
        recorder = Recorder(network, node, 1000 * scenario.clock_s)
        running = asyncio.create_task(recorder.run())
        try:
            await scenario.play(Stage(network, node, recorder))
        finally:
            recorder.write(out)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await recorder.close()
    finally:
        if node is not None:
            await node.stop(signal.SIGKILL)
        await network.close()


def main(argv: Sequence[str]) -> None:
    """Record one scenario."""
    scenes = "\n".join(f"  {name:15} {each.summary}" for name, each in SCENARIOS.items())
    parser = argparse.ArgumentParser(
        prog="./dev bench record",
        description=f"{__doc__}\nscenarios:\n{scenes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", choices=SCENARIOS, metavar="SCENARIO")
    parser.add_argument("out", type=Path, metavar="OUT")
    options = parser.parse_args(argv)
    program = find_kaspad()
    if program is None:
        raise SystemExit("no kaspad: cargo install kaspad --version 2.1.0 --locked")
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(record(SCENARIOS[options.scenario], program, Path(place), options.out))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
