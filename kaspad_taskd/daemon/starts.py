"""Starts that fail: why is kept until one succeeds, and they come more and more rarely.

systemd starts the daemon again RestartSec= after a failure, for ever. From 254 on it can make that
longer each time, the one of Debian 12 cannot: so a daemon that it started stays a while before it
ends. That costs nobody anything: a stop ends it at once, and who starts it anew begins anew.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from kaspad_taskd import words
from kaspad_taskd.base.clock import Clock, iso
from kaspad_taskd.base.files import write_atomically
from kaspad_taskd.base.frozen import frozen

LAST_ERROR: Final = "last-error"
"""In the runtime directory, JSON: `at` (ISO 8601 UTC), `code` (of its exit), `said` (sentences)."""
RECORD: Final = "starts"
"""Beside it: how many starts in a row have failed."""
RESTART: Final = 2.0
"""Seconds after which systemd starts it again (RestartSec= of the unit)."""
LONGEST: Final = 60.0
"""Seconds from one failing start to the next, at most; what has lived so long has started well."""
GRACE: Final = 30.0
"""Seconds within which the next start belongs to the row: later, somebody has mended something."""
_PATIENCE: Final = 30.0
"""Seconds that a start is given beside its pause."""
_LONG: Final = 2000
"""Letters of a sentence that are kept."""


def pause(failures: int) -> float:
    """Seconds to stay before the end, after so many failures in a row: 0, 2, 6, 14, 30, 58."""
    return min(RESTART * 2.0 ** min(failures - 1, 16), LONGEST) - RESTART


@frozen
class _Record:
    """What the start before has left; moments are of CLOCK_MONOTONIC, in s.

    Attributes:
        failures: in a row, before and with it.
        begun: when it began.
        ready: whether it was ready.
        until: when it ended by itself; None: it was killed.
    """

    failures: int
    begun: float
    ready: bool = False
    until: float | None = None


class Starts:
    """The starts of one daemon, one after the other.

    Args:
        place: its runtime directory, which need not be there.
        monotonic: s, from any beginning, the same for all processes.
        sleep: waits for so many s.
    """

    def __init__(
        self,
        place: Path,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._place = place
        self._monotonic = monotonic
        self._sleep = sleep
        self._systemd = os.environ.get("NOTIFY_SOCKET")  # only there somebody starts it again
        self._own = _Record(0, monotonic())

    def begin(self) -> None:
        """A start begins; it waits where those before were killed before they were ready."""
        if self._systemd is None:
            return
        failures, killed = self._before()
        self._put(_Record(failures, self._monotonic()))
        if killed and (seconds := pause(failures)):
            self._stay(seconds, words.say("start.killed", n=failures, seconds=seconds))

    def ready(self) -> None:
        """It is: what kept earlier ones from it is forgotten."""
        self._remove(LAST_ERROR)
        if self._systemd is not None:
            self._put(_Record(self._own.failures, self._own.begun, ready=True))

    def over(self) -> None:
        """It has ended as it was told to."""
        self._remove(LAST_ERROR)
        self._remove(RECORD)

    def failed(self, code: int, said: Sequence[str], *, again: bool = True) -> None:
        """It has failed: keep why, and stay for a while where it is started `again` by itself."""
        told = [each[:_LONG] for each in said]
        at = iso(Clock().wall())
        self._write(LAST_ERROR, {"at": at, "code": code, "said": told})
        if self._systemd is None:
            return
        now = self._monotonic()
        lived = now - self._own.begun
        row = 0 if self._own.ready and lived >= LONGEST else self._own.failures
        seconds = pause(row + 1) if again else 0.0
        self._put(_Record(row + 1 if again else 0, self._own.begun, until=now + seconds))
        if seconds:
            self._stay(seconds, words.say("start.failed", seconds=seconds, why=" ".join(told)))

    def _before(self) -> tuple[int, bool]:
        """Failures in a row so far, and whether the last one was killed instead of saying why."""
        now, last = self._monotonic(), self._read()
        if last is None or now < last.begun:  # the host has started since
            return 0, False
        if last.until is not None:
            in_row = last.until - 1 <= now <= last.until + GRACE
            return (last.failures if in_row else 0), False
        if last.ready or now - last.begun > pause(last.failures + 1) + LONGEST + GRACE:
            return 0, False
        return last.failures + 1, True

    def _stay(self, seconds: float, status: str) -> None:
        os.environ["NOTIFY_SOCKET"] = str(self._systemd)  # a daemon has taken it out
        try:
            from kaspad_taskd.systemd.notify import Notifier
        except ImportError:  # of its library: a pause without a word
            return self._sleep(seconds)
        systemd = Notifier()
        systemd.extend_timeout(seconds + _PATIENCE)
        systemd.status(status)
        self._sleep(seconds)
        systemd.close()
        os.environ["NOTIFY_SOCKET"] = str(self._systemd)
        return None

    def _put(self, record: _Record) -> None:
        self._own = record
        self._write(RECORD, asdict(record))

    def _read(self) -> _Record | None:
        try:
            found = json.loads((self._place / RECORD).read_bytes())
            return _Record(
                int(found["failures"]), float(found["begun"]), bool(found["ready"]),
                None if found["until"] is None else float(found["until"]),
            )  # fmt: skip
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _write(self, name: str, what: dict[str, Any]) -> None:
        with suppress(OSError):  # the log has it in any case
            write_atomically(self._place / name, json.dumps(what).encode() + b"\n")

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            (self._place / name).unlink()
