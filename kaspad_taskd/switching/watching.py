"""Watches the declared services: what of them needs somebody is known, told once, and told as over.

A look at all of them is one question to systemd. It is taken every EVERY seconds, at once after a
switch has ended, and whenever somebody asks: what is told was seen after it was asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.attention import Attention, AttentionCode, Known, Sight, judge, see
from kaspad_taskd.core.fact import EventName, Fact
from kaspad_taskd.core.observation import Json, Scalar
from kaspad_taskd.core.record import Outcome
from kaspad_taskd.core.switch import Switch
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.switching.hands import Hands

EVERY: Final = 30.0
"""Seconds between two looks when nothing happens."""
_ENDED: Final = (EventName.SWITCH_COMPLETE, EventName.SWITCH_ERROR)
_MARK: Final = "attention/"
_COUNTS: Final = ("restarts", "behind")
"""Parameters that grow: more of the same is no news."""

_log = logging.getLogger(__name__)


class Watching:
    """Looks at services, and keeps what was seen.

    Args:
        engine: puts on record what it finds, and holds it for all who tell it: `attentions`.
        services: what the settings declare, as they are now.
        hands: looks.
        stuck: why a service stays on a node that is lost or behind, though it should fall back.
    """

    def __init__(
        self,
        engine: Engine,
        services: Mapping[str, SwitchedService],
        hands: Hands,
        stuck: Callable[[str], Mapping[str, Scalar]],
    ) -> None:
        self._stuck = stuck
        self._engine = engine
        self._services = services
        self._hands = hands
        self._known: dict[str, tuple[SwitchedService, Known]] = {}
        self._told: dict[str, tuple[str, dict[str, Json]] | None] = {}
        self._wake = asyncio.Event()
        self._seq = 0
        self._looking: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    def known(self, service: str) -> Known | None:
        """What has been seen of a service as the settings declare it now."""
        declared, known = self._known.get(service, (None, None))
        return known if declared is not None and declared == self._services.get(service) else None

    async def run(self) -> None:
        """Look until cancelled."""
        self._begin()
        self._engine.on_events.append(self._heard)
        try:
            while True:
                self._wake.clear()
                await self.now()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY):
                        await self._wake.wait()
        finally:
            self._engine.on_events.remove(self._heard)
            for each in (self._looking, self._next):
                if each is not None:
                    each.cancel()

    async def now(self) -> None:
        """Take a look that begins after this call; all who wait for the next one share it."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._follow(self._looking))
        await asyncio.shield(self._next)

    async def _follow(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait((before,))
        self._looking, self._next = self._next, None
        await self._look()

    def _begin(self) -> None:
        """What an earlier daemon has told last stands on record by its code."""
        self._seq = self._engine.seq
        for mark in self._engine.marks:
            if mark.startswith(_MARK):
                service, _, code = mark.removeprefix(_MARK).partition("/")
                self._told[service] = code, {}

    def _heard(self) -> None:
        events = self._engine.recent(self._seq)
        self._seq = self._engine.seq
        if events is None or any(each.fact.name in _ENDED for each in events):
            self._wake.set()

    # -- a look

    async def _look(self) -> None:
        services = dict(self._services)
        try:
            seen = await self._hands.look(services, self._lasts(services)) if services else {}
        except Exception:  # a fault of ours: what was known stands
            _log.exception("services cannot be looked at")
            return
        for name in {*self._known, *self._told, *services}:
            declared, sight = services.get(name), seen.get(name)
            if declared is None:
                self._known.pop(name, None)
                self._put(name, None)
            elif sight is not None:
                self._take(name, declared, sight)

    def _lasts(self, services: Mapping[str, SwitchedService]) -> Mapping[str, Switch]:
        found = {name: self._engine.switches.last(name) for name in services}
        return {name: last for name, last in found.items() if last is not None}

    def _take(self, name: str, declared: SwitchedService, sight: Sight) -> None:
        of, before = self._known.get(name, (None, None))
        known = see(before if of == declared else None, sight)
        self._known[name] = declared, known
        points = self._hands.pointing(name, declared).side
        last, stood = self._engine.switches.last(name), self._engine.attentions.of(name)
        found = judge(name, known, points, last, stood or self._of_before(name))
        if found is not None and found.code.of_node:
            found = replace(found, params={**found.params, **self._stuck(name)})
        self._put(name, found)

    def _of_before(self, name: str) -> Attention | None:
        """What stood when an earlier daemon ended: it may be so still, from then on."""
        told = self._told.get(name)
        if told is None:
            return None
        since = self._engine.marks.get(f"{_MARK}{name}/{told[0]}")
        try:
            return None if since is None else Attention(name, AttentionCode(told[0]), {}, since)
        except ValueError:  # of a later version
            return None

    def _put(self, name: str, attention: Attention | None) -> None:
        self._engine.attentions.put(name, attention)
        told = self._told.get(name)
        new = None if attention is None else (attention.code.value, _lasting(attention))
        if new is None and told is None:
            return
        if new is not None and told is not None and new[0] == told[0] and told[1] in ({}, new[1]):
            self._told[name] = new
            return
        self._told[name] = new
        self._tell(name, attention, told)

    def _tell(
        self, name: str, attention: Attention | None, told: tuple[str, dict[str, Json]] | None
    ) -> None:
        """Put it on record; what the disk does not take is told with the next look."""
        data: dict[str, Json] = {"code": None, "params": {}, "since": None}
        marks: dict[str, int | None] = {}
        if told is not None:
            marks[f"{_MARK}{name}/{told[0]}"] = None
        if attention is not None:
            data = {"code": attention.code.value, "params": dict(attention.params),
                    "since": attention.since}  # fmt: skip
            marks[f"{_MARK}{name}/{attention.code.value}"] = attention.since
        fact = Fact(EventName.ATTENTION, "", name, "", self._engine.now(), data)
        done = self._engine.commit(facts=[fact], marks=marks)
        new = self._told.get(name)

        def settled(future: asyncio.Future[Outcome]) -> None:
            failed = future.cancelled() or future.result().fault is not None
            if failed and self._told.get(name) == new:
                self._told[name] = told

        done.add_done_callback(settled)


def _lasting(attention: Attention) -> dict[str, Json]:
    return {key: value for key, value in attention.params.items() if key not in _COUNTS}
