"""The type `command`: a program of the administrator looks, and prints one line of JSON."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Final

from kaspad_taskd.base.processes import end_group
from kaspad_taskd.base.tables import Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Hint, Json, Observation, Scalar, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.general.line import read
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType
from kaspad_taskd.probes.urls import checker_of

MAX_OUTPUT: Final = 65_536
"""Bytes that a command may print."""
MAX_ARGUMENTS: Final = 64
SHARE: Final = 0.95
"""Of the look's time, what the command may take."""
AFTERWARDS: Final = 0.2
"""Seconds for the rest of its output, once it has ended; a stop waits for a look 0.3 s."""
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HELD: Final = ("PATH", "LANG", "LC_ALL", "HOME", "TZ")
"""What a command gets of our environment."""
SANDBOX: Final[Mapping[int, str]] = {
    signal.SIGSYS: "SystemCallFilter",
    signal.SIGTRAP: "MemoryDenyWriteExecute",
}
"""What of the service's sandbox ends a program by these signals."""


def parse(table: Table, _service: str) -> Checker:
    """Read `command`: the program and its arguments."""
    if table.style == "json":
        table.fault("", "a command can only stand in a file of tasks.d", kind="forbidden")
    command = table.strings("command", maximum=MAX_ARGUMENTS)
    if not command or not command[0]:
        table.fault("command", 'must begin with a program: ["/usr/local/bin/check", "--json"]')
    return checker_of({"command": list(command)}, {})


class TooMuch(Exception):
    """The command prints more than MAX_OUTPUT."""


class _Output:
    """The reading end of a command's output; `end` is set at its end, or when it is too much."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._read, self.write = os.pipe()
        os.set_blocking(self._read, False)
        self.data = bytearray()
        self.end = asyncio.Event()
        self._loop.add_reader(self._read, self._more)

    def _more(self) -> None:
        try:
            part = os.read(self._read, MAX_OUTPUT)
        except BlockingIOError:
            return
        self.data += part
        if not part or len(self.data) > MAX_OUTPUT:
            self._loop.remove_reader(self._read)
            self.end.set()

    def started(self) -> None:
        """The command has its own copy of the writing end."""
        os.close(self.write)
        self.write = -1

    def close(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._read)
        os.close(self._read)
        if self.write >= 0:
            os.close(self.write)

    @property
    def too_much(self) -> bool:
        return len(self.data) > MAX_OUTPUT


class CommandProbe:
    """Runs one command a look, in a process group of its own that never outlives the look."""

    def __init__(self, definition: Definition) -> None:
        self._id = definition.id
        self._command = [str(each) for each in definition.checker["command"]]
        self._timeout = definition.timeout * SHARE

    async def observe(self, memory: Mapping[str, Json]) -> Observation:  # noqa: ARG002
        """Run it, and judge what it printed."""
        output = _Output()
        try:
            async with asyncio.timeout(self._timeout):
                code = await self._run(output)
            if code != 0:
                return self._ended(code)
            return read(bytes(output.data)).observation()
        except TimeoutError:
            return Unreachable(Reason.TIMEOUT, {"seconds": self._timeout})
        except TooMuch:
            return self._wrong(f"it printed more than {MAX_OUTPUT // 1024} KiB")
        except ValueError as fault:
            return self._wrong(str(fault))
        except OSError as error:
            return self._not_run(error)
        finally:
            output.close()

    async def close(self) -> None:
        """Nothing outlives a look."""

    async def _run(self, output: _Output) -> int:
        """Return its exit code; its whole group is gone then, whatever happens."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output.write,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            env=environment(self._id),
        )
        output.started()
        over = asyncio.ensure_future(output.end.wait())
        ended = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait((over, ended), return_when=asyncio.FIRST_COMPLETED)
            code = 0 if output.too_much else await ended  # it may close its output long before
        finally:
            end_group(process.pid)  # what it left behind, too, which may hold its output open
            try:
                await asyncio.wait((over, ended), timeout=AFTERWARDS)
            finally:
                over.cancel()
                ended.cancel()
        if output.too_much:
            raise TooMuch
        return code

    def _wrong(self, detail: str) -> Unreachable:
        return Unreachable(Reason.BAD_ANSWER, {"detail": detail, **self._program()})

    def _ended(self, code: int) -> Unreachable:
        """What it means that it did not end with 0."""
        if code >= 0:
            return self._wrong(f"it ended with {code}")
        names = {int(each): each.name for each in signal.Signals}
        missed = self._wrong(f"it was ended by {names.get(-code, f'signal {-code}')}")
        directive = SANDBOX.get(-code)
        hints = () if directive is None else (Hint("sandbox", {"directive": directive}),)
        return replace(missed, hints=hints)

    def _not_run(self, error: OSError) -> Unreachable:
        missed = self._wrong(f"it cannot be run: {os.strerror(error.errno or errno.EINVAL)}")
        if error.errno not in (errno.EPERM, errno.EACCES):
            return missed
        return replace(missed, hints=(Hint("sandbox"),))

    def _program(self) -> dict[str, Scalar]:
        return {"program": PurePath(self._command[0]).name[:100]}


def environment(task_id: str) -> dict[str, str]:
    """Return what a command gets: a few of our variables, a PATH, and the task's id."""
    held = {name: os.environ[name] for name in HELD if name in os.environ}
    return {"PATH": PATH, **held, "KASPAD_TASKD_TASK": task_id}


def open_probe(definition: Definition, _means: Means) -> CommandProbe:
    """Return the probe; see CommandProbe."""
    return CommandProbe(definition)


TYPE = ProbeType("command", parse, open_probe)
