"""What a child shows and leaves: no secret, no file, no process."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kaspad_taskd.notify.model import How, Outcome
from kaspad_taskd.notify.sending import sender
from kaspad_taskd.notify.sending.sender import send
from tests.notify.sending.conftest import MESSAGE, target
from tests.notify.servers import PATIENCE, Answer, Http

pytestmark = pytest.mark.system

SECRETS = ("Wa1ter", "s3cretpass", "hushhush", "t0kent0ken", "k3yk3y")


def children() -> list[Path]:
    tasks = Path("/proc/self/task").iterdir()
    found = [pid for each in tasks for pid in (each / "children").read_text().split()]
    return [Path("/proc", pid) for pid in found]


def cmdline(process: Path) -> str:
    try:
        return (process / "cmdline").read_text()
    except OSError:  # it has gone
        return ""


@pytest.mark.parametrize("how", [How.APPRISE, How.WEBHOOK])
@pytest.mark.usefixtures("apprise")
def test_while_it_sends_nobody_sees_where_to(
    how: How, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither arguments nor environment of the child, nor logs, a dump, what libraries print."""
    caplog.set_level(logging.DEBUG)
    seen, limits, outputs = list[str](), list[str](), list[str]()
    stop = threading.Event()

    def look() -> None:
        assert server.reached.wait(PATIENCE)
        for child in children():
            said = cmdline(child)
            if "child.py" not in said:  # what another test has left
                continue
            seen.append(said)
            seen.append((child / "environ").read_text())
            limits.append((child / "limits").read_text())
            outputs.extend(str((child / "fd" / each).readlink()) for each in "12")
        stop.set()

    with Http(Answer(401, " ".join(SECRETS), way="drip")) as server:
        looking = threading.Thread(target=look)
        looking.start()
        scheme = "ntfy" if how is How.APPRISE else "http"
        url = (
            f"{scheme}://{SECRETS[0]}:{SECRETS[1]}@127.0.0.1:{server.port}/hushhush?tags=t0kent0ken"
        )
        outcome = send(target(url, how, "k3yk3y"), MESSAGE, PATIENCE, stop)
        looking.join(PATIENCE)
        assert server.requests
    assert any("child.py" in each for each in seen)
    assert all("Max core file size 0 0" in " ".join(each.split()) for each in limits)
    assert set(outputs) == {"/dev/null"}
    output = capfd.readouterr()
    shown = "".join((*seen, caplog.text, output.out, output.err, repr(outcome), repr(target(url))))
    assert [each for each in (*SECRETS, "Node is behind") if each in shown] == []


@pytest.mark.usefixtures("apprise")
def test_the_words_of_a_refusal_hold_no_part_of_the_address() -> None:
    with Http(Answer(401, " ".join(SECRETS))) as server:
        url = f"ntfy://{SECRETS[0]}:{SECRETS[1]}@127.0.0.1:{server.port}/hushhush?tags=t0kent0ken"
        outcome = send(target(url, key="k3yk3y"), MESSAGE)
    assert outcome.words == "*** *** *** *** ***"


AUDIT = """
import os
def audit(event, arguments):
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
    kept = event == 'open' and isinstance(arguments[2], int) and arguments[2] & writes
    if event in ('os.mkdir', 'os.rename', 'os.remove', 'os.link', 'os.symlink', 'subprocess.Popen',
                 'os.system', 'os.posix_spawn', 'os.exec', 'os.fork') or kept:
        if arguments[0] != os.devnull:
            os.write(log, repr((event, arguments[0])).encode() + b'\\n')
log = os.open({log!r}, os.O_WRONLY | os.O_CREAT)
sys.dont_write_bytecode = True  # what Python itself keeps beside sources, where it may
sys.addaudithook(audit)
"""


@pytest.mark.parametrize("service", ["json", "ntfy", "gotify", "matrix", "http"])
@pytest.mark.usefixtures("apprise")
def test_it_writes_no_file_and_starts_nothing(
    service: str, wrapped: Callable[[str], None], tmp_path: Path
) -> None:
    wrapped(AUDIT.format(log=str(tmp_path / "audit")))
    with Http(Answer(200, '{"access_token": "t", "user_id": "@u:x", "room_id": "!r:x"}')) as server:
        path = "%23room:x" if service == "matrix" else "AbCdEf123456"
        how = How.WEBHOOK if service == "http" else How.APPRISE
        outcome = send(target(f"{service}://me:pass@127.0.0.1:{server.port}/{path}", how), MESSAGE)
        assert outcome.delivered, outcome
    assert (tmp_path / "audit").read_text() == ""


@pytest.mark.usefixtures("apprise")
def test_neither_a_proxy_nor_a_netrc_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A `.netrc` would take the place of the address's own password."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    (tmp_path / ".netrc").chmod(0o600)
    for name, value in (("HOME", str(tmp_path)), ("NETRC", str(tmp_path / ".netrc"))):
        monkeypatch.setenv(name, value)
        monkeypatch.setitem(sender._ENVIRONMENT, name, value)  # even if it were there
    with Http() as proxy, Http() as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setitem(sender._ENVIRONMENT, "http_proxy", f"http://127.0.0.1:{proxy.port}")
        url = f"json://127.0.0.1:{server.port}/?%2BAuthorization=Bearer%20mine"
        assert send(target(url), MESSAGE).delivered
        assert proxy.connections == 0
        assert server.requests[0].headers["authorization"] == "Bearer mine"


def test_an_orphan_ends_by_itself() -> None:
    """Where the notifier was killed, its child ends soon after the deadline, too."""
    with Http(Answer(way="hang")) as server:
        job: dict[str, object] = {"do": "http", "method": "GET", "url": f"http://127.0.0.1:{server.port}",
               "headers": {}, "body": None, "key": "", "deadline": 0.1}  # fmt: skip
        child = subprocess.run(
            [sys.executable, "-I", str(sender.CHILD)], input=json.dumps(job).encode(),
            timeout=PATIENCE, check=False, capture_output=True, cwd="/",
        )  # fmt: skip
    assert child.returncode == -signal.SIGALRM


def test_several_are_sent_at_once_from_threads() -> None:
    """Each knows its own end; nothing of one is waited for by another."""
    before, outcomes = children(), list[Outcome]()
    with Http(Answer(way="hang")) as slow, Http() as fast:
        url = f"http://127.0.0.1:{slow.port}"
        tries = [(target(url, How.WEBHOOK), MESSAGE, PATIENCE, slow.left)] * 4
        threads = [
            threading.Thread(target=lambda one=one: outcomes.append(send(*one))) for one in tries
        ]
        for each in threads:
            each.start()
        for _ in range(5):
            quick = send(target(f"http://127.0.0.1:{fast.port}", How.WEBHOOK), MESSAGE, PATIENCE)
            assert quick.delivered
        assert outcomes == []
    for each in threads:
        each.join(PATIENCE)
    assert len(outcomes) == 4
    assert not any(each.delivered for each in outcomes)
    assert set(children()) <= set(before)
