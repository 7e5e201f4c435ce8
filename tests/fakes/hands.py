"""Hands that switch services in a world of their own, as they are told: slowly, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kaspad_taskd.config.switched import SwitchedService, Unit
from kaspad_taskd.core.attention import Sight
from kaspad_taskd.core.fallback import PublicLook, PublicState
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import Side, Switch, SwitchReason
from kaspad_taskd.switching.endpoint import Pointing
from kaspad_taskd.switching.hands import Bad, Check, Good, Result


def service(**given: object) -> SwitchedService:
    """A service of the node on this host."""
    fields: dict[str, object] = {
        "runs_as": Unit("kasia-indexer.service"),
        "node": "grpc://localhost:16110",
        "network": "mainnet",
        "env": {"KASPA_NODE_WBORSH_URL": "ws://127.0.0.1:17110"},
        "public_env": {},
    }
    return SwitchedService(**{**fields, **given})  # type: ignore[arg-type]


@dataclass
class World:
    """What outlives a daemon: endpoint files, services, and root's helpers at work."""

    files: dict[str, Side] = field(default_factory=dict)
    started: dict[str, Side] = field(default_factory=dict)
    helpers: dict[tuple[str, Side], asyncio.Task[Result]] = field(default_factory=dict)
    restarts: list[Side] = field(default_factory=list)
    most_helpers: int = 0
    fresh: bool = True

    def where(self, service: str) -> tuple[Side, Side]:
        """Where its file points, and where it runs."""
        public = Side.PUBLIC
        return self.files.get(service, public), self.started.get(service, public)


@dataclass
class ScriptedHands:
    """Acts in the world. `bad`: what fails, by act ("check", "apply local", "verify public"...)."""

    world: World = field(default_factory=World)
    bad: dict[str, Bad] = field(default_factory=dict)
    crash: set[str] = field(default_factory=set)
    takes: dict[str, float] = field(default_factory=dict)
    told: list[Hint] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    sights: dict[str, Sight] = field(default_factory=dict)
    looks: int = 0
    asked: list[Check] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)
    kill_first: int = 0
    public_look: PublicLook = field(default_factory=lambda: PublicLook(PublicState.GOOD))
    public_looks: int = 0

    def pointing(self, service: str, declared: SwitchedService) -> Pointing:
        side = self.world.files.get(service)
        if side is None:
            return Pointing(Side.PUBLIC)
        return Pointing(side, 1_795_000_000_000, self.world.fresh)

    def file(self, service: str) -> str:
        return f"/endpoints/{service}.env"

    async def look(
        self, services: Mapping[str, SwitchedService], lasts: Mapping[str, Switch]
    ) -> Mapping[str, Sight]:
        self.looks += 1
        return {name: self.sights.get(name, Sight(0)) for name in services}

    async def check(self, service: str, declared: SwitchedService, to: Side) -> Result:
        return await self._act("check", service)

    async def checks(self, service: str, declared: SwitchedService, to: Side) -> Sequence[Check]:
        return self.asked

    async def hints(self, service: str, declared: SwitchedService) -> Sequence[Hint]:
        return self.told

    async def public(self, declared: SwitchedService) -> PublicLook:
        self.public_looks += 1
        await asyncio.sleep(self.takes.get("public", 0.5))
        return self.public_look

    async def apply(
        self, service: str, declared: SwitchedService, to: Side, wrote: Callable[[], None]
    ) -> Result:
        other = self.world.helpers.get((service, to.other))
        if other is not None:
            await asyncio.shield(other)
        helpers = self.world.helpers
        helper = helpers.get((service, to)) or asyncio.ensure_future(self._help(service, to, wrote))
        helpers[service, to] = helper
        self.world.most_helpers = max(self.world.most_helpers, len(helpers))
        return await asyncio.shield(helper)

    async def _help(self, service: str, to: Side, wrote: Callable[[], None]) -> Result:
        """Root's helper: it goes on when the daemon is killed."""
        try:
            refused = self.bad.get(f"refuse {to}")
            if refused is not None:
                return refused
            if to is Side.PUBLIC and self.kill_first:
                self.kill_first -= 1
                return Bad(SwitchReason.RESTART_FAILED)
            await asyncio.sleep(self.takes.get("write", 0.5))
            self.world.files[service] = to
            wrote()
            result = await self._act(f"apply {to}", service)
            if isinstance(result, Good):
                self.world.started[service] = to
                self.world.restarts.append(to)
            if f"apply {to}" in self.killed:
                return Bad(SwitchReason.RESTART_FAILED)
            return result
        finally:
            del self.world.helpers[service, to]

    async def applied(self, service: str, declared: SwitchedService, to: Side) -> bool:
        same = self.world.files.get(service) is to
        return same and self.world.started.get(service) is to

    async def verify(self, service: str, declared: SwitchedService, side: Side) -> Result:
        if self.world.started.get(service, Side.PUBLIC) is not side:
            return Bad(SwitchReason.NO_ANSWER)
        return await self._act(f"verify {side}", service)

    async def _act(self, what: str, service: str) -> Result:
        await asyncio.sleep(self.takes.get(what, 0.5))
        self.done.append(f"{what} {service}")
        if what in self.crash:
            raise RuntimeError(what)
        return self.bad.get(f"{what} {service}", self.bad.get(what, Good({"network": "mainnet"})))
