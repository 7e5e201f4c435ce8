"""The type `http-json`: any service that tells its progress as JSON, at places that are named."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from kaspad_taskd.base.tables import Table
from kaspad_taskd.base.values import kind_of
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Json, Observation
from kaspad_taskd.probes.answers import HttpError
from kaspad_taskd.probes.general.expressions import find, read_expression
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType
from kaspad_taskd.probes.said import Said, judge, number_at
from kaspad_taskd.probes.urls import checker_of, parse_url, read_ca, read_headers, read_url

if TYPE_CHECKING:
    from kaspad_taskd.probes.http import HttpClient

PLACES: Final = ("progress", "done", "total", "completed", "error")
UNITS: Final = ("blocks", "headers", "rows", "entries")
SHARE: Final = 0.9
"""Of the look's time, what the question may take."""


def parse(table: Table, _service: str) -> Checker:
    """Read `url`, the expressions of PLACES, `unit`, `headers`, `ca`."""
    url = read_url(table, "url")
    places = {key: read_expression(table, key) for key in PLACES}
    unit = table.string("unit", None, choices=UNITS)
    headers = read_headers(table)
    if not any(map(table.peek, ("progress", "done", "completed"))):
        table.fault("", "needs one of progress, done and completed: JMESPath expressions")
    if table.peek("total") is not None and table.peek("done") is None:
        table.fault("total", "needs done beside it")
    own = {"unit": unit, "ca": read_ca(table)}
    config = {"url": None if url is None else str(url), **places, **own}
    return checker_of(config, headers, url)


def understand(places: Mapping[str, str], answer: Json) -> Said:
    """Return what an answer says; `places` are the expressions by their keys.

    Raises:
        ValueError: a place holds what it cannot mean; the sentence names it and the cure.
    """
    found = {key: _find(key, text, answer) for key, text in places.items()}
    if all(value is None for value in found.values()):
        raise ValueError(f"there is nothing at {' or '.join(places)}")
    completed = found.get("completed")
    if completed is not None and not isinstance(completed, bool):
        raise ValueError(f"completed is {kind_of(completed)}, not true or false")
    return Said(
        number_at(found, "progress", 100.0),
        number_at(found, "done"),
        number_at(found, "total"),
        completed,
        found.get("error") not in (None, False, "", [], {}),
    )


def _find(key: str, text: str, answer: Json) -> Json:
    try:
        return find(text, answer)
    except ValueError as fault:
        raise ValueError(f"{key} {fault}") from None


class HttpJsonProbe:
    """Takes looks at one URL."""

    def __init__(self, definition: Definition, client: HttpClient) -> None:
        config = definition.checker
        self._url = parse_url(str(config["url"]))
        self._places = {key: str(config[key]) for key in PLACES if config.get(key)}
        self._unit: str | None = config.get("unit")
        self._client = client

    async def observe(self, memory: Mapping[str, Json]) -> Observation:  # noqa: ARG002
        """Ask, and judge the answer."""
        try:
            answer = await self._client.get(self._url)
            said = await answer.read(partial(understand, self._places))
        except HttpError as error:
            return error.observation()
        return judge(said, answer.good, self._unit)

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
