"""A browser's changes are in the log as everybody's are."""

from __future__ import annotations

import asyncio
import logging

import pytest

from kaspad_taskd.api.method import Method, Param
from kaspad_taskd.bridge.browser import Browser
from kaspad_taskd.bridge.calls import Calls


@pytest.mark.looptime
async def test_a_browsers_repeated_change_is_a_line_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From each of its connections; another address has a line of its own."""
    caplog.set_level(logging.INFO)
    which = Param("taskId", {}, lambda value: value)
    method = Method("pauseTask", "", lambda _, given: given, (which,), changes=True)
    calls = Calls({"pauseTask": method})
    for second in range(61):
        visitor = Browser(f"sid{second}", "10.0.0.7", lambda: True, None)
        await calls.call(visitor, "pauseTask", {"taskId": "node"})
        await asyncio.sleep(1)
    await calls.call(Browser("other", "10.0.0.8", lambda: True, None), "pauseTask", ["node"])
    assert [(each.getMessage(), vars(each)["task"]) for each in caplog.records] == [
        ("pauseTask by bridge 10.0.0.7", "node"),
        ("pauseTask by bridge 10.0.0.7, and 59 more", "node"),
        ("pauseTask by bridge 10.0.0.8", "node"),
    ]
