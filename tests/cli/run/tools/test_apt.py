"""apt-get: its status, or the packages that it names."""

from __future__ import annotations

import pytest

from kaspad_taskd.cli.run.tools.apt import TOOL
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, WARNING
from tests.cli.run.corpus import load
from tests.cli.run.tools.playing import checked, ended, percents, read

PLAN = "2 upgraded, 1 newly installed, 1 to remove and 124 not upgraded."


def test_the_status_is_of_two_phases() -> None:
    """The last is not 100: the exit code is the end."""
    said = [each.reading for each in checked("apt-get-status")]
    assert list(dict.fromkeys(each.phase for each in said)) == ["downloading", "installing"]
    assert {each.unit for each in said} == {"percent"}
    assert percents(checked("apt-get-status"))[-1] < 95
    assert percents(checked("apt-get-remove-status"))[-1] < 95
    assert load("apt-get-status").ending().outcome == COMPLETE


def test_without_a_status_packages_are_counted() -> None:
    """Unpacked, set up, removed: each of those it said. A percentage of files read is none."""
    said = [each.reading for each in checked("apt-get-plain")]
    assert [each.phase for each in said[:1]] == ["downloading"]
    steps = [each for each in said if each.phase == "installing"]
    assert [each.done for each in steps] == list(range(12))
    assert {(each.total, each.unit) for each in steps} == {(12, "steps")}
    assert b"95%" in b"".join(each.data for each in load("apt-get-plain").reads)
    gone = [each.reading for each in checked("apt-get-remove")]
    assert [(each.done, each.total) for each in gone] == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_the_plan_of_apt_3() -> None:
    """`apt` of Debian 13 words it anew; apt-get does not."""
    said = [each.reading for each in checked("apt-get-apt-13")]
    assert [(each.done, each.total) for each in said] == [(done, 8) for done in range(8)]
    said = [each.reading for each in checked("apt-get-plain-13") if each.reading.done is not None]
    assert [(each.done, each.total) for each in said] == [(done, 12) for done in range(12)]


def test_a_status_goes_before_what_is_counted() -> None:
    """Of both there is one number."""
    rows = [
        PLAN,
        "pmstatus:x:12.5000:Unpacking x",
        "Unpacking x (1.0) ...",
        "Setting up x (1.0) ...",
    ]
    assert read(TOOL, "apt-get install x", *rows) == [(12.5, 100, "installing")]
    other = ["Unpacking x (1.0) over (0.9) ...", "Removing y (2) ..."]
    assert read(TOOL, "apt-get install x", PLAN, *other) == [
        (0, 7, "installing"),
        (1, 7, "installing"),
    ]


def test_lists_that_could_not_be_fetched() -> None:
    """`update` ends with 0 all the same."""
    old = (
        "W: Some index files failed to download. They have been ignored, or old ones used instead."
    )
    ending = ended(TOOL, "apt-get update", 0, old)
    assert (ending.outcome, ending.said) == (WARNING, "run.end.index-old")
    assert ended(TOOL, "apt-get update", 0, "Hit:1 x").outcome == COMPLETE


def test_how_it_ends() -> None:
    """Once dpkg has begun, it may have to be brought to its end first."""
    assert load("apt-get-missing").ending().outcome == FAILED
    assert load("apt-get-missing").ending().rerun is None
    assert load("apt-get-plain").ending(100).rerun == "run.rerun.dpkg"


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("apt-get -y install x", "-o APT::Status-Fd=2"),
        ("apt full-upgrade", "-o APT::Status-Fd=2"),
        ("apt-get -o APT::Status-Fd=5 install x", None),
        ("apt-get -oapt::status-fd=1 install x", None),
        ("apt-get clean", None),
        ("apt list", None),
    ],
)
def test_what_is_offered(command: str, flag: str | None) -> None:
    """To what takes long, unless it is told to somebody."""
    assert TOOL.offer(command.split()) == flag
