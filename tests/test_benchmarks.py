"""The benchmarks' runner."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import benchmarks, runs


def test_every_benchmark_says_in_one_line_what_it_measures() -> None:
    """The list is what there is, each with a sentence."""
    assert benchmarks()
    assert all(benchmarks().values())


def test_a_name_begins_a_run_and_the_rest_are_its_arguments() -> None:
    """Several names, each with arguments of its own."""
    words = ["rpc", "--rounds", "3", "truth"]
    assert runs(words, ["rpc", "truth"]) == [("rpc", ["--rounds", "3"]), ("truth", [])]


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    """Nothing runs by accident."""
    with pytest.raises(SystemExit, match="'rcp'; there are: rpc, truth"):
        runs(["rcp"], ["rpc", "truth"])
