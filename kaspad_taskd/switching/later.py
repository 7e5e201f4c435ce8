"""Hands that are made when a service is first touched: few hosts have one that is switched.

What stands in a file is told without them: who asks for that does not expect that it can fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.attention import Sight
from kaspad_taskd.core.fallback import PublicLook
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import Side, Switch
from kaspad_taskd.switching.endpoint import Endpoints, Pointing
from kaspad_taskd.switching.hands import Check, Hands, Result


class HandsLater:
    """See `hands.Hands`; every question goes to what `make` returned for the first of them.

    Args:
        endpoints: the directory of the endpoint files.
        make: makes the hands; a question that finds them missing raises what it raises.
    """

    def __init__(self, endpoints: Path, make: Callable[[], Hands]) -> None:
        self._endpoints = Endpoints(endpoints)
        self._make = make

    @cached_property
    def _hands(self) -> Hands:
        return self._make()

    def pointing(self, service: str, declared: SwitchedService) -> Pointing:
        """Where it points now."""
        return self._endpoints.read(service, declared)

    def file(self, service: str) -> str:
        """The name of its endpoint file."""
        return str(self._endpoints.path(service))

    async def look(
        self, services: Mapping[str, SwitchedService], lasts: Mapping[str, Switch]
    ) -> Mapping[str, Sight]:
        """Look at all of them."""
        return await self._hands.look(services, lasts)

    async def check(self, service: str, declared: SwitchedService, to: Side) -> Result:
        """Ask whether a switch can succeed."""
        return await self._hands.check(service, declared, to)

    async def checks(self, service: str, declared: SwitchedService, to: Side) -> Sequence[Check]:
        """Ask all of it."""
        return await self._hands.checks(service, declared, to)

    async def hints(self, service: str, declared: SwitchedService) -> Sequence[Hint]:
        """Why it could not be brought to the local node now."""
        return await self._hands.hints(service, declared)

    async def public(self, declared: SwitchedService) -> PublicLook:
        """Look at a service's public node."""
        return await self._hands.public(declared)

    async def apply(
        self, service: str, declared: SwitchedService, to: Side, wrote: Callable[[], None]
    ) -> Result:
        """Let root's helper write the endpoint file and restart the service."""
        return await self._hands.apply(service, declared, to, wrote)

    async def applied(self, service: str, declared: SwitchedService, to: Side) -> bool:
        """Whether it is known to have been started with this endpoint already."""
        return await self._hands.applied(service, declared, to)

    async def verify(self, service: str, declared: SwitchedService, side: Side) -> Result:
        """Look whether it works there."""
        return await self._hands.verify(service, declared, side)
