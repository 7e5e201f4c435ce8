"""The notifier, inside a machine: its unit, its sandbox, and whom it talks to."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.installed import ETC, WALK, apt, call, exposure, inside, run, shown, systemctl, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), inside]

UNIT = "kaspad-taskd-notify.service"
USER = "kaspad-taskd-notify"
STATE = Path("/var/lib/kaspad-taskd-notify")
CLOSET = ETC / "notify.d"
GOT = Path("/tmp/told")
SERVER = f"""
import http.server
class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("{GOT}", "ab") as got:
            got.write(self.path.encode() + b" " + body + b"\\n")
        if self.path == "/moved":
            self.send_response(302); self.send_header("Location", "http://127.0.0.2:1/gone")
        else:
            self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
print(server.server_port, flush=True)
server.serve_forever()
"""
EVERYWHERE = (
    WALK
    + """
import socket, sys
sys.stdin.read()
with socket.socket() as one:
    one.bind(("127.0.0.1", 0))
    try:
        one.listen()
    except PermissionError:
        pass
    else:
        found.append("/listens")
walk("/")
with open("/var/lib/kaspad-taskd-notify/everywhere", "w") as out:
    json.dump(found, out)
"""
)
OWN = (str(STATE), "/tmp", "/var/tmp")
"""Its state, and a /tmp that is nobody else's."""


@contextlib.contextmanager
def server() -> Iterator[int]:
    """A service that takes messages; yields its port."""
    command = ["python3", "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        try:
            yield int(other.stdout.readline())
        finally:
            other.kill()


def secret(name: str, text: str) -> Path:
    path = CLOSET / name
    path.write_text(text)
    path.chmod(0o640)
    run("chgrp", USER, str(path))
    return path


def told(path: str) -> list[dict[str, Any]]:
    """What has come to a path of the server."""
    lines = GOT.read_text().splitlines() if GOT.exists() else []
    split = (line.partition(" ") for line in lines)
    return [json.loads(body) for where, _, body in split if where == path]


def errors(path: str) -> list[dict[str, Any]]:
    """Those of them that tell of the task that failed."""
    return [
        each for each in told(path) if "it broke" in json.dumps(each) or "told" in each["title"]
    ]


def pids() -> list[int]:
    group = shown("ControlGroup", UNIT)
    return [int(line) for line in Path(f"/sys/fs/cgroup{group}/cgroup.procs").read_text().split()]


def test_it_waits_for_its_settings() -> None:
    """Enabled, not started, and nothing has failed: nobody has said who is to be told."""
    assert systemctl("is-enabled", UNIT).strip() == "enabled"
    assert shown("ActiveState", UNIT) == "inactive"
    assert shown("ConditionResult", UNIT) == "no" or not shown("ConditionTimestamp", UNIT)
    assert "0 loaded units" in systemctl("--failed")
    done = subprocess.run(["kaspad-taskctl", "notify"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no notifier has run here" in done.stderr


def test_its_addresses_are_closed_to_the_daemon_and_the_daemons_secrets_to_it() -> None:
    """Each reads its own; the directories say so, whatever the mode of a file in them."""
    found = CLOSET.stat()
    assert (f"{found.st_mode & 0o7777:04o}", CLOSET.owner(), CLOSET.group()) == (
        "0750", "root", USER,
    )  # fmt: skip
    (CLOSET / "of-a-test").write_text("x")
    (ETC / "secrets/of-a-test").write_text("x")
    for user, open_, closed in (
        (USER, CLOSET, ETC / "secrets"),
        ("kaspad-taskd", ETC / "secrets", CLOSET),
    ):
        as_user = ("runuser", "-u", user, "--", "cat")
        assert run(*as_user, str(open_ / "of-a-test")) == "x"
        assert "Permission denied" in run(*as_user, str(closed / "of-a-test"), check=False)
    (CLOSET / "of-a-test").unlink()
    (ETC / "secrets/of-a-test").unlink()


def test_its_exposure_is_at_most_1_8() -> None:
    """As systemd itself counts it; and it can use no other kind of address."""
    assert exposure(UNIT) <= 1.8
    assert sorted(shown("RestrictAddressFamilies", UNIT).split()) == [
        "AF_INET", "AF_INET6", "AF_UNIX",
    ]  # fmt: skip


def test_it_tells_what_the_daemon_sees_and_talks_to_nobody_else() -> None:
    """By its own client and by Debian's Apprise; a redirect is not followed, no proxy is asked.

    It writes nothing but its state, listens nowhere, and connects to the sockets of this host and
    to the addresses that it was given.
    """
    apt("install", "apprise", "strace")
    script = Path("/usr/local/lib/everywhere-notify.py")
    script.write_text(EVERYWHERE)
    with server() as port:
        at = f"127.0.0.1:{port}"
        secret("hook", f"http://{at}/hook\n")
        secret("moved", f"http://{at}/moved\n")
        secret("phone", f"json://{at}/phone\n")
        names = (("hook", "webhook_file"), ("moved", "webhook_file"), ("phone", "url_file"))
        (ETC / "notify.toml").write_text(
            "".join(
                f'[[to]]\nname = "{name}"\n{key} = "{CLOSET / name}"\ngather = "0s"\n'
                for name, key in names
            )
            + f'[[to]]\nname = "job"\ncommand = ["/usr/bin/python3", "{script}"]\non = ["switch"]\n'
        )
        systemctl(
            "set-environment", "http_proxy=http://127.0.0.3:1", "https_proxy=http://127.0.0.3:1"
        )
        assert "phone, line 1 (json): accepted by Apprise, not proven" in run(USER, "--check")
        systemctl("start", UNIT)
        trace = Path("/tmp/trace")
        trace.unlink(missing_ok=True)
        main = int(shown("MainPID", UNIT))
        calls = "trace=connect,bind,listen"
        tracer = subprocess.Popen(
            ["strace", "-f", "-q", "-e", calls, "-o", str(trace), "-p", str(main)]
        )
        try:
            for _ in until("it is traced"):
                if "TracerPid:\t0" not in Path(f"/proc/{main}/status").read_text():
                    break
            call("registerTask", type="report", service="told", id="told")
            call("errorTask", taskId="told", error="it broke")
            for _ in until("it is told"):
                if all(errors(path) for path in ("/hook", "/phone", "/moved")):
                    break
            answered = json.loads(run("kaspad-taskctl", "notify", "test", "--json", check=False))
            assert listening(pids()) == []
        finally:
            tracer.terminate()
            tracer.wait()
            systemctl("unset-environment", "http_proxy", "https_proxy")
        results = {each["target"].split(",")[0].split(" ")[0]: each for each in answered["results"]}
        assert results["hook"]["delivered"] is True
        assert results["phone"]["delivered"] is True
        assert (results["moved"]["delivered"], results["moved"]["status"]) == (False, 302)
        assert results["job"]["delivered"] is True
        assert {each["kind"] for each in errors("/hook")} == {"error"}
        calls_of = re.compile(r'\b(connect|bind)\(.*?sin6?_port=htons\((\d+)\).*?"([^"]+)"')
        met = set(calls_of.findall(trace.read_text()))
        # urllib3 binds [::1]:0 to see whether there is IPv6; the other one is the script above
        expected = {("connect", str(port), "127.0.0.1"), ("bind", "0", "::1")}
        assert met - {("bind", "0", "127.0.0.1")} <= expected, met
        assert ("connect", str(port), "127.0.0.1") in met
        assert not re.search(r"\blisten\(.* = 0$", trace.read_text(), re.MULTILINE)
        paths = set(re.findall(r'sun_path="([^"]+)"', trace.read_text()))
        assert all(path.startswith(("/run/", "/var/run/")) for path in paths), paths
        assert "/run/kaspad-taskd/rpc.sock" not in paths
        wrote = json.loads((STATE / "everywhere").read_text())
        assert [path for path in wrote if not path.startswith(OWN)] == []
        assert any(path.startswith(str(STATE)) for path in wrote)
    call("removeTask", taskId="told")
    script.unlink()


def listening(of: list[int]) -> list[str]:
    """Sockets of these processes on which somebody could connect, of every kind."""
    own = set()
    for pid in of:
        with contextlib.suppress(OSError):
            for each in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    own.add(str(each.readlink()))
    found = []
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] in ("0A", "07") and f"socket:[{words[9]}]" in own:
                found.append(f"{kind} {words[1]}")
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[3], 16) & 0x10000 and f"socket:[{words[6]}]" in own:
            found.append(line)
    return found


def test_who_may_look_at_the_daemon_may_look_at_what_was_told() -> None:
    """And nobody else; a test is root's to ask for. No address stands anywhere but in its file."""
    paths = STATE, STATE / "status.json", STATE / "notify.db"
    assert [(f"{each.stat().st_mode & 0o777:03o}", each.group()) for each in paths] == [
        ("750", "kaspad-taskd-read"),
        ("640", "kaspad-taskd-read"),
        ("600", "kaspad-taskd-read"),
    ]
    run("useradd", "--no-create-home", "--groups", "kaspad-taskd-read", "looker")
    run("useradd", "--no-create-home", "stranger")
    try:
        as_looker = ("runuser", "-u", "looker", "--", "kaspad-taskctl", "notify")
        assert "told hook (webhook)" in run(*as_looker)
        assert "sudo kaspad-taskctl notify test" in run(*as_looker, "test", check=False)
        as_stranger = ("runuser", "-u", "stranger", "--", "kaspad-taskctl", "notify")
        assert "only root and the group kaspad-taskd-read" in run(*as_stranger, check=False)
    finally:
        run("userdel", "looker")
        run("userdel", "stranger")
    kept = b"".join(each.read_bytes() for each in STATE.iterdir() if each.is_file())
    said = run("journalctl", "-u", UNIT, "--no-pager")
    assert b"/phone" not in kept
    assert "/phone" not in said
    assert 'told hook (webhook): "' in said


def test_it_idles_small_and_stops_at_once() -> None:
    """25 MiB after all that, as its control group's only process has them in memory."""
    (main,) = pids()
    status = Path(f"/proc/{main}/status").read_text()
    kib = int(status.split("VmRSS:")[1].split()[0])
    print(f"idle at {kib / 1024:.1f} MiB")
    assert kib <= 25 * 1024
    began = time.monotonic()
    systemctl("stop", UNIT)
    print(f"stopped in {time.monotonic() - began:.1f} s")
    assert shown("Result", UNIT) == "success"
    (ETC / "notify.toml").unlink()
    for name in ("hook", "moved", "phone"):
        (CLOSET / name).unlink()
