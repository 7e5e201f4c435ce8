"""The child that sends: run as a file by `python -I`, with the standard library and Apprise alone.

It reads one job from stdin, a JSON object whose `do` is "apprise", "check" or "http", and writes
what happens to stdout as it happens, a JSON object a line (`step` says what), so that even of a
child that was killed it is known how far it came. Nothing else of it is ever seen: what libraries
print or log may hold a password, a token or a topic.

What is done to Apprise and requests, and why, is measured with Apprise 1.2, 1.9 and 2.3
(docs/notify.md): they follow a redirect by a request without the message and call that a success,
sleep for minutes, take proxies and `.netrc` from the environment, and tell nobody what a service
answered.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

LONGEST_SLEEP: Final = 0.2
"""Seconds that a library may wait; for more it is to come again."""
ANSWER: Final = 65_536
"""Bytes that are read of an answer's body."""
WORDS: Final = 2_000
"""Characters of it that are told; they are masked and cut by who started us."""
CONNECT: Final = 5.0
"""Seconds for each address of a webhook's host."""
AFTER: Final = 1.0
"""Seconds after its deadline at which a child ends itself, should nobody else."""
TARGETS: Final = ("targets", "topics", "channels", "rooms", "recipients", "devices", "chat_ids")
"""Where Apprise 1.2 keeps whom one URL is for; newer ones tell their number."""

_sleep = time.sleep
_told: Any = None
_noted: list[Exception] = []
"""Of mail: one fault goes through several of its functions."""


def note(step: str, **what: object) -> None:
    """Tell what has just happened."""
    os.write(_told, json.dumps({"step": step, **what}).encode() + b"\n")


def main() -> None:
    """Do the job, and end without waiting for any thread of a library."""
    job = _begin()
    try:
        {"apprise": send_by_apprise, "check": check, "http": ask}[job["do"]](job)
    except Exception as error:
        note_fault(error)
        note("broken")
    os._exit(0)


def _begin() -> dict[str, Any]:
    global _told
    job: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    signal.setitimer(signal.ITIMER_REAL, job["deadline"] + AFTER)  # its default is to end us
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold the job
    _told = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return job


# Faults


def note_fault(error: BaseException) -> None:
    """Tell of an exception by the names of its causes and the system's words, never by its text."""
    causes = list(_causes(error))
    words = [_words(each) for each in causes]
    note(
        "fault",
        causes=[type(each).__name__ for each in causes],
        words=next(filter(None, words), ""),
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it was made of, the outermost first."""
    seen: list[BaseException] = []
    found: list[object] = [error]
    while found and len(seen) < 20:
        each = found.pop(0)
        if isinstance(each, BaseException) and not any(each is other for other in seen):
            seen.append(each)
            yield each
            found += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


def _words(error: BaseException) -> str:
    why = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
    return str(why) if why and isinstance(error, OSError) else ""


# What is done to the libraries


def no_sleep() -> None:
    """Let nobody sleep: who wants to says so by an ordinary exception, and we know how long."""

    def sleep(seconds: Any) -> None:
        if seconds <= LONGEST_SLEEP:
            return _sleep(seconds)
        note("sleep", seconds=float(seconds))
        raise RuntimeError("no sleeping here")

    time.sleep = sleep


def watch_requests() -> None:
    """Let requests keep to the URL given, read a bounded answer, and tell it."""
    import requests

    session: Any = requests.Session
    begin, send = session.__init__, session.send

    def begin_alone(self: Any, *args: Any, **named: Any) -> None:
        begin(self, *args, **named)
        self.trust_env = False  # no proxies, no .netrc

    def send_and_tell(self: Any, request: Any, **named: Any) -> Any:
        note("asking")
        try:
            answer = send(self, request, **{**named, "allow_redirects": False, "stream": True})
            note_answer(answer.status_code, answer.headers)
            _read(answer)
        except Exception as error:
            note_fault(error)
            raise
        note("body", words=answer.content[:WORDS].decode(errors="replace"))
        if 300 <= answer.status_code < 400:
            raise requests.RequestException("it points elsewhere")
        return answer

    session.__init__, session.send = begin_alone, send_and_tell


def _read(answer: Any) -> None:
    """Read the body, as far as it is of interest; half a body is a fault in all versions."""
    import requests

    content = b""
    for piece in answer.iter_content(8_192):
        content += piece
        if len(content) >= ANSWER:
            break
    answer._content, answer._content_consumed = content, True
    length = answer.headers.get("Content-Length", "")
    if length.isdigit() and answer.raw.tell() < min(int(length), ANSWER):
        raise requests.ConnectionError("half a body")


def watch_mail() -> None:
    """Let smtplib tell what a server says no to, and what it said to the mail itself."""
    import smtplib

    mail: Any = smtplib.SMTP
    connect, reply, data = mail.connect, mail.getreply, mail.data

    def connect_and_tell(self: Any, *args: Any, **named: Any) -> Any:
        with _told_once():
            return connect(self, *args, **named)

    def reply_and_tell(self: Any) -> tuple[int, bytes]:
        with _told_once():
            code, words = reply(self)
        if code >= 400:
            note("refused-mail", status=code, words=words[:WORDS].decode(errors="replace"))
        return code, words

    def data_and_tell(self: Any, message: Any) -> tuple[int, bytes]:
        note("asking")
        code, words = data(self, message)
        note("mailed", status=code, words=words[:WORDS].decode(errors="replace"))
        return code, words

    mail.connect, mail.getreply, mail.data = connect_and_tell, reply_and_tell, data_and_tell


@contextlib.contextmanager
def _told_once() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if error not in _noted:
            _noted.append(error)
            note_fault(error)
        raise


def note_answer(status: int, headers: Any) -> None:
    """Tell a status as soon as it is known: the body may never end."""
    note("answer", status=status, retry_after=seconds_to_wait(headers))


def seconds_to_wait(headers: Any) -> float | None:
    """Return what Retry-After says, a number or a date; a date by the server's own clock."""
    said = headers.get("Retry-After")
    try:
        return max(0.0, float(said))
    except (TypeError, ValueError):
        pass
    try:
        now = parsedate_to_datetime(headers.get("Date") or formatdate(usegmt=True))
        return max(0.0, (parsedate_to_datetime(said) - now).total_seconds())
    except (TypeError, ValueError):
        return None


# Apprise


def load_apprise() -> Any:
    """Return Apprise, made quiet, or None where it cannot be loaded."""
    import logging

    no_sleep()
    logger = logging.getLogger("apprise")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.CRITICAL + 1)
    try:
        import apprise

        watch_requests()
    except ImportError as error:
        note("missing", library=(error.name or "").partition(".")[0])
        return None
    watch_mail()
    return apprise


def _asset(apprise: Any) -> Any:
    """Return settings by which it stores nothing, shows no pictures and follows nothing."""
    wanted = {
        "app_id": "kaspad-taskd",
        "async_mode": False,
        "http_redirects": False,
        "image_url_logo": "",
        "image_url_mask": "",
    }
    known = {name: value for name, value in wanted.items() if hasattr(apprise.AppriseAsset, name)}
    mode = getattr(apprise, "PersistentStoreMode", None)
    if mode is not None:
        known["storage_mode"] = mode.MEMORY
    return apprise.AppriseAsset(**known)


def _targets(service: Any) -> int:
    """Return how many are told by one service, each by a request of its own."""
    if hasattr(type(service), "__len__"):
        return len(service)
    kept = [getattr(service, name, None) for name in TARGETS]
    return max(1, sum(len(each) for each in kept if isinstance(each, list | tuple | set)))


def send_by_apprise(job: dict[str, Any]) -> None:
    """Send `title` and `body` of `type` to the one service of `url`.

    A service that logs in (Matrix) logs out when its object goes: after the last note.
    """
    apprise = load_apprise()
    if apprise is None:
        return
    all_of_them = apprise.Apprise(asset=_asset(apprise))
    if not all_of_them.add(job["url"]) or len(all_of_them) != 1:
        note("refused", services=len(all_of_them))
        return
    service = all_of_them[0]
    service.request_rate_per_sec = 0
    if type(service).__name__ == "NotifyEmail" and "format=" not in job["url"]:
        service.notify_format = "text"
    result = all_of_them.notify(
        title=job["title"], body=job["body"], body_format="text", notify_type=job["type"]
    )
    note("end", result=bool(result), service=type(service).__name__)


def check(job: dict[str, Any]) -> None:
    """Tell of each of `urls` how many services and targets Apprise makes of it; send nothing."""
    apprise = load_apprise()
    if apprise is None:
        return
    asset = _asset(apprise)
    for url in job["urls"]:
        services: list[Any] = []
        with contextlib.suppress(Exception):
            each = apprise.Apprise(asset=asset)
            services = [*each] if each.add(url) else []
        note("checked", services=len(services), targets=sum(map(_targets, services)))
    note("end", result=True)


# Our own client


def ask(job: dict[str, Any]) -> None:
    """Send `body` by `method` to `url`, signed by `key`; follows nothing, knows no proxy."""
    parts = urlsplit(job["url"])
    headers = {**job["headers"], **_authorization(parts.username, parts.password)}
    body = None if job["body"] is None else job["body"].encode()
    if body is not None and job["key"]:
        headers |= signed(job["key"], body, int(time.time()))
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    result = False
    try:
        connection = _connected(parts.scheme, parts.hostname, parts.port)
        note("asking")
        connection.request(job["method"], f"{path}?{query}" if query else path, body, headers)
        answer = connection.getresponse()
        note_answer(answer.status, answer.headers)
        body_of_it = answer.read(ANSWER)
        if answer.length and len(body_of_it) < ANSWER:
            raise http.client.IncompleteRead(body_of_it, answer.length)
        note("body", words=body_of_it[:WORDS].decode(errors="replace"))
        result = 200 <= answer.status < 300
    except (OSError, http.client.HTTPException) as error:
        note_fault(error)
    note("end", result=result)


def _connected(scheme: str, host: str | None, port: int | None) -> http.client.HTTPConnection:
    assert host is not None
    connection = http.client.HTTPConnection(host, port, timeout=CONNECT)
    if scheme == "https":
        import ssl

        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=CONNECT, context=context)
    connection.connect()
    connection.sock.settimeout(None)  # the deadline is that of the whole
    return connection


def _authorization(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    both = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}


def signed(key: str, body: bytes, at: int) -> dict[str, str]:
    """Return the headers by which who has the key knows that the body is ours, and of when."""
    proof = hmac.new(key.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return {"X-Kaspad-Taskd-Timestamp": str(at), "X-Kaspad-Taskd-Signature": f"sha256={proof}"}


if __name__ == "__main__":
    main()
