"""Does a service work on its new node? It has to answer, and to go on for a while.

A service that starts and dies after five seconds has answered once: so what was seen must still be
so, by the same process, SETTLE seconds later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from kaspad_taskd.base.descriptors import is_exhausted
from kaspad_taskd.config.switched import SwitchedService, Unit, VerifyHttp, VerifyTask
from kaspad_taskd.core.model import Task
from kaspad_taskd.core.observation import Reading, Refused
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.switch import Facts, SwitchReason
from kaspad_taskd.probes.answers import HttpError
from kaspad_taskd.probes.urls import parse_url
from kaspad_taskd.switching.eyes import ENDING, ending
from kaspad_taskd.switching.hands import Bad, Good, Result
from kaspad_taskd.switching.node import MakeProbe, look, own_limit
from kaspad_taskd.switching.plan import SETTLED
from kaspad_taskd.switching.units import NoSystemd, Systemd

SETTLE: Final = 10.0
"""Seconds for which what answers has to go on."""
ACTIVE: Final = 30.0
"""Seconds for which a unit has to stay active where nothing else tells (contract section 7)."""
STARTING: Final = 60.0
"""Seconds that a unit without another sign may take to become active."""
EVERY: Final = 2.0
"""Seconds between two looks."""
REFUSALS: Final = 2
"""Refused looks in a row that are believed."""
_PROPERTIES: Final = ("ActiveState", "SubState", "InvocationID", "NRestarts", *ENDING)

Ask: TypeAlias = Callable[[], Awaitable["bool | Bad"]]


class Watch:
    """Sees whether a unit stays up as the process that it is."""

    def __init__(self, systemd: Systemd, unit: str | None, facts: Facts) -> None:
        self._systemd = systemd
        self._unit = unit
        self._facts = facts
        self._process: tuple[str, str] | None = None

    async def up(self) -> bool | Bad:
        """Whether it is active; Bad where it has ended. A container's is never known: True."""
        if self._unit is None:
            return True
        try:
            found = await self._systemd.show(self._unit, *_PROPERTIES)
        except NoSystemd:
            return False
        state, process = found["ActiveState"], (found["InvocationID"], found["NRestarts"])
        died = state in ("failed", "inactive") or found["SubState"].startswith("auto-restart")
        if died or (self._process is not None and process != self._process):
            reason, facts = ending(found)
            return Bad(reason, {**self._facts, **facts})
        if state == "active":
            self._process = process
        return state == "active"


async def verify(
    declared: SwitchedService,
    systemd: Systemd,
    find: Callable[[str], Task | None],
    make: MakeProbe,
    facts: Facts,
) -> Result:
    """Look until it is proven or refuted; bounded by `within` and SETTLE.

    Args:
        declared: the service.
        systemd: tells of its unit.
        find: a task by its id.
        make: makes probes.
        facts: for the sentences.
    """
    unit = declared.runs_as.name if isinstance(declared.runs_as, Unit) else None
    watch = Watch(systemd, unit, facts)
    match declared.verify:
        case VerifyTask(task=task_id, within=within):
            task = find(task_id)
            known = {**facts, "task": task_id, "within": within}
            if task is None:
                return Bad(SwitchReason.CHECKER_MISSING, known)
            checker = _Checker(task, make, declared, known)
            return await _prove(watch, checker.ask, within, SETTLE, known)
        case VerifyHttp(url=url, within=within):
            known = {**facts, "address": parse_url(url).base, "within": within}
            page = _Page(url)
            return await _prove(watch, page.ask, within, SETTLE, known)
    return await _prove(watch, _nothing, STARTING, ACTIVE, {**facts, "within": STARTING})


async def answers(
    declared: SwitchedService, find: Callable[[str], Task | None], make: MakeProbe
) -> bool | None:
    """Ask once what `verify` names; None: there is nothing to ask."""
    match declared.verify:
        case VerifyTask(task=task_id):
            task = find(task_id)
            return None if task is None else await _Checker(task, make, declared, {}).ask() is True
        case VerifyHttp(url=url):
            return await _Page(url).ask() is True
    return None


async def _nothing() -> bool | Bad:
    return True


async def _prove(watch: Watch, ask: Ask, within: float, settle: float, facts: Facts) -> Result:
    """Look every EVERY seconds: good within so long, then good for so long.

    One look more is taken when the time is over: however slow the ones before were, who answers
    then is not said to be silent.
    """
    time = asyncio.get_running_loop().time
    end = time() + within
    since: float | None = None
    while True:
        late = time() >= end
        up = await watch.up()
        seen = await ask() if up is True else up
        if isinstance(seen, Bad):
            return seen
        now = time()
        if not seen and late:
            return own_limit() if is_exhausted() else Bad(SwitchReason.NO_ANSWER, facts)
        if not seen:
            since = None
        elif since is None:
            since = now
        elif now - since >= settle:
            return Good({**facts, SETTLED: now - since})
        await asyncio.sleep(EVERY)


class _Checker:
    """A task's checker, asked anew."""

    def __init__(
        self, task: Task, make: MakeProbe, declared: SwitchedService, facts: Facts
    ) -> None:
        self._definition = task.definition
        self._make = make
        self._network = declared.network
        self._facts = facts
        self._refused = 0

    async def ask(self) -> bool | Bad:
        """Whether it answers; Bad where its answer cannot become success."""
        seen = await look(self._definition, self._make)
        if not isinstance(seen, Refused):
            self._refused = 0
            return self._network_of(seen) if isinstance(seen, Reading) else False
        self._refused += 1
        if self._refused < REFUSALS:
            return False
        if seen.reason is Reason.WRONG_NETWORK:
            return self._wrong(str(seen.params.get("network", "another network")))
        return Bad(SwitchReason.SERVICE_REFUSED, self._facts)

    def _network_of(self, seen: Reading) -> bool | Bad:
        found = seen.metadata.get("network")
        good = not isinstance(found, str) or _same(found, self._network)
        return True if good else self._wrong(str(found))

    def _wrong(self, found: str) -> Bad:
        facts = {**self._facts, "found": found, "network": self._network}
        return Bad(SwitchReason.SERVICE_WRONG_NETWORK, facts)


def _same(found: str, expected: str) -> bool:
    """Some say "testnet" and not which."""
    return found == expected or expected.startswith(f"{found}-") or found.startswith(f"{expected}-")


class _Page:
    """A URL that has to answer with 2xx."""

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)

    async def ask(self) -> bool | Bad:
        from kaspad_taskd.probes.http import HttpClient  # aiohttp is loaded when needed

        client = HttpClient(None, 5.0)
        try:
            return 200 <= (await client.get(self._url)).status < 300
        except HttpError:
            return False
        finally:
            await client.close()
