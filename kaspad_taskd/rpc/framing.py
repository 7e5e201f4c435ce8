"""Bytes in, lines out. No sockets, no JSON: any cutting of the same bytes gives the same lines."""

from __future__ import annotations

from typing import Final

LIMIT: Final = 1 << 20
"""The longest request line in bytes, without its newline (contract section 3)."""


class Framer:
    """Cuts a stream into lines.

    A line comes without its newline (a carriage return before it is JSON's white space and stays).
    Empty lines are skipped. One longer than `limit` comes as None, once and as soon as it is known
    to be; the stream goes on at the next newline. At most `limit` bytes are kept between two calls.
    """

    __slots__ = ("_limit", "_rest", "_skipping")

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes | None]:
        """Return the lines that `data` completes, and None for each that is too long."""
        whole = data.split(b"\n")
        rest = whole.pop()
        if whole and (self._rest or self._skipping):
            whole[0] = self._join(whole[0])
        lines: list[bytes | None] = []
        for line in whole:
            if len(line) > self._limit:
                lines.append(None)
            elif line and not line.isspace():
                lines.append(line)
        if rest and not self._skipping:
            self._keep(rest, lines)
        return lines

    def end(self) -> list[bytes | None]:
        """Return the last line, where the stream ended without a newline."""
        return self.feed(b"\n") if self._rest else []

    def _join(self, end: bytes) -> bytes:
        """Return what was kept together with `end`; nothing of a line that is being skipped."""
        whole = b"" if self._skipping else bytes(self._rest) + end
        self._rest.clear()
        self._skipping = False
        return whole

    def _keep(self, rest: bytes, lines: list[bytes | None]) -> None:
        if len(self._rest) + len(rest) > self._limit:
            lines.append(None)
            self._rest.clear()
            self._skipping = True
        else:
            self._rest += rest
