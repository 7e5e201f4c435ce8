"""What is not needed may be missing or of any kind: the look stands, and no kind comes through."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.core.reason import Reason
from kaspad_taskd.kaspa.client import Answer, Method, NodeError
from kaspad_taskd.kaspa.exchange import Exchange
from kaspad_taskd.kaspa.read import read_node
from kaspad_taskd.kaspa.sync.reading import NodeReading, PeerClock
from kaspad_taskd.kaspa.wrpc import decode
from tests.fakes.node import _WRPC, P2P_ID, SYSTEM_ID

GOOD: dict[str, Any] = copy.deepcopy(_WRPC)
GOOD["getBlockDagInfo"] |= {"network": "mainnet", "difficulty": 1.5}
GOOD["getSyncStatus"] = {"isSynced": True}
GOOD["getServerInfo"] |= {"networkId": "mainnet", "isSynced": True}
GOOD["getInfo"] |= {"isSynced": True}

NEEDED = {
    ("getBlockDagInfo", "network"),
    ("getBlockDagInfo", "blockCount"),
    ("getBlockDagInfo", "headerCount"),
    ("getBlockDagInfo", "pastMedianTime"),
    ("getBlockDagInfo", "virtualDaaScore"),
    ("getSyncStatus", "isSynced"),
    ("getConnectedPeerInfo", "peerInfo"),
}
"""All else may be missing or strange."""

Place = tuple[Any, ...]


def places(value: Any, path: Place) -> list[Place]:
    """Every place below, by keys and indexes."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path[1:] else []
    for key, part in inner if isinstance(value, dict | list) else ():
        found += places(part, (*path, key)) if isinstance(part, dict | list) else [(*path, key)]
    return found


ASKED = [method for method in GOOD if method != "getServerInfo"]
EVERY = [place for method in ASKED for place in places(GOOD[method], (method,))]
OPTIONAL = [place for place in EVERY if place[:2] not in NEEDED or len(place) > 2]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)  # fmt: skip
GONE = object()


def spoilt(place: Place, value: Any) -> dict[str, Any]:
    """The good answers with one place changed, or without it."""
    answers = copy.deepcopy(GOOD)
    parent: Any = answers
    for key in place[:-1]:
        parent = parent[key]
    if value is GONE:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    return answers


class Told:
    """A wire on which these answers come, as text."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    async def run(self, opened: Callable[[], None], deliver: Callable[[Answer], None]) -> None:
        self._deliver = deliver
        opened()
        await asyncio.Event().wait()

    async def send(self, number: int, method: Method, argument: str) -> None:
        body = {"id": number, "method": str(method), "params": self._answers[method]}
        self._deliver(decode(json.dumps(body)))


async def read(answers: dict[str, Any]) -> NodeReading:
    client = Exchange(lambda: Told(answers), 60.0)
    try:
        return await read_node(client, lambda: 5_000)
    finally:
        await client.close()


KINDS = {
    "int": int, "str": str, "bool": bool, "float | None": float, "int | None": int,
    "str | None": str, "bool | None": bool, "Family": str,
    "tuple[str, ...]": tuple, "tuple[PeerClock, ...]": tuple,
}  # fmt: skip


def check_kinds(made: Any) -> None:
    """Every field is of the kind that it says."""
    assert is_dataclass(made)
    for field in fields(made):
        value, said = getattr(made, field.name), str(field.type)
        if value is not None or "None" not in said:
            assert type(value) is KINDS[said], field.name
        for part in value if isinstance(value, tuple) else ():
            check_kinds(part) if isinstance(part, PeerClock) else str.encode(part)


@settings(max_examples=300)
@given(st.sampled_from(OPTIONAL), JSON | st.just(GONE))
def test_anything_in_a_place_that_is_not_needed(place: Place, value: Any) -> None:
    """The look is read, and every field has its kind."""
    check_kinds(asyncio.run(read(spoilt(place, value))))


@settings(max_examples=100)
@given(st.sampled_from(sorted(NEEDED)), JSON | st.just(GONE))
def test_anything_in_a_place_that_is_needed(place: Place, value: Any) -> None:
    """It is a bad answer, or one of the right kind; nothing else."""
    try:
        check_kinds(asyncio.run(read(spoilt(place, value))))
    except NodeError as error:
        if error.reason is not Reason.BAD_ANSWER:
            raise


@pytest.mark.parametrize("place", sorted(NEEDED), ids=".".join)
@pytest.mark.parametrize("value", [pytest.param(GONE, id="gone"), None, "", 1.5, {}, -1], ids=str)
async def test_without_what_is_needed_there_is_no_answer(place: Place, value: Any) -> None:
    """Position, network, counts and the node's own word."""
    with pytest.raises(NodeError) as caught:
        await read(spoilt(place, value))
    assert caught.value.reason is Reason.BAD_ANSWER


@pytest.mark.parametrize(
    ("place", "value", "field", "left"),
    [
        (("getConnectedPeerInfo", "peerInfo", 0, "user_agent"), GONE, "peer_versions", ("",)),
        (("getConnectedPeerInfo", "peerInfo", 0, "address"), None, "peers", 2),
        (("getConnectedPeerInfo", "peerInfo", 0), None, "peers", 1),
        (("getConnectedPeerInfo", "peerInfo", 0, "id"), 7, "ibd_peer", ""),
        (("getConnectedPeerInfo", "peerInfo", 0, "is_ibd_peer"), GONE, "ibd_peers", 0),
        (("getConnectedPeerInfo", "peerInfo", 0, "is_ibd_peer"), 1, "ibd_peers", 1),
        (("getConnectedPeerInfo", "peerInfo", 0, "time_offset"), "1", "peer_clocks", ()),
        (("getBlockDagInfo", "difficulty"), "much", "difficulty", None),
        (("getBlockDagInfo", "tipHashes"), None, "block_count", 5),
        (("getBlockDagInfo", "sink"), None, "sink", ""),
        (("getMetrics", "serverTime"), "now", "server_time_ms", None),
        (("getMetrics", "consensusMetrics"), 7, "header_counts", None),
        (("getMetrics", "consensusMetrics", "nodeBodiesProcessedCount"), GONE, "body_counts", None),
        (("getMetrics", "processMetrics", "residentSetSize"), {}, "disk_write_bytes", None),
        (("getMetrics", "bandwidthMetrics"), GONE, "p2p_rx_bytes", None),
        (("getMetrics",), [], "header_counts", None),
        (("getBlock", "block"), None, "sink_timestamp", None),
        (("getBlock", "block", "header", "timestamp"), GONE, "sink_timestamp", None),
        (("getBlock", "block", "header", "blueScore"), "x", "sink_timestamp", 900),
        (("getInfo", "serverVersion"), 2, "server_version", None),
        (("getInfo", "isUtxoIndexed"), "yes", "has_utxo_index", None),
        (("getInfo", "p2pId"), GONE, "p2p_id", None),
        (("getInfo",), None, "p2p_id", None),
        (("getSystemInfo", "systemId"), [256], "system_id", None),
        (("getSystemInfo", "systemId"), SYSTEM_ID.upper(), "system_id", SYSTEM_ID),
        (("getSystemInfo", "gitHash"), 1, "p2p_id", P2P_ID),
        (("getSystemInfo",), "no", "system_id", None),
    ],
)
async def test_what_is_strange_is_no_data(place: Place, value: Any, field: str, left: Any) -> None:
    """It costs its own field, and no other."""
    reading = await read(spoilt(place, value))
    assert getattr(reading, field) == left
    assert reading.virtual_daa_score == 500
