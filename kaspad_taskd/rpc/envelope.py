"""What is no plain request: jsonrpcserver finds the method, calls it and says what is wrong.

Loaded when it is first needed: with its schemas it is a sixth of the daemon's start. It is used one
element at a time and synchronously. What it does not do right is done here (texts of errors,
exceptions), and what it would do slowly: its public call, which also parses and validates, takes
eight of twelve microseconds a request. Hence the two inner functions, and the exact version in
pyproject.toml.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from inspect import Signature
from typing import Any, Final

from jsonrpcserver import Error, Success
from jsonrpcserver.dispatcher import create_request, dispatch_request
from oslash.either import Right

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.incident import incident
from kaspad_taskd.api.method import Caller, Json
from kaspad_taskd.rpc.answers import NOTIFICATION, STANDARD, standard
from kaspad_taskd.rpc.calls import Call

# The library logs each crash with its message: ours are logged under their incident.
logging.getLogger("jsonrpcserver").addHandler(logging.NullHandler())
logging.getLogger("jsonrpcserver").propagate = False


class _AnySignature(Signature):
    """Lets the library's check of arguments pass at once: `Method.bind` is ours, and says why."""

    def bind(self, /, *_args: Any, **_kwargs: Any) -> Any:
        """Take anything."""


_ANY_SIGNATURE: Final = _AnySignature()


def _wrapped(called: Call) -> Callable[..., Any]:
    """Return `called` as the library may call it: never raising, with a signature that is free."""

    def call(caller: Caller, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return Success(called(caller, args, kwargs))
        except ApiError as error:
            return Error(error.code, error.message, error.data)

    call.__signature__ = _ANY_SIGNATURE  # type: ignore[attr-defined]
    return call


class Envelope:
    """Answers requests whose envelope is right."""

    def __init__(self, calls: Mapping[str, Call]) -> None:
        self._calls = {name: _wrapped(call) for name, call in calls.items()}

    def result(self, request: dict[str, Json], caller: Caller) -> Json:
        """Return the result of a request, or a Waiting. Raises ApiError."""
        # An id of ours makes the library keep a notification's result, so that it is really run.
        request.setdefault("id", NOTIFICATION)
        _, answer = dispatch_request(self._calls, caller, create_request(request))
        if type(answer) is Right:
            return answer._value.result
        raise _no(answer._error, caller)


def _no(error: Any, caller: Caller) -> ApiError:
    """Say what our methods refused, and in our own words what the library did."""
    if type(error.data) is dict:  # the library's own are strings
        return ApiError(error.code, error.message, error.data)
    if error.code in STANDARD:
        return standard(error.code)
    return incident(f"jsonrpcserver ({error.data})", caller)
