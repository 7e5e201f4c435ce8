"""Instructions of the hot paths: none of them becomes heavier by accident."""

from __future__ import annotations

import shutil

import pytest

from benchmarks import counts


@pytest.mark.timeout(counts.TIMEOUT + 30)
def test_no_hot_path_takes_a_tenth_more_instructions_than_is_written() -> None:
    """A Python that no numbers are there for prints its own, and passes."""
    why = counts.obstacle()
    if why is not None:
        pytest.skip(why)
    found = counts.measure()
    known = counts.stored().get(counts.key(), {})
    print(counts.key(), *counts.table(found, known), sep="\n")
    assert set(known) <= set(found), "one is counted no more: ./dev bench counts"
    assert counts.risen(found, known) == []


def test_a_rise_beyond_a_tenth_is_told_with_its_cure() -> None:
    """What became lighter, and what nothing is written for, is none."""
    known = {"step": 1000, "codec": 1000, "dispatcher": 1000}
    found = {"step": 1101, "codec": 1100, "dispatcher": 500, "new": 7}
    [said] = counts.risen(found, known)
    assert said.startswith("step: +10.1% instructions")
    assert "./dev bench counts" in said


def test_each_number_is_of_a_piece_of_work_and_there_are_those_of_both_debians() -> None:
    """They are what CI runs on."""
    from benchmarks.counted import WORK

    stored = counts.stored()
    assert all(set(known) == set(WORK) for known in stored.values())
    assert {"3.11, Debian, x86_64", "3.13, Debian, x86_64"} <= stored.keys()


def test_without_valgrind_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert counts.obstacle() == (
        "counts instructions: valgrind and vgdb not found (apt install valgrind)"
    )
