"""Packets: encoded once, refused at sight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.bridge.packets import (
    JsonModule,
    Malformed,
    StrictPacket,
    acknowledgement,
    event,
    frame,
)

StrictPacket.json = JsonModule


@given(
    st.sampled_from([0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 70000]), st.sampled_from("aé")
)
def test_a_frame_is_the_text_as_a_websocket_takes_it(length: int, letter: str) -> None:
    """Read back by the rules of RFC 6455, at every size of the length field."""
    data = frame(letter * length)
    assert data[0] == 0x81
    size, at = data[1], 2
    if size == 126:
        size, at = int.from_bytes(data[2:4], "big"), 4
    elif size == 127:
        size, at = int.from_bytes(data[2:10], "big"), 10
    assert size == len(data) - at
    assert data[at:].decode() == letter * length


def test_an_event_and_an_answer_are_what_the_protocol_says() -> None:
    """Protocol v5: 42[name,data] and 43id[data], the same for polling and WebSocket."""
    told = event("sync:progress", {"progress": 71.4, "name": "ü"})
    assert told.carrier.encode() == '42["sync:progress",{"progress":71.4,"name":"ü"}]'
    assert told.frame.endswith(told.carrier.encode().encode())
    assert acknowledgement(7, None).carrier.encode() == "437[null]"


@pytest.mark.parametrize(
    "text",
    ["", "9", "x", "5", "51-[\"x\",{\"_placeholder\":true,\"num\":0}]", "51000000-[\"x\"]",
     "21-[\"x\"]", "2", "2{}", "2[]", "2[1]", "2null", "2[\"x\"", "2[NaN]", "3{}", "0[]", "0\"x\"",
     "2" + "1" * 200 + "[\"x\"]", "2" + "[" * 5000],
)  # fmt: skip
def test_what_no_client_of_ours_says_is_malformed(text: str) -> None:
    """Binary announcements above all: their memory would be kept until the end."""
    packet = StrictPacket()
    with pytest.raises((Malformed, ValueError)):
        packet.decode(text)


@given(
    st.text(max_size=40)
    | st.binary(max_size=40)
    | st.none()
    | st.dictionaries(st.text(), st.none())
)
def test_any_packet_is_read_or_malformed(data: object) -> None:
    """No packet raises anything else."""
    try:
        StrictPacket().decode(data)
    except (Malformed, ValueError):
        pass


def test_a_packet_of_a_client_is_read() -> None:
    """Event with id, in the root namespace."""
    packet = StrictPacket(encoded_packet='212["rpc",{"method":"ping"}]')
    assert (packet.packet_type, packet.id, packet.data) == (2, 12, ["rpc", {"method": "ping"}])
