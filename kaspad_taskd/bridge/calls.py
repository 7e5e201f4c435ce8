"""The API's methods, called for a browser: what it may; every crash is made an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from kaspad_taskd.api import errors
from kaspad_taskd.api.changed import Changes
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Caller, Method
from kaspad_taskd.bridge.browser import Browser

Json: TypeAlias = Any

NO_TOKEN = "Changes need the access token."  # noqa: S105 - a sentence, no token
LOCAL = "This is done on the host alone: kaspad-taskctl."
CALLER = Caller("bridge")


class Calls:
    """Calls methods."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        self._methods = methods
        self._changes = Changes()

    def changes(self, name: Json) -> bool:
        """Whether a method changes something."""
        method = self._methods.get(name) if isinstance(name, str) else None
        return method is not None and method.changes

    async def call(self, browser: Browser, name: Json, params: Json = None) -> Json:
        """Return a method's result.

        Raises:
            ApiError: no such method, wrong parameters, not allowed here, or its own no.
        """
        method = self._find(browser, name)
        args, kwargs = _bound(params)
        bound = method.bind(args, kwargs)
        result = method.handler(CALLER, bound)
        if hasattr(result, "__await__"):
            result = await result
        if method.changes:
            who = f"bridge {browser.address}"
            self._changes.log(method.name, bound, result, who, who)
        return result

    def _find(self, browser: Browser, name: Json) -> Method:
        method = self._methods.get(name) if isinstance(name, str) else None
        if method is None:
            said = {"reason": "no-such-method"}
            text = "no such method: openrpc.json lists them all"
            raise ApiError(errors.METHOD_NOT_FOUND, text, said)
        if method.local:
            raise ApiError.of("forbidden", LOCAL)
        if method.changes and not browser.may_change():
            raise ApiError.of("forbidden", NO_TOKEN)
        return method


def _bound(params: Json) -> tuple[list[Json], dict[str, Json]]:
    if params is None:
        return [], {}
    if isinstance(params, dict):
        return [], params
    if isinstance(params, list):
        return params, {}
    raise ApiError.params("params", "must be an object or an array")
