"""What is asked over HTTP: pages, files, session, health, metrics, descriptions.

Every URL that is made here is relative to the request's, so that a proxy's prefix works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from aiohttp import web

from kaspad_taskd.api.errors import CODES
from kaspad_taskd.api.incident import incident
from kaspad_taskd.base import jsontext
from kaspad_taskd.bridge import family
from kaspad_taskd.bridge.access import WRONG, Access
from kaspad_taskd.bridge.answers import (
    Packed,
    answer,
    as_html,
    as_json,
    as_text,
    see_other,
    takes_gzip,
)
from kaspad_taskd.bridge.browsers import Browsers, cookie
from kaspad_taskd.bridge.http import understood
from kaspad_taskd.bridge.keys import SESSION_S
from kaspad_taskd.bridge.refusal import refusal
from kaspad_taskd.bridge.refused import Refused
from kaspad_taskd.bridge.site import Site
from kaspad_taskd.bridge.sockets import Sockets
from kaspad_taskd.bridge.source import View

Json: TypeAlias = Any
T = TypeVar("T")
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Files: TypeAlias = Callable[[], Mapping[str, tuple[bytes, str]]]

CONNECTIONS: Final = 2048
"""Socket.IO connections at once."""
OPEN: Final = ("/healthz", "/session", "/socket.io/", "/static/", "/embed/")
"""What needs no token on a public address: health, and what asks for it by itself; so do pages."""
MANY: Final = 2000
"""Samples from which metrics are written beside the loop."""
FILES: Final = ("/static/", "/embed/", "/socket.io/")

log = logging.getLogger(__name__)


class Pages:
    """The handlers.

    Args:
        site: what is shown.
        access: who may.
        files: what pages load.
        session: name of the session's cookie.
        browsers: who is in.
        sockets: Socket.IO.
    """

    def __init__(
        self,
        site: Site,
        access: Access,
        files: Files,
        *,
        session: str,
        browsers: Browsers,
        sockets: Sockets,
    ) -> None:
        self._site = site
        self._access = access
        self._load = files
        self._session = session
        self._browsers = browsers
        self._sockets = sockets
        self._files: dict[str, Packed] = {}

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.on_response_prepare.append(self._headers)
        app.add_routes(
            [
                *self._site.routes(self),
                web.get("/metrics", self._metrics),
                web.post("/session", self._unlock),
                web.delete("/session", self._lock),
                web.get("/{path:(?:static|embed)/.+}", self._file),
                web.route("*", "/socket.io/", self._socket_io),
            ]
        )

    # -- before and after each request

    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request pass to its handler, or say why not."""
        try:
            self._access.check(request.headers)
            if request.method == "GET" and not request.path.startswith(FILES):
                self._access.check_frame(request.headers)
            if self._access.public and not self._is_open(request):
                await self._ask_for_token(request)
            return await handler(request)
        except Refused as refused:
            return refusal(request, refused)
        except web.HTTPException as error:
            return as_text(error.status, error.text or error.reason)
        except ConnectionError:
            raise
        except Exception:
            told = incident(f"{request.method} {request.path}", "the bridge")
            return as_text(503 if told.code == CODES["busy"] else 500, told.message)

    def _is_open(self, request: web.Request) -> bool:
        return request.path.startswith((*OPEN, *self._site.forms)) or request.path == "/"

    async def _ask_for_token(self, request: web.Request) -> None:
        if not await self._may_change(request):
            raise Refused(401, "This needs the access token.")

    async def _may_change(self, request: web.Request) -> bool:
        """Whether it brings a session or the token; a wrong one is refused, later and later."""
        if self._access.is_session(self._session_of(request)):
            return True
        return await self._access.bearer(request.headers, self.address(request))

    def address(self, request: web.Request) -> str:
        """Where a request comes from."""
        return self._access.address(request.remote, request.headers)

    def _session_of(self, request: web.Request) -> str | None:
        return cookie(request.headers, self._session)

    async def _headers(self, request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers["Server"] = "kaspad-taskd"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers.setdefault("Cache-Control", "no-store")
        origin = request.headers.get("Origin", "")
        if origin.lower() in self._access.origins and "Sec-WebSocket-Accept" not in headers:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Vary"] = "Origin"
        if response.content_type == "text/html":
            headers.setdefault("Content-Security-Policy", self._policy(request))

    def _policy(self, request: web.Request) -> str:
        host = request.headers.get("X-Forwarded-Host") or request.headers["Host"]
        own = f" ws://{host} wss://{host}" if not set(host) & set(" ;,'\"") else ""
        frames = " ".join(("'self'", *sorted(self._access.origins)))
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self'{own}; form-action 'self'; base-uri 'none'; "
            f"frame-ancestors {frames}"
        )

    # -- pages

    async def index(self, request: web.Request, view: View) -> web.StreamResponse:
        """The page of all tasks of a host."""
        snapshot, query = await self._snapshot(request, view), dict(request.query)
        status = 401 if snapshot["needsToken"] else 200
        text = await beside(lambda: self._site.page.index(snapshot, query), many=view.many)
        return as_html(request, text, status)

    async def task(self, request: web.Request, view: View) -> web.StreamResponse:
        """The page of one task of a host, by `id` in the request's path."""
        task_id, query = request.match_info["id"], dict(request.query)
        snapshot = await self._snapshot(request, view, task_id)
        page = self._site.page
        text = await beside(lambda: page.task(snapshot, task_id, query), many=view.many)
        if text is None:
            return as_html(request, page.missing(snapshot, query), 404)
        return as_html(request, text, 401 if snapshot["needsToken"] else 200)

    async def _snapshot(
        self, request: web.Request, view: View, task_id: str | None = None
    ) -> dict[str, Json]:
        """What a page shows; without a token that is needed, nothing."""
        reader = await self.reader(request)
        known = await view.snapshot(request.query, task_id, hidden=reader["needsToken"])
        return {**reader, **known}

    async def reader(self, request: web.Request) -> dict[str, bool]:
        """What who asks may, as kaspad_taskd/bridge/site.py says."""
        may_change = await self._may_change(request)
        hidden = self._access.public and not may_change
        return {"canChange": may_change, "unlocked": may_change, "needsToken": hidden}

    async def _file(self, request: web.Request) -> web.Response:
        if not self._files:
            self._files = {path: Packed(*each) for path, each in self._load().items()}
        found = self._files.get(request.match_info["path"])
        if found is None:
            return as_text(404, "There is no such file.")
        return found.response(request)

    # -- the session

    async def _unlock(self, request: web.Request) -> web.StreamResponse:
        """Take the token from a form or as JSON; answer with the cookie, or why not."""
        form = not request.content_type.endswith("json")
        given = await _given_token(request, form=form)
        try:
            right = await self._access.give_token(
                given, self.address(request), self._session_of(request)
            )
        except Refused:
            if not form:
                raise
            return see_other("./?unlock=wait")
        if not right:
            if not form:
                raise Refused(401, WRONG)
            return see_other("./?unlock=wrong")
        response = see_other("./") if form else as_json({"canChange": True})
        secure = request.headers.get("X-Forwarded-Proto", "") == "https"
        self._set_cookie(response, self._access.new_session(), SESSION_S, secure=secure)
        return response

    async def _lock(self, request: web.Request) -> web.Response:
        response = as_json({"canChange": False})
        try:
            await self._access.end_session(self._session_of(request))
        except OSError as fault:
            log.error("a session that was ended is not on disk: %s", fault)
            said = f"This browser is locked, but a restart would not know: {fault.strerror}"
            response = as_json({"canChange": False, "error": said}, 503)
        self._set_cookie(response, "", 0, secure=False)
        return response

    def _set_cookie(self, response: web.Response, value: str, age: int, *, secure: bool) -> None:
        # no Path: it is the one of the request, the proxy's prefix included
        parts = [f"{self._session}={value}", f"Max-Age={age}", "HttpOnly", "SameSite=Strict"]
        response.headers["Set-Cookie"] = "; ".join([*parts, *(["Secure"] if secure else [])])

    # -- for programs

    async def _metrics(self, request: web.Request) -> web.Response:
        openmetrics = family.wants_openmetrics(request.headers.get("Accept", ""))
        headers = {"Content-Type": family.OPENMETRICS if openmetrics else family.PLAIN}
        if packed := takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
        found = list(await self._site.families(len(self._browsers)))
        make = partial(family.body, found, openmetrics=openmetrics, packed=packed)
        many = sum(len(each.samples) for each in found) > MANY
        return answer(await beside(make, many=many), headers)

    async def _socket_io(self, request: web.Request) -> web.StreamResponse:
        if "sid" not in request.query and self._sockets.connections >= CONNECTIONS:
            return as_text(503, f"There are {CONNECTIONS} connections already.")
        return await self._sockets.handle_request(request)


async def beside(make: Callable[[], T], *, many: bool) -> T:
    """Make something of what changes no more; beside the loop where it is of many."""
    return await asyncio.to_thread(make) if many else make()


async def _given_token(request: web.Request, *, form: bool) -> str:
    if form:
        found = (await understood(request.post())).get("token")
    else:
        body = await understood(request.read())
        try:
            given = jsontext.loads(body)
        except ValueError:
            given = None
        found = given.get("token") if isinstance(given, dict) else None
    if not isinstance(found, str):
        raise Refused(400, 'the token is needed: {"token": "..."}')
    return found.strip()
