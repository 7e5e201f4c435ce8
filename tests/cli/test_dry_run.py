"""`register --dry-run`: the file that a task would have, as `kaspad-taskd --check` accepts it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_main import Ctl
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd import ScriptedTaskd


@pytest.fixture
def files(taskd: ScriptedTaskd, tmp_path: Path) -> Path:
    """The directory of the daemon's files, as it tells it."""
    directory = tmp_path / "tasks.d"
    directory.mkdir()
    settings = tmp_path / "kaspad-taskd.toml"
    dsn = tmp_path / "dsn"
    dsn.touch()
    settings.write_text(f'[databases.main]\ndsn_file = "{dsn}"\n')
    taskd.answers["getInfo"] = {
        "settingsFile": str(settings), "definitionDirs": [str(directory)],
        "store": {"path": str(tmp_path / "state/state.db")},
    }  # fmt: skip
    return directory


def check(files: Path) -> subprocess.CompletedProcess[str]:
    settings = files.parent / "kaspad-taskd.toml"
    command = [sys.executable, "-m", "kaspad_taskd", "--config", str(settings)]
    return subprocess.run(
        [*command, "--tasks", str(files), "--check"],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("node-sync", "kaspa-node", "host=10.0.0.5", "maxLag=90000", "--interval", "20s"),
            {"interval": "20s", "checker": {"url": "grpc://10.0.0.5:16110", "max_lag": "1min 30s"}},
        ),
        (
            ("node-sync", "kaspa-node", "url=ws://node:18110"),
            {"checker": {"url": "ws://node:18110", "max_lag": "1min"}},
        ),
        (
            ("indexer-sync", "kasia-indexer", "indexerUrl=http://localhost:8080", "--no-start"),
            {"start": False, "service": "kasia-indexer"},
        ),
        (  # what only a file may say: it is one
            ("command", "import", 'command=["/bin/true", "a\\"b"]', "--give-up-after", "2h"),
            {"give_up_after": "2h", "checker": {"command": ["/bin/true", 'a"b']}},
        ),
        (
            ("http-json", "job", "url=http://localhost/", "completed=done",
             'headers={"X-Key": "/etc/hostname"}'),
            {"service": "job"},
        ),
        (("database-migration", "db", "dsn=main", "tool=sqlx", "version=20240101"), {}),
        (("report", "import", "--after", "a", "--after", "b"), {"after": ["a", "b"]}),
    ],
)  # fmt: skip
def test_the_file_is_accepted(
    ctl: Ctl, taskd: ScriptedTaskd, files: Path, words: tuple[str, ...], told: dict[str, Any]
) -> None:
    """Printed alone, so that it can be sent to its place, which its first line names."""
    code, out, err = ctl("register", *words, "--dry-run")
    assert (code, err) == (0, "")
    place = Path(out.splitlines()[0].removeprefix("# "))
    assert place.parent == files
    place.write_text(out)
    found = tomllib.loads(out)
    assert {key: found[key] for key in told} == told
    done = check(files)
    verdict = done.stdout.splitlines()[-1]  # before it are warnings of files that are not there
    assert done.returncode == 0
    assert "1 definition," in verdict
    assert {method for method, _params in taskd.asked} == {"getInfo"}


def test_faults_are_told_and_no_file(ctl: Ctl, files: Path) -> None:
    """All of them, with exit 1; nothing that could be sent to a file."""
    code, out, err = ctl("register", "node-sync", "x", "port=17110", "--interval", "1ms",
                         "--dry-run")  # fmt: skip
    assert (code, out) == (1, "")
    assert "config.port" in err
    assert "checkInterval" in err
    code, out, err = ctl("register", "database-migration", "db", "dsn=other", "tool=sqlx",
                         "version=1", "--dry-run")  # fmt: skip
    assert (code, "[databases.other]" in err) == (1, True)


def test_a_ring_with_what_is_there_is_a_fault(ctl: Ctl, files: Path, tmp_path: Path) -> None:
    """With files, and with what programs registered."""
    for directory in (files, tmp_path / "state/tasks.d"):
        directory.mkdir(parents=True, exist_ok=True)
        there = directory / "first.toml"
        there.write_text('type = "report"\nservice = "first"\nafter = ["report-b"]\n')
        code, _out, err = ctl("register", "report", "b", "--after", "first", "--dry-run")
        assert (code, "none of them would ever start" in err) == (1, True)
        there.unlink()


def test_a_warning_stands_beside_it(ctl: Ctl, files: Path) -> None:
    """On standard error, so the file stays whole."""
    code, out, err = ctl("register", "node-sync", "k", "url=grpc://localhost:18110", "--dry-run")
    assert code == 0, err
    assert tomllib.loads(out)["checker"]["url"] == "grpc://localhost:18110"
    assert err.startswith("warning: checker.url: ")
    code, out, err = ctl("register", "command", "x", 'command=["/nowhere/x"]', "--dry-run")
    assert (code, tomllib.loads(out)["service"]) == (0, "x")
    assert err.startswith("warning: checker.command: /nowhere/x is not there")


def test_no_daemon_need_run(ctl: Ctl, taskd: ScriptedTaskd, tmp_path: Path) -> None:
    """Then it is a file of the usual place; a definition's file is read as well."""
    taskd.stop()
    file = tmp_path / "import.toml"
    file.write_text('type = "report"\nservice = "import"\nstall_after = "1h"\n')
    code, out, err = ctl("register", "--file", str(file), "--dry-run", "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert (answer["id"], answer["faults"], answer["warnings"]) == ("import", [], [])
    assert answer["file"].endswith("/tasks.d/import.toml")
    assert tomllib.loads(answer["toml"])["stall_after"] == "1h"
