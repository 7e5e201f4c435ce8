"""What must have been seen once: the warnings that stand, and that somebody has seen them."""

from __future__ import annotations

from typing import Any, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api import checks
from kaspad_taskd.api.context import Api, answering
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.schemas import MOMENT, WARNING, YES, listed, record
from kaspad_taskd.api.wire import warning_shape

Json: TypeAlias = Any
Given: TypeAlias = dict[str, Any]

MAX_ID = 2**53


def methods(api: Api) -> list[Method]:
    """The methods of this page."""

    def standing(_caller: Caller, _given: Given) -> Json:
        return {"warnings": [warning_shape(each) for each in api.engine.warnings.open()]}

    async def acknowledge(_caller: Caller, given: Given) -> Json:
        found = api.engine.warnings.get(given["id"])
        if found is None:
            raise ApiError.of("not-found", words.say("answer.no-warning", id=given["id"]))
        if found.open:
            await api.engine.durable(api.engine.warnings.acknowledge([found]))
        return {"success": True, "warning": warning_shape(found)}

    shape = record("StandingWarning", **WARNING, at=MOMENT)
    number = checks.integer("id", 1, MAX_ID, required=True, summary="id of the warning")
    return [
        Method("getWarnings", "What has still to be seen, oldest first.", standing, (),
               record("Warnings", warnings=listed("StandingWarnings", shape))),
        Method("acknowledgeWarning", "Say that a warning was seen: it stands no more.",
               answering(acknowledge), (number,),
               record("Acknowledged", success=YES, warning=shape), changes=True,
               errors=("not-found", "store-unavailable")),
    ]  # fmt: skip
