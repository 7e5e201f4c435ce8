"""Every state in a real browser, as the server makes it: whole, readable, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from kaspad_taskd.web.files import files
from kaspad_taskd.web.page import Page
from tests.fakes.switches import BORSH, CHECKPOINT, failed, no, on, service, switch, undone
from tests.web.browser import Browser, chromium, looked_over, shot
from tests.web.served import HTML, served
from tests.web.snapshots import ACTIONS, points, snapshot, tasks
from tests.web.states import STATES

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

NODE = "node-sync-kaspa-node"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)


READY = {
    **{key: value for key, value in STATES["switching"].items() if key != "switching"},
    "actions": ["retry"],
}
SEEN = {"stateAt": "2026-11-23T14:12:09.000Z", "state": "failed"}
DOWN = {
    "code": "down", "params": {}, "since": "2026-11-23T14:01:00.000Z",
    "note": "kasia-indexer.service does not run: it ended with exit-code.",
    "cure": "journalctl -u kasia-indexer.service -n 50; then by hand: "
    "sudo systemctl restart kasia-indexer.service",
}  # fmt: skip
PROOF = {
    "kind": "connections", "count": 3, "address": "127.0.0.1:17110",
    "since": "2026-11-23T13:39:00.000Z", "at": "2026-11-23T14:12:09.000Z",
}  # fmt: skip
SERVICES: dict[str, dict[str, Any]] = {
    "services-idle": {
        "services": [
            service(switch(4, ago=90_000_000)),
            service(name="k-indexer", hints=(BORSH, CHECKPOINT)),
            service(name="simply-kaspa-indexer", compose=True),
        ]
    },
    "switching-step-3": {
        "tasks": [READY],
        "services": [service(switch(2, by_node=True, ago=5000)), service(name="k-indexer")],
    },
    "switching-back": {"services": [service(on(no(switch(3, ago=130_000))))]},
    "switch-undone": {"services": [service(undone())]},
    "switch-and-undo-failed": {"services": [service(failed())]},
    "services-down": {
        "tasks": [READY],
        "attentions": [{**DOWN, "service": "kasia-indexer"}],
        "services": [
            {**service(switch(4)), **SEEN, "attention": DOWN},
            {
                **service(switch(4), name="k-indexer"),
                **SEEN,
                "state": "running",
                "verified": True,
                "proof": PROOF,
            },
            {**service(name="simply-kaspa-indexer"), **SEEN, "state": "running", "held": True},
        ],
    },
    "services-read-only": {"services": [service(undone())], "canChange": False},
}
"""What a page is made of where services are declared, by its name."""


def _pages() -> dict[str, str]:
    """HTML by path: each state alone, and what only shows with many, few or no tasks."""
    page = Page()
    ready = {name: {**task, "actions": ACTIONS[task["status"]]} for name, task in STATES.items()}
    made = {name: page.index(snapshot(tasks=[task]), {}) for name, task in ready.items()}
    return {
        **made,
        "five": page.index(snapshot(), {}),
        "fifty": page.index(snapshot(tasks=tasks(50)), {}),
        "thousand": page.index(snapshot(tasks=tasks(1000)), {}),
        "empty": page.index(snapshot(tasks=[], events=[]), {}),
        "locked": page.index(snapshot(tasks=[], events=[], needsToken=True), {"unlock": "wrong"}),
        "read-only": page.index(snapshot(canChange=False), {}),
        **{name: page.index(snapshot(**more), {}) for name, more in SERVICES.items()},
        "missing": page.missing(snapshot(), {}).replace("../", "./"),
        **{f"task-{span}": _chart(page, span, minutes) for span, minutes in SPANS.items()},
    }


SPANS = {"1h": 60, "6h": 150, "all": 190}


def _chart(page: Page, span: str, minutes: int) -> str:
    shown = snapshot(history={NODE: points()[-minutes:]})
    return (page.task(shown, NODE, {"range": span}) or "").replace("../", "./")


def _still(text: str) -> str:
    """The page as it is with scripts, but unchanging: these have tests of their own."""
    text = re.sub(r'<script type="module".*?</script>|<link rel="modulepreload".*?>', "", text)
    return text.replace("<html ", '<html class="js" ', 1)


PAGES = {name: _still(text) for name, text in _pages().items()} | {
    "no-js": Page().index(snapshot(), {})
}

EMBEDDED = """<!doctype html><html lang="en"><title>A wizard</title>
<meta name="viewport" content="width=device-width">
<script type="module" src="embed/kaspad-taskd.js"></script>
<main><h1>A wizard</h1><kaspad-task service="kaspa-node" bridge="ws://127.0.0.1:9"></kaspad-task>
</main></html>"""
"""A wizard's page whose daemon does not run."""


def _content(path: str) -> tuple[bytes, str]:
    text = PAGES.get(path) or (EMBEDDED if path == "embedded" else None)
    return (text.encode(), HTML) if text else files()[path]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the pages are."""
    with served(_content, POLICY) as origin:
        yield f"{origin}/"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all."""
    async with chromium() as running:
        yield running


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_whole_and_readable(name: str, address: str, browser: Browser) -> None:
    """Phone and desktop, light and dark: no fault found, no sideways scrolling, no message."""
    axe = () if name in ("thousand", "no-js") else ("phone",)
    whole = name not in ("fifty", "thousand")
    await looked_over(browser, address, name, axe, scripts=name != "no-js", whole=whole)


@pytest.mark.parametrize(
    "name", ["five", "task-all", "hostile", "locked", "fifty", "services-idle", "switch-undone"]
)
async def test_a_page_is_whole_at_320(name: str, address: str, browser: Browser) -> None:
    """A small phone, or 400 % zoom on a desktop."""
    picture = shot(f"{name}-zoom-400")
    seen = await browser.do("look", url=address + name, width=320, height=640, shot=picture)
    assert seen["wide"] <= 0
    assert seen["found"] == []


async def test_a_component_without_a_daemon_says_so(address: str, browser: Browser) -> None:
    """After 5 s, with the command that starts it."""
    await browser.do("open", url=address + "embedded")
    text = "document.querySelector('kaspad-task').shadowRoot.textContent"
    await browser.do("wait", code=f"{text}.includes('kaspad-taskd does not answer.')")
    assert await browser.do("eval", code=f"{text}.includes('sudo systemctl start kaspad-taskd')")
    await browser.do("shot", shot=shot("embed-no-daemon"))
    assert await browser.do("judge") == []


async def test_nothing_moves_for_who_wants_no_motion(address: str, browser: Browser) -> None:
    """The bar moves for others."""
    code = "getComputedStyle(document.querySelector('.bar rect')).transitionDuration"
    for reduced in (True, False):
        await browser.do("open", url=address + "five", reduced=reduced)
        assert (await browser.do("eval", code=code) == "0s") is reduced
        if reduced:
            await browser.do("shot", shot=shot("reduced-motion"))


async def test_bars_are_there_in_forced_colours(address: str, browser: Browser) -> None:
    """With the system's own colours nothing vanishes (the picture shows it)."""
    seen = await browser.do("look", url=address + "five", forced=True, shot=shot("forced-colors"))
    assert seen["wide"] <= 0


async def test_the_time_left_is_above_the_fold(address: str, browser: Browser) -> None:
    """What the owner asks is seen without scrolling: on a phone within 530 px."""
    await browser.do("open", url=address + "syncing", width=390, height=844)
    code = "document.querySelector('[data-t=ready]').getBoundingClientRect().bottom"
    assert await browser.do("eval", code=code) <= 530


MOVED = """
Promise.all(["draw", "view"].map((name) => import(`./NAME/${name}.js`))).then((found) => {
  const [{ drawTask }, { view }] = found, card = document.querySelector(".card");
  const known = JSON.parse(document.getElementById("data").textContent).tasks;
  const task = known.find(({ id }) => id === card.dataset.id), bar = card.querySelector(".bar");
  return [40, 40.4, 60, 60.1].map((progress) => {
    drawTask(card, view({ ...task, phases: [], progress }, 0), 0, true);
    return getComputedStyle(bar.querySelector("rect")).transitionDuration === "0s";
  });
})
"""


async def test_a_bar_moves_where_that_can_be_seen(address: str, browser: Browser) -> None:
    """What moves by less than a percent is put there: an animation draws the page for 200 ms."""
    await browser.do("open", url=address + "five")
    stands = await browser.do("eval", code=MOVED.replace("NAME", "static"))
    assert stands[1:] == [True, False, True]
