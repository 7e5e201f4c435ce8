"""All browsers: who comes in, what they ask, who leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final, TypeAlias

from kaspad_taskd import words
from kaspad_taskd.api.context import answer_for
from kaspad_taskd.api.errors import INVALID_PARAMS, ApiError
from kaspad_taskd.api.incident import incident
from kaspad_taskd.api.listed import is_long, written
from kaspad_taskd.base.repeats import counted
from kaspad_taskd.base.sparing import Sparing
from kaspad_taskd.bridge import wizard
from kaspad_taskd.bridge.access import WRONG, Access
from kaspad_taskd.bridge.browser import Browser, task_error
from kaspad_taskd.bridge.outbox import Outbox
from kaspad_taskd.bridge.refused import Refused
from kaspad_taskd.bridge.sockets import Answer
from kaspad_taskd.bridge.topic import Topic
from kaspad_taskd.words.plain import safe

Json: TypeAlias = Any

IN_FLIGHT: Final = 64
"""Requests of one browser that are being answered at once."""
EVENT: Final = 60
"""Characters of a foreign event's name that are told."""
SLOT_S: Final = 5.0
"""Seconds that one more waits for a place; below the heartbeat's patience, which it holds up."""

_log = logging.getLogger(__name__)


def cookie(headers: Mapping[str, str], name: str) -> str | None:
    """Return the value of a request's cookie."""
    try:
        found = SimpleCookie(headers.get("Cookie", "")).get(name)
    except CookieError:
        return None
    return None if found is None else found.value


class _Asking:
    """Calls methods for one browser."""

    def __init__(self, topic: Topic, browser: Browser) -> None:
        self._topic = topic
        self._browser = browser

    @property
    def told(self) -> int:
        return self._topic.fanout.told_to(self._browser)

    def __call__(self, name: str, params: Json = None, /) -> Awaitable[Json]:
        return self._topic.calls.call(self._browser, name, params)


class Browsers:
    """The clients that are in, and their requests.

    Args:
        access: judges them.
        topic: what one is in that says this (`auth`); raises Refused.
        session: name of the session's cookie.
    """

    def __init__(
        self,
        access: Access,
        topic: Callable[[Mapping[str, Json]], Topic],
        session: str,
    ) -> None:
        self._access = access
        self._topic = topic
        self._session = session
        self._known: dict[str, Browser] = {}
        self._topics: dict[Browser, Topic] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._sparing = Sparing()

    def __len__(self) -> int:
        return len(self._known)

    # -- coming and going

    async def entering(
        self, sid: str, headers: Mapping[str, str], address: str, auth: Json
    ) -> None:
        """Let a client in, or raise Refused; where its address has tried before, later."""
        given = auth if isinstance(auth, dict) else {}
        may_change = await self._may_change(headers, address, given.get("token"))
        if self._access.public and not may_change():
            raise Refused(401, "This needs the access token.")
        browser = Browser(sid, address, may_change, given.get("since"))
        browser.journal = given.get("journal")
        browser.gathers = given.get("gather") is True
        browser.trusted = may_change()
        self._topics[browser] = self._topic(given)
        self._known[sid] = browser

    async def _may_change(
        self, headers: Mapping[str, str], address: str, token: Json
    ) -> Callable[[], bool]:
        session = cookie(headers, self._session)
        if token is not None:
            shown = token if isinstance(token, str) else ""
            if not await self._access.show_token(shown, address, session):
                raise Refused(401, WRONG)
            return self._as_now()
        if not self._access.is_session(session) and await self._access.bearer(headers, address):
            return self._as_now()
        return lambda: self._access.is_session(session)

    def _as_now(self) -> Callable[[], bool]:
        """A right that lasts as long as this token."""
        epoch = self._access.epoch
        return lambda: self._access.epoch == epoch

    def joined(self, sid: str, outbox: Outbox) -> None:
        """Tell a client that is in where it is, and what it missed."""
        browser = self._known[sid]
        browser.outbox = outbox
        joining = self._topics[browser].fanout.join(browser, lambda: self._said_hello(browser))
        browser.joining = asyncio.get_running_loop().create_task(joining)

    def _said_hello(self, browser: Browser) -> dict[str, Json]:
        topic = self._topics[browser]
        known = {"seq": topic.fanout.told_to(browser), **topic.hello()}
        return {"canChange": browser.may_change(), **known}

    def locked(self) -> list[str]:
        """Those that had the right to change something and have it no more."""
        known = self._known.items()
        return [sid for sid, each in known if each.trusted and not each.may_change()]

    def left(self, sid: str) -> None:
        """Forget a client, joined or not."""
        browser = self._known.pop(sid, None)
        if browser is not None:
            self._topics.pop(browser).fanout.leave(browser)
            browser.end()

    # -- requests

    async def asked(self, sid: str, name: str, args: list[Json], answer: Answer | None) -> None:
        """Begin a request; comes back when there is room for the next one."""
        browser = self._known[sid]
        await browser.room()
        if len(browser.requests) >= IN_FLIGHT:
            await asyncio.wait(
                browser.requests, timeout=SLOT_S, return_when=asyncio.FIRST_COMPLETED
            )
        if len(browser.requests) >= IN_FLIGHT:
            text = f"{IN_FLIGHT} requests wait for their answers already"
            self._refuse(browser, name, answer, ApiError.of("busy", text, limit=IN_FLIGHT))
            return
        task = asyncio.get_running_loop().create_task(self._serve(browser, name, args, answer))
        browser.requests[task] = self._changes(browser, name, args)
        self._asking.add(task)
        task.add_done_callback(lambda done: self._served(browser, done))

    def _changes(self, browser: Browser, name: str, args: list[Json]) -> bool:
        if name == wizard.RPC:
            given, calls = args[0] if args else None, self._topics[browser].calls
            return isinstance(given, dict) and calls.changes(given.get("method"))
        known = wizard.REQUESTS.get(name)
        return known is not None and known.changes

    def _served(self, browser: Browser, task: asyncio.Task[None]) -> None:
        browser.requests.pop(task, None)
        self._asking.discard(task)

    async def _serve(
        self, browser: Browser, name: str, args: list[Json], answer: Answer | None
    ) -> None:
        try:
            result, told = await self._result(browser, name, args)
            if is_long(result):
                await self._list(browser, name, args, answer)
                return
        except ApiError as error:
            self._refuse(browser, name, answer, error, args)
            return
        except Exception as fault:
            self._refuse(
                browser, name, answer, answer_for(fault) or incident(name, "the bridge"), args
            )
            return
        await browser.room()
        if told is not None:
            browser.tell(told, result)
        if answer is not None:
            answer(result)

    async def _list(
        self, browser: Browser, name: str, args: list[Json], answer: Answer | None
    ) -> None:
        """Answer with a long list, when it is its turn; what is told meanwhile follows it."""
        async with browser.listing:
            await browser.room()
            result, told = await self._result(browser, name, args)
            outbox, kept = browser.outbox, []
            outbox.hold()
            try:
                text = await written(result)
                kept = outbox.let_go()
                if told is not None:
                    browser.tell(told, text)
                if answer is not None:
                    answer(text)
            finally:
                outbox.answer_all([*kept, *outbox.let_go()])

    async def _result(
        self, browser: Browser, name: str, args: list[Json]
    ) -> tuple[Json, str | None]:
        if name == wizard.RPC:
            return {"result": await self._rpc(browser, args)}, None
        if name == wizard.EVENTS_SINCE:
            given = wizard.payload(name, args, bare=False)
            since, journal = given.get("seq"), given.get("journal")
            fanout = self._topics[browser].fanout
            return await fanout.catch_up(browser, since, journal), None
        request = wizard.REQUESTS.get(name)
        if request is None:
            raise self._foreign(name)
        given = wizard.payload(name, args, bare=request.bare)
        asking = _Asking(self._topics[browser], browser)
        return await request.handle(asking, given), request.answer

    def _foreign(self, name: str) -> ApiError:
        """A wizard's page with one socket means its own server: nobody would hear of it."""
        event = safe(name, EVENT)
        kept = self._sparing.may("foreign")
        if kept is not None:
            said = words.say("answer.foreign-event-log", event=event)
            _log.warning("%s", counted(said, kept))
        data = {"reason": "invalid-params", "parameter": "event"}
        return ApiError(INVALID_PARAMS, words.say("answer.foreign-event", event=event), data)

    async def _rpc(self, browser: Browser, args: list[Json]) -> Json:
        given = wizard.payload(wizard.RPC, args, bare=False)
        calls = self._topics[browser].calls
        return await calls.call(browser, given.get("method"), given.get("params"))

    def _refuse(
        self,
        browser: Browser,
        name: str,
        answer: Answer | None,
        error: ApiError,
        args: list[Json] | None = None,
    ) -> None:
        if name == wizard.RPC and answer is not None:
            answer({"error": {"code": error.code, "message": error.message, "data": error.data}})
            return
        given = args[0] if args else None
        task_id = given.get("taskId") if isinstance(given, dict) else None
        said = task_error(error, name[:100], task_id)
        browser.tell(wizard.TASK_ERROR, said)
        if answer is not None:
            answer(said)

    # -- the end

    async def finish(self, deadline: float) -> None:
        """Wait for answers under way, `deadline` seconds at most; the rest is let go."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=deadline)
        for browser in self._known.values():
            browser.end()
        for task in self._asking:
            task.cancel()
