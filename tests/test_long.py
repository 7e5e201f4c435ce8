"""What takes minutes is left out in words, whoever asks, unless it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import MINUTES
from tests.fakes.postgres_versions import NPM, wanted

ROOT = Path(__file__).parents[1]
MARKED = """\
import pytest

@pytest.mark.long
def test_for_minutes() -> None:
    pass
"""


@pytest.mark.parametrize("ci", ["", "true"])
@pytest.mark.parametrize(("asked", "said"), [((), MINUTES), (("--long",), "1 passed")])
def test_long_ones_are_skipped_with_what_to_type(
    tmp_path: Path, ci: str, asked: tuple[str, ...], said: str
) -> None:
    """In CI, too, and where the file is named; with the option they run."""
    file = tmp_path / "test_marked.py"
    file.write_text(MARKED)
    options = ["-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), "-rs", *asked]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file)],
        env={**os.environ, "CI": ci, "PYTEST_DEBUG_TEMPROOT": str(tmp_path)},
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said in done.stdout


def test_every_version_of_a_server_is_tried_when_all_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CI has the oldest and the newest beside the installed one."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("KASPAD_TASKD_POSTGRES", raising=False)
    assert {"13", "18"} <= set(wanted())
    monkeypatch.setenv("KASPAD_TASKD_POSTGRES", "all")
    assert set(NPM) <= set(wanted())
