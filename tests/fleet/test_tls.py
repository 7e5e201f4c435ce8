"""A relay and a server that speak TLS: who is not trusted is told nothing, and why is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kaspad_taskd.fleet import keys
from kaspad_taskd.fleet.carrier import Carrier
from kaspad_taskd.fleet.faults import Kind, Trouble
from kaspad_taskd.fleet.settings import Engine, Login, Server
from tests.fakes.bridged import free_port
from tests.fakes.certificates import Authority
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
    certificate, key = authority.certify("server", "DNS:localhost")
    port = free_port()
    found = re.search(r"^```\n(bind .*?)```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    own = {
        "bind": "127.0.0.1", "requirepass": SECRET, "tls-port": str(port),
        "tls-cert-file": str(certificate), "tls-key-file": str(key),
        "tls-ca-cert-file": str(authority.ca),
    }  # fmt: skip
    options = [line.partition(" ")[::2] for line in found[1].splitlines()]
    assert own.keys() <= {name for name, _ in options}
    given = [word for name, value in options for word in (f"--{name}", own.get(name, value))]
    with RedisServer(tmp_path / "redis", *given) as server:
        with server.client(password=SECRET) as admin:
            admin.execute_command(*_acl("node-1"))
        engine = Engine((Server("localhost", port),), 0, True, authority.ca)
        it = Carrier(engine, Login("node-1", SECRET))
        mine = keys.key("node-1", keys.META)
        assert it.write([("HSET", mine, "host", "node-1")]) == [1]
        it.close()


def _acl(user: str) -> list[str]:
    """The command of the page that makes this user."""
    found = re.search(rf"^ACL SETUSER {user} .*$", DOCS.read_text(), re.MULTILINE)
    assert found is not None
    return found[0].replace("PASSWORD", SECRET).split()
