"""Looks at JSON over HTTP: what is understood, and what is said of everything else."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd import words
from kaspad_taskd.core.observation import Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes import Means
from kaspad_taskd.probes.general.expressions import check
from kaspad_taskd.probes.general.http_json import PLACES, understand
from kaspad_taskd.probes.said import judge
from tests.fakes.patience import PATIENCE
from tests.fakes.website import Reply, Website
from tests.probes.looks import look, made, read, said

PLACED = {"progress": "p", "done": "d", "total": "t", "completed": "c", "error": "e"}


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    async with Website() as site:
        yield site


async def see(site: Website, reply: Reply, timeout: float = PATIENCE, **config: Any) -> Any:
    site.replies["/s"] = reply
    config = config or PLACED
    return await look(made("http-json", {"url": f"{site.url}/s", **config}, timeout=timeout))


def test_a_definition_is_read_and_reads_again_as_itself() -> None:
    """What is shown and kept is a definition."""
    data = {"url": "http://localhost/x?key=1", "progress": "a.b", "unit": "rows"}
    checker, faults = read("http-json", data)
    assert faults == []
    assert checker.endpoint == "http://localhost:80/x"
    assert checker.asks == (("localhost", 80),)
    assert read("http-json", checker.config, "json") == (checker, [])


@pytest.mark.parametrize(
    ("data", "words_of_it"),
    [
        ({"url": "ftp://x", "done": "a"}, 'scheme "ftp" is unknown; use http:// or https://'),
        ({"url": "http://u:p@x/", "done": "a"}, "no user or password"),
        ({"url": "http:///x", "done": "a"}, "host is missing"),
        ({"url": "http://x:99999/", "done": "a"}, "is no URL"),
        ({"url": "http://x:0/", "done": "a"}, "port 0"),
        ({"url": "http://x/#a", "done": "a"}, "nothing may follow a #"),
        ({"url": "http://x/a b", "done": "a"}, "write them as %20"),
        ({"url": "http://x/\r\nHost: y", "done": "a"}, "control"),
        ({"url": "http://x/"}, "needs one of progress, done and completed"),
        ({"url": "http://x/", "completed": "a", "total": "b"}, "needs done beside it"),
        ({"url": "http://x/", "done": "a["}, "is no JMESPath expression"),
        ({"url": "http://x/", "done": "nosuch(a"}, "is no JMESPath expression"),
        ({"url": "http://x/", "done": "max_by(a, &count(b))"}, "JMESPath has no function count()"),
        ({"url": "http://x/", "done": "`a`"}, "literal of the old form"),
        ({"url": "http://x/", "done": "a" * 400}, "300 characters"),
        ({"url": "http://x/", "done": "|".join(["[@,@,@][]"] * 9)}, "8 parts at most"),
        ({"url": "http://x/", "done": "a", "unit": "eggs"}, "none of blocks"),
        ({"url": "http://x/", "done": "a", "headers": {"Host": "/x"}}, "no name of a header"),
        ({"url": "http://x/", "done": "a", "headers": {"X-Key": "key"}}, "absolute path"),
        ({"url": "http://x/", "done": 5}, "must be a string"),
        ({"url": "http://x/", "done": "a", "path": "b"}, "unknown key"),
    ],
)
def test_a_fault_says_the_cure(data: dict[str, Any], words_of_it: str) -> None:
    """Nothing is guessed."""
    assert words_of_it in said("http-json", data)


def test_over_an_api_no_file_is_sent() -> None:
    """Else any file that the daemon can read could be had."""
    data = {"url": "http://x/", "done": "a", "headers": {"X-Key": "/etc/shadow"}}
    faults = read("http-json", data, "json")[1]
    assert [(fault.key, fault.kind) for fault in faults] == [("config.headers", "forbidden")]


async def test_done_and_total_are_position_and_target(site: Website) -> None:
    """Percent, rate and time left follow from them; the unit is the definition's."""
    site.replies["/s"] = Reply({"d": 30, "t": 40})
    data = {"url": f"{site.url}/s", "done": "d", "total": "t", "unit": "rows"}
    reading = await look(made("http-json", data))
    assert (reading.position, reading.target, reading.unit) == (30, 40, "rows")
    assert (reading.complete, reading.basis) == (False, "exact")


@pytest.mark.parametrize(
    ("answer", "complete", "position", "target"),
    [
        ({"p": 41.5}, False, 41.5, 100),
        ({"p": 100}, True, 100, 100),
        ({"p": 100, "c": False}, False, 100, 100),
        ({"c": True}, True, None, None),
        ({"d": 5}, False, 5, None),
        ({"d": 0, "t": 0}, False, 0, None),
        ({"d": 7, "t": 5}, True, 7, 5),
        ({"d": 7, "t": 5, "c": False}, False, 7, 5),
        ({"d": 7, "t": 9, "c": True}, True, 7, 9),
        ({"d": 7, "p": 100}, True, 7, None),
        ({"d": 7, "t": 9, "p": 100}, False, 7, 9),
        ({"e": False, "d": 1}, False, 1, None),
    ],
)
async def test_complete_is_what_is_said_or_follows(
    site: Website, answer: dict[str, Any], complete: bool, position: Any, target: Any
) -> None:
    """`completed` alone decides where it is said; 0 of 0 is not done."""
    reading = await see(site, Reply(answer))
    assert isinstance(reading, Reading)
    assert (reading.complete, reading.position, reading.target) == (complete, position, target)


async def test_the_work_may_say_that_it_failed(site: Website) -> None:
    """Its words stay where they are."""
    assert await see(site, Reply({"e": "secret", "p": 3})) == Refused(Reason.CHECKER_ERROR)


BAD: list[tuple[Reply, Reason, str]] = [
    (Reply({"p": "41"}), Reason.BAD_ANSWER, "progress is a string, not a number; to_number("),
    (Reply({"p": True}), Reason.BAD_ANSWER, "progress is a boolean"),
    (Reply({"p": [1]}), Reason.BAD_ANSWER, "progress is a list"),
    (Reply({"p": -1}), Reason.BAD_ANSWER, "progress lies outside 0 to 100"),
    (Reply({"p": 100.1}), Reason.BAD_ANSWER, "progress lies outside"),
    (Reply({"d": -5}), Reason.BAD_ANSWER, "done lies outside"),
    (Reply({"d": 10**400}), Reason.BAD_ANSWER, "cannot be used"),
    (Reply({"c": "true"}), Reason.BAD_ANSWER, "completed is a string, not true or false"),
    (Reply({"c": 1}), Reason.BAD_ANSWER, "completed is a number"),
    (Reply({"x": 1}), Reason.BAD_ANSWER, "there is nothing at progress or done or total"),
    (Reply([]), Reason.BAD_ANSWER, "there is nothing at"),
    (Reply(b"null"), Reason.BAD_ANSWER, "there is nothing at"),
    (Reply(b'{"p": NaN}'), Reason.BAD_ANSWER, "it is no JSON"),
    (Reply(b"<html>", headers={"Content-Type": "text/html"}), Reason.BAD_ANSWER, "no JSON"),
    (Reply(b"\xff\xfe{}"), Reason.BAD_ANSWER, "no JSON"),
    (Reply(b""), Reason.BAD_ANSWER, "no JSON"),
    (Reply(b"[" * 100_000), Reason.BAD_ANSWER, "no JSON"),
    (Reply(b"[" * 9_000 + b"]" * 9_000), Reason.BAD_ANSWER, "cannot be used"),
    (Reply(b" " * 1_100_000), Reason.BAD_ANSWER, "larger than 1 MiB"),
    (Reply(b"x", headers={"Content-Encoding": "gzip"}), Reason.BAD_ANSWER, "compressed"),
    (Reply(status=404), Reason.BAD_ANSWER, "nothing at this path (HTTP 404)"),
    (Reply(status=500), Reason.BAD_ANSWER, "HTTP 500"),
    (Reply(status=429), Reason.BUSY, "no further client"),
    (Reply(b"", 503), Reason.NOT_READY, "HTTP 503"),
    (Reply({"x": 1}, 503), Reason.NOT_READY, "HTTP 503"),
    (Reply(b"", 503, {"Content-Encoding": "gzip"}), Reason.NOT_READY, "HTTP 503"),
    (Reply(b"Bad gateway", 502, {"Content-Encoding": "br"}), Reason.NOT_READY, "HTTP 502"),
    (Reply({"p": 1}, way="cut"), Reason.STREAM_CLOSED, "closed the connection"),
    (Reply(way="close"), Reason.STREAM_CLOSED, "closed the connection"),
    (Reply(way="hang"), Reason.TIMEOUT, "No answer within"),
    (Reply({"p": 1, "more": "x" * 50}, way="drip"), Reason.TIMEOUT, "No answer within"),
    (Reply(b"SSH-2.0-OpenSSH_9.2\r\n", way="raw"), Reason.BAD_ANSWER, "it is no HTTP"),
    (Reply(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 99_999, way="raw"), Reason.BAD_ANSWER, "no HTTP"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "reason", "note"), BAD)
async def test_a_bad_answer_has_its_sentence(
    site: Website, reply: Reply, reason: Reason, note: str
) -> None:
    """Health, never failure, and nothing of the answer in it."""
    missed = await see(site, reply, 0.4 if reason is Reason.TIMEOUT else PATIENCE)
    assert isinstance(missed, Unreachable)
    assert missed.reason is reason
    assert note in words.note(missed.reason, missed.params)


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_no_redirect_is_followed(site: Website, status: int) -> None:
    """Not even to a host that may be asked; least of all to one with metadata."""
    site.replies["/there"] = Reply({"p": 100})
    for place in ("/there", "http://169.254.169.254/latest/meta-data/"):
        missed = await see(site, Reply(status=status, headers={"Location": place}))
        assert "leads elsewhere" in words.note(missed.reason, missed.params)
    assert {request.path for request in site.asked} == {"/s"}


async def test_a_503_with_numbers_is_read_but_never_complete(site: Website) -> None:
    """Some services say so while they catch up."""
    reading = await see(site, Reply({"p": 100, "c": True}, 503))
    assert (reading.position, reading.complete) == (100, False)


def hint_of(found: Unreachable | Refused) -> tuple[str, Mapping[str, object]]:
    (hint,) = found.hints
    return hint.code, hint.params


async def test_rejected_credentials_cannot_become_success(site: Website) -> None:
    """As of every other service."""
    for status in (401, 403):
        reply = Reply(status=status, headers={"WWW-Authenticate": "Bearer"})
        assert (await see(site, reply)).reason is Reason.CREDENTIALS
        refused = await see(site, reply)
        assert isinstance(refused, Refused)
        assert words.hint(*hint_of(refused))[1] == (
            f"Correct the file that headers of the definition names (HTTP {status})"
        )


async def test_a_403_that_asks_for_nothing_may_pass(site: Website) -> None:
    """A firewall, or a rule about addresses: nothing was rejected."""
    missed = await see(site, Reply(status=403))
    assert isinstance(missed, Unreachable)
    assert "it lets nobody in, or nobody from here (HTTP 403)" in words.note(
        missed.reason, missed.params
    )


async def test_headers_come_from_files(site: Website, tmp_path: Path) -> None:
    """Read at each look; a file that cannot be read is said, and no failure."""
    site.replies["/s"] = Reply({"p": 1})
    key = tmp_path / "key"
    key.write_text("Bearer abc\n")
    data = {"url": f"{site.url}/s", "progress": "p", "headers": {"Authorization": str(key)}}
    probe = made("http-json", data)
    await probe.observe({})
    key.write_text("Bearer two\n")
    await probe.observe({})
    assert [each.headers["authorization"] for each in site.asked] == ["Bearer abc", "Bearer two"]
    for bad in ("", "a\nX-Other: b", "x" * 9000):
        key.write_text(bad)
        missed = await probe.observe({})
        assert isinstance(missed, Unreachable)
        assert str(key) in words.note(missed.reason, missed.params)
        cure = f"Let the daemon's user read {key}, or correct it"
        assert words.hint(*hint_of(missed))[1] == cure
    await probe.close()
    assert len(site.asked) == 2


async def test_the_connection_is_kept_and_made_anew(site: Website) -> None:
    """One for all looks; one that was let go meanwhile costs no look."""
    site.replies["/s"] = Reply({"p": 1})
    probe = made("http-json", {"url": f"{site.url}/s", "progress": "p"})
    for _ in range(3):
        assert isinstance(await probe.observe({}), Reading)
    assert site.connections == 1
    site.drop()
    assert isinstance(await probe.observe({}), Reading)
    await site.stop()
    missed = await probe.observe({})
    assert missed.reason is Reason.REFUSED
    await site.start()
    assert isinstance(await probe.observe({}), Reading)
    await probe.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_localhost_is_both_loopbacks(host: str) -> None:
    """Whichever the service listens on."""
    async with Website({"/s": Reply({"p": 1})}, host) as site:
        url = f"http://localhost:{site.port}/s"
        assert isinstance(await look(made("http-json", {"url": url, "progress": "p"})), Reading)
    missed = await look(made("http-json", {"url": url, "progress": "p"}))
    assert missed.reason is Reason.REFUSED
    url = f"http://[::1]:{site.port}/s"
    missed = await look(made("http-json", {"url": url, "progress": "p"}))
    assert missed.params["address"] == f"[::1]:{site.port}"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_the_address_connected_to_must_be_allowed(host: str) -> None:
    """Whatever the name is; of two addresses the allowed one is asked."""
    async with Website({"/s": Reply({"p": 1})}) as site:
        data = {"url": f"http://{host}:{site.port}/s", "progress": "p"}
        no = await look(made("http-json", data, Means(allow=lambda *_: False)))
        assert (no.reason, site.connections) == (Reason.FORBIDDEN, 0)
        assert no.params["address"] == f"{host}:{site.port}"  # as it is written in allow_hosts
        if host == "localhost":
            some = Means(allow=lambda ip, port: ip == "127.0.0.1" and port == site.port)
            assert isinstance(await look(made("http-json", data, some)), Reading)


async def test_a_name_that_nobody_knows() -> None:
    """It is said as such."""
    missed = await look(
        made("http-json", {"url": "http://x.invalid/", "progress": "p"}, timeout=1.0)
    )
    assert missed.reason in (Reason.NAME_UNKNOWN, Reason.TIMEOUT)


async def test_no_proxy_is_asked(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment does not lead us elsewhere."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert isinstance(await see(site, Reply({"p": 1})), Reading)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """It is said what is wrong; plain HTTP asked over TLS likewise."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
               "-keyout", "key.pem", "-out", "cert.pem"]  # fmt: skip
    await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with Website({"/s": Reply({"p": 1})}, tls=context) as site:
        missed = await look(made("http-json", {"url": f"{site.url}/s", "progress": "p"}))
    assert "its certificate is not trusted: self" in words.note(missed.reason, missed.params)
    async with Website({"/s": Reply({"p": 1})}) as site:
        url = site.url.replace("http:", "https:")
        missed = await look(made("http-json", {"url": url, "progress": "p"}, timeout=1.0))
    assert isinstance(missed, Unreachable)


NUMBERS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
JSONS = st.recursive(
    NUMBERS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner)
)


@given(answer=st.dictionaries(st.sampled_from("pdtcex"), JSONS) | JSONS)
def test_no_answer_crashes_the_rules(answer: Any) -> None:
    """A reading, a refusal or a sentence of ours."""
    try:
        found = understand({key: PLACED[key] for key in PLACES}, answer)
    except ValueError:
        return
    observation = judge(found, True, None)
    assert isinstance(observation, Reading | Refused)
    assert json.dumps(observation.params)


@given(text=st.text(alphabet="ab[]{}.,*?@|&'`\":()<>=!0123456789 -", max_size=30), answer=JSONS)
def test_no_expression_crashes(text: str, answer: Any) -> None:
    """It is refused when it is read, or finds something, or says that it cannot."""
    with suppress(ValueError):
        check(text)
        understand({"progress": text}, answer)
