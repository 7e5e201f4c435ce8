"""Facts as people read them: what a program says, which session is taken for a migration."""

from __future__ import annotations

from typing import Any

import pytest

from kaspad_taskd.words.facts import facts, session


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


RUN = {"program": "dd", "pid": 7, "startTime": "2026-11-30T10:27:55.055Z"}


@pytest.mark.parametrize(
    ("status", "known", "texts"),
    [
        ("in-progress", RUN, ["program: dd", "pid: 7"]),
        ("complete", {**RUN, "exit": 0}, ["program: dd", "exit: 0"]),
        ("complete", {"pid": 7, "rows": 12}, ["pid: 7", "rows: 12"]),
        ("in-progress", {"bytes": 30_000_000}, ["bytes: 30.0 MB"]),
        ("in-progress", {"bytes": 2.5e9}, ["bytes: 2.5 GB"]),
        ("in-progress", {"bytes": 99_999}, ["bytes: 99999"]),
        ("in-progress", {"bytes": "many", "other": 30_000_000}, ["bytes: many", "other: 30000000"]),
    ],
)
def test_what_a_program_says(status: str, known: dict[str, Any], texts: list[str]) -> None:
    """Whose process it is, is for programs: people read its id while it is there."""
    assert facts({"type": "report", "status": status, "metadata": known}) == texts
