"""Takes the answers of an asked tool out of what it says: nobody but us has asked. Pure."""

from __future__ import annotations

import re

LONGEST = 4096
"""Bytes that are held back for an answer that has begun, perhaps."""
_ANSWERS = {
    # dd says the same at its end, as the last thing of all
    "dd": (rb"(?m)^\d+\+\d+ records in\n\d+\+\d+ records out\n\d+ bytes[^\n]*\n", True),
    "xz": (rb"(?m)(?:^[^\r\n]*\(\d+/\d+\)\n)?\r[^\r\n]*%[^\r\n]*\r\n", False),
}


class Sieve:
    """What a stream shows where its tool is asked.

    Args:
        tool: its name.

    Attributes:
        asked: how often it was asked; counted up before it is.
        held: what may be the begin of an answer.
    """

    def __init__(self, tool: str) -> None:
        pattern, self._is_last = _ANSWERS[tool]
        self._pattern = re.compile(pattern)
        self.asked = 0
        self.held = b""
        self._answered = 0
        self._doubt = b""

    @staticmethod
    def of(tool: str | None) -> Sieve | None:
        """Return one for a tool whose answers are known."""
        return Sieve(tool) if tool in _ANSWERS else None

    def feed(self, data: bytes) -> bytes:
        """Return what of it, and of what was held, is to be shown."""
        self._doubt = b""
        if self._answered >= self.asked and not self.held:
            return data
        self.held += data
        found = self._pattern.search(self.held)
        if found is None:
            return self.let_go() if len(self.held) > LONGEST else b""
        before, after = self.held[: found.start()], self.held[found.end() :]
        self._answered += 1
        self.held = b""
        if self._is_last and not after:
            self._doubt = found[0]
        return before + after

    def let_go(self) -> bytes:
        """Return what was held: it is no answer, and none comes."""
        held, self.held = self.held, b""
        self._answered = self.asked
        return held

    def end(self) -> bytes:
        """Return what is to be shown at the end: what was taken for an answer was its last word."""
        doubt, self._doubt = self._doubt, b""
        return self.let_go() + doubt
