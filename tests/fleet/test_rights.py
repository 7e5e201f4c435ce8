"""The users of docs/fleet.md, made as written there: each can do its work, and nothing else."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.fleet import keys
from tests.fakes.redis_server import Kept, RedisServer, needs_redis
from tests.fleet.trio import Fleet, running, works

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), needs_redis]

DOCS = Path(__file__).parents[2] / "docs/fleet.md"
SECRET = "a-secret-of-mine"
FOREIGN = keys.key("other", keys.TASKS)
MINE = keys.key("node-1", keys.TASKS)
ANYBODY = {"auth", "hello", "reset", "quit"}
"""What may be said before anybody has logged in."""
RELAY = {
    "xadd", "xtrim", "xrevrange", "xinfo|stream", "hset", "hdel", "hgetall", "set", "del", "expire",
    "multi", "exec", "ping",
}  # fmt: skip


def lines() -> list[list[str]]:
    """The commands of the page, a secret in place of what stands for one."""
    found = re.findall(r"^ACL SETUSER .*$", DOCS.read_text(), re.MULTILINE)
    return [line.replace("PASSWORD", SECRET).split() for line in found]


class Raw:
    """A line to the server, as a user: what it is told is taken as it is said."""

    def __init__(self, server: RedisServer, user: str) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.settimeout(60)
        self._line.connect(str(server.socket))
        self._file = self._line.makefile("rb")
        assert self.say("AUTH", user, SECRET) == "+OK"

    def say(self, *words: str) -> str:
        """Return the first line of the answer."""
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        self._line.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
        return self._file.readline().decode().rstrip()

    def close(self) -> None:
        self._file.close()
        self._line.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    # what is off by default is on, so that the rights alone refuse it
    on = ("--enable-debug-command", "yes", "--enable-module-command", "yes")
    with RedisServer(tmp_path_factory.mktemp("rights"), *on) as made:
        with made.client() as client:
            client.hset(FOREIGN, "t", "{}")
            client.hset(MINE, "t", "{}")
            for command in lines():
                assert client.execute_command(*command) in (True, "OK")
        yield made


def commands(server: RedisServer) -> dict[str, int]:
    """Every command and subcommand that the server knows, with the words that it needs."""
    found: dict[str, int] = {}

    def take(info: list[Any]) -> None:
        name, arity = info[0], abs(info[1])
        inner = info[9] if len(info) > 9 else []
        for each in inner:
            take(each)
        if not inner:
            found[name] = arity

    with server.client() as client:
        client.response_callbacks.clear()
        for info in client.execute_command("COMMAND"):
            take(info)
    return found


def said(server: RedisServer, user: str, name: str, words: int, key: str) -> str:
    """What a user is told who tries a command with a key in each place."""
    given = name.split("|")
    line = Raw(server, user)
    try:
        return line.say(*given, *[key] * max(words - len(given), 0))
    finally:
        line.close()


def test_a_relay_may_do_nothing_else(server: RedisServer) -> None:
    """Every command of the server that it does not need is refused, on its own keys, too."""
    known = commands(server)
    assert len(known) > 200
    assert set(known) >= RELAY
    for name, words in known.items():
        if name not in RELAY | ANYBODY:
            assert said(server, "node-1", name, words, MINE).startswith("-NOPERM"), name


def test_a_relay_may_touch_no_other_host(server: RedisServer) -> None:
    """With any of its commands; nor keys that only begin like its own."""
    line = Raw(server, "node-1")
    names = [FOREIGN, "taskd:{node-10}:tasks", "taskd:{node-1}x", "taskd:node-1:tasks", "x"]
    tries = [
        ("XADD", "K", "1-0", "a", "b"), ("XTRIM", "K", "MAXLEN", "0"), ("XREVRANGE", "K", "+", "-"),
        ("XINFO", "STREAM", "K"), ("HSET", "K", "a", "b"), ("HDEL", "K", "t"), ("HGETALL", "K"),
        ("SET", "K", "b"), ("DEL", "K"), ("DEL", MINE, "K"), ("EXPIRE", "K", "1"),
        ("SET", "K", "b", "GET"),
    ]  # fmt: skip
    for name in names:
        for words in tries:
            given = [name if word == "K" else word for word in words]
            assert line.say(*given).startswith("-NOPERM"), given
    assert line.say("XADD", MINE.replace("tasks", "now"), "1-0", "w", "{}").startswith("$")
    line.close()


def test_a_hub_reads_and_writes_nothing(server: RedisServer) -> None:
    """Whatever changes something is refused it, by the server's own account of what does."""
    with server.client() as client:
        client.response_callbacks.clear()
        harmful = {
            name
            for kind in ("write", "dangerous", "admin", "scripting", "pubsub")
            for name in client.execute_command("ACL", "CAT", kind)
        }
        reading = set(client.execute_command("ACL", "CAT", "read"))
    known = commands(server)
    refused = [name for name in known if name in harmful - reading]
    assert len(refused) > 120
    for name in refused:
        assert said(server, "hub", name, known[name], MINE).startswith("-NOPERM"), name
    for name in ("keys", "randomkey"):
        assert said(server, "hub", name, known[name], MINE).startswith("-NOPERM"), name
    line = Raw(server, "hub")
    assert line.say("GET", "x").startswith("-NOPERM")
    assert line.say("HSET", MINE, "a", "b").startswith("-NOPERM")
    assert line.say("HGETALL", MINE).startswith("*")
    line.close()


async def logged_in(fleet: Fleet, password: str = SECRET) -> None:
    """Let the relay write as its user."""
    for command in lines():
        fleet.kept.client.execute_command(*command)
    file = fleet.relay.password(password)
    fleet.relay.tell([fleet.redis.server], f'user = "node-1"\npassword_file = "{file}"')


async def test_a_relay_does_all_its_work_with_these_rights(tmp_path: Path) -> None:
    """From its first word on, over a restart and a server that was emptied."""
    async with running(tmp_path, host="node-1") as fleet:
        await logged_in(fleet)
        line = await fleet.taskd.start()
        await works(line, "a")
        await fleet.relay.start()
        await fleet.equal(line)
        fleet.kept.client.flushall()
        await works(line, "b")
        await fleet.equal(line)
        await fleet.relay.end()
        await fleet.relay.start("--check")
        assert await fleet.relay.ended() == 0
        assert "good; node-1 is at unix:" in fleet.relay.said()
        log = fleet.kept.client.execute_command("ACL", "LOG")
        refused = [entry for entry in log if "setinfo" not in str(entry)]
        assert not refused


async def test_a_wrong_password_is_said_and_mended_in_passing(tmp_path: Path) -> None:
    """Once a minute, with the cure, and without any password; it gets in as soon as it may."""
    async with running(tmp_path, host="node-1") as fleet:
        await logged_in(fleet, "another")
        line = await fleet.taskd.start()
        await works(line, "a")
        await fleet.relay.start()
        await fleet.relay.says("it does not know this user and password")
        fleet.kept.client.execute_command("ACL", "SETUSER", "node-1", ">another")
        await fleet.equal(line)
        assert "another" not in fleet.relay.said()
        assert SECRET not in fleet.relay.said()


async def test_a_missing_right_is_said_with_what_helps(tmp_path: Path) -> None:
    async with running(tmp_path, host="node-1") as fleet:
        await logged_in(fleet)
        fleet.kept.client.execute_command("ACL", "SETUSER", "node-1", "-hset")
        line = await fleet.taskd.start()
        await works(line, "a")
        await fleet.relay.start()
        await fleet.relay.says("give it the rights of docs/fleet.md")
        fleet.kept.client.execute_command("ACL", "SETUSER", "node-1", "+hset")
        await fleet.equal(line)
        assert Kept(fleet.kept.client, "node-1").meta()["host"] == "node-1"
