"""A command that takes all memory of its control group, under a real kernel that counts it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.base.memory import GROUPS, own_group
from tests.fakes.patience import PATIENCE

pytestmark = pytest.mark.system

LIMIT = 96 << 20
LOOK = """
import asyncio, json, os, sys
group = sys.argv[1]
with open(group + "/cgroup.procs", "w") as procs:
    procs.write(str(os.getpid()))
from tests.probes.looks import look, made
EATER = "x = []\\nwhile True: x.append(bytearray(1 << 20))"
async def main():
    command = [sys.executable, "-S", "-c", EATER]
    return await look(made("command", {"command": command}, timeout=%d))
missed = asyncio.run(main())
print(json.dumps([missed.params["detail"], [[h.code, dict(h.params)] for h in missed.hints]]))
"""


@contextlib.contextmanager
def group_of_its_own() -> Iterator[Path]:
    """A control group with a limit, below ours, for a while. Skips where there can be none."""
    own = own_group()
    if own is None or os.geteuid() != 0:
        pytest.skip(f"needs root, and a control group that counts memory below {GROUPS}")
    made = own.kills.parent / f"kaspad-taskd-{secrets.token_hex(4)}"
    try:
        made.mkdir()
        (made / own.limit.name).write_text(str(LIMIT))
        with contextlib.suppress(OSError):
            (made / "memory.swap.max").write_text("0")
    except OSError as error:
        with contextlib.suppress(OSError):
            made.rmdir()
        pytest.skip(f"no control group can be made in {own.kills.parent}: {error}")
    try:
        yield made
    finally:
        made.rmdir()


def test_what_the_kernel_kills_for_memory_is_told_as_that() -> None:
    """The command alone ends; the hint names the limit that it shares."""
    with group_of_its_own() as group:
        done = subprocess.run(
            [sys.executable, "-c", LOOK % PATIENCE, str(group)], capture_output=True, text=True,
            timeout=2 * PATIENCE, check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    detail, hints = json.loads(done.stdout)
    assert detail == "it was killed for want of memory"
    assert hints == [["oom", {"limit": LIMIT, "count": 1}]]
