"""All methods of the API, by name."""

from __future__ import annotations

from functools import cache
from typing import Any

from kaspad_taskd.api.context import Api
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.methods import admin, events, records, register, services, tasks, warnings
from kaspad_taskd.api.openrpc import describe
from kaspad_taskd.api.schemas import FREE


def catalog(api: Api) -> dict[str, Method]:
    """Every method, `rpc.discover` among them, which describes the others.

    The description is made when it is first asked for: by then every type of task is known.
    """
    pages = (register, tasks, events, records, admin, services, warnings)
    found = {method.name: method for page in pages for method in page.methods(api)}

    @cache
    def described() -> dict[str, Any]:
        return describe(found.values())

    def discover(_caller: Caller, _given: dict[str, Any]) -> Any:
        return described()

    own = Method("rpc.discover", "This description.", discover, result=FREE)
    return {**found, own.name: own}
