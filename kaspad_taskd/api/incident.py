"""A crash, as it is told: its traceback to the log, a number to the client."""

from __future__ import annotations

import logging
import secrets
import sys
from typing import Final

from kaspad_taskd import words
from kaspad_taskd.api.errors import INTERNAL_ERROR, ApiError
from kaspad_taskd.base.descriptors import NO_MORE, is_exhausted, is_own_limit, limit
from kaspad_taskd.base.sparing import Sparing

_log = logging.getLogger(__name__)
_sparing: Final = Sparing()


def incident(what: str, who: object) -> ApiError:
    """Log the exception at hand under a short random id and return the answer that names it.

    Where it is that this process may open no more files, nothing has crashed: that is `busy`.
    """
    if _lacked_a_file(sys.exc_info()[1]):
        if _sparing.may("files") is not None:
            _log.error("%s was refused: %s", what, NO_MORE)
        return ApiError.of("busy", words.say("answer.own-limit"), limit=limit())
    number = secrets.token_hex(4)
    _log.exception("a fault of ours in %s for %s", what, who, extra={"incident": number})
    message = f"Internal error: the daemon's log says more under incident {number}"
    return ApiError(INTERNAL_ERROR, message, {"reason": "internal-error", "incident": number})


def _lacked_a_file(error: BaseException | None) -> bool:
    """Whether it failed for want of a file; libraries, and imports, do not always say so."""
    return is_own_limit(error) or (isinstance(error, OSError | ImportError) and is_exhausted())
