"""What kaspad's log has told so far: it refines what the RPC shows, and never replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from kaspad_taskd.core.observation import Json
from kaspad_taskd.kaspa.sync.lines import Line, stamp

KEPT_ERRORS = 8
ERROR_SPAN_MS = 3_600_000

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


@dataclass(frozen=True, slots=True)
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
        prompt: kaspad asked a question at its start and got no answer.
        appdir: its data directory.
    """

    stage: str | None = None
    kind: str | None = None
    done: int | None = None
    total: int | None = None
    header_ms: int | None = None
    ibd_ms: int | None = None
    errors: tuple[int, ...] = ()
    proofs: int = 0
    prompt: bool = False
    appdir: str | None = None

    def errors_since(self, now_ms: int) -> int:
        """How many downloads broke off within the last hour."""
        return sum(now_ms - ERROR_SPAN_MS < at <= now_ms for at in self.errors)

    def to_json(self) -> dict[str, Json]:
        """Return what differs from an empty story."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if value != getattr(_EMPTY, key)
        }


def from_json(data: Any) -> Story:
    """Return the story that `to_json` wrote; anything of a wrong kind is left out."""
    if not isinstance(data, Mapping):
        return _EMPTY
    kinds: dict[str, type] = {"prompt": bool, "stage": str, "kind": str, "appdir": str}
    taken: dict[str, Any] = {}
    for item in fields(Story):
        value = data.get(item.name)
        if item.name == "errors" and isinstance(value, list):
            taken["errors"] = tuple(at for at in value if type(at) is int)[-KEPT_ERRORS:]
        elif type(value) is kinds.get(item.name, int):
            taken[item.name] = value
    return Story(**taken)


def fold(story: Story, line: Line, now_ms: int) -> Story:
    """Return the story with one more line; `now_ms` dates a line without a stamp."""
    at = line.at_ms or now_ms
    if line.name in _OVER:
        story = replace(story, stage=None, done=None, total=None, header_ms=None)
        if line.name == "ibd_err":
            story = replace(story, errors=(*story.errors, at)[-KEPT_ERRORS:])
    elif line.name in STAGES:
        story = _enter(story, line, at)
    elif line.name == "utxoindex" and story.stage == "utxo":
        # Said at every start and staging commit too; here, the index is built over a full set.
        story = replace(story, stage="utxoindex", done=None, total=None)
    elif line.name == "appdir":
        story = replace(story, appdir=line.groups["d"][:500])
    if line.name == "rejected":
        return replace(story, prompt=True)
    return replace(story, prompt=story.prompt and line.name not in _ANSWERS)


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
