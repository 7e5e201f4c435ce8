"""The bridge over HTTP: pages, files, session, health; opening and closing it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.base.clock import parse_iso
from kaspad_taskd.config.settings import Address, Bridge
from tests.bridge.house import Bridged, bridged, until
from tests.fakes.patience import PATIENCE
from tests.fakes.stopwatch import Stopwatch
from tests.fakes.taskd_process import AT_ONCE


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Bridged]:
    async with bridged(tmp_path) as built:
        yield built


@pytest.fixture
async def public(tmp_path: Path) -> AsyncIterator[Bridged]:
    """A bridge that others can reach."""
    async with bridged(tmp_path, Bridge(Address("0.0.0.0", 0))) as built:
        yield built


def shown(text: str) -> Any:
    return json.loads(text.removeprefix("<!doctype html>"))


async def test_the_page_is_made_from_one_snapshot(house: Bridged) -> None:
    """With all that a page says."""
    await house.add("job")
    status, text = await house.get("/?filter=all")
    page = shown(text)
    assert status == 200
    assert page["query"] == {"filter": "all"}
    snapshot = page["snapshot"]
    assert snapshot.keys() >= {
        "seq", "serverTime", "host", "version", "canChange", "needsToken", "store", "tasks",
        "events", "services", "tokenFile", "history",
    }  # fmt: skip
    assert [each["id"] for each in snapshot["tasks"]] == ["job"]
    assert [each["seq"] for each in snapshot["events"]] == [1, 2]
    assert snapshot["seq"] == 2
    assert (snapshot["canChange"], snapshot["needsToken"]) == (False, False)
    assert snapshot["tokenFile"] == str(house.opened.token_file)
    assert house.token not in text


async def test_the_newest_fifty_events_are_on_the_page(house: Bridged) -> None:
    """The newest last."""
    await house.add("job")
    for _ in range(30):
        await house.house.ask("pauseTask", taskId="job")
        await house.house.ask("resumeTask", taskId="job")
    events = shown((await house.get("/"))[1])["snapshot"]["events"]
    assert [each["seq"] for each in events] == list(range(13, 63))


async def test_a_task_has_its_page_and_no_task_has_none(house: Bridged) -> None:
    """404 with words."""
    await house.add("job")
    assert shown((await house.get("/task/job"))[1])["id"] == "job"
    status, text = await house.get("/task/nobody")
    assert status == 404
    assert "no such task" in text


async def test_pages_come_with_a_strict_policy(house: Bridged) -> None:
    """Nothing from elsewhere, no inline script, not framed by others, not cached."""
    async with house.http.get(house.base) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "aiohttp" not in answer.headers["Server"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert f"ws://127.0.0.1:{house.opened.address.port}" in policy
    assert policy.endswith("frame-ancestors 'self'")


@pytest.mark.parametrize("span", ["1h", "6h", "14d", "all"])
async def test_the_history_of_what_has_ended_ends_with_it(
    house: Bridged, monkeypatch: pytest.MonkeyPatch, span: str
) -> None:
    """Its last hours are those before its end, days ago as that may be."""
    await house.add("job")
    await house.house.ask("completeTask", taskId="job")
    engine = house.house.engine
    now = engine.now() + 10 * 86_400_000
    monkeypatch.setattr(engine, "now", lambda: now)
    task = shown((await house.get(f"/task/job?range={span}"))[1])
    assert (task["history"][-1]["at"], task["history"][-1]["progress"]) == (
        task["completedAt"],
        100,
    )
    assert len(task["history"]) in (1, 2)


async def test_the_hour_of_a_card_is_a_point_a_minute(
    house: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour touches 61 minutes; they are not put together by twos."""
    await house.add("job")
    await house.house.ask("reportTask", taskId="job", progress=10)
    engine = house.house.engine
    now = engine.now() + 2 * 3_600_000
    monkeypatch.setattr(engine, "now", lambda: now)
    points = shown((await house.get("/"))[1])["snapshot"]["history"]["job"]
    times = [parse_iso(point["at"]) for point in points]
    assert {later - earlier for earlier, later in pairwise(times)} == {60_000}
    assert len(times) >= 60


async def test_fourteen_days_are_a_range(house: Bridged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a task that is as old as a month; half hours, or a few of them a point."""
    await house.add("job")
    engine = house.house.engine
    now = engine.now() + 30 * 86_400_000
    monkeypatch.setattr(engine, "now", lambda: now)
    points = shown((await house.get("/task/job?range=14d"))[1])["history"]
    assert 200 < len(points) <= 300
    first = parse_iso(points[0]["at"])
    assert 0 <= now - first - 14 * 86_400_000 < 3 * 1_800_000


async def test_files_have_a_tag_and_are_packed(house: Bridged) -> None:
    """The second time nothing is sent."""
    async with house.http.get(f"{house.base}/static/app.js") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.content_type == "text/javascript"
        assert await answer.read() == b"// app\n" * 400
        tag = {"If-None-Match": answer.headers["ETag"]}
    async with house.http.get(f"{house.base}/static/app.js", headers=tag) as answer:
        assert answer.status == 304
    for path in ("/static/none.js", "/static/../bridge.token", "/embed/%2e%2e/x", "/static/"):
        assert (await house.get(path))[0] == 404


async def test_health_says_whether_things_are_saved(
    house: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200, or 503 with why."""
    status, text = await house.get("/healthz")
    assert (status, json.loads(text)) == (200, {"status": "ok", "problem": None})
    monkeypatch.setattr(house.house.engine, "problem", "the disk is full")
    status, text = await house.get("/healthz")
    assert (status, json.loads(text)["problem"]) == (503, "the disk is full")


async def test_the_api_describes_itself(house: Bridged) -> None:
    """The same as `rpc.discover`."""
    status, text = await house.get("/openrpc.json")
    assert status == 200
    assert json.loads(text) == await house.house.ask("rpc.discover")


async def test_a_browser_gives_the_token_once(house: Bridged) -> None:
    """For a cookie that no script can read, until it is locked again."""
    url = f"{house.base}/session"
    async with house.http.post(url, json={"token": house.token}) as answer:
        cookie = answer.headers["Set-Cookie"]
        assert await answer.json() == {"canChange": True}
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path" not in cookie
    assert house.token not in cookie
    assert shown((await house.get("/"))[1])["snapshot"]["canChange"] is True
    stolen = {"Cookie": cookie.split(";")[0]}
    async with house.http.delete(url) as answer:
        assert await answer.json() == {"canChange": False}
    assert shown((await house.get("/", **stolen))[1])["snapshot"]["canChange"] is False


async def test_behind_tls_the_cookie_stays_on_tls(house: Bridged) -> None:
    """As the proxy says."""
    given = {"token": house.token}
    headers = {"X-Forwarded-Proto": "https"}
    async with house.http.post(f"{house.base}/session", json=given, headers=headers) as answer:
        assert "Secure" in answer.headers["Set-Cookie"]


async def test_a_form_without_javascript_unlocks_too(house: Bridged) -> None:
    """It comes back to the page beside `session`, under any prefix, and says how it went."""
    for token, where in ((house.token, "./"), ("wrong", "./?unlock=wrong")):
        async with house.http.post(
            f"{house.base}/session", data={"token": token}, allow_redirects=False
        ) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, where)


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"token":7}', "{", '{"token":null}'])
async def test_a_body_without_a_token_is_said(house: Bridged, body: str) -> None:
    """With what it should be."""
    headers = {"Content-Type": "application/json"}
    async with house.http.post(f"{house.base}/session", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert "token" in (await answer.json())["error"]


async def test_a_body_that_is_too_long_is_refused(house: Bridged) -> None:
    """No token is so long."""
    async with house.http.post(f"{house.base}/session", json={"token": "x" * 200_000}) as answer:
        assert answer.status == 413


async def test_a_foreign_page_gets_nothing(house: Bridged) -> None:
    """Whatever it asks for."""
    await house.add("job")
    for path in ("/", "/task/job", "/healthz", "/openrpc.json", "/metrics", "/static/app.js"):
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            status, text = await house.get(path, **headers)
            assert (status, "job" in text) == (403, False)


async def test_a_person_who_is_not_let_in_reads_which_setting_is_missing(house: Bridged) -> None:
    """A page that whoever is around it may show; a program gets the line by itself."""
    framed = {
        "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Referer": "https://w.example/",
    }  # fmt: skip
    for headers, setting in (
        ({"Host": "wizard.lan:3080"}, 'hosts = ["wizard.lan"]'),
        (framed, 'origins = ["https://w.example"]'),
    ):
        wants = {"Accept": "text/html,*/*;q=0.8"}
        async with house.http.get(f"{house.base}/", headers={**headers, **wants}) as answer:
            text = unescape(await answer.text())
            assert (answer.status, answer.content_type) == (403, "text/html")
            assert "frame-ancestors" not in answer.headers["Content-Security-Policy"]
            assert "It runs, but does not let this page in: " + setting in text
        async with house.http.get(f"{house.base}/", headers=headers) as answer:
            assert (await answer.json())["setting"] == setting
    foreign = {"Origin": "https://w.example"}
    async with house.http.post(f"{house.base}/healthz", headers=foreign) as answer:
        assert (answer.status, (await answer.json())["setting"]) == (403, setting)


async def test_a_page_of_the_settings_may_load_the_components(tmp_path: Path) -> None:
    """As a module from another origin, which needs our word for it."""
    origin = "https://wizard.example"
    async with bridged(tmp_path, Bridge(Address("127.0.0.1", 0), origins=(origin,))) as house:
        url = f"{house.base}/embed/x.d.ts"
        async with house.http.get(url, headers={"Origin": origin}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == origin
        async with house.http.get(house.base) as answer:
            assert origin in answer.headers["Content-Security-Policy"]
        assert (await (await house.visit(headers={"Origin": origin})).event("hello"))["canChange"]


async def test_on_a_public_address_all_but_health_needs_the_token(public: Bridged) -> None:
    """The page is the way to unlock, and shows nothing else."""
    await public.add("job")
    for path in ("/task/job", "/metrics", "/openrpc.json"):
        status, text = await public.get(path)
        assert (status, "job" in text) == (401, False)
    assert (await public.get("/healthz"))[0] == 200
    status, text = await public.get("/")
    snapshot = shown(text)["snapshot"]
    assert (status, snapshot["needsToken"]) == (401, True)
    assert (snapshot["tasks"], snapshot["events"]) == ([], [])
    bearer = {"Authorization": f"Bearer {public.token}"}
    assert shown((await public.get("/task/job", **bearer))[1])["id"] == "job"
    status, _ = await public.get("/task/job", Authorization="Bearer wrong")
    assert status == 401
    async with public.http.post(f"{public.base}/session", json={"token": public.token}):
        pass
    assert (await public.get("/task/job"))[0] == 200


async def test_a_page_that_crashes_is_an_incident(
    house: Bridged, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The number is on the page, the traceback in the log."""

    def crash(*_: Any) -> str:
        raise RuntimeError("a secret")

    monkeypatch.setattr(house.site.page, "index", crash)
    status, text = await house.get("/")
    assert status == 500
    assert "incident" in text
    assert "a secret" not in text
    assert "a secret" in caplog.text


async def test_a_stop_says_goodbye_and_takes_no_second(house: Bridged) -> None:
    """With clients of every kind connected, and one that waits for an answer."""
    await house.add("job")
    visitors = [await house.visit() for _ in range(5)]
    for visitor in visitors:
        await visitor.event("hello")
    await visitors[0].emit("rpc", {"method": "waitTask", "params": {"taskId": "job"}})
    url = f"{house.base}/socket.io/?EIO=4&transport=polling"
    async with house.http.get(url) as answer:
        sid = json.loads((await answer.text())[1:])["sid"]
    polling = asyncio.create_task(house.http.get(f"{url}&sid={sid}"))
    await until(lambda: house.server.sockets.eio.sockets[sid].queue._getters)
    with Stopwatch() as watch:
        await house.server.stop("signal")
    assert watch.took < AT_ONCE
    for visitor in visitors:
        assert await visitor.event("server:stopping") == {"reason": "signal"}
        await visitor.ended()
    await asyncio.wait([polling], timeout=PATIENCE)
    assert polling.done()
    if polling.exception() is None:
        polling.result().close()
