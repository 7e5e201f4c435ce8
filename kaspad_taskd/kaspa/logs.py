"""Reads what a log has grown by since the last look: a file, or a unit's journal.

A look never waits for a log: what is read is bounded in bytes and time, and a log that cannot be
read is a sentence, not an error. The cursor is JSON and is kept with the task.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from kaspad_taskd.base import jsontext
from kaspad_taskd.base.descriptors import why
from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Json

MAX_BYTES = 262_144
"""Of a file at one look; of more, the newest."""
MAX_ENTRIES = 2_000
"""Of a journal at one look; of more, the newest."""
MAX_OUTPUT = 2 * 1024 * 1024
DEADLINE = 2.0
UNIT = re.compile(r"[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,254}")
CONTAINER = "CONTAINER_NAME="
"""The journal's field that docker's and podman's log driver `journald` fills."""
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@frozen
class Grown:
    """What a log has grown by: whole lines, the new cursor, and what is wrong, if anything is."""

    lines: tuple[str, ...] = ()
    cursor: Json = None
    problem: str | None = None


class Follower(Protocol):
    """Follows one log."""

    async def read(self, cursor: Json) -> Grown:
        """Return the lines since `cursor` (None: the newest ones); never raises for a log."""


def open_log(source: str) -> Follower:
    """Return the follower of `journal:UNIT`, `journal:CONTAINER_NAME=NAME`, or an absolute path.

    Raises:
        ValueError: what `source` must be.
    """
    name = source.removeprefix("journal:")
    if name != source:
        container = name.removeprefix(CONTAINER)
        if container != name and not _CONTAINER.fullmatch(container):
            raise ValueError(f'"journal:{CONTAINER}" must be followed by the name of a container')
        if container == name and not UNIT.fullmatch(name):
            raise ValueError('"journal:" must be followed by the name of a unit')
        return JournalFollower(name)
    if not Path(source).is_absolute():
        raise ValueError('must be "journal:UNIT" or an absolute path')
    return FileFollower(Path(source))


def where_of(source: str | None) -> Mapping[str, str]:
    """Return what names a log in a sentence: its `unit`, `container` or `log`, a path."""
    if source is None:
        return {}
    name = source.removeprefix("journal:")
    if name == source:
        return {"log": source}
    container = name.removeprefix(CONTAINER)
    return {"unit": name} if container == name else {"container": container}


class FileFollower:
    """Follows a file: over rotation and truncation, and without its last line while it is cut."""

    def __init__(self, path: Path) -> None:
        """Follow the file that is at `path` at each look."""
        self._path = path
        self._reading: asyncio.Future[Grown] | None = None

    async def read(self, cursor: Json) -> Grown:
        """See Follower. A file system that hangs costs this look its lines, no more."""
        if self._reading is None:
            loop = asyncio.get_running_loop()
            self._reading = loop.run_in_executor(None, grown_file, self._path, cursor)
        done, _ = await asyncio.wait({self._reading}, timeout=DEADLINE)
        if not done:
            return Grown((), cursor, f"{self._path} does not answer within {DEADLINE:.0f} s")
        finished, self._reading = self._reading, None
        return finished.result()


def grown_file(path: Path, cursor: Json) -> Grown:
    """Return what a file has grown by since `cursor`, [device, inode, offset]; blocking."""
    try:
        # A pipe would wait for its writer, a device for anything.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _grown(descriptor, path, cursor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return Grown((), cursor, f"cannot read {path}: {why(error)}")


def _grown(descriptor: int, path: Path, cursor: Json) -> Grown:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return Grown((), cursor, f"{path} is no file")
    size, start = status.st_size, _start(cursor, status)
    cut = start is None or size - start > MAX_BYTES
    if start is None or cut:
        start = max(0, size - MAX_BYTES)
    data = os.pread(descriptor, size - start, start)
    whole = data.rfind(b"\n") + 1
    if not whole and len(data) >= MAX_BYTES:
        whole = len(data)  # a line beyond all bounds, or no text at all
    lines = data[:whole].decode("utf-8", "replace").split("\n")[:-1]
    begun = lines[1:] if cut and start > 0 else lines
    return Grown(tuple(begun), [status.st_dev, status.st_ino, start + whole])


def _start(cursor: Json, status: os.stat_result) -> int | None:
    """Where to read on: None without a usable cursor, 0 in a file that is new or begins anew."""
    if not (isinstance(cursor, list) and len(cursor) == 3 and all(type(x) is int for x in cursor)):
        return None
    device, inode, offset = cursor
    same = (device, inode) == (status.st_dev, status.st_ino) and 0 <= offset <= status.st_size
    return offset if same else 0


class JournalFollower:
    """Follows a unit's journal: one `journalctl` a look, which works inside the sandbox."""

    def __init__(self, name: str, program: str = "journalctl") -> None:
        """Follow a unit, or `CONTAINER_NAME=NAME`.

        The daemon's user must be in the group systemd-journal.
        """
        self._match = name if name.startswith(CONTAINER) else f"--unit={name}"
        self._program = program

    async def read(self, cursor: Json) -> Grown:
        """See Follower."""
        command = [
            self._program,
            self._match,
            "--output=json",
            "--output-fields=MESSAGE",
            "--no-pager",
            f"--lines={MAX_ENTRIES}",
        ]
        if isinstance(cursor, str):
            command.append(f"--after-cursor={cursor}")
        try:
            code, output, fault = await _run(command)
        except TimeoutError:
            return Grown((), cursor, f"journalctl does not answer within {DEADLINE:.0f} s")
        except OSError as error:
            return Grown((), cursor, f"cannot run journalctl: {why(error)}")
        if code != 0 and not output:
            return Grown((), cursor, _why(fault))
        lines, last = entries(output)
        return Grown(lines, last or cursor, _why(fault) if fault and not lines else None)


def entries(output: bytes) -> tuple[tuple[str, ...], str | None]:
    """Return the messages of `journalctl --output=json`, and the last entry's cursor."""
    lines: list[str] = []
    last = None
    for text in output.split(b"\n"):
        try:
            entry = jsontext.loads(text)
        except ValueError:
            continue  # the end of what was read may be cut
        if isinstance(entry, dict) and isinstance(entry.get("__CURSOR"), str):
            last = entry["__CURSOR"]
            lines.extend(_message(entry).splitlines())
    return tuple(lines), last


def _message(entry: Mapping[str, Any]) -> str:
    message = entry.get("MESSAGE")
    if isinstance(message, list):  # not UTF-8, or with control characters: its bytes
        try:
            return bytes(message).decode("utf-8", "replace")
        except (TypeError, ValueError):
            return ""
    return message if isinstance(message, str) else ""


def _why(fault: str) -> str:
    if "permission" in fault.lower() or "not seeing messages" in fault.lower():
        return "the journal may not be read: add the daemon's user to the group systemd-journal"
    return fault.strip().splitlines()[-1][:200] if fault.strip() else "journalctl failed"


async def _run(command: list[str]) -> tuple[int, bytes, str]:
    """Run a program with a deadline; of its output, the first MAX_OUTPUT bytes are returned.

    Raises:
        TimeoutError: it took too long, and was killed.
        OSError: it could not be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(DEADLINE):
            output, fault = await asyncio.gather(
                _bounded(process.stdout, MAX_OUTPUT, process.kill), process.stderr.read(65_536)
            )
            return await process.wait(), output, fault.decode("utf-8", "replace")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _bounded(stream: asyncio.StreamReader, limit: int, stop: Callable[[], None]) -> bytes:
    parts, size = [], 0
    while size < limit and (part := await stream.read(65_536)):
        parts.append(part)
        size += len(part)
    if size >= limit:
        stop()
    return b"".join(parts)
