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
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType
from kaspad_taskd.probes.said import Said, judge, number_at
from kaspad_taskd.probes.urls import checker_of, parse_url, read_ca, read_headers, read_url

if TYPE_CHECKING:
    from kaspad_taskd.probes.general.presence import Found
    from kaspad_taskd.probes.http import HttpClient

PLACES: Final = ("progress", "done", "total", "completed", "error")
PRESENT: Final = "present"
"""Names what has to be there, whatever the others say."""
UNITS: Final = ("blocks", "headers", "rows", "entries")
SHARE: Final = 0.9
"""Of the look's time, what the question may take."""


def parse(table: Table, _service: str) -> Checker:
    """Read `url`, the expressions of PLACES and PRESENT, `unit`, `headers`, `ca`."""
    url = read_url(table, "url")
    places = {key: read_expression(table, key) for key in (*PLACES, PRESENT)}
    unit = table.string("unit", None, choices=UNITS)
    headers = read_headers(table)
    if not any(map(table.peek, ("progress", "done", "completed"))):
        table.fault("", "needs one of progress, done and completed: JMESPath expressions")
    if table.peek("total") is not None and table.peek("done") is None:
        table.fault("total", "needs done beside it")
    own = {"unit": unit, "ca": read_ca(table), "dataDir": read_data_dir(table)}
    config = {"url": None if url is None else str(url), **places, **own}
    return checker_of(config, headers, url)


class Nothing(ValueError):
    """An answer of another kind: what is named is not there, so nothing is known from it."""


def understand(places: Mapping[str, str], answer: Json) -> Said:
    """Return what an answer says; `places` are the expressions by their keys.

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
    said = Said(
        number_at(values, "progress", 100.0),
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


class HttpJsonProbe:
    """Takes looks at one URL."""

    def __init__(self, definition: Definition, client: HttpClient) -> None:
        config = definition.checker
        self._url = parse_url(str(config["url"]))
        self._places = {key: str(config[key]) for key in (*PLACES, PRESENT) if config.get(key)}
        self._unit: str | None = config.get("unit")
        self._client = client

    async def observe(self, memory: Mapping[str, Json]) -> Observation:
        """Ask, and judge the answer; `memory` is whether one was ever read."""
        try:
            answer = await self._client.get(self._url)
            said = await answer.read(partial(understand, self._places))
        except HttpError as error:
            return self._missed(error, bool(memory.get("read")))
        seen = judge(said, answer.good, self._unit)
        return replace(seen, memory={"read": True}) if isinstance(seen, Reading) else seen

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

    headers: Mapping[str, str] = definition.checker.get("headers") or {}
    ca: str | None = definition.checker.get("ca")
    return HttpClient(means.allow, definition.timeout * SHARE, headers, ca)


def open_probe(definition: Definition, means: Means) -> HttpJsonProbe:
    """Return the probe; see `client_of`."""
    return HttpJsonProbe(definition, client_of(definition, means))


TYPE = ProbeType("http-json", parse, open_probe)
