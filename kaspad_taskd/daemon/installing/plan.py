"""What is to be made, replaced, removed or left, by three words on each file: pure.

What it shall be, what the list says was made, and what is found. A file that is neither somebody
has changed: it is theirs from then on, and named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from enum import Enum

from kaspad_taskd.base.frozen import frozen


@frozen
class Piece:
    """One file, link or directory of the service.

    Attributes:
        path: where it belongs, absolute.
        data: the content of a file; None for a link or a directory.
        target: what a link points to.
        kept: the administrator's, like a conffile: it stays when all else is removed, and is not
            made again once somebody has removed it.
        source: the file that it comes from, for who wants to compare.
        executable: whether a file is a program.
    """

    path: str
    data: bytes | None = None
    target: str | None = None
    kept: bool = False
    source: str | None = None
    executable: bool = False

    @property
    def digest(self) -> str:
        """What it is, in one word; the same rule as `found` by the hands."""
        if self.target is not None:
            return link_digest(self.target)
        return DIRECTORY if self.data is None else file_digest(self.data)


DIRECTORY = "directory"


def file_digest(data: bytes) -> str:
    """The digest of a file's content."""
    return hashlib.sha256(data).hexdigest()


def link_digest(target: str) -> str:
    """The digest of a link, which is what it says."""
    return f"-> {target}"


@frozen
class Made:
    """What the list says of one path.

    Attributes:
        digests: what is ours there. Two while it is being replaced: the old, or already the new.
        kept: as a piece's.
        pending: it is about to be made for the first time: nobody has removed it yet.
    """

    digests: tuple[str, ...]
    kept: bool = False
    pending: bool = False


class Act(Enum):
    """What is done with a path."""

    MAKE = "made"
    REPLACE = "replaced"
    REMOVE = "removed"


@frozen
class Step:
    """One act; `piece` is what shall be there afterwards, None where it is removed."""

    act: Act
    path: str
    piece: Piece | None = None


@frozen
class Plan:
    """Everything that is to be done.

    Attributes:
        steps: in order.
        left: paths that somebody changed, with the file that ours would come from.
        kept: paths that stay because they are the administrator's.
        before: the list to be written before the first step.
        after: the list when all steps are done.
    """

    steps: tuple[Step, ...] = ()
    left: tuple[tuple[str, str | None], ...] = ()
    kept: tuple[str, ...] = ()
    before: Mapping[str, Made] = field(default_factory=dict)
    after: Mapping[str, Made] = field(default_factory=dict)


def to_install(pieces: Iterable[Piece], made: Mapping[str, Made], found: Mapping[str, str]) -> Plan:
    """Plan what brings a host to these pieces.

    Args:
        pieces: all that shall be there.
        made: the list of earlier runs, also of one that was interrupted.
        found: the digest of each of their paths where something is.
    """
    wanted = {piece.path: piece for piece in pieces}
    steps, left = [], []
    after = {path: Made((piece.digest,), piece.kept) for path, piece in wanted.items()}
    for path, piece in wanted.items():
        act = _act(piece, made.get(path), found.get(path))
        if isinstance(act, Act):
            steps.append(Step(act, path, piece))
        elif not act:
            left.append((path, piece.source))
            after.pop(path)
            if path in made:
                after[path] = made[path]
    gone = {path: entry for path, entry in made.items() if path not in wanted}
    stale = to_remove(gone, found)
    before = {path: _both(made.get(path), entry) for path, entry in after.items()} | gone
    for step in steps:
        before[step.path] = replace(before[step.path], pending=step.act is Act.MAKE)
    return Plan(
        steps=(*steps, *stale.steps),
        left=(*left, *stale.left),
        before=before,
        after=after | {path: made[path] for path in stale.kept},
    )


def _act(piece: Piece, made: Made | None, found: str | None) -> Act | bool:
    """What to do; True: it is as it shall be, False: it is somebody else's."""
    if found is None:
        removed = made is not None and made.kept and not made.pending
        return removed or Act.MAKE
    if found == piece.digest:
        return True
    return Act.REPLACE if made is not None and found in made.digests else False


def _both(made: Made | None, entry: Made) -> Made:
    """What is ours between the list and the step."""
    old = () if made is None else made.digests
    return replace(entry, digests=tuple(dict.fromkeys((*old, *entry.digests))))


def to_remove(made: Mapping[str, Made], found: Mapping[str, str]) -> Plan:
    """Plan what takes away all that the list says was made, and nothing else."""
    steps, left, kept = [], [], []
    for path, entry in made.items():
        if path not in found:
            continue
        if entry.kept:
            kept.append(path)
        elif found[path] in entry.digests:
            steps.append(Step(Act.REMOVE, path))
        else:
            left.append((path, None))
    return Plan(steps=tuple(steps), left=tuple(left), kept=tuple(kept), before=made)
