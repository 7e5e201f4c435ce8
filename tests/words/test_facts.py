"""Which session is taken for a migration, as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from kaspad_taskd.words.facts import session


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({}, ""),
        ({"sessionPid": 7}, "session 7"),
        ({"sessionPid": 7, "sessionUser": "ski", "statement": "CREATE INDEX"},
         "session 7 of ski, CREATE INDEX"),
        ({"sessionPid": 7, "statement": "CREATE INDEX",
          "statementStage": "partition 5 of 8, sorting (no number)"},
         "session 7, CREATE INDEX, partition 5 of 8, sorting (no number)"),
        ({"sessionPid": 7, "sessionUser": "ski", "sessionApplication": "flyway", "sessions": 3,
          "statement": "other"}, "session 7 of ski (flyway), 2 more beside it"),
        ({"sessionPid": 7, "sessionApplication": "\x1b[31m"}, "session 7 (?[31m)"),
    ],
)  # fmt: skip
def test_a_session_is_told_with_what_names_it(facts: dict[str, Any], text: str) -> None:
    """As far as it is known."""
    assert session({"metadata": facts}) == text
