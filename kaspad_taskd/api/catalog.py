"""All methods of the API, by name."""

from __future__ import annotations

from typing import Any

from kaspad_taskd.api.context import Api
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.api.methods import admin, events, register, services, tasks, warnings
from kaspad_taskd.api.openrpc import describe


def catalog(api: Api) -> dict[str, Method]:
    """Every method, `rpc.discover` among them, which describes them all."""
    pages = (register, tasks, events, admin, services, warnings)
    found = {method.name: method for page in pages for method in page.methods(api)}
    described: dict[str, Any] = {}

    def discover(_caller: Caller, _given: dict[str, Any]) -> Any:
        return described

    own = Method("rpc.discover", "This description.", discover, result={"type": "object"})
    found[own.name] = own
    described.update(describe(found.values()))
    return found
