"""docs/clients.md, typed: clients that public generators make of both descriptions; real answers.

Nothing of theirs is kept: packages go into a cache, what they make into the test's own folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.bridged import free_port, listening
from tests.fakes.node_packages import Missing, install
from tests.fakes.taskd_process import Taskd

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "examples" / "clients"
PATIENCE = 300
LANGUAGES = {"TypeScript": "ts", "Python": "py", "Go": "go"}
pytestmark = [pytest.mark.system, pytest.mark.timeout(2 * PATIENCE)]


def blocks() -> dict[str, list[str]]:
    """What is typed, under each heading."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^#+ ", (DOCS / "clients.md").read_text(), flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0]
        found[heading] = re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    return found


@dataclass
class Desk:
    """A folder with the examples, the generators and both descriptions of a daemon that runs."""

    folder: Path
    env: dict[str, str]

    def type(self, block: str) -> str:
        """Type a block; returns what is said, as its commands say it."""
        outcome = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=self.folder, env=self.env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert outcome.returncode == 0, outcome.stdout[-3000:] + outcome.stderr[-3000:]
        return outcome.stdout


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    packages = json.loads((EXAMPLES / "package.json").read_text())["dependencies"]
    try:
        modules = await asyncio.to_thread(install, "clients", packages)
    except Missing as why:
        pytest.skip(str(why))
    folder = tmp_path / "clients"
    shutil.copytree(EXAMPLES, folder)
    (folder / "node_modules").symlink_to(modules / "node_modules")
    port = free_port()
    async with Taskd(tmp_path / "d", "--bridge", f"127.0.0.1:{port}") as taskd:
        await taskd.start()
        assert await listening(port)
        token = (taskd.state / "bridge.token").read_text().strip()
        own = {"TASKD": f"http://127.0.0.1:{port}", "SOCKET": str(taskd.socket), "TOKEN": token}
        made = Desk(folder, {**os.environ, **own, "GOPROXY": "off"})
        await asyncio.to_thread(
            made.type, "\n".join(blocks()["A client made from the description"][1:2])
        )
        yield made


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_client_of_each_description(desk: Desk, language: str) -> None:
    """Generated, compiled, and used for one call and one event over each door."""
    short = LANGUAGES[language]
    if language == "Go" and shutil.which("go") is None:
        pytest.skip("go is not installed: apt install golang-go")
    (block,) = blocks()[language]
    said = (await asyncio.to_thread(desk.type, block)).splitlines()
    for door in ("socket", "bridge"):
        expected = f"report-{short}-over-the-{door} in-progress sync:start 1"
        assert expected in said
    # Modelina calls what has no title AnonymousSchema_1 and so on.
    made = [
        each.name for place in ("models", "go/models") for each in desk.folder.glob(f"{place}/*")
    ]
    assert (short == "py") == (not made)
    assert [name for name in made if "anonymous" in name.lower()] == []


def test_the_packages_are_pinned() -> None:
    """Each by its exact version, and `npm install` is what brings them."""
    packages = json.loads((EXAMPLES / "package.json").read_text())["dependencies"]
    wanted = (EXAMPLES / "python" / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in packages.values())
    assert all(re.fullmatch(r"[a-z-]+==[\d.]+(post\d+)?", line) for line in wanted)
    assert blocks()["A client made from the description"][2] == "npm install --ignore-scripts\n"
