"""The page of a fleet in a real browser, as the server makes it: 1 to 1,000 hosts, and the wall."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from kaspad_taskd.web.files import files
from kaspad_taskd.web.fleet import FleetPage
from tests.web.browser import Browser, chromium, looked_over, shot
from tests.web.fleets import snapshot
from tests.web.served import HTML, served
from tests.web.test_pictures import POLICY

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

READ_AT_4_M = 40
"""Pixels of the smallest letters: on a screen of 1.2 m and 1,920 pixels 15 mm high or more with
their ascenders, which is 12 minutes of arc at 4 m; 5 are what an eye that sees well can tell."""


def _still(text: str) -> str:
    """The page as it is with scripts, but unchanging: these have tests of their own."""
    text = re.sub(r'<script type="module".*?</script>|<link rel="modulepreload".*?>', "", text)
    return text.replace("<html ", '<html class="js" ', 1)


def _pages() -> dict[str, str]:
    page = FleetPage()
    made = {f"fleet-{count}": page.index(snapshot(count), {}) for count in (0, 1, 12, 300, 1000)}
    grouped = {f"fleet-{count}-by": page.index(snapshot(count), {"by": "site"}) for count in (12,)}
    walls = {f"wall-{count}": page.index(snapshot(count), {"wall": ""}) for count in (1, 12, 1000)}
    away = {"fleet-no-engine": page.index(snapshot(12, problem="unix:/s: see that it runs."), {})}
    locked = {"fleet-locked": page.locked(snapshot(0), {"unlock": "wrong"}, "./")}
    return {**made, **grouped, **walls, **away, **locked}


PAGES = {name: _still(text) for name, text in _pages().items()}


def _content(path: str) -> tuple[bytes, str]:
    return (PAGES[path].encode(), HTML) if path in PAGES else files()[path]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(_content, POLICY) as origin:
        yield f"{origin}/"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_whole_and_readable(name: str, address: str, browser: Browser) -> None:
    """Phone and desktop, light and dark: no fault found, no sideways scrolling, no message."""
    await looked_over(browser, address, name, whole=False)


SMALLEST = """
Math.min(...[...document.querySelectorAll("body *")]
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
    && one.checkVisibility() && one.getBoundingClientRect().width > 1
    && !one.matches("script, .unseen, .skip, .pages *"))
  .map((one) => parseFloat(getComputedStyle(one).fontSize)))
"""


@pytest.mark.parametrize("name", ["wall-1", "wall-12", "wall-1000"])
async def test_the_wall_is_read_at_4_m(name: str, address: str, browser: Browser) -> None:
    """No letter is smaller, and trouble stands on the screen without scrolling."""
    await browser.do("open", url=address + name, width=1920, height=1080)
    assert await browser.do("eval", code=SMALLEST) >= READ_AT_4_M
    await browser.do("shot", shot=shot(f"{name}-screen"))
    at = "[...document.querySelectorAll('[data-verdict=trouble]')]"
    assert await browser.do(
        "eval", code=f"{at}.every((one) => one.getBoundingClientRect().top < 900)"
    )
