"""A real daemon, relay, redis-server and notifier, and a real HTTP server that is told."""

from __future__ import annotations

import signal
import sys
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
IMPATIENT = (
    "from kaspad_taskd.notify import draft, rules; draft.SILENT = rules.SILENT = 5000; "
    "from kaspad_taskd.notify.main import main; raise SystemExit(main())"
)
"""The notifier, to which five seconds of silence are as two minutes, beyond a reader's 15."""


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


async def breaks(line: Line, task: str) -> None:
    """Let a new task fail."""
    await line.call("registerTask", id=task, type="report", service=task)
    await line.call("errorTask", taskId=task, error="it broke")


def told(hook: Hook) -> list[tuple[str | None, str, str]]:
    """Host, kind and whose it is, of all that was told; a message that came again is the same."""
    messages = {each["id"]: each for each in list(hook.got)}
    items: list[dict[str, Any]] = [item for each in messages.values() for item in each["items"]]
    return [(item["host"], item["kind"], item["of"]) for item in items]


async def test_a_fleet_is_told_of_once_whoever_is_killed(tmp_path: Path) -> None:
    """Failures over a kill of the notifier, silence once and its end, the engine's end once."""
    with Hook() as hook:
        place, user = tmp_path / "n", ("--user", "hub", *HUB_RIGHTS.split())
        notifier = FleetNotifier(place, tmp_path)
        place.mkdir()
        async with running(tmp_path, *user) as trio, notifier as it:
            notifier.follow(trio, hook)
            line = await trio.taskd.start()
            await breaks(line, "old")  # before anybody listened: no news
            await trio.relay.start()
            await trio.equal(line)
            await it.start()
            await once(lambda: (it.status().get("fleet") or {}).get("hosts") == 1)
            await breaks(line, "a")
            await once(lambda: told(hook) == [("h", "error", "task:a")])
            assert hook.got[0]["title"] == "h: a failed"
            assert hook.got[0]["link"] == "http://hub.example.org/host/h/task/a"
            await it.end(signal.SIGKILL)
            for task in ("b", "c"):
                await breaks(line, task)
            await trio.equal(line)
            await it.start()
            await once(lambda: len(told(hook)) == 3)
            assert {of for _, _, of in told(hook)[1:]} == {"task:b", "task:c"}
            await trio.relay.end(signal.SIGKILL)
            await once(lambda: told(hook)[3:] == [("h", "trouble", "host")])
            assert hook.got[-1]["title"] == "h: nothing is heard of this host"
            await it.end(signal.SIGKILL)
            await it.start()
            await breaks(line, "d")
            await trio.relay.start()
            await once(lambda: len(told(hook)) >= 6)
            assert sorted(told(hook)[4:]) == [
                ("h", "error", "task:d"), ("h", "recovered", "host"),
            ]  # fmt: skip
            trio.redis.kill()
            await once(lambda: len(told(hook)) >= 7)
            assert told(hook)[6:] == [(None, "trouble", "engine")]
            trio.redis.start()
            await once(lambda: told(hook)[7:] == [(None, "recovered", "engine")])
            assert (await it.end())[0] == 0
