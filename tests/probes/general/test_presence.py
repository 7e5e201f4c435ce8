"""Nothing is true of nothing: what a result rests on has to be there."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaspad_taskd import words
from kaspad_taskd.core.observation import Reading, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.general.expressions import check
from kaspad_taskd.probes.general.http_json import Nothing, understand
from kaspad_taskd.probes.general.presence import weigh
from tests.fakes.website import Reply, Website
from tests.probes.looks import look, made, read

STARTING = {"code": 503, "message": "node is starting"}


@pytest.mark.parametrize(
    ("completed", "answer"),
    [
        ("status != 'syncing'", STARTING),
        ("!data.is_syncing", STARTING),
        ("!(data.is_syncing)", STARTING),
        ("!(status == 'syncing')", STARTING),
        ("!error", STARTING),
        ("!error", {"error": None}),
        ("error == null", STARTING),
        ("error == `null`", STARTING),
        ("length(jobs || `[]`) == `0`", STARTING),
        ("(jobs || `[]`)[?running] == `[]`", STARTING),
        ("!(jobs[?running] | [0])", STARTING),
        ("!contains([phase, stage], 'running')", STARTING),
        ("!contains(keys(@), 'syncing')", STARTING),
        ("!(*.syncing | [0])", STARTING),
        ("not_null(status, 'ok') == 'ok'", STARTING),
        ("status | @ != 'syncing'", STARTING),
        ("data | !syncing", {"data": {"code": 503}}),
        ('data.[status] != `["syncing"]`', {"data": {}}),
        ("type(status) != 'string'", STARTING),
        ("left == right", STARTING),
        ("@ != 'syncing'", STARTING),
        ("`true`", STARTING),
        ("status != 'syncing'", {"status": None, "message": "x"}),
        ("status != 'syncing' && !error", {"error": False}),
        ("status == 'done'", STARTING),
    ],
)
def test_what_has_nothing_to_say_is_no_answer(completed: str, answer: Any) -> None:
    """Neither complete nor at work."""
    with pytest.raises(Nothing):
        understand({"completed": completed}, answer)


@pytest.mark.parametrize(
    ("completed", "answer"),
    [
        ("status != 'syncing'", {"status": "ok"}),
        ("!error", {"error": False}),
        ("!(data.is_syncing)", {"data": {"is_syncing": False}}),
        ("status == 'ok' && !error", {"status": "ok"}),
        ("!status || status != 'syncing'", {"status": ""}),
        ("length(jobs || `[]`) == `0`", {"jobs": []}),
        ("!(jobs[?running] | [0])", {"jobs": [{"running": False}]}),
        ("!(error || warning)", {"warning": ""}),
        ("not_null(phase, stage) == 'done'", {"stage": "done"}),
        ("!contains([phase, stage], 'running')", {"stage": "idle"}),
        ("state == 'done' || phase == 'done'", {"phase": "done"}),
        ("status | @ == 'done'", {"status": "done"}),
        ("data | !syncing", {"data": {"syncing": False}}),
        ("@ == 'done'", "done"),
        ("finished_at != `null`", {"finished_at": 5}),
        ("max_by(jobs, &n).n >= `5`", {"jobs": [{"n": 5}]}),
    ],
)
def test_what_is_there_is_taken_at_its_word(completed: str, answer: Any) -> None:
    """Absence that the expression provides for takes nothing from what is there."""
    assert understand({"completed": completed}, answer).completed is True


def test_a_field_of_another_place_will_do_for_what_may_be_absent() -> None:
    """But not for what the expression itself rests on."""
    places = {"completed": "!error", "done": "height"}
    assert understand(places, {"height": 5}).completed is True
    for completed in ("status != 'syncing'", "!(status == 'syncing')"):
        with pytest.raises(Nothing):
            understand({**places, "completed": completed}, {"height": 5})


def test_present_names_what_has_to_be_there() -> None:
    """Where all else may be absent; whatever the others say."""
    places = {"completed": "!error", "present": "height"}
    assert understand(places, {"height": 0}).completed is True
    for answer in ({}, {"height": None}, {"error": "x"}, STARTING):
        with pytest.raises(Nothing, match="there is nothing at present"):
            understand(places, answer)


def test_work_that_goes_on_may_have_nothing_to_show() -> None:
    """A date that is still null is not one that is missing by mistake."""
    assert understand({"completed": "finished_at != `null`"}, {}).completed is False


@pytest.mark.parametrize(
    "places",
    [
        {"progress": "p || `100`"},
        {"done": "not_null(d, `5`)", "total": "`5`"},
        {"error": "!ok", "progress": "p"},
        {"error": "code != `0`", "done": "rows"},
    ],
)
def test_numbers_and_failures_are_true_of_something_too(places: dict[str, str]) -> None:
    """Percent that the definition itself wrote are nobody's."""
    with pytest.raises(Nothing):
        understand(places, {"message": "node is starting"})


def test_definitions_of_earlier_versions_are_read() -> None:
    """That all of a definition may be absent is said when it matters, not refused."""
    data = {"url": "http://x/", "completed": "!error"}
    assert read("http-json", data)[1] == []
    checker, faults = read("http-json", {**data, "present": "height"})
    assert (faults, checker.config["present"]) == ([], "height")
    generic, faults = read("indexer-sync", {**data, "present": "height", "flavor": "generic"})
    assert (faults, generic.config["present"]) == ([], "height")
    assert "is no JMESPath" in read("http-json", {**data, "present": "a["})[1][0].problem


async def test_an_answer_of_another_kind_says_what_to_do() -> None:
    """More where one was read before, or where the definition would take an empty one."""
    async with Website({"/s": Reply({"status": "ok", "error": False})}) as site:
        sure = {"url": f"{site.url}/s", "completed": "status != 'syncing'"}
        seen = await look(made("http-json", sure))
        assert isinstance(seen, Reading)
        assert seen.complete
        site.replies["/s"] = Reply(STARTING)
        first, again = [await look(made("http-json", sure), each) for each in ({}, seen.memory)]
        loose = await look(made("http-json", {**sure, "completed": "!error"}))
    for missed in (first, again, loose):
        assert (type(missed), missed.reason) == (Unreachable, Reason.BAD_ANSWER)
    assert [[each.code for each in missed.hints] for missed in (first, again, loose)] == [
        [], ["answer-changed"], ["present-missing"],
    ]  # fmt: skip
    assert "as present" in (words.hint("present-missing")[1] or "")


SCRIPT = st.text(alphabet="ab[]{}.,*?@|&'`\":()<>=!0123 -", max_size=25)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=1),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(text=SCRIPT, answer=JSONS)
@example(text="a.[b,a].length(@)", answer={"a": {}})
@example(text="(a||b)[0].a|[@,b]", answer={"b": [{"a": 1}]})
@example(text="!a[?b].a || a[*].b | {a: not_null(a, b), b: a}", answer={"a": [{"b": 1}]})
def test_it_finds_what_jmespath_finds(text: str, answer: Any) -> None:
    """And what rests on nothing that is there is never there."""
    try:
        check(text)
        found = jmespath.search(text, answer)
    except Exception:
        return
    if "&" not in text:  # an expression is none's equal
        assert weigh(text, answer).value == found
    if answer in (None, {}):
        assert not weigh(text, answer).there
