"""What nobody caught is said once a minute, and a lack of files in one line."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from typing import Any

import pytest

from kaspad_taskd.daemon.quiet import Complaints


def fault(number: int | None) -> OSError:
    try:
        raise OSError(number, "x") if number else OSError("a fault of ours")
    except OSError as error:
        return error


async def test_a_thousand_of_the_same_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """The first one with its traceback; another cause is not kept back by it."""
    loop, said = asyncio.get_running_loop(), Complaints()
    with caplog.at_level(logging.ERROR):
        for _ in range(1000):
            said(loop, {"message": "a task ended", "exception": fault(None)})
        said(loop, {"message": "another", "exception": fault(None)})
    assert [each.exc_info is not None for each in caplog.records] == [True, True]


async def test_no_more_files_is_a_line_without_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """As asyncio's own accept tells it, too."""
    loop, said = asyncio.get_running_loop(), Complaints()
    lost: dict[str, Any] = {
        "message": "socket.accept() out of system resource",
        "exception": OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
    }
    with caplog.at_level(logging.ERROR):
        for _ in range(1000):
            said(loop, lost)
    (line,) = caplog.records
    assert "LimitNOFILE" in line.getMessage()
    assert line.exc_info is None
