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


SANDBOXED = (
    "systemd/kaspad-taskd.service", "systemd/kaspad-taskd-notify.service",
    "fleet/kaspad-taskd-relay.service", "fleet/kaspad-taskd-hub.service",
)  # fmt: skip


@pytest.mark.parametrize("name", SANDBOXED)
def test_what_the_sandbox_leaves_out_has_its_reason(name: str) -> None:
    """Of systemd's list of directives with a weight, each is in the unit: set, or in a comment."""
    unit = (ROOT / "packaging" / name).read_text()
    weighed = set(WEIGHED) - ({"SupplementaryGroups"} if "/kaspad-taskd-hub" in name else set())
    for directive in weighed:  # whose group is its own has no other, and needs no reason
        assert re.search(rf"(?m)^(# )?{directive}=|, {directive}=", unit), directive


def test_the_node_package_is_where_both_builds_of_node_look() -> None:
    """What packs it puts it there, without npm; the vendor's build has a link to it."""
    rules = (DEBIAN / "rules").read_text()
    assert "python3 packaging/npm_pack.py $(NODEJS)/kaspad-taskd\n" in rules
    assert "ln -s ../../share/nodejs/kaspad-taskd $(ROOT)/usr/lib/node/kaspad-taskd\n" in rules


def test_the_backups_timer_is_shipped_and_off() -> None:
    """Both units are the package's, by the links that debhelper looks for; nobody starts them."""
    rules = (DEBIAN / "rules").read_text()
    (line,) = re.findall(r"dh_installsystemd -pkaspad-taskd --name=kaspad-taskd-backup .*", rules)
    assert {"--no-enable", "--no-start"} <= set(line.split())
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
    started = "dh_installsystemd -pkaspad-taskd --name=kaspad-taskd-notify\n"
    assert started in (DEBIAN / "rules").read_text()


def test_the_relay_is_as_closed_as_the_notifier() -> None:
    """Its sandbox, and a user of its own."""
    notifier = _section(ROOT / "packaging/systemd/kaspad-taskd-notify.service")
    unit = _section(ROOT / "packaging/fleet/kaspad-taskd-relay.service")
    for key in WEIGHED:
        if key not in ("User", "SupplementaryGroups"):
            assert unit.get(key) == notifier.get(key), key
    assert (unit["User"], unit["Group"]) == (["kaspad-taskd-relay"], ["kaspad-taskd-read"])


def test_the_hub_is_as_closed_as_the_notifier_but_listens_and_is_off() -> None:
    """It is told of the daemon by Redis alone: its group is its own, which may look at none."""
    notifier = _section(ROOT / "packaging/systemd/kaspad-taskd-notify.service")
    unit = _section(ROOT / "packaging/fleet/kaspad-taskd-hub.service")
    for key in WEIGHED:
        if key not in ("User", "SupplementaryGroups", "SystemCallFilter"):
            assert unit.get(key) == notifier.get(key), key
    assert (unit["User"], unit["Group"]) == (["kaspad-taskd-hub"], ["kaspad-taskd-hub"])
    assert "SupplementaryGroups" not in unit
    assert [*unit["SystemCallFilter"], "~listen"] == notifier["SystemCallFilter"]
    rules = (DEBIAN / "rules").read_text()
    (line,) = re.findall(r"dh_installsystemd .* --name=kaspad-taskd-hub .*", rules)
    assert line.split()[3:] == ["--no-enable"]  # with --no-start nobody would stop or restart it


def test_what_is_of_a_fleet_is_in_its_package() -> None:
    """Units, users and directories by debhelper's links; each man page in one of the lists."""
    fleet = "kaspad-taskd-fleet"
    links = {
        fleet + (file.suffix if file.stem == fleet else f".{file.name}"): file
        for file in (ROOT / "packaging/fleet").iterdir()
    }
    for link, file in links.items():
        assert (DEBIAN / link).resolve() == file
    text = (DEBIAN / "rules").read_text()
    for unit in (ROOT / "packaging/fleet").glob("*.service"):
        assert f"dh_installsystemd -p{fleet} --name={unit.stem}" in text
    pages = [
        line for name in ("manpages", f"{fleet}.manpages")
        for line in (DEBIAN / name).read_text().split()
    ]  # fmt: skip
    assert sorted(pages) == [
        str(page.relative_to(ROOT)) for page in sorted((ROOT / "packaging/man").iterdir())
    ]
    control = (DEBIAN / "control").read_text().partition(f"\nPackage: {fleet}\n")[2]
    assert "\n kaspad-taskd (= ${binary:Version}),\n python3-redis,\n" in control


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
