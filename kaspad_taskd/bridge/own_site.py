"""What the daemon's bridge serves: the pages of its own host, and what programs ask."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import web

from kaspad_taskd.api.context import Api
from kaspad_taskd.api.method import Method
from kaspad_taskd.base.clock import iso
from kaspad_taskd.bridge import asyncapi, metrics
from kaspad_taskd.bridge.answers import as_json
from kaspad_taskd.bridge.calls import CALLER, Calls
from kaspad_taskd.bridge.counts import Counts
from kaspad_taskd.bridge.family import Family
from kaspad_taskd.bridge.fanout import Fanout
from kaspad_taskd.bridge.own import OwnSource, OwnView
from kaspad_taskd.bridge.site import Desk
from kaspad_taskd.bridge.source import Page
from kaspad_taskd.bridge.topic import Topic
from kaspad_taskd.version import __version__

Json: TypeAlias = Any


class OwnSite:
    """The daemon's own.

    Args:
        api: what it shows.
        methods: the API's methods by name.
        token_file: where the token stands, as people are told it.
        page: renders the pages.
        counts: for the metrics.

    Attributes:
        page: as given.
        fanout: tells all browsers.
        view: what pages show.
    """

    def __init__(
        self,
        api: Api,
        methods: Mapping[str, Method],
        token_file: Path,
        *,
        page: Page,
        counts: Counts,
    ) -> None:
        self._api = api
        self._methods = methods
        self._token_file = token_file
        self._counts = counts
        self._host = socket.gethostname()
        self._cut_all: Callable[[str], None] = lambda _why: None
        self.page = page
        self.fanout = Fanout(OwnSource(api), self._cut)
        self.view = OwnView(api, self._known)
        self._topic = Topic(self.fanout, Calls(methods), self._hello)

    # -- browsers

    def topic(self, _auth: Mapping[str, Json]) -> Topic:
        """All are in the same."""
        return self._topic

    def all(self, name: str, data: Json) -> None:
        """Tell everybody something that is no event on record."""
        self.fanout.all(name, data)

    async def run(self, cut_all: Callable[[str], None]) -> None:
        """Tell browsers until cancelled."""
        self._cut_all = cut_all
        await self.fanout.run()

    def forget(self) -> None:
        """Let go of what was made for tasks that are there no more."""
        self.fanout.forget()

    def close(self) -> None:
        """Ask no services any more."""
        self.view.services.close()

    def _hello(self) -> dict[str, Json]:
        return {
            "serverTime": iso(self._api.engine.now()),
            "host": self._host,
            "version": __version__,
            "journal": self._api.engine.journal,
        }

    def _known(self) -> dict[str, Json]:
        return {
            **self._hello(),
            "tokenFile": str(self._token_file),
            "definitionDir": self._api.definitions.files,
        }

    def _cut(self, why: str) -> None:
        self._cut_all(why)

    # -- requests

    @property
    def forms(self) -> tuple[str, ...]:
        """The page of a task asks for the token, too."""
        return ("/task/",)

    def routes(self, desk: Desk) -> Iterable[web.RouteDef]:
        """Pages, health and descriptions."""

        async def index(request: web.Request) -> web.StreamResponse:
            return await desk.index(request, self.view)

        async def task(request: web.Request) -> web.StreamResponse:
            return await desk.task(request, self.view)

        return [
            web.get("/", index),
            web.get("/task/{id}", task),
            web.get("/healthz", self._health),
            web.get("/openrpc.json", self._openrpc),
            web.get("/asyncapi.json", self._asyncapi),
        ]

    async def families(self, clients: int) -> Iterable[Family]:
        """The metrics of this moment."""
        return await metrics.families(self._api, self._counts, self.fanout, clients)

    async def _health(self, _request: web.Request) -> web.Response:
        problem = self._api.engine.problem
        found = {"status": "ok" if problem is None else "not-durable", "problem": problem}
        return as_json(found, 200 if problem is None else 503)

    async def _openrpc(self, _request: web.Request) -> web.Response:
        return as_json(self._methods["rpc.discover"].handler(CALLER, {}))

    async def _asyncapi(self, request: web.Request) -> web.Response:
        host = request.headers.get("X-Forwarded-Host") or request.headers["Host"]
        return as_json(asyncapi.describe(host))
