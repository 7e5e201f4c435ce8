"""What is promised, how often it was put to the test, and where it was broken."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

KEPT = 20
"""Accounts of breaks that are kept of each promise; the rest is counted."""


@dataclass
class Promise:
    """One promise.

    Attributes:
        says: what is promised.
        tried: how often it was put to the test.
        broken: how often it did not hold.
        accounts: what happened, the first few times.
        measured: figures beside it, by name.
    """

    says: str
    tried: int = 0
    broken: int = 0
    accounts: list[str] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)

    def held(self, holds: bool, account: str = "") -> None:
        """Count one test of it."""
        self.tried += 1
        if holds:
            return
        self.broken += 1
        if len(self.accounts) < KEPT:
            self.accounts.append(f"{time.strftime('%H:%M:%S')} {account}")

    def most(self, name: str, value: float) -> None:
        """Keep the largest of a figure."""
        self.measured[name] = max(value, self.measured.get(name, value))


class Promises:
    """All of them, by what they are about."""

    def __init__(self) -> None:
        self.changes = Promise("what was acknowledged is there, after any harm")
        self.reactions = Promise("a reaction whose event was put on record as done runs no more")
        self.events = Promise("who follows gets each event once, in order, or is told of a gap")
        self.doors = Promise("both doors answer a newcomer within a second")
        self.log = Promise("the log stays under 1 MB an hour, without a traceback")
        self.memory = Promise("memory stays flat under load")
        self.files = Promise("descriptors stay flat under load")
        self.starts = Promise("a start comes up, whatever was left behind")

    def all(self) -> list[Promise]:
        """In the order in which they are told."""
        return list(vars(self).values())

    def table(self) -> str:
        """The list that a run ends with, in Markdown."""
        rows = ["| promise | put to the test | broken | measured |", "|---|---|---|---|"]
        for one in self.all():
            figures = ", ".join(f"{name} {value:g}" for name, value in one.measured.items())
            rows.append(f"| {one.says} | {one.tried:,} | {one.broken:,} | {figures} |")
        rows += [f"{one.says}: {account}" for one in self.all() for account in one.accounts]
        return "\n".join(rows)
