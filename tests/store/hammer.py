"""A program for the kill test: daemons that write as fast as they can and are killed meanwhile.

    hammer.py STATE ROUNDS SEED

Each round is a process of its own (forked, so that it need not start a Python): it opens the
state and lets four writers submit changes. What a writer was told to be durable it says over a
pipe, which outlives it. All of that goes to the standard output, a JSON text a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kaspad_taskd.core.record import Change, Outcome
from kaspad_taskd.store.sqlite import SqliteStore
from tests.store.samples import fact, task

WRITERS = 4
FACTS = 3  # of one change: all of them or none
LONGEST = 0.12  # seconds that a round may live, or as long as it needs for its first words
OPENING = 0.02  # who lives no longer is killed while it opens, or soon after
WORDS = 30  # lines that the others say first, at most


def now() -> int:
    return time.time_ns() // 1_000_000


def hammer(state: Path, round_number: int, pipe: int) -> None:
    """One daemon; never returns by itself."""

    def say(**words: Any) -> None:
        os.write(pipe, json.dumps({"round": round_number, **words}).encode() + b"\n")

    counts = [0] * WRITERS

    def submit(writer: int) -> None:
        counts[writer] += 1
        number = counts[writer]
        name = f"w{writer}"
        record = replace(task(name, number=writer), revision=round_number * 1_000_000 + number)
        facts = tuple(
            fact(name, now(), round=round_number, number=number, part=part) for part in range(FACTS)
        )
        store.submit(Change(put=(record,), facts=facts, cursors={name: record.revision}))

    def settled(outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            assert outcome.fault is None, outcome.fault
            writer = outcome.change.put[0].number
            data = outcome.events[0].fact.data
            say(writer=writer, number=data["number"], seqs=[each.seq for each in outcome.events])
            submit(writer)

    async def run() -> None:
        store.start(settled)
        for writer in range(WRITERS):
            submit(writer)
        await asyncio.sleep(60)

    store = SqliteStore(state, now)
    loaded = store.open()
    say(opened=loaded.seq, repaired=loaded.repaired and str(loaded.repaired))
    asyncio.run(run())


def one_round(state: Path, round_number: int, life: float, words: int) -> None:
    """Start a daemon, let it live and say so many words, kill it, pass on what it said."""
    out, pipe = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        hammer(state, round_number, pipe)
    os.close(pipe)
    deadline = time.monotonic() + life
    said = b""
    while (left := deadline - time.monotonic()) > 0 or said.count(b"\n") < words:
        if select.select([out], [], [], max(left, 0.001))[0]:
            heard = os.read(out, 1 << 20)
            if not heard:
                break  # it has ended by itself, and stderr says why
            said += heard
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(out, 1 << 20):
        said += more
    os.close(out)
    sys.stdout.buffer.write(said[: said.rfind(b"\n") + 1])


def main() -> None:
    state, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    for round_number in range(1, rounds + 1):
        life = dice.uniform(0.0, LONGEST)
        one_round(state, round_number, life, dice.randint(1, WORDS) if life > OPENING else 0)


if __name__ == "__main__":
    main()
