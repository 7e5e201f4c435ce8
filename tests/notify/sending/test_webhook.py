"""Our own client: webhooks and the heartbeat, over real sockets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from kaspad_taskd.notify.model import How, Outcome, Why
from kaspad_taskd.notify.sending import beat, send
from kaspad_taskd.version import __version__
from tests.fakes.certificates import Authority
from tests.notify.sending.conftest import MESSAGE, target
from tests.notify.servers import PATIENCE, Answer, Http

Hold = Callable[[Event], None]
pytestmark = pytest.mark.system


def post(url: str, key: str = "", stop: Event | None = None) -> Outcome:
    return send(target(url, How.WEBHOOK, key), MESSAGE, PATIENCE, stop)


def test_a_webhook_gets_the_message_as_json_and_its_proof() -> None:
    """The HMAC is over the time, a dot and the very bytes that were sent."""
    with Http(Answer(202, "taken")) as server:
        outcome = post(f"http://127.0.0.1:{server.port}/hook/t0ken?to=é&a=b%20c", "a k3y")
        (request,) = server.requests
    assert outcome == Outcome(True, status=202, words="taken")
    assert (request.method, request.path) == ("POST", "/hook/t0ken?to=%C3%A9&a=b%20c")
    assert json.loads(request.body)["items"][0]["of"] == "task:node"
    at = request.headers["x-kaspad-taskd-timestamp"]
    assert abs(time.time() - int(at)) < 2 * PATIENCE
    proof = hmac.new(b"a k3y", f"{at}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-kaspad-taskd-signature"] == f"sha256={proof}"
    assert request.headers["x-kaspad-taskd-message"] == "5f-1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"kaspad-taskd-notify/{__version__}"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


def test_without_a_key_nothing_is_signed() -> None:
    with Http() as server:
        assert post(f"http://me:p%40ss@127.0.0.1:{server.port}").delivered
        (request,) = server.requests
    assert "x-kaspad-taskd-signature" not in request.headers
    assert request.path == "/"
    basic = base64.b64encode(b"me:p@ss").decode()
    assert request.headers["authorization"] == f"Basic {basic}"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(204), Outcome(True, status=204)),
        (Answer(400, "bad"), Outcome(False, Why.REFUSED, True, status=400, words="bad")),
        (Answer(429, "", {"Retry-After": "7"}),
         Outcome(False, Why.REFUSED, status=429, retry_after=7.0)),
        (Answer(500), Outcome(False, Why.REFUSED, status=500)),
        (Answer(way="close"), Outcome(False, Why.UNREACHABLE, sent=True)),
        (Answer(body="fine", way="half"),
         Outcome(False, Why.UNREACHABLE, sent=True, status=200)),
        (Answer(headers={f"X-{n}": "x" for n in range(200)}),
         Outcome(False, Why.UNREACHABLE, sent=True)),
        (Answer(headers={"X-Long": "x" * 100_000}), Outcome(False, Why.UNREACHABLE, sent=True)),
    ],
    ids=["204", "400", "429", "500", "close", "half", "many-headers", "long-header"],
)  # fmt: skip
def test_an_answer_to_a_webhook(answer: Answer, outcome: Outcome) -> None:
    with Http(answer) as server:
        assert post(f"http://127.0.0.1:{server.port}/hook") == outcome


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_webhook_follows_nobody(status: int) -> None:
    with Http() as other:
        elsewhere = {"Location": f"http://127.0.0.1:{other.port}/"}
        with Http(Answer(status, headers=elsewhere)) as server:
            outcome = post(f"http://127.0.0.1:{server.port}/hook")
        assert other.connections == 0
    assert (outcome.why, outcome.final) == (Why.REDIRECTED, status in (301, 308))


@pytest.mark.parametrize("way", ["hang", "drip"])
def test_a_webhook_ends_at_its_deadline(way: str, held: Hold) -> None:
    with Http(Answer(way=way)) as server:
        held(server.reached)
        outcome = post(f"http://127.0.0.1:{server.port}/hook")
    assert (outcome.why, outcome.sent, outcome.final) == (Why.TIMEOUT, True, False)


def test_a_webhook_believes_no_certificate_that_nobody_signed(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).certify("host", "IP:127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with Http(tls=context) as server:
        outcome = post(f"https://127.0.0.1:{server.port}/hook")
        assert server.requests == []
    assert (outcome.why, outcome.sent) == (Why.UNREACHABLE, False)
    assert "certificate" in outcome.words


def test_neither_proxies_nor_passwords_come_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The environment's proxy and a `.netrc` at home."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    with Http() as proxy, Http() as server:
        for name in ("http_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert post(f"http://127.0.0.1:{server.port}/hook").delivered
        assert proxy.connections == 0
        assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "url",
    ["", "ftp://host/x", "https://", "http://host:99999/", "http://host:0/", "http://[::1/",
     "//host", "https://host/a b", "https://host/a\nb", "json://host"],
)  # fmt: skip
def test_what_is_no_address_is_not_asked(url: str) -> None:
    outcome = post(url)
    assert (outcome.why, outcome.final) == (Why.NOT_ACCEPTED, True)
    assert outcome == beat(url)
    assert not url or url not in outcome.words


@pytest.mark.parametrize(
    ("answer", "why"),
    [(Answer(200, "OK"), None), (Answer(404), Why.REFUSED), (Answer(302), Why.REDIRECTED)],
)
def test_a_heartbeat_is_a_get_without_anything(answer: Answer, why: Why | None) -> None:
    with Http(answer) as server:
        outcome = beat(f"http://127.0.0.1:{server.port}/ping/1-2-3?status=up", PATIENCE)
        (request,) = server.requests
    assert (request.method, request.path, request.body) == ("GET", "/ping/1-2-3?status=up", b"")
    assert (outcome.delivered, outcome.why) == (why is None, why)
