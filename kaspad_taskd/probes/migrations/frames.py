"""Where a PostgreSQL server's messages begin, and whether what stands there can be one.

asyncpg's parser is compiled, and believes what it reads. Bytes that are no message can hold it for
ever (0.27 to 0.32), and with it the loop; so none of them reaches it.
"""

from __future__ import annotations

from typing import Final

KINDS: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
"""First bytes of a message: all that protocol 3 has, and what it may get."""
LONGEST: Final = 1 << 20
"""Bytes of a message; the rows of a version table have some hundred."""
_OWN: Final = 4
"""Bytes of the length, which counts itself."""


class Frames:
    """Follows what a server sends, from its first message on."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._left = 0
        self._sound = True

    def sound(self, data: bytes) -> bool:
        """Return whether all that came so far, with this, can be messages."""
        at = 0
        while self._sound and at < len(data):
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
            else:
                step = 1
                self._begin(data[at])
            at += step
        return self._sound

    def _begin(self, byte: int) -> None:
        """Take a byte of a message's head: its type, and four of its length."""
        self._head.append(byte)
        if len(self._head) == 1:
            self._sound = byte in KINDS
        elif len(self._head) == 1 + _OWN:
            length = int.from_bytes(self._head[1:])
            self._sound = _OWN <= length <= LONGEST
            self._left = length - _OWN
            self._head.clear()
