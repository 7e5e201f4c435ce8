"""What the rules want back at the next look: at most 4 KiB of JSON, kept with the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from kaspad_taskd.core.observation import Json
from kaspad_taskd.kaspa.sync import story
from kaspad_taskd.kaspa.sync.story import Story

VERSION = 1
_NO_STORY = Story()


@dataclass(frozen=True, slots=True)
class Mark:
    """The counters of one look, for comparing later ones with.

    Attributes:
        at: our wall clock, ms.
        pos: blocks processed, DAA.
        headers: the newest header, DAA.
        blocks: the node's own block count (all that moves on a Go node amid its bodies).
        staged: headers processed since the node started, staging ones too.
        rx: bytes from peers since the node started.
        disk: bytes written since the node started.
    """

    at: int
    pos: int | None = None
    headers: int | None = None
    blocks: int = 0
    staged: int | None = None
    rx: int | None = None
    disk: int | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """The rules' state between two looks.

    Attributes:
        marks: recent looks, oldest first, spanning at least 15 s where there are as many.
        phase: the phase shown.
        kind: of the download: "proof" (fresh, or long offline), "catchup", "sync"; None unknown.
        sure: the kind was seen, not guessed.
        staging: the headers under way go into a consensus of their own, told by `staged` alone.
        pass_number: 1, 2, ...
        pass_end: the newest header of this pass: reaching it ends the pass.
        best: the highest position that the node ever had.
        start: the position at which the phase began (headers: in its own count).
        blocks_start: the position at which `blocks` began, kept over passes.
        goal: where the headers of this pass have to get, in the count of `start`.
        goal_from: the log's header time that `goal` was computed from, 0 for none.
        headers_s: seconds spent downloading headers.
        headers_n: headers that came in them.
        still: seconds without any movement.
        idle: seconds without a download and without movement, peers connected.
        proofs: how many proofs the log had begun at the last look.
        story: what the log has told.
        cursor: how far the log is read, the follower's own.
    """

    marks: tuple[Mark, ...] = ()
    phase: str | None = None
    kind: str | None = None
    sure: bool = False
    staging: bool = False
    pass_number: int = 1
    pass_end: int | None = None
    best: int | None = None
    start: int | None = None
    blocks_start: int | None = None
    goal: int | None = None
    goal_from: int = 0
    headers_s: float = 0.0
    headers_n: int = 0
    still: float = 0.0
    idle: float = 0.0
    proofs: int = 0
    story: Story = _NO_STORY
    cursor: Json = None

    @property
    def last(self) -> Mark | None:
        """The look before this one."""
        return self.marks[-1] if self.marks else None

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON; what is as in an empty memory is left out."""
        data: dict[str, Json] = {"v": VERSION}
        for item in fields(self):
            value = getattr(self, item.name)
            if value == item.default:
                continue
            if isinstance(value, Story):
                value = value.to_json()
            elif item.name == "marks":
                value = [[getattr(mark, each.name) for each in fields(mark)] for mark in value]
            data[item.name] = round(value, 1) if isinstance(value, float) else value
        return data


_KINDS: Mapping[str, tuple[type, ...]] = {
    "phase": (str,),
    "kind": (str,),
    "sure": (bool,),
    "staging": (bool,),
    "headers_s": (int, float),
    "still": (int, float),
    "idle": (int, float),
}


def from_json(data: Mapping[str, Any]) -> Memory:
    """Return the memory that `to_json` wrote; another version's, or garbage, is an empty one."""
    if data.get("v") != VERSION:
        return Memory()
    taken: dict[str, Any] = {}
    for item in fields(Memory):
        value = data.get(item.name)
        if item.name == "marks":
            taken["marks"] = tuple(map(_mark, filter(_is_mark, _list(value))))
        elif item.name == "story":
            taken["story"] = story.from_json(value)
        elif item.name == "cursor":
            taken["cursor"] = value
        elif type(value) in _KINDS.get(item.name, (int,)):
            taken[item.name] = value
    return Memory(**taken)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_mark(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == len(fields(Mark))
        and type(value[0]) is int
        and type(value[3]) is int
        and all(each is None or type(each) is int for each in value)
    )


def _mark(value: list[Any]) -> Mark:
    return Mark(*value)
