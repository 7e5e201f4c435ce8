"""A fresh install, inside a machine: the service in its sandbox, and who may use it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.installed import (
    ETC,
    PROGRAM,
    SETTINGS_D,
    SOCKET,
    STATE,
    TASKS,
    UNIT,
    apt,
    call,
    deb,
    define,
    drop_in,
    exposure,
    forget,
    inside,
    run,
    shown,
    systemctl,
    take_out,
    until,
    until_shown,
    within,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), inside]

NODE = """
import asyncio, os, time
from kaspad_taskd.demo.node import PlayingNode
from kaspad_taskd.demo.recording import load
BEGUN, AMID = time.monotonic(), 1.5
held = 0.0
def steady():
    global held
    passed = time.monotonic() - BEGUN - held
    if passed > AMID and not os.path.exists("/tmp/seen-amid"):
        held += passed - AMID
    return min(passed, time.monotonic() - BEGUN - held)
async def main():
    async with PlayingNode(load(), 100, monotonic=steady) as node:
        print(node.url, flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""
SITE = """
import http.server
class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(b'{"done": 30, "total": 40}')
site = http.server.HTTPServer(("127.0.0.1", 0), Site)
print("http://127.0.0.1:%d/s" % site.server_port, flush=True)
site.serve_forever()
"""
QUERY = "SELECT 3 AS done, 4 AS total, false AS completed"


@contextlib.contextmanager
def serving(program: str) -> Iterator[str]:
    """Another program of this host; yields the address that it says."""
    with subprocess.Popen(
        ["python3", "-c", program],
        user="nobody",
        stdout=subprocess.PIPE, text=True,
        env={"PYTHONPATH": str(PROGRAM), "PATH": "/usr/bin:/usr/sbin"},
    ) as other:  # fmt: skip
        assert other.stdout is not None
        try:
            yield other.stdout.readline().strip()
        finally:
            other.kill()


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    if not PROGRAM.exists():
        apt("install", deb())


def test_it_runs_at_once_and_watches_the_node_of_this_host() -> None:
    """Enabled; the shipped definition at work, nothing failed anywhere."""
    assert shown("ActiveState") == "active"
    assert systemctl("is-enabled", UNIT).strip() == "enabled"
    assert systemctl("is-enabled", "kaspad-taskd.socket", check=False).strip() == "disabled"
    task = until_shown("node-sync-kaspa-node", health="unreachable")
    assert (task["origin"], task["reason"]) == ("vendor", "refused")
    assert "0 loaded units" in systemctl("--failed")
    assert run("kaspad-taskd", "--check").startswith("good: 1 definition")


def test_nothing_in_etc_is_the_packages_to_change() -> None:
    """Directories alone; settings and tasks are shown in the documents, and their comments work."""
    assert run("dpkg-query", "-W", "-f", "${Conffiles}", "kaspad-taskd") == ""
    owned = (Path(line) for line in run("dpkg", "-L", "kaspad-taskd").split())
    ours = {path for path in owned if path.is_relative_to("/etc")}
    assert ours == {Path("/etc"), ETC, TASKS, SETTINGS_D}
    assert call("getInfo")["settingsFiles"] == []
    shown_in = Path("/usr/share/doc/kaspad-taskd/examples")
    assert (shown_in / "tasks.d/README").exists()
    assert "settings /usr" in run(
        "kaspad-taskd", "--config", str(shown_in / "kaspad-taskd.toml"), "--check"
    )


def test_the_node_package_lies_where_both_builds_of_node_look() -> None:
    """Debian's and the vendor's find the same files, which are those that npm packs."""
    place, vendors = Path("/usr/share/nodejs/kaspad-taskd"), Path("/usr/lib/node/kaspad-taskd")
    assert vendors.resolve() == place
    source = Path("/src/packaging/npm")
    theirs = {each.relative_to(place) for each in place.rglob("*") if each.is_file()}
    ours = {each.relative_to(source) for each in source.rglob("*") if each.is_file()}
    assert theirs == {*ours, Path("kaspad-taskd.tgz")}
    assert all((place / each).read_bytes() == (source / each).read_bytes() for each in ours)


def test_it_is_not_installed_a_second_time() -> None:
    """The verb for hosts without the package says whose the service is."""
    done = subprocess.run(
        ["kaspad-taskd", "install-service"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Debian's package of kaspad-taskd is installed" in done.stderr


def test_who_is_in_the_readers_group_may_look_and_change_nothing() -> None:
    """The socket has its group; the client takes it by itself."""
    assert run("stat", "-c", "%a %G", "/run/kaspad-taskd/watch.sock").strip() == (
        "660 kaspad-taskd-read"
    )
    run("useradd", "--no-create-home", "--groups", "kaspad-taskd-read", "looker")
    try:
        listed = run("runuser", "-u", "looker", "--", "kaspad-taskctl", "list", "--ids")
        assert "node-sync-kaspa-node" in listed
        done = subprocess.run(
            ["runuser", "-u", "looker", "--", "kaspad-taskctl", "pause", "kaspa-node"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "group kaspad-taskd" in done.stderr
    finally:
        run("userdel", "looker")


def test_a_users_command_is_told_and_its_killed_wrapper_too() -> None:
    """The daemon sees from its sandbox that another user's process has ended, and only then."""
    run("useradd", "--no-create-home", "--groups", "kaspad-taskd", "copier")
    words = ("kaspad-taskctl", "run", "--id", "copy", "--", "sleep", "100")
    try:
        with subprocess.Popen(words, user="copier", extra_groups=["kaspad-taskd"]) as wrapper:
            until_shown("copy", status="in-progress")
            for _ in until("a report of the run that goes on"):
                if call("getTask", taskId="copy")["metadata"].get("pid") == wrapper.pid:
                    break
            call("checkTaskStatus", taskId="copy")
            assert call("getTask", taskId="copy")["status"] == "in-progress"
            wrapper.kill()
        assert "has ended without a word" in until_shown("copy", status="error")["error"]
    finally:
        run("pkill", "-u", "copier", check=False)
        for _ in until("the user's command has ended"):
            if not run("pgrep", "-u", "copier", check=False):
                break
        call("removeTask", taskId="copy")
        run("userdel", "copier")


def test_it_is_ready_within_two_seconds() -> None:
    """From the start of its process to READY, as systemd sees it."""

    def started() -> float:
        systemctl("restart", UNIT)
        ready, began = (
            int(shown(f"{name}Monotonic"))
            for name in ("ActiveEnterTimestamp", "InactiveExitTimestamp")
        )
        return (ready - began) / 1e6

    within(2.0, started)


def test_its_exposure_is_at_most_1_3() -> None:
    """As systemd itself counts it, of the running unit."""
    assert exposure() <= 1.3


def test_what_it_writes_is_for_itself_and_its_group() -> None:
    """The state is the user's own, the token the group's; secrets are root's, and it may read."""
    (ETC / "secrets/of-a-test").touch()
    reading = ("runuser", "-u", "nobody", "--", "cat", str(ETC / "secrets/of-a-test"))
    assert "Permission denied" in run(*reading, check=False)
    (ETC / "secrets/of-a-test").unlink()
    paths = STATE, STATE / "state.db", STATE / "bridge.token", SOCKET, ETC / "secrets"
    modes = {
        each.name: (f"{each.stat().st_mode & 0o7777:04o}", each.owner(), each.group())
        for each in paths
    }
    own = "kaspad-taskd"
    assert modes == {
        "kaspad-taskd": ("0750", own, own),
        "state.db": ("0600", own, own),
        "bridge.token": ("0640", own, own),
        "rpc.sock": ("0660", own, own),
        "secrets": ("0750", "root", own),
    }


def test_the_group_is_answered_and_others_are_told_the_cure() -> None:
    """Membership is the right; without it the client says how to get it, and exits with 3."""
    for name, group in (("insider", "kaspad-taskd"), ("outsider", "")):
        run("useradd", "--create-home", *(["--groups", group] if group else []), name)
    assert json.loads(run("runuser", "-u", "insider", "--", "kaspad-taskctl", "list", "--json"))
    run("runuser", "-u", "insider", "--", "cat", str(STATE / "bridge.token"))
    refused = subprocess.run(
        ["runuser", "-u", "outsider", "--", "kaspad-taskctl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 3
    assert "no permission for its socket" in refused.stderr
    assert "usermod -aG kaspad-taskd" in refused.stderr


def test_it_follows_a_node_over_grpc() -> None:
    """A recorded sync of a real node, from the sandbox, from its first blocks to complete."""
    with serving(NODE) as url:
        define("played", f'type = "node-sync"\nservice = "played"\ninterval = "250ms"\n'
                         f'[checker]\nurl = "{url}"\nnetwork = "simnet"\n')  # fmt: skip
        for _ in until("progress"):
            task = call("getTask", taskId="played")  # None until the reload is over
            if task is not None and task["progress"] > 0 and task["health"] == "ok":
                break
        assert task["phase"] is not None
        Path("/tmp/seen-amid").touch()
        until_shown("played", status="complete")
    forget("played")


def test_it_asks_over_http_and_runs_commands() -> None:
    """Of this host, inside the sandbox, in which a command is as well."""
    with serving(SITE) as url:
        define(
            "web",
            f'type = "http-json"\nservice = "web"\n[checker]\nurl = "{url}"\n'
            'done = "done"\ntotal = "total"\n',
        )
        define(
            "job",
            'type = "command"\nservice = "job"\n[checker]\n'
            """command = ["/bin/echo", '{"progress": 42}']\n""",
        )
        assert until_shown("web", progress=75.0)["health"] == "ok"
        assert until_shown("job", progress=42.0)["health"] == "ok"
    forget("web", "job")


def test_a_missing_library_is_named_with_its_package() -> None:
    """Without python3-asyncpg a migration is not watched, and its task says what to install."""
    assert "No module named" in run("python3", "-c", "import asyncpg", check=False)
    with databases(socket="postgresql://x@/x?host=/nowhere"):
        until_shown("pg-socket", reason="library-missing")
        assert "apt install python3-asyncpg" in run("kaspad-taskctl", "status", "pg-socket")


@contextlib.contextmanager
def databases(**dsn: str) -> Iterator[None]:
    """Settings with these databases, each with a task pg-NAME that watches it."""
    settings, declared = SETTINGS_D / "databases.toml", ""
    for name, text in dsn.items():
        secret = ETC / "secrets" / f"{name}.dsn"
        secret.write_text(text + "\n")
        declared += f'[databases.{name}]\ndsn_file = "{secret}"\n'
        (TASKS / f"pg-{name}.toml").write_text(
            f'type = "database-migration"\nservice = "pg-{name}"\ninterval = "250ms"\n'
            f'[checker]\ndsn = "{name}"\ntool = "sql"\nquery = "{QUERY}"\n'
        )
    settings.write_text(declared)
    systemctl("reload", UNIT)
    try:
        yield
    finally:
        settings.unlink()
        forget(*(f"pg-{name}" for name in dsn))


@contextlib.contextmanager
def of_another_python(package: str) -> Iterator[None]:
    """Compiled modules as the next Debian brings them, under a daemon that runs on."""
    place, away = Path("/usr/lib/python3/dist-packages") / package, Path("/tmp/of-this-python")
    away.mkdir()
    for each in place.glob("*.so"):
        shutil.move(each, away)
    systemctl("restart", UNIT)
    try:
        yield
    finally:
        for each in away.iterdir():
            shutil.move(each, place)
        away.rmdir()


def test_it_watches_postgresql_over_tcp_and_by_its_socket() -> None:
    """By password over TCP, by the kernel's word on the socket; secrets are files in /etc."""
    apt("install", "postgresql", "python3-asyncpg")
    with of_another_python("asyncpg/protocol"), databases(socket="postgresql://x@/x?host=/nowhere"):
        until_shown("pg-socket", reason="library-missing")
        told = " ".join(run("kaspad-taskctl", "status", "pg-socket").split())
        assert "restart kaspad-taskd" in told
        assert "apt install" not in told
    systemctl("restart", UNIT)
    run("runuser", "-u", "postgres", "--", "psql", "-q", "-c",
        "CREATE ROLE \"kaspad-taskd\" LOGIN PASSWORD 'guess' IN ROLE pg_read_all_stats",
        "-c", 'CREATE DATABASE jobs OWNER "kaspad-taskd"', cwd="/")  # fmt: skip
    by_socket = "postgresql://kaspad-taskd@/jobs?host=/var/run/postgresql"
    with databases(tcp="postgresql://kaspad-taskd:guess@127.0.0.1/jobs", socket=by_socket):
        for name in ("pg-tcp", "pg-socket"):
            task = until_shown(name, progress=75.0)
            assert task["health"] == "ok"
            assert "guess" not in json.dumps(task)
    apt("purge", "postgresql*")


def test_the_page_and_its_parts_are_served() -> None:
    """By Debian's aiohttp: the page, its scripts, health, metrics with the token, Socket.IO."""

    def fetch(path: str, **headers: str) -> Any:
        asked = urllib.request.Request(f"http://127.0.0.1:3080{path}", headers=headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.read().decode()

    page = fetch("/")
    assert "kaspa-node" in page
    for path in re.findall(r'(?:src|href)="(static/[^"]+)"', page):
        assert fetch(f"/{path}")
    assert json.loads(fetch("/healthz"))["status"] == "ok"
    assert json.loads(fetch("/openrpc.json"))["methods"]
    assert "kaspad_taskd" in fetch("/metrics")
    assert fetch("/socket.io/?EIO=4&transport=polling").startswith("0{")


def test_it_may_start_the_switch_and_nothing_else() -> None:
    """By polkit's rule: root's helper runs, and refuses a service that it does not know."""

    def ask_systemd(verb: str, unit: str) -> str:
        own = ("runuser", "-u", "kaspad-taskd", "--", "systemctl", "--no-ask-password")
        return run(*own, verb, unit, check=False)

    switch = "kaspad-taskd-switch@nothing:local.service"
    assert "control process exited" in ask_systemd("start", switch)
    for verb, unit in (
        ("restart", switch),
        ("start", switch.replace("local", "x")),
        ("stop", UNIT),
    ):
        refused = ask_systemd(verb, unit)  # systemd 262 says "requires interactive authentication"
        assert "nteractive authentication" in refused, (verb, unit, refused)
    systemctl("reset-failed", switch)
    escaped = ("systemd-escape", "--template=kaspad-taskd-switch@.service", "kasia-indexer:local")
    page = Path("/src/docs/switching.md").read_text()
    assert " ".join(escaped) in page
    assert f"systemctl status '{run(*escaped).strip()}'" in page


def test_the_drop_ins_are_what_they_say() -> None:
    """Each is taken by systemd without a complaint, and the service runs with it."""
    shipped = Path("/usr/share/doc/kaspad-taskd/examples/drop-ins")
    names = sorted(path.name for path in shipped.iterdir())
    assert names == ["commands.conf", "data-dir.conf", "journal.conf", "loopback-only.conf"]
    for name in names:
        # as it is, and with all that it offers
        text = (shipped / name).read_text()
        opened = re.sub(r"^#(?=[A-Z]\w+=)", "", text, flags=re.MULTILINE)
        path = drop_in("tried", opened)
        assert run("systemd-analyze", "verify", "--man=no", UNIT) == ""
        systemctl("restart", UNIT)
        assert shown("ActiveState") == "active"
        if name == "journal.conf":
            assert "systemd-journal" in run("id", "-nG", "kaspad-taskd") or shown(
                "SupplementaryGroups"
            )
        take_out(path)
    systemctl("restart", UNIT)


def test_a_directory_in_a_home_is_seen_with_the_drop_in() -> None:
    """Of all homes that one; without it the hint has the drop-in, and nothing else is measured."""
    data = Path("/home/kaspa/.rusty-kaspa")
    data.mkdir(parents=True)
    (data / "file").write_text("x")
    data.parent.chmod(0o700)
    checker = f'url = "http://127.0.0.1:9/"\nprogress = "p"\ndata_dir = "{data}"\n'
    define("roomy", f'type = "http-json"\nservice = "roomy"\n\n[checker]\n{checker}')
    for _ in until("it is hidden"):
        hints = {each["code"]: each["params"] for each in call("getTask", taskId="roomy")["hints"]}
        if "data-dir-hidden" in hints:
            break
    assert hints["data-dir-hidden"]["home"] == "/home"
    assert "diskFree" not in call("getTask", taskId="roomy")["metadata"]
    shipped = Path("/usr/share/doc/kaspad-taskd/examples/drop-ins/data-dir.conf")
    path = drop_in("data-dir", shipped.read_text())
    systemctl("restart", UNIT)
    for _ in until("it is seen"):
        task = call("getTask", taskId="roomy")
        if "diskFree" in task["metadata"]:
            break
    assert "data-dir-hidden" not in [each["code"] for each in task["hints"]]
    forget("roomy")
    take_out(path)
    systemctl("restart", UNIT)


def test_the_demo_runs_for_anybody() -> None:
    """From the package's own directory, as an ordinary user who is not in the group."""
    told = subprocess.run(
        ["timeout", "90", "runuser", "-l", "outsider", "-c", "kaspad-taskd demo --speed 100"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "kaspa-node" in told.stdout, told.stdout + told.stderr
    assert "http://127.0.0.1:" in told.stdout
