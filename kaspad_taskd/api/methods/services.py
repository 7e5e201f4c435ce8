"""What may be asked of services that run on the local or the public node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api import checks
from kaspad_taskd.api.context import Api, answering
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.schemas import FLAG, TEXT, YES, listed, record
from kaspad_taskd.api.switches import (
    PLAN,
    SERVICE,
    SIDE,
    SWITCH,
    plan_shape,
    service_shape,
    switch_shape,
)
from kaspad_taskd.config.switched import SwitchedService
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.core.switch import Side
from kaspad_taskd.switching.declared import switching_task
from kaspad_taskd.switching.switcher import AlreadyThere, Busy, Undeclared

Json: TypeAlias = Any
Given: TypeAlias = dict[str, Any]
Hints: TypeAlias = Callable[[str, SwitchedService], Awaitable[Sequence[Hint]]]


def methods(api: Api) -> list[Method]:
    """The methods of this page."""

    async def services(_caller: Caller, _given: Given) -> Json:
        await api.switcher.watching.now()
        return await listing(api, api.switcher.hands.hints)

    async def switch(_caller: Caller, given: Given) -> Json:
        service, to = given["service"], Side(given["to"])
        try:
            begun = await api.switcher.switch(service, to)
        except (Undeclared, Busy, AlreadyThere) as error:
            raise _refusal(error, service, to) from None
        held = api.switcher.held(service)
        return {"success": True, "service": service, "switch": switch_shape(begun), "held": held}

    async def dry_run(_caller: Caller, given: Given) -> Json:
        service, to = given["service"], Side(given["to"])
        declared = api.switcher.services.get(service)
        if declared is None:
            raise _refusal(Undeclared(service), service, to)
        found = await api.switcher.hands.checks(service, declared, to)
        return plan_shape(
            service, declared, to, found, api.engine.switches.measured(service),
            there=api.switcher.settled(service, to), held=api.switcher.held(service),
            busy=api.switcher.busy(service), fallback=api.switcher.falling.state(service),
        )  # fmt: skip

    async def hold(_caller: Caller, given: Given) -> Json:
        service = given["service"]
        try:
            await api.switcher.hold(service, hold=given["hold"])
        except Undeclared as error:
            raise _refusal(error, service, Side.LOCAL) from None
        return {"success": True, "service": service, "held": given["hold"]}

    service = checks.text("service", maximum=64)
    to = checks.one_of("to", SIDE, required=True)
    held = checks.flag("hold", required=True)
    return [
        Method("getServices", "Services that can be switched, and where they point.",
               answering(services), (), listed("SwitchedServices", SERVICE)),
        Method("switchService", "Switch a service, or turn its running switch round.",
               answering(switch), (service, to),
               record("SwitchBegun", success=YES, service=TEXT, switch=SWITCH, held=FLAG),
               changes=True,
               errors=("not-found", "conflict", "not-allowed", "store-unavailable")),
        Method("getSwitchPlan", "What a switch would ask, and find, now; nothing is touched.",
               answering(dry_run), (service, to), PLAN, errors=("not-found",)),
        Method("holdService", "Let people alone switch a service, or let go.",
               answering(hold), (service, held),
               record("ServiceHeld", success=YES, service=TEXT, held=FLAG), changes=True,
               errors=("not-found", "store-unavailable")),
    ]  # fmt: skip


async def listing(api: Api, ask: Hints) -> list[Json]:
    """Return what `getServices` answers; `ask` tells what speaks against a switch.

    How services are is as the newest look has seen it.
    """
    known = list(api.switcher.services.items())
    return await asyncio.gather(*(_shown(api, ask, *each) for each in known))


async def _shown(api: Api, ask: Hints, name: str, declared: SwitchedService) -> Json:
    hints = await ask(name, declared)
    task_id = switching_task(declared, name, api.engine.tasks())
    pointing = api.switcher.hands.pointing(name, declared)
    last, attention = api.engine.switches.last(name), api.engine.attentions.of(name)
    known, held = api.switcher.watching.known(name), api.switcher.held(name)
    return service_shape(
        name, declared, pointing, hints, last, task_id, known, attention, held=held,
        fallback=api.switcher.falling.state(name),
    )  # fmt: skip


def _refusal(error: Undeclared | Busy | AlreadyThere, service: str, to: Side) -> ApiError:
    match error:
        case Undeclared():
            said = words.say("answer.no-service", service=service)
            return ApiError.of("not-found", said, service=service)
        case Busy():
            said = words.say("answer.switching", service=service, to=error.switch.to)
            return ApiError.of("conflict", said, switch=switch_shape(error.switch))
    said = words.say("answer.already-there", service=service, to=to)
    return ApiError.of("not-allowed", said, status=None)
