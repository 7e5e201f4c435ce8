"""A relay and a server that speak TLS: who is not trusted is told nothing, and why is said."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.carrier import Carrier, Command
from kaspad_taskd.fleet.faults import Kind, Trouble
from kaspad_taskd.fleet.settings import Engine, Login, Server
from tests.fakes.bridged import free_port
from tests.fakes.certificates import Authority
from tests.fakes.patience import once
from tests.fakes.redis_server import RedisServer, needs_redis

pytestmark = [pytest.mark.system, needs_redis]

KEY = keys.key("h", keys.META)
SECRET = "a-secret-of-mine"
DOCS = Path(__file__).parents[2] / "docs/fleet.md"


def test_a_server_with_a_certificate_is_written_to_and_no_other(tmp_path: Path) -> None:
    """Both sides show one; a password goes to nobody who is not who he should be."""
    authority = Authority(tmp_path / "ca")
    certificate, key = authority.certify("server", "DNS:localhost")
    mine, my_key = authority.certify("relay", "DNS:relay")
    port = free_port()
    with RedisServer(
        tmp_path / "redis", "--tls-port", str(port), "--tls-cert-file", str(certificate),
        "--tls-key-file", str(key), "--tls-ca-cert-file", str(authority.ca),
        "--requirepass", SECRET,
    ):  # fmt: skip
        good = Engine((Server("localhost", port),), 0, True, authority.ca, mine, my_key)
        it = Carrier(good, Login(None, SECRET))
        assert it.write([("HSET", KEY, "host", "h")]) == [1]
        assert it.table(KEY) == {"host": "h"}
        it.close()
        untold = {Kind.TLS, Kind.GONE}  # in TLS 1.3 the server only hangs up
        for engine, kinds in (
            (Engine(good.servers, 0, True, None, mine, my_key), {Kind.TLS}),  # the system's own
            (Engine(good.servers, 0, True, authority.ca), untold),  # no certificate to show
            (Engine((Server("127.0.0.1", port),), 0, True, authority.ca, mine, my_key), {Kind.TLS}),
        ):
            with pytest.raises(Trouble) as no:
                Carrier(engine, Login(None, SECRET)).table(KEY)
            assert no.value.kind in kinds, no.value
            assert SECRET not in str(no.value)


def test_a_server_with_the_settings_of_the_page_serves_a_fleet(tmp_path: Path) -> None:
    """As they stand in docs/fleet.md, with certificates and a port of this test's."""
    authority = Authority(tmp_path / "ca")
    port = free_port()
    with RedisServer(tmp_path / "redis", *_given(authority, port)) as server:
        with server.client(password=SECRET) as admin:
            admin.execute_command(*_acl("node-1"))
        engine = Engine((Server("localhost", port),), 0, True, authority.ca)
        it = Carrier(engine, Login("node-1", SECRET))
        mine = keys.key("node-1", keys.META)
        assert it.write([("HSET", mine, "host", "node-1")]) == [1]
        it.close()


async def test_a_pair_with_the_settings_of_the_page_changes_places(tmp_path: Path) -> None:
    """Over TLS, in both directions; a relay that knows both writes to the master."""
    authority = Authority(tmp_path / "ca")
    ports = free_port(), free_port()
    one = RedisServer(tmp_path / "one", *_given(authority, ports[0], "tls-replication"))
    two = RedisServer(tmp_path / "two", *_given(authority, ports[1], "tls-replication"))
    with one, two, one.client(password=SECRET) as first, two.client(password=SECRET) as second:
        for each in (first, second):
            each.execute_command(*_acl("node-1"))
        known = tuple(Server("localhost", each) for each in ports)
        it = Carrier(Engine(known, 0, True, authority.ca), Login("node-1", SECRET))
        mine = keys.key("node-1", keys.META)
        for leads, follows, port in ((first, second, ports[0]), (second, first, ports[1])):
            leads.execute_command("REPLICAOF", "NO", "ONE")
            follows.execute_command("REPLICAOF", "localhost", port)
            await once(partial(_follows, follows), "the line between the two is up")
            _written(it, ("HSET", mine, "by", port))
            await once(partial(_has, follows, mine, str(port)), "it has what the other was told")
        it.close()


def _follows(server: Any) -> bool:
    return bool(server.info("replication").get("master_link_status") == "up")


def _has(server: Any, key: str, said: str) -> bool:
    return bool(server.hget(key, "by") == said)


def _written(it: Carrier, command: Command) -> None:
    """Write it, as a relay does: to the next server where one is none that may be written to."""
    for _ in range(4):
        try:
            it.write([command])
        except Trouble:
            continue
        return
    pytest.fail("no server takes it")


def _given(authority: Authority, port: int, *more: str) -> list[str]:
    """The settings of the page, and its blocks that begin with these words, for one server."""
    certificate, key = authority.certify(f"server-{port}", "DNS:localhost")
    own = {
        "bind": "127.0.0.1", "requirepass": SECRET, "masterauth": SECRET, "tls-port": str(port),
        "tls-cert-file": str(certificate), "tls-key-file": str(key),
        "tls-ca-cert-file": str(authority.ca),
    }  # fmt: skip
    options: dict[str, str] = {}
    for first in ("bind", *more):
        found = re.search(rf"^```\n({first} .*?)```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
        assert found is not None
        options |= dict(line.split(" ", 1) for line in found[1].splitlines())
    assert own.keys() - {"masterauth"} <= options.keys()
    return [word for name, value in options.items() for word in (f"--{name}", own.get(name, value))]


def _acl(user: str) -> list[str]:
    """The command of the page that makes this user."""
    found = re.search(rf"^ACL SETUSER {user} .*$", DOCS.read_text(), re.MULTILINE)
    assert found is not None
    return found[0].replace("PASSWORD", SECRET).split()
