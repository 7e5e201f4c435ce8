"""The hands of a daemon: systemd, the node, checkers and endpoint files of this host."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Final, TypeAlias

from kaspad_taskd.config.switched import SwitchedService, Unit, VerifyTask
from kaspad_taskd.core.attention import Sight
from kaspad_taskd.core.model import Health, Moment, Status, Task
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import Facts, Side, Switch, SwitchReason, SwitchState
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.probes.indexers.indexer_sync import guess
from kaspad_taskd.switching import node, verify
from kaspad_taskd.switching.codes import helper_unit
from kaspad_taskd.switching.declared import same_node
from kaspad_taskd.switching.endpoint import Endpoints, Pointing
from kaspad_taskd.switching.eyes import Eyes, now_ms, wall_ms, whom
from kaspad_taskd.switching.hands import Bad, Good, Result
from kaspad_taskd.switching.node import MakeProbe
from kaspad_taskd.switching.units import NoSystemd, Systemd

CHECK: Final = 60.0
"""Seconds that all checks may take together."""
Question: TypeAlias = Callable[[], Awaitable[Result]]
HINTED: Final = 30.0
"""Seconds for which hints are as good as new ones: a node logs each connection."""
SIMPLY: Final = frozenset({"simply-kaspa", "k-indexer"})
"""Indexers that stop at a block which a pruned node may lack."""
UNCHECKED: Final = "checkpoint-unchecked"


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
    _hints: dict[str, tuple[float, SwitchedService, list[Hint]]] = field(default_factory=dict)
    _asking: dict[str, asyncio.Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._eyes = Eyes(self.systemd, self.now)

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
        seen = dict(await self._eyes.look(services))
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
        facts = {**seen.facts, "address": declared.node}
        return replace(seen, node=self._node_answers(declared.node), facts=facts)

    def _node_answers(self, node: str) -> bool | None:
        for task in self.tasks():
            url = str(task.definition.checker.get("url", ""))
            watched = task.definition.type == "node-sync" and task.status is Status.IN_PROGRESS
            if watched and same_node(url, node) and task.health is not Health.UNKNOWN:
                return task.health is not Health.UNREACHABLE
        return None

    # -- before

    async def check(self, service: str, declared: SwitchedService, to: Side) -> Result:
        """Ask all that can be asked before anything is touched; the first "no" decides."""
        facts: dict[str, str | bool | int | float] = dict(self._whom(service, declared))
        try:
            async with asyncio.timeout(CHECK):
                for ask in self._questions(service, declared, to):
                    result = await ask()
                    if isinstance(result, Bad):
                        return Bad(
                            result.reason,
                            {**self._whom(service, declared), **result.facts},
                        )
                    facts.update(result.facts)
        except TimeoutError:
            return Bad(SwitchReason.NODE_UNREACHABLE, {**facts, "address": declared.node})
        return Good(facts)

    def _questions(
        self, service: str, declared: SwitchedService, to: Side, looks: int = node.LOOKS
    ) -> list[Question]:
        questions: list[Question] = [
            lambda: self._unit(service, declared),
            lambda: self._helper(service, to),
            lambda: self._checker(declared),
        ]
        if to is Side.LOCAL:
            questions += [
                lambda: node.ready(declared, self._max_lag(declared), looks),
                lambda: node.endpoints_open(declared.env, looks),
                lambda: node.checkpoints_there(declared, self.databases),
            ]
        return questions

    async def hints(self, service: str, declared: SwitchedService) -> Sequence[Hint]:
        """All that speaks against a switch to the local node; asked at most every HINTED s."""
        async with self._asking.setdefault(service, asyncio.Lock()):
            at, known, hints = self._hints.get(service, (0.0, None, []))
            if known != declared or monotonic() - at > HINTED:
                hints = await self._ask_all(service, declared)
                self._hints[service] = monotonic(), declared, hints
        return hints

    async def _ask_all(self, service: str, declared: SwitchedService) -> list[Hint]:
        questions = self._questions(service, declared, Side.LOCAL, looks=1)
        results = await asyncio.gather(*(ask() for ask in questions))
        found = [Hint(str(each.reason), {**self._whom(service, declared), **each.facts})
                 for each in results if isinstance(each, Bad)]  # fmt: skip
        if declared.dsn is None and self._flavor(service, declared) in SIMPLY:
            found.append(Hint(UNCHECKED, {"service": service}))
        return found

    def _flavor(self, service: str, declared: SwitchedService) -> str:
        task = self.find(declared.verify.task) if isinstance(declared.verify, VerifyTask) else None
        said = task.definition.checker.get("flavor") if task is not None else None
        return str(said or guess(service))

    def _max_lag(self, declared: SwitchedService) -> str:
        """How old the node's newest block may be: as its own task has it."""
        for task in self.tasks():
            checker = task.definition.checker
            same = same_node(str(checker.get("url", "")), declared.node)
            if task.definition.type == "node-sync" and same and "maxLag" in checker:
                return str(checker["maxLag"])
        return "1min"

    async def _unit(self, service: str, declared: SwitchedService) -> Result:
        """Whether the unit is there and loads the endpoint file."""
        if not isinstance(declared.runs_as, Unit):
            return Good()
        unit = declared.runs_as.name
        facts = {"unit": unit, "file": self.file(service)}
        try:
            found = await self.systemd.show(unit, "LoadState", "EnvironmentFiles")
        except NoSystemd as error:
            return Bad(SwitchReason.NO_SYSTEMD, {"detail": str(error)})
        if found["LoadState"] != "loaded":
            return Bad(SwitchReason.UNIT_MISSING, facts)
        if facts["file"] not in found["EnvironmentFiles"].split():
            return Bad(SwitchReason.ENDPOINT_UNUSED, facts)
        return Good({"unit": unit})

    async def _helper(self, service: str, to: Side) -> Result:
        """Whether root's helper is installed; and polkit, where we need its leave."""
        name = helper_unit(service, to)
        try:
            helper = await self.systemd.show(name, "LoadState")
            if helper["LoadState"] != "loaded":
                return Bad(SwitchReason.HELPER_MISSING, {"helper": name})
            if not self.systemd.user and os.geteuid() != 0:
                polkit = await self.systemd.show("polkit.service", "LoadState")
                if polkit["LoadState"] != "loaded":
                    return Bad(SwitchReason.NO_POLKIT)
        except NoSystemd as error:
            return Bad(SwitchReason.NO_SYSTEMD, {"detail": str(error)})
        return Good()

    async def _checker(self, declared: SwitchedService) -> Result:
        """Whether the task is there that is to say how it went."""
        named = declared.verify.task if isinstance(declared.verify, VerifyTask) else None
        if named is not None and self.find(named) is None:
            return Bad(SwitchReason.CHECKER_MISSING, {"task": named})
        return Good()

    def _whom(self, service: str, declared: SwitchedService) -> Facts:
        return whom(service, declared, user=self.systemd.user)

    # -- acting

    async def apply(
        self, service: str, declared: SwitchedService, to: Side, wrote: Callable[[], None]
    ) -> Result:
        """Let root's helper write and restart."""
        file = self.endpoints.path(service)
        return await self.systemd.helper(service, to, file, self._whom(service, declared), wrote)

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
        facts = self._whom(service, declared)
        result = await verify.verify(declared, self.systemd, self.find, self.make, facts)
        if isinstance(result, Good) and side is Side.LOCAL:
            again = await node.ready(declared, self._max_lag(declared))
            if isinstance(again, Bad):
                return Bad(SwitchReason.NODE_LOST, {**facts, **again.facts})
        return result


def open_hands(
    endpoints: Path, databases: Mapping[str, Path], engine: Engine, make: MakeProbe, *, user: bool
) -> LocalHands:
    """Return the hands of a daemon; `user`: of an ordinary user's, who has a systemd of his own."""
    systemd = Systemd(user=user)
    return LocalHands(
        Endpoints(endpoints), systemd, databases, engine.get, engine.tasks, make,
        engine.now,
    )  # fmt: skip
