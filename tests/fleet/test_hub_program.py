"""The program `kaspad-taskd-hub`: what it tells systemd, and what `--check` finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio.connection import DefaultParser

from kaspad_taskd.fleet.hub.main import main
from tests.fakes.hub import HubProcess, fleet
from tests.fakes.notify_socket import NotifySocket
from tests.fakes.patience import once
from tests.fakes.redis_server import RedisServer, needs_redis

pytestmark = [needs_redis, pytest.mark.timeout(300)]


async def test_it_says_how_it_is_and_that_it_lives(
    tmp_path: Path, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """READY before anybody comes, a line for people, a heart that beats, also without Redis."""
    words: list[str] = []
    with NotifySocket(tmp_path / "systemd") as systemd, server.client() as client:

        def told(text: str) -> bool:
            words.extend(systemd.words())
            return any(text in word for word in words)

        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
        async with fleet(client, "one", "two"):
            hub = HubProcess(tmp_path / "hub", server.server, notify=systemd.address)
            async with hub:
                await once(lambda: told("READY=1"))
                await once(lambda: told("STATUS=2 hosts: 2 well; http://127.0.0.1:"))
                words.clear()
                await once(lambda: told("WATCHDOG=1"))
                server.kill()
                await once(lambda: told("STATUS=Redis cannot be read: "))
                words.clear()
                await once(lambda: told("WATCHDOG=1"))
                server.start()
                await once(lambda: told("STATUS=2 hosts: 2 well"))
            await once(lambda: told("STOPPING=1"))
            assert hub.process.returncode == 0


def check(place: Path, server: str, hub: str = "") -> int:
    """What `--check` says of these settings; returns its exit code."""
    file = place / "fleet.toml"
    file.write_text(f'host = "x"\n[redis]\nservers = ["{server}"]\n[hub]\n{hub}\n')
    return main(["--config", str(file), "--check"])


def test_a_check_asks_the_server_and_looks_at_the_token(
    tmp_path: Path, server: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that is away may be there at the start; whom it does not know never gets in."""
    assert check(tmp_path, server.server) == 0
    good = capsys.readouterr().out
    assert "good; the fleet is read from unix:" in good
    taken = "with" if "Hiredis" in DefaultParser.__name__ else "without"
    assert good.endswith(f" {taken} hiredis\n")  # the parser that is at work, not what is installed
    assert check(tmp_path, f"unix:{tmp_path}/none") == 0
    assert "see that it runs" in capsys.readouterr().out
    password = tmp_path / "password"
    password.write_text("wrong\n")
    password.chmod(0o600)
    assert check(tmp_path, server.server, f'user = "hub"\npassword_file = "{password}"') == 78
    assert "does not know this user" in capsys.readouterr().out
    assert check(tmp_path, server.server, f'token_file = "{tmp_path}/token"') == 78
    assert "hub.token_file" in capsys.readouterr().out
    assert check(tmp_path, server.server, 'listen = "off"') == 78
    assert "hub.listen" in capsys.readouterr().out
