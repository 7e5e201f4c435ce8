"""Who may come in by this door: host, origin, address, token, session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Final, Protocol
from urllib.parse import urlsplit

from kaspad_taskd.bridge.forwarded import NOBODY, client, counted_as
from kaspad_taskd.bridge.keys import SESSION_S as SESSION_S
from kaspad_taskd.bridge.keys import CannotOpenError as CannotOpenError
from kaspad_taskd.bridge.keys import Keys
from kaspad_taskd.bridge.keys import read_token as read_token
from kaspad_taskd.bridge.refused import Refused as Refused
from kaspad_taskd.bridge.tries import Tries
from kaspad_taskd.config.settings import Bridge
from kaspad_taskd.words.plain import safe

WRONG: Final = "That token is not right."
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
FRAMES: Final = ("iframe", "frame", "embed", "object")
AROUND: Final = ("cross-site", "same-site")
"""What browsers say of a page that is opened within another origin's."""


class Headers(Protocol):
    """Headers of a request, of which one may come several times."""

    def getall(self, key: str, default: Sequence[str], /) -> Sequence[str]:
        """All lines of one."""


def is_loopback(host: str) -> bool:
    """Whether a host, without port, means this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Access:
    """Judges requests.

    Args:
        settings: the settings of the bridge.
        keys: the token that changes need, and the sessions.
        time: seconds since 1970, for sessions.
    """

    def __init__(
        self,
        settings: Bridge,
        keys: Keys,
        time: Callable[[], float],
    ) -> None:
        listen = settings.listen
        self.public = listen is not None and not is_loopback(listen.host)
        self.origins = frozenset(settings.origins)
        self._hosts = frozenset(host.lower() for host in settings.hosts)
        self._keys = keys
        self._time = time
        self._proxies = settings.proxies
        self._place = settings.place
        self._given, self._shown = Tries(), Tries()

    # -- host and origin

    def check(self, headers: Mapping[str, str]) -> None:
        """Let a request's host and origin pass; raises Refused."""
        host = headers.get("Host", "")
        if not self._is_host(host):
            text = f'"{safe(host, 100)}" is no name of this host'
            cure = f"{text}: add it to hosts in {self._place}"
            raise Refused(403, cure, setting=_hosts(host), place=self._place)
        origin = headers.get("Origin")
        if origin is not None and not self.is_own(origin, headers):
            raise self._foreign(origin)

    def check_frame(self, headers: Mapping[str, str]) -> None:
        """Let a page pass that is opened alone, or within one that may; raises Refused.

        The browser shows nothing of ours within another page (`frame-ancestors`), and says that
        nobody answers; this tells why, where it says what is around us.
        """
        around = origin_of(headers.get("Referer", ""))
        framed = headers.get("Sec-Fetch-Dest") in FRAMES
        foreign = headers.get("Sec-Fetch-Site") in AROUND and not self.is_own(around, headers)
        if framed and foreign and around:
            raise self._foreign(around)

    def _foreign(self, origin: str) -> Refused:
        text = f'pages of "{safe(origin, 100)}" may not use this bridge'
        cure = f"{text}: add it to origins in {self._place}"
        return Refused(403, cure, setting=_origins(origin), place=self._place)

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
            return self._keys.is_token(data)
        return await tries.judge(counted_as(address), lambda: self._keys.is_token(data))

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

    @property
    def epoch(self) -> int:
        """Changes with the token: who showed another one is out."""
        return self._keys.epoch

    def new_session(self) -> str:
        """Return a session for a browser that gave the token."""
        return self._keys.new_session(self._time())

    def is_session(self, session: str | None) -> bool:
        """Whether a session is one of ours, and neither over nor ended."""
        return self._keys.is_session(session, self._time())

    async def end_session(self, session: str | None) -> None:
        """Let a session be one no more; raises OSError where a restart would not know."""
        await self._keys.end_session(session, self._time())


def origin_of(url: str) -> str:
    """Return the origin of a page's URL, "" where it has none."""
    scheme, found, rest = url.partition("://")
    known = bool(found) and scheme.lower() in DEFAULT_PORTS
    return f"{scheme}://{rest.partition('/')[0]}".lower() if known else ""


def _origins(origin: str) -> str | None:
    """The setting for an origin, if it can stand there."""
    own = origin_of(origin)
    usable = own == origin.lower() and _place(own.partition("://")[2], own.partition("://")[0])
    return f'origins = ["{own}"]' if usable and _is_plain(own) else None


def _hosts(header: str) -> str | None:
    """The setting for a name of this host, if it can stand there."""
    place = _place(header, "http")
    if place is None or not _is_plain(place[0]):
        return None
    return f'hosts = ["{place[0]}"]'


def _is_plain(text: str) -> bool:
    """Whether it can stand in a file of settings as it is."""
    return text.isprintable() and not set(text) & set('"\\')


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
