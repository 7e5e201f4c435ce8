"""Keeps the mirror of registered definitions, off the loop; the state never waits for it."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Sequence

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.mirror import Mirror
from kaspad_taskd.core.model import Definition, Origin, Task

_log = logging.getLogger(__name__)

DELAY = 1.0
"""Seconds that copies wait, so that many registrations have the disk to themselves."""
LAST_WORDS = 0.3
"""Seconds at a stop for copies that are not written yet; the next start aligns the rest."""


class MirrorKeeper:
    """Writes the newest copy of each task that came, removes those of tasks that went."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._wanted: dict[str, Definition | None] = {}
        self._registered: list[Definition] = []
        self._wake = asyncio.Event()
        self._writing = threading.Lock()
        self._until = math.inf
        self._ending = False

    def put(self, definition: Definition) -> None:
        """Write it, soon."""
        self._wanted[definition.id] = definition
        self._wake.set()

    def drop(self, task_id: str) -> None:
        """Remove it, soon."""
        self._wanted[task_id] = None
        self._wake.set()

    def read(self) -> tuple[dict[str, Definition], list[Fault]]:
        """What the mirror knows, by id, and what is wrong with it. Blocks."""
        return self._mirror.read()

    def align(self, tasks: Sequence[Task]) -> None:
        """Bring the copies in line with the tasks, soon."""
        definitions = [task.definition for task in tasks]
        self._registered = [each for each in definitions if each.origin is Origin.API]

    async def run(self) -> None:
        """Write until cancelled."""
        await asyncio.to_thread(self._align)
        while True:
            await self._wake.wait()
            await asyncio.sleep(DELAY)
            self._wake.clear()
            await asyncio.to_thread(self._write)

    def end(self) -> None:
        """Begin nothing that can wait: the next start brings the copies in line with the tasks."""
        self._ending = True

    async def close(self) -> None:
        """Write what is wanted still, as far as there is time."""
        self.end()
        self._until = time.monotonic() + LAST_WORDS
        await asyncio.to_thread(self._write)
        if self._wanted:
            left = len(self._wanted)
            _log.warning("copies of registered definitions left for the next start: %d", left)

    def _align(self) -> None:
        try:
            with self._writing:
                self._mirror.align(self._registered, lambda: not self._ending)
        except (ImportError, OSError) as error:
            _log.warning("copies of registered definitions: %s", error)

    def _in_time(self) -> bool:
        return time.monotonic() < self._until

    def _write(self) -> None:
        with self._writing:
            while self._wanted and self._in_time():
                self._write_one(*self._wanted.popitem())

    def _write_one(self, task_id: str, definition: Definition | None) -> None:
        try:
            if definition is None:
                self._mirror.remove(task_id)
            else:
                self._mirror.write(definition)
        except (ImportError, OSError) as error:  # what writes one is loaded with the first
            _log.warning("it has no copy for reading: %s", error, extra={"task": task_id})
