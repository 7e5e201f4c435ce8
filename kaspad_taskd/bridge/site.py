"""All that a server of the bridge serves: one host's pages, or those of many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias

from aiohttp import web

from kaspad_taskd.bridge.family import Family
from kaspad_taskd.bridge.source import Page, View
from kaspad_taskd.bridge.topic import Topic

Json: TypeAlias = Any


class Desk(Protocol):
    """Answers requests for what a site shows; the reader's rights are judged here."""

    async def index(self, request: web.Request, view: View) -> web.StreamResponse:
        """The page of all tasks of a host."""

    async def task(self, request: web.Request, view: View) -> web.StreamResponse:
        """The page of one task of a host, by `id` in the request's path."""

    async def reader(self, request: web.Request) -> dict[str, bool]:
        """What who asks may: `canChange`, `unlocked`, and `needsToken`: nothing may be seen before.

        A site that nobody can change anything in says so itself.

        Raises:
            Refused: a wrong token came with it.
        """


class Site(Protocol):
    """All that a server serves."""

    @property
    def page(self) -> Page:
        """Renders the pages of a host."""

    @property
    def forms(self) -> tuple[str, ...]:
        """What paths of pages begin with that ask for the token by themselves; "/" does, too."""

    def routes(self, desk: Desk) -> Iterable[web.RouteDef]:
        """What it answers beside what every server does."""

    def topic(self, auth: Mapping[str, Json]) -> Topic:
        """What a browser that says this of itself is in; raises Refused."""

    def all(self, name: str, data: Json) -> None:
        """Tell everybody something that is no event on record."""

    def families(self, clients: int) -> Awaitable[Iterable[Family]]:
        """Its metrics; `clients`: how many browsers are in."""

    async def run(self, cut_all: Callable[[str], None]) -> None:
        """Tell browsers until cancelled; `cut_all` ends every connection, and says why."""

    def forget(self) -> None:
        """Let go of what is not needed any more; called now and then."""

    def close(self) -> None:
        """Ask nobody any more."""
