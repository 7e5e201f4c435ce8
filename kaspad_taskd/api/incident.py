"""A crash, as it is told: its traceback to the log, a number to the client."""

from __future__ import annotations

import logging
import secrets

from kaspad_taskd.api.errors import INTERNAL_ERROR, ApiError

_log = logging.getLogger(__name__)


def incident(what: str, who: object) -> ApiError:
    """Log the exception at hand under a short random id and return the answer that names it."""
    number = secrets.token_hex(4)
    _log.exception("a fault of ours in %s for %s", what, who, extra={"incident": number})
    message = f"Internal error: the daemon's log says more under incident {number}"
    return ApiError(INTERNAL_ERROR, message, {"reason": "internal-error", "incident": number})
