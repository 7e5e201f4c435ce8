"""What is said of targets before anything is sent: by Apprise itself, in each version."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from kaspad_taskd.notify.model import How, Why
from kaspad_taskd.notify.sending import accepts, send
from tests.notify.sending.conftest import MESSAGE, target
from tests.notify.servers import Http

pytestmark = pytest.mark.system

GOOD = (
    "json://me:pass@127.0.0.1:1/a/b?+X-Header=one,two&:key=a,b",
    "json://me:pa%2Css%2Cword@127.0.0.1:1",
    "jsons://127.0.0.1/?method=PUT",
    "ntfy://127.0.0.1:1/topic?tags=one,two",
    "ntfys://topic",
    "gotify://127.0.0.1/AbCdEf123456",
    "matrix://me:pass@127.0.0.1/%23room:x",
    "mailto://me:pass@mail.example:587?from=a@b.example&to=c@d.example",
    "mailtos://me:pass@gmail.com",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23nodes",
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "tgram://123456789:abcdefg_hijklmnop/12315544",
    "pover://uabcdefghijklmnopqrstuvwxyzabc@tabcdefghijklmnopqrstuvwxyzabc",
)
SEVERAL = (
    "ntfy://127.0.0.1/one/two",
    "ntfys://one/two/three",
    "mailto://me:pass@mail.example?from=a@b.example&to=c@d.example,e@f.example",
    "tgram://123456789:abcdefg_hijklmnop/12315544/12315545",
    "matrix://me:pass@127.0.0.1/%23room:x/%23other:x",
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23nodes/%23all",
    "json://127.0.0.1, ntfy://127.0.0.1/hushhush",
)
BAD = ("", "hushhush", "nosuch://hushhush@127.0.0.1", "gotify://127.0.0.1", "discord://hushhush")


@pytest.mark.usefixtures("apprise")
def test_what_apprise_takes_is_accepted_and_all_else_is_refused_in_our_words() -> None:
    """One child for all; no answer holds a part of an address."""
    outcomes = accepts([target(each) for each in (*GOOD, *SEVERAL, *BAD)])
    told = dict(zip((*GOOD, *SEVERAL, *BAD), outcomes, strict=True))
    assert {url: told[url] for url in GOOD} == dict.fromkeys(GOOD)
    for url in (*SEVERAL, *BAD):
        outcome = told[url]
        assert outcome is not None, url
        assert (outcome.why, outcome.final) == (Why.NOT_ACCEPTED, True)
        assert "hush" not in outcome.words
        assert ("at once" in outcome.words or "addresses" in outcome.words) is (url in SEVERAL), url


@pytest.mark.usefixtures("apprise")
def test_asking_sends_nothing() -> None:
    with Http() as server:
        assert accepts([target(f"json://127.0.0.1:{server.port}")]) == [None]
        assert server.connections == 0


@pytest.mark.usefixtures("apprise")
def test_what_apprise_does_not_take_is_said_when_it_is_sent_to() -> None:
    outcome = send(target("nosuch://hushhush@127.0.0.1"), MESSAGE)
    assert (outcome.why, outcome.final) == (Why.NOT_ACCEPTED, True)
    assert "hush" not in outcome.words


def test_webhooks_and_commands_are_looked_at_without_apprise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    hooks = [target("https://host/x", How.WEBHOOK), target("host/x", How.WEBHOOK)]
    first, second = accepts(hooks)
    assert first is None
    assert second is not None
    assert second.why is Why.NOT_ACCEPTED
    assert accepts([]) == []


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python without libraries; a folder in which some may be put."""
    place = tmp_path_factory.mktemp("bare")
    venv.create(place)
    return place


def test_without_apprise_it_says_how_to_get_it(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And sends nothing; a webhook needs none."""
    monkeypatch.setattr(sys, "executable", str(bare / "bin/python"))
    sent = send(target("json://127.0.0.1:1"), MESSAGE)
    assert (sent.why, sent.final) == (Why.NO_APPRISE, False)
    assert "apt install apprise" in sent.words
    assert accepts([target("json://a"), target("json://b")]) == [sent, sent]
    with Http() as server:
        assert send(target(f"http://127.0.0.1:{server.port}", How.WEBHOOK), MESSAGE).delivered


def test_an_apprise_that_lacks_a_library_says_which(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = str(bare / "bin/python")
    look = [python, "-Ic", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    place = Path(subprocess.run(look, capture_output=True, text=True, check=True).stdout.strip())
    monkeypatch.setattr(sys, "executable", python)
    (place / "apprise.py").write_text("import markdown.extensions\n")
    try:
        outcome = send(target("json://127.0.0.1:1"), MESSAGE)
    finally:
        (place / "apprise.py").unlink()
    assert outcome.why is Why.NO_APPRISE
    assert "markdown" in outcome.words


def test_a_python_that_is_gone_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """As while it is upgraded: no reason to give up."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    outcome = send(target("json://127.0.0.1:1"), MESSAGE)
    assert (outcome.why, outcome.final, outcome.sent) == (Why.FAULT, False, False)
    (checked,) = accepts([target("json://127.0.0.1:1")])
    assert checked == outcome
