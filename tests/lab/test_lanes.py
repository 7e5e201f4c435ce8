"""The suite's workers: who runs what, beside whom, and what it looks like."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.patience import PATIENCE
from tests.lab.lanes import LONGEST, lane, long

ROOT = Path(__file__).parents[2]
SETTINGS = """\
[pytest]
testpaths = embed soak words
addopts = -q --import-mode=importlib
asyncio_default_fixture_loop_scope = function
"""
TEST = f"""\
import os, time
from pathlib import Path

HERE = Path(__file__).parents[1]

def note():
    with (HERE / os.environ.get("PYTEST_XDIST_WORKER", "plain")).open("a") as file:
        file.write(Path(__file__).stem + " ")

def meet(mine, other):
    (HERE / mine).touch()
    end = time.monotonic() + {PATIENCE}
    while os.environ["MEET"] and not (HERE / other).exists():
        assert time.monotonic() < end
        time.sleep(0.01)

"""
SUITE = {
    "embed/test_first.py": "def test_it():\n    note()\n    meet('long', 'quick')\n",
    "embed/test_bundle.py": "def test_it():\n    note()\n",
    "soak/test_second.py": "def test_it():\n    note()\n",
    "soak/test_fourth.py": "def test_it():\n    note()\n",
    "soak/test_fifth.py": "def test_it():\n    note()\n",
    "words/test_quick.py": "def test_it():\n    note()\n    meet('quick', 'long')\n",
    "words/test_third.py": "def test_it():\n    note()\n",
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Four long files, a quick one beside them, and two ordinary ones."""
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    for name, text in SUITE.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(TEST + text)
    return tmp_path


def run(suite: Path, *words: str, meet: str = "", status: int = 0) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "pytest.ini", *words],
        env={
            **env, "PYTHONPATH": str(ROOT), "CI": "true", "MEET": meet,
            "PYTEST_DEBUG_TEMPROOT": str(suite),  # else it closes ours to other users
        },
        cwd=suite, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_long_ones_are_one_workers_in_their_order_and_others_run_meanwhile(suite: Path) -> None:
    """A long one and an ordinary one wait for each other; the last line is pytest's own."""
    last = run(suite, meet="yes").splitlines()[-1]
    assert last.startswith("7 passed in ")
    told = [(suite / name).read_text().split() for name in ("gw0", "gw1")]
    (longs,) = (names for names in told if "test_first" in names)
    assert longs[:4] == ["test_first", "test_fifth", "test_fourth", "test_second"]
    assert sorted(told[0] + told[1]) == sorted(Path(name).stem for name in SUITE)


def test_what_fails_is_told_by_the_name_that_can_be_typed(suite: Path) -> None:
    """With what it printed."""
    (suite / "words/test_third.py").write_text(
        "def test_it():\n    print('why')\n    assert False\n"
    )
    said = run(suite, status=1)
    assert "FAILED words/test_third.py::test_it - assert False" in said
    assert "why" in said
    assert said.splitlines()[-1].startswith("1 failed, 6 passed in ")


@pytest.mark.parametrize("words", [("words/test_quick.py", "soak"), ("-s",)])
def test_what_is_named_or_looked_into_has_no_workers(suite: Path, words: tuple[str, ...]) -> None:
    """It is run as pytest alone runs it."""
    run(suite, *words)
    assert not list(suite.glob("gw*"))
    assert "test_quick" in (suite / "plain").read_text()


def test_a_lane_is_long_or_shared_or_a_file() -> None:
    """Quick ones among the long are of no lane but their file's."""
    assert long("tests/web/test_live_kept.py::test_it[a::b]") == "web/test_live"
    assert lane("tests/web/test_live_kept.py::test_it[a::b]") == LONGEST
    assert lane("tests/embed/test_bundle.py::test_it") == "tests/embed/test_bundle.py"
    assert lane("tests/web/test_pictures.py::test_it") == "tests/web/test_pictures.py"
    assert lane("tests/probes/test_hanging_address.py::test_it") == "postgres"
    assert lane("tests/web/test_page.py::test_it[a::b]") == "tests/web/test_page.py"


SHARING = """\
import pytest

@pytest.fixture
def postgres():
    pass

def test_it(postgres):
    pass
"""


def test_who_uses_a_shared_server_without_being_of_its_lane_is_told(suite: Path) -> None:
    """Else each worker would start its own."""
    (suite / "words/test_third.py").write_text(SHARING)
    said = run(suite, "words", status=4)
    assert "words/test_third.py::test_it uses postgres: add its file to lanes.SHARED" in said
