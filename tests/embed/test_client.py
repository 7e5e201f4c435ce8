"""The headless client: its logic in Node, then the real one over the real bridge."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from kaspad_taskd.web.embed.src import bundle
from tests.fakes import npm

HERE = Path(__file__).parent


def test_whatever_order_things_come_in() -> None:
    """Snapshot, replay, gaps, waiting, refusals: client.test.mjs says each in a sentence."""
    environment = {**os.environ, "SCRIPT": bundle.SCRIPT.as_uri()}
    outcome = subprocess.run(
        [npm.node(), "--test", "--test-reporter=tap", str(HERE / "client.test.mjs")],
        capture_output=True, text=True, timeout=50, check=False, env=environment,
    )  # fmt: skip
    failed = [line.strip() for line in outcome.stdout.splitlines() if "not ok" in line]
    assert failed == [], outcome.stdout
    assert outcome.returncode == 0, outcome.stderr
    assert "# pass 15" in outcome.stdout
