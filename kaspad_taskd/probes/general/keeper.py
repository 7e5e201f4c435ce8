"""Keeps the commands of looks: runs each, and leaves nothing of it, whichever session it is in.

A program of its own, `python -I -S keeper.py`: a command's orphans become the children of its
subreaper, and the daemon has other children. It is started once, and forks a keeper for each
command that it is asked for, which costs a tenth of a start. A request is two descriptors: the
line to who looks, and what the command writes to. On the line come the command and its environment;
back come `run ERRNO` (it cannot be run), `left PID` (that cannot be ended), `ended CODE` (below 0:
by a signal), a line each. Who closes the line, for the look is over or the daemon is, ends all.
"""

from __future__ import annotations

import _ctypes
import errno
import gc
import json
import os
import select
import signal
import socket
import sys
import time

INPUT, OUTPUT = 0, 1
LONGEST = 2.0
"""Seconds after which it is given up what does not die."""
SHORT_MS = 20
SIZE = 4
"""Bytes of a request's length; then JSON follows: the command, and its environment."""
_SUBREAPER = 36  # prctl(2)
_OURS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD)
"""What a command must not find ignored."""


def main() -> None:
    """Fork a keeper for each request, until nobody can ask any more."""
    signal.signal(signal.SIGCHLD, lambda *_: _any_left())  # keepers that have ended are buried
    gc.disable()
    gc.freeze()  # what is not touched is not copied by a fork
    with socket.socket(fileno=INPUT) as requests:
        while True:
            asked, descriptors, *_ = socket.recv_fds(requests, 1, 2)
            if not asked:
                return
            _fork(descriptors)
            for each in descriptors:
                os.close(each)


def _fork(descriptors: list[int]) -> None:
    try:
        if os.fork():
            return
    except OSError as error:
        os.write(descriptors[0], b"run %d\n" % (error.errno or errno.EAGAIN))
        return
    try:
        for own, given in zip((INPUT, OUTPUT), descriptors, strict=True):
            os.dup2(given, own)
            os.close(given)
        _keep()
    finally:
        os._exit(0)


def _keep() -> None:
    """Run one command, end what it leaves behind, and tell how it ended."""
    function = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
    _ctypes.call_function(function, (_SUBREAPER, 1, 0, 0, 0))  # without ctypes' writable code
    request = json.loads(_taken(int.from_bytes(_taken(SIZE), sys.byteorder)))
    bell = _bell()
    try:
        child = _started(*request)
    except OSError as error:
        return _tell(f"run {error.errno}")
    status = _ended(child, bell)
    _end_all(bell)
    if status is not None:
        _tell(f"ended {os.waitstatus_to_exitcode(status)}")
    return None


def _taken(size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(INPUT, size - len(data))
        if not part:  # the look is over already
            os._exit(0)
        data += part
    return data


def _bell() -> int:
    """A descriptor that can be read when a child has ended."""
    bell, rope = os.pipe()
    os.set_blocking(bell, False)
    os.set_blocking(rope, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
    return bell


def _started(command: list[str], env: dict[str, str]) -> int:
    os.environ["PATH"] = env.get("PATH", os.defpath)  # where the command is looked for
    nothing = (os.POSIX_SPAWN_OPEN, INPUT, os.devnull, os.O_RDONLY, 0)
    return os.posix_spawnp(
        command[0], command, env, file_actions=[nothing], setsid=True, setsigdef=_OURS
    )


def _ended(child: int, bell: int) -> int | None:
    """Return the command's status as waitpid has it, None where the line closed before."""
    poll = select.poll()
    poll.register(INPUT, select.POLLIN)
    poll.register(bell, select.POLLIN)
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        if any(descriptor == INPUT for descriptor, _ in poll.poll()):
            return None
        _listen(bell)


def _listen(bell: int) -> None:
    try:
        while os.read(bell, 512):
            pass
    except BlockingIOError:
        pass


def _end_all(bell: int) -> None:
    """Kill generation after generation: who loses its parent becomes a child of ours."""
    poll = select.poll()
    poll.register(bell, select.POLLIN)
    deadline = time.monotonic() + LONGEST
    while _any_left():
        children = _children()
        left = [pid for pid in children if not _kill(pid)]
        if (left and left == children) or time.monotonic() > deadline:
            _tell(f"left {children[0] if children else 0}")
            return
        poll.poll(SHORT_MS)
        _listen(bell)


def _any_left() -> bool:
    """Whether there are children, once those that have ended are buried."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _children() -> list[int]:
    me = str(os.getpid()).encode()
    names = filter(str.isdigit, os.listdir("/proc"))  # noqa: PTH208 - pathlib would be imported
    return [int(name) for name in names if _parent(name) == me]


def _parent(name: str) -> bytes:
    try:
        with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - likewise
            return file.read().rpartition(b")")[2].split()[1]
    except (OSError, IndexError):
        return b""


def _kill(pid: int) -> bool:
    """Kill a process; return whether that could be done."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        return False
    return True


def _tell(what: str) -> None:
    try:
        os.write(INPUT, what.encode() + b"\n")
    except OSError:  # nobody listens any more
        pass


if __name__ == "__main__":
    main()
