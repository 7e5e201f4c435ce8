"""What is asked over HTTP: pages, files, session, health, metrics, descriptions.

Every URL that is made here is relative to the request's, so that a proxy's prefix works.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from aiohttp import web

from kaspad_taskd.api.context import Api
from kaspad_taskd.api.history import reach, told
from kaspad_taskd.api.incident import incident
from kaspad_taskd.api.listed import PAGE
from kaspad_taskd.api.method import Method
from kaspad_taskd.api.switches import standing_shape
from kaspad_taskd.api.wire import event_shape, warning_shape
from kaspad_taskd.base import jsontext
from kaspad_taskd.bridge import asyncapi, metrics
from kaspad_taskd.bridge.access import WRONG, Access
from kaspad_taskd.bridge.browsers import cookie
from kaspad_taskd.bridge.calls import CALLER
from kaspad_taskd.bridge.http import understood
from kaspad_taskd.bridge.keys import SESSION_S
from kaspad_taskd.bridge.past import before, past
from kaspad_taskd.bridge.refusal import refusal
from kaspad_taskd.bridge.refused import Refused
from kaspad_taskd.bridge.services import Services
from kaspad_taskd.bridge.sockets import Sockets

Json: TypeAlias = Any
T = TypeVar("T")
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Files: TypeAlias = Callable[[], Mapping[str, tuple[bytes, str]]]

CONNECTIONS: Final = 2048
"""Socket.IO connections at once."""
EVENTS: Final = 50
"""Events on a page."""
CHARTS: Final = 12
"""Tasks whose last hour is drawn on the page of all."""
MINUTES: Final = 61
"""Points of an hour that begins and ends within a minute."""
SPANS: Final = {"1h": 3_600_000, "6h": 21_600_000, "14d": 1_209_600_000}
"""Milliseconds of the charts' spans: the last is as long as half hours are kept."""
PACKED_FROM: Final = 1024
"""Bytes from which an answer is compressed."""
OPEN: Final = ("/healthz", "/session", "/socket.io/", "/static/", "/embed/", "/task/")
"""What needs no token on a public address: health, and what asks for it by itself."""
FILES: Final = ("/static/", "/embed/", "/socket.io/")

log = logging.getLogger(__name__)


class Page(Protocol):
    """Renders the pages."""

    def index(self, snapshot: Mapping[str, Json], query: Mapping[str, str]) -> str:
        """The page of all tasks; with `needsToken` the way to unlock alone."""

    def task(
        self, snapshot: Mapping[str, Json], task_id: str, query: Mapping[str, str]
    ) -> str | None:
        """The page of one task, None where there is none."""

    def missing(self, snapshot: Mapping[str, Json], query: Mapping[str, str]) -> str:
        """The page that says so."""


class Pages:
    """The handlers.

    Args:
        api: what is shown.
        access: who may.
        page: renders.
        files: what pages load.
        session: name of the session's cookie.
        snapshot: what a page knows besides the tasks.
        openrpc: the method that describes the API.
        families: makes the metrics.
        sockets: Socket.IO.

    Attributes:
        services: what pages show of them.
    """

    def __init__(
        self,
        api: Api,
        access: Access,
        page: Page,
        files: Files,
        *,
        session: str,
        snapshot: Callable[[], dict[str, Json]],
        openrpc: Method,
        families: Callable[[], Awaitable[Iterable[metrics.Family]]],
        sockets: Sockets,
    ) -> None:
        self._api = api
        self._access = access
        self._page = page
        self._load = files
        self._session = session
        self._known = snapshot
        self._openrpc = openrpc
        self._families = families
        self._sockets = sockets
        self._files: dict[str, _File] = {}
        self.services = Services(api)

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.on_response_prepare.append(self._headers)
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/task/{id}", self._task),
                web.get("/healthz", self._health),
                web.get("/openrpc.json", self._openrpc_description),
                web.get("/asyncapi.json", self._asyncapi_description),
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
            return _text(error.status, error.text or error.reason)
        except ConnectionError:
            raise
        except Exception:
            return _text(500, incident(f"{request.method} {request.path}", "the bridge").message)

    def _is_open(self, request: web.Request) -> bool:
        return request.path.startswith(OPEN) or request.path == "/"

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

    async def _index(self, request: web.Request) -> web.Response:
        snapshot = await self._snapshot(request)
        moving = [task["id"] for task in snapshot["tasks"] if task["health"] == "ok"][:CHARTS]
        snapshot["history"] = {each: await self._history(each, "1h", MINUTES) for each in moving}
        status, query = 401 if snapshot["needsToken"] else 200, dict(request.query)
        return await self._beside(lambda: _html(request, self._page.index(snapshot, query), status))

    async def _task(self, request: web.Request) -> web.Response:
        task_id, query = request.match_info["id"], dict(request.query)
        snapshot = await self._snapshot(request, task_id)
        if any(task["id"] == task_id for task in snapshot["tasks"]):
            points = await self._history(task_id, query.get("range", ""), 300)
            snapshot |= {"history": {task_id: points}, "taskEvents": snapshot["events"]}
            snapshot |= await past(self._api, task_id, query)
        text = await self._beside(lambda: self._page.task(snapshot, task_id, query))
        if text is None:
            return _html(request, self._page.missing(snapshot, query), 404)
        return _html(request, text, 401 if snapshot["needsToken"] else 200)

    async def _history(self, task_id: str, span: str, points: int) -> list[Json]:
        """Points of the last hours of a task; of its whole attempt with any other span.

        The last hours of one that has ended are those before its end.
        """
        task = self._api.task(task_id)
        now = self._api.engine.now()
        start, end = reach(task, now)
        if span in SPANS:
            start = max(start, end - 1 - SPANS[span])
        found = await self._api.engine.store.history(task.id, start, end)
        return told(task, found, (start, end), now, points)

    async def _snapshot(self, request: web.Request, task_id: str | None = None) -> dict[str, Json]:
        """What a page shows, all of one moment; without a token that is needed, nothing."""
        engine = self._api.engine
        may_change = await self._may_change(request)
        hidden = self._access.public and not may_change
        seq, shown = engine.seq, [] if hidden else engine.tasks()
        tasks = await self._api.shapes.listed(shown).pages()
        known = self._known()
        below = before(request.query.get("before"), seq + 1)
        events = [] if hidden else await engine.store.events(0, EVENTS, below, task_id)
        return {
            **known,
            "seq": seq,
            "canChange": may_change,
            "needsToken": hidden,
            "store": {"durable": engine.problem is None, "problem": engine.problem},
            "warnings": [] if hidden else list(map(warning_shape, engine.warnings.open())),
            "attentions": [] if hidden else list(map(standing_shape, engine.attentions.open())),
            "tasks": tasks,
            "events": [event_shape(each) for each in events],
            # the page of a task says what is switched, not what speaks against it
            "services": [] if hidden else await self.services.now(hints=task_id is None),
        }

    async def _file(self, request: web.Request) -> web.Response:
        if not self._files:
            self._files = {path: _File(*each) for path, each in self._load().items()}
        found = self._files.get(request.match_info["path"])
        if found is None:
            return _text(404, "There is no such file.")
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
            return _see_other("./?unlock=wait")
        if not right:
            if not form:
                raise Refused(401, WRONG)
            return _see_other("./?unlock=wrong")
        response = _see_other("./") if form else _json({"canChange": True})
        secure = request.headers.get("X-Forwarded-Proto", "") == "https"
        self._set_cookie(response, self._access.new_session(), SESSION_S, secure=secure)
        return response

    async def _lock(self, request: web.Request) -> web.Response:
        response = _json({"canChange": False})
        try:
            await self._access.end_session(self._session_of(request))
        except OSError as fault:
            log.error("a session that was ended is not on disk: %s", fault)
            said = f"This browser is locked, but a restart would not know: {fault.strerror}"
            response = _json({"canChange": False, "error": said}, 503)
        self._set_cookie(response, "", 0, secure=False)
        return response

    def _set_cookie(self, response: web.Response, value: str, age: int, *, secure: bool) -> None:
        # no Path: it is the one of the request, the proxy's prefix included
        parts = [f"{self._session}={value}", f"Max-Age={age}", "HttpOnly", "SameSite=Strict"]
        response.headers["Set-Cookie"] = "; ".join([*parts, *(["Secure"] if secure else [])])

    # -- for programs

    async def _health(self, _request: web.Request) -> web.Response:
        problem = self._api.engine.problem
        found = {"status": "ok" if problem is None else "not-durable", "problem": problem}
        return _json(found, 200 if problem is None else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        openmetrics = metrics.wants_openmetrics(request.headers.get("Accept", ""))
        headers = {"Content-Type": metrics.OPENMETRICS if openmetrics else metrics.PLAIN}
        if packed := _takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
        make = partial(metrics.body, await self._families(), openmetrics=openmetrics, packed=packed)
        return web.Response(body=await self._beside(make), headers=headers)

    async def _beside(self, make: Callable[[], T]) -> T:
        """Make something of what changes no more; beside the loop where there are many tasks."""
        many = len(self._api.engine.tasks()) > PAGE
        return await asyncio.to_thread(make) if many else make()

    async def _openrpc_description(self, _request: web.Request) -> web.Response:
        return _json(self._openrpc.handler(CALLER, {}))

    async def _asyncapi_description(self, request: web.Request) -> web.Response:
        host = request.headers.get("X-Forwarded-Host") or request.headers["Host"]
        return _json(asyncapi.describe(host))

    async def _socket_io(self, request: web.Request) -> web.StreamResponse:
        if "sid" not in request.query and self._sockets.connections >= CONNECTIONS:
            return _text(503, f"There are {CONNECTIONS} connections already.")
        return await self._sockets.handle_request(request)


class _File:
    """A file of the page, with its tag; packed once."""

    def __init__(self, data: bytes, kind: str) -> None:
        self._data = data
        self._packed = gzip.compress(data, mtime=0) if len(data) >= PACKED_FROM else None
        self._kind = kind
        self._tag = f'"{hashlib.sha256(data).hexdigest()[:24]}"'

    def response(self, request: web.Request) -> web.Response:
        headers = {"ETag": self._tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if self._tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = self._kind
        if self._packed is not None and _takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=self._packed, headers=headers)
        return web.Response(body=self._data, headers=headers)


def _takes_gzip(request: web.Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _html(request: web.Request, text: str, status: int = 200) -> web.Response:
    data = text.encode(errors="replace")
    headers = {"Content-Type": "text/html; charset=utf-8"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if len(data) >= PACKED_FROM and _takes_gzip(request):
        headers["Content-Encoding"] = "gzip"
        data = gzip.compress(data, compresslevel=5, mtime=0)
    return web.Response(body=data, status=status, headers=headers)


def _text(status: int, text: str) -> web.Response:
    return web.Response(text=f"{text}\n", status=status)


def _json(value: Json, status: int = 200) -> web.Response:
    body = jsontext.dumps(value)
    return web.Response(body=body, status=status, content_type="application/json")


def _see_other(where: str) -> web.Response:
    return web.Response(status=303, headers={"Location": where})


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
