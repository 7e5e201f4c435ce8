"""One method of the API: its name, its parameters, its handler. Doors bind and call, no more.

A handler gets the caller and the bound parameters by name. It returns a JSON value, or a coroutine
where it has to wait; it raises ApiError to say no. What answers from memory is a plain function, so
that a door can answer inline.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol, TypeAlias

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.base.frozen import frozen

Json: TypeAlias = Any
Schema: TypeAlias = Mapping[str, Any]
Made: TypeAlias = Schema | Callable[[], Schema]
"""A schema, or what makes it when it is asked for."""


class Subscriber(Protocol):
    """A connection that events can be sent to (the RPC door's; browsers have their own way)."""

    def subscribe(self, after: int | None, tasks: Sequence[str] | None) -> Awaitable[Json]:
        """Send events from now on, or what followed `after`; raises ApiError (gap, conflict)."""

    def unsubscribe(self) -> bool:
        """Send none any more; returns whether any were sent before."""


def made(schema: Made) -> Schema:
    """Return the schema."""
    return schema() if callable(schema) else schema


@frozen
class Caller:
    """Who asks: the door, the peer's credentials where known, and where events can be sent."""

    door: str  # "rpc" or "bridge"
    pid: int | None = None
    uid: int | None = None
    gid: int | None = None
    subscriber: Subscriber | None = None

    def __str__(self) -> str:
        return f"{self.user} pid={self.pid}"

    @property
    def user(self) -> str:
        """Who it is on the next connection too."""
        return f"{self.door} uid={self.uid}"


Check: TypeAlias = Callable[[Any], Any]
"""Returns the value to use, or raises ValueError with what it must be ("must be ...")."""


@frozen
class Param:
    """One parameter. A missing or null optional one is `default`."""

    name: str
    schema: Schema
    check: Check
    required: bool = True
    default: Any = None
    summary: str = ""


Handler: TypeAlias = Callable[[Caller, dict[str, Any]], Any]


@frozen
class Method:
    """A method and all that its description needs.

    Attributes:
        name: on the wire.
        summary: one sentence for the generated description.
        params: in positional order. Empty with `body` set.
        result: JSON Schema of the result.
        handler: see the module.
        changes: whether it changes something (logged with the caller; browsers need the token).
        body: the parameters are one object of free form, handed over as {"body": object}: by name
            the params object itself, by position a single object. Its schema, or what makes it.
        local: only over the Unix socket.
        errors: reasons it may answer with, for the description.
    """

    name: str
    summary: str
    handler: Handler
    params: tuple[Param, ...] = ()
    result: Schema = field(default_factory=dict)
    changes: bool = False
    body: Made | None = None
    local: bool = False
    errors: tuple[str, ...] = ()

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the checked parameters by name.

        Raises:
            ApiError: -32602 that names the parameter and what it must be.
        """
        if self.body is not None:
            return {"body": self._body(args, kwargs)}
        if args:
            if len(args) > len(self.params):
                raise ApiError.params("params", f"must be at most {len(self.params)} values")
            kwargs = {param.name: value for param, value in zip(self.params, args, strict=False)}
        bound, given = {}, 0
        for param in self.params:
            value = kwargs.get(param.name)
            if value is None:
                if param.required:
                    raise ApiError.params(param.name, "is required")
                bound[param.name] = param.default
                continue
            given += 1
            try:
                bound[param.name] = param.check(value)
            except ValueError as fault:
                raise ApiError.params(param.name, str(fault)) from None
        if len(kwargs) != given and not kwargs.keys() <= bound.keys():
            self._unknown(kwargs)
        return bound

    def _unknown(self, kwargs: Mapping[str, Any]) -> None:
        known = ", ".join(param.name for param in self.params) or "none"
        for name in kwargs:
            if all(param.name != name for param in self.params):
                raise ApiError.params(name[:100], f"is no parameter of {self.name} ({known})")

    def _body(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        if args:
            if len(args) != 1 or not isinstance(args[0], dict):
                raise ApiError.params("params", "must be one object")
            return args[0]
        return dict(kwargs)
