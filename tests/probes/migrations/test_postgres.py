"""Connections to real PostgreSQL servers: TLS in every mode, replicas, and what may be missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.observation import Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes import Means
from tests.fakes.certificates import Authority
from tests.fakes.patience import PATIENCE
from tests.fakes.postgres import Postgres
from tests.probes.looks import look, made
from tests.probes.migrations.databases import VARS, Place, at_version, run

HERE = "DNS:localhost,IP:127.0.0.1"
LOCAL = "127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def secured(place: Place) -> AsyncIterator[Place]:
    """A place with a version; its server has no TLS before and after."""
    await run(place.root, (VARS, at_version(23)))
    yield place
    await place.server.show(None)


async def see(place: Place, **given: Any) -> Any:
    """What a look over TCP brings."""
    place.name_it(host=LOCAL, **given)
    probe = place.probe(tool="simply-kaspa")
    try:
        return await place.look(probe)
    finally:
        await probe.close()


def note(missed: Any) -> str:
    assert isinstance(missed, Unreachable)
    return words.note(missed.reason, missed.params)


async def test_a_server_without_tls(secured: Place) -> None:
    """It is taken where that was not demanded, and said where it was."""
    for mode in ("disable", "allow", "prefer"):
        assert (await see(secured, sslmode=mode)).complete
    assert "it offers no TLS, which sslmode demands" in note(await see(secured, sslmode="require"))


async def test_every_mode_over_a_good_certificate(secured: Place, authority: Authority) -> None:
    """And what is said goes over TLS from `prefer` on."""
    await secured.server.show(*authority.certify("good", HERE))
    tls = (
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = $1"
    )
    for mode in ("disable", "prefer", "require", "verify-ca", "verify-full"):
        given = {"sslrootcert": authority.ca} if mode.startswith("verify") else {}
        secured.name_it(host=LOCAL, sslmode=mode, **given)
        probe = secured.probe(tool="simply-kaspa")
        assert (await secured.look(probe)).complete
        assert await secured.root.fetchval(tls, "kaspad-taskd") is (mode != "disable")
        await probe.close()
        async with asyncio.timeout(PATIENCE):
            while await secured.root.fetchval(tls, "kaspad-taskd") is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("hosts", "days", "mode", "own", "fault"),
    [
        ("DNS:elsewhere.example", 2, "verify-ca", True, None),
        ("DNS:elsewhere.example", 2, "verify-full", True, "IP address mismatch"),
        (HERE, -1, "require", False, None),
        (HERE, -1, "verify-ca", True, "certificate has expired"),
        (HERE, 2, "verify-ca", False, "unable to get local issuer certificate"),
        (HERE, 2, "verify-full", False, "unable to get local issuer certificate"),
    ],
)
async def test_what_a_mode_does_not_let_pass(
    secured: Place, authority: Authority, hosts: str, days: int, mode: str, own: bool,
    fault: str | None, tmp_path: Path,
) -> None:  # fmt: skip
    """Another host's, an expired one, another authority's: in OpenSSL's words, without ours."""
    await secured.server.show(*authority.certify("shown", hosts, days))
    root = authority.ca if own else Authority(tmp_path, "another").ca
    given = {} if mode == "require" else {"sslrootcert": root}
    found = await see(secured, sslmode=mode, **given)
    if fault is None:
        assert found.complete
    else:
        assert f"its certificate is not trusted: {fault}" in note(found)


async def test_a_root_certificate_that_is_none_is_said(
    secured: Place, authority: Authority, tmp_path: Path
) -> None:
    """As a fault of the DSN, not as a server that is gone."""
    await secured.server.show(*authority.certify("good", HERE))
    file = tmp_path / "nowhere.pem"
    missed = await see(secured, sslmode="verify-full", sslrootcert=file)
    assert note(missed) == (
        "The database explorer cannot be asked: the sslrootcert that its DSN names cannot be read."
    )
    file.write_text("no certificate")
    missed = await see(secured, sslmode="verify-full", sslrootcert=file)
    assert "sslrootcert holds no certificate" in note(missed)


async def test_a_read_replica_is_no_place_to_look(postgres: Postgres, place: Place) -> None:
    """A real one, which has all data and none of the sessions that change it."""
    await run(place.root, (VARS, at_version(23)))
    place.root.terminate()
    replica = postgres.standby()
    try:
        place.root = await postgres.admin(place.name)
        session = await replica.admin(place.name)
        assert await session.fetchval("SELECT pg_is_in_recovery()")
        await session.close()
        place.file.write_text(replica.dsn(place.name))
        missed = await place.look(place.probe(tool="simply-kaspa"))
        assert missed.reason is Reason.WRONG_PROGRAM
        assert "read replica" in note(missed)
    finally:
        for probe in place.probes:
            await probe.close()
        replica.remove()


@pytest.mark.parametrize(
    ("given", "kind", "reason"),
    [
        ({"user": "nobody_there"}, Refused, Reason.CREDENTIALS),
        ({"password": "wrong"}, Refused, Reason.CREDENTIALS),
        ({"port": 1}, Unreachable, Reason.REFUSED),
        ({"host": "x.invalid"}, Unreachable, Reason.NAME_UNKNOWN),
        ({"sslmode": "maybe"}, Unreachable, Reason.BAD_ANSWER),
        ({"host": "/nowhere"}, Unreachable, Reason.REFUSED),
    ],
)
async def test_what_is_wrong_with_a_dsn(
    place: Place, given: dict[str, Any], kind: type, reason: Reason
) -> None:
    """It is told apart, and nothing of the DSN but the role is said."""
    place.name_it(**{"host": LOCAL, **given})
    named = given.get("host") == "x.invalid"
    missed = await place.look(place.probe(5.0 if named else PATIENCE, tool="simply-kaspa"))
    if named:  # a resolver may also be silent
        assert missed.reason in (Reason.NAME_UNKNOWN, Reason.TIMEOUT)
        return
    assert (type(missed), missed.reason) == (kind, reason)
    assert "wrong" not in note_of(missed)


def note_of(missed: Any) -> str:
    return words.note(missed.reason, missed.params)


async def test_no_further_client_is_health(place: Place) -> None:
    """A role with all its connections taken is asked again later."""
    await run(place.root, (VARS, at_version(23), "ALTER ROLE watcher CONNECTION LIMIT 0"))
    probe = place.probe(tool="simply-kaspa")
    missed = await place.look(probe)
    assert (type(missed), missed.reason) == (Unreachable, Reason.BUSY)
    await place.root.execute("ALTER ROLE watcher CONNECTION LIMIT 3")
    assert (await place.look(probe)).complete


async def test_sessions_that_are_ended_cost_one_look(place: Place) -> None:
    """An administrator's pg_terminate_backend, or a failover."""
    await run(place.root, (VARS, at_version(23)))
    probe = place.probe(tool="simply-kaspa")
    assert (await place.look(probe)).complete
    ours = "FROM pg_stat_activity WHERE application_name = 'kaspad-taskd'"
    assert await place.root.fetchval(f"SELECT pg_terminate_backend(pid) {ours}")
    async with asyncio.timeout(PATIENCE):
        while await place.root.fetchval(f"SELECT count(*) {ours}"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    found = await place.look(probe)
    assert isinstance(found, Reading | Unreachable)
    assert (await place.look(probe)).complete


async def test_the_server_is_of_the_version_that_is_named(
    postgres: Postgres, request: pytest.FixtureRequest
) -> None:
    """So that thirteen is thirteen."""
    session = await postgres.admin()
    major = str(session.get_server_version().major)
    await session.close()
    named = request.node.callspec.params["postgres"]
    assert "/" in named or named == major


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("unsupported startup parameter: statement_timeout",
         "unsupported startup parameter, says a pooler (pgbouncer)"),
        ("unsupported startup parameter in options: lock_timeout",
         "unsupported startup parameter, says a pooler (pgbouncer)"),
        ("no such database: secret", "a pooler (pgbouncer) has no such database"),
        ("no such user: secret", "a pooler (pgbouncer) has no such user"),
        ("secret", "the connection is refused as pgbouncer refuses one"),
    ],
)  # fmt: skip
async def test_a_pooler_says_itself_why_it_refuses(tmp_path: Path, says: str, told: str) -> None:
    """As pgbouncer 1.18 does, all with one code; it is named, and what to do."""
    fields = b"SFATAL\0C08P01\0M" + says.encode() + b"\0\0"
    error = b"E" + (len(fields) + 4).to_bytes(4, "big") + fields

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(error)
        writer.close()

    async with await asyncio.start_server(serve, LOCAL, 0) as server:
        dsn = tmp_path / "dsn"
        port = server.sockets[0].getsockname()[1]
        dsn.write_text(f"postgresql://taskd@{LOCAL}:{port}/explorer?sslmode=disable")
        data = {"dsn": "explorer", "tool": "simply-kaspa"}
        missed = await look(made("database-migration", data, Means(databases={"explorer": dsn})))
    assert note(missed) == f"Its answer cannot be used: {told}; ask the server itself."
