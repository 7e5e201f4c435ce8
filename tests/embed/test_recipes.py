"""The recipes of docs/wizard.md, run as they stand there: only places and ports are put in."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from kaspad_taskd.web.embed.src import bundle
from tests.embed.test_wizard import EXAMPLE, status_of
from tests.fakes import npm
from tests.fakes.bridged import PATIENCE, bridged, free_port, line_of, listening, program
from tests.fakes.taskd_process import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
PAGE = npm.ROOT / "docs" / "wizard.md"
TOKEN = "/var/lib/kaspad-taskd/bridge.token"


def block(title: str) -> str:
    """The code below a heading of the page."""
    found = re.search(rf"### {title}\n\n```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def filled(text: str, token: Path, bridge: str, port: int) -> str:
    for old, new in ((TOKEN, token), ("127.0.0.1:3080", bridge.partition("//")[2]), ("3000", port)):
        assert str(old) in text
        text = text.replace(str(old), str(new))
    return text


def express(place: Path, token: Path, bridge: str, port: int) -> list[str]:
    (place / "node_modules").symlink_to(npm.modules() / "node_modules")
    server = place / "server.mjs"
    server.write_text(filled(block("express"), token, bridge, port))
    return [npm.node(), str(server)]


def nginx(place: Path, token: Path, bridge: str, port: int) -> list[str]:
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if found is None:
        pytest.skip("nginx is not installed: apt install nginx-light")
    secret = place / "taskd-token.conf"
    secret.write_text(f'proxy_set_header Authorization "Bearer {token.read_text().strip()}";\n')
    text = block("nginx").replace("/etc/nginx/taskd-token.conf", str(secret))
    own = f"daemon off; pid {place}/pid; error_log {place}/log;\nevents {{}}\n"
    text = filled(f"# {TOKEN}\n{text}", token, bridge, port)
    temporary = "".join(
        f"{kind}_temp_path {place}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = place / "nginx.conf"
    conf.write_text(f"{own}http {{ access_log off;\n{temporary}{text}}}\n")
    return [found, "-e", f"{place}/log", "-c", str(conf)]


def example(_place: Path, token: Path, bridge: str, port: int) -> list[str]:
    options = ["--port", str(port), "--bridge", bridge, "--token-file", str(token)]
    return [npm.node(), str(EXAMPLE), *options]


@asynccontextmanager
async def served(
    place: Path, recipe: Callable[[Path, Path, str, int], list[str]]
) -> AsyncIterator[int]:
    """The port of a wizard's server that leads to a real bridge."""
    port = free_port()
    async with bridged(place) as (taskd, bridge):
        command = recipe(place, taskd.state / "bridge.token", bridge, port)
        async with program(*command):
            await until(lambda: listening(port), PATIENCE)
            yield port


@pytest.mark.parametrize("recipe", [express, nginx, example])
async def test_the_recipe(
    tmp_path: Path, recipe: Callable[[Path, Path, str, int], list[str]]
) -> None:
    """Both transports come through and may change things; foreign and rebound pages do not."""
    modules = npm.modules()
    async with served(tmp_path, recipe) as port:
        address = f"http://127.0.0.1:{port}"
        given = (bundle.SCRIPT.as_uri(), address, str(modules))
        async with program(npm.node(), str(HERE / "recipe.mjs"), *given) as client:
            seen = json.loads(await line_of(client))
        assert seen == {"websocket": [True, "websocket"], "polling": [True, "polling"]}
        own = {"Host": f"127.0.0.1:{port}", "Origin": address}
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        assert await status_of(port, own) == 200
        assert await status_of(port, {**own, **upgrade}, "websocket") == 101
        for foreign in ({"Origin": "http://foreign.example"}, {"Host": "foreign.example"}):
            assert await status_of(port, {**own, **foreign}) in (400, 403)
            assert await status_of(port, {**own, **foreign, **upgrade}, "websocket") != 101


@pytest.mark.parametrize("recipe", [express, nginx, example])
async def test_the_recipe_says_whose_request_it_is(
    tmp_path: Path, recipe: Callable[[Path, Path, str, int], list[str]]
) -> None:
    """So that one browser's wrong tokens are not everybody's: the bridge sees its address."""
    (tmp_path / "kaspad-taskd.toml").write_text('[bridge]\nproxies = ["127.0.0.1"]\n')
    async with served(tmp_path, recipe) as port:
        bad, good = (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(each, 0), limit=0))
            for each in ("127.0.0.2", "127.0.0.3")
        )
        url = f"http://127.0.0.1:{port}/taskd/session"

        async def give(browser: aiohttp.ClientSession, token: str) -> int:
            async with browser.post(url, json={"token": token}) as answer:
                return answer.status

        async with bad, good:
            wrong = [asyncio.create_task(give(bad, "wrong")) for _ in range(8)]
            while True:  # one of these nine is sent away
                if await give(bad, "wrong") == 429 or any(
                    each.done() and each.result() == 429 for each in wrong
                ):
                    break
            token = (tmp_path / "state/bridge.token").read_text().strip()
            assert await give(good, token) == 200
            for each in wrong:
                each.cancel()
