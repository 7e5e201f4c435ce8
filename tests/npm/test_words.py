"""The Node package says what kaspad-taskctl says: its sentences are the table's own."""

from __future__ import annotations

import json
import os
from typing import Any

from kaspad_taskd.version import __version__
from tests.npm.here import PACKAGE, TABLE

SENTENCES = PACKAGE / "lib" / "words.json"


def sentences() -> dict[str, Any]:
    """What of the table the package needs."""
    words = json.loads(TABLE.read_text(encoding="utf-8"))
    error = words["error"]
    return {
        "manager": {name: words["manager"][name] for name in ("system", "user", "hand")},
        **{name: error[name] for name in ("unreachable", "refused", "too-old", "incident")},
    }


def test_the_sentences_are_those_of_the_table() -> None:
    """GOLDEN=write renews them after a change of words/en.json."""
    made = json.dumps(sentences(), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("GOLDEN") == "write":
        SENTENCES.write_text(made, encoding="utf-8")
    assert SENTENCES.read_text(encoding="utf-8") == made


def test_the_version_is_the_daemons() -> None:
    """One release has one number, and nobody publishes it by mistake."""
    manifest = json.loads((PACKAGE / "package.json").read_text())
    assert (manifest["version"], manifest["private"]) == (__version__, True)
    assert "dependencies" not in manifest
