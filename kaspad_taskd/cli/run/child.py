"""The command as a process: begun as by a shell, in our session and group, and ended for as it was.

What the terminal sends to its group (Ctrl-C, Ctrl-Z) reaches it without us.
"""

from __future__ import annotations

import os
import signal
from errno import ENOENT, ENOEXEC, ENOTDIR

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any, NoReturn

NOT_FOUND, NOT_RUNNABLE = 127, 126
"""Exit codes of a shell for what cannot be begun."""
_OURS = (signal.SIGPIPE, signal.SIGXFSZ)  # that Python ignores; the command does not
_FOR_EVER = (  # faults, and what stops us with all of our group
    signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL,
    signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE,
)  # fmt: skip
HEARD = signal.valid_signals() - set(_FOR_EVER)
"""Signals that are waited for while the command runs."""


def block() -> set[int]:
    """Keep all that is HEARD until it is waited for; returns what was blocked before."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored no end is told
    return signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)


def begin(command: list[str], actions: Sequence[tuple[Any, ...]], mask: Collection[int]) -> int:
    """Start it; returns its process id.

    Args:
        command: the program, looked for as by a shell, and its arguments.
        actions: what is done with its descriptors, as posix_spawn has it.
        mask: the signals that are blocked in it.

    Raises:
        OSError: it cannot be started.
    """
    how: dict[str, Any] = {
        "file_actions": [*actions],
        "setsigmask": mask,
        "setsigdef": _OURS,
    }
    environment = _environment()
    try:
        return os.posix_spawnp(command[0], command, environment, **how)
    except OSError as error:
        if error.errno != ENOEXEC:
            raise
    shell = ["/bin/sh", _place(command[0]), *command[1:]]  # a script that names no program
    return os.posix_spawn(shell[0], shell, environment, **how)


def _environment() -> dict[bytes, bytes]:
    """What we were started with: Python itself sets LC_CTYPE where there is none."""
    try:
        with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - pathlib costs start time
            pairs = file.read().split(b"\0")
    except OSError:
        return dict(os.environb)
    return dict(pair.split(b"=", 1) for pair in pairs if pair.find(b"=") > 0)


def _place(program: str) -> str:
    if "/" in program:
        return program
    for directory in os.get_exec_path():
        path = os.path.join(directory, program)  # noqa: PTH118 - pathlib costs start time
        if os.access(path, os.X_OK):
            return path
    return program


def code_of(error: OSError) -> int:
    """Return the exit code of a command that cannot be started."""
    return NOT_FOUND if error.errno in (ENOENT, ENOTDIR) else NOT_RUNNABLE


def end_like(code: int) -> NoReturn:
    """End as the command did: with its exit code, or by the signal that ended it (-n)."""
    if code < 0:
        _die_of(-code)
    os._exit(code & 0xFF if code >= 0 else 128 - code)


def _die_of(number: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # there is one core of it at most
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    except (ImportError, OSError, ValueError):
        pass


def stop_like(number: int) -> None:
    """Stop as the command did; returns when somebody lets us go on."""
    while signal.sigtimedwait({number}, 0):  # the terminal's own, for us: one is enough
        pass
    os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    if number in HEARD:
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
