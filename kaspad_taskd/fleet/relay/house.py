"""The relay at work: one session with Redis after the other, until it is stopped."""

from __future__ import annotations

import logging
import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kaspad_taskd.base.sparing import Sparing
from kaspad_taskd.fleet.carrier import Carrier
from kaspad_taskd.fleet.faults import Kind, Trouble
from kaspad_taskd.fleet.relay.batch import Hole
from kaspad_taskd.fleet.relay.listen import Listener
from kaspad_taskd.fleet.relay.session import Session, Standing
from kaspad_taskd.fleet.relay.state import Runs
from kaspad_taskd.fleet.settings import Server, Settings
from kaspad_taskd.systemd.notify import Notifier

PAUSE: Final = (0.5, 30.0)
"""Seconds between two tries: of the first, and at most."""
LONGEST: Final = 5.0
"""Seconds between two signs of life for the watchdog, at most."""

log = logging.getLogger(__name__)


class Ending(BaseException):
    """Somebody wants it to end: raised out of any wait."""


class House:
    """The whole of it.

    Args:
        settings: of the fleet.
        state: the directory of the state.
        watch: the daemon's `watch.sock`.
        systemd: who is told how it goes.
        pulse: seconds between two beats for the watchdog, None for none.
    """

    def __init__(
        self, settings: Settings, state: Path, watch: Path, systemd: Notifier, pulse: float | None
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._systemd = systemd
        self._pulse = LONGEST if pulse is None else min(LONGEST, pulse)
        self._runs = Runs(state)
        self._carrier = Carrier(settings.engine, settings.relay.login)
        address = address_of(settings.engine.servers[0])
        self._standing = Standing(self._runs.run, self._runs.own, address)
        self._listener: Listener | None = None
        self._sparing = Sparing()
        self._said = ""
        self._beaten = 0.0
        self._failed = 0
        self._ending = False
        self._waiting = False

    def stop(self) -> None:
        """Let it end; for a signal's handler, which interrupts what it waits for."""
        self._ending = True
        if self._waiting:
            self._waiting = False
            raise Ending

    def run(self) -> None:
        """Work until it is stopped.

        Raises:
            Rival: another relay writes under the name of this host.
        """
        self._runs.keep()
        self._systemd.ready(self._line("looks for Redis"))
        try:
            with self._interruptible():
                while True:
                    self._live()
        except Ending:
            self._systemd.stopping("stops")
        finally:
            self._end_session()

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        self._waiting = True
        try:
            if self._ending:
                raise Ending
            yield
        finally:
            self._waiting = False

    def _live(self) -> None:
        """One session, and the pause behind it."""
        try:
            self._session()
        except Trouble as trouble:
            self._note(trouble)
        except Hole as fault:
            log.warning("%s: its events are asked for anew", fault)
        self._end_session()
        self._rest()

    def _session(self) -> None:
        self._listener = Listener(str(self._watch), self._settings.relay.keep)
        session = Session(self._settings, self._carrier, self._listener, self._standing)
        for _ in session.begin():
            self._beat("sees whether another relay writes")
        log.info("writes as %s to %s", self._settings.host, self._carrier.place)
        while self._listener.lives:
            session.turn(self._pulse)
            if session.settled:
                self._failed = 0
            self._beat(self._usual())
        log.error("listening to the daemon ended: it is begun again")

    def _end_session(self) -> None:
        if self._listener is not None:
            self._listener.stop()
        self._carrier.close()

    def _note(self, trouble: Trouble) -> None:
        """Say it, once a minute a cause."""
        self._said_of(str(trouble))
        kept = self._sparing.may(trouble.kind, trouble.place)
        if kept is None or trouble.kind in (Kind.MOVED, Kind.OUTPACED):
            log.debug("%s", trouble)
            return
        more = f" ({kept} times more since it was said)" if kept else ""
        log.warning("%s%s", trouble, more)

    def _rest(self) -> None:
        """Wait longer and longer, but not before all servers were tried."""
        tries = self._failed
        self._failed += 1
        if 0 < tries < len(self._settings.engine.servers):
            return
        first, most = PAUSE
        span = min(most, first * 2 ** min(tries, 10))
        until = time.monotonic() + max(first, span * random.uniform(0.5, 1.0))  # noqa: S311
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, self._pulse))
            self._beat(None)

    # how it goes

    def _beat(self, said: str | None) -> None:
        if self._ending:  # where a signal came amid what swallows exceptions
            raise Ending
        now = time.monotonic()
        if said is not None:
            self._said_of(said)
        if now - self._beaten >= self._pulse:
            self._beaten = now
            self._systemd.watchdog()

    def _usual(self) -> str:
        if self._standing.answers:
            return "carries what the daemon tells"
        return f"the daemon does not answer: {self._standing.said}"

    def _said_of(self, said: str) -> None:
        line = self._line(said)
        if line != self._said:
            self._said = line
            self._systemd.status(line)

    def _line(self, said: str) -> str:
        return f"{self._settings.host} -> {self._carrier.place}: {said}"


def address_of(server: Server) -> str:
    """Return where we run, for people: the machine's name, its address, our process."""
    name = socket.gethostname()
    own = _own_address(server)
    return f"{name}{f' ({own})' if own else ''}, pid {os.getpid()}"


def _own_address(server: Server) -> str:
    """The address that the way to a server begins at; nothing is sent."""
    if server.path:
        return ""
    try:
        kind, _, _, _, place = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)[
            0
        ]
        with socket.socket(kind, socket.SOCK_DGRAM) as way:
            way.connect(place)
            return str(way.getsockname()[0])
    except OSError:
        return ""
