"""A real daemon, a node that goes away and comes back, and a service that does not wait for it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
from tests.fakes.bridged import free_port
from tests.fakes.patience import PATIENCE
from tests.fakes.switch_host import SwitchHost
from tests.fakes.taskd_process import Line, Taskd, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
NODE = """\
type = "node-sync"
service = "kaspa-node"
interval = "250ms"
watch_interval = "250ms"
[checker]
url = "grpc://127.0.0.1:{port}"
network = "simnet"
"""
RULES = 'fallback = "public"\nfallback_after = "1s"\nreturn_after = "1s"\n'


async def service_when(line: Line, holds: Any) -> dict[str, Any]:
    """The service as soon as something holds of it."""

    async def there() -> dict[str, Any] | None:
        (found,) = await line.call("getServices")
        return found if holds(found) else None

    found: dict[str, Any] = await until(there, PATIENCE, 0.2)
    return found


def at(side: str, by: str) -> Any:
    """Whether a switch by somebody has brought it there."""

    def holds(found: dict[str, Any]) -> bool:
        last = found["switch"] or {}
        return (found["points"], last.get("state"), last.get("by")) == (side, "done", by)

    return holds


async def node(stack: AsyncExitStack, port: int) -> PlayingNode:
    """A node in sync."""
    return await stack.enter_async_context(PlayingNode(load(), 1_000_000, port=port))


async def test_it_leaves_a_node_that_is_lost_and_comes_back_over_a_kill(tmp_path: Path) -> None:
    """The daemon is killed amid the fallback; each comes once, and is told as what it was."""
    host, port = SwitchHost(tmp_path / "host"), free_port()
    async with (
        AsyncExitStack() as all_over,
        host.serving(),
        AsyncExitStack() as alive,
        Taskd(tmp_path / "taskd", env={**host.env, "HASTY": "1"}) as taskd,
    ):
        public = await node(all_over, 0)
        await node(alive, port)
        taskd.program = ("tests.fakes.switching_taskd",)
        url = f"grpc://127.0.0.1:{port}"
        taskd.settings.write_text(host.declare("kasia", url, public=public.url, more=RULES))
        taskd.define("node", NODE.format(port=port))
        line = await taskd.start()
        local = await service_when(line, at("local", "node-sync"))
        assert (local["fallback"], local["flipsLeft"], local["stays"]) == ("public", 4, None)

        await alive.aclose()
        with host.held():
            await service_when(line, lambda found: (found["switch"]["step"]) == 3)
            await taskd.kill()
        line = await taskd.start()
        away = await service_when(line, at("public", "fallback"))
        assert away["switch"]["because"]["health"] == "unreachable"
        assert away["fallen"]["because"]["note"] == "the local node did not answer"
        assert (away["flipsToday"], away["flipsLeft"]) == (1, 3)

        await node(all_over, port)
        back = await service_when(line, at("local", "fallback"))
        assert (back["fallen"], back["flipsToday"]) == (None, 2)
        events = (await line.call("getEvents", limit=1000))["events"]
    ended = [each for each in events if each["event"] in ("switch:complete", "switch:error")]
    told = [(each["event"], each["data"]["to"], each["data"]["switch"]["by"]) for each in ended]
    assert told == [
        ("switch:complete", "local", "node-sync"),
        ("switch:complete", "public", "fallback"),
        ("switch:complete", "local", "fallback"),
    ]
    lost = [each["data"] for each in events if each["event"] == "service:attention"]
    assert [each["code"] for each in lost if each["code"]] == ["node-lost"]
