"""The command line's grammar: two ways to the same options."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli import durations, options
from kaspad_taskd.cli.faults import UsageFault
from kaspad_taskd.cli.options import parse
from kaspad_taskd.cli.quick import options_of

WORD = st.sampled_from(
    ["list", "status", "watch", "kaspa-node", "--json", "--ascii", "--socket", "/x/rpc.sock",
     "--color", "never", "--timeout", "5", "--ids", "--socket=/y", "--", "-h", "--jso", "x y", ""]
)  # fmt: skip


@given(st.lists(WORD, max_size=6))
def test_the_short_way_means_the_same(argv: list[str]) -> None:
    """What is understood without argparse, argparse understands alike."""
    quick = options_of(argv)
    if quick is not None:
        whole = {"help": False, "version": False} if not quick.verb else {}
        assert vars(quick) | whole == vars(options.parse(argv))


def test_the_common_command_lines_take_the_short_way() -> None:
    """Prompts and monitors ask like this."""
    for argv in ([], ["status"], ["list"], ["status", "x", "--json"], ["--socket", "/s", "list"]):
        assert options_of(argv) is not None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("10s", 10), ("1min 30s", 90), ("3h", 10_800), ("500ms", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    """A bare number is seconds; units add up."""
    assert durations.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "0", "x", "10 parsecs", "1.2.3s", ".", "-5", "1h1", "nan"])
def test_no_duration(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(argparse.ArgumentTypeError, match="is no duration"):
        durations.duration(text)


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    """No text does anything else, or hangs."""
    try:
        assert durations.duration(text) > 0
    except argparse.ArgumentTypeError:
        pass


def test_options_may_stand_anywhere() -> None:
    """Before the verb, after it, between KEY=VALUE words."""
    found = options.parse(["--json", "report", "x", "a=1", "--progress", "4", "b=2", "--ascii"])
    assert (found.json, found.ascii, found.task, found.pairs) == (True, True, "x", ["a=1", "b=2"])
    assert options.parse(["--timeout", "5", "wait", "x"]).timeout == 5
    assert options.parse(["wait", "x", "--timeout", "3h"]).timeout == 10_800


def test_every_verb_has_its_parser() -> None:
    """Each verb's parser is built alone, and all of them together for the completions."""
    for verb in options.VERBS:
        assert verb in options.parser_of(verb).format_help()
    text = options.full_parser().format_help()
    assert all(verb in text for verb in options.VERBS)


def test_a_wrong_word_names_its_help() -> None:
    """The fault says where help stands: the verb's own."""
    with pytest.raises(UsageFault) as fault:
        options.parse(["wait"])
    assert fault.value.help_command == "kaspad-taskctl wait --help"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stauts", ": did you mean status or start?"),
        ("evnts", ": did you mean events?"),
        ("Doctor", ": did you mean doctor?"),
        ("stop", ": did you mean pause or cancel?"),
        ("logs", ": did you mean events?"),
        ("xyzzy", ""),
        ("kaspa-node", ""),
    ],
)
def test_a_verb_that_is_none_gets_the_one_that_was_meant(typed: str, meant: str) -> None:
    """Whether it is mistyped or another program's; where nothing is near, nothing is guessed."""
    with pytest.raises(UsageFault) as fault:
        parse([typed, "--json"])
    assert str(fault.value) == f"{typed} is no verb of kaspad-taskctl{meant}"


def test_what_stands_for_another_word_is_a_verb() -> None:
    """A guess that is none would lead nowhere."""
    assert {verb for meant in options._ELSEWHERE.values() for verb in meant} <= options.VERBS.keys()
    assert not options._ELSEWHERE.keys() & options.VERBS.keys()
