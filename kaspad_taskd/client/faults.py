"""How a client says that the daemon said no."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost the command line a tenth of its start
if TYPE_CHECKING:
    from typing import Any


class Refused(Exception):
    """The daemon said no: a JSON-RPC error.

    Attributes:
        code: -32001 for `not-found` and so on (contract section 3).
        message: one sentence.
        data: for programs; `data["reason"]` is of a closed list.
    """

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data or {}

    @property
    def reason(self) -> str:
        """`not-found`, `conflict`, `not-allowed`..., or "" for a standard error of JSON-RPC."""
        return str(self.data.get("reason") or "")
