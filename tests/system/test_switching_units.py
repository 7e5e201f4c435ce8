"""Switching under a real systemd and polkit, inside a machine that has the package."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.switch_stage import BORSH, INDEXER, LOCAL_URL, NODE, PUBLIC_URL, STAGE
from tests.lab.installed import ETC, PROGRAM, apt, ask, call, deb, inside

ROOT = Path(__file__).parents[2]
UNITS = Path("/etc/systemd/system")
SETTINGS = ETC / "kaspad-taskd.toml"
ENDPOINTS = Path("/var/lib/kaspad-taskd-endpoints")
RULE = Path("/usr/share/polkit-1/rules.d/50-kaspad-taskd.rules")
HELPER = "kaspad-taskd-switch@.service"
SKI, KASIA, DAEMON = "stage-ski", "stage-kasia", "kaspad-taskd"
BOUND = 180.0
"""Seconds within which every switch of these tests has ended; most take 15."""
WITHIN, SOON = "60s", "12s"
"""How long the service has to answer; where it never does."""

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), inside]

DECLARED = f"""\
[services.{SKI}]
unit = "{SKI}.service"
node = "grpc://localhost:{NODE}"
network = "simnet"
env = {{KASPA_RPC_URL = "{LOCAL_URL}"}}
public_env = {{KASPA_RPC_URL = "{PUBLIC_URL}"}}
verify = {{task = "ski", within = "{WITHIN}"}}

[services.{KASIA}]
unit = "{KASIA}.service"
node = "grpc://127.0.0.1:{NODE}"
network = "simnet"
env = {{KASPA_NODE_WBORSH_URL = "{LOCAL_URL}"}}
public_env = {{KASPA_NODE_WBORSH_URL = "{PUBLIC_URL}"}}
"""
TASKS = {
    "node": f"""\
type = "node-sync"
service = "kaspa-node"
interval = "500ms"
start = false
[checker]
url = "grpc://127.0.0.1:{NODE}"
network = "simnet"
max_lag = "1h"
""",
    "ski": f"""\
type = "indexer-sync"
service = "simply-kaspa"
interval = "1s"
[checker]
url = "http://127.0.0.1:{INDEXER}"
flavor = "simply-kaspa"
""",
}
SERVICE = """\
[Service]
Environment=PYTHONPATH={path} KASPA_RPC_URL={public} KASPA_NODE_WBORSH_URL={public}
EnvironmentFile=-/var/lib/kaspad-taskd-endpoints/{name}.env
ExecStart=/usr/bin/python3 -m tests.fakes.switch_stage {words}
TimeoutStopSec=5s
"""


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=check)


def systemctl(*words: str, check: bool = True) -> str:
    return run("systemctl", "--no-pager", *words, check=check).stdout


def shown(unit: str, name: str) -> str:
    return systemctl("show", "-p", name, "--value", unit).strip()


def until(what: str, seconds: float = BOUND) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def service(name: str = SKI) -> Any:
    return next(each for each in call("getServices") if each["service"] == name)


def ended(name: str = SKI) -> Any:
    """The last switch of a service, once it has ended."""
    for _ in until(f"the end of the switch of {name}"):
        switch = service(name)["switch"]
        if switch is not None and switch["state"] not in ("running", "undoing"):
            return switch
    raise AssertionError


def switch(to: str = "local", name: str = SKI) -> Any:
    call("switchService", service=name, to=to)
    return ended(name)


def uses(name: str = SKI) -> str:
    """The URL that the service is really running with."""
    return (STAGE / f"{name}.uses").read_text().split()[0]


def restarts(name: str = SKI) -> list[str]:
    """The processes of a unit so far, by their invocations in the journal."""
    run("journalctl", "--sync")
    said = run("journalctl", "-u", name, "-o", "json", "--output-fields=JOB_RESULT,MESSAGE_ID")
    started = "39f53479d3a045ac8e11786248231fbf"
    return [line for line in said.stdout.splitlines() if started in line]


def declare(text: str) -> None:
    SETTINGS.write_text(text)
    call("reload")


@contextlib.contextmanager
def changed(unit: str, text: str) -> Iterator[None]:
    """A unit with other settings meanwhile; what runs of it goes on."""
    path = UNITS / f"{unit}.d" / "of-a-test.conf"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"[Service]\n{text}\n")
    systemctl("daemon-reload")
    try:
        yield
    finally:
        path.unlink()
        systemctl("daemon-reload")


def mood(word: str, name: str = SKI) -> None:
    (STAGE / f"{name}.mood").write_text(word)


def start_daemon() -> None:
    systemctl("start", DAEMON)


def node_ready() -> None:
    """The stage's node runs and has synced."""
    systemctl("start", "stage-node")
    call("retryTask", taskId="node") if call("getTask", taskId="node")["status"] in (
        "complete", "error", "cancelled") else call("startMonitoring", taskId="node")  # fmt: skip
    for _ in until("the node in sync"):
        if call("getTask", taskId="node")["status"] == "complete":
            return


def wait_for_good_hints() -> None:
    """Nothing speaks against a switch; what cannot be checked here is said."""
    for _ in until("a node in sync"):
        hints = service()["hints"]
        if [each["code"] for each in hints] == ["checkpoint-unchecked"]:
            return
        print(hints)
        time.sleep(1)


@pytest.fixture(scope="module", autouse=True)
def _installed() -> Iterator[None]:
    apt("install", deb())
    systemctl("stop", DAEMON)
    for name, text in TASKS.items():
        (ETC / f"tasks.d/{name}.toml").write_text(text)
    SETTINGS.write_text(DECLARED)
    words = {
        "stage-node": "node",
        SKI: f"indexer {SKI} -s ${{KASPA_RPC_URL}} -n simnet -l localhost:{INDEXER}",
        KASIA: f"indexer {KASIA}",
    }
    for name, line in words.items():
        path = f"{PROGRAM}:{ROOT}"
        text = SERVICE.format(path=path, public=PUBLIC_URL, name=name, words=line)
        text += "User=daemon\n" if name == KASIA else ""
        (UNITS / f"{name}.service").write_text(text)
    systemctl("daemon-reload")
    systemctl("start", "stage-node", SKI, KASIA)
    start_daemon()
    wait_for_good_hints()
    yield
    systemctl("stop", DAEMON, "stage-node", SKI, KASIA, check=False)


@pytest.fixture(autouse=True)
def _public(_installed: None) -> Iterator[None]:
    """Each test begins with all on the public node, and leaves it so."""
    start_daemon()
    yield
    for each in STAGE.glob("*.mood"):
        each.unlink()
    systemctl("start", "stage-node", check=False)
    for name in (SKI, KASIA):
        if service(name)["points"] != "public":
            assert switch("public", name)["state"] == "done"
        systemctl("reset-failed", name)  # starts of before do not count as too many
        systemctl("restart", name)


def test_the_exposure_of_the_helper_is_small() -> None:
    """As far as its work allows; `systemd-analyze` counts 9.6 for a unit without a sandbox."""
    said = run("systemd-analyze", "security", "--no-pager", "kaspad-taskd-switch@x.service")
    print(said.stdout.splitlines()[-1])
    assert float(said.stdout.rpartition("level for")[2].split(":")[1].split()[0]) < 3.0


def test_a_node_in_sync_brings_its_services_over() -> None:
    """Complete -> both switched in order, verified, recorded; then the node is announced, once."""
    before = call("ping")["seq"]
    node_ready()
    for _ in until("the announcement"):
        events = call("getEvents", after=before)["events"]
        ready = [each["data"] for each in events if each["event"] == "node:ready"]
        if ready:
            break
    assert [(each["switched"], each["failed"]) for each in ready] == [([SKI, KASIA], [])]
    assert (uses(SKI), uses(KASIA)) == (LOCAL_URL, LOCAL_URL)
    ends = [each["data"]["service"] for each in events if each["event"] == "switch:complete"]
    assert ends == [SKI, KASIA]
    for name in (SKI, KASIA):
        found = service(name)
        assert (found["points"], found["verified"], found["task"]) == ("local", True, "node")
        proof = found["proof"]  # root's is noted by the helper, who has a user of his own is seen
        assert proof["kind"] == {SKI: "noted", KASIA: "connections"}[name]
        assert (proof["count"], proof["address"]) == (1, f"127.0.0.1:{BORSH}")
        assert found["switch"]["away"] < 60
        assert found["switch"]["by"] == "node-sync"
        assert [step["state"] for step in found["switch"]["steps"]] == ["done"] * 4
        file = (ENDPOINTS / f"{name}.env").stat()
        assert (file.st_uid, oct(file.st_mode)[-3:]) == (0, "644")
    made = [each["decision"] for each in call("getDecisions")]
    assert made.count("switched-to-local-node") == 2
    assert call("getTask", taskId="node")["switches"] == [SKI, KASIA]
    events = call("getEvents", after=before)["events"]
    assert [each["event"] for each in events].count("node:ready") == 1


@pytest.mark.parametrize(
    ("word", "reason"),
    [("fail", "service-died"), ("die", "service-died"), ("deaf", "no-answer"),
     ("elsewhere", "service-wrong-network")],
)  # fmt: skip
def test_a_service_that_does_not_work_there_is_put_back(word: str, reason: str) -> None:
    """It fails at once, dies after 5 s, does not answer, is on another network: public again."""
    mood(word)
    if word == "deaf":
        declare(DECLARED.replace(WITHIN, SOON))
    call("switchService", service=SKI, to="local")
    for _ in until("the undo"):
        if service()["switch"]["state"] != "running":
            break
    declare(DECLARED)
    found = ended()
    assert (found["state"], found["reason"]) == ("undone", reason), found
    assert uses() == PUBLIC_URL
    assert shown(SKI, "ActiveState") == "active"
    assert found["error"].endswith(f"{SKI} runs on the public node as before.")
    assert f"journalctl -u {SKI}.service" in found["cure"] or reason == "service-wrong-network"
    assert (service()["points"], service()["verified"]) == ("public", True)


def test_one_that_dies_after_5_s_is_seen_without_a_checker_too() -> None:
    """The unit has to stay active for 30 s."""
    mood("die", KASIA)
    found = switch(name=KASIA)
    assert (found["state"], found["reason"]) == ("undone", "service-died"), found
    assert uses(KASIA) == PUBLIC_URL


def test_one_that_does_not_stop_is_killed_by_systemd() -> None:
    """Its restart takes longer, and that is all."""
    mood("stubborn")
    assert switch()["state"] == "done"
    assert switch("public")["state"] == "done"
    assert uses() == PUBLIC_URL


def test_an_undo_that_fails_is_said_with_what_to_type() -> None:
    """A unit that starts nowhere any more."""
    with changed(f"{SKI}.service", "ExecStartPre=/bin/false"):
        found = switch()
        assert (found["state"], found["reason"]) == ("failed", "restart-failed"), found
        assert "works with neither node" in found["error"]
        assert f"sudo systemctl restart {SKI}.service" in found["cure"]
        found = service()
        assert (found["verified"], found["state"]) == (False, "failed")
        assert found["attention"]["code"] == "down"
    systemctl("reset-failed", SKI)
    systemctl("restart", SKI)  # the printed cure
    for _ in until("what is seen now", 60):
        found = service()
        if found["attention"] is None:
            break
    assert (found["state"], found["switch"]["state"]) == ("running", "failed")
    assert "neither node" not in run("kaspad-taskctl", "doctor", check=False).stdout
    assert switch("public")["state"] == "done"


def test_a_later_file_that_wins_is_named() -> None:
    """Before a switch, and after it: nothing says that it works there."""
    later = Path("/etc/default/stage-later")
    later.write_text(f"KASPA_RPC_URL={PUBLIC_URL}\n")
    helper = f"kaspad-taskd-switch@{SKI.replace('-', chr(92) + 'x2d')}"
    with changed(f"{SKI}.service", f"EnvironmentFile={later}"):
        checks = call("getSwitchPlan", service=SKI, to="local")["checks"]
        order = next(each for each in checks if each["key"] == "order")
        assert not order["good"]
        assert "KASPA_RPC_URL" in order["note"]
        systemctl("start", f"{helper}:local.service")
        found = service()
        assert (found["points"], found["verified"], found["proof"]) == ("local", False, None)
        assert found["attention"]["code"] == "not-used"
        assert found["attention"]["params"]["by"] == str(later)
        assert uses() == PUBLIC_URL
    systemctl("start", f"{helper}:public.service")
    assert service()["attention"] is None


def test_a_masked_unit_is_told_as_that() -> None:
    """Not as one that is not there."""
    unit = UNITS / f"{KASIA}.service"
    text = unit.read_text()
    unit.unlink()
    systemctl("mask", "--now", KASIA)
    try:
        plan = call("getSwitchPlan", service=KASIA, to="local")
        assert not plan["possible"]
        note = next(each["note"] for each in plan["checks"] if each["key"] == "unit")
        assert "is masked" in note
        assert service(KASIA)["state"] == "masked"
    finally:
        systemctl("unmask", KASIA)
        unit.write_text(text)
        systemctl("daemon-reload")
        systemctl("start", KASIA)


def test_a_stop_that_hangs_for_ever_is_bounded() -> None:
    """The helper is ended by its own time; then the undo, too."""
    mood("stubborn")
    assert switch()["state"] == "done"
    try:
        with (
            changed(HELPER, "TimeoutStartSec=4s"),
            changed(f"{SKI}.service", "TimeoutStopSec=infinity"),
        ):
            found = switch("public")  # the stubborn one is to be stopped now
            assert (found["state"], found["reason"]) == ("failed", "restart-timeout"), found
    finally:
        systemctl("kill", "-s", "KILL", SKI)
    assert switch("public")["state"] == "done"


def test_settings_that_others_can_write_are_not_used() -> None:
    """Nothing is written, nothing restarted; one loose drop-in is enough, and the log names it."""
    pid = shown(SKI, "MainPID")
    drop_in = ETC / "kaspad-taskd.toml.d/other.toml"
    drop_in.write_text('log_level = "info"\n')
    try:
        for loose in (SETTINGS, drop_in):
            loose.chmod(0o666)
            found = switch()
            assert (found["state"], found["reason"]) == ("undone", "settings-refused"), found
            assert "somebody other than their owner" in found["error"]
            assert shown(SKI, "MainPID") == pid
            loose.chmod(0o644)
        run("journalctl", "--sync")
        assert (
            f"{drop_in} can be written by others"
            in run("journalctl", "-u", "kaspad-taskd-switch@*").stdout
        )
    finally:
        SETTINGS.chmod(0o644)
        drop_in.unlink()


def test_a_full_disk_of_the_endpoints_touches_nothing() -> None:
    """The old file is whole, the service as it was."""
    assert switch()["state"] == "done"
    pid = shown(SKI, "MainPID")
    run("mount", "-t", "tmpfs", "-o", "size=8k,mode=755", "tmpfs", str(ENDPOINTS))
    try:
        (ENDPOINTS / f"{SKI}.env").write_text(f"# kaspad-taskd: {SKI} uses the local node.\n")
        with contextlib.suppress(OSError):
            (ENDPOINTS / "fill").write_bytes(b"x" * 65_536)
        found = switch("public")
        assert (found["state"], found["reason"]) == ("undone", "endpoint-unwritable"), found
        assert shown(SKI, "MainPID") == pid
    finally:
        run("umount", str(ENDPOINTS))


def test_a_read_only_directory_touches_nothing() -> None:
    """Even systemd cannot make it the helper's own."""
    ENDPOINTS.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(ENDPOINTS))
    try:
        found = switch()
        assert (found["state"], found["reason"]) == ("undone", "endpoint-unwritable"), found
        assert uses() == PUBLIC_URL
    finally:
        run("umount", str(ENDPOINTS))


def test_a_unit_that_does_not_load_the_file_is_not_touched() -> None:
    """It is said before anything is done, with the lines to add."""
    path = UNITS / f"{SKI}.service"
    text = path.read_text()
    path.write_text(text.replace("EnvironmentFile=", "#"))
    systemctl("daemon-reload")
    try:
        found = switch()
        assert (found["state"], found["reason"]) == ("undone", "endpoint-unused"), found
        assert f"EnvironmentFile=-{ENDPOINTS}/{SKI}.env" in found["cure"]
        assert found["steps"][1]["state"] == "next"
    finally:
        path.write_text(text)
        systemctl("daemon-reload")


def allows(yes: bool) -> None:
    """Wait until polkitd has seen that the rule is there, or is gone."""
    unit = "kaspad-taskd-switch@x:local.service"
    asked = f"-a org.freedesktop.systemd1.manage-units --detail verb start --detail unit {unit} -p"
    for _ in until("the rules as they are"):
        pid = shown(DAEMON, "MainPID")
        if (run("pkcheck", *asked.split(), pid, check=False).returncode == 0) is yes:
            return


def test_without_the_rule_polkit_refuses_and_that_is_said() -> None:
    """Nothing is touched."""
    text = RULE.read_text()
    RULE.unlink()
    try:
        allows(False)
        found = switch()
        assert (found["state"], found["reason"]) == ("undone", "no-rights"), found
        assert "--reinstall kaspad-taskd" in found["cure"]
    finally:
        RULE.write_text(text)
        allows(True)


def test_without_polkit_that_is_said() -> None:
    """Before anything is done."""
    systemctl("mask", "--now", "--runtime", "polkit.service")
    try:
        found = switch()
        assert (found["state"], found["reason"]) == ("undone", "no-polkit"), found
    finally:
        systemctl("unmask", "--runtime", "polkit.service")
        systemctl("start", "polkit.service")


def test_a_node_without_its_port_is_not_switched_to() -> None:
    """It is checked first, and the hint says how it is started."""
    declare(DECLARED.replace(LOCAL_URL, "ws://127.0.0.1:17210"))
    try:
        found = switch()
        assert (found["state"], found["reason"]) == ("undone", "borsh-closed"), found
        assert found["cure"] == "Start kaspad with --rpclisten-borsh=127.0.0.1:17210"
    finally:
        declare(DECLARED)


def test_a_node_that_is_lost_on_the_way_is_not_stayed_with() -> None:
    """Ready when checked, gone when verified: back on the public node."""
    with changed(f"{SKI}.service", "ExecStartPre=+systemctl stop stage-node"):
        found = switch()
    assert (found["state"], found["reason"]) == ("undone", "node-lost"), found
    assert uses() == PUBLIC_URL
    for _ in until("hints that know of it"):  # they may be 30 s old
        if "node-unreachable" in [each["code"] for each in service()["hints"]]:
            break
    systemctl("start", "stage-node")
    wait_for_good_hints()


def test_public_turns_a_running_switch_round() -> None:
    """And a second switch at the same time is refused."""
    mood("deaf")  # so that its verification lasts
    call("switchService", service=SKI, to="local")
    refused = ask("switchService", service=SKI, to="local")["error"]
    assert refused["data"]["reason"] == "conflict"
    for _ in until("the verification"):
        if service()["switch"]["step"] == 4:
            break
    call("switchService", service=SKI, to="public")
    found = ended()
    assert (found["state"], found["reason"]) == ("undone", "cancelled"), found
    assert uses() == PUBLIC_URL


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_killed_daemon_finishes_its_switch(step: int) -> None:
    """SIGKILL in each step; systemd starts it again, and the service was restarted once."""
    before = len(restarts())
    call("switchService", service=SKI, to="local")
    for _ in until(f"step {step}"):
        if service()["switch"]["step"] >= step:
            break
    pid = shown(DAEMON, "MainPID")
    os.kill(int(pid), signal.SIGKILL)
    for _ in until("the daemon again"):
        with contextlib.suppress(OSError, ValueError):
            if shown(DAEMON, "MainPID") not in ("0", pid):
                call("ping")
                break
    found = ended()
    assert len(restarts()) == before + 1
    assert found["state"] == "done", found
    assert uses() == LOCAL_URL


def as_daemon(*words: str) -> subprocess.CompletedProcess[str]:
    return run("runuser", "-u", DAEMON, "--", "systemctl", "--no-ask-password", *words, check=False)


def test_the_daemons_user_can_start_the_helper_and_nothing_else() -> None:
    """No other verb, unit, suffix or instance; what is not declared is refused by the helper."""
    good = f"kaspad-taskd-switch@{SKI.replace('-', chr(92) + 'x2d')}:public.service"
    other = "kaspad-taskd-switch@x:elsewhere.service"
    spare = "kaspad-taskd-switch@undeclared:local.service"
    pid = shown(SKI, "MainPID")
    for words in (
        ("restart", f"{SKI}.service"), ("stop", f"{SKI}.service"), ("start", "stage-node"),
        ("restart", "polkit.service"), ("restart", good), ("stop", good), ("start", other),
        ("start", "kaspad-taskd-switch@a b:local.service"), ("enable", good), ("daemon-reload",),
        ("set-property", good, "CPUWeight=1"), ("kill", good), ("isolate", good),
    ):  # fmt: skip
        said = as_daemon(*words)
        assert said.returncode != 0, words
    own = ("systemd-run", "--no-ask-password", f"--unit={spare}", "/bin/true")
    assert run("runuser", "-u", DAEMON, "--", *own, check=False).returncode != 0
    assert shown(SKI, "MainPID") == pid
    assert as_daemon("start", spare).returncode == 1
    assert shown(spare, "ExecMainStatus") == "67"
    assert as_daemon("start", good).returncode == 0
    assert shown(SKI, "MainPID") != pid
