"""What the rules want back at the next look: at most 4 KiB of JSON, kept with the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, field, fields
from typing import Any

from kaspad_taskd.base.frozen import frozen
from kaspad_taskd.core.observation import Json
from kaspad_taskd.kaspa.sync import story
from kaspad_taskd.kaspa.sync.story import Story

VERSION = 1
_NO_STORY = Story()


@frozen
class Run:
    """Complete looks in a row, at one node: the first of them, and how many.

    Attributes:
        at: our wall clock, ms.
        pos: the position then.
        age: of the newest block then, ms.
        last: our wall clock at the last of them, ms.
        looks: how many there were.
        seen: ms between them, of long steps a part only.
    """

    at: int
    pos: int
    age: int
    last: int
    looks: int = 1
    seen: int = 0


@frozen
class Passed:
    """The newest look at which the node was in sync.

    Attributes:
        steady: ms, of a clock that nobody sets.
        pos: the position then.
        age: of the newest block then, ms.
    """

    steady: int
    pos: int
    age: int


@frozen
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
        age: of the newest block by our wall clock, ms, negative for one ahead of it.
        ibd: it was downloading from a peer.
    """

    at: int
    pos: int | None = None
    headers: int | None = None
    blocks: int = 0
    staged: int | None = None
    rx: int | None = None
    disk: int | None = None
    age: int | None = None
    ibd: bool = False


@frozen
class Memory:
    """The rules' state between two looks.

    Attributes:
        marks: recent looks, oldest first, spanning at least 15 s where there are as many.
        phase: the phase shown.
        kind: of the download: "proof" (fresh, or long offline), "catchup", "sync"; None unknown.
        sure: the kind was seen, not guessed.
        staging: the headers under way go into a consensus of their own, told by `staged` alone.
        staged_base: headers processed when staged ones were lost: those up to it are gone.
        pass_number: 1, 2, ...
        pass_end: the newest header of this pass: reaching it ends the pass.
        best: the highest position that the node ever had.
        start: the position at which the phase began (headers: in its own count).
        blocks_start: the position at which `blocks` began, kept over passes.
        goal: where the headers of this pass have to get, in the count of `start`.
        goal_from: the log's header time that `goal` was computed from, 0 for none.
        headers_s: seconds spent downloading headers.
        headers_n: headers that came in them.
        headers_at: when headers came last and nothing else since, ms.
        still: seconds without any movement.
        idle: seconds without a download and without movement, peers connected.
        proofs: how many proofs the log had begun at the last look.
        ready: complete looks in a row, as far as they have come.
        passed: when it was in sync last.
        off: ms that the clock is ahead, as witnesses agreed, until one says that it is right.
        highs: by counter, the furthest that this epoch's work came.
        quiet: seconds without a byte from any peer.
        gossip: bytes a second that peers send without a download, as seen.
        ibd_peer: whom blocks were being downloaded from.
        ibd_connected: how long it was connected then, ms, 0 where that is not known.
        peers_tried: downloads that began and ended since anything moved.
        ids: the newest p2p ids, the last one last.
        system: the node's system id.
        bests: by system id (p2p id, where they share one), the best of other nodes behind the name.
        another_at: when another node answered last, ms.
        starts: when the node was seen to have been started anew, ms, the newest few.
        again: how often that was.
        furthest: the last phase of the node's life before this one.
        lower_since: since when a node that tells no system id is far below its best, ms.
        story: what the log has told.
        cursor: how far the log is read, the follower's own.
    """

    marks: tuple[Mark, ...] = ()
    phase: str | None = None
    kind: str | None = None
    sure: bool = False
    staging: bool = False
    staged_base: int = 0
    pass_number: int = 1
    pass_end: int | None = None
    best: int | None = None
    start: int | None = None
    blocks_start: int | None = None
    goal: int | None = None
    goal_from: int = 0
    headers_s: float = 0.0
    headers_n: int = 0
    headers_at: int | None = None
    still: float = 0.0
    idle: float = 0.0
    proofs: int = 0
    ready: Run | None = None
    passed: Passed | None = None
    off: int | None = None
    highs: Mapping[str, int] = field(default_factory=dict)
    quiet: float = 0.0
    gossip: float = 0.0
    ibd_peer: str = ""
    ibd_connected: int = 0
    peers_tried: int = 0
    ids: tuple[str, ...] = ()
    system: str | None = None
    bests: Mapping[str, int] = field(default_factory=dict)
    another_at: int = 0
    starts: tuple[int, ...] = ()
    again: int = 0
    furthest: str | None = None
    lower_since: int | None = None
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
            value = _plain(getattr(self, item.name))
            if value != item.default and (item.default is not MISSING or value):
                data[item.name] = value
        return data


def _plain(value: Any) -> Json:
    match value:
        case Story():
            return value.to_json() if value != _NO_STORY else value
        case Run() | Mark() | Passed():
            return [getattr(value, each.name) for each in fields(value)]
        case float():
            return round(value, 1)
        case tuple():
            return [_plain(each) for each in value] or value
        case Mapping():
            return dict(value)
    return value


_SHAPES: Mapping[str, type[Run] | type[Passed]] = {"ready": Run, "passed": Passed}
_KINDS: Mapping[str, tuple[type, ...]] = {
    "phase": (str,),
    "kind": (str,),
    "sure": (bool,),
    "staging": (bool,),
    "headers_s": (int, float),
    "still": (int, float),
    "idle": (int, float),
    "quiet": (int, float),
    "gossip": (int, float),
    "ibd_peer": (str,),
    "system": (str,),
    "furthest": (str,),
}
_MANY: Mapping[str, type] = {"ids": str, "starts": int}
_BY_NAME = frozenset({"highs", "bests"})


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
        elif item.name in _SHAPES:
            taken[item.name] = _whole(_SHAPES[item.name], value)
        elif item.name in _MANY:
            kind = _MANY[item.name]
            taken[item.name] = tuple(each for each in _list(value) if type(each) is kind)
        elif item.name in _BY_NAME:
            taken[item.name] = _numbers(value)
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
        and type(value[-1]) is bool
        and all(each is None or type(each) is int for each in value[:-1])
    )


def _whole(shape: type[Run] | type[Passed], value: Any) -> Run | Passed | None:
    """What has whole numbers alone in its fields."""
    fits = isinstance(value, list) and len(value) == len(fields(shape))
    return shape(*value) if fits and all(type(each) is int for each in value) else None


def _numbers(value: Any) -> Mapping[str, int]:
    known = value.items() if isinstance(value, dict) else ()
    return {name: number for name, number in known if type(number) is int}


def _mark(value: list[Any]) -> Mark:
    return Mark(*value)
