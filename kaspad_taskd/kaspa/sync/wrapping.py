"""What stands around a program's own lines: docker's, podman's, compose's and syslog's wrapping.

Taken off in one place, for nodes and indexers alike, over one another too (a unit that runs
compose, its journal written by syslog). What is no wrapping stays as it is; nothing fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kaspad_taskd.base import jsontext
from kaspad_taskd.base.frozen import frozen, replace

LAYERS = 4
"""Wrappings around each other that are taken off."""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_BEGINS = re.compile(r"(?:\x1b\[[0-9;]*m)*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\S* \[")
"""How kaspad's lines begin."""
_STAMP = r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d))"
_PRIORITY = r"(?:<\d{1,3}>)?"
_TAG = r"\S+ (?P<who>[^\s:\[\]]{1,200})(?:\[[^\]\s]{1,64}\])?:"
_CRI = re.compile(
    _STAMP + r" (?P<stream>stdout|stderr) (?P<part>[PF])(?::\S*)?(?: (?P<rest>.*))?", re.S
)
_SYSLOG = tuple(
    re.compile(form + r"(?: (?P<rest>.*))?", re.S)
    for form in (
        # RFC 5424: version, stamp, host, program, process, message id, data in brackets
        rf"{_PRIORITY}1 {_STAMP} \S+ (?P<who>\S+) \S+ \S+ (?:-|(?:\[(?:\\.|[^\]\\])*\])+)",
        rf"{_PRIORITY}{_STAMP} {_TAG}",
        # RFC 3164 names neither year nor zone, so its stamp is none
        rf"{_PRIORITY}[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{{1,6}})? {_TAG}",
    )
)
_OTHERS = (
    re.compile(
        r"\[(?:pod/)?[\w.-]{1,253}/(?P<who>[\w.-]{1,253})\](?: (?P<rest>.*))?", re.S
    ),  # kubectl
    re.compile(r"(?P<who>[\w.-]{1,200}) +\|(?: (?P<rest>.*))?", re.S),  # compose
    re.compile(_STAMP + r"(?: (?P<rest>.*))?", re.S),  # docker logs --timestamps
)
_UNKNOWN = re.compile(
    r"\S.{0,159}?(?P<rest>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d \[[A-Z]{4,5} ?\] .*)",
    re.S,
)
"""Whatever stands before the stamp and level that kaspad alone writes so: pm2, ts, supervisors."""
_TEXTS = ("log", "MESSAGE", "message", "msg", "@message", "short_message")
"""Where JSON lines have the text: docker's, the journal's, collectors'."""


@frozen
class Said:
    """One line of a program, without what stood around it.

    Attributes:
        text: without colours, as the program said it.
        at: the wrapping's stamp, as text; None where there is none, or none that is a moment.
        who: what the wrapping calls the program (a service, a container, a syslog tag), or None.
    """

    text: str
    at: str | None = None
    who: str | None = None


@frozen
class _Piece:
    said: Said
    stream: str
    ends: bool


def bare(lines: Iterable[str]) -> Iterator[Said]:
    """Return what was said; long lines that docker or podman cut are whole again.

    What is cut and has no rest is the last that a program said: it is returned as it is.
    """
    cut: dict[str, Said] = {}
    for line in lines:
        piece = _piece(line)
        if piece is None:
            yield _peeled(Said(line))
            continue
        before = cut.pop(piece.stream, None)
        if before is not None and before.text and _BEGINS.match(piece.said.text):
            yield _peeled(before)  # cut off by the program's end, not by its length
            before = None
        said = piece.said if before is None else replace(before, text=before.text + piece.said.text)
        if piece.ends:
            yield _peeled(said)
        else:
            cut[piece.stream] = said
    yield from map(_peeled, cut.values())


def _piece(line: str) -> _Piece | None:
    """Return what a line of a container's own log holds, None where it is none."""
    found = _CRI.fullmatch(line)
    if found:
        said = Said(found["rest"] or "", found["at"])
        return _Piece(said, found["stream"], found["part"] == "F")
    record = _record(line)
    text = None if record is None else record.get("log")
    if record is None or not isinstance(text, str):
        return None
    said = Said(text.rstrip("\r\n"), _text(record.get("time")))
    return _Piece(said, str(record.get("stream")), text.endswith("\n"))


def _peeled(said: Said) -> Said:
    said = _plain(said)
    for _ in range(LAYERS):
        inner = _inner(said.text)
        if inner is None:
            break
        said = _plain(Said(inner.text, inner.at or said.at, inner.who or said.who))
    return said if said.who is not None else _unknown(said)


def _unknown(said: Said) -> Said:
    """Take off a wrapping of no known form, where nobody is named who may only quote kaspad."""
    found = None if _BEGINS.match(said.text) else _UNKNOWN.fullmatch(said.text)
    if found is None:
        return said
    rest = found["rest"]
    quoted = said.text[found.start("rest") - 1] == '"'
    return replace(said, text=rest.removesuffix('"') if quoted else rest)


def _plain(said: Said) -> Said:
    return replace(said, text=_ANSI.sub("", said.text).rstrip("\r\n"))


def _inner(text: str) -> Said | None:
    """Return what a text is wrapped around, None where it is no wrapping."""
    for form in _SYSLOG:
        found = form.fullmatch(text)
        if found:
            rest = (found["rest"] or "").removeprefix("\ufeff").replace("#033[", "\x1b[")
            return Said(rest, found.groupdict().get("at"), found["who"])
    for form in (_CRI, *_OTHERS):
        found = form.fullmatch(text)
        if found:
            known = found.groupdict()
            return Said(found["rest"] or "", known.get("at"), known.get("who"))
    return _of_record(_record(text))


def _of_record(record: dict[str, Any] | None) -> Said | None:
    if record is None:
        return None
    text = next((record[key] for key in _TEXTS if isinstance(record.get(key), str)), None)
    who = _text(record.get("SYSLOG_IDENTIFIER")) or _text(record.get("container_name"))
    return None if text is None else Said(text, _text(record.get("time")), who)


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = jsontext.loads(line.encode("utf-8", "replace"))
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
