"""Golden files: what people see, as it was judged by eye. GOLDEN=write renews them."""

from __future__ import annotations

import json
import os
from calendar import timegm
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent.parent / "golden"
NOW = float(timegm((2026, 11, 23, 14, 12, 9)))
"""The moment at which the golden tasks are shown."""


def golden_tasks() -> list[dict[str, Any]]:
    """The tasks of the golden files: one of each kind of condition."""
    tasks: list[dict[str, Any]] = json.loads((GOLDEN / "tasks.json").read_text())
    return tasks


def golden_task(service: str) -> dict[str, Any]:
    """One of them."""
    return next(task for task in golden_tasks() if task["service"] == service)


def check(name: str, text: str) -> None:
    """Compare a text with its golden file."""
    path = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
