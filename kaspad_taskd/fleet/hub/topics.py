"""What browsers of a hub are in: all hosts, or one of them; who tells each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from kaspad_taskd.bridge.browser import Browser
from kaspad_taskd.bridge.calls import Calls
from kaspad_taskd.bridge.fanout import Fanout
from kaspad_taskd.bridge.outbox import Outbox
from kaspad_taskd.bridge.packets import event
from kaspad_taskd.bridge.topic import Topic
from kaspad_taskd.fleet.host import Change, Host
from kaspad_taskd.fleet.hub.archive import Archive
from kaspad_taskd.fleet.hub.methods import of_host
from kaspad_taskd.fleet.hub.moments import Clocks
from kaspad_taskd.fleet.hub.news import NEWS, News
from kaspad_taskd.fleet.hub.source import HostSource
from kaspad_taskd.fleet.hub.view import HostView

Json: TypeAlias = Any

AGAIN_S: Final = 2.0
"""Seconds until telling begins again after a fault."""
GATHER_S: Final = 0.1
"""Seconds between two packets of a host's tasks: what is read comes gathered, every 250 ms."""
EMPTY_S: Final = 60.0
"""Seconds after which a host that nobody looks at has no room any more."""

log = logging.getLogger(__name__)


class FleetTelling:
    """Tells browsers how all hosts are.

    Args:
        news: of which.
    """

    def __init__(self, news: News) -> None:
        self._news = news
        self._live: dict[Browser, Outbox] = {}

    def told_to(self, _browser: Browser) -> int:
        """All are told at once."""
        return self._news.number

    async def join(self, browser: Browser, hello: Callable[[], Json]) -> None:
        """Greet it, then tell what is new since its page was made: all, if another hub made it."""
        await self._news.renew()
        self.flush()
        since = browser.since if browser.journal == self._news.run else None
        browser.tell("hello", hello())
        known = since if type(since) is int else 0
        browser.tell(NEWS, self._news.since(known))
        self._live[browser] = browser.outbox

    async def catch_up(self, browser: Browser, since: Json, journal: Json = None) -> Json:
        """Tell again what became new after a number."""
        known = since if type(since) is int and journal in (None, self._news.run) else 0
        browser.tell(NEWS, self._news.since(known))
        return {"seq": self._news.number}

    def leave(self, browser: Browser) -> None:
        """Tell it nothing any more."""
        self._live.pop(browser, None)

    def flush(self) -> None:
        """Tell all what became new."""
        if (told := self._news.take()) is not None:
            self.all(NEWS, told)

    def all(self, name: str, data: Json) -> None:
        """Tell all of them, encoded once.

        When all of a large fleet turn at once, that is no arrears of who has taken all before.
        """
        message = event(name, data)
        for box in list(self._live.values()):
            if box.laden:
                box.tell(message)
            else:
                box.answer_all([message])

    @property
    def is_empty(self) -> bool:
        """Whether nobody is in."""
        return not self._live


class HostTelling(Fanout):
    """Tells browsers what a host's daemon would, and how it was heard.

    Args:
        source: of the host.
        cut_all: ends every connection.
        news: the news of it.
    """

    def __init__(
        self, source: HostSource, cut_all: Callable[[str], None], news: Callable[[], Json]
    ) -> None:
        super().__init__(source, cut_all, GATHER_S)
        self._news = news

    async def join(self, browser: Browser, hello: Callable[[], Json]) -> None:
        """Bring it into the present, then tell how sure that is."""
        await super().join(browser, hello)
        browser.tell(NEWS, self._news())


class HostTopic:
    """A host that somebody looks at.

    Args:
        host: of the mirror.
        archive: what the mirror does not hold.
        clocks: what time it is.
        known: what all pages of this hub know.
        news: of all hosts.

    Attributes:
        host: as given.
        source: what browsers follow.
        view: what pages show.
        topic: what a browser is in.
    """

    def __init__(
        self,
        host: Host,
        archive: Archive,
        clocks: Clocks,
        known: Mapping[str, Json],
        news: News,
    ) -> None:
        self.host = host
        self.source = HostSource(host, clocks)
        self.view = HostView(host, self.source, archive, clocks, known)
        self._fanout = HostTelling(self.source, self._cut, lambda: news.of(host))
        calls = Calls(of_host(host, self.source, archive))
        self.topic = Topic(self._fanout, calls, self.view.hello)
        self._clocks = clocks
        self._used = clocks.now()
        self._running = asyncio.get_running_loop().create_task(self._run())

    def changed(self, change: Change) -> None:
        """Tell what became new."""
        self.source.changed(change)

    def all(self, name: str, data: Json) -> None:
        """Tell all who look at it something that is no event on record."""
        self._fanout.all(name, data)

    def used(self) -> HostTopic:
        """Note that somebody looks at it."""
        self._used = self._clocks.now()
        return self

    @property
    def is_forsaken(self) -> bool:
        """Whether nobody has looked at it for a while."""
        return self._fanout.is_empty and self._clocks.now() - self._used > EMPTY_S

    def _cut(self, _why: str) -> None:
        self._fanout.cut()

    def forget(self) -> None:
        """Let go of what was made for tasks that are there no more."""
        self._fanout.forget()

    async def _run(self) -> None:
        """Tell until cancelled; what makes no packet costs those who look at this host alone."""
        while True:
            try:
                await self._fanout.run()
            except Exception:
                log.exception("what %s says cannot be told", self.host.name)
                self._fanout.cut()
            await asyncio.sleep(AGAIN_S)

    def end(self) -> None:
        """End who looks at it; he comes back, or is told that there is no such host."""
        self._fanout.cut()
        self._running.cancel()
