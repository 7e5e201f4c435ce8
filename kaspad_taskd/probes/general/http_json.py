"""The type `http-json`: any service that tells its progress as JSON, at places that are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from kaspad_taskd.base.tables import Table
from kaspad_taskd.base.values import kind_of
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Hint, Json, Observation, Reading
from kaspad_taskd.probes.answers import HttpError
from kaspad_taskd.probes.data_dir import read_data_dir
from kaspad_taskd.probes.general.expressions import find, read_expression
from kaspad_taskd.probes.local import LocalSocket
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType
from kaspad_taskd.probes.said import Said, judge, number_at
from kaspad_taskd.probes.urls import (
    checker_of,
    parse_url,
    read_body,
    read_ca,
    read_client_cert,
    read_headers,
    read_unix_socket,
    read_url,
)

if TYPE_CHECKING:
    from kaspad_taskd.probes.general.presence import Found
    from kaspad_taskd.probes.http import HttpClient

PLACES: Final = ("progress", "done", "total", "completed", "error")
PRESENT: Final = "present"
"""Names what has to be there, whatever the others say."""
UNITS: Final = ("blocks", "headers", "rows", "entries")
FRACTION: Final = "fraction"
PROGRESS_UNITS: Final = ("percent", FRACTION)
"""Of `progress`: 0 to 100, or a fraction of one."""
SCALE: Final = "scale"
"""In the memory: what progress seems to be a number of."""
SHARE: Final = 0.9
"""Of the look's time, what the question may take."""


def parse(table: Table, _service: str) -> Checker:
    """Read `url`, the expressions of PLACES and PRESENT, units, `headers`, `ca`.

    And what only a file may name: `client_cert`, `unix_socket`, `body`, `data_dir`.
    """
    url = read_url(table, "url")
    places = {key: read_expression(table, key) for key in (*PLACES, PRESENT)}
    unit = table.string("unit", None, choices=UNITS)
    scale = table.string("progress_unit", None, choices=PROGRESS_UNITS)
    headers = read_headers(table)
    if not any(map(table.peek, ("progress", "done", "completed"))):
        table.fault("", "needs one of progress, done and completed: JMESPath expressions")
    if table.peek("total") is not None and table.peek("done") is None:
        table.fault("total", "needs done beside it")
    if scale is not None and table.peek("progress") is None:
        table.fault("progress_unit", "needs progress beside it")
    unix_socket = read_unix_socket(table, url)
    own = {
        "unit": unit,
        "progressUnit": scale,
        "ca": read_ca(table),
        "clientCert": read_client_cert(table, url),
        "unixSocket": unix_socket,
        "body": read_body(table),
        "dataDir": read_data_dir(table),
    }
    config = {"url": None if url is None else str(url), **places, **own}
    return checker_of(config, headers, url, unix_socket=unix_socket)


class Nothing(ValueError):
    """An answer of another kind: what is named is not there, so nothing is known from it."""


def understand(places: Mapping[str, str], answer: Json, whole: float = 100.0) -> Said:
    """Return what an answer says; `places` are the expressions by their keys.

    `whole` is what `progress` is at its end.

    Raises:
        Nothing: what is named is not there: an error's body, perhaps.
        ValueError: a place holds what it cannot mean; the sentence names it and the cure.
    """
    found = {key: _find(key, text, answer) for key, text in places.items()}
    if PRESENT in found and found[PRESENT].value is None:
        raise Nothing(f"there is nothing at {PRESENT}")
    values = {key: each.value for key, each in found.items() if key != PRESENT}
    if all(value is None for value in values.values()):
        raise Nothing(f"there is nothing at {' or '.join(values)}")
    completed = values.get("completed")
    if completed is not None and not isinstance(completed, bool):
        raise ValueError(f"completed is {kind_of(completed)}, not true or false")
    progress = number_at(values, "progress", whole)
    said = Said(
        None if progress is None else min(100.0, progress * (100.0 / whole)),
        number_at(values, "done"),
        number_at(values, "total"),
        completed,
        values.get("error") not in (None, False, "", [], {}),
    )
    _check_grounds(said, found)
    return said


def _check_grounds(said: Said, found: Mapping[str, Found]) -> None:
    """Let pass what is said of something: by fields that are there."""
    there = any(each.there for each in found.values())
    keys = ("progress", "done", "total") if said.completed is None else ("completed",)
    for key in ("error",) if said.failed else keys:
        one = found.get(key)
        if one is None or one.value is None:
            continue
        if one.lacks and not there:
            raise Nothing(f"there is nothing at what {key} names")
        if (said.failed or said.end.holds) and (one.lacks or not there):
            raise Nothing(f"{key} would be true of nothing: what it names is not there")


def proves_nothing(places: Mapping[str, str]) -> bool:
    """Whether all that `completed` names may be absent, and nothing is named that may not."""
    try:
        found = find(places.get("completed", "`false`"), {})
    except ValueError:
        return False
    return PRESENT not in places and found.value is True and not found.lacks


def _find(key: str, text: str, answer: Json) -> Found:
    try:
        return find(text, answer)
    except ValueError as fault:
        raise ValueError(f"{key} {fault}") from None


def scale_of(progress: float | None, before: Json) -> str | None:
    """Return what progress seems to be a number of; `before` is what it seemed at the last look.

    Only a number beyond one proves that it is percent; between 0 and 1 it is a fraction, perhaps.
    """
    known = before if before in PROGRESS_UNITS else None
    if progress is None or known == "percent":
        return known
    if progress > 1:
        return "percent"
    return FRACTION if 0 < progress < 1 else known


class HttpJsonProbe:
    """Takes looks at one URL."""

    def __init__(self, definition: Definition, client: HttpClient) -> None:
        config = definition.checker
        self._url = parse_url(str(config["url"]))
        self._places = {key: str(config[key]) for key in (*PLACES, PRESENT) if config.get(key)}
        self._unit: str | None = config.get("unit")
        self._scale: str | None = config.get("progressUnit")
        self._body = None if config.get("body") is None else str(config["body"]).encode()
        self._client = client

    async def observe(self, memory: Mapping[str, Json]) -> Observation:
        """Ask, and judge the answer; `memory` is whether one was ever read, and its progress."""
        whole = 1.0 if self._scale == FRACTION else 100.0
        try:
            answer = await self._client.get(self._url, self._body)
            said = await answer.read(partial(understand, self._places, whole=whole))
        except HttpError as error:
            return self._missed(error, bool(memory.get("read")))
        seen = judge(said, answer.good, self._unit)
        if not isinstance(seen, Reading):
            return seen
        scale = scale_of(said.progress, memory.get(SCALE))
        doubt = self._scale is None and scale == FRACTION
        hints = (Hint("progress-fraction", {"progress": said.progress or 0.0}),) if doubt else ()
        kept = {"read": True} if scale is None else {"read": True, SCALE: scale}
        return replace(seen, hints=(*seen.hints, *hints), memory=kept)

    def _missed(self, error: HttpError, read: bool) -> Observation:
        """What it means that nothing can be read; an answer of another kind has its hints."""
        missed = error.observation()
        if not isinstance(error.__cause__, Nothing):
            return missed
        hints = [Hint("answer-changed")] if read else []
        if proves_nothing(self._places):
            hints.append(Hint("present-missing"))
        return replace(missed, hints=tuple(hints))

    async def close(self) -> None:
        """Let the connection go."""
        await self._client.close()


def client_of(definition: Definition, means: Means) -> HttpClient:
    """Return the client for a definition's probe.

    Raises:
        ImportError: aiohttp is not installed.
    """
    from kaspad_taskd.probes.http import HttpClient

    given = definition.checker
    headers: Mapping[str, str] = given.get("headers") or {}
    path = given.get("unixSocket")
    return HttpClient(
        means.allow,
        definition.timeout * SHARE,
        headers,
        given.get("ca"),
        given.get("clientCert"),
        None if path is None else LocalSocket(str(path), means.sockets),
    )


def open_probe(definition: Definition, means: Means) -> HttpJsonProbe:
    """Return the probe; see `client_of`."""
    return HttpJsonProbe(definition, client_of(definition, means))


TYPE = ProbeType("http-json", parse, open_probe)
