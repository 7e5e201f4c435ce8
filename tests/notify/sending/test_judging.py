"""What a child tells, and what came of the try by that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kaspad_taskd.notify.model import Outcome, Why
from kaspad_taskd.notify.sending.judging import judge
from kaspad_taskd.notify.sending.running import Ended, Way

ASKING = {"step": "asking"}
YES, NO = ({"step": "end", "result": result, "service": "NotifyJSON"} for result in (True, False))


def answer(status: int, **more: Any) -> dict[str, Any]:
    return {"step": "answer", "status": status, **more}


def fault(*causes: str) -> dict[str, Any]:
    return {"step": "fault", "causes": causes, "words": ""}


def told(*notes: dict[str, Any], way: Way = Way.ENDED) -> Outcome:
    said = b"".join(json.dumps(each).encode() + b"\n" for each in notes)
    return judge(Ended(way, said, 0), ("json://user:password@host/topic",))


@pytest.mark.parametrize("status", [200, 204])
def test_what_apprise_calls_a_success_is_one(status: int) -> None:
    outcome = told(ASKING, answer(status), YES)
    assert (outcome.delivered, outcome.why, outcome.status) == (True, None, status)


@pytest.mark.parametrize(
    ("status", "final"),
    [(400, True), (401, True), (404, True), (413, True), (408, False), (425, False), (429, False),
     (500, False), (503, False)],
)  # fmt: skip
def test_a_refusal_is_final_where_the_same_message_would_be_refused_again(
    status: int, final: bool
) -> None:
    outcome = told(ASKING, answer(status), NO)
    assert (outcome.why, outcome.status, outcome.final) == (Why.REFUSED, status, final)
    assert not outcome.delivered
    assert not outcome.sent


@pytest.mark.parametrize(
    ("status", "final"), [(421, False), (450, False), (535, True), (550, True)]
)
def test_smtp_says_by_its_first_digit_whether_it_is_final(status: int, final: bool) -> None:
    """The other way round than HTTP."""
    outcome = told({"step": "refused-mail", "status": status, "words": "no"}, NO)
    assert (outcome.why, outcome.status, outcome.final) == (Why.REFUSED, status, final)


@pytest.mark.parametrize(
    ("status", "final"), [(301, True), (308, True), (302, False), (307, False)]
)
@pytest.mark.parametrize("end", [YES, NO, fault("RequestException")])
def test_a_redirect_is_no_delivery_whatever_the_library_says(
    status: int, final: bool, end: dict[str, Any]
) -> None:
    outcome = told(ASKING, answer(status), end, NO)
    assert (outcome.delivered, outcome.why, outcome.final) == (False, Why.REDIRECTED, final)


@pytest.mark.parametrize("way", [Way.DEADLINE, Way.STOPPED])
def test_a_child_that_was_killed_may_have_sent_only_if_it_had_asked(way: Way) -> None:
    why = Why.TIMEOUT if way is Way.DEADLINE else Why.STOPPED
    assert told(way=way) == Outcome(False, why)
    assert told(ASKING, way=way) == Outcome(False, why, sent=True)
    assert told(ASKING, answer(200), way=way) == Outcome(False, why, sent=True, status=200)
    assert told(ASKING, answer(200), YES, way=way).delivered


@pytest.mark.parametrize(
    ("cause", "why", "sent"),
    [
        ("NewConnectionError", Why.UNREACHABLE, False),
        ("ConnectionRefusedError", Why.UNREACHABLE, False),
        ("SSLCertVerificationError", Why.UNREACHABLE, False),
        ("RemoteDisconnected", Why.UNREACHABLE, True),
        ("IncompleteRead", Why.UNREACHABLE, True),
        ("ConnectTimeout", Why.TIMEOUT, False),
        ("ReadTimeout", Why.TIMEOUT, True),
    ],
)
def test_a_fault_says_whether_anything_was_sent(cause: str, why: Why, sent: bool) -> None:
    outcome = told(ASKING, fault("ConnectionError", cause), NO)
    assert (outcome.why, outcome.sent, outcome.final) == (why, sent, False)


def test_who_wanted_to_sleep_is_asked_again_after_that() -> None:
    """Discord in Apprise: 10 s after what the service asked for."""
    outcome = told(ASKING, answer(429), {"step": "sleep", "seconds": 16.0}, NO)
    assert outcome == Outcome(False, Why.SLEEP, status=429, retry_after=16.0)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ('{"retry_after": 2.5}', 2.5),
        ('{"ok": false, "parameters": {"retry_after": 9}}', 9.0),
        ('{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500}', 1.5),
        ('{"retry_after": "soon"}', None),
        ('{"retry_after": true}', None),
        ('{"retry_after": Infinity}', None),
        ('{"parameters": []}', None),
        ("[1]", None),
        ("come back", None),
    ],
)
def test_how_long_to_wait_may_stand_in_the_body(body: str, seconds: float | None) -> None:
    """Discord, Telegram and Matrix put it there; a header comes first."""
    step = {"step": "body", "words": body}
    assert told(ASKING, answer(429), step, NO).retry_after == seconds
    assert told(ASKING, answer(429, retry_after=7.0), step, NO).retry_after == 7.0


def test_slack_of_apprise_1_2_is_delivered_although_it_says_no() -> None:
    """It compares the bytes b"ok" with the text "ok"; who believed it would tell for a day."""
    no = {"step": "end", "result": False, "service": "NotifySlack"}
    assert told(ASKING, answer(200), {"step": "body", "words": "ok"}, no).delivered
    assert not told(ASKING, answer(200), {"step": "body", "words": "no_text"}, no).delivered
    assert not told(ASKING, answer(500), {"step": "body", "words": "ok"}, no).delivered


def test_a_mail_that_was_taken_is_delivered_whatever_follows() -> None:
    """A server that closes before it answers QUIT."""
    taken = {"step": "mailed", "status": 250, "words": "queued as 7"}
    outcome = told(ASKING, taken, fault("SMTPServerDisconnected"), NO)
    assert outcome == Outcome(True, status=250, words="queued as 7")
    assert told(ASKING, taken, way=Way.DEADLINE).delivered


def test_a_200_that_the_library_does_not_count_may_have_arrived() -> None:
    outcome = told(ASKING, answer(204), NO)
    assert (outcome.delivered, outcome.why, outcome.sent) == (False, Why.REFUSED, True)


@pytest.mark.parametrize(
    ("library", "words"),
    [("apprise", "apt install apprise"), ("yaml", "needs yaml")],
)
def test_a_library_that_is_not_there_is_said_with_the_cure(library: str, words: str) -> None:
    outcome = told({"step": "missing", "library": library})
    assert outcome.why is Why.NO_APPRISE
    assert words in outcome.words
    assert not outcome.final


def test_what_apprise_does_not_take_is_final_and_told_without_the_address() -> None:
    outcome = told({"step": "refused", "services": 0})
    assert (outcome.why, outcome.final) == (Why.NOT_ACCEPTED, True)
    assert "password" not in outcome.words
    assert "2 addresses" in told({"step": "refused", "services": 2}).words


def test_a_child_without_an_answer_is_a_fault_of_ours() -> None:
    assert judge(Ended(Way.ENDED, b"", 1), ()).why is Why.FAULT
    assert judge(Ended(Way.NEVER, fault="No such file or directory"), ()).why is Why.FAULT
    broken = told(fault("TypeError"), {"step": "broken"})
    assert broken.why is Why.FAULT
    assert "TypeError" in broken.words


def test_a_line_that_was_cut_by_the_kill_is_no_note() -> None:
    said = json.dumps(ASKING).encode() + b"\n" + b'{"step": "ans'
    assert judge(Ended(Way.DEADLINE, said), ()) == Outcome(False, Why.TIMEOUT, sent=True)


def test_what_a_library_does_after_its_answer_changes_nothing() -> None:
    """Matrix logs out when its object goes."""
    assert told(ASKING, answer(200), YES, ASKING, answer(500)) == Outcome(True, status=200)
