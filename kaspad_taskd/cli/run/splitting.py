"""A stream's bytes, in whatever chunks they come, become the pieces of text that tools read. Pure.

Tools draw over what they have drawn: CR stands before an update or behind it, 7z and resize2fs go
back by backspaces alone, others move the cursor. All of these end a piece, as LF does.
"""

from __future__ import annotations

import codecs
import re

LONGEST = 65536
"""Bytes of a piece; what follows them is left out."""
_HELD = 4096  # bytes of an escape sequence that has not ended; a longer one is none
_MUCH = 4096  # bytes: so many with a zero among them are no text
_LF = 0x0A
_NO_LINE = bytes(byte for byte in (*range(32), 127) if byte not in b"\t\n\x1b")
_TABLE = bytes(_LF if byte in b"\r\b" else byte for byte in range(256))
_NO_TEXT = bytes(byte for byte in (*range(32), 127) if byte not in b"\t\n\r\b\x1b")
_OF_LINES, _OF_PIECES = (None, _NO_LINE), (_TABLE, _NO_TEXT)
_CSI = rb"\[[0-?]*[ -/]*[@-~]"
_STRING = rb"[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS, ...: up to BEL or ST
_ESCAPE = re.compile(rb"\x1b(?:%s|%s|[ -/]*[0-OQ-WYZ\\`-~])" % (_CSI, _STRING))
_BEGUN = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)\Z")
_MOVES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[A-HJdf`u]|[78DEMc])")


class Splitter:
    """The pieces of one stream.

    A piece is what stood between two of CR, LF, runs of backspaces and moves of the cursor, as text
    without escape sequences and control characters, at most LONGEST bytes of it. Blank ones are
    left out, and so is what is plainly no text. The cost is some microseconds a kilobyte, whatever
    comes.

    Args:
        lines: only LF ends a piece, and blank ones are among them.
    """

    def __init__(self, lines: bool = False) -> None:
        self._lines = lines
        self._held = b""  # an escape sequence that has not ended
        self._rest = bytearray()  # a piece that has not ended
        self._new = False  # `_rest` has grown since it was asked for

    def feed(self, data: bytes) -> list[str]:
        """Return the pieces that have ended with these bytes; all of it is taken."""
        if len(data) >= _MUCH and b"\0" in data:
            self.skip()
            return []
        if self._held or b"\x1b" in data:
            data = self._unescaped(self._held + data)
        data = data.translate(*_OF_LINES if self._lines else _OF_PIECES)
        first, ended, others = data.partition(b"\n")
        self._keep(first)
        if not ended:
            return []
        begun = self._rest
        whole, more, rest = others.rpartition(b"\n")
        self._rest = bytearray()
        self._new = False
        self._keep(rest)
        # Separators are ASCII: no character reaches over one.
        pieces = [begun.decode("utf-8", "replace")]
        pieces += whole.decode("utf-8", "replace").split("\n") if more else []
        return [piece[:LONGEST] for piece in pieces if self._lines or not is_blank(piece)]

    def skip(self) -> None:
        """Bytes have gone by that were not fed: what was begun has no end."""
        self._held = b""
        self._rest.clear()
        self._new = False

    def pending(self) -> str | None:
        """Return what has been begun and has not ended, or None: nothing new since last asked.

        To be asked after 0.3 s of silence: many never end an update before they begin the next.
        What stands in it may be half a word or half a number.
        """
        if not self._new:
            return None
        self._new = False
        text, _ = codecs.utf_8_decode(bytes(self._rest), "replace", False)
        return None if is_blank(text) else text

    def end(self) -> str | None:
        """Return what had not ended when the stream did, or None: nothing."""
        text = self._rest.decode("utf-8", "replace")
        self.skip()
        return None if is_blank(text) else text

    def _keep(self, part: bytes) -> None:
        if part and len(self._rest) < LONGEST:
            self._rest += part[: LONGEST - len(self._rest)]
            self._new = True

    def _unescaped(self, data: bytes) -> bytes:
        self._held = b""
        begun = _BEGUN.search(data, max(0, len(data) - _HELD))
        if begun:
            self._held = begun[0]
            data = data[: begun.start()]
        data = _MOVES.sub(b"" if self._lines else b"\n", data)
        return unescaped(data)


def unescaped(data: bytes) -> bytes:
    """Return it without escape sequences, and without an ESC that begins none."""
    return _ESCAPE.sub(b"", data).replace(b"\x1b", b"")


def is_blank(piece: str) -> bool:
    """Whether there is nothing to be seen in it."""
    return not piece or piece.isspace()
