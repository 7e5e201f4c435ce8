"""What is committed is what the sources give, and it stands alone."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from kaspad_taskd.web.embed.src import bundle
from kaspad_taskd.words.table import table
from tests.fakes import npm

SOURCES = [*bundle.HERE.glob("*.js"), *(bundle.HERE / "../../static").glob("view.js")]
AGAIN = "make it anew: python -m kaspad_taskd.web.embed.src.bundle"
SAID = re.compile(r"""(?:say|maybe)\(\s*["`]([a-z-]+\.[\w.:-]+)["`]""")


def test_the_script_is_what_its_sources_give() -> None:
    """No build step at install time, and none that was forgotten."""
    assert bundle.SCRIPT.read_text(encoding="utf-8") == bundle.script(), AGAIN


def test_the_types_are_what_the_definitions_give() -> None:
    """The payloads' types come from the schemas that describe them everywhere else."""
    assert bundle.TYPES.read_text(encoding="utf-8") == bundle.types(), AGAIN


def test_it_needs_nothing_else() -> None:
    """One file: no import, no other address that a content security policy would have to allow."""
    text = bundle.SCRIPT.read_text(encoding="utf-8")
    assert not re.search(r"^\s*import\b[^.(]", text, re.MULTILINE)
    assert "innerHTML" not in text
    assert not re.search(r"\beval\(|new Function|document\.write|\.style\b", text)


def test_socket_io_is_as_it_was_published() -> None:
    """The page's own copy, whose sums are kept, stands in ours unchanged."""
    (published,) = (bundle.HERE / "../../static/vendor").glob("socket.io-client-*/*.js")
    body = published.read_text(encoding="utf-8").rpartition("export{")[0]
    assert body in bundle.SCRIPT.read_text(encoding="utf-8")
    assert f"v{published.parent.name.rpartition('-')[2]}" in body


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_sentence_is_inlined(source: Path) -> None:
    """What the scripts say by name is in the table that they carry."""
    carried = json.loads(
        bundle.SCRIPT.read_text().partition("{ default: ")[2].partition(" };\n")[0]
    )
    for key in SAID.findall(source.read_text(encoding="utf-8")):
        found = carried
        for part in key.split("."):
            assert part in found, key
            found = found[part]


def test_the_words_are_the_tables() -> None:
    """Nothing is said that does not stand in the one table of words."""
    carried = json.loads(
        bundle.SCRIPT.read_text().partition("{ default: ")[2].partition(" };\n")[0]
    )
    assert carried["wizard"] == table()["wizard"]
    assert carried["reason"] == table()["reason"]


def test_node_takes_it_without_a_page() -> None:
    """The client works where there is no document; importing it does nothing else."""
    program = (
        f"import({json.dumps(bundle.SCRIPT.as_uri())}).then((m) => console.log(Object.keys(m)))"
    )
    command = [npm.node(), "--experimental-default-type=module", "--eval", program]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert "TaskdClient" in outcome.stdout, outcome.stderr


@pytest.mark.parametrize(
    "text", ["import * as all from './dom.js';\n", "export default 5;\n", "export let n = 5;\n"]
)
def test_a_form_that_is_not_known_is_refused(text: str) -> None:
    """A source that the bundler would get wrong is a fault that names the file."""
    with pytest.raises(ValueError, match=r"odd\.js"):
        bundle._own("odd.js", text, [])
