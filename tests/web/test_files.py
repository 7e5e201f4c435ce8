"""The files beside the page."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.web.files import HERE, SPACES, files
from kaspad_taskd.words.sentences import maybe
from kaspad_taskd.words.table import table

KB = 1024


def _words() -> Any:
    return json.loads(files()["static/en.js"][0].decode().removeprefix("export default ")[:-2])


def test_what_pages_name_is_served() -> None:
    """Every file that a template, a style or a script names is there, with its type."""
    for template in (HERE / "templates").glob("*.html"):
        for name in re.findall(r'static/([\w./-]+\.\w+)"', template.read_text()):
            assert f"static/{name}" in files(), name
    for path, (data, kind) in files().items():
        if "vendor" in path or path.startswith("embed/"):
            continue
        assert kind.split(";")[0] in ("text/javascript", "text/css", "image/svg+xml"), path
        for name in re.findall(r'from "\./([^"]+)"', data.decode()):
            assert f"static/{name}" in files(), (path, name)


def test_scripts_have_each_sentence_that_they_say() -> None:
    """What is left out of the browser's table of words is not missed."""
    table = _words()
    for path, (data, _) in files().items():
        if not re.fullmatch(r"static/\w+\.js", path):
            continue
        for key in re.findall(r'(?:say|maybe|entry)\("([\w.-]+)"', data.decode()):
            found = table
            for part in key.split("."):
                assert part in found, (path, key)
                found = found[part]


def test_hints_that_leave_out_their_reasons_note_can_always_be_said() -> None:
    """The last of their sentences needs nothing to fill in."""
    for code, hint in table()["hint"].items():
        if "says" in hint and code in table()["reason"]:
            assert maybe(f"hint.{code}.says") is not None, code


def test_styles_and_scripts_are_within_their_budgets() -> None:
    """Packed: 6 KB of styles, 40 KB of scripts, the library and all words included."""
    packed = {path: len(gzip.compress(data)) for path, (data, _) in files().items()}
    assert packed["static/page.css"] <= 6 * KB
    scripts = {
        path: size
        for path, size in packed.items()
        if path.startswith("static/") and path.endswith(".js")
    }
    fleet = scripts.pop("static/fleet.js")  # a page of its own, which has no app.js
    assert sum(scripts.values()) <= 40 * KB
    assert fleet <= 2 * KB
    assert packed["static/fleet.css"] <= 2 * KB


def test_no_text_in_a_script_is_changed_as_it_is_sent() -> None:
    """Space is left out around operators, of which no text has one."""
    for path in sorted((HERE / "static").glob("*.js")):
        for text in re.findall(r'"[^"\n]*"', path.read_text()):
            assert SPACES.search(text) is None, (path.name, text)


@pytest.mark.skipif(shutil.which("node") is None, reason="node reads scripts")
def test_scripts_are_sent_without_remarks(tmp_path: Path) -> None:
    """They are still scripts, and no text in them goes over lines, whose spaces would be gone."""
    for path in sorted((HERE / "static").glob("*.js")):
        sent = files()[f"static/{path.name}"][0].decode()
        assert sent
        (tmp_path / path.name).with_suffix(".mjs").write_text(sent)
        command = ["node", "--check", str((tmp_path / path.name).with_suffix(".mjs"))]
        subprocess.run(command, check=True, timeout=60)
        assert not re.search(r"^\s*//", sent, re.MULTILINE), path.name
        assert all(line.count("`") % 2 == 0 for line in sent.splitlines()), path.name


def test_files_of_others_are_as_their_packages_have_them() -> None:
    """What is vendored is listed with version, licence and sums, and unchanged."""
    listed = tomllib.loads((HERE / "vendored.toml").read_text())["package"]
    known = {
        HERE / package["directory"] / name: digest
        for package in listed
        for name, digest in package["sha256"].items()
    }
    assert {path for path in (HERE / "static" / "vendor").rglob("*") if path.is_file()} == set(
        known
    )
    for path, digest in known.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, path.name
    for package in listed:
        assert package["version"] in package["directory"]
        assert "LICENSE" in package["sha256"]


def test_the_styles_fetch_nothing() -> None:
    """No other origin, no font, no picture."""
    css = files()["static/page.css"][0].decode()
    assert "url(" not in css
    assert "@import" not in css
