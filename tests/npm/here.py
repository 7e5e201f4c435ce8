"""Where the Node package is, and how its tests are run."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from tests.fakes import npm
from tests.fakes.bridged import line_of, program

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "packaging" / "npm"
TABLE = ROOT / "kaspad_taskd" / "words" / "en.json"
HERE = Path(__file__).parent


async def node_tests(script: str, *arguments: str, **env: str) -> str:
    """Run a file of `node --test`; returns what it says, and fails where one of them does."""
    return await _said("--test-reporter=tap", str(HERE / script), *arguments, **env)


async def node_program(script: str, **env: str) -> str:
    """Run a plain program of this directory; returns what it says, and fails where it does."""
    return await _said(str(HERE / script), **env)


async def _said(*arguments: str, **env: str) -> str:
    process = await asyncio.create_subprocess_exec(
        npm.node(), *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT, env={**os.environ, "PACKAGE": str(PACKAGE), **env},
    )  # fmt: skip
    try:
        async with asyncio.timeout(150):
            said = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said
    return said


class Wizard:
    """A program of ours that is told what to do by lines, and answers with lines of JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self) -> Any:
        """The next line that it says."""
        line = await line_of(self.process)
        assert line, "it has ended: see its last words"
        return json.loads(line)

    async def do(self, **what: Any) -> Any:
        """Tell it what to do; returns what comes back."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        return await self.says()


def wizard(script: str, *arguments: str) -> Any:
    """A context with the process of a script of this directory."""
    return program(npm.node(), str(HERE / script), *arguments)
