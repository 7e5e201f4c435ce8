"""TLS of services that no public authority vouches for: `ca`, against real servers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.observation import Reading, Unreachable
from kaspad_taskd.probes import Probe
from tests.fakes.certificates import Authority, serving
from tests.fakes.indexers import SimplyKaspa
from tests.fakes.website import Reply, Website
from tests.probes.looks import look, made, read, said

HERE = "DNS:localhost,IP:127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
async def quiet() -> None:
    """A client that hangs up in the handshake is no news."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)


def site(certificate: Path, key: Path) -> Website:
    return Website({"/s": Reply({"p": 1})}, tls=serving(certificate, key))


def probe_of(site: Website, **more: Any) -> Probe:
    data = {"url": f"https://localhost:{site.port}/s", "progress": "p", **more}
    return made("http-json", data)


def note(missed: Any) -> str:
    assert isinstance(missed, Unreachable)
    return words.note(missed.reason, missed.params)


async def test_an_authority_of_its_own_is_trusted_where_it_is_named(authority: Authority) -> None:
    """And without it nobody is, nor anybody else with it."""
    async with site(*authority.certify("good", HERE)) as one:
        assert isinstance(await look(probe_of(one, ca=str(authority.ca))), Reading)
        assert "not trusted: unable to get local issuer" in note(await look(probe_of(one)))
        other = Authority(authority.ca.parent, "other")
        missed = await look(probe_of(one, ca=str(other.ca)))
        assert "not trusted: unable to get local issuer" in note(missed)


async def test_a_servers_own_certificate_may_be_named(authority: Authority) -> None:
    """Signed by itself, or by an authority that nobody knows."""
    certificate, key = authority.certify("pinned", HERE)
    async with site(certificate, key) as one:
        assert isinstance(await look(probe_of(one, ca=str(certificate))), Reading)


@pytest.mark.parametrize(
    ("hosts", "days", "fault"),
    [
        ("DNS:elsewhere.example", 2, "not trusted: Hostname mismatch"),
        (HERE, -1, "not trusted: certificate has expired"),
    ],
)
async def test_the_authority_alone_is_not_enough(
    authority: Authority, hosts: str, days: int, fault: str
) -> None:
    """The certificate must be this host's, and of today."""
    async with site(*authority.certify("bad", hosts, days)) as one:
        assert fault in note(await look(probe_of(one, ca=str(authority.ca))))


async def test_a_new_authority_is_taken_up_without_a_restart(
    authority: Authority, tmp_path: Path
) -> None:
    """The file is read again after a certificate that was not trusted."""
    file = tmp_path / "ca.pem"
    file.write_text(Authority(tmp_path, "old").ca.read_text())
    async with site(*authority.certify("renewed", HERE)) as one:
        probe = probe_of(one, ca=str(file))
        assert "not trusted" in note(await probe.observe({}))
        file.write_text(authority.ca.read_text())
        assert isinstance(await probe.observe({}), Reading)
        await probe.close()


@pytest.mark.parametrize("content", [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nx"])
async def test_a_file_without_a_certificate_is_said(tmp_path: Path, content: str | None) -> None:
    """Health with the file's name; nobody is asked."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    async with Website() as one:
        missed = await look(probe_of(one, ca=str(file)))
        assert note(missed) == (
            f"The file {file} cannot be read, or holds no certificate in PEM form."
        )
        assert one.connections == 0


async def test_an_indexer_is_asked_over_tls_likewise(authority: Authority) -> None:
    """The same key of the same meaning."""
    twin = SimplyKaspa()
    twin.tls = serving(*authority.certify("indexer", HERE))
    await twin.enter("synced")
    data = {"url": twin.url, "flavor": "simply-kaspa"}
    seen = await look(made("indexer-sync", {**data, "ca": str(authority.ca)}))
    assert isinstance(seen, Reading)
    assert seen.complete
    assert "not trusted" in note(await look(made("indexer-sync", data)))
    await twin.stop()


@pytest.mark.parametrize("kind", ["http-json", "indexer-sync"])
def test_only_a_file_may_name_it(kind: str) -> None:
    """By an absolute path; over an API no path is opened."""
    data = {"url": "https://x", "ca": "ca.pem"} | (
        {"progress": "p"} if kind == "http-json" else {"flavor": "kasia"}
    )
    assert "checker.ca: must be the absolute path of a PEM file" in said(kind, data)
    faults = read(kind, {**data, "ca": "/x.pem"}, "json")[1]
    assert [(fault.key, fault.kind) for fault in faults] == [("config.ca", "forbidden")]
    assert read(kind, {**data, "ca": "/x.pem"})[0].config["ca"] == "/x.pem"
