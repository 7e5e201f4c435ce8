"""Each field of each indexer's answers with each wrong value: a sentence, and no early end."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.observation import Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.indexers import k_indexer, kasia, simply_kaspa
from kaspad_taskd.probes.indexers.memory import Memory
from kaspad_taskd.probes.indexers.view import View, judge
from tests.fakes.indexers import Kasia, KWebserver, ScoredNode, SimplyKaspa
from tests.fakes.patience import PATIENCE
from tests.fakes.website import Reply, Website
from tests.probes.looks import look, made

WRONG: tuple[Any, ...] = (
    None, True, "5", "", "sEcReT\x1b[31m" * 50, -1, -(10**9), 0, 1.5, 1e308, 10**30, [], [5], {},
    {"x": 5},
)  # fmt: skip
NOW = 1_800_000_000_000
Route = tuple[str | int, ...]


def leaves(value: Any, path: Route = ()) -> Iterator[Route]:
    """The path of every field, those that hold others too."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))


def spoiled(answer: Any, path: Route, value: Any) -> Any:
    """The answer with another value at a path."""
    other = copy.deepcopy(answer)
    place = other
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return other


def behind() -> SimplyKaspa:
    """One that is hours behind, all of its components at work."""
    twin = SimplyKaspa()
    twin.importing = False
    return twin


HEALTH, METRICS = behind()._health().body, behind()._metrics()
KASIA, WEB = Kasia(ScoredNode())._metrics(), KWebserver()._health()


def by_health(answer: Any) -> View:
    return simply_kaspa.view(simply_kaspa.health(answer), METRICS)


def by_metrics(answer: Any) -> View:
    return simply_kaspa.view(simply_kaspa.health(HEALTH), answer)


@pytest.mark.parametrize(
    ("understand", "answer"),
    [(by_health, HEALTH), (by_metrics, METRICS), (kasia.metrics, KASIA), (k_indexer.network, WEB)],
    ids=["health", "metrics", "kasia", "k-webserver"],
)
def test_a_wrong_value_in_any_field(understand: Callable[[Any], Any], answer: Any) -> None:
    """It is refused in our words, or left out; an indexer that is behind never is complete."""
    faults: list[str] = []
    for path in leaves(answer):
        for value in WRONG:
            try:
                found = understand(spoiled(answer, path, value))
            except ValueError as fault:
                faults.append(str(fault))
                continue
            if isinstance(found, View):
                reading = judge(found, Memory(), 60.0, NOW)
                assert not reading.complete, (path, value)
                facts = json.dumps(dict(reading.metadata))
                assert "\\u001b" not in facts
                assert all(len(str(each)) <= 200 for each in reading.metadata.values())
    assert faults
    assert all(each.isascii() and "sEcReT" not in each for each in faults)


@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:12])
async def test_a_wrong_value_in_every_place_of_json(value: Any) -> None:
    """Of http-json and a generic indexer likewise, over the wire."""
    twin = SimplyKaspa()
    twin.replies = {"/s": Reply({"p": value, "d": 1, "t": 5, "c": False})}
    await twin.start()
    data = {"url": f"{twin.url}/s", "progress": "p", "done": "d", "total": "t", "completed": "c"}
    seen = await look(made("indexer-sync", {**data, "flavor": "generic"}))
    assert not getattr(seen, "complete", False)
    assert "sEcReT" not in repr(seen)
    await twin.stop()


BROKEN = [
    (Reply(way="close"), Reason.STREAM_CLOSED),
    (Reply({"x": "y" * 90}, way="drip"), Reason.TIMEOUT),
    (Reply(b"[" * 100_000), Reason.BAD_ANSWER),
    (Reply(b'{"a":' * 9_000 + b"1" + b"}" * 9_000), Reason.BAD_ANSWER),
    (Reply(b" " * 1_100_000), Reason.BAD_ANSWER),
    (Reply(b"\xff\xfe{}"), Reason.BAD_ANSWER),
    (Reply(b"x", headers={"Content-Encoding": "gzip"}), Reason.BAD_ANSWER),
    (Reply(status=500), Reason.BAD_ANSWER),
    (Reply(status=429), Reason.BUSY),
    (Reply(status=401), Reason.CREDENTIALS),
    (Reply(b"SSH-2.0-OpenSSH_9.2\r\n", way="raw"), Reason.BAD_ANSWER),
]


@pytest.mark.parametrize("flavor", ["simply-kaspa", "kasia", "k-indexer"])
@pytest.mark.parametrize(("reply", "reason"), BROKEN)
async def test_a_broken_answer_has_its_reason(flavor: str, reply: Reply, reason: Reason) -> None:
    """At every path that a flavour asks, and nothing of it is shown."""
    places = ("/api/health", "/api/metrics", "/metrics", "/health")
    async with Website(dict.fromkeys(places, reply)) as site:
        data = {"url": site.url, "flavor": flavor}
        patience = 0.6 if reason is Reason.TIMEOUT else PATIENCE
        seen = await look(made("indexer-sync", data, timeout=patience))
    rejected = reason is Reason.CREDENTIALS
    assert (type(seen), seen.reason) == (Refused if rejected else Unreachable, reason)
    assert "?" not in words.note(seen.reason, seen.params)


async def test_json_is_json_whatever_it_is_called() -> None:
    """Some services send it as text; what is no JSON is none under its name either."""
    kind = {"Content-Type": "text/plain; charset=latin1"}
    async with Website({"/s": Reply({"p": 41}, headers=kind)}) as site:
        probe = made("http-json", {"url": f"{site.url}/s", "progress": "p"})
        first = await probe.observe({})
        assert isinstance(first, Reading)
        assert first.position == 41
        site.replies["/s"] = Reply(b"p: 41", headers={"Content-Type": "application/json"})
        assert (await look(probe)).reason is Reason.BAD_ANSWER
