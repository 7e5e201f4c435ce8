"""One switch that is driven: its steps done by hands, until it ends or somebody turns it round."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping

from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.switch import Side, StepKey, Switch, SwitchReason, SwitchState
from kaspad_taskd.switching.hands import Bad, Good, Hands, Result

_log = logging.getLogger(__name__)

_DOUBTFUL = (
    SwitchReason.RESTART_FAILED, SwitchReason.RESTART_TIMEOUT, SwitchReason.NO_SYSTEMD
)  # fmt: skip
"""Ends of a helper that do not tell whether the service was restarted."""
_WRITES = (StepKey.ENDPOINT, StepKey.UNDO_ENDPOINT)


class Run:
    """A switch, and what is under way for it.

    Args:
        switch: as it is on record.
        services: what the settings declare, as they are now.
        hands: acts.
        resumed: whether an earlier daemon may have begun its current step.

    Attributes:
        switch: its newest state.
        touched: whether the service may not be as it was before.
        cancel: set it to turn the switch round.
        turned: set once that has been heard, or came too late.
        begun: its first record is durable, or NotDurable.
        over: set when it is driven no more.
    """

    def __init__(
        self,
        switch: Switch,
        services: Mapping[str, SwitchedService],
        hands: Hands,
        *,
        resumed: bool = False,
    ) -> None:
        self.switch = switch
        self._services = services
        self._hands = hands
        self.resumed = resumed
        at = switch.current
        self.touched = at is not None and (
            at.key not in (StepKey.CHECK, StepKey.ENDPOINT) or (resumed and at.key in _WRITES)
        )
        self.cancel = asyncio.Event()
        self.turned = asyncio.Event()
        self.over = asyncio.Event()
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begun.add_done_callback(_heard)
        self._wrote = asyncio.Event()
        self._helper: asyncio.Task[Result] | None = None

    async def act(self) -> Result:
        """Do the current step; a cancel cuts it."""
        acting = asyncio.ensure_future(self._do())
        turning = asyncio.ensure_future(self.cancel.wait())
        try:
            await asyncio.wait((acting, turning), return_when=asyncio.FIRST_COMPLETED)
            if self.cancel.is_set() and self.switch.state is SwitchState.RUNNING:
                return Bad(SwitchReason.CANCELLED, touched=self.touched)
            return await acting
        except Exception:
            number = secrets.token_hex(4)
            _log.exception("a fault of ours in a switch", extra={"incident": number})
            return Bad(SwitchReason.FAULT, {"incident": number}, touched=self.touched)
        finally:
            acting.cancel()
            turning.cancel()
            await asyncio.gather(acting, turning, return_exceptions=True)

    def moved(self, switch: Switch) -> None:
        """Its next state is on record."""
        before, self.switch = self.switch, switch
        at = before.current
        if at is None or at.key not in _WRITES or before.state is not switch.state:
            self.resumed = False
            self._drop_helper()
        if self.cancel.is_set():
            self.turned.set()

    def close(self) -> None:
        """It is driven no more; what is under way in systemd goes on."""
        self._drop_helper()
        self.turned.set()
        self.over.set()

    def _drop_helper(self) -> None:
        if self._helper is not None:
            self._helper.cancel()
            self._helper = None

    async def _do(self) -> Result:
        step = self.switch.current
        assert step is not None
        service = self.switch.service
        declared = self._services.get(service)
        if declared is None:
            facts = {"service": service}
            return Bad(SwitchReason.UNDECLARED, facts, touched=self.touched)
        back = self.switch.back or self.switch.to
        side = self.switch.to if self.switch.state is SwitchState.RUNNING else back
        match step.key:
            case StepKey.CHECK:
                return await self._hands.check(service, declared, side)
            case StepKey.VERIFY:
                return await self._hands.verify(service, declared, side)
            case StepKey.ENDPOINT | StepKey.UNDO_ENDPOINT:
                return await self._write(declared, side)
        result = await self._restart(declared, side)
        undoing = step.key is StepKey.UNDO_RESTART
        return await self._seen(declared, side, result) if undoing else result

    async def _seen(self, declared: SwitchedService, side: Side, result: Result) -> Result:
        """How an undo ended, by what is there: its helper may have been killed when it was done."""
        if isinstance(result, Bad) and result.reason not in _DOUBTFUL:
            return result
        seen = await self._hands.verify(self.switch.service, declared, side)
        if isinstance(result, Good):
            return seen
        known = await self._hands.applied(self.switch.service, declared, side)
        return seen if known and isinstance(seen, Good) else result

    async def _write(self, declared: SwitchedService, side: Side) -> Result:
        """Start root's helper; returns when the endpoint file is written, or it has failed."""
        service, again = self.switch.service, self.touched
        self.touched = True
        written = Good({"file": self._hands.file(service)})
        if self.resumed and await self._hands.applied(service, declared, side):
            return written
        self._wrote.clear()
        self._drop_helper()
        result = await self._begin_helper(declared, side)
        undoing = self.switch.state is SwitchState.UNDOING
        if undoing and isinstance(result, Bad) and result.reason is SwitchReason.RESTART_FAILED:
            result = await self._begin_helper(declared, side)  # killed before it wrote: once more
        if isinstance(result, Bad):
            self._helper = None
            return Bad(result.reason, result.facts, result.touched or again)
        return written

    async def _begin_helper(self, declared: SwitchedService, side: Side) -> Result | None:
        """Start it; None as soon as the file is written, else how it ended."""
        apply = self._hands.apply(self.switch.service, declared, side, self._wrote.set)
        self._helper = asyncio.ensure_future(apply)
        waiting = asyncio.ensure_future(self._wrote.wait())
        try:
            await asyncio.wait((self._helper, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        return None if self._wrote.is_set() else await self._helper

    async def _restart(self, declared: SwitchedService, side: Side) -> Result:
        service, self.touched = self.switch.service, True
        if self._helper is not None:
            return await asyncio.shield(self._helper)
        if self.resumed and await self._hands.applied(service, declared, side):
            return Good()
        return await self._hands.apply(service, declared, side, self._wrote.set)


def _heard(begun: asyncio.Future[None]) -> None:
    """Whoever asked may be gone: then nobody misses the exception."""
    if not begun.cancelled():
        begun.exception()
