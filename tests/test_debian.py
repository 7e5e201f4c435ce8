"""The Debian package agrees with the rest of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kaspad_taskd.version import __version__

ROOT = Path(__file__).parents[1]
DEBIAN = ROOT / "debian"
CARRIED = [line for line in (DEBIAN / "carried").read_text().split("\n") if line[:1].isalpha()]


def test_the_changelog_has_the_version() -> None:
    """The package is the release that the daemon says it is."""
    first = (DEBIAN / "changelog").read_text().splitlines()[0]
    assert first.startswith(f"kaspad-taskd ({__version__}) ")


@pytest.mark.parametrize("name", CARRIED)
def test_a_carried_library_is_pinned_licensed_and_no_dependency(name: str) -> None:
    """Its hash stands in the lock, its licence in the copyright, and apt is not asked for it."""
    assert re.search(
        rf"(?m)^{name}==\S+ \\\n +--hash=", (ROOT / "requirements/run.txt").read_text()
    )
    assert name in (DEBIAN / "py3dist-overrides").read_text().split()
    folder = name.removeprefix("python-")
    assert f"third-party/{folder}/*" in (DEBIAN / "copyright").read_text()


def test_what_the_sandbox_leaves_out_has_its_reason() -> None:
    """Of systemd's list of directives with a weight, each is in the unit: set, or in a comment."""
    unit = (ROOT / "packaging/systemd/kaspad-taskd.service").read_text()
    for directive in WEIGHED:
        assert re.search(rf"(?m)^(# )?{directive}=|, {directive}=", unit), directive


WEIGHED = (
    "AmbientCapabilities", "CapabilityBoundingSet", "DevicePolicy", "IPAddressDeny", "KeyringMode",
    "LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices",
    "PrivateMounts", "PrivateNetwork", "PrivateTmp", "PrivateUsers", "ProcSubset", "ProtectClock",
    "ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs",
    "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "ProtectSystem", "RemoveIPC",
    "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
    "RootDirectory", "SupplementaryGroups", "SystemCallArchitectures", "SystemCallFilter", "UMask",
    "User",
)  # fmt: skip
"""What `systemd-analyze security` of systemd 257 counts, but for Delegate= and NotifyAccess=."""
