"""Services for a page: as `getServices` answers, but without waiting for what answers slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from kaspad_taskd.api.context import Api
from kaspad_taskd.api.incident import incident
from kaspad_taskd.api.methods.services import listing
from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.observation import Hint

Json: TypeAlias = Any

PATIENCE: Final = 0.25
"""Seconds that a page waits for hints: a node or a database that hangs must not hold it up."""


class Services:
    """Remembers hints: those that do not come in time are told as they were before.

    Args:
        api: whose services.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, tuple[SwitchedService, Sequence[Hint]]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def now(self, *, hints: bool) -> list[Json]:
        """Return them as they are; with hints, which may be of the last time, where wanted."""
        return await listing(self._api, self._hints if hints else _no_hints)

    async def _hints(self, service: str, declared: SwitchedService) -> Sequence[Hint]:
        asking = self._asking.get(service)
        if asking is None:
            asking = asyncio.get_running_loop().create_task(self._ask(service, declared))
            self._asking[service] = asking
        await asyncio.wait((asking,), timeout=PATIENCE)
        of, hints = self._known.get(service, (None, ()))
        return hints if of == declared else ()

    async def _ask(self, service: str, declared: SwitchedService) -> None:
        try:
            hints = await self._api.switcher.hands.hints(service, declared)
            self._known[service] = declared, hints
        except Exception:
            incident(f"the hints of {service}", "a page")
        finally:
            del self._asking[service]

    def close(self) -> None:
        """Ask no more."""
        for each in self._asking.values():
            each.cancel()


async def _no_hints(_service: str, _declared: SwitchedService) -> Sequence[Hint]:
    return ()
