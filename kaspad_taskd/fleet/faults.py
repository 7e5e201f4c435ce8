"""What it means that Redis or Valkey does not do what it was asked, and what helps.

By the classes of redis-py where they are alike in 4.3.4 and today's, and else by the words of the
server: a wrong password is three different exceptions.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Why it failed.

    A reader of one fleet shows them apart: only GONE means that nobody knows anything.
    """

    GONE = "gone"
    LOGIN = "login"
    RIGHTS = "rights"
    CLOSED = "closed"
    FULL = "full"
    READ_ONLY = "read-only"
    FOREIGN = "foreign"
    TLS = "tls"
    MOVED = "moved"
    OUTPACED = "outpaced"


CURES: Final = {
    Kind.GONE: "see that it runs, and that [redis] servers in fleet.toml names it",
    Kind.LOGIN: "it does not know this user and password: compare user and password_file in"
    " fleet.toml with ACL SETUSER (docs/fleet.md)",
    Kind.RIGHTS: "this user may not do what it has to: give it the rights of docs/fleet.md",
    Kind.CLOSED: "it lets in nobody from elsewhere while its user default has no password: give it"
    " one, requirepass in its settings (docs/fleet.md)",
    Kind.FULL: "it has no room for more: raise maxmemory, or free its disk",
    Kind.READ_ONLY: "it is a replica and takes nothing: name its master in [redis] servers, too",
    Kind.FOREIGN: "what answers there is no server of a fleet: see [redis] servers and database in"
    " fleet.toml, and what else is under taskd: in it",
    Kind.TLS: "no TLS connection comes about: see tls, ca_file, cert_file and key_file in"
    " fleet.toml",
    Kind.MOVED: "another server of the cluster has this host",
    Kind.OUTPACED: "something else is there than was known: it is read again",
}
_CLASSES: Final = {
    "NoPermissionError": Kind.RIGHTS,
    "OutOfMemoryError": Kind.FULL,
    "ReadOnlyError": Kind.READ_ONLY,
    "MovedError": Kind.MOVED,
    "InvalidResponse": Kind.FOREIGN,
    "AuthenticationError": Kind.LOGIN,
    "BusyLoadingError": Kind.GONE,
    "ClusterDownError": Kind.GONE,
    "AskError": Kind.GONE,
    "TryAgainError": Kind.GONE,
    "MasterDownError": Kind.GONE,
    "ConnectionError": Kind.GONE,
    "TimeoutError": Kind.GONE,
}
"""By the class or the nearest base that stands here."""
_WORDS: Final = (
    (re.compile("equal or smaller"), Kind.OUTPACED),
    (re.compile(r"^MOVED \d"), Kind.MOVED),
    (re.compile("^DENIED .*protected mode"), Kind.CLOSED),
    (re.compile("SSL|CERTIFICATE|certificate"), Kind.TLS),
    (re.compile("WRONGPASS|NOAUTH|invalid username-password|[Aa]uthenticat"), Kind.LOGIN),
    (re.compile("NOPERM|no permissions", re.IGNORECASE), Kind.RIGHTS),
    (re.compile("OOM|used memory > 'maxmemory'|MISCONF|NOREPLICAS"), Kind.FULL),
    (re.compile("READONLY|read only replica"), Kind.READ_ONLY),
    (
        re.compile("max number of clients|LOADING|MASTERDOWN|CLUSTERDOWN|UNBLOCKED|^ASK |TRYAGAIN"),
        Kind.GONE,
    ),
)
_MOVED: Final = re.compile(r"\d+ (\S*):(\d{1,5})$")
_IN_PIPELINE: Final = re.compile(r"Command # \d+ \(.*\) of pipeline caused error: ", re.DOTALL)
_LONGEST: Final = 300


class Trouble(Exception):
    """Redis did not do it; what was asked for may have been done all the same where it is GONE.

    Attributes:
        kind: why.
        place: the server, in words.
        detail: what it, or the system, said; has nothing of what was to be written.
        target: of MOVED, where to go instead: host (may be "", for the same) and port.
    """

    def __init__(
        self, kind: Kind, place: str, detail: str, target: tuple[str, int] | None = None
    ) -> None:
        super().__init__(f"{place}: {CURES[kind]} ({detail})")
        self.kind = kind
        self.place = place
        self.detail = detail
        self.target = target


def trouble_of(error: BaseException, place: str) -> Trouble:
    """Return what an exception of redis-py, of the system, or an answer that is one, means.

    Args:
        error: as it was raised or answered, by the blocking or the asyncio side.
        place: the server, in words.
    """
    detail = _detail(error)
    kind = kind_of(error, detail)
    return Trouble(kind, place, detail, _target(detail) if kind is Kind.MOVED else None)


def _target(said: str) -> tuple[str, int] | None:
    """Where MOVED leads: `MOVED 3999 127.0.0.1:6381`, without its name in newer redis-py."""
    found = _MOVED.search(said)
    return None if found is None else (found[1], int(found[2]))


def kind_of(error: BaseException, detail: str | None = None) -> Kind:
    """Return why something failed."""
    said = _detail(error) if detail is None else detail
    known = next(
        (_CLASSES[c.__name__] for c in type(error).__mro__ if c.__name__ in _CLASSES), None
    )
    if known not in (None, Kind.GONE):
        return known or Kind.GONE
    for pattern, kind in _WORDS:
        if pattern.search(said):
            return kind
    if known is not None or isinstance(error, OSError):
        return Kind.GONE
    return Kind.FOREIGN


def _detail(error: BaseException) -> str:
    """What was said, without the command that it was said of: that has the data."""
    said = _IN_PIPELINE.sub("", str(error)) or type(error).__name__
    return "".join(each if each.isprintable() else " " for each in said)[:_LONGEST]
