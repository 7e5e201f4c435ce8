"""Programs that ours are measured beside, fetched into a directory where they are not there yet."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

EXPRESS = """
const app = require('express')();
const server = require('http').createServer(app);
const { Server } = require('socket.io');
new Server(server).on('connection', () => {});
app.get('/', (request, answer) => answer.json({ok: true}));
server.listen(process.argv[1], () => console.log('ready'));
"""
"""What a task manager written for node starts with, and no work of its own."""


def express(directory: Path, socket: Path) -> list[str] | None:
    """The command of a server of express and socket.io; it prints a line when it is ready."""
    if not shutil.which("npm") or not shutil.which("node"):
        print("node express + socket.io: not measured, node and npm are not installed")
        return None
    modules = directory / "node"
    if not (modules / "node_modules" / "socket.io").exists():
        modules.mkdir(parents=True, exist_ok=True)
        (modules / "package.json").write_text("{}")
        wanted = ["express@5", "socket.io@4", "--no-audit", "--no-fund", "--silent"]
        if not _done(["npm", "install", "--prefix", str(modules), *wanted]):
            print("node express + socket.io: not measured, npm could not install them")
            return None
    print(f"beside: {_version(modules, 'express')}, {_version(modules, 'socket.io')}")
    return ["env", f"NODE_PATH={modules / 'node_modules'}", "node", "-e", EXPRESS, str(socket)]


def supervisor(directory: Path) -> Path | None:
    """The directory of supervisord and supervisorctl, in a virtual environment of their own."""
    programs = directory / "supervisor" / "bin"
    if not (programs / "supervisorctl").exists():
        made = _done([sys.executable, "-m", "venv", str(programs.parent)])
        if not made or not _done([str(programs / "pip"), "install", "--quiet", "supervisor"]):
            print("supervisor: not measured, pip could not install it")
            return None
    return programs


def _done(command: Sequence[str]) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def _version(modules: Path, name: str) -> str:
    package = json.loads((modules / "node_modules" / name / "package.json").read_text())
    return f"{name} {package['version']}"
