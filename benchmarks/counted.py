"""What `benchmarks/counts.py` counts: `python -m benchmarks.counted`, under valgrind.

Each piece of work is made and done once, so that nothing is done for the first time in what is
counted. Then two copies of the process (fork) do it not at all and many times; what they count
more than one another is the work alone, without the start of Python. A line for each piece tells
its name, how many times it was done, and the processes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, TypeAlias

from benchmarks.rpc import LINE
from benchmarks.rpc_servers import methods
from benchmarks.store import NOW, sample
from kaspad_taskd.api.method import Caller
from kaspad_taskd.api.wire import Shapes, event_shape
from kaspad_taskd.base import jsontext
from kaspad_taskd.bridge.browser import Browser
from kaspad_taskd.bridge.fanout import Fanout
from kaspad_taskd.bridge.own import OwnSource
from kaspad_taskd.core.fact import Event, EventName, Fact
from kaspad_taskd.core.inputs import Look
from kaspad_taskd.core.observation import Reading
from kaspad_taskd.core.transition import step
from kaspad_taskd.engine.follow import Progress
from kaspad_taskd.rpc.dispatch import Dispatcher
from kaspad_taskd.rpc.framing import Framer

Work: TypeAlias = Callable[[], object]
BROWSERS = 50
AT = NOW + 200_000


def dispatcher() -> Work:
    """Sixteen requests on one connection: framed, dispatched, answered."""
    dispatch, framer, caller = Dispatcher(methods()), Framer(), Caller("rpc", 1, 2, 3)
    lines = LINE * 16
    return lambda: [dispatch.answer(line, caller) for line in framer.feed(lines) if line]


def one_step() -> Work:
    """A look that brought progress, taken into its task."""
    task = sample(1)
    reading = Reading(position=1e8 + 21_000, target=2e8, unit="blocks", basis="exact")
    look = Look(task.attempt, reading)
    return lambda: step(task, task.definition, look, AT)


def codec() -> Work:
    """A task that has changed, and its event, as text and back."""
    shapes = Shapes(lambda _id: 1.0, lambda _id: None, lambda: AT)
    task = sample(1)
    fact = Fact(EventName.HEALTH, task.id, "s", "node-sync", AT, {"from": "ok", "health": "ok"})

    def once() -> None:
        for shape in (shapes.task(replace(task)), event_shape(Event(7, fact))):
            jsontext.loads(jsontext.dumps(shape))

    return once


class _Line(asyncio.Transport):
    """A browser's line that takes everything at once."""

    def is_closing(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0


def fan_out() -> Work:
    """A task's progress to fifty browsers."""
    switches = SimpleNamespace(running=list)
    engine = SimpleNamespace(seq=7, now=lambda: AT, tasks=list, switches=switches)
    api: Any = SimpleNamespace(engine=engine)
    fan, task, loop = Fanout(OwnSource(api), lambda _why: None), sample(1), asyncio.new_event_loop()

    async def come() -> list[asyncio.Task[Any]]:
        waiting = []
        for number in range(BROWSERS):
            browser = Browser(str(number), "", lambda: True)
            await fan.join(browser, dict)
            while not browser.outbox.empty():
                browser.outbox.get_nowait()
            browser.outbox.transport, browser.outbox.upgraded = _Line(), lambda: True
            waiting.append(loop.create_task(browser.outbox.get()))
        await asyncio.sleep(0)
        return waiting

    waiting = loop.run_until_complete(come())

    def once() -> None:
        loop.run_until_complete(fan._send([Progress(replace(task), 7)]))
        assert not any(each.done() for each in waiting), "it went by a queue"

    return once


WORK: dict[str, tuple[Callable[[], Work], int]] = {
    "dispatcher": (dispatcher, 40),
    "step": (one_step, 100),
    "codec": (codec, 40),
    "fan-out": (fan_out, 30),
}
"""What is counted, and how often it is done: some millions of instructions each."""


def copy(work: Work, times: int) -> int:
    """Do it so many times in a copy of this process; returns that one's id."""
    child = os.fork()
    if child == 0:
        for _ in range(times):
            work()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("a piece of work failed, see above")
    return child


def count_from_here() -> None:
    """Have callgrind begin to count: imports before it are five times as fast so."""
    command = ["vgdb", "--max-invoke-ms=0", f"--pid={os.getpid()}", "instrumentation", "on"]
    begin = subprocess.Popen(command)
    while begin.poll() is None:  # it is heard while something runs, not in a system call
        pass
    if begin.returncode != 0:
        raise SystemExit("valgrind did not begin to count, see above")


def run() -> None:
    """Do all."""
    gc.disable()
    count_from_here()
    for name, (make, times) in WORK.items():
        work = make()
        for _ in range(20):  # by then Python has specialized its bytecode
            work()
        print(name, times, copy(work, 0), copy(work, times), flush=True)
    os._exit(0)  # what was made for it is not taken apart


if __name__ == "__main__":
    run()
