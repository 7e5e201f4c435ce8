"""The hands of a daemon: systemd, the node, checkers and endpoint files of this host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Final

from kaspad_taskd.config.switched import SwitchedService, Unit
from kaspad_taskd.core.attention import Sight
from kaspad_taskd.core.fallback import PublicLook
from kaspad_taskd.core.model import Health, Moment, Status, Task
from kaspad_taskd.core.observation import Hint, Scalar
from kaspad_taskd.core.standing import Standing, view
from kaspad_taskd.core.switch import Side, Switch, SwitchReason, SwitchState
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.switching import node, plan, public, verify
from kaspad_taskd.switching.asking import Asking
from kaspad_taskd.switching.declared import watching_task
from kaspad_taskd.switching.endpoint import Endpoints, Pointing
from kaspad_taskd.switching.eyes import ENDING, Eyes, ending, now_ms, wall_ms
from kaspad_taskd.switching.hands import Bad, Check, Good, Result
from kaspad_taskd.switching.node import MakeProbe
from kaspad_taskd.switching.proving import Prover
from kaspad_taskd.switching.units import NoSystemd, Systemd

CHECK: Final = 60.0
"""Seconds that all checks may take together."""


@dataclass(slots=True)
class LocalHands:
    """See `hands.Hands`.

    Attributes:
        endpoints: the endpoint files.
        systemd: restarts, by root's helper.
        databases: the file that holds the DSN, by name; as the settings are now.
        find: a task by its id.
        tasks: all tasks.
        make: makes the probe of a definition.
        now: this moment, ms since 1970 UTC.
    """

    endpoints: Endpoints
    systemd: Systemd
    databases: Mapping[str, Path]
    find: Callable[[str], Task | None]
    tasks: Callable[[], Sequence[Task]]
    make: MakeProbe
    now: Callable[[], Moment] = now_ms
    _eyes: Eyes = field(init=False)
    _asking: Asking = field(init=False)

    def __post_init__(self) -> None:
        self._asking = Asking(self.endpoints, self.systemd, self.databases, self.find, self.tasks)
        self._eyes = Eyes(self.systemd, self.now, Prover(self.endpoints))

    def pointing(self, service: str, declared: SwitchedService) -> Pointing:
        """Where its endpoint file points."""
        return self.endpoints.read(service, declared)

    def file(self, service: str) -> str:
        """The name of its endpoint file."""
        return str(self.endpoints.path(service))

    async def look(
        self, services: Mapping[str, SwitchedService], lasts: Mapping[str, Switch]
    ) -> Mapping[str, Sight]:
        """Look at all of them; what a failed switch left is asked whether it works again."""
        self._asking.looked = monotonic()
        local = [
            name for name, each in services.items() if self.pointing(name, each).side is Side.LOCAL
        ]
        seen = dict(await self._eyes.look(services, local))
        failed = [
            name
            for name in seen
            if name in lasts and lasts[name].state is SwitchState.FAILED
            and not seen[name].state.off
        ]  # fmt: skip
        asked = [verify.answers(services[name], self.find, self.make) for name in failed]
        for name, answers in zip(failed, await asyncio.gather(*asked), strict=True):
            seen[name] = replace(seen[name], answers=answers)
        return {name: self._on_node(services[name], each) for name, each in seen.items()}

    def _on_node(self, declared: SwitchedService, seen: Sight) -> Sight:
        """What was seen of a service, with what its node's own task sees of the node."""
        task = watching_task(declared.node, self.tasks())
        seen = replace(seen, facts={**seen.facts, "address": declared.node})
        if task is None or not task.watched or task.health is Health.UNKNOWN:
            return seen
        node = view(task)
        answers = task.health is not Health.UNREACHABLE
        if node.standing is not Standing.BAD or _has_just_begun(task, seen.at):
            return replace(seen, node=answers)
        facts: dict[str, Scalar] = {**seen.facts, "task": task.id}
        if node.behind is not None:
            facts["behind"] = node.behind
        return replace(
            seen, node=answers, node_health=node.health, node_since=node.since, facts=facts
        )

    # -- before

    async def check(self, service: str, declared: SwitchedService, to: Side) -> Result:
        """Ask all that can be asked before anything is touched; the first "no" decides."""
        return await self._asking.check(service, declared, to, CHECK)

    async def checks(self, service: str, declared: SwitchedService, to: Side) -> Sequence[Check]:
        """Ask all of it; each question with its answer."""
        return await self._asking.checks(service, declared, to, CHECK)

    async def hints(self, service: str, declared: SwitchedService) -> Sequence[Hint]:
        """All that speaks against a switch to the local node."""
        return await self._asking.hints(service, declared)

    async def public(self, declared: SwitchedService) -> PublicLook:
        """Look at the public node."""
        return await public.look(declared, self._asking.max_lag(declared))

    # -- acting

    async def apply(
        self, service: str, declared: SwitchedService, to: Side, wrote: Callable[[], None]
    ) -> Result:
        """Let root's helper write and restart."""
        file = self.endpoints.path(service)
        self._asking.forget(service)
        facts = self._asking.whom(service, declared)
        result = await self.systemd.helper(service, to, file, facts, wrote)
        if isinstance(result, Good) or result.reason is not SwitchReason.RESTART_FAILED:
            return result
        written = self.pointing(service, declared).side is to  # else it was not restarted at all
        return await self._why(declared, result) if written else result

    async def _why(self, declared: SwitchedService, failed: Bad) -> Bad:
        """A restart that failed, with what ended the unit, where systemd knows."""
        if not isinstance(declared.runs_as, Unit):
            return failed
        try:
            shown = await self.systemd.show(declared.runs_as.name, "ActiveState", *ENDING)
        except NoSystemd:
            return failed
        reason, facts = ending(shown)
        if (
            shown["ActiveState"] not in ("failed", "inactive")
            or reason is SwitchReason.SERVICE_DIED
        ):
            return failed
        return Bad(reason, {**failed.facts, **facts}, failed.touched)

    async def applied(self, service: str, declared: SwitchedService, to: Side) -> bool:
        """Whether the unit was started after its endpoint file was written; unknown of containers.

        Not while a helper is at work, which may yet write another file. The two moments are of two
        clocks: where the wall clock jumps between the file and this question, the answer may be
        wrong.
        """
        found = self.pointing(service, declared)
        if not isinstance(declared.runs_as, Unit) or found.since is None:
            return False
        if found.side is not to or not found.fresh:
            return False
        names = ("ActiveState", "ExecMainStartTimestampMonotonic")
        try:
            if await self.systemd.busy(service):
                return False
            unit = await self.systemd.show(declared.runs_as.name, *names)
        except NoSystemd:
            return False
        begun = int(unit["ExecMainStartTimestampMonotonic"] or 0) / 1e6
        return unit["ActiveState"] == "active" and wall_ms(begun) > found.since

    # -- after

    async def verify(self, service: str, declared: SwitchedService, side: Side) -> Result:
        """Look at the service, then, where it shall use it, at the node once more."""
        facts = self._asking.whom(service, declared)
        self._asking.forget(service)
        result = await verify.verify(declared, self.systemd, self.find, self.make, facts)
        if isinstance(result, Good) and side is Side.LOCAL:
            began = monotonic()
            again = await node.ready(declared, self._asking.max_lag(declared))
            if isinstance(again, Bad):
                return Bad(SwitchReason.NODE_LOST, {**facts, **again.facts})
            settled = float(result.facts.get(plan.SETTLED, 0.0)) + monotonic() - began
            return Good({**result.facts, plan.SETTLED: settled})
        return result


def _has_just_begun(task: Task, now: Moment) -> bool:
    """Whether it was begun by somebody, perhaps at a node in sync, and may soon be complete."""
    begun = task.started_at if task.status is Status.IN_PROGRESS and not task.because else None
    patience = task.definition.behind_after * 1000
    return begun is not None and task.health is Health.OK and now - begun < patience


def open_hands(
    endpoints: Path, databases: Mapping[str, Path], engine: Engine, make: MakeProbe, *, user: bool
) -> LocalHands:
    """Return the hands of a daemon; `user`: of an ordinary user's, who has a systemd of his own."""
    systemd = Systemd(user=user)
    return LocalHands(
        Endpoints(endpoints), systemd, databases, engine.get, engine.tasks, make,
        engine.now,
    )  # fmt: skip
