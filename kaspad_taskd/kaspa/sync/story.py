"""What kaspad's log has told so far: it refines what the RPC shows, and never replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from kaspad_taskd.base.frozen import frozen, replace
from kaspad_taskd.core.observation import Json
from kaspad_taskd.kaspa.sync import death as deaths
from kaspad_taskd.kaspa.sync.lines import Line, stamp

KEPT_ERRORS = 8
KEPT_STARTS = 16
ERROR_SPAN_MS = 3_600_000
LAST_WORDS_MS = 60_000
"""A process that ends may say something else for so long."""
FUTURE = "the block timestamp is too far into the future"
GIVEN_UP = "timeout expired"

STAGES: Mapping[str, str] = {
    "ibd_start": "negotiating",
    "type_sync": "headers",
    "type_catchup": "headers",
    "proof_start": "proof",
    "proof_chunk": "proof",
    "proof_recv": "proof",
    "proof_level": "proof",
    "trusted_start": "proof",
    "trusted": "proof",
    "trusted_done": "headers",
    "headers": "headers",
    "catchup_pp": "trusted_bodies",
    "trusted_bodies": "trusted_bodies",
    "staging": "smt",
    "smt_start": "smt",
    "smt_again": "smt",
    "smt": "smt",
    "utxo_start": "utxo",
    "utxo_again": "utxo",
    "go_utxo": "utxo",
    "utxo": "utxo",
    "utxo_done": "utxo",
    "bodies_search": "blocks",
    "blocks": "blocks",
}
"""Line to phase. What is not here changes no phase."""

KINDS: Mapping[str, str] = {"type_sync": "sync", "type_catchup": "catchup", "proof_start": "proof"}
_OVER = frozenset({"start", "stopped", "stopping", "ibd_ok", "ibd_err"})
_ANSWERS = frozenset({"grpc", "ibd_start", "ibd_ok", "monitor", "relay"})


@frozen
class Story:
    """What the lines read so far add up to.

    Attributes:
        stage: the phase that the last telling line belongs to, or None (no download on).
        kind: of the running download: "proof", "sync", "catchup".
        done: the stage's own count: headers, lanes, entries, proof levels.
        total: its total, where the log names one (lanes).
        header_ms: time of the newest header downloaded.
        ibd_ms: when the download began; its target is the network's tip of that moment.
        errors: when downloads broke off, ms, the newest few.
        proofs: how many times a headers proof was begun.
        appdir: its data directory.
        death: why it ended, a word of `death.DEATHS`, until it is seen alive again.
        died_ms: when that was said.
        again: it was started since then.
        starts: when it was started, ms, the newest few.
        given_up: when peers that sent a download fell silent and were given up, the newest few.
        future_blocks: blocks that were too new for this host's clock, each within an hour of the
            one before.
        future_ms: when the newest of them came.
        since_ms: since when the log is followed and can be read, None where it is not.
        line_ms: when its newest line came.
        heard: lines of kaspad's so far.
        strange: lines since the newest of them.
        voice: what a log of several programs calls it: a service, a tag.
    """

    stage: str | None = None
    kind: str | None = None
    done: int | None = None
    total: int | None = None
    header_ms: int | None = None
    ibd_ms: int | None = None
    errors: tuple[int, ...] = ()
    proofs: int = 0
    appdir: str | None = None
    death: str | None = None
    died_ms: int | None = None
    again: bool = False
    starts: tuple[int, ...] = ()
    given_up: tuple[int, ...] = ()
    future_blocks: int = 0
    future_ms: int | None = None
    since_ms: int | None = None
    line_ms: int | None = None
    heard: int = 0
    strange: int = 0
    voice: str | None = None

    @property
    def prompt(self) -> bool:
        """Whether kaspad asked a question at its start and got no answer."""
        return self.death == deaths.PROMPT

    def errors_since(self, now_ms: int) -> int:
        """How many downloads broke off within the last hour."""
        return _within(self.errors, now_ms)

    def starts_since(self, now_ms: int) -> int:
        """How many times it was started within the last hour."""
        return _within(self.starts, now_ms)

    def given_up_since(self, now_ms: int) -> int:
        """How many peers were given up within the last hour."""
        return _within(self.given_up, now_ms)

    def future_blocks_since(self, now_ms: int) -> int:
        """How many blocks were too new for this clock, 0 where the newest is an hour old."""
        recent = self.future_ms is not None and _within((self.future_ms,), now_ms)
        return self.future_blocks if recent else 0

    def to_json(self) -> dict[str, Json]:
        """Return what differs from an empty story."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if value != getattr(_EMPTY, key)
        }


_WORDS: Mapping[str, type] = {
    "again": bool,
    "stage": str,
    "kind": str,
    "appdir": str,
    "death": str,
    "voice": str,
}
_MOMENTS: Mapping[str, int] = {
    "errors": KEPT_ERRORS,
    "given_up": KEPT_ERRORS,
    "starts": KEPT_STARTS,
}
"""How many are kept."""


def from_json(data: Any) -> Story:
    """Return the story that `to_json` wrote; anything of a wrong kind is left out."""
    if not isinstance(data, Mapping):
        return _EMPTY
    taken: dict[str, Any] = {}
    for item in fields(Story):
        value = data.get(item.name)
        kept = _MOMENTS.get(item.name)
        if kept is not None:
            moments = value if isinstance(value, list) else []
            taken[item.name] = tuple(at for at in moments if type(at) is int)[-kept:]
        elif type(value) is _WORDS.get(item.name, int):
            taken[item.name] = value
    if data.get("prompt") is True:  # as an earlier version wrote it
        taken["death"] = deaths.PROMPT
    return Story(**taken)


def fold(story: Story, line: Line, now_ms: int) -> Story:
    """Return the story with one more line; `now_ms` dates a line without a stamp."""
    at = line.at_ms or now_ms
    if line.name in _OVER:
        story = replace(story, stage=None, done=None, total=None, header_ms=None)
    elif line.name in STAGES:
        story = _enter(story, line, at)
    elif line.name == "utxoindex" and story.stage == "utxo":
        # Said at every start and staging commit too; here, the index is built over a full set.
        story = replace(story, stage="utxoindex", done=None, total=None)
    elif line.name == "appdir":
        story = replace(story, appdir=line.groups["d"][:500])
    return _fate(_troubles(story, line, at), line, at)


def _troubles(story: Story, line: Line, at: int) -> Story:
    """What goes wrong while it runs: downloads that break off, silent peers, a clock behind."""
    if line.name == "ibd_err":
        story = replace(story, errors=(*story.errors, at)[-KEPT_ERRORS:])
    said = line.groups.get("err", "")
    if said.startswith(GIVEN_UP) and line.groups.get("flow") == "IbdFlow":
        story = replace(story, given_up=(*story.given_up, at)[-KEPT_ERRORS:])
    if FUTURE in said:
        count = story.future_blocks_since(at) + 1
        story = replace(story, future_blocks=min(count, 1_000_000), future_ms=at)
    return story


def _fate(story: Story, line: Line, at: int) -> Story:
    """Starts, and why it ended, until it is seen alive again."""
    if line.name == "start":
        starts = (*story.starts, at)[-KEPT_STARTS:]
        return replace(story, starts=starts, again=story.death is not None)
    word = deaths.DEATHS.get(line.name)
    if word is not None:
        known = None if story.again else story.death
        if deaths.tells_more(word, known):
            return replace(story, death=word, died_ms=at, again=False)
        return story
    if story.death is not None and line.name in _ANSWERS and _lives(story, line):
        return alive(story)
    return story


def _lives(story: Story, line: Line) -> bool:
    """Whether a line of a running node is more than the last words of the one that ended."""
    later = line.at_ms is not None and line.at_ms > (story.died_ms or 0) + LAST_WORDS_MS
    return story.again or later


def alive(story: Story) -> Story:
    """Return the story of a node that is seen alive: why it once ended does not matter now."""
    return replace(story, death=None, died_ms=None, again=False)


def answered(before: Story, after: Story, now_ms: int) -> Story:
    """Return the story of a node that answers: it is alive, unless it has died just now.

    Args:
        before: of the look before this one.
        after: with the lines that this look has read.
        now_ms: our wall clock.
    """
    old = (after.died_ms or 0) < now_ms - LAST_WORDS_MS
    return alive(after) if old or after.died_ms == before.died_ms else after


def _within(moments: tuple[int, ...], now_ms: int) -> int:
    return sum(now_ms - ERROR_SPAN_MS < at <= now_ms for at in moments)


def _enter(story: Story, line: Line, at: int) -> Story:
    stage = STAGES[line.name]
    if stage != story.stage:
        story = replace(story, stage=stage, done=None, total=None, header_ms=None)
    if line.name == "ibd_start":
        return replace(story, ibd_ms=at, kind=None)
    story = replace(story, kind=KINDS.get(line.name, story.kind))
    if line.name == "proof_start":
        story = replace(story, proofs=story.proofs + 1)
    return _count(story, line)


def _count(story: Story, line: Line) -> Story:
    groups = line.groups
    if line.name in ("headers", "smt", "utxo", "utxo_done"):
        total = int(groups["t"]) if line.name == "smt" else None
        story = replace(story, done=int(groups["n"]), total=total)
    elif "lvl" in groups:
        story = replace(story, done=int(groups["lvl"]))
    if line.name == "headers":
        return replace(story, header_ms=stamp(groups["t"]) if "t" in groups else story.ibd_ms)
    return story


_EMPTY = Story()
