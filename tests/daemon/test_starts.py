"""Starts that fail: why is kept, and they come more and more rarely. No second is waited for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.daemon.starts import GRACE, LAST_ERROR, LONGEST, RECORD, RESTART, Starts, pause
from tests.fakes.notify_socket import NotifySocket

UNITS = Path(__file__).parents[2] / "packaging/systemd"
HOUR, DAY = 3600, 86_400
LINES = 7
"""Of one failing start: what it says, and six of systemd about it."""
BEFORE = 200_000
"""Lines a day of a daemon that ends at once and is started again after two seconds."""


class Host:
    """Its clock, and a daemon that systemd starts again."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.now = 1000.0
        self.stayed: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.stayed.append(seconds)
        self.now += seconds

    def start(self) -> Starts:
        self.stayed = []
        made = Starts(self.place, monotonic=lambda: self.now, sleep=self.sleep)
        made.begin()
        return made

    def fail(self, code: int = 1, said: str = "the disk is gone") -> float:
        """One failing start; returns the seconds from its begin to the next."""
        begun = self.now
        self.start().failed(code, [said], again=code == 1)
        self.now += RESTART
        return self.now - begun


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    with NotifySocket(tmp_path / "notify") as notify:
        monkeypatch.setenv("NOTIFY_SOCKET", notify.address)
        yield Host(tmp_path)


def test_the_units_wait_as_long_as_is_counted_with() -> None:
    """The pause is what is added to RestartSec=; no start limit ends it for ever."""
    for unit in (UNITS / "kaspad-taskd.service", UNITS / "user/kaspad-taskd.service"):
        assert re.search(rf"(?m)^RestartSec={RESTART:g}s$", unit.read_text())
        assert "StartLimitIntervalSec=0" in unit.read_text()


def test_failing_starts_come_more_and_more_rarely(host: Host) -> None:
    """2 s at first, twice as long each time, a minute at most, for ever."""
    assert [host.fail() for _ in range(8)] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert pause(10_000) + RESTART == LONGEST


def test_a_day_of_it_is_a_few_thousand_lines(host: Host) -> None:
    """Counted over an hour of its clock, the first and worst one."""
    end, starts = host.now + HOUR, 0
    while host.now < end:
        host.fail()
        starts += 1
    assert starts * LINES * DAY / HOUR < 11_000
    assert DAY / RESTART * LINES > BEFORE


def test_a_day_of_starts_that_are_killed_is_no_more(host: Host) -> None:
    """They cannot stay before their end: the next one waits before it begins."""
    end, starts = host.now + HOUR, 0
    while host.now < end:
        host.start()
        host.now += RESTART
        starts += 1
    assert starts * LINES * DAY / HOUR < 11_000


def test_why_is_kept_until_a_start_succeeds(host: Host) -> None:
    """With its time and exit code; READY takes it away, and so does an ordinary end."""
    host.fail(said="the disk is gone")
    kept = json.loads((host.place / LAST_ERROR).read_text())
    assert (kept["code"], kept["said"]) == (1, ["the disk is gone"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", kept["at"])
    assert (host.place / LAST_ERROR).stat().st_mode & 0o777 == 0o640
    started = host.start()
    assert (host.place / LAST_ERROR).exists()
    started.ready()
    assert not (host.place / LAST_ERROR).exists()
    started.over()
    assert not (host.place / RECORD).exists()


def test_who_starts_it_by_hand_begins_a_row_anew(host: Host) -> None:
    """During a pause, and once something may have been mended: told at once that it fails."""
    for _ in range(6):
        host.fail()
    host.now += GRACE + 1
    assert host.fail() == 2
    for _ in range(5):
        host.fail()
    host.now -= 30  # a stop, and a start, amid the pause
    assert host.fail() == 2


def test_what_waits_for_somebody_does_not_stay(host: Host) -> None:
    """Exit 78 is not started again: it is over at once, and no row is counted."""
    for _ in range(3):
        host.fail()
    host.fail(code=78)
    assert host.stayed == []
    assert host.fail() == 2


def test_a_kill_of_one_that_was_ready_is_no_failing_start(host: Host) -> None:
    """However often: it comes back at once."""
    for _ in range(5):
        host.start().ready()
        host.now += RESTART
        assert host.stayed == []


def test_a_crash_soon_after_ready_is_one(host: Host) -> None:
    """Its traceback each two seconds is as much; after a minute of life it is not."""
    spans = []
    for lived in (1, 1, 1, LONGEST, 1):
        one = host.start()
        one.ready()
        host.now += lived
        one.failed(1, ["crashed"])
        spans.append(sum(host.stayed))
        host.now += RESTART
    assert spans == [0, 2, 6, 0, 2]


def test_systemd_shows_why_and_until_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """STATUS in the pause, with time enough for it."""
    with NotifySocket(tmp_path / "notify") as notify:
        monkeypatch.setenv("NOTIFY_SOCKET", notify.address)
        host = Host(tmp_path)
        for _ in range(6):
            host.fail(said="the disk is gone")
        told = [word for message in notify.messages() for word in message]
    assert any(word.startswith("STATUS=") and "the disk is gone" in word and "58 s" in word
               for word in told), told  # fmt: skip
    assert "EXTEND_TIMEOUT_USEC=88000000" in told


def test_by_hand_nobody_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without systemd it ends at once, each time; why is kept all the same."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    host = Host(tmp_path)
    for _ in range(4):
        host.fail()
        assert host.stayed == []
    assert (tmp_path / LAST_ERROR).exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"failures": "x"}', "\x00"])
def test_a_record_that_makes_no_sense_is_none(host: Host, text: str) -> None:
    """Whatever lies there keeps nobody from starting."""
    (host.place / RECORD).write_text(text)
    assert host.fail() == 2


def test_a_place_that_takes_nothing_is_no_obstacle(host: Host) -> None:
    """Not there, for example: then the log alone has it."""
    host.place = host.place / "none"
    assert host.fail() == 2
