"""What a hub serves: the page of all hosts, each host's own pages, metrics, and live news."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from aiohttp import web

from kaspad_taskd.base.clock import iso
from kaspad_taskd.bridge.answers import as_html, as_json, as_text, see_other
from kaspad_taskd.bridge.calls import Calls
from kaspad_taskd.bridge.family import Family
from kaspad_taskd.bridge.refused import Refused
from kaspad_taskd.bridge.site import Desk
from kaspad_taskd.bridge.source import View
from kaspad_taskd.bridge.topic import Topic
from kaspad_taskd.fleet.host import Change
from kaspad_taskd.fleet.hub import metrics
from kaspad_taskd.fleet.hub.archive import Archive
from kaspad_taskd.fleet.hub.methods import of_fleet
from kaspad_taskd.fleet.hub.moments import Clocks
from kaspad_taskd.fleet.hub.news import NEWS, News
from kaspad_taskd.fleet.hub.topics import FleetTelling, HostTopic
from kaspad_taskd.fleet.keys import HOST
from kaspad_taskd.fleet.mirror import Mirror
from kaspad_taskd.version import __version__
from kaspad_taskd.web.fleet import FleetPage
from kaspad_taskd.web.page import Page
from kaspad_taskd.words import say

Json: TypeAlias = Any

Answer: TypeAlias = Callable[[web.Request, View], Awaitable[web.StreamResponse]]

AGAIN_S: Final = 2
"""Seconds until who asks for a host again may hear more than that it is not known yet."""
BEAT_S: Final = 2.0
"""Seconds between two words to each browser, be there news or not: who hears none counts on."""


class HubSite:
    """The site of a hub.

    Args:
        mirror: the fleet.
        archive: what the mirror does not hold.
        token_file: where the token stands, as people are told it.
        place: where the settings of its door stand, likewise.
        clocks: what time it is.

    Attributes:
        page: renders the pages of a host.
        fleet: tells those who look at all hosts.
    """

    def __init__(
        self,
        mirror: Mirror,
        archive: Archive,
        token_file: Path,
        place: str,
        clocks: Clocks | None = None,
    ) -> None:
        self._mirror = mirror
        self._archive = archive
        self._clocks = clocks or Clocks()
        self._name = socket.gethostname()
        self._known = {
            "tokenFile": str(token_file), "definitionDir": None, "settings": place,
        }  # fmt: skip
        self._news = News(mirror, self._clocks)
        self._hosts: dict[str, HostTopic] = {}
        self._page = FleetPage()
        self.page = Page()
        self.fleet = FleetTelling(self._news)
        calls = Calls(of_fleet(lambda: self._news.number, self._news.rows))
        self._topic = Topic(self.fleet, calls, self._hello)

    # -- what comes

    def told(self, changes: Sequence[Change]) -> None:
        """Take what became new of hosts: one word a host and tick goes to who looks at it."""
        for change in changes:
            self._news.changed(change)
            topic = self._hosts.get(change.host)
            if topic is not None:
                topic.changed(change)
                if change.verdict:
                    self._tell_of(topic)
        if not self.fleet.is_empty:
            self.fleet.flush()

    async def run(self, _cut_all: Callable[[str], None]) -> None:
        """Say that we are there, until cancelled."""
        try:
            while True:
                await asyncio.sleep(BEAT_S)
                self.fleet.all(NEWS, self._news.beat())
                for topic in self._hosts.values():
                    self._tell_of(topic)
        finally:
            for topic in self._hosts.values():
                topic.end()
            await self._archive.close()

    def _tell_of(self, topic: HostTopic) -> None:
        if self._mirror.hosts.get(topic.host.name) is topic.host:
            topic.all(NEWS, self._news.of(topic.host))

    def forget(self) -> None:
        """Let go of rooms that nobody is in, and of hosts that are gone."""
        for name, topic in list(self._hosts.items()):
            topic.forget()
            if topic.is_forsaken or self._mirror.hosts.get(name) is not topic.host:
                del self._hosts[name]
                topic.end()

    def close(self) -> None:
        """Nothing is asked beside requests."""

    # -- browsers

    def topic(self, auth: Mapping[str, Json]) -> Topic:
        """That of the host which is named, else of all; raises Refused: there is none."""
        name = auth.get("host")
        if name is None:
            return self._topic
        found = self._host(name) if isinstance(name, str) else None
        if found is None:
            raise self._no_host()
        return found.topic

    def all(self, name: str, data: Json) -> None:
        """Tell everybody something that is no event on record."""
        self.fleet.all(name, data)
        for topic in self._hosts.values():
            topic.all(name, data)

    def _weigh(self) -> None:
        """Let all be as it is at this moment, not as at the last look."""
        self.told(self._mirror.drain(self._clocks.now()))

    def _host(self, name: str) -> HostTopic | None:
        host = self._mirror.hosts.get(name)
        unread = host is not None and host.line is not None and host.count < 0
        if host is None or (unread and not self._mirror.is_read):
            return None  # found and not read yet: who looked would be told what it is not
        topic = self._hosts.get(name)
        if topic is None or topic.host is not host:
            topic = HostTopic(host, self._archive, self._clocks, self._known, self._news)
            self._hosts[name] = topic
        return topic.used()

    def _hello(self) -> dict[str, Json]:
        return {
            "serverTime": iso(self._clocks.wall()),
            "host": self._name,
            "version": __version__,
            "journal": self._news.run,
            "canChange": False,
        }

    # -- requests

    @property
    def forms(self) -> tuple[str, ...]:
        """The pages of hosts ask for the token, too."""
        return ("/host/",)

    def routes(self, desk: Desk) -> Iterable[web.RouteDef]:
        """Pages and health."""

        async def fleet(request: web.Request) -> web.StreamResponse:
            reader = await desk.reader(request)
            if reader["needsToken"]:
                return self._locked(request, "./")
            return await self._fleet(request, reader)

        async def host(request: web.Request) -> web.StreamResponse:
            return await shown(request, "../../", desk.index)

        async def task(request: web.Request) -> web.StreamResponse:
            return await shown(request, "../../../", desk.task)

        async def shown(request: web.Request, root: str, answer: Answer) -> web.StreamResponse:
            if (await desk.reader(request))["needsToken"]:
                return self._locked(request, root)  # nor is it said which hosts there are
            self._weigh()
            found = self._host(request.match_info["name"])
            return self._missing() if found is None else await answer(request, found.view)

        async def slash(request: web.Request) -> web.StreamResponse:
            name = request.match_info["name"]
            return see_other(f"{name}/") if HOST.fullmatch(name) else self._missing()

        return [
            web.get("/", fleet),
            web.get("/host/{name}", slash),
            web.get("/host/{name}/", host),
            web.get("/host/{name}/task/{id}", task),
            web.get("/healthz", self._health),
        ]

    async def _fleet(self, request: web.Request, reader: Mapping[str, bool]) -> web.Response:
        self._weigh()
        await self._news.renew()
        self.fleet.flush()
        snapshot = {
            **reader, **self._hello(), **self._known, "seq": self._news.number,
            "hosts": self._news.rows(), "late": self._news.late, "problem": self._problem,
        }  # fmt: skip
        text = await asyncio.to_thread(self._page.index, snapshot, dict(request.query))
        return as_html(request, text)

    def _locked(self, request: web.Request, root: str) -> web.Response:
        """The form that asks for the token."""
        text = self._page.locked({**self._hello(), **self._known}, dict(request.query), root)
        return as_html(request, text, 401)

    def _no_host(self) -> Refused:
        """There is no such host, or nobody can tell: a server that is not read may have it."""
        if self._mirror.is_read:
            return Refused(404, say("fleet.no-host"))
        return Refused(503, say("fleet.not-known", why=self._problem), AGAIN_S)

    def _missing(self) -> web.Response:
        """The same for who looks at its page, which is looked for anew while nobody can tell."""
        refused = self._no_host()
        response = as_text(refused.status, refused.sentence)
        if refused.retry_after is not None:
            for name in ("Retry-After", "Refresh"):
                response.headers[name] = str(refused.retry_after)
        return response

    @property
    def _problem(self) -> str | None:
        """Why nobody can tell of all hosts; None: all servers are read."""
        return self._mirror.problem or (None if self._mirror.lines else say("fleet.not-read"))

    async def _health(self, _request: web.Request) -> web.Response:
        problem = self._problem
        found = {"status": "ok" if problem is None else "engine-away", "problem": problem}
        return as_json(found, 200 if problem is None else 503)

    async def families(self, clients: int) -> Iterable[Family]:
        """The metrics of this moment."""
        return await metrics.families(self._mirror, self._clocks.now(), clients)
