"""What goes out: the line of an answer, of a refusal, of a fault. Bytes, and nothing that waits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from kaspad_taskd.api import errors
from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.incident import incident
from kaspad_taskd.api.listed import Written
from kaspad_taskd.api.method import Caller, Json
from kaspad_taskd.base import jsontext
from kaspad_taskd.rpc.framing import LIMIT

NOTIFICATION: Final = object()
"""The id of a request that has none: it is not answered."""
STANDARD: Final = {
    errors.PARSE_ERROR: (
        "parse-error",
        "no JSON text: one request a line, UTF-8, no NaN, not nested too deeply",
    ),
    errors.INVALID_REQUEST: ("invalid-request", "no JSON-RPC 2.0 request"),
    errors.METHOD_NOT_FOUND: ("no-such-method", "no such method: rpc.discover lists them all"),
}


_BEFORE: Final = b'{"jsonrpc":"2.0","result":'


def is_id(value: Json) -> bool:
    """Whether it may be the id of a request."""
    return type(value) in (str, int, float, type(None))


def _id_text(request_id: Json) -> bytes:
    try:
        return jsontext.dumps(request_id)
    except TypeError:  # beyond 64 bits
        return str(request_id).encode()


def _after(request_id: Json) -> bytes:
    return b',"id":' + _id_text(request_id) + b"}\n"


def long_success(result: Written, request_id: Json) -> list[bytes]:
    """Return the answer line in pieces; none to a notification."""
    if request_id is NOTIFICATION:
        return []
    return [_BEFORE, *result.pieces, _after(request_id)]


def success(result: Json, request_id: Json, caller: Caller) -> bytes:
    """Return the answer line; b"" to a notification."""
    if request_id is NOTIFICATION:
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
        return refusal(incident("a result", caller), request_id, caller)
    return _BEFORE + text + _after(request_id)


def refusal(error: ApiError, request_id: Json = None, caller: Caller | None = None) -> bytes:
    """Return the error line, to no request in particular without an id; b"" to a notification."""
    if request_id is NOTIFICATION:
        return b""
    try:
        text = _error_text(error)
    except Exception:
        text = _error_text(incident("an error", caller))
    return b'{"jsonrpc":"2.0","error":' + text + _after(request_id)


def _error_text(error: ApiError) -> bytes:
    return jsontext.dumps({"code": error.code, "message": error.message, "data": error.data})


def standard(code: int, detail: str | None = None) -> ApiError:
    """Return one of JSON-RPC's own errors, in our words."""
    reason, message = STANDARD[code]
    return ApiError(code, f"{message}: {detail}" if detail else message, {"reason": reason})


def join(parts: Sequence[bytes]) -> bytes:
    """Return the line of a batch from those of its requests; b"" where none is answered."""
    answers = b",".join(part[:-1] for part in parts if part)
    return b"[" + answers + b"]\n" if answers else b""


def too_long() -> bytes:
    """Return the answer to a line of more than 1 MiB."""
    message = f"the line is longer than {LIMIT} bytes: send less at once"
    data = {"reason": "too-long", "limit": LIMIT}
    return refusal(ApiError(errors.INVALID_REQUEST, message, data))


def exact(request_id: Json, line: bytes, at: int | None) -> Json:
    """Return the id as it was written: orjson makes a float of an integer beyond 64 bits.

    `at` is the request's place in its batch, None for one of its own.
    """
    if type(request_id) is not float:
        return request_id
    value = json.loads(line)
    return (value if at is None else value[at])["id"]


def invalid(request: Json, wrong: str, line: bytes, at: int | None, caller: Caller) -> bytes:
    """Say what is wrong with the envelope, to the id where it can be seen."""
    request_id = request.get("id") if type(request) is dict else None
    request_id = exact(request_id, line, at) if is_id(request_id) else None
    return refusal(standard(errors.INVALID_REQUEST, wrong), request_id, caller)
