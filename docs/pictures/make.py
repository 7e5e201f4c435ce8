"""Makes the pictures of README, and the words in it that say what is seen on them.

    .venv/bin/python -m docs.pictures.make        in a checkout; it takes about five minutes

A daemon with the demo's node and some neighbours (docs/pictures/house.py) is seen in a real
Chromium (page.py), whose pictures are PNG, and in a real terminal (terminal.py), whose text becomes
an SVG (svg.py): each light and dark, of the same moment. Make them anew when the page or the
terminal look different. Needs .venv with the tools of development (`./dev check` makes it), the
port 8500, and of Debian:

    apt install chromium nodejs npm tmux pngquant fontconfig fonts-inter

Inter stands in for `system-ui`, so that the page looks the same whoever makes its picture.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from html import escape
from pathlib import Path
from textwrap import fill

import pytest

from docs.pictures import page, terminal
from docs.pictures.house import house
from docs.pictures.svg import THEMES, svg
from tests.fakes import npm
from tests.web.browser import chromium

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
BLOCK = re.compile(r"(?<=<!-- pictures -->\n).*?(?=<!-- end of pictures -->)", re.DOTALL)
COLORS = 32
"""Of a PNG: the page has few, and the edges of its letters some more."""
PROGRAMS = {"node": "nodejs", "npm": "npm", "tmux": "tmux", "pngquant": "pngquant",
            "fc-list": "fontconfig"}  # fmt: skip
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<include>/etc/fonts/fonts.conf</include>
<alias binding="strong"><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
</fontconfig>
"""


def missing() -> list[str]:
    """Return the packages of Debian that are needed and not there."""
    packages = [] if npm.CHROMIUM.exists() else ["chromium"]
    packages += [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    return packages if _has_inter() else [*packages, "fonts-inter"]


def _has_inter() -> bool:
    if shutil.which("fc-list") is None:
        return False
    listed = subprocess.run(["fc-list", "Inter"], capture_output=True, check=True)
    return bool(listed.stdout.strip())


async def make(place: Path) -> None:
    """Make all of it, with `place` for what is needed meanwhile.

    Raises:
        OSError, TimeoutError: it cannot be made, and why.
    """
    async with chromium() as browser, house(place) as built:
        await built.ready()
        files, on_page = await page.taken(browser, f"{built.page}/", place)
        lines = await asyncio.to_thread(terminal.typed, built.socket, place)
        in_terminal = terminal.told(await built.tasks(), time.time())
    for file in files.values():
        _quantise(file, HERE / file.name)
    for theme in THEMES:
        text = svg(lines, theme, terminal.TITLE, in_terminal)
        (HERE / f"terminal-{theme}.svg").write_text(text)
    README.write_text(with_pictures(README.read_text(), in_terminal, on_page))


def _quantise(source: Path, target: Path) -> None:
    command = ["pngquant", "--speed", "1", "--strip", "--nofs", str(COLORS)]
    subprocess.run([*command, "--force", "--output", target, source], check=True)


def with_pictures(readme: str, in_terminal: str, on_page: str) -> str:
    """Return README with its pictures and the words for those who do not see them."""
    shown = (_picture("terminal", "svg", in_terminal), _picture("page", "png", on_page))
    return BLOCK.sub(lambda _: "\n".join(shown), readme)


def _picture(name: str, kind: str, alt: str) -> str:
    place = f"docs/pictures/{name}"
    said = fill(f'alt="{escape(alt)}">', 100, break_long_words=False, break_on_hyphens=False)
    return f"""\
<p><picture>
<source media="(prefers-color-scheme: dark)" srcset="{place}-dark.{kind}">
<img src="{place}-light.{kind}" width="{page.WIDTH}"
{said}
</picture></p>
"""


def main() -> None:
    """Make them, or say what is missing."""
    if packages := missing():
        sys.exit(f"the pictures need more of Debian: apt install {' '.join(packages)}")
    os.environ["TZ"] = "UTC"
    time.tzset()
    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
        place = Path(scratch)
        os.environ["FONTCONFIG_FILE"] = str(place / "fonts.conf")
        (place / "fonts.conf").write_text(FONTS)
        try:
            asyncio.run(make(place))
        except (OSError, TimeoutError, pytest.skip.Exception) as error:
            sys.exit(f"the pictures cannot be made: {error}")


if __name__ == "__main__":
    main()
