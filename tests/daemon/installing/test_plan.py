"""What is made, replaced, removed or left: by what shall be, what was made, and what is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.daemon.installing.plan import (
    DIRECTORY,
    Act,
    Made,
    Piece,
    Plan,
    to_install,
    to_remove,
)

UNIT = Piece("/u", b"new", source="/opt/u")
NEW = UNIT.digest
OLD, OTHERS = Piece("/u", b"old").digest, Piece("/u", b"others").digest
SETTINGS = Piece("/etc/s", b"new", kept=True)


def acts(plan: Plan) -> list[tuple[Act, str]]:
    return [(step.act, step.path) for step in plan.steps]


def test_what_is_not_there_is_made_and_what_is_there_already_is_ours() -> None:
    """A second run, too, finds it as it shall be."""
    plan = to_install([UNIT], {}, {})
    assert acts(plan) == [(Act.MAKE, "/u")]
    assert plan.before == {"/u": Made((NEW,), pending=True)}
    assert plan.after == {"/u": Made((NEW,))}
    again = to_install([UNIT], plan.after, {"/u": NEW})
    assert (again.steps, again.left, again.after) == ((), (), plan.after)


def test_an_update_replaces_what_nobody_changed() -> None:
    """While it does both are ours; afterwards the new one is."""
    plan = to_install([UNIT], {"/u": Made((OLD,))}, {"/u": OLD})
    assert acts(plan) == [(Act.REPLACE, "/u")]
    assert plan.before == {"/u": Made((OLD, NEW))}
    assert plan.after == {"/u": Made((NEW,))}


def test_what_somebody_changed_or_made_is_left_and_named() -> None:
    """With the file that ours would come from; the list still knows what ours was."""
    made = {"/u": Made((OLD,))}
    plan = to_install([UNIT], made, {"/u": OTHERS})
    assert (plan.steps, plan.left, plan.after) == ((), (("/u", "/opt/u"),), made)
    strange = to_install([UNIT], {}, {"/u": OTHERS})
    assert (strange.steps, strange.left, strange.after) == ((), (("/u", "/opt/u"),), {})


def test_settings_that_were_removed_are_not_made_again() -> None:
    """By dpkg's rule for conffiles; a unit is."""
    made = {"/etc/s": Made((SETTINGS.digest,), kept=True), "/u": Made((NEW,))}
    plan = to_install([SETTINGS, UNIT], made, {})
    assert acts(plan) == [(Act.MAKE, "/u")]


def test_settings_that_were_never_made_are_made_by_the_next_run() -> None:
    """A run that was interrupted before them had announced them: nobody has removed anything."""
    cut = to_install([SETTINGS], {}, {})
    assert acts(to_install([SETTINGS], cut.before, {})) == [(Act.MAKE, "/etc/s")]
    assert acts(to_install([SETTINGS], cut.after, {})) == []


def test_what_is_no_longer_shipped_is_removed_unless_it_was_changed() -> None:
    """Settings stay."""
    made = {"/a": Made((OLD,)), "/b": Made((OLD,)), "/etc/s": Made((OLD,), kept=True)}
    plan = to_install([], made, {"/a": OLD, "/b": OTHERS, "/etc/s": OLD})
    assert acts(plan) == [(Act.REMOVE, "/a")]
    assert plan.left == (("/b", None),)
    assert plan.before == made
    assert plan.after == {"/etc/s": made["/etc/s"]}


def test_removing_takes_what_the_list_says_and_nothing_else() -> None:
    """Not what was changed, nor settings and directories of the administrator."""
    made = {"/a": Made((OLD, NEW)), "/b": Made((OLD,)), "/c": Made((OLD,)),
            "/etc/s": Made((OLD,), kept=True), "/etc/d": Made((DIRECTORY,), kept=True)}  # fmt: skip
    found = {"/a": NEW, "/b": OTHERS, "/etc/s": OTHERS, "/etc/d": DIRECTORY, "/strange": OLD}
    plan = to_remove(made, found)
    assert acts(plan) == [(Act.REMOVE, "/a")]
    assert plan.left == (("/b", None),)
    assert plan.kept == ("/etc/s", "/etc/d")


CONTENT = st.sampled_from([b"1", b"2", b"3"])
PATHS = st.sampled_from(["/a", "/b", "/etc/c", "/etc/d"])
TREES = st.dictionaries(PATHS, CONTENT)


def pieces(tree: dict[str, bytes]) -> list[Piece]:
    return [Piece(path, data, kept=path.startswith("/etc")) for path, data in tree.items()]


def digests(tree: dict[str, bytes]) -> dict[str, str]:
    return {piece.path: piece.digest for piece in pieces(tree)}


def carry(plan: Plan, host: dict[str, bytes], steps: int | None = None) -> None:
    for step in plan.steps[:steps]:
        if step.piece is None:
            del host[step.path]
        else:
            assert step.piece.data is not None
            host[step.path] = step.piece.data


@given(st.lists(st.tuples(TREES, TREES, st.integers(0, 6)), min_size=1, max_size=4), TREES)
def test_whatever_is_interrupted_no_file_of_others_is_touched(
    rounds: list[tuple[dict[str, bytes], dict[str, bytes], int]], last: dict[str, bytes]
) -> None:
    """Versions come, somebody edits, runs are cut anywhere: what is left in the end is theirs.

    "theirs" is what each path has from somebody else since we last wrote it.
    """
    host: dict[str, bytes] = {}
    made: dict[str, Made] = {}
    theirs: dict[str, bytes] = {}

    def ours_must_spare(plan: Plan, count: int) -> None:
        known = {each for entry in plan.before.values() for each in entry.digests}
        for step in plan.steps[:count]:
            if step.path in theirs:  # only where they wrote what we had written there ourselves
                assert Piece("", theirs.pop(step.path)).digest in known

    for shipped, edited, cut in rounds:
        plan = to_install(pieces(shipped), made, digests(host))
        ours_must_spare(plan, cut)
        carry(plan, host, cut)
        made = dict(plan.after if cut >= len(plan.steps) else plan.before)
        host |= edited
        theirs |= edited
    plan = to_install(pieces(last), made, digests(host))
    ours_must_spare(plan, len(plan.steps))
    carry(plan, host)
    again = to_install(pieces(last), plan.after, digests(host))
    assert again.steps == ()
    end = to_remove(plan.after, digests(host))
    carry(end, host)
    assert set(theirs) - {step.path for step in end.steps} <= set(host)
