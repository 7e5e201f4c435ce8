"""Runs switches: one a service at a time, each step on record before it is done.

A switch that is on record is driven to one of its ends, by this daemon or by the next: what a stop
or a crash cut short is run again from its current step.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.fact import Fact
from kaspad_taskd.core.record import Decision, Outcome
from kaspad_taskd.core.switch import Facts, Side, Switch, SwitchReason, SwitchState, document
from kaspad_taskd.engine.engine import Engine
from kaspad_taskd.switching import plan
from kaspad_taskd.switching.falling import Falling
from kaspad_taskd.switching.hands import Bad, Good, Hands, Result
from kaspad_taskd.switching.refusals import AlreadyThere, Busy, Undeclared
from kaspad_taskd.switching.run import Run
from kaspad_taskd.switching.watching import Watching

PATIENCE: Final = 5.0
"""Seconds until a record that could not be written is tried again."""
UNSAVED: Final = 60.0
"""Seconds after which a running switch that cannot be recorded is undone."""
HOLD: Final = "hold/"
"""The mark of a service that only people switch: `hold/NAME`."""
HELD: Final = ("service-released", "service-held")
"""What is put on record when a hold ends, and begins."""
DECISION: Final = "switched-to-local-node"
"""What is put on record of a success (contract section 7)."""

__all__ = ["AlreadyThere", "Busy", "Switcher", "Undeclared"]

_log = logging.getLogger(__name__)


class Switcher:
    """All switches.

    Args:
        engine: puts them on record.
        services: what the settings declare, as they are now.
        hands: acts.

    Attributes:
        watching: how the services are.
        falling: those that leave a node that is lost or behind, and come back.
    """

    def __init__(
        self, engine: Engine, services: Mapping[str, SwitchedService], hands: Hands
    ) -> None:
        self._engine = engine
        self.services = services
        self.hands = hands
        self.falling = Falling(engine, services, hands, self.begin, self.held)
        self.watching = Watching(engine, services, hands, self.falling.stuck)
        self._runs: dict[str, Run] = {}
        self._driving: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Drive switches and watch services until cancelled; first what an earlier daemon left."""
        for switch in self._engine.switches.running():
            if switch.service not in self._runs:
                _log.warning("%s: its switch, cut short, goes on", switch.service)
                self._spawn(Run(switch, self.services, self.hands, resumed=True))
        try:
            async with asyncio.TaskGroup() as beside:
                beside.create_task(self.falling.run())
                await self.watching.run()
        finally:
            for each in self._driving:
                each.cancel()
            await asyncio.gather(*self._driving, return_exceptions=True)

    # -- what others ask

    def settled(self, service: str, to: Side) -> bool:
        """Whether a service is where it shall go, and a switch would bring nothing.

        On the local node only if it was seen to work there.
        """
        found = self.hands.pointing(service, self.services[service])
        last = self._engine.switches.last(service)
        proven = None if last is None else plan.proven(last, to)
        good = proven is True if to is Side.LOCAL else proven is not False
        return found.side is to and found.fresh and good

    def busy(self, service: str) -> bool:
        """Whether a switch of a service is under way."""
        return service in self._runs

    def held(self, service: str) -> bool:
        """Whether a service is switched by people alone."""
        return f"{HOLD}{service}" in self._engine.marks

    async def hold(self, service: str, *, hold: bool) -> None:
        """Let people alone switch a service, or let go; over restarts and restores.

        Raises:
            Undeclared: the settings name no such service.
            NotDurable: the store cannot write; nothing has changed.
        """
        if service not in self.services:
            raise Undeclared(service)
        if self.held(service) is hold:
            return
        now = self._engine.now()
        marks = {f"{HOLD}{service}": now if hold else None}
        decision = Decision(0, now, HELD[hold], {"service": service})
        await self._engine.durable(self._engine.commit(marks=marks, decisions=[decision]))

    async def switch(self, service: str, to: Side) -> Switch:
        """Begin a switch for somebody, or turn one round that goes the other way.

        Returns:
            The switch as it is on record; it runs on.

        Raises:
            Undeclared, Busy, AlreadyThere: nothing was begun.
            NotDurable: the store cannot write; nothing was begun.
        """
        run = self._runs.get(service)
        if run is not None and plan.cancellable(run.switch, to):
            run.cancel.set()
            await run.turned.wait()
            await asyncio.shield(run.begun)  # was it ever on record?
            if run.switch.state is not SwitchState.DONE:
                return run.switch
            await run.over.wait()  # it had just succeeded
        return await self.begin(service, to)

    async def begin(
        self,
        service: str,
        to: Side,
        *,
        task_id: str | None = None,
        cause: int | None = None,
        by: str | None = None,
        because: Facts | None = None,
    ) -> Switch:
        """Put a new switch on record and drive it; with a `cause`, a node-sync's completion.

        `by` and `because`: of a fallback, and why.

        Raises:
            Undeclared, Busy, AlreadyThere, NotDurable: as `switch`.
        """
        declared = self.services.get(service)
        if declared is None:
            raise Undeclared(service)
        if service in self._runs:
            raise Busy(self._runs[service].switch)
        if self.settled(service, to):
            raise AlreadyThere(service)
        there = self.hands.pointing(service, declared).side is Side.LOCAL
        back = Side.PUBLIC if to is Side.LOCAL else Side.LOCAL if there else None
        number, now = self._engine.switches.next_number(), self._engine.now()
        switch = plan.begin(
            number, service, to, back, now, task_id=task_id, cause=cause, by=by, because=because
        )
        run = self._spawn(Run(switch, self.services, self.hands))
        await asyncio.shield(run.begun)
        return run.switch

    async def idle(self, service: str) -> None:
        """Wait until no switch of a service is driven."""
        run = self._runs.get(service)
        if run is not None:
            await run.over.wait()

    # -- driving

    def _spawn(self, run: Run) -> Run:
        self._runs[run.switch.service] = run
        task = asyncio.get_running_loop().create_task(self._live(run))
        self._driving.add(task)
        task.add_done_callback(self._driving.discard)
        return run

    async def _live(self, run: Run) -> None:
        try:
            if not run.resumed:
                await self._engine.durable(self._commit(run.switch))
            run.begun.set_result(None)
            while not run.switch.state.ended:
                await self._record(run, self._after(run.switch, await run.act()))
        except Exception as error:
            if run.begun.done():  # not to be expected; the next start drives it on
                _log.exception("the switch of %s is left as it is", run.switch.service)
            else:
                run.begun.set_exception(error)
        finally:
            del self._runs[run.switch.service]
            run.close()

    def _after(self, switch: Switch, result: Result) -> Switch:
        now = self._engine.now()
        if isinstance(result, Good):
            return plan.passed(switch, now, result.facts)
        return plan.failed(switch, now, result.reason, result.facts, touched=result.touched)

    async def _record(self, run: Run, switch: Switch) -> None:
        """Put the next state on record.

        What cannot be recorded for a minute is undone. A way back goes on without a record: it
        leads to the same end from wherever a crash would begin it again.
        """
        tried = 0.0
        while (await self._commit(switch)).fault is not None:
            if switch.state is SwitchState.UNDOING:
                break
            if switch.state is SwitchState.RUNNING and tried >= UNSAVED:
                switch = self._after(switch, Bad(SwitchReason.NOT_SAVED, touched=run.touched))
                continue
            await asyncio.sleep(PATIENCE)
            tried += PATIENCE
        run.moved(switch)

    def _commit(self, switch: Switch) -> asyncio.Future[Outcome]:
        told = Fact(
            plan.event(switch),
            switch.task_id or "",
            switch.service,
            "node-sync" if switch.task_id else "",
            self._engine.now(),
            {"to": str(switch.to), "switch": document(switch)},
        )
        done = switch.state is SwitchState.DONE and switch.to is Side.LOCAL
        decisions = [self._decision(switch)] if done else []
        return self._engine.commit(facts=[told], decisions=decisions, switches=[switch])

    def _decision(self, switch: Switch) -> Decision:
        declared = self.services.get(switch.service)
        context = {
            "service": switch.service,
            "node": declared and declared.node,
            "switch": switch.id,
            "by": switch.by,
            "taskId": switch.task_id,
        }
        return Decision(0, self._engine.now(), DECISION, context)
