"""Keeps the mirror of registered definitions, off the loop; the state never waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from kaspad_taskd.config.mirror import Mirror
from kaspad_taskd.core.model import Definition, Origin, Task
from kaspad_taskd.tables import Fault

_log = logging.getLogger(__name__)

DELAY = 1.0
"""Seconds that copies wait, so that many registrations have the disk to themselves."""
LAST_WORDS = 2.0
"""Seconds at a stop for copies that are not written yet; the next start aligns the rest."""


class MirrorKeeper:
    """Writes copies in the order in which tasks come and go, the newest of each only."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._wanted: dict[str, Definition | None] = {}
        self._registered: list[Definition] = []
        self._wake = asyncio.Event()

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

    async def close(self) -> None:
        """Write what is wanted still."""
        try:
            async with asyncio.timeout(LAST_WORDS):
                await asyncio.to_thread(self._write)
        except TimeoutError:
            _log.warning("copies of registered definitions are left for the next start")

    def _align(self) -> None:
        try:
            self._mirror.align(self._registered)
        except OSError as error:
            _log.warning("copies of registered definitions: %s", error)

    def _write(self) -> None:
        while self._wanted:
            task_id, definition = next(iter(self._wanted.items()))
            try:
                if definition is None:
                    self._mirror.remove(task_id)
                else:
                    self._mirror.write(definition)
            except OSError as error:
                _log.warning("task=%s has no copy for reading: %s", task_id, error)
            if self._wanted.get(task_id) is definition:
                del self._wanted[task_id]
