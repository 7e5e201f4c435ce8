"""What is so of every tool that there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaspad_taskd.cli.run import tools
from kaspad_taskd.cli.run.recognise import TOOLS, all_tools, recognise
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, PARTLY, WARNING
from kaspad_taskd.words.table import entry
from tests.cli.run.corpus import DATA, load, recordings
from tests.cli.run.tools.playing import checked

FOLDER = Path(tools.__path__[0])
COMMON = {"__init__", "common", "general", "options", "tool"}
FILES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in COMMON)
EVERY = all_tools()


def test_the_registry_is_what_there_is() -> None:
    """A file a tool, and its programs are those by which it is recognised."""
    assert sorted(TOOLS) == FILES
    for file, programs in TOOLS.items():
        for program in programs:
            found = recognise([program])
            assert found is not None, program
            assert sorted(found[0].programs) == sorted(programs), file


@pytest.mark.parametrize("tool", EVERY, ids=lambda tool: str(tool.name))
def test_each_can_be_listed(tool: object) -> None:
    """What it tells, where its numbers are from, and of which versions that is so."""
    name: str = tool.name  # type: ignore[attr-defined]
    for what in ("tells", "source"):
        assert isinstance(entry(f"run.tool.{name}.{what}"), str), (name, what)
    if tool.programs:  # type: ignore[attr-defined]
        assert tool.versions  # type: ignore[attr-defined]
        assert recordings(f"{name}-"), f"{name} has no recording"


@pytest.mark.parametrize("name", recordings())
def test_each_recording_is_small_and_of_its_tool(name: str) -> None:
    """And its ending is one of four, with sentences that there are."""
    assert (DATA / f"{name}.jsonl").stat().st_size < 30_000
    recording = load(name)
    assert recording.tool()[0].name == recording.head["tool"]
    tool = recording.tool()[0]
    assert any(str(recording.head["version"]).startswith(each) for each in tool.versions), name
    for code in (recording.code, -15, -2, 0, 1, 2, 255):
        ending = recording.ending(code)
        assert ending.outcome in (COMPLETE, WARNING, PARTLY, FAILED)
        assert (ending.outcome in (COMPLETE, WARNING)) <= (code == 0 or ending.said is not None)
        for sentence in (ending.said, ending.rerun):
            assert sentence is None or entry(sentence) is not None, sentence


@pytest.mark.parametrize("name", recordings())
def test_each_recording_is_read(name: str) -> None:
    """It never falls within a phase, never is 100 %, never is ahead of what was there by then."""
    checked(name)


@pytest.mark.parametrize("tool", EVERY, ids=lambda tool: str(tool.name))
@settings(max_examples=30)
@given(
    arguments=st.lists(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(
                ["-C", "-j", "9" * 40, "--", "-", "-C0", "--json", "-P", "-o", "install"]
            ),
        ),
        max_size=6,
    )
)
def test_any_command_line_is_taken(tool: object, arguments: list[str]) -> None:
    """Whatever stands in it: what is offered and asked for is a text or nothing."""
    argv = [tool.name, *arguments]  # type: ignore[attr-defined]
    tool.reader(argv)  # type: ignore[attr-defined]
    assert isinstance(tool.offer(argv), str | None)  # type: ignore[attr-defined]
    assert tool.asking(argv) in (None, "SIGUSR1")  # type: ignore[attr-defined]
