"""The token, and the sessions of browsers that gave it: what of them outlives the daemon.

A session is signed with the token, so none is kept. Those that were ended before their time are:
by name, in a file beside the state, until there is another token. The wall clock takes none of them
out: a clock that was ahead for a while would let them rise again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kaspad_taskd.base import jsontext
from kaspad_taskd.base.files import write_atomically

SESSION_S: Final = 30 * 86_400
"""Seconds that a browser's session lasts."""
REMEMBERED: Final = 4096
"""Ended sessions that are remembered; one more ends them all."""
SHORTEST: Final = 16
"""Characters of a token; ours have 43."""
LONG: Final = 20
"""Characters of an administrator's token below which it is complained about."""
LONGEST_SESSION: Final = 200

_log = logging.getLogger(__name__)


class CannotOpenError(Exception):
    """The bridge cannot open; the text is a sentence with the cure."""


class NotOurs(Exception):
    """The token stands in a file of the administrator's: only they write it."""


class Keys:
    """The token and who was locked out.

    Args:
        token: what changes need.
        token_file: where it stands.
        ended_file: where the names of ended sessions stand.
        own: whether the token's file is the daemon's, beside its state.

    Attributes:
        token: what changes need.
        token_file: as given.
        epoch: how many tokens there have been since the start: who showed an earlier one is out.
        on_end: called when sessions have ended, or a token has.
    """

    def __init__(self, token: str, token_file: Path, ended_file: Path, *, own: bool) -> None:
        self.token_file = token_file
        self.epoch = 0
        self.on_end: list[Callable[[], None]] = []
        self.token = token
        self._own = own
        self._file = ended_file
        self._salt = ""
        self._ended: dict[str, None] = {}
        self._unsaved = False
        self._writing = asyncio.Lock()

    def is_token(self, data: bytes) -> bool:
        """Whether this is the token; takes as long as if it were not."""
        return hmac.compare_digest(data, self.token.encode())

    # -- sessions

    def new_session(self, now: float) -> str:
        """Return a session for a browser that gave the token; `now` is seconds since 1970."""
        body = f"{int(now) + SESSION_S}.{secrets.token_urlsafe(16)}"
        return f"{body}.{self._sign(body)}"

    def is_session(self, session: str | None, now: float) -> bool:
        """Whether a session is one of ours, and neither over nor ended."""
        if not session or len(session) > LONGEST_SESSION:
            return False
        body, _, signature = session.rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._sign(body).encode()):
            return False
        until, _, name = body.partition(".")
        return name not in self._ended and int(until) > now

    async def end_session(self, session: str | None, now: float) -> None:
        """Let a session be one no more, for good.

        Raises:
            OSError: it has ended, but a restart now would not know; that is tried again.
        """
        if session is None or not self.is_session(session, now):
            return
        self._ended[session.split(".")[1]] = None
        if len(self._ended) > REMEMBERED:
            self._end_all()
        self._tell()
        await self.save()

    def _end_all(self) -> None:
        self._salt = secrets.token_urlsafe(16)
        self._ended.clear()

    def _sign(self, body: str) -> str:
        data = f"{self._salt}|{body}" if self._salt else body
        return hmac.new(
            self.token.encode(), data.encode(errors="replace"), hashlib.sha256
        ).hexdigest()

    def _tell(self) -> None:
        for tell in self.on_end:
            tell()

    # -- the files

    def load(self) -> None:
        """Take in which sessions have ended; where that cannot be read, all have. Blocks."""
        try:
            found = jsontext.loads(self._file.read_bytes())
            salt, ended = found["salt"], found["ended"]
            if not isinstance(salt, str) or not all(isinstance(each, str) for each in ended):
                raise TypeError
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError) as fault:
            _log.warning("%s cannot be read (%s): every browser has to unlock anew",
                         self._file, fault.__class__.__name__)  # fmt: skip
            self._end_all()
            self._unsaved = True
            return
        self._salt, self._ended = salt, dict.fromkeys(ended)

    async def save(self, *, again: bool = False) -> None:
        """Write which sessions have ended; `again`: only if that failed before.

        Raises:
            OSError: it cannot be written.
        """
        if again and not self._unsaved:
            return
        self._unsaved = True
        async with self._writing:
            if self._unsaved:
                await self._write()

    async def _write(self) -> None:
        data = jsontext.dumps({"salt": self._salt, "ended": list(self._ended)})
        self._unsaved = False
        try:
            await asyncio.to_thread(write_atomically, self._file, data, 0o600)
        except OSError:
            self._unsaved = True
            raise

    async def renew(self) -> None:
        """Make another token; all sessions end, and so does every connection that showed the old.

        Raises:
            NotOurs: its file is the administrator's.
            OSError: it cannot be written; nothing has changed.
        """
        if not self._own:
            raise NotOurs
        async with self._writing:
            token = secrets.token_urlsafe(32)
            await asyncio.to_thread(_write_token, self.token_file, token)
            self.token = token
            self.epoch += 1
            self._salt, self._ended, self._unsaved = "", {}, True
            self._tell()


def open_keys(given: Path | None, state: Path) -> Keys:
    """Return the keys: the administrator's token, or one beside the state. Blocks.

    Raises:
        CannotOpenError: the file cannot be read or made, or what it holds is no token.
    """
    token, path = read_token(given, state)
    keys = Keys(token, path, state / "bridge.sessions", own=path == _own_file(state))
    keys.load()
    return keys


def _own_file(state: Path) -> Path:
    return state / "bridge.token"


def read_token(given: Path | None, state: Path) -> tuple[str, Path]:
    """Return the token and its file: the administrator's, or one made beside the state. Blocks.

    Raises:
        CannotOpenError: the file cannot be read or made, or what it holds is no token.
    """
    path = given or _own_file(state)
    try:
        if given is None and not path.exists():
            _write_token(path, secrets.token_urlsafe(32))
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is no text"
        raise CannotOpenError(f"cannot use the token of the bridge in {path}: {why}") from fault
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        text = f"{path} holds no token: it must be {SHORTEST} letters or digits at least"
        raise CannotOpenError(f"{text}, in one line")
    if path.stat().st_mode & 0o007:
        _log.warning("%s can be read by everybody: chmod 640 %s", path, path)
    if (weak := weakness(path)) is not None:
        _log.warning("%s", weak)
    return token, path


def weakness(path: Path) -> str | None:
    """Return what speaks against a token that works, with the cure; None: nothing does. Blocks.

    A file that cannot be read, or holds no token, is said when the bridge opens.
    """
    try:
        length = len(path.read_text().strip())
    except (OSError, UnicodeDecodeError):
        return None
    if length >= LONG:
        return None
    text = f"the token in {path} has {length} characters, which can be guessed: {LONG} at least"
    return f"{text}, for example: openssl rand -base64 32 > {path}"


def _write_token(path: Path, token: str) -> None:
    write_atomically(path, f"{token}\n".encode(), mode=0o640)
    _give_to_group(path)


def _give_to_group(path: Path) -> None:
    """Let the group of the socket read it, where there is one and it may be given."""
    if os.geteuid() == 0:
        try:
            shutil.chown(path, group="kaspad-taskd")
        except (LookupError, OSError) as fault:
            _log.debug("the token stays with the daemon's own group: %s", fault)
