"""The three streams of a process: some are closed where a cron job or a container starts us."""

from __future__ import annotations

import os
import select
import sys


def hold_streams() -> bool:
    """Let nothing that is opened later take the place of 0, 1 or 2; return if there is an output.

    What Python found closed is None in `sys`. Complaints are then written to nowhere.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - as long as the process lives
    return sys.stdout is not None


def must_be_read() -> None:
    """Raise BrokenPipeError where nobody will ever read the output: a pipe's reader has gone.

    Who only waits would not learn of it: `kaspad-taskctl events --follow | head -1`.
    """
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):  # no file: somebody calls us inside his own program
        return
    poll = select.poll()
    poll.register(output, 0)  # errors and hang-ups are told in any case
    if any(told & (select.POLLERR | select.POLLHUP) for _, told in poll.poll(0)):
        raise BrokenPipeError


def let_go() -> None:
    """Let Python's last flush not complain about what was complained of, nor wait for anybody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())


def end_line() -> None:
    """Begin a new line after the `^C` of who has ended us, where a terminal shows it."""
    for stream in (sys.stderr, sys.stdout):
        if stream is not None and stream.isatty():
            stream.write("\n")
            stream.flush()
            return
