"""A daemon that is older than this client: what it takes of a report."""

from __future__ import annotations

from kaspad_taskd.cli.run.tools.tool import ALMOST
from kaspad_taskd.client.faults import Refused

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_INVALID = -32602
_ALWAYS = ("taskId", "completed", "error", "metadata")  # what each `reportTask` has taken


class Reports:
    """Calls of the daemon; where it does not know what a report has, one has what it always had.

    Args:
        call: the daemon.
    """

    def __init__(self, call: Callable[[str, dict[str, Any]], Any]) -> None:
        self._call = call
        self._plain = False

    def __call__(self, method: str, params: dict[str, Any]) -> Any:
        """Return its answer; raises as `call` does."""
        if method != "reportTask":
            return self._call(method, params)
        if not self._plain:
            try:
                return self._call(method, params)
            except Refused as fault:
                if fault.code != _INVALID:
                    raise
        answer = self._call(method, plain(params))
        self._plain = True
        return answer


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report as share, facts and end; a phase, or a total that grows, has no share."""
    found = {key: params[key] for key in _ALWAYS if key in params}
    if "warning" in params:
        found["metadata"] = {**found.get("metadata", {}), "warning": params["warning"]}
    if params.get("total") and not params.get("growing") and "phase" not in params:
        found["progress"] = min(100 * params["done"] / params["total"], ALMOST)
    return found
