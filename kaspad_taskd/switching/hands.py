"""What a switch does in the world, as its driver needs it; and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Protocol, TypeAlias

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.attention import Sight
from kaspad_taskd.core.fallback import PublicLook
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import Facts, Side, Switch, SwitchReason
from kaspad_taskd.switching.endpoint import Pointing


@frozen
class Good:
    """It succeeded; `facts` are for the step's sentence."""

    facts: Facts = field(default_factory=dict)


@frozen
class Bad:
    """It failed. `touched`: whether the service may not be as it was."""

    reason: SwitchReason
    facts: Facts = field(default_factory=dict)
    touched: bool = True


Result: TypeAlias = Good | Bad


@frozen
class Check:
    """A question that is asked before a switch, and its answer.

    Attributes:
        key: "unit", "helper", "checker", "order", "node", "endpoints" or "checkpoints".
        result: Good where nothing speaks against it.
        decides: whether a "no" stops the switch.
    """

    key: str
    result: Result
    decides: bool = True


class Hands(Protocol):
    """Acts on one service by its name. Each call is bounded in time by itself."""

    def pointing(self, service: str, declared: SwitchedService) -> Pointing:
        """Where it points now."""

    def file(self, service: str) -> str:
        """The name of its endpoint file."""

    async def look(
        self, services: Mapping[str, SwitchedService], lasts: Mapping[str, Switch]
    ) -> Mapping[str, Sight]:
        """Look at all of them; `lasts`: the last switch of each that had one. Never fails."""

    async def check(self, service: str, declared: SwitchedService, to: Side) -> Result:
        """Ask whether a switch can succeed; touches nothing."""

    async def checks(self, service: str, declared: SwitchedService, to: Side) -> Sequence[Check]:
        """Ask all of it, and what stops no switch as well; each question with its answer."""

    async def hints(self, service: str, declared: SwitchedService) -> Sequence[Hint]:
        """Why it could not be brought to the local node now, and what cannot be checked."""

    async def public(self, declared: SwitchedService) -> PublicLook:
        """Look at a service's public node, as far as it can be told; touches nothing."""

    async def apply(
        self, service: str, declared: SwitchedService, to: Side, wrote: Callable[[], None]
    ) -> Result:
        """Let root's helper write the endpoint file, then restart the service.

        `wrote` is called when the file is seen to be new. One helper of a service at a time: a
        helper that an earlier daemon started is waited for.
        """

    async def applied(self, service: str, declared: SwitchedService, to: Side) -> bool:
        """Whether it is known to have been started with this endpoint already."""

    async def verify(self, service: str, declared: SwitchedService, side: Side) -> Result:
        """Look whether it works there, and goes on working."""
