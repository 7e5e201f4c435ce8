"""The page in a real browser, light and dark at the same moment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.web.browser import LIVE, Browser

WIDTH, WINDOW, CARDS = 720, 880, 3
"""Of the picture, its pixels at 1x; of the browser's window; how many cards are on the picture."""
SCALE = 2 * WIDTH / WINDOW
"""The picture has all pixels that are there at 2x."""
BELOW = 10
"""Of the window, what is below the last card."""
TRIES = 50
"""So often at most is a moment looked for that is the same in both pictures."""

SEEN = """(() => {
  const cards = [...document.querySelectorAll(".cards .card")].slice(0, COUNT);
  const says = (card, name) => card.querySelector(`[data-t=${name}]`)?.textContent ?? "";
  return {
    headline: document.querySelector("h1").textContent,
    attention: document.querySelector(".attention").textContent,
    cards: cards.map((card) => ({
      name: card.querySelector("h2").textContent,
      state: says(card, "state"),
      spoken: card.querySelector(".bar").getAttribute("aria-valuetext"),
      ready: says(card, "ready"),
      banner: says(card, "banner"),
      cures: [...card.querySelectorAll(".cures li")].map((cure) => cure.textContent).join(" "),
      note: says(card, "note"),
    })),
    end: cards.at(-1).getBoundingClientRect().bottom + scrollY,
    text: document.body.innerText,
  };
})()""".replace("COUNT", str(CARDS))


async def taken(browser: Browser, url: str, place: Path) -> tuple[Mapping[str, Path], str]:
    """Return the page's pictures by theme, as files under `place`, and what is seen on them.

    Raises:
        TimeoutError: no moment was the same in both.
    """
    files = {theme: place / f"page-{theme}.png" for theme in ("light", "dark")}
    window = {"width": WINDOW, "height": 900, "scale": SCALE}
    await browser.do("open", url=url, **window, timezone="UTC", reduced=True)
    await browser.do("wait", code=LIVE)
    for _ in range(TRIES):
        before = await browser.do("eval", code=SEEN)
        for theme, file in files.items():
            await _shoot(browser, file, theme == "dark", math.ceil(before["end"]) + BELOW)
        if await browser.do("eval", code=SEEN) == before:
            return files, told(before)
    raise TimeoutError(f"the page did not stand still for two pictures in {TRIES} tries")


async def _shoot(browser: Browser, file: Path, dark: bool, height: int) -> None:
    clip = {"x": 0, "y": 0, "width": WINDOW, "height": height}
    await browser.do("shot", shot=str(file), dark=dark, clip=clip)


def told(seen: Mapping[str, Any]) -> str:
    """Return what is seen there, for those who do not see it."""
    parts = ["The page in a browser", seen["headline"], seen["attention"]]
    return " ".join(_stop(part) for part in [*parts, *map(_card, seen["cards"])] if part)


def _card(card: Mapping[str, str]) -> str:
    """Name and state; the numbers, if there are any, as a screen reader says them; the rest."""
    spoken = card["spoken"].replace(", About", ", about")
    numbers = ", ".join(filter(None, ["" if spoken == card["state"] else spoken, card["ready"]]))
    parts = [
        f"{card['name']}: {card['state']}",
        numbers,
        card["banner"],
        card["cures"],
        card["note"],
    ]
    return " ".join(_stop(part) for part in parts if part)


def _stop(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
