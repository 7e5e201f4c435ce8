"""Root's compose command and override, read by compose itself; no engine is needed for that."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from kaspad_taskd.config.switched import Compose
from kaspad_taskd.switching.oneshot import compose_command, overriding

EXAMPLE = Path(__file__).parents[2] / "docs/examples/switching/compose.yaml"


def has_compose() -> bool:
    docker = shutil.which("docker")
    command = [docker or "false", "compose", "version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(
    not has_compose(),
    reason="there is no docker compose here; tests/system/test_package.py has Debian 13's",
)


def config(compose: Compose, place: Path, values: dict[str, str]) -> dict[str, object]:
    """What compose makes of both files: its service's part."""
    override = place / "x.compose.json"
    override.write_text(overriding(compose, values))
    command = compose_command(compose, override)
    command[command.index("up") :] = ["config", "--format", "json"]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(place), **values}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    found: dict[str, object] = json.loads(done.stdout)["services"][compose.service]
    return found


def test_a_program_that_takes_options_gets_them(tmp_path: Path) -> None:
    """`${KASPA_RPC_URL:-...}` is the settings' value; without one, the file's own."""
    compose = Compose("kaspa", EXAMPLE, "simply-kaspa-indexer")
    local = config(compose, tmp_path, {"KASPA_RPC_URL": "ws://172.17.0.1:17110"})
    assert local["command"][:2] == ["-s", "ws://172.17.0.1:17110"]  # type: ignore[index]
    public = config(compose, tmp_path, {})
    assert public["command"][:2] == ["-s", "wss://kaspa.example.org"]  # type: ignore[index]


@pytest.mark.parametrize("value", ["ws://172.17.0.1:17110", "a$b", "$HOME ${X} $$", "'\"\\ #"])
def test_a_container_gets_the_variable_as_it_is(tmp_path: Path, value: str) -> None:
    """Whatever it holds; compose shows a dollar as two."""
    compose = Compose("kaspa", EXAMPLE, "kasia-indexer")
    found = config(compose, tmp_path, {"KASPA_NODE_WBORSH_URL": value})
    shown = value.replace("$", "$$")
    assert found["environment"] == {"KASPA_NODE_WBORSH_URL": shown}
    assert found["image"] == "kkluster/kasia-indexer"
