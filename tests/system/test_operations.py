"""What docs/operations.md tells people to type works: its blocks are executed as they stand there.

They speak of a Debian host. Here `sudo` runs what follows it, `systemctl` starts and stops a daemon
of this test, and the host's directories and port are the test's own.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.client import SYSTEM_SOCKET
from tests.fakes.bridged import free_port

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BLOCK = re.compile(r"^```sh\n(# run\n.*?)^```", re.MULTILINE | re.DOTALL)
PATIENCE = 150
NODE = """
type = "node-sync"
service = "kaspa-node"
[checker]
url = "grpc://127.0.0.1:9"
"""

SYSTEMCTL = """#!/bin/bash
# As the unit: on a failure started again, on 78 not.
set -e
[ "$2" = kaspad-taskd ] || exit 5
alive() {{ kill -0 "$(cat {place}/loop)" 2>/dev/null; }}
keep() {{
  while :; do
    kaspad-taskd >>{place}/log 2>&1 </dev/null &
    echo $! >{place}/pid
    wait $! && exit || [ $? != 78 ] || exit
  done
}}
stop() {{
  kill "$(cat {place}/pid)" 2>/dev/null || true
  while alive; do sleep 0.02; done
}}
start() {{
  (trap "" TERM; keep) >/dev/null 2>&1 &
  echo $! >{place}/loop
  until kaspad-taskctl call ping >/dev/null 2>&1; do
    alive || {{ cat {place}/log >&2; exit 1; }}
  done
}}
case $1 in
  start) start ;;
  stop) stop ;;
  restart) stop; start ;;
esac
"""
TASKD = """#!/bin/sh
case $1 in
  restore) exec {python} -m kaspad_taskd "$@" ;;
esac
exec {python} -m kaspad_taskd --config {etc}/kaspad-taskd.toml --tasks {etc}/tasks.d "$@"
"""
"""Root's daemon would take the host's own places."""

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
    pytest.mark.skipif(
        Path(SYSTEM_SOCKET).exists(), reason="this host's own daemon would be asked"
    ),
]


class Host:
    """A place that looks like a host to the blocks."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.bridge = f"127.0.0.1:{free_port()}"
        etc, run, commands = place / "etc/kaspad-taskd", place / "run", place / "bin"
        for each in (etc / "tasks.d", etc / "kaspad-taskd.toml.d", run, commands, place / "root"):
            each.mkdir(parents=True)
        (etc / "kaspad-taskd.toml").write_text(f'[bridge]\nlisten = "{self.bridge}"\n')
        (etc / "tasks.d/node-sync-kaspa-node.toml").write_text(NODE)
        python = sys.executable
        for name, text in {
            "sudo": '#!/bin/sh\nexec "$@"\n',
            "systemctl": SYSTEMCTL.format(place=place),
            "kaspad-taskd": TASKD.format(python=python, etc=etc),
            "kaspad-taskctl": f'#!/bin/sh\nexec {python} -m kaspad_taskd.cli "$@"\n',
        }.items():
            self._command(commands / name, text)
        self.env = {
            "PATH": f"{commands}:{os.environ['PATH']}",
            "HOME": str(place),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(run),
            "STATE_DIRECTORY": str(place / "lib/kaspad-taskd"),
            "RUNTIME_DIRECTORY": str(run / "kaspad-taskd"),
        }

    @staticmethod
    def _command(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def here(self, text: str) -> str:
        """The block with this place's directories and port."""
        for theirs, ours in (
            ("/etc/kaspad-taskd", f"{self.place}/etc/kaspad-taskd"),
            ("-C /etc", f"-C {self.place}/etc"),
            ("/var/lib/kaspad-taskd", f"{self.place}/lib/kaspad-taskd"),
            ("/root/", f"{self.place}/root/"),
            ("127.0.0.1:3080", self.bridge),
            ("127.0.0.1 3080", self.bridge.replace(":", " ")),
        ):
            text = text.replace(theirs, ours)
        return text

    def run(self, text: str) -> str:
        """Run a block; returns what it printed. It must end with 0."""
        script = f"set -euo pipefail\n{self.here(text)}"
        done = subprocess.run(
            ["bash", "-c", script], env=self.env, cwd=self.place, capture_output=True, text=True,
            timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def tried(self, text: str) -> str:
        """Run what is tried; returns what it printed, however it ends."""
        done = subprocess.run(
            ["bash", "-c", self.here(text)], env=self.env, cwd=self.place, timeout=PATIENCE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        return " ".join(done.stdout.split())

    def end(self) -> None:
        for name in ("loop", "pid", "root/other"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((self.place / name).read_text()), signal.SIGKILL)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    made.end()


def test_the_blocks_in_their_order(host: Host) -> None:
    """Each ends well; what they make is there, and the backup comes back."""
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) == 5
    host.run("systemctl start kaspad-taskd")
    told = [host.run(block) for block in blocks]
    first, change, page, backup, restored = told
    assert "✓ bridge" in first
    assert "kaspa-node" in first
    assert "good: 2 definitions" in change
    assert "snapshot-import is running" in change
    assert (host.place / "lib/kaspad-taskd/bridge.token").read_text() in page
    assert (host.place / "root/kaspad-taskd.db").exists()
    assert backup == ""
    assert restored.startswith("restored: 2 tasks, the last event ")
    assert "snapshot-import" in host.run("kaspad-taskctl list")


ROW = re.compile(
    r"^\| ([^|`]+): `(.+?)` \| ([^`]+?) \| `([^`]+)`: `([^`]+)` \| (.+) \|$", re.MULTILINE
)
CODE = re.compile(r"`([^`]+)`")


def test_what_happens_if_line_by_line(host: Host) -> None:
    """Each line is done as it stands, shows what it says, and its cure brings all back."""
    section = PAGE.read_text().partition("\n## What happens if\n")[2].partition("\n## ")[0]
    rows = ROW.findall(section)
    assert len(rows) == section.count("\n| ") - 1
    host.run("systemctl start kaspad-taskd")
    for block in BLOCK.findall(PAGE.read_text()):
        if "report snapshot-import" in block or "kaspad-taskctl backup" in block:
            host.run(block)
    for name, happens, _then, look, shown, cure in rows:
        host.tried(happens)
        end = time.monotonic() + PATIENCE
        while host.here(shown) not in (said := host.tried(look)):
            assert time.monotonic() < end, f"{name}: {look} does not say {shown}: {said}"
        for command in CODE.findall(cure):
            host.run(command)
        assert "snapshot-import" in host.tried("kaspad-taskctl list"), name
        assert host.tried("kaspad-taskctl warnings") == "No warning stands.", name


def test_every_named_command_and_option_exists() -> None:
    """In all blocks, those too that need root, a network or a package."""
    from kaspad_taskd.cli.options import VERBS

    text = PAGE.read_text()
    verbs = set(re.findall(r"kaspad-taskctl ([a-z]+)", text))
    assert verbs <= set(VERBS), verbs - set(VERBS)
    assert set(re.findall(r"kaspad-taskd (--[a-z-]+|restore|demo)", text)) <= {
        "--check", "restore"}  # fmt: skip
