"""A real daemon, relay, redis-server and notifier, and a real HTTP server that is told."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.fleet_reader import HUB_RIGHTS
from tests.fakes.notifier import Hook, Notifier
from tests.fakes.patience import once
from tests.fakes.redis_server import needs_redis
from tests.fakes.taskd_process import Line
from tests.fleet.trio import Fleet, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), needs_redis]

QUICK = 'after = "0s"\ngather = "0s"\nrepeat = "never"\n'
IDLE = 60 * 1024
"""KiB that a notifier of a fleet may have: redis-py and its event loop are in it."""
IMPATIENT = (
    "from kaspad_taskd.notify import draft, rules; draft.SILENT = rules.SILENT = 12_000; "
    "from kaspad_taskd.notify.main import main; raise SystemExit(main())"
)
"""The notifier, to which 12 seconds of silence are as two minutes; who stands still has ten."""


class FleetNotifier(Notifier):
    """A notifier of a fleet, as a user who may read as the hub may."""

    def follow(self, trio: Fleet, hook: Hook) -> None:
        """Write its settings: fleet.toml, and a password of its own."""
        secret = self.place / "redis"
        secret.write_text("pw\n")
        secret.chmod(0o600)
        (self.place / "fleet.toml").write_text(f'[redis]\nservers = ["{trio.redis.server}"]\n')
        fleet = f'[fleet]\nuser = "hub"\npassword_file = "{secret}"\n'
        self.tell(hook, QUICK, fleet, 'page_url = "http://hub.example.org"\n')

    def command(self, *more: str) -> list[str]:
        return [sys.executable, "-c", IMPATIENT, *super().command(*more)[3:]]


def memory(pid: int) -> int:
    """KiB that a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


async def breaks(line: Line, task: str) -> None:
    """Let a new task fail."""
    await line.call("registerTask", id=task, type="report", service=task)
    await line.call("errorTask", taskId=task, error="it broke")


def told(hook: Hook, host: str | None = "h") -> list[tuple[str, str]]:
    """Kind, and whose it is, of all that was told; a message that came again is the same."""
    messages = {each["id"]: each for each in list(hook.got)}
    items: list[dict[str, Any]] = [item for each in messages.values() for item in each["items"]]
    return [(item["kind"], item["of"]) for item in items if item["host"] == host]


def titles(hook: Hook) -> list[str]:
    return [each["title"] for each in list(hook.got)]


@contextlib.asynccontextmanager
async def told_of(place: Path, hook: Hook) -> AsyncIterator[tuple[Fleet, FleetNotifier, Line]]:
    """A fleet of one host of which something old is there, and a notifier that hears it."""
    (place / "n").mkdir()
    notifier = FleetNotifier(place / "n", place)
    async with running(place, "--user", "hub", *HUB_RIGHTS.split()) as trio, notifier:
        notifier.follow(trio, hook)
        line = await trio.taskd.start()
        await breaks(line, "old")  # before anybody listened: no news
        await trio.relay.start()
        await trio.equal(line)
        await notifier.start()
        await once(lambda: (notifier.status().get("fleet") or {}).get("hosts") == 1)
        yield trio, notifier, line


async def test_failures_are_told_once_whoever_is_killed(tmp_path: Path) -> None:
    """The notifier amid them; then the daemon is away, and is back. Settings are read again."""
    with Hook() as hook:
        async with told_of(tmp_path, hook) as (trio, it, line):
            await breaks(line, "a")
            await once(lambda: told(hook) == [("error", "task:a")])
            assert "h: a failed" in titles(hook)
            links = [each["link"] for each in hook.got]
            assert "http://hub.example.org/host/h/task/a" in links
            await it.end(signal.SIGKILL)
            for task in ("b", "c"):
                await breaks(line, task)
            await trio.equal(line)
            await it.start()
            await once(lambda: len(told(hook)) == 3)
            assert set(told(hook)[1:]) == {("error", "task:b"), ("error", "task:c")}
            assert it.process is not None
            assert memory(it.process.pid) <= IDLE
            it.process.send_signal(signal.SIGHUP)
            await once(lambda: "settings read again" in it.said())
            await trio.taskd.end()
            await once(lambda: told(hook)[3:] == [("trouble", "host")])
            assert "h: kaspad-taskd does not answer there" in titles(hook)
            await trio.taskd.start()
            await once(lambda: told(hook)[4:] == [("recovered", "host")])
            assert (await it.end())[0] == 0


async def test_silence_is_told_once_and_its_end(tmp_path: Path) -> None:
    """Of a host, over a kill of the notifier; then of the engine, and of no host."""
    with Hook() as hook:
        async with told_of(tmp_path, hook) as (trio, it, line):
            await trio.relay.end(signal.SIGKILL)
            await once(lambda: told(hook) == [("trouble", "host")])
            assert "h: nothing is heard of this host" in titles(hook)
            await it.end(signal.SIGKILL)
            await it.start()
            await breaks(line, "a")
            await trio.relay.start()
            await once(lambda: len(told(hook)) >= 3)
            assert sorted(told(hook)[1:]) == [("error", "task:a"), ("recovered", "host")]
            before = len(told(hook, None))
            trio.redis.kill()
            await once(lambda: told(hook, None)[before:] == [("trouble", "engine")])
            trio.redis.start()
            await once(lambda: told(hook, None)[before + 1 :] == [("recovered", "engine")])
            assert len(told(hook)) == 3  # meanwhile nobody knew
