"""What the lines of a pipe say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli.pipe_lines import FACTS, Told, read


@pytest.mark.parametrize(
    ("line", "progress", "facts"),
    [
        ("42 %", 42, {}),
        ("42%", 42, {}),
        ("42.5 %", 42.5, {}),
        ("42,5 %", 42.5, {}),
        ("  7%\t", 7, {}),
        ("0 %", 0, {}),
        ("100%", 100, {}),
        ("42", 42, {}),
        ("42/100", 42, {}),
        ("21 / 50", 42, {}),
        ("21 of 50", 42, {}),
        ("[ 42%] Building CXX object", 42, {"note": "Building CXX object"}),
        ("[42/100] cc main.c", 42, {"note": "cc main.c"}),
        ("42 % copying blocks", 42, {"note": "copying blocks"}),
        ("\x1b[32m42 %\x1b[0m", 42, {}),
        ("file=blk00017.dat", None, {"file": "blk00017.dat"}),
        ("rows=17", None, {"rows": 17}),
        ("done=true", None, {"done": True}),
        ("list=[1]", None, {"list": "[1]"}),
        ("nothing=", None, {"nothing": ""}),
        ("Copying blocks ...", None, {"note": "Copying blocks ..."}),
        ("101 %", None, {"note": "101 %"}),
        ("43/42", None, {"note": "43/42"}),
        ("0/0", None, {"note": "0/0"}),
        ("2026", None, {"note": "2026"}),
        ("11/29/2026 began", None, {"note": "11/29/2026 began"}),
        ("disk is 93 % full", None, {"note": "disk is 93 % full"}),
        ("-5 %", None, {"note": "-5 %"}),
        ("\x1b]0;title\x07x\x1b[2K", None, {"note": "x"}),
        ("y" * 900, None, {"note": "y" * 200}),
        ('{"progress": 42}', 42, {}),
        ('{"progress": 42, "metadata": {"rows": 7}, "file": "x", "in": {"a": 1}}', 42,
         {"file": "x", "rows": 7}),
        ('{"done": 21, "total": 50, "progress": null}', 42, {}),
        ('{"completed": false, "error": null}', None, {}),
        ('{"progress": 142}', None, {"note": '{"progress": 142}'}),
        ('{"progress": "42"}', None, {"note": '{"progress": "42"}'}),
        ('{"progress": NaN}', None, {"note": '{"progress": NaN}'}),
        ('{"done": 1, "total": 0}', None, {"note": '{"done": 1, "total": 0}'}),
        ('{"metadata": 3}', None, {"note": '{"metadata": 3}'}),
        ("{half", None, {"note": "{half"}),
    ],
)  # fmt: skip
def test_a_line(line: str, progress: float | None, facts: dict[str, Any]) -> None:
    """How far it is, facts, or a note; what is no share of anything is a note, whole."""
    said = read(line)
    assert said is not None
    assert (said.progress, said.facts, said.completed, said.error) == (progress, facts, False, None)


def test_an_end() -> None:
    """Said as JSON alone; a failure is no end well."""
    done, failed = read('{"completed": true, "progress": 100}'), read('{"error": "disk full"}')
    assert done is not None
    assert failed is not None
    assert done.params() == {"progress": 100, "completed": True}
    failed.add(done)
    assert failed.params() == {"progress": 100, "error": "disk full"}


@pytest.mark.parametrize("line", ["", "  ", "\x1b[2K", "\t\x07"])
def test_an_empty_line_says_nothing(line: str) -> None:
    """Nor what only moves a cursor."""
    assert read(line) is None


def test_later_words_are_laid_over_and_facts_are_bounded() -> None:
    """The newest of each name, the newest FACTS of them."""
    told = Told()
    for n in range(200):
        told.add(Told(n / 2, {f"k{n}": n, "same": n}))
    assert told.progress == 99.5
    assert len(told.facts) == FACTS
    assert (told.facts["same"], "k199" in told.facts, "k0" in told.facts) == (199, True, False)


@given(
    st.one_of(
        st.text(max_size=300),
        st.text("0123456789.,/% []of", max_size=12),
        st.dictionaries(
            st.sampled_from(["progress", "done", "total", "completed", "error", "metadata", "x"]),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                lambda inner: (
                    st.lists(inner, max_size=2)
                    | st.dictionaries(st.text(max_size=5), inner, max_size=2)
                ),
                max_leaves=4,
            ),
        ).map(json.dumps),
    )
)
def test_any_line_says_what_can_be_reported(line: str) -> None:
    """No line is an error, and reportTask could take what is made of any."""
    said = read(line)
    if said is None:
        return
    params = json.loads(json.dumps(said.params(), allow_nan=False))
    assert 0 <= params.get("progress", 0) <= 100
    for key, value in params.get("metadata", {}).items():
        assert len(key) <= 100
        assert isinstance(value, bool | int | float) or len(value) <= 200
