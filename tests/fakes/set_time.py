"""A client's module `time`: it passes by the client's own sleep, and as a test sets it."""

from __future__ import annotations


class SetTime:
    """`now` in seconds; `slept` are the pauses so far."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds, steady."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Be later at once."""
        self.slept.append(seconds)
        self.now += seconds
