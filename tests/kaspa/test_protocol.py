"""The codec of the gRPC wire, against bytes written by hand from kaspad's field numbers."""

from __future__ import annotations

import struct

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.kaspa import protocol_pb2 as pb
from kaspad_taskd.kaspa.client import (
    Answer,
    BlockHeader,
    DagInfo,
    Method,
    Metrics,
    NodeError,
    NodeInfo,
    PeerInfo,
    ServerInfo,
)
from kaspad_taskd.kaspa.grpc import decode, encode
from kaspad_taskd.kaspa.sync.reading import PeerClock


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: int | bytes | float) -> bytes:
    """One protobuf field: a varint, bytes, or a double."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return varint(number << 3) + varint(value % 2**64)


def response(number: int, *fields: bytes, answer_id: int = 7) -> bytes:
    return field(101, answer_id) + field(number, b"".join(fields))


CASES = [
    (
        response(
            1036,
            field(1, b"kaspa-testnet-10"),
            field(2, 5),
            field(3, 10),
            field(4, b"aa"),
            field(4, b"bb"),
            field(5, 1.5),
            field(6, 1000),
            field(7, b"parent"),
            field(8, b"cd"),
            field(9, 500),
            field(10, b"ab"),
        ),
        Answer(7, Method.DAG_INFO, DagInfo("testnet-10", 5, 10, 1.5, 1000, "cd", 500, "ab")),
    ),
    (
        response(1036, field(1, b"x"), field(5, float("inf")), field(6, -5)),
        Answer(7, Method.DAG_INFO, DagInfo("x", 0, 0, None, -5, "", 0, "")),
    ),
    (
        response(1036, field(2, 5)),
        Answer(7, Method.DAG_INFO, error="networkName is missing"),
    ),
    (
        response(1064, field(3, b"2.1.0"), field(4, 1), field(5, 1), field(12, 1), answer_id=0),
        Answer(None, Method.INFO, NodeInfo("2.1.0", True, True)),
    ),
    (
        response(1064, field(1, b"5b1c-7c3e")),
        Answer(7, Method.INFO, NodeInfo(None, False, False, "5b1c-7c3e")),
    ),
    (response(1105, field(2, b"00FFa0"), field(3, b"x")), Answer(7, Method.SYSTEM_INFO, "00ffa0")),
    (response(1105, field(1, b"v2.1.0")), Answer(7, Method.SYSTEM_INFO)),
    (response(1105, field(2, b"0g")), Answer(7, Method.SYSTEM_INFO)),
    (
        response(1093, field(1, 1), field(3, b"2.1.0"), field(4, b"mainnet"), field(7, 2**63)),
        Answer(7, Method.SERVER_INFO, ServerInfo(False)),
    ),
    (response(1095, answer_id=2**64 - 1), Answer(2**64 - 1, Method.SYNC_STATUS, False)),
    (response(1095, field(1, 1)), Answer(7, Method.SYNC_STATUS, True)),
    (
        response(
            1017,
            field(1, field(1, b"ab-1") + field(8, b"/k/") + field(6, 1) + field(11, 1)),
            field(1, field(7, -30) + field(10, 90_000)),
            field(1, b""),
        ),
        Answer(
            7,
            Method.PEERS,
            (PeerInfo("/k/", True, "ab-1"), PeerInfo(clock=PeerClock(-30, 90_000)), PeerInfo()),
        ),
    ),
    (
        response(
            1091,
            field(1, 123),
            field(11, field(1, 9) + field(7, 77)),
            field(13, field(65, 65) + field(66, 66)),
            field(14, b"".join(field(n, n) for n in (1, 2, 3, 4, 5, 6, 7, 11, 12))),
            field(15, field(1, 1)),
        ),
        Answer(7, Method.METRICS, Metrics(123, 2, 3, 4, 6, 66, 77)),
    ),
    (
        response(1091, field(1, 123), field(11, b""), field(14, b"")),
        Answer(7, Method.METRICS, Metrics(123, 0, 0, 0, 0, None, None)),
    ),
    (
        response(1026, field(3, field(1, field(6, 900) + field(9, 499) + field(13, 400)))),
        Answer(7, Method.BLOCK, BlockHeader(900, 499)),
    ),
    (
        response(1026, field(3, field(1, b""))),
        Answer(7, Method.BLOCK, error="the block's time is missing"),
    ),
    (response(1026, field(1000, field(1, b"cannot find header 00"))), Answer(7, Method.BLOCK)),
    (response(1026, field(1000, field(1, b"Block 00 not found"))), Answer(7, Method.BLOCK)),
    (
        response(1026, field(1000, field(1, b"some data is missing for block 00"))),
        Answer(7, Method.BLOCK, error="some data is missing for block 00"),
    ),
    (response(1091, field(1000, field(1, b"no"))), Answer(7, Method.METRICS, error="no")),
]


@pytest.mark.parametrize(("message", "answer"), CASES)
def test_decode(message: bytes, answer: Answer) -> None:
    """Every field is read under kaspad's own number; what is not known is passed over."""
    assert decode(message) == answer


@pytest.mark.parametrize(
    ("method", "argument", "number", "body"),
    [
        (Method.DAG_INFO, "", 1035, b""),
        (Method.SYNC_STATUS, "", 1094, b""),
        (Method.SERVER_INFO, "", 1092, b""),
        (Method.INFO, "", 1063, b""),
        (Method.PEERS, "", 1016, b""),
        (Method.SYSTEM_INFO, "", 1104, b""),
        (Method.METRICS, "", 1090, field(1, 1) + field(3, 1) + field(4, 1)),
        (Method.BLOCK, "ab", 1025, field(1, b"ab")),
    ],
)
def test_encode(method: Method, argument: str, number: int, body: bytes) -> None:
    """A question is its id and its payload, there even when empty (an empty request closes)."""
    message = encode(300, method, argument).SerializeToString()
    assert message == field(101, 300) + field(number, body)


@given(st.binary(max_size=200))
def test_any_bytes(message: bytes) -> None:
    """Whatever comes, decoding gives an answer or one of two errors."""
    try:
        assert isinstance(decode(message), Answer)
    except (DecodeError, NodeError):
        pass


@given(
    st.integers(0, 2**64 - 1),
    st.sampled_from([name for name in pb.KaspadResponse.DESCRIPTOR.fields_by_name if name != "id"]),
    st.binary(max_size=100),
)
def test_any_payload(number: int, name: str, payload: bytes) -> None:
    """Garbage inside a payload of ours is met likewise."""
    tag = pb.KaspadResponse.DESCRIPTOR.fields_by_name[name].number
    try:
        assert isinstance(decode(field(101, number) + field(tag, payload)), Answer)
    except (DecodeError, NodeError):
        pass
