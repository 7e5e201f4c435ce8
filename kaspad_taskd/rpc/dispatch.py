"""A request line in, an answer out.

The plain request, which is nearly every one, goes straight to its method; all others go through
jsonrpcserver, which owns the envelope (kaspad_taskd/rpc/envelope.py). Both ways call the same
methods and give the same bytes. Batches, and notifications that have to wait, are put together
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kaspad_taskd.api import errors
from kaspad_taskd.api.changed import Changes
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.incident import incident
from kaspad_taskd.api.method import Caller, Json, Method
from kaspad_taskd.base import jsontext
from kaspad_taskd.rpc.answers import (
    NOTIFICATION,
    exact,
    invalid,
    is_id,
    join,
    refusal,
    standard,
    success,
)
from kaspad_taskd.rpc.calls import Call, Pending, Waiting

BATCH_LIMIT: Final = 64
"""Requests in one batch (contract section 3)."""


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
    if not is_id(request.get("id")):
        return "id must be a string, a number or null"
    return None


class Dispatcher:
    """Answers request lines from a mapping of methods."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        changes = Changes()
        self._calls = {name: Call(method, changes) for name, method in methods.items()}
        self._envelope: Any = None

    def answer(self, line: bytes, caller: Caller) -> bytes | Pending:
        """Return the answer line to a request or a batch (b"" for none), or what has to wait.

        What a handler does before it waits has been done when this returns. It never raises.
        """
        try:
            request = jsontext.loads(line)
        except ValueError:
            return refusal(standard(errors.PARSE_ERROR))
        part = self._plain(request, caller)
        if part is None:
            if type(request) is list:
                return self._batch(request, line, caller)
            part = self._one(request, line, None, caller)
        return part if isinstance(part, bytes) else Pending([part], batch=False)

    def _plain(self, request: Json, caller: Caller) -> bytes | Waiting | None:
        """Answer the plain request: a known method, an id that is written as it was read.

        None: it is another kind of request, and nothing has been done.
        """
        if type(request) is not dict or request.get("jsonrpc") != "2.0":
            return None
        request_id, name = request.get("id"), request.get("method")
        if not (type(request_id) is int or type(request_id) is str) or type(name) is not str:
            return None
        call, params = self._calls.get(name), request.get("params", ())
        if call is None:
            return None
        try:
            if type(params) is dict:
                result = call(caller, (), params)
            elif type(params) is list or params == ():
                result = call(caller, params, {})
            else:
                return None
        except ApiError as error:
            return refusal(error, request_id, caller)
        return _answered(result, request_id, caller)

    def _batch(self, requests: list[Json], line: bytes, caller: Caller) -> bytes | Pending:
        if not 1 <= len(requests) <= BATCH_LIMIT:
            detail = f"a batch holds 1 to {BATCH_LIMIT} requests, this one {len(requests)}"
            return refusal(standard(errors.INVALID_REQUEST, detail))
        parts = [self._one(each, line, at, caller) for at, each in enumerate(requests)]
        done = [part for part in parts if isinstance(part, bytes)]
        return join(done) if len(done) == len(parts) else Pending(parts, batch=True)

    def _one(self, request: Json, line: bytes, at: int | None, caller: Caller) -> bytes | Waiting:
        """Answer one request of `line`, the one `at` in a batch."""
        wrong = fault(request)
        if wrong is not None:
            return invalid(request, wrong, line, at, caller)
        request_id = exact(request["id"], line, at) if "id" in request else NOTIFICATION
        try:
            result = self._loaded(caller).result(request, caller)
        except ApiError as error:
            return refusal(error, request_id, caller)
        return _answered(result, request_id, caller)

    def _loaded(self, caller: Caller) -> Any:
        """Return the library. Raises ApiError: it was replaced or removed since the start."""
        if self._envelope is None:
            try:
                from kaspad_taskd.rpc.envelope import Envelope
            except Exception:
                raise incident("jsonrpcserver", caller) from None
            self._envelope = Envelope(self._calls)
        return self._envelope


def _answered(result: Json, request_id: Json, caller: Caller) -> bytes | Waiting:
    """The line that says the result, or what has to wait for one and learns whose it is."""
    if type(result) is Waiting:
        result.id = request_id
        return result
    return success(result, request_id, caller)
