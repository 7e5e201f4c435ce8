"""Each finding has the form that CONTRIBUTING.md asks for. What it finds is not tried here."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
FIELDS = ["What", "Versions", "Expected", "Seen", "Bites", "Here", "Needs"]


def head(script: Path) -> dict[str, str]:
    """The fields of the comment that a script begins with."""
    comment = script.read_text().partition("\nset -euo pipefail\n")[0]
    parts = re.split(r"^# ([A-Z][a-z]+): ", comment, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_finding_says_what_it_is(script: Path) -> None:
    """All fields in their order, and the place in our code that lives with it."""
    fields = head(script)
    assert list(fields) == FIELDS
    assert all(text.strip() for text in fields.values())
    places = re.findall(r"kaspad_taskd/[\w/]+[.]py", fields["Here"])
    assert places
    assert [place for place in places if not (ROOT / place).is_file()] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_finding_can_be_run_and_leaves_nothing(script: Path) -> None:
    """It stops at the first fault, works in a folder that goes away, and ends as stated."""
    lines = script.read_text().splitlines()
    assert os.access(script, os.X_OK)
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[-1] == 'echo "as stated"'
    assert "here=$(mktemp -d)" in lines
    assert any(re.fullmatch(r"trap .+ EXIT", line) for line in lines)


def test_the_table_lists_all_findings() -> None:
    """Each once, by name, and no other."""
    listed = re.findall(
        r"^\| \[[\w-]+\]\(([\w-]+[.]sh)\)", (FOLDER / "README.md").read_text(), re.M
    )
    assert listed == [script.name for script in SCRIPTS]
