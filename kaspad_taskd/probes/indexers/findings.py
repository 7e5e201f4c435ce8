"""What an indexer's log says of now: one finding, until what follows says otherwise.

Pure. The newest line that tells something counts. A line makes a finding, which takes the place of
the one before; or it can only be said where a finding is over, and ends it; or it tells nothing. An
answer of the indexer ends them all. So nothing is told of yesterday's start all through today's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Finding(StrEnum):
    """What the newest lines tell; the value is the code of its hint."""

    NONE = ""
    MIGRATING = "indexer-migrating"
    UNSYNCED = "node-not-synced"
    NODE_LOST = "node-lost"
    DATABASE_LOST = "database-lost"
    OUTDATED = "schema-outdated"
    BROKEN = "upgrade-failed"
    PRUNED = "checkpoint-missing"
    DISK_FULL = "disk-full"
    STOPPED = "indexer-stopped"


SAYS: Final[Mapping[str, Finding]] = {
    "migrating": Finding.MIGRATING,
    "unsynced": Finding.UNSYNCED,
    "node_lost": Finding.NODE_LOST,
    "database_lost": Finding.DATABASE_LOST,
    "outdated": Finding.OUTDATED,
    "broken": Finding.BROKEN,
    "pruned": Finding.PRUNED,
    "stopped": Finding.STOPPED,
}
"""What makes a finding: by the name of the line."""

_SCHEMA: Final = frozenset({Finding.OUTDATED, Finding.MIGRATING, Finding.BROKEN})
_START: Final = _SCHEMA | {Finding.UNSYNCED, Finding.PRUNED}
"""What keeps it from going to work, and so is over where it works."""

ENDS: Final[Mapping[str, frozenset[Finding]]] = {
    "database": frozenset({Finding.DATABASE_LOST}),
    "migrated": _SCHEMA | {Finding.DATABASE_LOST},
    "node": _SCHEMA | {Finding.NODE_LOST},
    "synced": _SCHEMA | {Finding.NODE_LOST, Finding.UNSYNCED},
    "elsewhere": _START | {Finding.NODE_LOST},
    "serving": _START | {Finding.NODE_LOST, Finding.DATABASE_LOST},
    "working": _START | {Finding.DATABASE_LOST, Finding.DISK_FULL},
}
"""What can only be said where these are over. `working` is told of blocks from a queue, too: that
proves no node. A start goes on from another block (`elsewhere`) than the one that is missing."""

CHOSEN: Final = frozenset({Finding.OUTDATED, Finding.BROKEN, Finding.PRUNED})
"""What ended it for the way it was started, or for what it found: whoever starts it anew may have
changed that. A loop changes nothing."""

REPEATED: Final = frozenset({Finding.UNSYNCED, Finding.NODE_LOST})
"""What is said every 5 s for as long as it is true, where the port is closed meanwhile."""
REPEATED_MS: Final = 300_000

_LINES: Final = re.compile(
    r"(?P<migrating>Upgrading schema from v\d|Start migrating v\d"
    r"|Applying (?:migration|schema) v\d)"
    r"|(?P<migrated>Schema upgrade completed|Schema applied|Schema (?:v|version )\d+ is up to date"
    r"|Migrating v\d+ to v\d+ finished|[Mm]igration .*completed successfully)"
    r"|(?P<unsynced>Kaspad \S+ is NOT synced)"
    r"|(?P<outdated>Found outdated schema)"
    r"|(?P<pruned>Failed to fetch checkpoint block)"
    r"|(?P<ended>(?:thread '[^']{0,80}'(?: \(\d+\))? )?\bpanicked at\b)"
    r"|(?P<database_lost>pool timed out while waiting|PoolTimedOut"
    r"|error communicating with database|Unable to create schema: Io\(|Database connection FAILED"
    r"|terminating connection due to administrator command"
    r"|the database system is (?:shutting down|starting up|in recovery mode))"
    r"|(?P<broken>Unable to create schema: (?!.*(?:Found |PoolTimedOut|pool timed|Io\("
    r"|No space left|terminating connection|communicating with|database system is)))"
    r"|(?P<node_lost>Kaspad connection (?:failed|lost)|Disconnected from (?:Some\(|None)"
    r"|Error while connecting to node)"
    r"|(?P<started>^\*+ Simply Kaspa Indexer \*+$|\bsimply-kaspa-indexer v\d|\bUsing DB Path: )"
    r"|(?P<stopped>SIG(?:TERM|INT) received, (?:stopping|terminating)"
    r"|Termination signal received\. Shutting down)"
    r"|(?P<database>Connected to PostgreSQL)"
    r"|(?P<node>Connected to Kaspad |Successfully connected to RPC client)"
    r"|(?P<elsewhere>Checkpoint ignored due to user request|Block checkpoint not found)"
    r"|(?P<synced>Assuming \d+ block|Starting from (?:block|vcp)_checkpoint)"
    r"|(?P<serving>Starting web server listener)"
    r"|(?P<working>Committed \d+ )"
    r"|(?P<full>No space left on device)"
    r"|(?P<lost>Gap filler interrupted|Error in block gap filler)"
    r"|\bgap_count=(?P<found>\d{1,9})\b"
    r"|gaps_filling_in_progress=(?P<open>\d{1,9})\b"
)
"""Lines of simply-kaspa-indexer 2.3, kasia-indexer and K-transaction-processor 0.1.18."""


def understood(text: str) -> list[tuple[str, str]]:
    """Return what a line tells: names of lines, each with the number it bears, or its own words.

    Of an old compiler's program the line that tells of its end says why in the same breath.
    """
    match = _LINES.search(text)
    kind = match.lastgroup if match else None
    if match is None or kind is None:
        return []
    rest = understood(text[match.end() :]) if kind == "ended" else []
    return [(kind, match[kind]), *rest]


def thread(words: str) -> str:
    """Return which thread ended, by the words that tell it; `main` of a process ends once."""
    name = words.removesuffix("panicked at").strip()
    return "main" if name.startswith("thread 'main'") else name


def after(found: Finding, line: str, before: str = "", loops: bool = False) -> Finding:
    """Return the finding after a line; the same where it tells nothing of it.

    Args:
        found: the finding before.
        line: the name of the line, from `understood`.
        before: that of the line before.
        loops: it ends again and again, so a start alone changes nothing.
    """
    if line in SAYS:
        return SAYS[line]
    if line == "ended":  # the lines that follow say why, and nothing else does
        return Finding.NONE
    if line == "full" and before == "ended":
        return Finding.DISK_FULL
    if line == "started" and (found is Finding.STOPPED or (found in CHOSEN and not loops)):
        return Finding.NONE
    return Finding.NONE if found in ENDS.get(line, ()) else found
