"""The quick way to the options of `run` means the same as argparse's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli.faults import UsageFault
from kaspad_taskd.cli.options import parse
from kaspad_taskd.cli.run import described
from kaspad_taskd.cli.run.wish import Wish, is_run, wish_of

WORDS = st.lists(
    st.sampled_from([
        "run", "--", "--id", "a", "--id=b", "--service", "node.x", "--as", "lines:5", "--quiet",
        "--no-output", "--stall-after", "10min", "--ok-codes", "23,24", "--ok-codes=300", "-x",
        "rsync", "--socket", "/s", "--title", "t u", "--list", "", "--id", "-", "--color", "never",
    ]),
    max_size=9,
)  # fmt: skip
FIELDS = list(Wish.__slots__)


def by_argparse(argv: list[str]) -> Wish | None:
    try:
        options = parse(argv)
        return (
            None if options.verb != "run" or options.tools else described.wish_of_options(options)
        )
    except (UsageFault, SystemExit):
        return None


@given(WORDS)
def test_it_means_the_same(words: list[str]) -> None:
    """Whatever it takes, argparse takes as well, and both come to the same."""
    argv = ["run", *words]
    assert is_run(argv)
    wish = wish_of(argv)
    if wish is None:
        return
    other = by_argparse(argv)
    assert other is not None, argv
    assert [getattr(wish, each) for each in FIELDS] == [getattr(other, each) for each in FIELDS]


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["run", "--", "ls", "-l"], ["ls", "-l"]),
        (["run", "ls", "-l", "--id", "x"], ["ls", "-l", "--id", "x"]),
        (["run", "--id", "x", "--", "--strange"], ["--strange"]),
        (["--socket", "/s", "run", "--quiet", "ls", "--", "a"], ["ls", "--", "a"]),
    ],
)
def test_where_the_command_begins(argv: list[str], command: list[str]) -> None:
    """Behind `--`, or with the first word that is no option; then all is its own."""
    wish = wish_of(argv)
    assert wish is not None
    assert wish.command == command
    other = by_argparse(argv)
    assert other is not None
    assert other.command == command


def test_what_is_no_run() -> None:
    """Another verb, none, or the value of an option."""
    assert not is_run(["list"])
    assert not is_run([])
    assert not is_run(["--socket", "run", "list"])
    assert wish_of(["run"]) is None
