"""Tasks that wait for each other in a ring would wait for ever. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def find_cycle(after: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return one ring of ids, each waiting for the next, the last for the first; () for none.

    Args:
        after: whom each task waits for; ids that are no key are tasks yet to come.
    """
    settled: set[str] = set()
    for start in sorted(after):
        ring = _search(start, after, settled)
        if ring:
            return ring
    return ()


def _search(start: str, after: Mapping[str, Sequence[str]], settled: set[str]) -> tuple[str, ...]:
    """Walk depth-first from `start`, without recursion: ten thousand tasks may stand in a row."""
    path: dict[str, None] = {}
    stack = [(start, True)]
    while stack:
        id_, entering = stack.pop()
        if not entering:
            del path[id_]
            settled.add(id_)
        elif id_ in path:
            ring = list(path)
            return tuple(ring[ring.index(id_) :])
        elif id_ not in settled:
            path[id_] = None
            stack.append((id_, False))
            stack += [(other, True) for other in after.get(id_, ())]
    return ()
