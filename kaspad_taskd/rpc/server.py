"""The door's Unix socket: made, guarded, closed. What is said through it is `peer.py`'s."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
import socket
import stat
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Final

from kaspad_taskd.api.errors import ApiError
from kaspad_taskd.api.method import Method
from kaspad_taskd.base import descriptors
from kaspad_taskd.base.accepting import Acceptor
from kaspad_taskd.base.descriptors import Spare, allow_files
from kaspad_taskd.base.places import Places
from kaspad_taskd.rpc.answers import refusal
from kaspad_taskd.rpc.dispatch import Dispatcher
from kaspad_taskd.rpc.peer import Door, Events, Peer, credentials

CONNECTIONS: Final = 2048
"""Connections of one user at once; one more is answered with `busy`."""
PATH_LIMIT: Final = 107
"""Bytes that Linux takes as the path of a Unix socket (sun_path, less its final NUL)."""
BACKLOG: Final = 1024
"""Clients that may wait to be accepted; the kernel's net.core.somaxconn bounds it too."""
SPARE_FILES: Final = 1024
"""Open files beyond the connections': the bridge's browsers, probes, the store."""
QUIET: Final = 0.01
"""Seconds of silence after which a stop takes everything for said."""

log = logging.getLogger(__name__)


class CannotListenError(Exception):
    """The socket cannot be opened; the text is a sentence with the path and the cure."""


def listen(path: Path, group: str) -> socket.socket:
    """Make the socket `path`, for its owner and `group` alone (mode 0660).

    There is no moment at which others could connect: nobody can before it listens. A file left by
    a daemon that was killed is replaced, a socket that somebody answers is not.

    Raises:
        CannotListenError: with what to do about it.
    """
    length = len(os.fsencode(path))
    if length > PATH_LIMIT:
        text = f"the path of the socket has {length} bytes, Linux takes {PATH_LIMIT}"
        raise CannotListenError(f"{text}: choose a shorter --runtime-dir: {path}")
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        _make_way(path)
        made.bind(os.fspath(path))
        _give_to(path, group)
        path.chmod(0o660)
        made.listen(BACKLOG)
    except OSError as fault:
        made.close()
        raise CannotListenError(f"cannot make the socket {path}: {fault.strerror}") from fault
    except CannotListenError:
        made.close()
        raise
    return made


def _make_way(path: Path) -> None:
    """Remove a socket's file that nobody answers."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise CannotListenError(f"{path} is in the way and no socket: remove it")
    if _answers(path):
        raise CannotListenError(f"{path} is answered by another daemon: stop that one first")
    path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        code = probe.connect_ex(os.fspath(path))
    if code == errno.EACCES:
        text = f"{path} is of a daemon that another user ran"
        raise CannotListenError(f"{text}: stop that one, or remove what it left")
    if code not in (0, errno.EAGAIN, errno.ECONNREFUSED, errno.ENOENT):
        raise OSError(code, os.strerror(code))
    return code in (0, errno.EAGAIN)  # EAGAIN: its queue is full


def _give_to(path: Path, group: str) -> None:
    """Let the group in, where there is one and it may be given; else the daemon's own group."""
    try:
        shutil.chown(path, group=group)
    except (LookupError, PermissionError) as fault:
        log.debug("the socket stays with the daemon's own group: %s", fault)


def _user(connection: socket.socket) -> str:
    return f"uid {credentials(connection)[1]}"


class RpcServer:
    """Answers on a socket: its own one at `path`, or `passed` by systemd, which then owns it.

    Of its connections a user has `limit` at most, and never all that there are: another user gets
    in, and root always.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        events: Events,
        *,
        path: Path,
        group: str = "kaspad-taskd",
        passed: socket.socket | None = None,
        limit: int = CONNECTIONS,
    ) -> None:
        self._door = Door(Dispatcher(methods), events)
        self._places = Places(limit, frozenset({"uid 0"}))
        self._path = path
        self._group = group
        self._passed = passed
        self._acceptor: Acceptor | None = None
        self._spare: Spare | None = None
        self._made: tuple[int, int] | None = None  # the file's device and inode

    @property
    def connections(self) -> int:
        """Clients connected now."""
        return len(self._door.peers)

    async def start(self) -> None:
        """Listen.

        Raises:
            CannotListenError: with what to do about it.
        """
        allow_files(self._places.all + SPARE_FILES)
        listening = self._passed
        if listening is None:
            listening = listen(self._path, self._group)
            made = self._path.lstat()
            self._made = made.st_dev, made.st_ino
        self._spare = Spare.of(descriptors.limit())
        self._acceptor = Acceptor(
            listening,
            self._places,
            _user,
            lambda: Peer(self._door),
            self._refusal,
            name="the socket",
            spare=self._spare,
        )

    def _refusal(self, peer: Hashable) -> bytes:
        """What is said, as a JSON-RPC error, to a user who gets no further connection."""
        limit = self._places.limit
        message = (
            f"there are {limit} connections of {peer} already, or no place is left: close some"
        )
        return refusal(ApiError.of("busy", message, limit=limit))

    def refuse(self) -> None:
        """Accept no more; clients try again for a second, and meet the next daemon."""
        if self._acceptor is None:
            return
        self._acceptor.close()
        self._acceptor = None
        if self._spare is not None:
            self._spare.close()
        if self._made is not None:
            self._remove_file(self._made)

    def _remove_file(self, made: tuple[int, int]) -> None:
        try:
            found = self._path.lstat()
            if (found.st_dev, found.st_ino) == made:
                self._path.unlink()
        except OSError as fault:
            log.debug("the socket's file is gone already: %s", fault)

    async def stop(self, deadline: float = 0.5) -> None:
        """Accept no more, say within `deadline` seconds what is being said, close."""
        self.refuse()
        for peer in list(self._door.peers):
            peer.finish()
        await self._drain(asyncio.get_running_loop().time() + deadline)
        for task in self._door.requests:
            task.cancel()
        for end in (Peer.close, Peer.abort):
            for peer in list(self._door.peers):
                end(peer)
            await self._until_gone()

    async def _drain(self, until: float) -> None:
        """Wait until nothing is being answered, taken or told, or the time is over."""
        loop, before = asyncio.get_running_loop(), -1
        while loop.time() < until:
            peers = self._door.peers
            written = sum(peer.written for peer in peers)
            if written == before and not self._door.requests and all(p.quiet for p in peers):
                return
            before = written
            await asyncio.sleep(min(QUIET, until - loop.time()))

    async def _until_gone(self) -> None:
        """Give what was closed the few turns of the loop that it needs to be gone."""
        for _ in range(5):
            if self._door.peers or self._door.requests:
                await asyncio.sleep(0)
