"""A request line in, an answer out. jsonrpcserver owns the envelope; its texts never get out.

The library is used one element at a time and synchronously: it makes the request, finds the
method and calls it. What it does not do right is done here (batches, notifications that have to
wait, texts of errors, exceptions), and what it would do slowly: its public call, which also parses
and validates, takes eight of twelve microseconds a request. Hence the two inner functions, and the
exact version in pyproject.toml.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Signature
from typing import Any, Final

from jsonrpcserver import Error, Success
from jsonrpcserver.dispatcher import create_request, dispatch_request
from oslash.either import Right

from kaspad_taskd.api import errors
from kaspad_taskd.api.changed import Changes
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.incident import incident
from kaspad_taskd.api.method import Caller, Json, Method
from kaspad_taskd.base import jsontext
from kaspad_taskd.rpc.framing import LIMIT

BATCH_LIMIT: Final = 64
"""Requests in one batch (contract section 3)."""

_NOTIFICATION: Final = object()
_STANDARD: Final = {
    errors.PARSE_ERROR: (
        "parse-error",
        "no JSON text: one request a line, UTF-8, no NaN, not nested too deeply",
    ),
    errors.INVALID_REQUEST: ("invalid-request", "no JSON-RPC 2.0 request"),
    errors.METHOD_NOT_FOUND: ("no-such-method", "no such method: rpc.discover lists them all"),
}


# The library logs each crash with its message: ours are logged under their incident.
logging.getLogger("jsonrpcserver").addHandler(logging.NullHandler())
logging.getLogger("jsonrpcserver").propagate = False


class _AnySignature(Signature):
    """Lets the library's check of arguments pass at once: `Method.bind` is ours, and says why."""

    def bind(self, /, *_args: Any, **_kwargs: Any) -> Any:
        """Take anything."""


_ANY_SIGNATURE: Final = _AnySignature()


@dataclass(slots=True)
class _Waiting:
    """A call whose handler has to wait; `id` is the request's, known once it was dispatched."""

    method: Method
    caller: Caller
    bound: dict[str, Any]
    value: Awaitable[Json]
    changes: Changes
    id: Any = None

    async def answer(self, slots: asyncio.Semaphore) -> bytes:
        async with slots:
            try:
                result = await self.value
            except ApiError as error:
                return _refusal(error, self.id, self.caller)
            except asyncio.CancelledError:
                _audit(self.changes, self.method, self.bound, None, self.caller)
                raise
            except Exception:
                crash = incident(self.method.name, self.caller)
                return _refusal(crash, self.id, self.caller)
        _audit(self.changes, self.method, self.bound, result, self.caller)
        return _success(result, self.id, self.caller)

    def close(self) -> None:
        """Let go of a coroutine that was never begun."""
        close = getattr(self.value, "close", None)
        if close is not None:
            close()


class Pending:
    """An answer, of one request or of a batch, that has to be waited for.

    Attributes:
        weight: how many of its requests wait.
        changes: whether one of them changes something: it goes on when the caller has gone.
    """

    __slots__ = ("_batch", "_parts", "changes", "weight")

    def __init__(self, parts: Sequence[bytes | _Waiting], *, batch: bool) -> None:
        self._parts = parts
        self._batch = batch
        waiting = self._waiting()
        self.weight = len(waiting)
        self.changes = any(part.method.changes for part in waiting)

    def _waiting(self) -> list[_Waiting]:
        return [part for part in self._parts if isinstance(part, _Waiting)]

    async def answer(self, slots: asyncio.Semaphore) -> bytes:
        """Return the answer's bytes; each waiting request takes one of the `slots` meanwhile."""
        waiting = self._waiting()
        if not self._batch:
            return await waiting[0].answer(slots)
        answers = iter(await asyncio.gather(*(part.answer(slots) for part in waiting)))
        return _join([next(answers) if isinstance(p, _Waiting) else p for p in self._parts])

    def close(self) -> None:
        """Let go of what was never begun."""
        for part in self._waiting():
            part.close()


def _audit(
    changes: Changes, method: Method, bound: dict[str, Any], result: Json, caller: Caller
) -> None:
    if method.changes:
        changes.log(method.name, bound, result, str(caller), caller.user)


def _wrapped(method: Method, changes: Changes) -> Callable[..., Any]:
    """Return `method` as the library may call it: never raising, with a signature that is free."""

    def call(caller: Caller, /, *args: Any, **kwargs: Any) -> Any:
        try:
            bound = method.bind(args, kwargs)
            value = method.handler(caller, bound)
        except ApiError as error:
            return Error(error.code, error.message, error.data)
        except Exception:
            crash = incident(method.name, caller)
            return Error(crash.code, crash.message, crash.data)
        if hasattr(value, "__await__"):
            return Success(_Waiting(method, caller, bound, value, changes))
        _audit(changes, method, bound, value, caller)
        return Success(value)

    call.__signature__ = _ANY_SIGNATURE  # type: ignore[attr-defined]
    return call


def fault(request: Json) -> str | None:
    """Return what is wrong with the envelope of one request, or None.

    Members that JSON-RPC does not name are nobody's fault: a tracing id, a client's own mark.
    """
    if type(request) is not dict:
        return "a request must be an object"
    if request.get("jsonrpc") != "2.0":
        return 'jsonrpc must be "2.0"'
    if type(request.get("method")) is not str:
        return "method must be a string"
    if "params" in request and type(request["params"]) not in (dict, list):
        return "params must be an object or an array"
    if not _is_id(request.get("id")):
        return "id must be a string, a number or null"
    return None


def _is_id(value: Json) -> bool:
    return type(value) in (str, int, float, type(None))


def _id_text(request_id: Json) -> bytes:
    try:
        return jsontext.dumps(request_id)
    except TypeError:  # beyond 64 bits
        return str(request_id).encode()


def _success(result: Json, request_id: Json, caller: Caller) -> bytes:
    """Return the answer line; b"" to a notification."""
    if request_id is _NOTIFICATION:
        return b""
    try:
        return jsontext.dumps({"jsonrpc": "2.0", "result": result, "id": request_id}) + b"\n"
    except Exception:
        return _odd_success(result, request_id, caller)


def _odd_success(result: Json, request_id: Json, caller: Caller) -> bytes:
    """Answer where the id or the result is more than the writer of JSON takes."""
    try:
        text = jsontext.dumps(result)
    except Exception:
        return _refusal(incident("a result", caller), request_id, caller)
    return b'{"jsonrpc":"2.0","result":' + text + b',"id":' + _id_text(request_id) + b"}\n"


def _refusal(error: ApiError, request_id: Json, caller: Caller) -> bytes:
    """Return the error line; b"" to a notification."""
    if request_id is _NOTIFICATION:
        return b""
    try:
        text = _error_text(error)
    except Exception:
        text = _error_text(incident("an error", caller))
    return b'{"jsonrpc":"2.0","error":' + text + b',"id":' + _id_text(request_id) + b"}\n"


def _error_text(error: ApiError) -> bytes:
    return jsontext.dumps({"code": error.code, "message": error.message, "data": error.data})


def _standard(code: int, detail: str | None = None) -> ApiError:
    reason, message = _STANDARD[code]
    return ApiError(code, f"{message}: {detail}" if detail else message, {"reason": reason})


def _join(parts: Sequence[bytes]) -> bytes:
    answers = b",".join(part[:-1] for part in parts if part)
    return b"[" + answers + b"]\n" if answers else b""


def refusal(error: ApiError) -> bytes:
    """Return the line that says no to no request in particular (its id is null)."""
    return b'{"jsonrpc":"2.0","error":' + _error_text(error) + b',"id":null}\n'


def too_long() -> bytes:
    """Return the answer to a line of more than 1 MiB."""
    message = f"the line is longer than {LIMIT} bytes: send less at once"
    data = {"reason": "too-long", "limit": LIMIT}
    return refusal(ApiError(errors.INVALID_REQUEST, message, data))


def _exact(request_id: Json, line: bytes, at: int | None) -> Json:
    """Return the id as it was written: orjson makes a float of an integer beyond 64 bits.

    `at` is the request's place in its batch, None for one of its own.
    """
    if type(request_id) is not float:
        return request_id
    value = json.loads(line)
    return (value if at is None else value[at])["id"]


class Dispatcher:
    """Answers request lines from a mapping of methods."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        changes = Changes()
        self._calls = {name: _wrapped(method, changes) for name, method in methods.items()}

    def answer(self, line: bytes, caller: Caller) -> bytes | Pending:
        """Return the answer line to a request or a batch (b"" for none), or what has to wait.

        What a handler does before it waits has been done when this returns. It never raises.
        """
        try:
            request = jsontext.loads(line)
        except ValueError:
            return refusal(_standard(errors.PARSE_ERROR))
        if type(request) is list:
            return self._batch(request, line, caller)
        part = self._one(request, line, None, caller)
        return part if isinstance(part, bytes) else Pending([part], batch=False)

    def _batch(self, requests: list[Json], line: bytes, caller: Caller) -> bytes | Pending:
        if not 1 <= len(requests) <= BATCH_LIMIT:
            detail = f"a batch holds 1 to {BATCH_LIMIT} requests, this one {len(requests)}"
            return refusal(_standard(errors.INVALID_REQUEST, detail))
        parts = [self._one(each, line, at, caller) for at, each in enumerate(requests)]
        done = [part for part in parts if isinstance(part, bytes)]
        return _join(done) if len(done) == len(parts) else Pending(parts, batch=True)

    def _one(self, request: Json, line: bytes, at: int | None, caller: Caller) -> bytes | _Waiting:
        """Answer one request of `line`, the one `at` in a batch."""
        wrong = fault(request)
        if wrong is not None:
            return _invalid(request, wrong, line, at, caller)
        # An id of ours makes the library keep a notification's result, so that it is really run.
        request_id = request.setdefault("id", _NOTIFICATION)
        _, answer = dispatch_request(self._calls, caller, create_request(request))
        request_id = _exact(request_id, line, at)
        if type(answer) is not Right:
            return _no(answer._error, request_id, caller)
        result = answer._value.result
        if type(result) is _Waiting:
            result.id = request_id
            return result
        return _success(result, request_id, caller)


def _invalid(request: Json, wrong: str, line: bytes, at: int | None, caller: Caller) -> bytes:
    """Say what is wrong with the envelope, to the id where it can be seen."""
    request_id = request.get("id") if type(request) is dict else None
    request_id = _exact(request_id, line, at) if _is_id(request_id) else None
    return _refusal(_standard(errors.INVALID_REQUEST, wrong), request_id, caller)


def _no(error: Any, request_id: Json, caller: Caller) -> bytes:
    """Say what our methods refused, and in our own words what the library did."""
    if type(error.data) is dict:  # the library's own are strings
        return _refusal(ApiError(error.code, error.message, error.data), request_id, caller)
    if error.code in _STANDARD:
        return _refusal(_standard(error.code), request_id, caller)
    return _refusal(incident(f"jsonrpcserver ({error.data})", caller), request_id, caller)
