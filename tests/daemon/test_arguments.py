"""The daemon's command line: what is told to clients holds anywhere, what is bad is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kaspad_taskd.daemon.arguments import demo_parser, parser


def test_paths_hold_in_every_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients and logs are told these paths: none of them hangs on where the daemon was started."""
    monkeypatch.chdir(tmp_path)
    given = ["--config", "c", "--tasks", "t", "--state-dir", "s", "--runtime-dir", "/r"]
    options = parser().parse_args(given)
    assert (options.config, options.tasks) == (tmp_path / "c", tmp_path / "t")
    assert (options.state_dir, options.runtime_dir) == (tmp_path / "s", Path("/r"))


@pytest.mark.parametrize(
    "given",
    [["--bridge", "nowhere"], ["--bridge", "127.0.0.1:99999"], ["--log-level", "loud"], ["x"]],
)
def test_bad_arguments_are_usage(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with the option in the sentence."""
    with pytest.raises(SystemExit) as end:
        parser().parse_args(given)
    assert end.value.code == 2
    assert given[0] in capsys.readouterr().err


@pytest.mark.parametrize("speed", ["fast", "nan", "0", "-1", "1e9"])
def test_a_bad_speed_is_told_the_bounds(speed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(SystemExit):
        demo_parser().parse_args(["--speed", speed])
    assert "must be 0.1 to 100" in capsys.readouterr().err


def test_a_place_that_cannot_be_made_is_said() -> None:
    """Which one, why, and which option names another: no number of an error."""
    command = [sys.executable, "-m", "kaspad_taskd", "--state-dir", "/proc/none"]
    done = subprocess.run([*command, "--bridge", "off"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "kaspad-taskd: /proc/none: No such file or directory; --state-dir" in done.stderr
    assert "Errno" not in done.stderr
