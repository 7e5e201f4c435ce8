"""The Debian package agrees with the rest of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kaspad_taskd.cli.options import parse
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


@pytest.mark.parametrize("name", ["kaspad-taskd", "kaspad-taskd-notify"])
def test_what_the_sandbox_leaves_out_has_its_reason(name: str) -> None:
    """Of systemd's list of directives with a weight, each is in the unit: set, or in a comment."""
    unit = (ROOT / f"packaging/systemd/{name}.service").read_text()
    for directive in WEIGHED:
        assert re.search(rf"(?m)^(# )?{directive}=|, {directive}=", unit), directive


def test_the_node_package_is_where_both_builds_of_node_look() -> None:
    """What packs it puts it there, without npm; the vendor's build has a link to it."""
    rules = (DEBIAN / "rules").read_text()
    assert "python3 packaging/npm_pack.py $(NODEJS)/kaspad-taskd\n" in rules
    assert "ln -s ../../share/nodejs/kaspad-taskd $(ROOT)/usr/lib/node/kaspad-taskd\n" in rules


def test_the_backups_timer_is_shipped_and_off() -> None:
    """Both units are the package's, by the links that debhelper looks for; nobody starts them."""
    rules = (DEBIAN / "rules").read_text()
    assert re.search(
        r"dh_installsystemd --name=kaspad-taskd-backup (?=.*--no-enable)(?=.*--no-start)", rules
    )
    for kind in ("service", "timer"):
        link = DEBIAN / f"kaspad-taskd.kaspad-taskd-backup.{kind}"
        assert link.resolve() == ROOT / f"packaging/systemd/kaspad-taskd-backup.{kind}"


def test_the_notifier_is_as_closed_as_the_daemon_and_more() -> None:
    """The daemon's sandbox, less its directories; it may look only."""
    sandbox = _section(ROOT / "packaging/systemd/kaspad-taskd.service")
    unit = _section(ROOT / "packaging/systemd/kaspad-taskd-notify.service")
    for key in WEIGHED:
        if key not in ("User", "SupplementaryGroups", "SystemCallFilter"):
            assert unit.get(key) == sandbox.get(key) or key == "PrivateUsers", key
    assert (unit["User"], unit["Group"]) == (["kaspad-taskd-notify"], ["kaspad-taskd-read"])
    assert unit["SupplementaryGroups"] == ["kaspad-taskd-notify"]
    assert unit["SystemCallFilter"] == [*sandbox["SystemCallFilter"], "~listen"]
    assert "ReadWritePaths" not in unit
    assert "RuntimeDirectory" not in unit
    text = (ROOT / "packaging/systemd/kaspad-taskd-notify.service").read_text()
    assert "\nConditionPathExists=/etc/kaspad-taskd/notify.toml\n" in text
    link = DEBIAN / "kaspad-taskd.kaspad-taskd-notify.service"
    assert link.resolve() == ROOT / "packaging/systemd/kaspad-taskd-notify.service"
    assert "dh_installsystemd --name=kaspad-taskd-notify" in (DEBIAN / "rules").read_text()


def test_a_backup_runs_in_the_daemons_sandbox_and_writes_two_directories() -> None:
    """As its user, without a network or a capability; what it runs is a verb with these options."""
    sandbox = _section(ROOT / "packaging/systemd/kaspad-taskd.service")
    unit = _section(ROOT / "packaging/systemd/kaspad-taskd-backup.service")
    own = {
        *("Type", "ExecStart", "TimeoutStartSec", "StateDirectory", "StateDirectoryMode"),
        *("ReadWritePaths", "RestrictAddressFamilies", "PrivateNetwork", "InaccessiblePaths"),
    }
    assert {key: unit[key] for key in unit.keys() - own} == {
        key: sandbox.get(key) for key in unit.keys() - own
    }
    weighed = {key for key in sandbox if key in WEIGHED}
    assert weighed <= unit.keys()
    assert (unit["PrivateNetwork"], unit["RestrictAddressFamilies"]) == (["yes"], ["AF_UNIX"])
    assert (unit["ReadWritePaths"], unit["StateDirectoryMode"]) == (
        ["/var/lib/kaspad-taskd"], ["0700"],
    )  # fmt: skip
    program, *words = unit["ExecStart"][0].split()
    options = parse(words)
    assert program == "/usr/bin/kaspad-taskctl"
    assert (options.verb, options.to, options.keep) == ("backup", "%S/kaspad-taskd-backup", 14)


def _section(unit: Path) -> dict[str, list[str]]:
    """The [Service] of a unit: the values of each key."""
    found: dict[str, list[str]] = {}
    section = unit.read_text().partition("[Service]\n")[2].partition("\n[")[0]
    for key, value in re.findall(r"(?m)^([A-Za-z]+)=(.*)$", section):
        found.setdefault(key, []).append(value)
    return found


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
