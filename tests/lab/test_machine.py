"""Guarantees of the throw-away machines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab import machine


def test_what_a_host_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root first, then the programs, with what installs them."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert machine.obstacle() == "a booted machine needs root"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nowhere")
    assert "apt install mmdebstrap systemd-container" in str(machine.obstacle())


def test_a_machine_that_does_not_boot_is_no_verdict(tmp_path: Path) -> None:
    """It is an error of its own, for which tests are skipped, with what was said."""
    why = machine.obstacle()
    if why is not None:
        pytest.skip(why)
    with pytest.raises(machine.CannotBootError, match="no boot"):
        machine.run(tmp_path, "true", binds={}, env={}, patience=30)
