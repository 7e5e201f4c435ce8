"""What http-json reaches: Unix sockets, client certificates, POST, packed answers; what not."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import shutil
import socket
import subprocess
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.observation import Hint, Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes import Means
from kaspad_taskd.words import task as of_task
from tests.fakes.bridged import free_port
from tests.fakes.certificates import Authority
from tests.fakes.doors import opened as opened_doors
from tests.fakes.patience import PATIENCE
from tests.fakes.unix_site import UnixSite
from tests.fakes.website import Reply, Website
from tests.probes.looks import look, made, read, said

URL = "http://localhost/s"
HERE = "DNS:localhost,IP:127.0.0.1"


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[UnixSite]:
    async with UnixSite(tmp_path / "x.sock", {"/s": Reply({"p": 41})}) as site:
        yield site


@pytest.fixture(autouse=True)
async def quiet() -> None:
    """A client that hangs up in the handshake is no news."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)


def over(path: Path | str, own: tuple[Path, ...] = (), **more: Any) -> Any:
    data = {"url": URL, "progress": "p", "unix_socket": str(path), **more}
    return made("http-json", data, Means(allow=lambda *_: False, sockets=lambda: own))


def note(missed: Any) -> str:
    assert isinstance(missed, Unreachable)
    return words.note(missed.reason, missed.params)


async def test_a_unix_socket_is_asked_in_place_of_the_host(local: UnixSite) -> None:
    """Over one kept connection; no address is asked, so none needs to be allowed."""
    probe = over(local.path)
    for _ in range(3):
        found = await probe.observe({})
        assert (type(found), found.position) == (Reading, 41)
    await probe.close()
    assert local.connections == 1
    assert local.asked[0].headers["host"] == "localhost"


async def test_a_service_that_makes_its_socket_anew_is_found_again(local: UnixSite) -> None:
    """The old one is not clung to; while there is none it refuses."""
    probe = over(local.path)
    assert isinstance(await probe.observe({}), Reading)
    await local.stop()
    missed = await probe.observe({})
    assert missed.reason is Reason.REFUSED
    local.path.unlink(missing_ok=True)  # since 3.13 a server takes it with it
    missed = await probe.observe({})
    assert (missed.reason, missed.params) == (Reason.REFUSED, {"address": f"unix:{local.path}"})
    await local.start()
    assert isinstance(await probe.observe({}), Reading)
    await probe.close()


async def test_a_path_that_is_longer_than_a_socket_s_may_be(tmp_path: Path) -> None:
    """108 bytes are what the system takes; what is reached through a descriptor may be longer."""
    short = tmp_path / "s.sock"
    async with UnixSite(short, {"/s": Reply({"p": 1})}):
        deep = tmp_path / ("d" * 100) / ("e" * 100)
        deep.mkdir(parents=True)
        (deep / "s.sock").hardlink_to(short)
        assert isinstance(await look(over(deep / "s.sock")), Reading)


def ways(path: Path, folder: Path) -> Iterator[Path]:
    """Other ways to the same socket."""
    yield path
    yield path.parent / "." / ".." / path.parent.name / path.name
    (folder / "link").symlink_to(path)
    yield folder / "link"
    (folder / "hard").hardlink_to(path)
    yield folder / "hard"
    (folder / "directory").symlink_to(path.parent)
    yield folder / "directory" / path.name


async def test_no_task_asks_a_socket_of_ours(local: UnixSite, tmp_path: Path) -> None:
    """However it is reached; and nobody connects."""
    folder = tmp_path / "ways"
    folder.mkdir()
    for way in ways(local.path, folder):
        missed = await look(over(way, (local.path,)))
        assert missed.reason is Reason.FORBIDDEN, way
        assert (
            note(missed)
            == f"{way} is a socket of kaspad-taskd itself, which no task is allowed to ask."
        )
    assert local.connections == 0
    assert isinstance(await look(over(local.path, (tmp_path / "another.sock",))), Reading)


async def test_a_link_that_comes_to_lead_to_ours_is_not_followed(
    local: UnixSite, tmp_path: Path
) -> None:
    """Each look sees what is there now, kept connection or not."""
    link, ours = tmp_path / "link", tmp_path / "ours.sock"
    link.symlink_to(local.path)
    async with UnixSite(ours, {"/s": Reply({"p": 1})}) as own:
        probe = over(link, (ours,))
        assert isinstance(await probe.observe({}), Reading)
        link.unlink()
        link.symlink_to(ours)
        assert (await probe.observe({})).reason is Reason.FORBIDDEN
        await probe.close()
        assert own.connections == 0


async def test_what_is_no_socket_or_is_closed_is_said(tmp_path: Path) -> None:
    """Health, with what to do; nobody is told to join a group that is root."""
    (tmp_path / "file").write_text("{}")
    assert "names no socket" in note(await look(over(tmp_path / "file")))
    missed = await look(over(tmp_path / "none"))
    assert missed.reason is Reason.REFUSED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_a_socket_that_is_closed_to_our_user(local: UnixSite) -> None:
    """As docker's is."""
    local.path.chmod(0o600)
    for each in local.path.parents:
        if each != Path("/tmp") and each.stat().st_mode & 0o005 != 0o005 and each.name:
            each.chmod(each.stat().st_mode | 0o055)
    probe = over(local.path)
    os.seteuid(65534)
    try:
        missed = await probe.observe({})
    finally:
        os.seteuid(0)
        await probe.close()
    assert (
        note(missed) == f"The user of kaspad-taskd is not allowed to use the socket {local.path}."
    )
    cure = of_task.hint(missed.hints[0].code, missed.hints[0].params)[1]
    assert cure is not None
    assert "is root there" in cure


KEYS = {"unix_socket": "/run/x.sock", "client_cert": "/x.pem", "body": "{}"}


@pytest.mark.parametrize("kind", ["http-json", "indexer-sync"])
@pytest.mark.parametrize("key", sorted(KEYS))
def test_only_a_file_may_name_it(kind: str, key: str) -> None:
    """Over an API it is refused, and says where it may stand."""
    url = "https://x/" if key == "client_cert" else "http://x/"
    data = {"url": url, "progress": "p", key: KEYS[key]}
    if kind == "indexer-sync":
        data["flavor"] = "generic"
    assert read(kind, data)[1] == []
    camel = {"unix_socket": "unixSocket", "client_cert": "clientCert"}.get(key, key)
    over_api = {**{k: v for k, v in data.items() if k != key}, camel: KEYS[key]}
    (fault,) = read(kind, over_api, "json")[1]
    assert (fault.key, fault.kind) == (f"config.{camel}", "forbidden")
    assert fault.problem == "may only stand in a file of tasks.d"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({"unix_socket": "x.sock"}, "checker.unix_socket: must be the absolute path"),
        ({"unix_socket": "/run/kaspad-taskd/rpc.sock"}, "is kaspad-taskd's own"),
        ({"unix_socket": "/run/user/1000/kaspad-taskd/watch.sock"}, "is kaspad-taskd's own"),
        ({"unix_socket": "/x", "url": "https://x/"}, "needs an http:// url"),
        ({"client_cert": "/x.pem"}, "checker.client_cert: needs an https:// url"),
        ({"client_cert": "x.pem", "url": "https://x/"}, "must be the absolute path of a PEM file"),
        ({"body": "x" * 20_000}, "checker.body"),
        ({"progress_unit": "ratio"}, "checker.progress_unit"),
        ({"progress_unit": "fraction", "progress": None, "done": "d"}, "needs progress beside it"),
    ],
)
def test_a_fault_names_its_key_and_the_cure(data: dict[str, Any], fault: str) -> None:
    """Whatever the others say."""
    whole = {"url": "http://x/", "progress": "p", **data}
    kept = {key: value for key, value in whole.items() if value is not None}
    assert fault in said("http-json", kept)


def test_what_is_shown_of_a_unix_socket() -> None:
    """Its path, and no host that is never asked."""
    data = {"url": URL + "?a=1", "progress": "p", "unix_socket": "/run/x.sock", "body": "{}"}
    checker, faults = read("http-json", data)
    assert faults == []
    assert (checker.endpoint, checker.asks) == ("unix:/run/x.sock:/s", ())


async def test_a_body_is_posted(local: UnixSite) -> None:
    """As JSON, unless a header from a file says otherwise."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "progress"})
    assert isinstance(await look(over(local.path, body=body)), Reading)
    asked = local.asked[-1]
    assert (asked.method, asked.body.decode()) == ("POST", body)
    assert asked.headers["content-type"] == "application/json"
    kind = local.path.with_name("kind")
    kind.write_text("application/graphql+json")
    named = {"content-type": str(kind)}
    assert isinstance(await look(over(local.path, body=body, headers=named)), Reading)
    assert local.asked[-1].headers["content-type"] == "application/graphql+json"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def asking(authority: Authority, folder: Path, version: str) -> AsyncIterator[str]:
    """The URL at openssl's own server, which lets in whom its authority vouches for."""
    certificate, key = authority.certify("server", HERE)
    (folder / "s").write_text('{"p": 7}')
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        "openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-key", key,
        "-CAfile", authority.ca, "-Verify", "1", "-verify_return_error", "-WWW", version,
        cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await asyncio.to_thread(opened, port)
        yield f"https://localhost:{port}/s"
    finally:
        server.kill()
        await server.wait()


def opened(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return


def pem(authority: Authority, name: str, folder: Path) -> Path:
    certificate, key = authority.certify(name, "DNS:client")
    both = folder / f"{name}.pem"
    both.write_text(certificate.read_text() + key.read_text())
    return both


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_a_client_certificate_is_shown(
    authority: Authority, tmp_path: Path, version: str
) -> None:
    """One of another authority, or none, is told as what it is; a new file is taken up."""
    file = tmp_path / "client.pem"
    shutil.copy(pem(Authority(tmp_path / "o", "other"), "stranger", tmp_path), file)
    async with asking(authority, tmp_path, version) as url:
        data = {"url": url, "progress": "p", "ca": str(authority.ca)}
        told = note(await look(made("http-json", data)))
        assert "client certificate" in told
        assert "(client_cert)" in told
        probe = made("http-json", {**data, "client_cert": str(file)})
        assert "it wants another client certificate" in note(await probe.observe({}))
        shutil.copy(pem(authority, "friend", tmp_path), file)
        found: Any = await probe.observe({})
        assert (type(found), found.position) == (Reading, 7)
        await probe.close()


def locked(key: Path) -> str:
    command = ["openssl", "pkcs8", "-topk8", "-in", str(key), "-passout", "pass:word"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("what", ["none", "no key", "locked"])
async def test_a_client_certificate_that_cannot_be_used(
    authority: Authority, tmp_path: Path, what: str
) -> None:
    """Its file is named; nobody is asked for a password at a terminal."""
    file = tmp_path / "client.pem"
    certificate, key = authority.certify("client", "DNS:client")
    if what == "no key":
        file.write_text(certificate.read_text())
    elif what == "locked":
        file.write_text(certificate.read_text() + locked(key))
    async with Website() as site:
        url = f"https://localhost:{site.port}/s"
        data = {"url": url, "progress": "p", "client_cert": str(file)}
        missed = await look(made("http-json", data))
    assert note(missed) == (
        f"The file {file} cannot be read, or does not hold a certificate and its key (unlocked)"
        " in PEM form."
    )
    assert site.connections == 0


PACKED = json.dumps({"p": 41}).encode()


async def see(site: Website, body: bytes, encoding: str | None) -> Any:
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    site.replies["/s"] = Reply(body, headers=headers)
    return await look(made("http-json", {"url": f"{site.url}/s", "progress": "p"}))


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with Website() as site:
        yield site


def gzipped(body: bytes) -> bytes:
    """The same at any second: tests are named for it."""
    return gzip.compress(body, mtime=0)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzipped(PACKED), "gzip"),
        (gzipped(PACKED), "X-GZIP"),
        (gzipped(PACKED[:4]) + gzipped(PACKED[4:]), "gzip"),
        (zlib.compress(PACKED), "deflate"),
        (zlib.compress(PACKED)[2:-4], "deflate"),
        (gzipped(b"\xef\xbb\xbf" + PACKED), "gzip"),
        (gzipped(PACKED + b" " * (2**20 - len(PACKED))), "gzip"),
        (b"\xef\xbb\xbf" + PACKED, None),
        (PACKED, "identity"),
    ],
)
async def test_a_packed_answer_is_read(site: Website, body: bytes, encoding: str | None) -> None:
    """Though nobody asked for it; and one that begins with a BOM."""
    found = await see(site, body, encoding)
    assert (type(found), found.position) == (Reading, 41)


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (gzipped(PACKED + b" " * 2**20), "gzip", "larger than 1 MiB"),
        (gzipped(PACKED)[:-9], "gzip", "or not to its end"),
        (PACKED, "gzip", "says that it is compressed, and is not"),
        (b"", "gzip", "says that it is compressed"),
        (gzipped(b"") * 1000, "gzip", "says that it is compressed"),
        (PACKED, "br", "in a way that nobody asked for"),
        (PACKED, "gzip, gzip", "in a way that nobody asked for"),
    ],
)
async def test_a_packed_answer_that_is_none(
    site: Website, body: bytes, encoding: str, told: str
) -> None:
    assert told in note(await see(site, body, encoding))


async def test_a_bomb_takes_no_more_than_an_answer_may(site: Website) -> None:
    """A thousandfold of what came is never there."""
    bomb = zlib.compressobj(9, wbits=31)
    body = b"".join(bomb.compress(bytes(2**20)) for _ in range(900)) + bomb.flush()
    assert len(body) < 2**20
    tracemalloc.start()
    try:
        assert "larger than 1 MiB" in note(await see(site, body, "gzip"))
        assert tracemalloc.get_traced_memory()[1] < 24 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("value", "position", "complete"),
    [(0, 0, False), (0.5, 50, False), (0.997, 99.7, False), (1, 100, True), (1.0, 100, True)],
)
async def test_a_fraction_is_percent_where_the_definition_says_so(
    site: Website, value: float, position: float, complete: bool
) -> None:
    """And without a doubt."""
    site.replies["/s"] = Reply({"p": value})
    data = {"url": f"{site.url}/s", "progress": "p", "progress_unit": "fraction"}
    found = await look(made("http-json", data))
    assert found.position == pytest.approx(position)
    assert (found.target, found.complete, found.hints) == (100, complete, ())
    site.replies["/s"] = Reply({"p": 1.01})
    assert "progress lies outside 0 to 1" in note(await look(made("http-json", data)))


@pytest.mark.parametrize("unit", [None, "percent"])
async def test_a_number_below_one_is_not_taken_for_percent_in_silence(
    site: Website, unit: str | None
) -> None:
    """Until one beyond it proves it; 1 after 0.9 is no 1 % either. Who has said so is believed."""
    data = {"url": f"{site.url}/s", "progress": "p"} | ({"progress_unit": unit} if unit else {})
    probe = made("http-json", data)
    memory: Any = {}
    seen: list[list[Hint]] = []
    for value in (0, 0.9, 1, 1, 2, 0.5):
        site.replies["/s"] = Reply({"p": value})
        found: Any = await probe.observe(memory)
        memory = found.memory
        assert not found.complete
        seen.append([each for each in found.hints if each.code == "progress-fraction"])
    await probe.close()
    wanted: list[list[float]] = [[], [0.9], [1], [1], [], []] if unit is None else [[]] * 6
    assert seen == [[Hint("progress-fraction", {"progress": p}) for p in each] for each in wanted]
    assert 'progress_unit = "fraction"' in (of_task.hint("progress-fraction")[1] or "")


@pytest.mark.parametrize("text", ["3.0%", "41 %", "41/100", "", "1,5", "0x29", "NaN"])
async def test_to_number_is_not_recommended_where_it_finds_nothing(
    site: Website, text: str
) -> None:
    """It makes nothing of such a text, which then is told as nothing."""
    site.replies["/s"] = Reply({"p": text})
    told = note(await look(made("http-json", {"url": f"{site.url}/s", "progress": "p"})))
    assert "progress is a string, not a number, and more than a number stands in it" in told
    assert "to_number" not in told
    expression = {"url": f"{site.url}/s", "progress": "to_number(p)"}
    assert isinstance(await look(made("http-json", expression)), Unreachable)


@pytest.mark.parametrize("text", ["41", "41.5", " 41 ", "4.1e1"])
async def test_to_number_is_recommended_where_it_helps(site: Website, text: str) -> None:
    """And then does."""
    site.replies["/s"] = Reply({"p": text})
    told = note(await look(made("http-json", {"url": f"{site.url}/s", "progress": "p"})))
    assert "to_number(progress) makes one of it" in told
    expression = {"url": f"{site.url}/s", "progress": "to_number(p)"}
    assert isinstance(await look(made("http-json", expression)), Reading)


NODE = """
const http2 = require('http2'), fs = require('fs');
const told = {key: fs.readFileSync('h.key'), cert: fs.readFileSync('h.crt')};
const say = (name, server) => server.listen(0, '127.0.0.1',
  () => console.log(name, server.address().port));
say('http', http2.createServer(told, (q, r) => r.end('{}')));
say('https', http2.createSecureServer(told, (q, r) => r.end('{}')));
"""


@pytest.mark.skipif(
    shutil.which("node") is None, reason="node is not installed: apt install nodejs"
)
async def test_a_server_of_http2_alone_rejects_no_credentials(
    authority: Authority, tmp_path: Path
) -> None:
    """Node's says 403 over TLS, and sends frames without it; neither is about who asks."""
    for made_file, name in zip(authority.certify("h", HERE), ("h.crt", "h.key"), strict=True):
        shutil.copy(made_file, tmp_path / name)
    process = await asyncio.create_subprocess_exec(
        "node", "-e", NODE, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            lines = [(await process.stdout.readline()).decode().split() for _ in range(2)]
        for scheme, port in lines:
            data = {"url": f"{scheme}://localhost:{port}/", "progress": "p"}
            if scheme == "https":
                data["ca"] = str(authority.ca)
            missed = await look(made("http-json", data))
            assert missed.reason is Reason.BAD_ANSWER
            alone = "it speaks HTTP/2 alone, and is asked over HTTP/1.1" in note(missed)
            assert alone or (scheme == "http" and "it is no HTTP" in note(missed))
    finally:
        process.kill()
        await process.wait()


@pytest.mark.system
async def test_a_daemon_does_not_ask_itself(tmp_path: Path) -> None:
    """A whole one, by a link to each of its sockets; it goes on."""
    async with opened_doors(tmp_path / "taskd") as doors:
        taskd = doors.taskd
        for name in ("rpc", "watch"):
            (tmp_path / name).symlink_to(taskd.runtime / f"{name}.sock")
            taskd.define(name, OWN.format(path=tmp_path / name, name=name))
        await doors.start()
        for name in ("rpc", "watch"):
            shown = await doors.shown(name, reason="forbidden", health="unreachable")
            assert "a socket of kaspad-taskd itself" in shown["note"]


OWN = """
type = "http-json"
service = "{name}"
interval = "250ms"
[checker]
url = "http://localhost/"
unix_socket = "{path}"
progress = "p"
"""
