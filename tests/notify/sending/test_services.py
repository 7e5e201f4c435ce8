"""What Apprise and real servers make of a message: each answer, in each version that is here."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from email import message_from_string, policy
from threading import Event

import pytest

from kaspad_taskd.notify.model import Outcome, Why
from kaspad_taskd.notify.sending.sender import send
from tests.notify.sending.conftest import MESSAGE, target
from tests.notify.servers import PATIENCE, Answer, Http, Request, Smtp

Hold = Callable[[Event], None]
pytestmark = [pytest.mark.system, pytest.mark.usefixtures("apprise")]


def tell(url: str, stop: Event | None = None) -> Outcome:
    """Try once; the library's own patience is ours, where the address does not say otherwise."""
    if "rto=" not in url:
        url += f"{'&' if '?' in url else '?'}cto={PATIENCE}&rto={PATIENCE}"
    return send(target(url), MESSAGE, PATIENCE, stop)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(200, "fine"), Outcome(True, status=200, words="fine")),
        (Answer(204), Outcome(True, status=204)),
        (Answer(400, "bad"), Outcome(False, Why.REFUSED, True, status=400, words="bad")),
        (Answer(401), Outcome(False, Why.REFUSED, True, status=401)),
        (Answer(413), Outcome(False, Why.REFUSED, True, status=413)),
        (
            Answer(429, '{"error": "limit reached"}', {"Retry-After": "7"}),
            Outcome(False, Why.REFUSED, status=429, words="limit reached", retry_after=7.0),
        ),
        (
            Answer(503, "", {"Date": "Mon, 30 Nov 2026 03:00:00 GMT",
                             "Retry-After": "Mon, 30 Nov 2026 03:02:00 GMT"}),
            Outcome(False, Why.REFUSED, status=503, retry_after=120.0),
        ),
        (Answer(500, "<h1>Oh no</h1>"), Outcome(False, Why.REFUSED, status=500, words="Oh no")),
        (Answer(way="close"), Outcome(False, Why.UNREACHABLE, sent=True)),
        (Answer(body="fine", way="half"),
         Outcome(False, Why.UNREACHABLE, sent=True, status=200)),
    ],
    ids=lambda value: f"{value.status}-{value.way}" if isinstance(value, Answer) else "",
)  # fmt: skip
def test_an_answer_over_http(answer: Answer, outcome: Outcome) -> None:
    """One request, whatever the answer; the message is in it."""
    with Http(answer) as server:
        assert tell(f"json://127.0.0.1:{server.port}/topic") == outcome
        (request,) = server.requests
    told = json.loads(request.body)
    assert (request.method, request.path) == ("POST", "/topic")
    assert (told["title"], told["type"]) == ("Node is behind", "warning")
    assert told["message"].endswith("https://h.example/task/node\n[5f-1]")


@pytest.mark.parametrize(("status", "final"), [(301, True), (302, False), (307, False)])
def test_a_redirect_is_not_followed_and_no_delivery(status: int, final: bool) -> None:
    """Apprise calls it a success, and 302 loses the message (findings/apprise-redirect.sh)."""
    with Http(Answer()) as other:
        elsewhere = {"Location": f"http://127.0.0.1:{other.port}/"}
        with Http(Answer(status, headers=elsewhere)) as server:
            outcome = tell(f"json://127.0.0.1:{server.port}")
        assert other.connections == 0
    assert (outcome.delivered, outcome.why) == (False, Why.REDIRECTED)
    assert (outcome.status, outcome.final) == (status, final)


def test_a_port_where_nobody_listens() -> None:
    with Http() as server:
        port = server.port
    outcome = tell(f"json://127.0.0.1:{port}")
    assert outcome == Outcome(False, Why.UNREACHABLE, words="Connection refused")


def test_a_name_that_nobody_has() -> None:
    outcome = tell("json://no-such-host.invalid")
    assert (outcome.why, outcome.sent) == (Why.UNREACHABLE, False)


def test_a_service_that_hangs_is_given_up_by_the_library() -> None:
    with Http(Answer(way="hang")) as server:
        outcome = tell(f"json://127.0.0.1:{server.port}/?rto=0.3")
    assert outcome == Outcome(False, Why.TIMEOUT, sent=True)


@pytest.mark.parametrize("way", ["hang", "drip"])
def test_a_try_ends_at_its_deadline(way: str, held: Hold) -> None:
    """Apprise has no limit for the whole: it would call a drip delivered when it ends."""
    with Http(Answer(way=way)) as server:
        held(server.reached)
        outcome = tell(f"json://127.0.0.1:{server.port}")
    status = 200 if way == "drip" else None
    assert outcome == Outcome(False, Why.TIMEOUT, sent=True, status=status)


def test_a_try_ends_as_soon_as_somebody_wants_it_to() -> None:
    with Http(Answer(way="hang")) as server:
        outcome = tell(f"json://127.0.0.1:{server.port}", stop=server.reached)
    assert outcome == Outcome(False, Why.STOPPED, sent=True)


def test_a_long_answer_is_not_read_to_its_end() -> None:
    with Http(Answer(500, "no " * 10_000_000)) as server:
        outcome = tell(f"json://127.0.0.1:{server.port}")
        assert server.cut.wait(PATIENCE)
    assert (outcome.why, outcome.status, len(outcome.words)) == (Why.REFUSED, 500, 300)


def test_ntfy() -> None:
    """What the phone shows, and the words of a refusal without the topic."""
    answers = [
        Answer(200, "{}"),
        Answer(429, '{"error": "topic hush: limit"}', {"Retry-After": "3"}),
    ]
    with Http(lambda _: answers.pop(0)) as server:
        url = f"ntfy://me:pass@127.0.0.1:{server.port}/hush?priority=high"
        first, second = tell(url), tell(url)
        request = server.requests[0]
    told = json.loads(request.body)
    assert (told["topic"], told["title"]) == ("hush", "Node is behind")
    assert "x-icon" not in request.headers
    assert request.headers["authorization"].startswith("Basic ")
    assert first.delivered
    assert (second.status, second.words, second.retry_after) == (429, "topic ***: limit", 3.0)


def test_gotify() -> None:
    answers = [Answer(200, "{}"), Answer(401, '{"error": "Unauthorized"}')]
    with Http(lambda _: answers.pop(0)) as server:
        url = f"gotify://127.0.0.1:{server.port}/AbCdEf123456"
        first, second = tell(url), tell(url)
        request = server.requests[0]
    assert (request.path, request.headers["x-gotify-key"]) == ("/message", "AbCdEf123456")
    assert json.loads(request.body)["message"].startswith("Node: behind by 14 min, lag < 5 GB.")
    assert first.delivered
    assert (second.why, second.final, second.words) == (Why.REFUSED, True, "Unauthorized")


def matrix(sending: Answer) -> Callable[[Request], Answer]:
    """A home server whose answer to the message is given."""

    def answer(request: Request) -> Answer:
        if request.path.endswith("/login"):
            return Answer(
                200, json.dumps({"access_token": "t0ken", "home_server": "x", "user_id": "@u:x"})
            )
        if "/join/" in request.path:
            return Answer(200, json.dumps({"room_id": "!r:x"}))
        return sending if "/send/" in request.path else Answer(200, "{}")

    return answer


LIMIT = '{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500, "error": "slowly"}'


@pytest.mark.parametrize(
    ("sending", "outcome"),
    [
        (Answer(200, '{"event_id": "1"}'), Outcome(True, status=200, words='{"event_id": "1"}')),
        (Answer(403, '{"errcode": "M_FORBIDDEN", "error": "no room"}'),
         Outcome(False, Why.REFUSED, True, status=403, words="no room")),
        (Answer(429, LIMIT),
         Outcome(False, Why.SLEEP, status=429, words="slowly", retry_after=2.5)),
        (Answer(429, LIMIT, {"Retry-After": "3"}),
         Outcome(False, Why.SLEEP, status=429, words="slowly", retry_after=3.0)),
        (Answer(way="close"), Outcome(False, Why.UNREACHABLE, sent=True)),
    ],
    ids=["200", "403", "429", "429-header", "close"],
)  # fmt: skip
def test_matrix(sending: Answer, outcome: Outcome) -> None:
    """It logs in, joins, sends and logs out; at a limit it would sleep for as long as told."""
    with Http(matrix(sending)) as server:
        assert tell(f"matrix://me:secretpass@127.0.0.1:{server.port}/%23room:x") == outcome
        paths = [each.path for each in server.requests]
    assert sum("/send/m.room.message" in each for each in paths) in (1, 2)
    assert paths[-1].endswith("/logout") or not outcome.delivered


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        ({}, Outcome(True, status=250, words="fine")),
        ({"quit": ""}, Outcome(True, status=250, words="fine")),
        ({"mail_itself": "450 later"}, Outcome(False, Why.REFUSED, status=450, words="later")),
        ({"rcpt": "550 no such box"},
         Outcome(False, Why.REFUSED, True, status=550, words="no such box")),
        ({"mail_itself": "552 too big"},
         Outcome(False, Why.REFUSED, True, status=552, words="too big")),
        ({"auth": "535 wrong"}, Outcome(False, Why.REFUSED, True, status=535, words="wrong")),
        ({"banner": "421 busy"}, Outcome(False, Why.REFUSED, status=421, words="busy")),
        ({"mail": ""}, Outcome(False, Why.UNREACHABLE)),
        ({"mail_itself": ""}, Outcome(False, Why.UNREACHABLE, sent=True)),
    ],
    ids=["250", "no-goodbye", "450", "550", "552", "535", "421", "close-before", "close-after"],
)  # fmt: skip
def test_mail(says: dict[str, str], outcome: Outcome) -> None:
    """The server's words and code, in all versions; a mail that it took is delivered."""
    with Smtp(**says) as server:
        assert (
            tell(f"mailto://me:pass@127.0.0.1:{server.port}?from=a@b.example&to=c@d.example")
            == outcome
        )
        mails = server.mails
    if outcome.delivered:
        mail = message_from_string(mails[0], policy=policy.default)
        assert mail["Subject"] == "Node is behind"
        assert mail.get_content_type() == "text/plain"
        assert mail.get_content().splitlines()[:2] == MESSAGE.text.splitlines()


@pytest.mark.parametrize("says", [{"mail_itself": "hang"}, {"banner": "hang"}])
def test_a_mail_server_that_hangs(says: dict[str, str], held: Hold) -> None:
    with Smtp(**says) as server:
        held(server.reached)
        outcome = tell(f"mailto://127.0.0.1:{server.port}?from=a@b.example&to=c@d.example")
    assert outcome == Outcome(False, Why.TIMEOUT, sent="mail_itself" in says)


POINTED = """
load = child.load_apprise
def loaded():
    found = load()
    kind = type(found.Apprise.instantiate({url!r}))
    kind.{attribute} = {to!r}
    return found
child.load_apprise = loaded
"""
"""Services with a fixed address are led to our server: by an attribute of their class."""


def pointed(url: str, attribute: str, to: str) -> str:
    return POINTED.format(url=url, attribute=attribute, to=to)


def test_slack_is_believed_by_its_answer(wrapped: Callable[[str], None]) -> None:
    """Apprise 1.2 says that it failed, each time."""
    url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23nodes"
    with Http(Answer(200, "ok")) as server:
        wrapped(pointed(url, "webhook_url", f"http://127.0.0.1:{server.port}"))
        assert tell(url).delivered
        assert len(server.requests) == 1


def test_discord_asks_us_to_wait_and_does_not_sleep(
    apprise: str, wrapped: Callable[[str], None]
) -> None:
    """From Apprise 1.9 it would sleep until an hour from now, plus 10 s, within the child."""
    url = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
    limit = {"X-RateLimit-Reset": str(int(time.time()) + 3600), "X-RateLimit-Remaining": "0"}
    with Http(Answer(429, '{"message": "limited", "retry_after": 6.5}', limit)) as server:
        wrapped(pointed(url, "notify_url", f"http://127.0.0.1:{server.port}"))
        outcome = tell(url)
    why = Why.REFUSED if apprise.startswith("1.2") else Why.SLEEP
    assert outcome == Outcome(False, why, status=429, words="limited", retry_after=6.5)


def test_nothing_is_left_behind() -> None:
    """No thread and no process."""
    before = threading.active_count()
    with Http(Answer(way="hang")) as server:
        tell(f"json://127.0.0.1:{server.port}", stop=server.reached)
    assert threading.active_count() == before
