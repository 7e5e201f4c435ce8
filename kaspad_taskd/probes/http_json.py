"""The type `http-json`: any service that tells its progress as JSON, at places that are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Json, Observation, Reading, Refused, Scalar
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.answers import HttpError
from kaspad_taskd.probes.expressions import find, read_expression
from kaspad_taskd.probes.probe_type import Checker, Means, ProbeType
from kaspad_taskd.probes.urls import Url, parse_url, read_ca, read_headers, read_url
from kaspad_taskd.tables import Table
from kaspad_taskd.values import kind_of

if TYPE_CHECKING:
    from kaspad_taskd.probes.http import HttpClient

PLACES: Final = ("progress", "done", "total", "completed", "error")
UNITS: Final = ("blocks", "headers", "rows", "entries")
SHARE: Final = 0.9
"""Of the look's time, what the question may take."""
MOST: Final = 2.0**63


def parse(table: Table, _service: str) -> Checker:
    """Read `url`, the expressions of PLACES, `unit`, `headers`, `ca`."""
    url = read_url(table, "url")
    places = {key: read_expression(table, key) for key in PLACES}
    unit = table.string("unit", None, choices=UNITS)
    headers = read_headers(table)
    if not (places["progress"] or places["done"] or places["completed"]):
        table.fault("", "needs one of progress, done and completed: JMESPath expressions")
    if places["total"] and not places["done"]:
        table.fault("total", "needs done beside it")
    own = {"unit": unit, "ca": read_ca(table)}
    config = {"url": None if url is None else str(url), **places, **own}
    return checker_of(config, headers, url)


def checker_of(
    config: Mapping[str, Json], headers: Mapping[str, str], *urls: Url | None
) -> Checker:
    """Return a checker without what was not given; the first URL is what is asked."""
    kept = {key: value for key, value in config.items() if value is not None}
    if headers:
        kept["headers"] = dict(headers)
    endpoint = None if not urls or urls[0] is None else urls[0].base + urls[0].path
    return Checker(kept, endpoint, tuple(url.place for url in urls if url is not None))


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says at the named places; None where it says nothing.

    Attributes:
        progress: percent, 0 to 100.
        done: units.
        total: units.
        completed: whether it says so itself.
        failed: whether it says that the work failed.
    """

    progress: float | None = None
    done: float | None = None
    total: float | None = None
    completed: bool | None = None
    failed: bool = False


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


def number_at(found: Mapping[str, Any], key: str, most: float = MOST) -> float | None:
    """Return the number at a key, 0 to `most`, or None.

    Raises:
        ValueError: there is something else.
    """
    value = found.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        cure = f"; to_number({key}) makes one of it" if isinstance(value, str) else ""
        raise ValueError(f"{key} is {kind_of(value)}, not a number{cure}")
    if not 0 <= value <= most:
        raise ValueError(f"{key} lies outside 0 to {most:.0f}")
    return float(value)


def judge(
    said: Said, good: bool, unit: str | None, facts: Mapping[str, Scalar] | None = None
) -> Reading | Refused:
    """Return what a look brought back; `good`: it was an answer of a service that is up.

    Where the answer does not say itself that the work is complete, its numbers do. That somebody
    answers tells nothing.
    """
    if said.failed:
        return Refused(Reason.CHECKER_ERROR)
    complete = said.completed
    if complete is None:
        done = said.done is not None and bool(said.total) and said.done >= (said.total or 0)
        complete = done if said.total is not None else said.progress == 100
    counted = said.done is not None
    position = said.done if counted else said.progress
    target = said.total or None if counted else 100.0
    return Reading(
        complete=good and complete,
        position=position,
        target=target if position is not None else None,
        unit=unit if counted else None,
        basis="unknown" if position is None or target is None else "exact",
        floor=said.progress / 100 if counted and said.progress is not None else None,
        activity=[said.progress, said.done, said.total, said.completed],
        metadata=facts or {},
    )


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
