"""The type `command`: a program of the administrator looks, and prints one line of JSON."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath
from typing import Final

from kaspad_taskd.base.descriptors import is_own_limit, limit
from kaspad_taskd.base.memory import Watch, watch
from kaspad_taskd.base.tables import Table
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Hint, Json, Observation, Scalar, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.general.keepers import KEEPERS, request
from kaspad_taskd.probes.general.line import read
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType
from kaspad_taskd.probes.urls import checker_of

_log = logging.getLogger(__name__)

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


class _Stream:
    """What comes at a descriptor; `end` is set at its end, or when it is too much."""

    def __init__(self, descriptor: int, most: int) -> None:
        os.set_blocking(descriptor, False)
        self._loop = asyncio.get_running_loop()
        self._descriptor, self._most = descriptor, most
        self.data = bytearray()
        self.end = asyncio.Event()
        self._loop.add_reader(descriptor, self._more)

    def _more(self) -> None:
        try:
            part = os.read(self._descriptor, MAX_OUTPUT)
        except BlockingIOError:
            return
        except ConnectionResetError:
            part = b""
        self.data += part
        if not part or self.too_much:
            self._loop.remove_reader(self._descriptor)
            self.end.set()

    def close(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._descriptor)

    @property
    def too_much(self) -> bool:
        return len(self.data) > self._most


class _Output(_Stream):
    """The reading end of a command's output."""

    def __init__(self) -> None:
        self._read, self.write = os.pipe()
        super().__init__(self._read, MAX_OUTPUT)

    def started(self) -> None:
        """The command has its own copy of the writing end."""
        os.close(self.write)
        self.write = -1

    def close(self) -> None:
        super().close()
        os.close(self._read)
        if self.write >= 0:
            os.close(self.write)


class CommandProbe:
    """Runs one command a look, kept by a keeper; nothing of it outlives the look."""

    def __init__(self, definition: Definition) -> None:
        self._id = definition.id
        self._command = [str(each) for each in definition.checker["command"]]
        self._timeout = definition.timeout * SHARE
        self._asked = False

    async def observe(self, memory: Mapping[str, Json]) -> Observation:  # noqa: ARG002
        """Run it, and judge what it printed."""
        output, kills = _Output(), watch()
        try:
            async with asyncio.timeout(self._timeout):
                code = await self._run(output)
            if code != 0:
                return self._ended(code, kills)
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
        """Nothing outlives a look, and with the last probe its keepers go."""
        if self._asked:
            self._asked = False
            await KEEPERS.leave()

    async def _run(self, output: _Output) -> int:
        """Return its exit code; nothing of it is left then, in no session, whatever happens."""
        if not self._asked:
            self._asked = True
            KEEPERS.enter()
        with KEEPERS.ask(output.write) as line:
            output.started()
            told = _Stream(line.fileno(), MAX_OUTPUT)
            try:
                await asyncio.get_running_loop().sock_sendall(
                    line, request(self._command, environment(self._id))
                )
                await _until_ended(output, told, line)
            finally:
                told.close()
        if output.too_much:
            raise TooMuch
        return self._code(told.data.decode())

    def _code(self, told: str) -> int:
        """Return how it ended, by what its keeper tells.

        Raises:
            OSError: it cannot be run.
        """
        code = None
        for verb, _, number in (line.partition(" ") for line in told.splitlines()):
            if verb == "run":
                raise OSError(int(number), os.strerror(int(number)))
            if verb == "ended":
                code = int(number)
            elif verb == "left":
                _log.warning(
                    "%s left process %s, which hangs, or runs as somebody else (sudo?):"
                    " it cannot be ended", self._command[0], number, extra={"task": self._id},
                )  # fmt: skip
        if code is None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))  # somebody ended its keeper
        return code

    def _wrong(self, detail: str) -> Unreachable:
        return Unreachable(Reason.BAD_ANSWER, {"detail": detail, **self._program()})

    def _ended(self, code: int, memory: Watch) -> Unreachable:
        """What it means that it did not end with 0."""
        if code >= 0:
            return self._wrong(f"it ended with {code}")
        if memory.starved(code) is not False:
            return self._starved(memory, proven=memory.starved(code) is True)
        names = {int(each): each.name for each in signal.Signals}
        missed = self._wrong(f"it was ended by {names.get(-code, f'signal {-code}')}")
        directive = SANDBOX.get(-code)
        hints = () if directive is None else (Hint("sandbox", {"directive": directive}),)
        return replace(missed, hints=hints)

    def _starved(self, memory: Watch, *, proven: bool) -> Unreachable:
        if not proven or memory.group is None:
            return replace(self._wrong("it was ended by SIGKILL"), hints=(Hint("oom"),))
        told = {"limit": memory.group.most(), "count": memory.group.killed()}
        params = {key: value for key, value in told.items() if value is not None}
        return replace(
            self._wrong("it was killed for want of memory"), hints=(Hint("oom", params),)
        )

    def _not_run(self, error: OSError) -> Unreachable:
        if is_own_limit(error):
            return Unreachable(Reason.OWN_LIMIT, {"limit": limit()})
        missed = self._wrong(f"it cannot be run: {os.strerror(error.errno or errno.EINVAL)}")
        if error.errno not in (errno.EPERM, errno.EACCES):
            return missed
        return replace(missed, hints=(Hint("sandbox"),))

    def _program(self) -> dict[str, Scalar]:
        return {"program": PurePath(self._command[0]).name[:100]}


async def _until_ended(output: _Output, told: _Stream, line: socket.socket) -> None:
    """Wait for the command's end, or for too much of it; then let its keeper end what is left."""
    waiting = [asyncio.ensure_future(each.end.wait()) for each in (output, told)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not output.too_much:  # it may close its output long before
            await told.end.wait()
    finally:
        with suppress(OSError):
            line.shutdown(socket.SHUT_WR)
        try:
            await asyncio.wait(waiting, timeout=AFTERWARDS)
        finally:
            for each in waiting:
                each.cancel()


def environment(task_id: str) -> dict[str, str]:
    """Return what a command gets: a few of our variables, a PATH, and the task's id."""
    held = {name: os.environ[name] for name in HELD if name in os.environ}
    return {"PATH": PATH, **held, "KASPAD_TASKD_TASK": task_id}


def open_probe(definition: Definition, _means: Means) -> CommandProbe:
    """Return the probe; see CommandProbe."""
    return CommandProbe(definition)


TYPE = ProbeType("command", parse, open_probe)
