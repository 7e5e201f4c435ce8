"""What is asked before a switch: of this host (unit, helper, checker), then of the local node.

Each question has a name, asks one thing and touches nothing. A switch asks until the first "no", a
dry run asks all of them, and the list of services hints at what was found.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final, TypeAlias

from kaspad_taskd.config.switched import SwitchedService, Unit, VerifyTask
from kaspad_taskd.core.model import Task
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import Facts, Side, SwitchReason
from kaspad_taskd.switching import environment, node
from kaspad_taskd.switching.codes import helper_unit
from kaspad_taskd.switching.declared import node_tasks
from kaspad_taskd.switching.endpoint import Endpoints
from kaspad_taskd.switching.eyes import whom
from kaspad_taskd.switching.hands import Bad, Check, Good, Result
from kaspad_taskd.switching.proving import read_files
from kaspad_taskd.switching.units import NoSystemd, Systemd

HINTED: Final = 30.0
"""Seconds for which a node's hints are as good as new ones: a node logs each connection."""
SIMPLY: Final = frozenset({"simply-kaspa", "k-indexer"})
"""Indexers that stop at a block which a pruned node may lack."""

Ask: TypeAlias = Callable[[], Awaitable[Result]]
Questions: TypeAlias = Sequence[tuple[str, Ask]]


@dataclass(slots=True)
class _Asked:
    """Hints of a service as they were found: of this host, and of the node."""

    declared: SwitchedService
    node: object
    here: list[Hint]
    there: list[Hint]
    here_at: float
    there_at: float


@dataclass(slots=True)
class Asking:
    """Asks.

    Attributes:
        endpoints: the endpoint files.
        systemd: tells of units.
        databases: the file that holds the DSN, by name; as the settings are now.
        find: a task by its id.
        tasks: all tasks.
        looked: when services were looked at last, in s of the steady clock: hints of this host
            that are older are asked for anew.
    """

    endpoints: Endpoints
    systemd: Systemd
    databases: Mapping[str, Path]
    find: Callable[[str], Task | None]
    tasks: Callable[[], Sequence[Task]]
    looked: float = 0.0
    _hints: dict[str, _Asked] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def check(
        self, service: str, declared: SwitchedService, to: Side, limit: float
    ) -> Result:
        """Ask all that can be asked before, in `limit` s; the first "no" decides."""
        facts: dict[str, str | bool | int | float] = dict(self.whom(service, declared))
        try:
            async with asyncio.timeout(limit):
                for _, ask in self._all(service, declared, to):
                    result = await ask()
                    if isinstance(result, Bad):
                        known = {**self.whom(service, declared), **result.facts}
                        return Bad(result.reason, known)
                    facts.update(result.facts)
        except TimeoutError:
            return Bad(SwitchReason.NODE_UNREACHABLE, {**facts, "address": declared.node})
        return Good(facts)

    async def checks(
        self, service: str, declared: SwitchedService, to: Side, limit: float
    ) -> list[Check]:
        """Ask all of them together, `limit` s at most; each with what came of it."""
        questions = [*self._here(service, declared, to), ("order", self._order(service, declared))]
        if to is Side.LOCAL:
            there = self._there(declared, 1)
            questions += there if declared.dsn is not None else there[:-1]
        whose = self.whom(service, declared)

        async def one(key: str, ask: Ask) -> Check:
            try:
                async with asyncio.timeout(limit):
                    result = await ask()
            except TimeoutError:
                result = Bad(SwitchReason.NODE_UNREACHABLE, {"address": declared.node})
            facts = {**whose, **result.facts}
            found = Bad(result.reason, facts) if isinstance(result, Bad) else Good(facts)
            return Check(key, found, decides=key != "order")

        found = list(await asyncio.gather(*(one(key, ask) for key, ask in questions)))
        unchecked = declared.dsn is None and self._flavor(service, declared) in SIMPLY
        if to is Side.LOCAL and unchecked:
            no = Bad(SwitchReason.CHECKPOINT_UNCHECKED, whose, touched=False)
            found.append(Check("checkpoints", no, decides=False))
        return found

    async def hints(self, service: str, declared: SwitchedService) -> Sequence[Hint]:
        """All that speaks against a switch to the local node, and what cannot be checked.

        Of this host it is as new as the last look at services, of the node at most HINTED s old,
        and never older than what the node's own task says.
        """
        async with self._locks.setdefault(service, asyncio.Lock()):
            known, node_now, now = self._hints.get(service), self._node(declared), monotonic()
            if known is None or known.declared != declared:
                known = _Asked(declared, node_now, [], [], -HINTED * 2, -HINTED * 2)
            if known.here_at < self.looked or now - known.here_at > HINTED:
                known.here, known.here_at = await self._hint_here(service, declared), now
            if known.node != node_now or now - known.there_at > HINTED:
                known.there = await self._hint(service, declared, self._there(declared, 1))
                known.node, known.there_at = node_now, now
            self._hints[service] = known
            return [*known.here, *known.there]

    def forget(self, service: str) -> None:
        """A switch has changed something: what was hinted before counts no more."""
        self._hints.pop(service, None)

    async def _hint_here(self, service: str, declared: SwitchedService) -> list[Hint]:
        questions = self._here(service, declared, Side.LOCAL)
        found = await self._hint(service, declared, questions)
        order = await self._order(service, declared)()
        if isinstance(order, Bad):
            found.append(Hint(str(order.reason), {**self.whom(service, declared), **order.facts}))
        if declared.dsn is None and self._flavor(service, declared) in SIMPLY:
            found.append(Hint(str(SwitchReason.CHECKPOINT_UNCHECKED), {"service": service}))
        return found

    async def _hint(
        self, service: str, declared: SwitchedService, questions: Questions
    ) -> list[Hint]:
        results = await asyncio.gather(*(ask() for _, ask in questions))
        whose = self.whom(service, declared)
        return [
            Hint(str(each.reason), {**whose, **each.facts})
            for each in results
            if isinstance(each, Bad)
        ]

    # -- the questions

    def _all(self, service: str, declared: SwitchedService, to: Side) -> Questions:
        there = self._there(declared, node.LOOKS) if to is Side.LOCAL else []
        return [*self._here(service, declared, to), *there]

    def _here(self, service: str, declared: SwitchedService, to: Side) -> list[tuple[str, Ask]]:
        return [
            ("unit", lambda: self._unit(service, declared)),
            ("helper", lambda: self._helper(service, to)),
            ("checker", lambda: self._checker(declared)),
        ]

    def _there(self, declared: SwitchedService, looks: int) -> list[tuple[str, Ask]]:
        return [
            ("node", lambda: node.ready(declared, self.max_lag(declared), looks)),
            ("endpoints", lambda: node.endpoints_open(declared.env, looks)),
            ("checkpoints", lambda: node.checkpoints_there(declared, self.databases)),
        ]

    def _order(self, service: str, declared: SwitchedService) -> Ask:
        """Whether anything wins over the endpoint file; it stops no switch, and is told."""

        async def ask() -> Result:
            if not isinstance(declared.runs_as, Unit):
                return Good()
            try:
                shown = await self.systemd.show(declared.runs_as.name, *environment.PROPERTIES)
            except NoSystemd:  # said by the others
                return Good()
            ours = self.file(service)
            won = await asyncio.to_thread(
                environment.override, declared.env, ours, shown, read_files
            )
            if won is None:
                return Good({"file": ours})
            facts: Facts = {"variable": won.variable, "by": won.by, "file": ours}
            return Bad(SwitchReason.ENDPOINT_OVERRIDDEN, facts, touched=False)

        return ask

    def file(self, service: str) -> str:
        """The name of its endpoint file."""
        return str(self.endpoints.path(service))

    def whom(self, service: str, declared: SwitchedService) -> Facts:
        """What sentences on a service are filled with."""
        return whom(service, declared, user=self.systemd.user)

    def _node(self, declared: SwitchedService) -> object:
        """What the node's own tasks say of it."""
        return [
            (task.id, task.status, task.health, task.reason)
            for task in node_tasks(declared.node, self.tasks())
        ]

    def _flavor(self, service: str, declared: SwitchedService) -> str:
        task = self.find(declared.verify.task) if isinstance(declared.verify, VerifyTask) else None
        said = task.definition.checker.get("flavor") if task is not None else None
        if said:
            return str(said)
        from kaspad_taskd.probes.indexers.indexer_sync import guess  # few hosts need it

        return guess(service)

    def max_lag(self, declared: SwitchedService) -> str:
        """How old the node's newest block may be: as its own task has it."""
        for task in node_tasks(declared.node, self.tasks()):
            if "maxLag" in task.definition.checker:
                return str(task.definition.checker["maxLag"])
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
        if found["LoadState"] == "masked":
            return Bad(SwitchReason.UNIT_MASKED, facts)
        if found["LoadState"] != "loaded":
            return Bad(SwitchReason.UNIT_MISSING, facts)
        if facts["file"] not in found["EnvironmentFiles"].split():
            return Bad(SwitchReason.ENDPOINT_UNUSED, facts)
        return Good(facts)

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
        return Good({"helper": name})

    async def _checker(self, declared: SwitchedService) -> Result:
        """Whether the task is there that is to say how it went."""
        named = declared.verify.task if isinstance(declared.verify, VerifyTask) else None
        if named is not None and self.find(named) is None:
            return Bad(SwitchReason.CHECKER_MISSING, {"task": named})
        return Good({} if named is None else {"task": named})
