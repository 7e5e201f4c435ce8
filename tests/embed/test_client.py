"""The headless client: its logic in Node, then the real one over the real bridge."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from kaspad_taskd.web.embed.src import bundle
from tests.fakes import npm
from tests.fakes.bridged import bridged, line_of, program

HERE = Path(__file__).parent


def test_whatever_order_things_come_in() -> None:
    """Snapshot, replay, gaps, waiting, refusals: client.test.mjs says each in a sentence."""
    environment = {**os.environ, "SCRIPT": bundle.SCRIPT.as_uri()}
    outcome = subprocess.run(
        [npm.node(), "--test", "--test-reporter=tap", str(HERE / "client.test.mjs")],
        capture_output=True, text=True, timeout=150, check=False, env=environment,
    )  # fmt: skip
    failed = [line.strip() for line in outcome.stdout.splitlines() if "not ok" in line]
    assert failed == [], outcome.stdout
    assert outcome.returncode == 0, outcome.stderr
    assert "# pass 29" in outcome.stdout


@pytest.mark.system
@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["own", "polling", "websocket"])
async def test_in_node_over_a_killed_daemon(tmp_path: Path, how: str) -> None:
    """A program follows its task to the end; a wizard's old socket (4.5.4) serves as well."""
    modules = npm.modules()
    async with bridged(tmp_path) as (taskd, bridge):
        token = (taskd.state / "bridge.token").read_text().strip()
        script = str(HERE / "node.mjs")
        given = (bundle.SCRIPT.as_uri(), bridge, token, str(modules), how)
        async with program(npm.node(), script, *given) as process:
            assert await line_of(process) == "kill"
            await taskd.kill()
            line = await taskd.start()
            await line.call("reportTask", taskId="work", progress=75)
            assert process.stdin is not None
            process.stdin.write(b"started\n")
            seen = json.loads(await line_of(process))
    assert (seen["status"], seen["progress"]) == ("complete", 100)
    assert seen["heard"] == seen["told"]
