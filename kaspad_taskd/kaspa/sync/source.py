"""Whether a log that is followed tells anything: whose lines come, and how long none has come."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kaspad_taskd.base.frozen import replace
from kaspad_taskd.core.observation import Hint
from kaspad_taskd.kaspa.sync.death import DEATHS
from kaspad_taskd.kaspa.sync.lines import Line, begins_as_kaspad, understand_said, written
from kaspad_taskd.kaspa.sync.story import Story, fold
from kaspad_taskd.kaspa.sync.wrapping import Said, bare

STRANGE = 20
"""Lines from which on something would have been kaspad's."""
STRANGE_LATER = 500
"""The same where kaspad's were seen before: a panic's backtrace is long."""
SILENT_MS = 3_600_000
"""kaspad writes a line every 10 s, but none at all with `--loglevel=warn`."""
MOST = 1_000_000
_NAMED = re.compile(r"kaspad|kaspa[-_]?node", re.I)


def listen(story: Story, lines: Iterable[str], now_ms: int) -> Story:
    """Return the story with what a log that can be read has grown by, however it is wrapped.

    Args:
        story: so far; without a `since_ms` the log's past is read.
        lines: the new ones, none where none came.
        now_ms: our wall clock; it dates what bears no stamp.
    """
    past = story.since_ms is None
    heard, strange, last = story.heard, story.strange, story.line_ms
    for said in bare(lines):
        line = understand_said(said)
        story = _voiced(story, said, line)
        if not said.text.strip() or not _counts(story, said):
            continue
        mine = _is_kaspads(story, said, line)
        heard, strange = (heard + 1, 0) if mine else (heard, strange + 1)
        last = min(now_ms, (written(said) if past else None) or now_ms)
        if mine and line is not None:
            story = fold(story, line, now_ms)
    since = now_ms if story.since_ms is None else story.since_ms
    return replace(
        story, since_ms=since, heard=min(heard, MOST), strange=min(strange, MOST), line_ms=last
    )


def _voiced(story: Story, said: Said, line: Line | None) -> Story:
    """The story with the name of who says what only kaspad says, where several share a log."""
    if said.who is None or said.who == story.voice or line is None or line.name in DEATHS:
        return story
    return replace(story, voice=said.who[:100]) if begins_as_kaspad(said) else story


def _counts(story: Story, said: Said) -> bool:
    """Whether a line is of the one that is followed, as far as it is known who that is."""
    return said.who is None or story.voice is None or said.who[:100] == story.voice


def _is_kaspads(story: Story, said: Said, line: Line | None) -> bool:
    if begins_as_kaspad(said):
        return True
    known = said.who is None or story.voice is not None or _NAMED.search(said.who) is not None
    return line is not None and known


def source_hints(story: Story, now_ms: int) -> tuple[Hint, ...]:
    """Return what is wrong with the log of a node that answers; nothing where none is followed."""
    strange = not_understood(story)
    return strange or silent(story.since_ms, story.line_ms, now_ms)


def not_understood(story: Story) -> tuple[Hint, ...]:
    """Return the hint that lines come and none is kaspad's, where that is so."""
    if story.strange < (STRANGE_LATER if story.heard else STRANGE):
        return ()
    return (Hint("log-not-understood", {"lines": story.strange}),)


def silent(since_ms: int | None, last_ms: int | None, now_ms: int) -> tuple[Hint, ...]:
    """Return the hint that a log has had no line for an hour, in whole hours.

    Args:
        since_ms: since when it is followed, None where it is not.
        last_ms: when its newest line came, None where none ever did.
        now_ms: our wall clock.
    """
    if since_ms is None:
        return ()
    hours = (now_ms - (since_ms if last_ms is None else last_ms)) // SILENT_MS
    return (Hint("log-silent", {"seconds": hours * SILENT_MS // 1000}),) if hours >= 1 else ()
