"""What is known of a program: how its progress is read, what its exit code means.

A tool is pure: it is given pieces of text, never a file descriptor, process or clock.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    class Reader(Protocol):
        """Reads one run of a tool; it has a memory of what it has read."""

        def read(self, stream: int, piece: str, whole: bool = True) -> Reading | None:
            """Return what a piece says, or None: nothing of progress. Never fails.

            Args:
                stream: 1 standard output, 2 standard error (on a terminal all is 1).
                piece: what stood between two of CR, LF and runs of backspaces, without escapes;
                    also what is pending after a silence, so it may grow and come again.
                whole: it has ended, it is not what is pending.
            """

    class Tool(Protocol):
        """A program, or a way of reading any (`json:`, `percent:`, `lines:`)."""

        @property
        def name(self) -> str:
            """As its sentences know it: run.tool.NAME.tells and .source (of what it knows)."""

        @property
        def programs(self) -> Sequence[str]:
            """Base names of the programs that are this tool; none: it is chosen by `--as` alone."""

        @property
        def versions(self) -> Sequence[str]:
            """Those that its reader was made for, by recordings."""

        @property
        def lines(self) -> bool:
            """It is given lines: its pieces end at LF alone, and blank ones are among them."""

        def reader(self, argv: Sequence[str]) -> Reader:
            """Return a new reader for a run with these arguments (argv[0] is the program)."""

        def ending(self, code: int, reader: Reader, argv: Sequence[str]) -> Ending:
            """Say what an exit code (0 to 255, or -n: killed by signal n) means here."""

        def offer(self, argv: Sequence[str]) -> str | None:
            """Return the flags with which this run would tell more on a pipe, or None."""

        def asking(self, argv: Sequence[str]) -> str | None:
            """Return the signal that makes it tell how far it is ("SIGUSR1"), or None."""


class Reading:
    """How far a tool says it is, of the phase that it is in.

    Attributes:
        phase: its name for what it does now ("receiving objects"), or None: it has but one. A
            number is of its phase; the next phase begins anew.
        done: how much is done, in `unit`, or None: not known.
        total: how much there is in all, or None: not known, and there is no percentage then.
        unit: what is counted: "bytes", "files", "percent" (total 100), "objects", ...
        growing: the total is not the last one yet: there is a percentage at most, no time left.
        after: how many phases were before, or None: not known.
        phases: how many phases there are, or None: not known; a percentage over all is made only
            where tools count alike in all of them, else it is of the phase.
        facts: what else is worth telling, by name: plain numbers and short texts.
    """

    __slots__ = ("after", "done", "facts", "growing", "phase", "phases", "total", "unit")

    def __init__(
        self,
        done: float | None = None,
        total: float | None = None,
        unit: str = "bytes",
        phase: str | None = None,
        growing: bool = False,
        after: int | None = None,
        phases: int | None = None,
        facts: Mapping[str, str | float] | None = None,
    ) -> None:
        self.done = done
        self.total = total
        self.unit = unit
        self.phase = phase
        self.growing = growing
        self.after = after
        self.phases = phases
        self.facts = facts or {}

    @property
    def percent(self) -> float | None:
        """Of the phase: 0 to ALMOST, or None: not known. All of it is done when it has ended."""
        if self.done is None or not self.total:
            return None
        return min(100 * self.done / self.total, ALMOST)


ALMOST = 99.9
"""The highest percentage there is before the exit code: many go on for long after their 100 %."""

COMPLETE, WARNING, PARTLY, FAILED = "complete", "warning", "partly", "failed"


class Ending:
    """What the end of a run means.

    Attributes:
        outcome: COMPLETE; WARNING (complete, but something is to be said); PARTLY (something was
            left out: an error, nothing starts after it); FAILED.
        said: the sentence of words/en.json (under `run.`) that says what it was, or None.
        rerun: the sentence that says what lies there now and what another run would do, or None.
        params: what the sentences are filled with.
    """

    __slots__ = ("outcome", "params", "rerun", "said")

    def __init__(
        self,
        outcome: str,
        said: str | None = None,
        rerun: str | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> None:
        self.outcome = outcome
        self.said = said
        self.rerun = rerun
        self.params = params or {}


def by_code(code: int) -> Ending:
    """Return what an exit code means by itself: 0 is complete, all else has failed."""
    return Ending(FAILED if code else COMPLETE)
