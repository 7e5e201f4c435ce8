"""The errors of the API: a code, a sentence, and data for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

CODES = {
    "not-found": -32001,
    "conflict": -32002,
    "not-allowed": -32003,
    "invalid-definition": -32004,
    "forbidden": -32005,
    "store-unavailable": -32006,
    "gap": -32007,
    "busy": -32008,
}
"""`data.reason` to code, as contract section 3 lists them."""


class ApiError(Exception):
    """An answer that says no: `code`, the sentence `message`, and `data` (always with `reason`)."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = dict(data)

    @classmethod
    def of(cls, reason: str, message: str, **data: Any) -> ApiError:
        """An error of the closed list, by its `data.reason`."""
        return cls(CODES[reason], message, {"reason": reason, **data})

    @classmethod
    def params(cls, parameter: str, must: str) -> ApiError:
        """-32602: the parameter and what it must be."""
        return cls(
            INVALID_PARAMS,
            f"{parameter}: {must}",
            {"reason": "invalid-params", "parameter": parameter},
        )
