"""What no room caught is said once a minute for each cause, whoever brings it about how often."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from kaspad_taskd.base.descriptors import NO_MORE, is_own_limit
from kaspad_taskd.base.sparing import Sparing, SparingFilter

LIBRARIES: Final = ("asyncio", "aiohttp.server", "aiohttp.web", "aiohttp.internal", "py.warnings")
"""Loggers that say what strangers make them say."""

_log = logging.getLogger(__name__)


def be_sparing(loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop, and the libraries on it, say each cause once a minute."""
    only = SparingFilter()
    for name in LIBRARIES:
        logging.getLogger(name).addFilter(only)
    loop.set_exception_handler(Complaints())


class Complaints:
    """The loop's exception handler; a lack of files is one line, without a traceback."""

    def __init__(self) -> None:
        self._sparing = Sparing()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Say what nobody caught, or leave it."""
        fault = context.get("exception")
        message = str(context.get("message", "a fault that nobody caught"))
        kept = self._sparing.may(message[:100], type(fault).__name__, _place(fault))
        if kept is None:
            return
        more = f" ({kept} more of them in the last minute)" if kept else ""
        if is_own_limit(fault):
            _log.error("%s%s", NO_MORE, more)
            return
        if more:
            _log.error("what follows was not said for a minute%s", more)
        loop.default_exception_handler(context)


def _place(fault: BaseException | None) -> tuple[str, int]:
    """Where an exception was raised."""
    trace = None if fault is None else fault.__traceback__
    if trace is None:
        return "", 0
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename, trace.tb_lineno
