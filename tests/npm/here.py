"""Where the Node package is, and how its tests are run."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.fakes import npm
from tests.fakes.bridged import line_of, program

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "packaging" / "npm"
TABLE = ROOT / "kaspad_taskd" / "words" / "en.json"
HERE = Path(__file__).parent


async def node_tests(script: str, program: str | None = None, **env: str) -> str:
    """Run a file of `node --test`; returns what it says, and fails where one of them does."""
    return await said_by(program or npm.node(), "--test-reporter=tap", str(HERE / script), **env)


async def node_program(script: str, **env: str) -> str:
    """Run a plain program of this directory; returns what it says, and fails where it does."""
    return await said_by(npm.node(), str(HERE / script), **env)


async def said_by(*command: str, **env: str) -> str:
    """What a program says; fails, with that, where it does, or does not end."""
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=said,
            stderr=asyncio.subprocess.STDOUT, env={**os.environ, "PACKAGE": str(PACKAGE), **env},
        )  # fmt: skip
        try:
            async with asyncio.timeout(150):
                await process.wait()
        except TimeoutError:
            process.kill()  # a failure may have left a manager that holds it
            await process.wait()
        said.seek(0)
        text = said.read().decode()
    assert process.returncode == 0, text
    return text


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
