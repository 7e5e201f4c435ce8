"""The page as HTML: what it says without scripts, and what it must not contain."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser

import pytest

from kaspad_taskd.web.page import TEMPLATES, Page, _json
from kaspad_taskd.words.table import entry, table
from tests.fakes.golden import golden_task
from tests.web.snapshots import event, snapshot, tasks
from tests.web.states import HOSTILE, STATES

PAGE = Page()
NODE = "node-sync-kaspa-node"
HTML_BUDGET = 14 * 1024


class _Reader(HTMLParser):
    """Collects attributes and text; the embedded JSON apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.data = ""
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in = tag
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.data += data
        elif data.strip():
            self.text.append(" ".join(data.split()))

    def ids(self) -> list[str]:
        return [value for _, name, value in self.attributes if name == "id"]


def _index(query: dict[str, str] | None = None, **changes: object) -> _Reader:
    return _Reader(PAGE.index(snapshot(**changes), query or {}))


def _task(query: dict[str, str] | None = None, **changes: object) -> _Reader:
    text = PAGE.task(snapshot(**changes), NODE, query or {})
    assert text is not None
    return _Reader(text)


EVERY = {
    "index": lambda: PAGE.index(snapshot(), {}),
    "read-only": lambda: PAGE.index(snapshot(canChange=False), {"unlock": "wrong"}),
    "empty": lambda: PAGE.index(snapshot(tasks=[], events=[]), {}),
    "many": lambda: PAGE.index(snapshot(tasks=tasks(300)), {"q": "node", "page": "2"}),
    "task": lambda: PAGE.task(snapshot(), NODE, {"range": "6h"}) or "",
    "missing": lambda: PAGE.missing(snapshot(), {}),
    "locked": lambda: PAGE.index(snapshot(tasks=[], events=[], needsToken=True), {}),
    "hostile": lambda: PAGE.index(snapshot(tasks=[STATES["hostile"]], host=HOSTILE), {}),
}


@pytest.mark.parametrize("name", EVERY)
def test_a_page_needs_no_inline_style_or_script_and_no_other_origin(name: str) -> None:
    """The strict policy holds, every URL is relative, and no id is there twice."""
    text = EVERY[name]()
    read = _Reader(text)
    for tag, attribute, value in read.attributes:
        assert attribute != "style"
        assert not attribute.startswith("on")
        if attribute in ("href", "src", "action"):
            assert re.match(r"(\.\.?/|#|\?)", value), (tag, value)
    assert "<style" not in text
    scripts = re.findall(r"<script(.*?)>", text)
    assert all('type="application/json"' in each or "src=" in each for each in scripts)
    assert len(read.ids()) == len(set(read.ids()))
    assert sum(tag == "h1" for tag in re.findall(r"<(h1)\b", text)) == 1


def test_the_page_says_the_truth_without_scripts() -> None:
    """One sentence with the time left, the trouble, the numbers, each in the server's own text."""
    text = _index().text
    for expected in (
        "kaspa-node is syncing, about 1 hour 20 min left",
        "You can close this page; the work goes on without it.",
        "1 of 5 needs attention: kasia-indexer has not answered for 6 min.",
        "Step 6 of 7: downloading blocks",
        "45.1\N{NO-BREAK SPACE}% of this step",
        "ready around 15:32 UTC",
        "As of 14:12:09 UTC",
        "not reachable for 3 min: connection refused",
    ):
        assert " ".join(expected.split()) in text, expected


def test_the_title_says_trouble_first() -> None:
    """A tab in the background shows what needs somebody, else how far it is."""
    assert "! kasia-indexer · node-1" in _index().text
    title = "71\N{NO-BREAK SPACE}% · 1 hour 20 min · node-1"
    assert " ".join(title.split()) in _index(tasks=[golden_task("kaspa-node")]).text


def test_the_embedded_json_is_the_snapshot_and_cannot_end_its_element() -> None:
    """Scripts go on from the same `seq`; no text in it closes the element."""
    hostile = {**golden_task("kaspa-node"), "service": "</script><script>alert(1)</script>"}
    read = _index(tasks=[hostile])
    data = json.loads(read.data)
    assert data["seq"] == 1042
    assert data["tasks"][0] == hostile


def test_hostile_text_stays_text() -> None:
    """Markup in names, notes and errors is shown, not read."""
    text = PAGE.index(snapshot(tasks=[STATES["hostile"]], host=HOSTILE), {})
    assert "<img" not in text
    assert "<i>" not in text
    assert "<u>" not in text


def test_buttons_are_those_that_may_be_pressed_now() -> None:
    """Allowed actions with the right, none at all without it."""
    read = _index()
    actions = [value for _, name, value in read.attributes if name == "data-action"]
    assert actions[:3] == ["check", "pause", "cancel"]
    assert "Watch again" in read.text
    assert "Unlock" not in read.text
    read_only = _index(canChange=False)
    assert not any(name == "data-action" for _, name, _ in read_only.attributes)
    assert "Unlock" in read_only.text


def test_a_row_opens_into_what_a_card_shows() -> None:
    """Without scripts too: its note, facts and buttons are there; the way to more is a link."""
    text = PAGE.index(snapshot(tasks=tasks(12)), {})
    row = text[text.index('<li class="row" id="t-indexer-sync-k-indexer"') :]
    row = row[: row.index("</details></li>")]
    head, _, body = row.partition("</summary>")
    assert "<details>\n<summary>" in head
    assert ">k-indexer</h2>" in head
    assert "Starts by itself when kaspa-node is complete." in body
    assert 'data-action="start"' in body
    assert 'href="./task/indexer-sync-k-indexer"' in body
    assert "<a " not in head
    assert "<button" not in head


def test_a_warning_stands_on_every_page_and_who_may_can_take_it_away() -> None:
    """Its note, its cure; the button only for who may change; its text stays text."""
    one = {"id": 7, "at": "2026-11-23T14:00:00.000Z", "code": "x", "params": {}, "note": HOSTILE,
           "cure": "sudo systemctl restart kaspad-taskd"}  # fmt: skip
    for read in (_index(warnings=[one]), _task(warnings=[one])):
        assert ("article", "data-warning", "7") in read.attributes
        assert ("button", "data-action", "acknowledge") in read.attributes
        assert "sudo systemctl restart kaspad-taskd" in read.text
    read = _index(warnings=[one], canChange=False)
    assert ("button", "data-action", "acknowledge") not in read.attributes
    assert ("script", "src", "evil") not in read.attributes


def test_who_may_not_read_gets_the_form_alone() -> None:
    """The form works without scripts, and tells of a wrong token."""
    read = _index({"unlock": "wrong"}, tasks=[], events=[], needsToken=True, canChange=False)
    assert ("form", "method", "post") in read.attributes
    assert ("form", "action", "./session") in read.attributes
    assert "That token is not right." in read.text
    assert not read.data


def test_an_empty_page_says_how_to_begin() -> None:
    """Two ways, ready to copy."""
    read = _index(tasks=[], events=[])
    assert "Nothing is watched yet" in read.text
    assert any('type = "node-sync"' in text for text in read.text)
    assert "kaspad-taskctl reload" in read.text


def test_a_store_that_cannot_save_is_the_first_sentence() -> None:
    """Nothing matters more."""
    problem = {"durable": False, "problem": "the disk of /var/lib is full"}
    text = _index(store=problem).text
    assert "kaspad-taskd cannot save: the disk of /var/lib is full" in text
    assert "It keeps watching; changes are refused." in text


def test_a_task_has_its_steps_record_chart_table_and_events() -> None:
    """All that is known of one task, the same without scripts."""
    read = _task()
    for expected in ("Steps", "Record", "grpc://127.0.0.1:16110", "Show as table", "26 minutes"):
        assert expected in read.text, expected
    rows = [text for text in read.text if re.fullmatch(r"1[1-4]:\d\d UTC", text)]
    assert len(rows) > 170
    assert ("li", "data-seq", "3") in read.attributes
    assert ("li", "data-seq", "5") not in read.attributes  # of another task


def test_a_task_that_is_not_there_is_none() -> None:
    """The door answers 404."""
    assert PAGE.task(snapshot(), "nobody", {}) is None
    assert "There is no such task" in _Reader(PAGE.missing(snapshot(), {})).text


def test_a_chart_shows_the_range_that_was_asked_for() -> None:
    """The link of the range shown is marked; an unknown range is all."""
    for asked, marked in (("1h", "1h"), ("6h", "6h"), ("14d", "14d"), ("nonsense", "all")):
        read = _task({"range": asked})
        place = read.attributes.index(("a", "aria-current", "true"))
        assert read.attributes[place - 1] == ("a", "href", f"?range={marked}")


def test_earlier_events_are_a_link_when_there_may_be_some() -> None:
    """A full page of events has a link to those before it."""
    events = [event(seq, "sync:paused", "12:00:00") for seq in range(100, 150)]
    assert ("a", "href", "?before=100") in _index(events=events).attributes
    assert not any(value.startswith("?before") for _, _, value in _index().attributes)


def test_the_page_of_five_tasks_is_within_its_budget() -> None:
    """14 KB packed."""
    assert len(gzip.compress(PAGE.index(snapshot(), {}).encode(), 5)) <= HTML_BUDGET
    twelve = PAGE.index(snapshot(tasks=tasks(12)), {})
    assert len(gzip.compress(twelve.encode(), 5)) <= HTML_BUDGET
    assert len(gzip.compress((PAGE.task(snapshot(), NODE, {}) or "").encode(), 5)) <= HTML_BUDGET


def test_no_sentence_stands_in_a_template() -> None:
    """Every text is in the table of words: templates hold names of programs and TOML only."""
    allowed = re.compile(r"kaspad-taskctl reload|sudo cat|type = |service = |\[checker\]|url = ")
    for path in TEMPLATES.glob("*.html"):
        bare = re.sub(r"(?s)\{[%{#].*?[%}#]\}|<[^>]*>", " ", path.read_text())
        words = [line for line in bare.splitlines() if re.search(r"[a-z]{3}", line)]
        assert [line for line in words if not allowed.search(line)] == [], path.name


def test_every_sentence_that_is_asked_for_exists() -> None:
    """A key that templates or scripts name in full is in the table."""
    sources = [*TEMPLATES.glob("*.html"), *(TEMPLATES.parent / "static").glob("*.js")]
    asked = {key for path in sources for key in re.findall(r'say\("([\w.-]+\w)"', path.read_text())}
    assert len(asked) > 60
    assert {key for key in asked if entry(key) is None} == set()
    assert "page" in table()


def test_tasks_of_one_service_have_their_ids_beside_the_name() -> None:
    """As cards and in the story, also on the page of one of them; others have the name alone."""
    one, other = golden_task("kaspa-node"), golden_task("kasia-indexer")
    two = {**golden_task("lonely"), "service": "kaspa-node", "id": "node-sync-b", "actions": []}
    known = [{**one, "actions": []}, two, {**other, "actions": []}]
    for text in (_index(tasks=known).text, _task(tasks=known).text):
        assert f"kaspa-node ({NODE})" in text
    text = _index(tasks=known).text
    assert "kaspa-node (node-sync-b)" in text
    assert "kasia-indexer" in text
    assert "kaspa-node" not in text
    assert json.loads(_index(tasks=known).data)["tasks"][0]["alike"]


def test_an_empty_page_names_the_real_directory() -> None:
    """Of a user's own daemon, or of one with --tasks."""
    read = _index(tasks=[], events=[], definitionDir="/home/me/tasks.d")
    assert "Save this as /home/me/tasks.d/node.toml" in read.text


def test_what_the_scripts_go_on_from_is_the_json_of_one_value() -> None:
    """It is written a task at a time, so that the interpreter is not held for all of them."""
    for value in (
        {"tasks": [{"b": "<é>", "a": None}, {}], "seq": 1, "a": {"z": 1, "b": [1.5]}},
        {"tasks": [], "z": ""},
        {"other": {"tasks": 1}},
        [1, "x"],
    ):
        assert _json(value, sort_keys=True) == json.dumps(value, sort_keys=True)
