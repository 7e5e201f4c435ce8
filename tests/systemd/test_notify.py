"""Notify: the words arrive on a real socket, in UTF-8, and nothing ever waits or raises."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.systemd.notify import STATUS_LIMIT, Notifier, one_line
from tests.fakes.notify_socket import NotifySocket


@pytest.fixture(params=["path", "abstract"])
def systemd(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NotifySocket]:
    address = str(tmp_path / "notify")
    with NotifySocket(f"@{address}" if request.param == "abstract" else address) as systemd:
        monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
        yield systemd


@pytest.fixture
def notifier(systemd: NotifySocket) -> Iterator[Notifier]:
    notifier = Notifier()
    yield notifier
    notifier.close()


def test_each_word_arrives(systemd: NotifySocket, notifier: Notifier) -> None:
    """The words are systemd's own, a word and its status in one message."""
    notifier.ready("2 running")
    notifier.status("3 running")
    notifier.stopping("stopping")
    notifier.watchdog()
    notifier.extend_timeout(1.5)
    assert systemd.messages() == [
        ["READY=1", "STATUS=2 running"],
        ["STATUS=3 running"],
        ["STOPPING=1", "STATUS=stopping"],
        ["WATCHDOG=1"],
        ["EXTEND_TIMEOUT_USEC=1500000"],
    ]


def test_reloading_says_when(systemd: NotifySocket, notifier: Notifier) -> None:
    """A reload carries the monotonic time in microseconds, as systemd wants it."""
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    word, stamp = systemd.words()
    assert word == "RELOADING=1"
    assert before <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_every_letter_arrives(systemd: NotifySocket, notifier: Notifier) -> None:
    """Letters beyond Latin-1 are not lost, those within are UTF-8."""
    notifier.status("kaspa-node 45.2 % → é … 😀")
    assert systemd.words() == ["STATUS=kaspa-node 45.2 % → é … 😀"]


def test_a_status_cannot_speak_for_the_daemon(systemd: NotifySocket, notifier: Notifier) -> None:
    """A newline in a status begins no word of its own."""
    notifier.status("fine\nWATCHDOG=trigger\r\nSTOPPING=1")
    assert systemd.words() == ["STATUS=fine WATCHDOG=trigger STOPPING=1"]


@given(st.text())
def test_a_status_is_one_short_line(text: str) -> None:
    """Any text becomes one printable line of at most 1,000 bytes."""
    line = one_line(text)
    assert len(line.encode()) <= STATUS_LIMIT
    assert line.isprintable()


def test_a_long_status_is_cut_between_letters() -> None:
    """A letter of several bytes is kept whole or left out."""
    assert one_line("→" * 500) == "→" * (STATUS_LIMIT // 3)


@pytest.mark.usefixtures("systemd")
def test_children_do_not_inherit_the_socket() -> None:
    """The variable is gone once the notifier has it."""
    notifier = Notifier()
    assert "NOTIFY_SOCKET" not in os.environ
    notifier.close()


@pytest.mark.parametrize("value", [None, ""])
def test_without_systemd_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """Started by hand, the daemon needs no systemd, and no socket is left open."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if value is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", value)
    notifier = Notifier()
    notifier.ready("x")
    notifier.close()


# The library leaks its socket here; Python closes it and warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_address_that_nobody_hears_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong NOTIFY_SOCKET stops nothing, and the log says it."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notifier = Notifier()
    notifier.ready("x")
    assert "systemd hears nothing of this daemon" in caplog.text
    assert "NOTIFY_SOCKET" not in os.environ


def test_a_full_socket_does_not_hold_the_daemon_up(
    systemd: NotifySocket, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    """When systemd does not read, words are lost and logged; afterwards it hears again."""
    while "did not take" not in caplog.text:
        notifier.watchdog()
    systemd.messages()
    notifier.ready("x")
    assert systemd.words() == ["READY=1", "STATUS=x"]
