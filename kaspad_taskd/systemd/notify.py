"""What the daemon tells systemd (sd_notify), by way of the sdnotify library."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import MutableMapping
from typing import Final

import sdnotify

from kaspad_taskd.base.sparing import Sparing

STATUS_LIMIT: Final = 1000
"""Bytes of a status: systemd reads at most 4,096 of a whole message (its NOTIFY_BUFFER_MAX)."""
LONGEST_PULSE: Final = 10.0
"""Seconds between two beats at most: who recovers is heard well before the watchdog bites."""

log = logging.getLogger(__name__)


def one_line(text: str) -> str:
    """Return `text` as a status: one line without control characters, at most 1,000 bytes."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    data = " ".join(clean.split()).encode()
    return data[:STATUS_LIMIT].decode(errors="ignore")


def pulse(environ: MutableMapping[str, str], pid: int) -> float | None:
    """Return the seconds between two beats, or None where no watchdog waits for process `pid`.

    At most half of WATCHDOG_USEC. Both variables are taken out of the environment: the watchdog is
    ours, not our children's.
    """
    span, whose = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
    if not (span.isascii() and span.isdigit()) or int(span) == 0:
        return None
    if whose and whose != str(pid):
        return None
    return min(int(span) / 2_000_000, LONGEST_PULSE)


class Notifier:
    """Tells systemd; says nothing where there is none.

    The variable NOTIFY_SOCKET is taken out of the environment, so that no child speaks for us.
    Nothing here waits or raises: a word that systemd does not take at once is lost and logged.
    """

    def __init__(self) -> None:
        self._library: sdnotify.SystemdNotifier | None = None
        self._sparing = Sparing()
        if address := os.environ.get("NOTIFY_SOCKET"):  # else the library would leak a socket
            self._connect(address)
            del os.environ["NOTIFY_SOCKET"]

    def _connect(self, address: str) -> None:
        try:
            self._library = sdnotify.SystemdNotifier(debug=True)
        except OSError as fault:
            log.warning("systemd hears nothing of this daemon: %s: %s", address, fault)
        else:
            self._library.socket.setblocking(False)

    def _say(self, *words: str) -> None:
        if self._library is None:
            return
        text = "\n".join(words)
        try:
            # The library writes Latin-1: this makes it write our UTF-8.
            self._library.notify(text.encode().decode("latin-1"))
        except OSError as fault:
            kind = words[0].partition("=")[0]
            if self._sparing.may(kind, fault.errno) is not None:
                log.warning("systemd did not take %s: %s", words[0], fault)

    def ready(self, status: str) -> None:
        """The start, or a reload, is over."""
        self._say("READY=1", f"STATUS={one_line(status)}")

    def status(self, status: str) -> None:
        """Show `status` in `systemctl status`."""
        self._say(f"STATUS={one_line(status)}")

    def reloading(self) -> None:
        """A reload begins; `ready` ends it."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str) -> None:
        """The stop begins."""
        self._say("STOPPING=1", f"STATUS={one_line(status)}")

    def watchdog(self) -> None:
        """We are alive."""
        self._say("WATCHDOG=1")

    def extend_timeout(self, seconds: float) -> None:
        """The start or stop needs `seconds` more from now on."""
        self._say(f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}")

    def close(self) -> None:
        """Say nothing any more."""
        if self._library is not None:
            self._library.socket.close()
            self._library = None
