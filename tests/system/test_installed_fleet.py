"""Relay and hub, inside a machine, over Debian's Redis and Valkey: docs/fleet.md, step by step."""

from __future__ import annotations

import json
import pwd
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.lab.installed import (
    ETC,
    PATIENCE,
    PROGRAM,
    READS,
    WALK,
    apt,
    call,
    deb,
    exposure,
    inside,
    older,
    run,
    shown,
    systemctl,
    until,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), inside]

PACKAGE = "kaspad-taskd-fleet"
UNIT, HUB_UNIT = "kaspad-taskd-relay.service", "kaspad-taskd-hub.service"
RELAY, HUB = "kaspad-taskd-relay", "kaspad-taskd-hub"
STATE, HUB_STATE = Path("/var/lib/kaspad-taskd-relay"), Path("/var/lib/kaspad-taskd-hub")
AT = "http://127.0.0.1:3081"
"""Where the page says that it is."""
CLOSET = ETC / "fleet.d"
SETTINGS = ETC / "fleet.toml"
PAGE = Path("/src/docs/fleet.md")
ARCHIVES = Path("/var/cache/apt/archives")
OLD = "0.0.9"
PASSWORDS = {"node-1": "of-the-relay", "hub": "of-the-hub"}
ENGINES = {"redis-server": "redis-cli", "valkey-server": "valkey-cli"}
"""Debian's packages, whose services have their names, and what speaks to them."""
OF_12 = "VERSION_CODENAME=bookworm" in Path("/etc/os-release").read_text()
EVERYWHERE = (
    WALK
    + READS
    + """
import socket
def connects(name):
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect("/run/kaspad-taskd/" + name)
        except OSError:
            return False
    return True
def listens():
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", 0))
            one.listen()
        except OSError:
            return False
    return True
told = {"rpc": connects("rpc.sock"), "watch": connects("watch.sock"), "listens": listens()}
walk("/")
with open(sys.argv[1], "w") as out:
    json.dump({**told, "found": found, "readable": readable}, out)
"""
)
"""All of what a unit may do, written into a file."""


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    if not PROGRAM.exists():
        apt("install", deb())
    apt("install", deb(PACKAGE))


def blocks(language: str) -> list[str]:
    """What the page shows in a language."""
    found = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", PAGE.read_text())
    return [text for name, text in found if name == language]


def begin(engine: str) -> None:
    """Have it run, alone and empty, with the users and settings that the page says."""
    for each in ENGINES:  # or the package's own start finds its port taken, again and again
        systemctl("stop", each, check=False)
    apt("install", engine)
    systemctl("start", engine)
    speak = [ENGINES[engine]]
    for _ in until(f"{engine} answers"):
        if "PONG" in run(*speak, "PING", check=False):
            break
    plain = [line.split() for text in blocks("") for line in text.splitlines()]
    users = [words for words in plain if words[:2] == ["ACL", "SETUSER"]]
    assert [words[2] for words in users] == list(PASSWORDS)
    for words in users:
        mine = [word.replace("PASSWORD", PASSWORDS[words[2]]) for word in words]
        assert run(*speak, *mine).strip() == "OK"
    for name, value in (words for words in plain if words[0].startswith(("append", "maxmemory"))):
        assert run(*speak, "CONFIG", "SET", name, value).strip() == "OK"
    assert run(*speak, "FLUSHALL").strip() == "OK"


def tell() -> None:
    """Write the page's settings, for an engine of this host, and the files that they name."""
    text = "\n".join(blocks("toml")).replace("tls = true\n", "")
    text, times = re.subn(r"(?m)^servers = .*", 'servers = ["127.0.0.1:6379"]', text)
    assert times == 1
    SETTINGS.write_text(text)
    for program, name in ((RELAY, "node-1"), (HUB, "hub")):
        file = CLOSET / program.rpartition("-")[2]
        file.write_text(PASSWORDS[name] + "\n")
        file.chmod(0o640)
        run("chgrp", program, str(file))


def asked(engine: str, *words: str) -> Any:
    """What the engine tells the hub's user."""
    login = ("--user", "hub", "--pass", PASSWORDS["hub"], "--no-auth-warning")
    return json.loads(run(ENGINES[engine], *login, "--json", *words))


def carried(engine: str) -> list[str]:
    """The events of this host that are there, by id."""
    stream = asked(engine, "HGETALL", "taskd:{node-1}:meta").get("stream")
    entries = asked(engine, "XRANGE", f"taskd:{{node-1}}:{stream}", "-", "+") if stream else []
    return [entry[0] for entry in entries]


def until_carried(engine: str) -> None:
    """Each event of the daemon is there, once and in its order, and no other."""
    for _ in until(f"the events are carried: {said()}"):
        if carried(engine) == [f"{each['seq']}-0" for each in call("getEvents")["events"]]:
            return


def said() -> str:
    return run("journalctl", "-u", UNIT, "--no-pager", "-n", "30", check=False)


def seen() -> dict[str, Any]:
    """This host, as the hub's user sees it."""
    done = subprocess.run(
        ["runuser", "-u", HUB, "--", HUB, "--once", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 7), done
    (host,) = json.loads(done.stdout)["hosts"]
    assert done.returncode == (0 if host["verdict"] == "ok" else 7)
    return dict(host)


def test_it_waits_for_its_settings() -> None:
    """Enabled, not started, nothing has failed; the hub is off, and says which file is missing."""
    assert systemctl("is-enabled", UNIT).strip() == "enabled"
    assert shown("ActiveState", UNIT) == "inactive"
    systemctl("start", UNIT)
    assert (shown("ActiveState", UNIT), shown("ConditionResult", UNIT)) == ("inactive", "no")
    assert "0 loaded units" in systemctl("--failed")
    assert systemctl("is-enabled", HUB_UNIT, check=False).strip() == "disabled"
    assert shown("ActiveState", HUB_UNIT) == "inactive"
    done = subprocess.run([HUB, "--once"], capture_output=True, text=True, check=False)
    assert (done.returncode, str(SETTINGS) in done.stderr) == (78, True)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """One that runs, with the page's users, and the page's settings for it."""
    name: str = request.param
    if not [*ARCHIVES.glob(f"{name}_*.deb")]:
        assert OF_12
        pytest.skip(f"this Debian has no {name}")
    begin(name)
    tell()
    return name


def test_what_a_daemon_sees_is_seen_at_the_hub(engine: str) -> None:
    """As the page sets it up: checked, started; each event once, each task, and how it stands."""
    checked = run(RELAY, "--check")
    assert checked.startswith(f"{SETTINGS}: good; node-1 is at 127.0.0.1:6379, by redis-py ")
    print(checked)
    systemctl("restart", UNIT)
    assert shown("ActiveState", UNIT) == "active"
    call("registerTask", type="report", service="carried", id="carried")
    until_carried(engine)
    tasks = [each["id"] for each in call("getAllTasks")]
    for _ in until("the tasks are there"):
        if sorted(asked(engine, "HKEYS", "taskd:{node-1}:tasks")) == sorted(tasks):
            break
    call("errorTask", taskId="carried", error="it broke")
    until_carried(engine)
    host = seen()
    version = call("getInfo")["version"]
    assert (host["host"], host["verdict"], host["gone"]) == ("node-1", "trouble", None)
    assert (host["labels"], host["tasks"]) == ({"site": "Vienna"}, len(tasks))
    assert (host["daemon"], host["relay"]) == (version, version)
    assert (host["gap"], host["fault"]) == (None, None)
    call("removeTask", taskId="carried")
    until_carried(engine)
    assert shown("StatusText", UNIT) == "node-1 -> 127.0.0.1:6379: carries what the daemon tells"


def fetched(path: str) -> tuple[int, str]:
    """What the hub serves there; 0: nobody answers."""
    try:
        with urllib.request.urlopen(AT + path, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
    except OSError:
        return 0, ""


def until_served(path: str, status: int, *texts: str) -> None:
    """Wait until the hub answers so, with these texts."""
    for _ in until(f"{path} is {status} with {texts}"):
        found = fetched(path)
        if found[0] == status and all(text in found[1] for text in texts):
            return


def test_its_hub_serves_all_that_the_page_says(engine: str) -> None:
    """As a user of its own who may only read; while the engine is away it says so, and is back."""
    run(ENGINES[engine], "CONFIG", "REWRITE")  # as the page says: its users outlive a restart
    assert run(HUB, "--check").startswith(f"{SETTINGS}: good; the fleet is read from 127.0.0.1")
    systemctl("restart", UNIT, HUB_UNIT)
    assert shown("ActiveState", HUB_UNIT) == "active"
    status = Path(f"/proc/{shown('MainPID', HUB_UNIT)}/status").read_text()
    assert pwd.getpwuid(int(status.split("Uid:")[1].split()[0])).pw_name == HUB
    call("registerTask", type="report", service="shown", id="shown")
    call("errorTask", taskId="shown", error="it broke")
    until_served("/", 200, 'data-host="node-1" data-verdict="trouble"', "Vienna")
    until_served("/host/node-1/", 200, 'data-id="shown"')
    until_served("/host/node-1/task/shown", 200, "it broke")
    until_served("/healthz", 200, '"ok"')
    verdict = 'kaspad_taskd_host_verdict{host="node-1",kaspad_taskd_host_verdict="trouble"} 1'
    until_served("/metrics", 200, verdict, 'server="127.0.0.1:6379"} 1')
    for _ in until("its line says the same"):
        if shown("StatusText", HUB_UNIT) == f"1 host: 1 trouble; {AT}/":
            break
    print(re.findall("VmRSS.*", Path(f"/proc/{shown('MainPID', HUB_UNIT)}/status").read_text()))
    systemctl("stop", engine)
    until_served("/healthz", 503, "engine-away")
    until_served("/", 200, "Redis cannot be read", 'data-host="node-1" data-verdict="unknown"')
    until_served("/metrics", 200, 'server="127.0.0.1:6379"} 0')
    systemctl("start", engine)
    until_served("/healthz", 200, '"ok"')
    until_served("/", 200, 'data-host="node-1" data-verdict="trouble"')
    call("removeTask", taskId="shown")
    until_carried(engine)
    began = time.monotonic()
    systemctl("stop", HUB_UNIT)
    print(f"stopped in {time.monotonic() - began:.1f} s")
    assert (shown("Result", HUB_UNIT), fetched("/")) == ("success", (0, ""))
    assert "Traceback" not in run("journalctl", "-u", HUB_UNIT, "--no-pager")


@pytest.mark.parametrize("unit", [UNIT, HUB_UNIT])
def test_its_exposure_is_at_most_1_3(unit: str) -> None:
    """As systemd itself counts it; and it can use no other kind of address."""
    assert exposure(unit) <= 1.3
    assert sorted(shown("RestrictAddressFamilies", unit).split()) == [
        "AF_INET", "AF_INET6", "AF_UNIX",
    ]  # fmt: skip


def test_each_reads_its_own_password_and_nobody_theirs() -> None:
    """By the files' groups; who may list the directory is root alone."""
    for file, reader in (("relay", RELAY), ("hub", HUB)):
        for user in (RELAY, HUB, "kaspad-taskd", "kaspad-taskd-notify", "nobody"):
            read = run("runuser", "-u", user, "--", "cat", str(CLOSET / file), check=False)
            assert ("Permission denied" in read) == (user != reader), (file, user)
    assert "Permission denied" in run("runuser", "-u", RELAY, "--", "ls", str(CLOSET), check=False)


@pytest.mark.parametrize(
    ("unit", "doors", "own"),
    [
        (UNIT, {"rpc": False, "watch": True, "listens": False}, STATE / "relay.json"),
        (HUB_UNIT, {"rpc": False, "watch": False, "listens": True}, HUB_STATE / "bridge.token"),
    ],
)
def test_it_reads_its_password_and_state_and_else_what_anybody_may(
    unit: str, doors: dict[str, bool], own: Path
) -> None:
    """Everything was tried from within its unit: it writes its state alone; who listens."""
    closed = ETC / "secrets/of-a-test", ETC / "notify.d/of-a-test", Path("/root/of-a-test")
    for each in closed:
        each.write_text("x")
    script = Path("/usr/local/lib/everywhere.py")
    script.write_text(EVERYWHERE)
    place = Path(f"/etc/systemd/system/{unit}.d")
    place.mkdir()
    (place / "of-a-test.conf").write_text(
        f"[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\nExecStart=\n"
        f"ExecStart=/usr/bin/python3 {script} {own.parent}/everywhere\n"
    )
    systemctl("daemon-reload")
    try:
        systemctl("restart", unit)
        told = json.loads((own.parent / "everywhere").read_text())
        script.write_text(f"{READS}\nprint(json.dumps(readable))\n")
        anybody = run("runuser", "-u", "nobody", "--", "python3", str(script), cwd="/")
    finally:
        for each in (*closed, script, place / "of-a-test.conf", own.parent / "everywhere"):
            each.unlink(missing_ok=True)
        place.rmdir()
        systemctl("daemon-reload")
        systemctl("restart", unit)
    assert {name: told[name] for name in doors} == doors
    theirs = f"{own.parent}/", "/tmp", "/var/tmp"  # a /tmp that is nobody else's
    assert [path for path in told["found"] if not path.startswith(theirs)] == []
    assert str(own) in told["found"]
    readers = (*theirs, *(["/var/lib/kaspad-taskd-notify/"] if unit == UNIT else []))  # its group's
    more = {path for path in set(told["readable"]) - set(json.loads(anybody))
            if not path.startswith(readers)}  # fmt: skip
    assert more == {str(CLOSET / unit.removesuffix(".service").rpartition("-")[2])}


def test_it_idles_small_and_stops_at_once() -> None:
    """36 MiB, as its control group's only process has them in memory."""
    for _ in until("it has looked for another relay, and carries"):
        if "carries what" in shown("StatusText", UNIT):
            break
    status = Path(f"/proc/{shown('MainPID', UNIT)}/status").read_text()
    kib = int(status.split("VmRSS:")[1].split()[0])
    print(f"idle at {kib / 1024:.1f} MiB")
    assert kib <= 36 * 1024
    began = time.monotonic()
    systemctl("stop", UNIT)
    print(f"stopped in {time.monotonic() - began:.1f} s")
    assert shown("Result", UNIT) == "success"
    systemctl("start", UNIT)


def old_version(tree: Path) -> None:
    for file in tree.glob("**/kaspad_taskd/version.py"):
        file.write_text(f'"""Of a test."""\n\n__version__ = "{OLD}"\n')


@pytest.mark.skipif(not OF_12, reason="the same file is tried on Debian 12, which has one engine")
def test_an_upgrade_of_both_goes_on_where_it_was(tmp_path: Path) -> None:
    """The relay runs the new code, and what happened meanwhile is carried too."""
    engine = next(each for each in ENGINES if shown("ActiveState", each) == "active")
    files = []
    for name in ("kaspad-taskd", PACKAGE):
        (tmp_path / name).mkdir()
        files.append(older(deb(name), OLD, tmp_path / name, old_version))
    apt("install", "--allow-downgrades", *files)
    assert call("getInfo")["version"] == OLD
    call("registerTask", type="report", service="carried", id="carried")
    until_carried(engine)
    assert asked(engine, "HGETALL", "taskd:{node-1}:meta")["relay"] == OLD
    before = {unit: shown("MainPID", unit) for unit in (UNIT, HUB_UNIT)}
    apt("install", deb(), deb(PACKAGE))
    for unit, pid in before.items():
        assert shown("ActiveState", unit) == "active"
        assert shown("MainPID", unit) not in ("0", pid)
    call("removeTask", taskId="carried")
    until_carried(engine)
    meta = asked(engine, "HGETALL", "taskd:{node-1}:meta")
    assert (meta["relay"], meta["gap"]) == (call("getInfo")["version"], "null")


def test_purged_it_leaves_its_users_and_the_daemon_alone() -> None:
    """No unit, no settings, no password, no state; the daemon's process runs on."""
    before = shown("MainPID")
    until_served("/", 200)
    apt("purge", PACKAGE)
    assert fetched("/") == (0, "")
    assert [shown("LoadState", each) for each in (UNIT, HUB_UNIT)] == ["not-found"] * 2
    found = run(
        *("find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/src", "-o", "-path"),
        *("/var/cache/apt", "-o", "-path", "/usr/share/kaspad-taskd", "-o", "-path"),
        *("/usr/share/doc/kaspad-taskd", ")", "-prune", "-o", "("),
        *("-name", "*kaspad*relay*", "-o", "-name", "*kaspad*hub*", "-o", "-name", "*fleet*"),
        *(")", "-print"),
        check=False,
    )
    assert [path for path in found.split() if not path.startswith("/tmp/")] == []
    assert shown("MainPID") == before
    assert "0 loaded units" in systemctl("--failed")
    for each in ENGINES:
        systemctl("disable", "--now", each, check=False)
