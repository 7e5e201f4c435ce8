"""What README.md tells people to type works."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from tests.fakes.taskd_process import Taskd

README = Path(__file__).parents[2] / "README.md"
pytestmark = pytest.mark.system


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js on the PATH")
async def test_the_nodejs_client(tmp_path: Path) -> None:
    """It prints each task as it is, and then each event."""
    (script,) = re.findall(r"^```js\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "client.cjs"
    file.write_text(script)
    async with Taskd(tmp_path / "d") as daemon:
        daemon.define("work", 'type = "report"\nservice = "some-work"\n')
        line = await daemon.start()
        await line.call("reportTask", taskId="work", progress=41.5)
        node = await asyncio.create_subprocess_exec(
            *("node", str(file), str(daemon.socket)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        assert node.stdout is not None
        async with asyncio.timeout(60):
            first = (await node.stdout.readline()).decode()
            assert first.startswith("some-work in-progress 41.5 % ")
            await line.call("completeTask", taskId="work")
            told = [["", ""]]
            while told[-1][0] != "sync:complete":  # what is known is told again now and then
                told.append((await node.stdout.readline()).decode().split()[:2])
            assert told[-2:] == [["sync:progress", "some-work"], ["sync:complete", "some-work"]]
            await daemon.end()
            assert await node.wait() == 0
