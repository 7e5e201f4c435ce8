"""What the tests of scripts need of npm, in a folder of its own among the caches."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fakes.node_packages import alone

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".cache" / "embed-npm"
PACKAGES = {
    "@asyncapi/specs": "6.11.1",
    "axe-core": "4.14.1",
    "express": "4.22.3",
    "http-proxy-middleware": "3.0.10",
    "playwright-core": "1.65.1",
    "socket.io-client": "4.5.4",
    "typescript": "5.9.3",
}
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 300


def node() -> str:
    """Return the path of node, or skip."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed: apt install nodejs")
    return found


def npm() -> str:
    """Return the path of npm, or skip."""
    found = shutil.which("npm")
    if found is None:
        pytest.skip("npm is not installed: apt install npm")
    return found


def modules() -> Path:
    """Return the folder with the packages, or skip; they are installed at the first use."""
    node()
    wanted = json.dumps({"private": True, "dependencies": PACKAGES}, indent=1)
    manifest, done = FOLDER / "package.json", FOLDER / "done"
    with alone(FOLDER):
        if not done.exists() or not manifest.exists() or manifest.read_text() != wanted:
            npm()
            done.unlink(missing_ok=True)
            manifest.write_text(wanted)
            _install()
            done.touch()
    return FOLDER


def _install() -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
    try:
        outcome = subprocess.run(
            command, cwd=FOLDER, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install the packages within {PATIENCE} s")
    if outcome.returncode != 0:
        pytest.skip(f"npm cannot install the packages: {outcome.stderr.strip()[-300:]}")


def chromium() -> Path:
    """Return the browser's path, or skip."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: apt install chromium")
    return CHROMIUM
