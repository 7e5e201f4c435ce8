"""The table of what the manager replaces, against ours: on a real daemon and a recorded node."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kaspad_taskd.demo.daemon import Fast
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.taskd_process import Taskd
from tests.npm.here import node_tests

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]
SPEED = 12.0
"""Recorded seconds in a real one."""
NEAR = 290.0
"""The recorded second with which it begins: its last blocks are being fetched."""


@asynccontextmanager
async def near_the_tip(place: Path) -> AsyncIterator[tuple[Taskd, PlayingNode]]:
    """A daemon whose clock runs fast, and a node that is in sync in some seconds."""
    began = time.time() * 1000
    fast = Fast(SPEED, began)
    moved = 0.0

    def steady() -> float:
        return time.monotonic() + moved

    taskd = Taskd(place)
    taskd.program = ("kaspad_taskd.demo.daemon", str(SPEED), str(began))
    node = PlayingNode(load(), SPEED, monotonic=steady, wall_ms=lambda: fast.wall() * 1000)
    async with taskd, node:
        moved = NEAR / SPEED
        yield taskd, node


async def test_each_method_and_payload_is_as_it_was(tmp_path: Path) -> None:
    """table.cjs has a row for each, with what is different and why."""
    async with near_the_tip(tmp_path) as (taskd, node):
        await taskd.start()
        address = node.url.rpartition("/")[2]
        await node_tests("table.test.cjs", KASPAD_TASKD_SOCKET=str(taskd.socket), NODE=address)
        await taskd.end()
