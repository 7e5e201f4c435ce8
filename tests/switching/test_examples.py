"""The examples of docs/examples/switching are what they say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from kaspad_taskd.config.settings import Settings, parse_settings
from kaspad_taskd.config.switched import Compose, SwitchedService, Unit

EXAMPLES = Path(__file__).parents[2] / "docs/examples/switching"


def declared() -> dict[str, SwitchedService]:
    found = parse_settings(tomllib.loads((EXAMPLES / "services.toml").read_text()))
    assert isinstance(found, Settings), found
    return dict(found.services)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.conf")), ids=lambda path: path.stem)
def test_a_drop_in_loads_the_file_of_its_service(path: Path) -> None:
    """And names the variables that the settings give."""
    text = path.read_text()
    name = re.search(r"kaspad-taskd-endpoints/(.*)\.env", text)
    assert name is not None
    service = declared()[name[1]]
    assert isinstance(service.runs_as, Unit)
    assert service.runs_as.name in text
    used = set(re.findall(r"\$\{(\w+)\}", text.partition("[Service]")[2]))
    assert used <= service.env.keys()
    for variable in used:  # a public value holds before the first switch
        assert f"Environment={variable}={service.public_env[variable]}" in text


def test_the_compose_file_has_the_containers_of_the_settings() -> None:
    """By name; what it fills in has a public value."""
    text = (EXAMPLES / "compose.yaml").read_text()
    for service in declared().values():
        if isinstance(service.runs_as, Compose):
            assert f"\n  {service.runs_as.service}:\n" in text
    assert re.findall(r"\$\{(\w+)[^}]*\}", text.partition("services:")[2]) == ["KASPA_RPC_URL"]
