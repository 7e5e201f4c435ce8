"""Who may come in by this door: host, origin, token, session. Pure but for the token's file."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import shutil
from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from kaspad_taskd.base.files import write_atomically
from kaspad_taskd.config.settings import Bridge

TRIES: Final = 10
"""Wrong tokens of one address within a minute; then it has to wait one."""
MINUTE: Final = 60.0
SESSION_S: Final = 30 * 86_400
"""Seconds that a browser's session lasts."""
REMEMBERED: Final = 4096
"""Addresses, and ended sessions, that are remembered."""
SHORTEST: Final = 16
"""Characters of a token; ours have 43."""
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_log = logging.getLogger(__name__)


class CannotOpenError(Exception):
    """The bridge cannot open; the text is a sentence with the cure."""


class Refused(Exception):
    """Somebody is not let in: the HTTP status and a sentence with the cure."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


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
    return token, path


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
        time: seconds since 1970, for sessions; `steady` for the tries.
    """

    def __init__(
        self,
        settings: Bridge,
        token: str,
        time: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        listen = settings.listen
        self.public = listen is not None and not is_loopback(listen.host)
        self.origins = frozenset(settings.origins)
        self._hosts = frozenset(host.lower() for host in settings.hosts)
        self._token = token.encode()
        self._time = time
        self._steady = steady
        self._tries: OrderedDict[str, tuple[float, int]] = OrderedDict()
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

    # -- token

    def try_token(self, given: str, address: str) -> bool:
        """Whether it is the token.

        Raises:
            Refused: too many wrong ones came from this address.
        """
        now = self._steady()
        since, count = self._tries.get(address, (now, 0))
        if now - since >= MINUTE:
            since, count = now, 0
        if count >= TRIES:
            raise Refused(429, "Too many tries. Wait 1 minute.")
        if hmac.compare_digest(given.encode(errors="replace"), self._token):
            self._tries.pop(address, None)
            return True
        # the minute of waiting begins with the last try that was allowed
        self._tries[address] = (now if count + 1 >= TRIES else since, count + 1)
        self._tries.move_to_end(address)
        _forget_oldest(self._tries)
        return False

    def bearer(self, headers: Mapping[str, str], address: str) -> bool:
        """Whether the request brings the token.

        Raises:
            Refused: it brings a wrong one.
        """
        kind, _, given = headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return False
        if not self.try_token(given.strip(), address):
            raise Refused(401, "That token is not right.")
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
