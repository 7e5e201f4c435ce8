"""One child process: a job on its stdin, what it says on its stdout, an end in any case."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from threading import Event
from typing import Final

from kaspad_taskd.base.frozen import frozen

MOST: Final = 262_144
"""Bytes that are kept of what a child says; the rest is read and forgotten."""
_GLANCE: Final = 0.2
"""Seconds after which it is seen that somebody wants us to end."""
_PIECE: Final = 65_536
_now = time.monotonic


class Way(StrEnum):
    """How a child came to its end."""

    ENDED = "ended"  # by itself
    DEADLINE = "deadline"  # it took too long
    STOPPED = "stopped"  # somebody set `stop`
    NEVER = "never"  # it did not start


@frozen
class Ended:
    """What is left of a child.

    Attributes:
        way: how it ended.
        said: the beginning of what it wrote to stdout (and stderr where they are one).
        code: its exit code, negative: the signal; of one that ended by itself.
        fault: why it did not start, in the system's words.
    """

    way: Way
    said: bytes = b""
    code: int | None = None
    fault: str = ""


def run(
    argv: Sequence[str],
    job: bytes,
    environment: Mapping[str, str],
    *,
    deadline: float,
    stop: Event | None = None,
    complaints: bool = False,
) -> Ended:
    """Run a program with `job` on stdin until it ends, for at most `deadline` seconds.

    Whatever is left of its process group is killed then; a program of it that leads a session of
    its own is not waited for.

    Args:
        argv: the program, found in the PATH of `environment`, and its arguments; no shell.
        job: what it reads; from memory, so that nobody waits for one that does not.
        environment: all of its environment.
        deadline: seconds.
        stop: set by who wants it to end at once.
        complaints: whether its stderr is heard too.
    """
    until = _now() + deadline
    try:
        with os.fdopen(_in_memory(job), "rb") as given:
            process = subprocess.Popen(
                argv,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if complaints else subprocess.DEVNULL,
                cwd="/",
                env=dict(environment),
                start_new_session=True,
            )
    except (OSError, ValueError, IndexError) as error:  # a NUL in it; nothing in it
        return Ended(Way.NEVER, fault=getattr(error, "strerror", None) or str(error))
    with process:
        return _attended(process, until, stop)


def _in_memory(job: bytes) -> int:
    """Return a descriptor from which the job is read; it has no name and no place on a disk."""
    descriptor = os.memfd_create("job", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(job)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _attended(process: subprocess.Popen[bytes], until: float, stop: Event | None) -> Ended:
    assert process.stdout is not None
    said = bytearray()
    end = os.pidfd_open(process.pid)
    try:
        os.set_blocking(process.stdout.fileno(), False)
        way = _wait(process.stdout.fileno(), end, said, until, stop)
    finally:
        _end_group(process.pid)  # before it is waited for: the number is its own until then
        os.close(end)
    _hear(process.stdout.fileno(), said)
    code = process.wait()
    return Ended(way, bytes(said), code if way is Way.ENDED else None)


def _wait(output: int, end: int, said: bytearray, until: float, stop: Event | None) -> Way:
    """Read what is said until the program ends, somebody wants it to, or time is up."""
    watched = select.poll()
    watched.register(end, select.POLLIN)
    watched.register(output, select.POLLIN)
    while (left := until - _now()) > 0:
        if stop is not None and stop.is_set():
            return Way.STOPPED
        ready = [number for number, _ in watched.poll(1000 * min(left, _GLANCE))]
        if output in ready and not _hear(output, said):
            watched.unregister(output)
        if end in ready:
            return Way.ENDED
    return Way.DEADLINE


def _hear(output: int, said: bytearray) -> bool:
    """Take what there is to read; whether there can be more."""
    try:
        while piece := os.read(output, _PIECE):
            said += piece[: MOST - len(said)]
            if len(piece) < _PIECE:
                return True
    except BlockingIOError:
        return True
    return False


def _end_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone, or sudo's; systemd ends those with us
        pass
