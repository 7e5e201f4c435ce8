"""`data_dir`: the directory that watched work fills, and a probe that looks at its disk as well."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from kaspad_taskd.base.tables import Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Disk, Hint, Json, Observation, Refused, Scalar
from kaspad_taskd.core.runway import EVERY_S, GAP_S, Past, Sample, Space, seen
from kaspad_taskd.probes.probe_type import Means, Probe, read_files_only
from kaspad_taskd.probes.space import Hidden, measure

PATIENCE_S: Final = 1.0
SHARE: Final = 0.5
"""Of the look's time, what the disk may take; the look itself goes on meanwhile."""
SILENT_S: Final = 60.0
"""A file system that has not answered for so long is told."""
KEPT: Final = "dataDir"
"""Where the memory of a probe has what is remembered of its disk."""
HIDDEN: Final = "data-dir-hidden"

Found: TypeAlias = Space | Hidden | None


def read_data_dir(table: Table) -> str | None:
    """Return `data_dir`: the absolute path of the directory that the work fills.

    Over an API it is forbidden, as every path that is opened for whoever names it.
    """
    return read_files_only(
        table, "data_dir", r"/[^\0]*", "must be the absolute path of a directory"
    )


@dataclass(slots=True)
class _Asked:
    """A question to a file system that may never be answered."""

    answer: asyncio.Future[Found]
    since: float


class Meter:
    """Measures one directory, in a thread of its own: a network's file system may hang for ever.

    There is one such thread at most, and nothing waits for its end.
    """

    def __init__(self, path: str, ask: Callable[[str], Found] = measure) -> None:
        self._path, self._ask = path, ask
        self._asked: _Asked | None = None

    async def take(self, within: float) -> Found:
        """Return what is there; None where nothing was learnt, so far."""
        loop = asyncio.get_running_loop()
        if self._asked is None:
            self._asked = _Asked(loop.create_future(), loop.time())
            try:
                threading.Thread(target=self._run, args=(loop, self._asked.answer), daemon=True,
                                 name=f"room of {self._path}").start()  # fmt: skip
            except RuntimeError:  # no more threads: nothing of the directory
                self._asked = None
                return None
        asked = self._asked
        await asyncio.wait({asked.answer}, timeout=within)
        waited = loop.time() - asked.since
        if not asked.answer.done():
            silent: dict[str, Scalar] = {"path": self._path, "silent": int(waited)}
            return Hidden(silent) if waited >= SILENT_S else None
        self._asked = None
        return asked.answer.result() if waited < SILENT_S else None

    def _run(self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Found]) -> None:
        try:
            found = self._ask(self._path)
        except Exception as error:
            found = Hidden({"path": self._path, "problem": str(error)[:200]})
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(_answered, answer, found)


def _answered(answer: asyncio.Future[Found], found: Found) -> None:
    if not answer.done():
        answer.set_result(found)


class DiskProbe:
    """Takes the looks of another probe, and looks at the disk of its data meanwhile."""

    def __init__(self, probe: Probe, path: str, definition: Definition, means: Means) -> None:
        self._probe, self._wall = probe, means.wall
        self._within = min(PATIENCE_S, SHARE * definition.timeout)
        self._meter = Meter(path)
        self._looked: float | None = None
        self._disk: Disk | None = None
        self._hints: tuple[Hint, ...] = ()
        self._past: Past | None = None

    async def observe(self, memory: Mapping[str, Json]) -> Observation | None:
        """Take a look, and say what is known of the disk beside it."""
        kept = {key: value for key, value in memory.items() if key != KEPT}
        measuring = asyncio.ensure_future(self._measure(memory.get(KEPT)))
        try:
            observed = await self._probe.observe(kept)
            await measuring
        finally:
            measuring.cancel()
        if observed is None:
            return None
        hints = (*observed.hints, *self._hints)
        if isinstance(observed, Refused):
            return replace(observed, hints=hints)
        remembered = kept if observed.memory is None else dict(observed.memory)
        if self._past is not None:
            remembered[KEPT] = to_json(self._past, self._now(), self._wall())
        return replace(observed, hints=hints, memory=remembered, disk=self._disk)

    async def close(self) -> None:
        """Let the other probe's connections go."""
        await self._probe.close()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _measure(self, remembered: Json) -> None:
        now = self._now()
        if self._looked is not None and 0 <= now - self._looked < EVERY_S * 0.95:
            return
        if self._past is None:
            self._past = from_json(remembered, now, self._wall())
        found = await self._meter.take(self._within)
        if found is None:
            return
        self._looked = now
        if isinstance(found, Hidden):
            self._disk, self._hints = Disk(), (Hint(HIDDEN, found.params),)
            return
        self._hints = ()
        self._past, self._disk = seen(self._past, found, now)


def watched(probe: Probe | None, definition: Definition, means: Means) -> Probe | None:
    """Return the probe; where the definition names a directory, one that looks at its disk too."""
    path = definition.checker.get("dataDir")
    if probe is None or not isinstance(path, str):
        return probe
    return DiskProbe(probe, path, definition, means)


def to_json(past: Past, now: float, wall: int) -> dict[str, Json]:
    """Return the past as JSON: moments as seconds before `now`, which is `wall` (ms) by the clock.

    So it can be read by another process, in which steady time is another one.
    """
    known = (*past.samples, *(() if past.last is None else (past.last,)))
    numbers = [[round(now - each.at, 1), each.free, each.inodes, each.came] for each in known]
    rates = [round(past.rate, 1), round(now - past.rate_at, 1), round(past.files, 3),
             round(now - past.files_at, 1)]  # fmt: skip
    return {"at": wall, "total": past.total, "samples": numbers, "rates": rates}


def from_json(data: Any, now: float, wall: int) -> Past:
    """Return what `to_json` wrote; garbage, or what is too old to tell a rate, is nothing."""
    try:
        gap = (wall - data["at"]) / 1000
        if not 0 <= gap <= GAP_S:
            return Past()
        then = now - gap
        *samples, last = [
            Sample(then - float(ago), int(free), None if inodes is None else int(inodes), int(came))
            for ago, free, inodes, came in data["samples"]
        ]
        rate, rate_ago, files, files_ago = map(float, data["rates"])
        total = int(data["total"])
        return Past(tuple(samples), last, total, rate, then - rate_ago, files, then - files_ago)
    except (TypeError, ValueError, KeyError):
        return Past()
