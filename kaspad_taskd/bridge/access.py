"""Who may come in by this door: host, origin, token, session. Pure but for the token's file."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import shutil
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from kaspad_taskd.base.files import write_atomically
from kaspad_taskd.bridge.forwarded import NOBODY, client, counted_as
from kaspad_taskd.bridge.refused import Refused
from kaspad_taskd.bridge.tries import Tries
from kaspad_taskd.config.settings import Bridge

SESSION_S: Final = 30 * 86_400
"""Seconds that a browser's session lasts."""
REMEMBERED: Final = 4096
"""Ended sessions that are remembered."""
SHORTEST: Final = 16
"""Characters of a token; ours have 43."""
LONG: Final = 20
"""Characters of an administrator's token below which it is complained about."""
WRONG: Final = "That token is not right."
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_log = logging.getLogger(__name__)


class Headers(Protocol):
    """Headers of a request, of which one may come several times."""

    def getall(self, key: str, default: Sequence[str], /) -> Sequence[str]:
        """All lines of one."""


class CannotOpenError(Exception):
    """The bridge cannot open; the text is a sentence with the cure."""


def is_loopback(host: str) -> bool:
    """Whether a host, without port, means this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def read_token(given: Path | None, state: Path) -> tuple[str, Path]:
    """Return the token and its file: the administrator's, or one made beside the state. Blocks.

    Raises:
        CannotOpenError: the file cannot be read or made, or what it holds is no token.
    """
    path = given or state / "bridge.token"
    try:
        if given is None and not path.exists():
            write_atomically(path, f"{secrets.token_urlsafe(32)}\n".encode(), mode=0o640)
            _give_to_group(path)
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


def _give_to_group(path: Path) -> None:
    """Let the group of the socket read it, where there is one and it may be given."""
    if os.geteuid() == 0:
        try:
            shutil.chown(path, group="kaspad-taskd")
        except (LookupError, OSError) as fault:
            _log.debug("the token stays with the daemon's own group: %s", fault)


class Access:
    """Judges requests.

    Args:
        settings: the settings of the bridge.
        token: what changes need.
        time: seconds since 1970, for sessions.
    """

    def __init__(
        self,
        settings: Bridge,
        token: str,
        time: Callable[[], float],
    ) -> None:
        listen = settings.listen
        self.public = listen is not None and not is_loopback(listen.host)
        self.origins = frozenset(settings.origins)
        self._hosts = frozenset(host.lower() for host in settings.hosts)
        self._token = token.encode()
        self._time = time
        self._proxies = settings.proxies
        self._given, self._shown = Tries(), Tries()
        self._ended: OrderedDict[str, None] = OrderedDict()

    # -- host and origin

    def check(self, headers: Mapping[str, str]) -> None:
        """Let a request's host and origin pass; raises Refused."""
        host = headers.get("Host", "")
        if not self._is_host(host):
            text = f'"{host[:100]}" is no name of this host'
            raise Refused(403, f"{text}: add it to hosts in [bridge] of kaspad-taskd.toml")
        origin = headers.get("Origin")
        if origin is not None and not self.is_own(origin, headers):
            text = f'pages of "{origin[:100]}" may not use this bridge'
            raise Refused(403, f"{text}: add it to origins in [bridge] of kaspad-taskd.toml")

    def _is_host(self, header: str) -> bool:
        place = _place(header, "http")
        if place is None:
            return False
        host = place[0]
        return is_loopback(host) or host in self._hosts or header.lower() in self._hosts

    def is_own(self, origin: str, headers: Mapping[str, str]) -> bool:
        """Whether an origin is the page's own, or one of the settings.

        A proxy tells its own name as X-Forwarded-Host; a foreign page cannot send that header, its
        browser would ask us first.
        """
        if origin.lower() in self.origins:
            return True
        scheme, found, rest = origin.lower().partition("://")
        if not found or scheme not in DEFAULT_PORTS:
            return False
        own = (headers.get("Host"), headers.get("X-Forwarded-Host"))
        place = _place(rest, scheme)
        return place is not None and any(_place(each, scheme) == place for each in own if each)

    def address(self, peer: str | None, headers: Headers) -> str:
        """Return the address that a request comes from, as proxies that are trusted say."""
        lines = [headers.getall(name, ()) for name in ("X-Forwarded-For", "Forwarded")]
        return client(peer or NOBODY, lines[0], lines[1], self._proxies)

    # -- token

    async def give_token(self, given: str, address: str, session: str | None = None) -> bool:
        """Whether what somebody gives for a session is the token, answered as late as it is due.

        Args:
            given: the token, perhaps.
            address: where it comes from.
            session: who has one is never kept waiting.

        Raises:
            Refused: too many of this address wait already.
        """
        return await self._judge(self._given, given, address, session)

    async def show_token(self, shown: str, address: str, session: str | None = None) -> bool:
        """The same for who shows it with a request or a connection: counted apart."""
        return await self._judge(self._shown, shown, address, session)

    async def _judge(self, tries: Tries, given: str, address: str, session: str | None) -> bool:
        data = given.encode(errors="replace")
        if self.is_session(session):
            return self._is_token(data)
        return await tries.judge(counted_as(address), lambda: self._is_token(data))

    def _is_token(self, data: bytes) -> bool:
        return hmac.compare_digest(data, self._token)

    async def bearer(
        self, headers: Mapping[str, str], address: str, session: str | None = None
    ) -> bool:
        """Whether the request brings the token.

        Raises:
            Refused: it brings a wrong one.
        """
        kind, _, given = headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return False
        if not await self.show_token(given.strip(), address, session):
            raise Refused(401, WRONG)
        return True

    # -- session

    def new_session(self) -> str:
        """Return a session for a browser that gave the token: signed with it, so none is kept."""
        body = f"{int(self._time()) + SESSION_S}.{secrets.token_urlsafe(16)}"
        return f"{body}.{self._sign(body)}"

    def is_session(self, session: str | None) -> bool:
        """Whether a session is one of ours, and neither over nor ended."""
        if not session or len(session) > 200 or session in self._ended:
            return False
        body, _, signature = session.rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._sign(body).encode()):
            return False
        return int(body.partition(".")[0]) > self._time()

    def end_session(self, session: str | None) -> None:
        """Let a session be one no more."""
        if session and self.is_session(session):
            self._ended[session] = None
            _forget_oldest(self._ended)

    def _sign(self, body: str) -> str:
        return hmac.new(self._token, body.encode(errors="replace"), hashlib.sha256).hexdigest()


def _forget_oldest(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)


def _place(text: str, scheme: str) -> tuple[str, int] | None:
    """Host and port of "HOST[:PORT]", or None."""
    try:
        parts = urlsplit(f"//{text.strip()}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.path or parts.username is not None or parts.query or parts.fragment:
        return None
    return host, DEFAULT_PORTS[scheme] if port is None else port
