"""What goes over a browser's line: events encoded once, and packets that are refused at sight."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, TypeAlias

from kaspad_taskd.api.listed import Written
from kaspad_taskd.base import jsontext
from kaspad_taskd.bridge.lean import ACK, CONNECT, EVENT, MESSAGE, Carrier, Packet

Json: TypeAlias = Any

_MESSAGE = b"%d" % MESSAGE
TEXT_FRAME = 0x81
"""First byte of a whole WebSocket text frame (RFC 6455, 5.2)."""


class Malformed(Exception):
    """A client that speaks this way is no Socket.IO client of ours."""


class JsonModule:
    """Our JSON in the form of the standard library's module, as python-socketio wants it."""

    @staticmethod
    def dumps(value: Json, **_: object) -> str:
        """Return compact JSON."""
        return jsontext.dumps(value).decode()

    @staticmethod
    def loads(text: str | bytes) -> Json:
        """Return the value; raises ValueError."""
        return jsontext.loads(text)


def frame(text: str) -> bytes:
    """Return the WebSocket frame of a text that a server sends (no mask, no compression)."""
    return _framed(text.encode())


def _framed(*pieces: bytes) -> bytes:
    size = sum(map(len, pieces))
    if size < 126:
        head = bytes((TEXT_FRAME, size))
    elif size < 1 << 16:
        head = struct.pack("!BBH", TEXT_FRAME, 126, size)
    else:
        head = struct.pack("!BBQ", TEXT_FRAME, 127, size)
    return b"".join((head, *pieces))


class Message:
    """An event or an acknowledgement, encoded once for whoever gets it.

    Attributes:
        frame: as it is written to a WebSocket.
    """

    __slots__ = ("_carrier", "_pieces", "frame")

    def __init__(self, *pieces: bytes) -> None:
        self._carrier: Carrier | None = None
        self._pieces = pieces
        self.frame = _framed(_MESSAGE, *pieces)

    @property
    def carrier(self) -> Carrier:
        """As python-engineio's queue takes it (polling)."""
        if self._carrier is None:
            self._carrier = Carrier(MESSAGE, b"".join(self._pieces).decode())
        return self._carrier

    @property
    def argument(self) -> bytes:
        """The JSON of an event's one argument."""
        return b"".join(self._pieces[1:-1])


def event(name: str, data: Json) -> Message:
    """Return an event with its one argument."""
    return Message(b"%d[%b," % (EVENT, jsontext.dumps(name)), *_pieces(data), b"]")


def gathered(name: str, seq: int, messages: Sequence[Message]) -> Message:
    """Return events of one kind as one, `{seq, tasks: [the argument of each]}`."""
    told = b",".join([message.argument for message in messages])
    head = b"%d[%b," % (EVENT, jsontext.dumps(name))
    return Message(head, b'{"seq":%d,"tasks":[' % seq, told, b"]}", b"]")


def acknowledgement(number: int, data: Json) -> Message:
    """Return the answer to an event that asked for one."""
    return Message(b"%d%d[" % (ACK, number), *_pieces(data), b"]")


def _pieces(data: Json) -> Sequence[bytes]:
    return data.pieces if type(data) is Written else (jsontext.dumps(data),)


class StrictPacket(Packet):  # type: ignore[misc]
    """A packet that takes no binary attachments, whose memory the library would keep."""

    def decode(self, encoded_packet: Json) -> int:
        """Read a packet; raises Malformed, ValueError."""
        if not isinstance(encoded_packet, str) or encoded_packet[:1] not in tuple("01234"):
            raise Malformed
        if super().decode(encoded_packet):
            raise Malformed
        if not _sound(self.packet_type, self.data):
            raise Malformed
        return 0


def _sound(kind: int, data: Json) -> bool:
    if kind == EVENT:
        return isinstance(data, list) and bool(data) and isinstance(data[0], str)
    if kind == ACK:
        return isinstance(data, list)
    return kind != CONNECT or data is None or isinstance(data, dict)
