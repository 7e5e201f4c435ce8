"""`doctor`: each check, and what its findings mean for the exit code."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.cli import checkup, checkup_offline, checkup_tasks, doctor
from kaspad_taskd.cli.checkup import FAULT, GOOD, WARNING
from kaspad_taskd.cli.main import run
from kaspad_taskd.client import SYSTEM_SOCKET, wire
from kaspad_taskd.version import __version__
from kaspad_taskd.words import task as words
from tests.cli.conftest import Ran
from tests.fakes.golden import NOW, golden_task, golden_tasks
from tests.fakes.kept import BEHIND, LOST, watched
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd import ScriptedTaskd, answering

Ctl = Callable[..., Ran]
INFO = {"store": {"path": "/var/lib/kaspad-taskd/state.db", "durable": True, "problem": None,
                  "size": 4096}, "bridge": None, "host": "node-1"}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host of the tests is not what is examined."""
    monkeypatch.setattr(checkup, "ask", lambda *_command: None)
    monkeypatch.setattr(checkup, "_free", lambda _place: 1 << 40)
    monkeypatch.setattr(checkup, "_PATIENCE", PATIENCE)


@pytest.fixture
def health() -> Iterator[str]:
    """The address of a server that answers /healthz."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def well(taskd: ScriptedTaskd, **answers: Any) -> None:
    healthy = {"ping": {"version": __version__}, "getInfo": INFO, "listDefinitions": []}
    taskd.answers.update({**answering([golden_task("kaspa-node")]), **healthy, **answers})
    taskd.path.chmod(0o660)


def test_all_is_well(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Good findings only: exit 0."""
    well(taskd)
    code, out, _err = ctl("doctor")
    assert code == 0
    assert out.splitlines()[-1] == "6 good"
    assert "✓ node     kaspa-node is syncing" in out


def test_a_fault_is_exit_1(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """A bad definition file and a store that saves nothing: named, with their cures."""
    broken = {"path": "/var/lib/x", "durable": False, "problem": "the disk is full", "size": 0}
    bad = {"file": "a.toml", "key": "interval", "problem": "is none"}
    well(taskd, getInfo={"store": broken}, listDefinitions=[{"id": "a", "faults": [bad]}])
    code, out, _err = ctl("doctor")
    assert code == 1
    assert "✗ store    nothing is saved: the disk is full" in out
    assert "✗ files    a.toml, interval: is none" in out
    assert out.splitlines()[-1].endswith("2 faults")


def test_no_daemon_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can be checked without the daemon is checked; the rest is one fault with its cure."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert run(["--socket", str(tmp_path / "none"), "doctor"]) == 1
    out = capsys.readouterr().out
    assert "✗ daemon   cannot reach kaspad-taskd" in out
    assert f"Start it: kaspad-taskd --runtime-dir {tmp_path}" in out


def test_settings_that_keep_the_daemon_down_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended with 78: the file and the key, and how it is started then."""
    file = tmp_path / "kaspad-taskd.toml"
    file.touch()
    monkeypatch.setattr(checkup, "ask", lambda *_command: f"{file}, log_level: is none")
    monkeypatch.setattr(checkup, "SETTINGS", str(file))
    for module in (wire, doctor):
        monkeypatch.setattr(module, "SYSTEM_SOCKET", str(tmp_path / "none"))
    assert run(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)[1]
    assert (found["check"], found["text"]) == ("settings", f"{file}, log_level: is none")
    assert found["cure"].startswith("Mend it, then: kaspad-taskd")


@pytest.mark.parametrize(("code", "cure"), [(78, "Mend it, then: "), (1, "Mend it, then: ")])
def test_why_the_last_start_failed_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    code: int, cure: str,
) -> None:  # fmt: skip
    """From what the daemon left beside its socket, with its age and what to type."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    at = datetime.fromtimestamp(time.time() - 180, UTC).isoformat().replace("+00:00", "Z")
    kept = {"at": at, "code": code, "said": ["state.db has schema 9,", "\x1b[31mit is newer"]}
    (tmp_path / "last-error").write_text(json.dumps(kept))
    assert run(["--socket", str(tmp_path / "rpc.sock"), "--json", "doctor"]) == 1
    found = json.loads(capsys.readouterr().out)[1]
    assert (found["check"], found["level"]) == ("start", FAULT)
    assert found["text"].startswith("The last start failed 3 min ago: state.db has schema 9,")
    assert "\x1b" not in found["text"]
    assert found["cure"].startswith(cure)


def test_a_users_own_daemon_is_meant_where_only_that_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither runs: the one that has left its directory is examined, the system's before it."""
    system, own = tmp_path / "run/kaspad-taskd/rpc.sock", tmp_path / "user/kaspad-taskd/rpc.sock"
    monkeypatch.setattr(checkup_offline, "SYSTEM_SOCKET", str(system))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "user"))
    assert checkup_offline.meant(str(system)) == str(system)
    own.parent.mkdir(parents=True)
    assert checkup_offline.meant(str(system)) == str(own)
    assert checkup_offline.meant(str(own.with_name("watch.sock"))) == str(own)
    system.parent.mkdir(parents=True)
    assert checkup_offline.meant(str(system)) == str(system)
    assert checkup_offline.meant("/elsewhere/rpc.sock") == "/elsewhere/rpc.sock"


@pytest.mark.parametrize("text", ["", "[1]", '{"at": 1}', '{"at": "x", "said": [], "code": 1}'])
def test_what_it_left_may_be_anything(tmp_path: Path, text: str) -> None:
    """No finding is made of it, and no traceback."""
    (tmp_path / "last-error").write_text(text)
    assert list(checkup_offline.last_error(str(tmp_path / "rpc.sock"))) == []


def test_what_the_daemons_program_finds_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """State, rights, port, each as it says; an older program says nothing of it."""
    one = {"check": "port", "level": "warning", "text": "taken", "cure": "ss -ltnp"}
    monkeypatch.setattr(checkup, "ask", lambda *_command: json.dumps([one]))
    (found,) = checkup_offline.preflight("kaspad-taskd", "--preflight")
    assert found.as_json() == one
    for said in (None, "", "usage: kaspad-taskd", "[1]", "{}", '[{"check": 1}]'):
        monkeypatch.setattr(checkup, "ask", lambda *_command, said=said: said)
        assert list(checkup_offline.preflight("kaspad-taskd", "--preflight")) == []


def test_json_lists_the_findings(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """One document: check, level, text, cure."""
    well(taskd, ping={"version": "0.0.1"})
    code, out, _err = ctl("doctor", "--json")
    found = json.loads(out)
    assert code == 0
    assert found[0] == {
        "check": "daemon",
        "level": "warning",
        "text": f"version 0.0.1 runs, {__version__} is installed",
        "cure": "Stop it and start it in the installed version: "
        f"kaspad-taskd --runtime-dir {taskd.path.parent} (and the options it had)",
    }


@pytest.mark.parametrize(("fields", "level"), [(BEHIND, WARNING), (LOST, WARNING), ({}, GOOD)])
def test_what_is_watched_is_told_as_it_is_now(fields: dict[str, Any], level: str) -> None:
    """A node that was complete and is behind is a warning, with its cause and its cure."""
    found = list(checkup_tasks.tasks([watched(**fields)], NOW))
    assert [one.level for one in found] == [level]
    assert found[0].text == words.headline(watched(**fields), NOW)
    assert bool(found[0].cure) == bool(fields)


def test_a_task_in_trouble_has_its_causes() -> None:
    """A failed task is a fault, an unreachable or stalled one a warning, each likely cause too."""
    found = list(checkup_tasks.tasks([golden_task("lonely"), golden_task("failed-job"),
                                golden_task("headers-import")], NOW))  # fmt: skip
    assert [(one.level, one.name) for one in found] == [
        (WARNING, "node"), (WARNING, "clock"), (WARNING, "node"), (FAULT, "command")]  # fmt: skip
    assert "TCP port 16111" in str(found[0].cure)
    assert "95 s ahead" in found[1].text


def test_the_socket_is_for_the_group_alone(tmp_path: Path) -> None:
    """A socket that others may write to is a warning with the mode it should have."""
    path = tmp_path / "rpc.sock"
    path.touch()
    path.chmod(0o666)
    (found,) = checkup.rights(str(path))
    assert (found.level, found.cure) == (WARNING, f"chmod 660 {path}")
    path.chmod(0o660)
    assert [one.level for one in checkup.rights(str(path))] == [GOOD]


def test_a_token_for_others_is_a_fault(tmp_path: Path, health: str) -> None:
    """Who can read the token can change everything."""
    token = tmp_path / "bridge.token"
    token.touch()
    info = {"bridge": {"address": health, "tokenFile": str(token)}}
    token.chmod(0o644)
    assert [one.level for one in checkup.bridge(info)] == [GOOD, FAULT]
    token.chmod(0o640)
    assert [one.level for one in checkup.bridge(info)] == [GOOD, GOOD]
    assert [one.text for one in checkup.bridge({"bridge": None})] == ["off: no page, no Socket.IO"]


def test_a_bridge_that_answers_nobody_is_a_fault(health: str) -> None:
    """Though the daemon says that it listens: it is really asked."""
    host, port = health.split(":")
    with socket.socket() as taken:
        taken.bind((host, 0))  # bound, and never listening
        address = f"{host}:{taken.getsockname()[1]}"
        (found,) = checkup.bridge({"bridge": {"address": address}})
    assert (found.level, found.cure) == (FAULT, "Its log says why.")
    assert found.text == f"nothing answers on {address}: Connection refused"
    assert port


def test_little_room_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the disk is full."""
    monkeypatch.setattr(checkup, "_free", lambda _place: 100 << 20)
    _good, low = checkup.store(INFO)
    assert (low.level, low.cure) == (WARNING, "df -h /var/lib/kaspad-taskd")
    assert low.text == "/var/lib/kaspad-taskd/state.db has 0.1 GB left on its disk"


def service(code: str | None = None, **given: Any) -> dict[str, Any]:
    hints = [{"code": code, "params": {}, "note": "A note.", "cure": "a cure"}] if code else []
    return {"service": "kasia", "points": "public", "hints": hints, "switch": None, **given}


def test_a_service_that_cannot_be_switched_says_why() -> None:
    """What passes by itself is a warning, what somebody has to mend a fault."""
    own = "/tmp/own.sock"
    (good,) = checkup.switching([service()], own)
    assert (good.level, good.text) == (
        GOOD, "kasia can be switched; it uses the public node")  # fmt: skip
    (later,) = checkup.switching([service("node-not-synced")], own)
    assert (later.level, later.text, later.cure) == (WARNING, "kasia: A note.", "a cure")
    (broken,) = checkup.switching([service("unit-missing")], own)
    assert (broken.level, broken.cure) == (FAULT, "a cure")
    twice = service("no-systemd")
    twice["hints"] *= 2
    assert len(list(checkup.switching([twice], own))) == 1
    last = {"state": "failed", "error": "It may be down.", "cure": "look"}
    (failed,) = checkup.switching([service(switch=last)], own)
    assert (failed.level, failed.text, failed.cure) == (FAULT, "It may be down.", "look")


def test_a_service_is_told_as_it_is_now() -> None:
    """A failure that is over is not told, one that is there is told once, and nothing good."""
    own, seen = "/tmp/own.sock", "2026-11-23T14:12:09.000Z"
    last = {"state": "failed", "error": "It may be down.", "cure": "look"}
    (mended,) = checkup.switching([service(switch=last, stateAt=seen, attention=None)], own)
    assert mended.level == GOOD
    down = {"code": "down", "note": "k does not run.", "cure": "restart k"}
    (found,) = checkup.switching([service(switch=last, stateAt=seen, attention=down)], own)
    assert (found.level, found.text, found.cure) == (FAULT, "k does not run.", "restart k")
    unused = {**down, "code": "not-used"}
    (found,) = checkup.switching([service(points="local", stateAt=seen, attention=unused)], own)
    assert found.level == WARNING
    proof = {"kind": "connections", "count": 3, "address": "127.0.0.1:17110",
             "since": seen, "at": seen}  # fmt: skip
    (works,) = checkup.switching([service(points="local", stateAt=seen, proof=proof)], own)
    assert works.level == GOOD
    assert works.text.startswith("kasia uses the local node: 3 connections to 127.0.0.1:17110 ")


def test_polkits_rule_has_to_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For the system's daemon, and only where a service is named."""
    rule = tmp_path / "50-kaspad-taskd.rules"
    monkeypatch.setattr(checkup, "_RULE", str(rule))
    assert list(checkup.switching([], SYSTEM_SOCKET)) == []
    assert len(list(checkup.switching([service()], "/tmp/own.sock"))) == 1
    _good, missing = checkup.switching([service()], SYSTEM_SOCKET)
    assert missing.level == FAULT
    assert str(missing.cure).startswith("sudo apt install --reinstall kaspad-taskd")
    assert "kaspad-taskd install-service" in str(missing.cure)
    rule.touch()
    assert len(list(checkup.switching([service()], SYSTEM_SOCKET))) == 1
    monkeypatch.setattr(checkup, "_RULE", str(rule / "x"))  # its directory tells nothing
    assert len(list(checkup.switching([service()], SYSTEM_SOCKET))) == 1


def test_pages_of_a_package_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where it is one, and there is a `man`."""
    listed = tmp_path / "kaspad-taskd.list"
    assert list(checkup.man(str(listed))) == []
    listed.touch()
    assert list(checkup.man(str(listed))) == []
    for said, level in (("", WARNING), ("/usr/share/man/man1/kaspad-taskctl.1.gz", GOOD)):
        monkeypatch.setattr(checkup, "ask", lambda *_command, said=said: said)
        assert [one.level for one in checkup.man(str(listed))] == [level]


def test_every_trouble_has_something_to_type(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """A warning or fault without a cure would leave people alone."""
    broken = {"path": "/var/lib/x", "durable": False, "problem": "the disk is full", "size": 0}
    bad = {"file": "a.toml", "key": "interval", "problem": "is none"}
    well(taskd, listDefinitions=[{"id": "a", "faults": [bad]}])
    taskd.answers.update(getAllTasks=golden_tasks(), getInfo={"store": broken, "bridge": None})
    found = json.loads(ctl("doctor", "--json")[1])
    assert [one for one in found if one["level"] != GOOD and not one["cure"]] == []


def test_the_systems_clock_and_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What systemd says of the clock and of the service becomes findings."""
    said = {"timedatectl": "no", "is-active": "failed", "is-enabled": "disabled"}
    monkeypatch.setattr(
        checkup, "ask", lambda *command: said.get(command[0]) or said.get(command[1])
    )
    monkeypatch.setattr(os.path, "isdir", lambda _path: True)
    assert [one.level for one in checkup.system_clock()] == [WARNING]
    assert [one.level for one in checkup.unit(SYSTEM_SOCKET)] == [FAULT, WARNING]
    assert list(checkup.unit("/tmp/other.sock")) == []
    said.update({"timedatectl": "yes", "is-active": "active", "is-enabled": "enabled"})
    assert [one.level for one in checkup.system_clock()] == [GOOD]
    assert [one.level for one in checkup.unit(SYSTEM_SOCKET)] == [GOOD]
    said.update({"is-active": "inactive", "is-enabled": "not-found"})
    assert list(checkup.unit(SYSTEM_SOCKET)) == []  # nothing to be started: it runs by hand


def test_a_users_unit_starts_by_itself_and_outlives_the_login(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or it says how; one that was started by hand has no unit to speak of."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    monkeypatch.setattr(os.path, "isdir", lambda _path: True)
    own = "/run/user/1000/kaspad-taskd/rpc.sock"
    said = {"is-active": "active", "is-enabled": "disabled", "show-user": "no"}
    monkeypatch.setattr(
        checkup, "ask", lambda *words: next((said[each] for each in words if each in said), None)
    )
    found = list(checkup.unit(own))
    assert [(one.level, one.cure) for one in found] == [
        (GOOD, None),
        (WARNING, "systemctl --user enable kaspad-taskd"),
        (WARNING, 'loginctl enable-linger "$USER"'),
    ]
    said["is-active"] = "inactive"
    assert list(checkup.unit(own)) == []


def test_settings_that_would_stop_the_next_start_are_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The daemon that runs keeps its own; the real program judges the file."""
    monkeypatch.undo()
    monkeypatch.setattr(checkup, "_PATIENCE", PATIENCE)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    file = tmp_path / "kaspad-taskd.toml"
    assert list(checkup.settings(str(file))) == []
    file.write_text('log_level = "loud"\n')
    (found,) = checkup.settings(str(file))
    assert (found.level, found.cure) == (FAULT, "Mend it, then: kaspad-taskctl reload")
    assert found.text.startswith(f'{file}, log_level: "loud" is none of debug')
    file.write_text('log_level = "info"\n')
    assert [one.level for one in checkup.settings(str(file))] == [GOOD]


def test_drop_ins_are_judged_with_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a file and without one; a file that they name and that is missing is a warning."""
    monkeypatch.undo()
    monkeypatch.setattr(checkup, "_PATIENCE", PATIENCE)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    file, directory = tmp_path / "kaspad-taskd.toml", tmp_path / "kaspad-taskd.toml.d"
    directory.mkdir()
    assert list(checkup.settings(str(file))) == []
    one = directory / "one.toml"
    one.write_text('[databases.x]\ndsn_file = "/nowhere/x.dsn"\n')
    missing, good = checkup.settings(str(file), read=[str(file), str(one)])
    assert (missing.level, good.level) == (WARNING, GOOD)
    assert missing.text.startswith(f"{one}, databases.x.dsn_file: /nowhere/x.dsn is not there")
    assert good.text == f"{file}, {one} is in order"
    for other in (None, 'log_level = "info"\n'):
        one.write_text('log_level = "loud"\n')
        if other is not None:
            file.write_text(other)
        (found,) = checkup.settings(str(file))
        assert (found.level, found.text[: len(str(one)) + 11]) == (FAULT, f"{one}, log_level")


def test_refused_settings_are_told_as_they_are_now(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """Not as the last reload found them: they may be mended meanwhile."""
    bad = {"file": "/etc/kaspad-taskd.toml", "key": "log_level", "problem": "is none"}
    entry = {"id": None, "type": None, "origin": "admin", "state": "last-good", "faults": [bad]}
    well(taskd, listDefinitions=[{"id": "a", "state": "ok", "faults": []}, entry])
    code, out, _err = ctl("doctor")
    assert (code, "log_level" in out, "1 definition" in out) == (0, False, True)


def test_a_fault_of_a_whole_file_has_no_key(ctl: Ctl, taskd: ScriptedTaskd) -> None:
    """No comma that stands before nothing."""
    bad = {"file": "/etc/a.toml", "key": "", "problem": "is larger than 256 KiB"}
    well(taskd, listDefinitions=[{"id": "a", "faults": [bad]}])
    assert "✗ files    /etc/a.toml: is larger than 256 KiB" in ctl("doctor")[1]


def test_a_node_that_goes_on_tells_its_reason_too() -> None:
    """The first line says that it is syncing, so the reason needs one of its own, as its note."""
    node = golden_task("kaspa-node")
    hint = {"code": "clock-skew", "params": {"skew": 300, "way": "ahead"}}
    node |= {"reason": "clock-skew", "note": "The clock is off.", "hints": [hint]}
    first, clock = checkup_tasks.tasks([node], NOW)
    assert (first.level, clock.level, clock.name) == (GOOD, WARNING, "clock")
    assert clock.text == "The clock is off."
    assert clock.cure


def test_a_log_that_tells_nothing_is_a_warning_of_its_own() -> None:
    """Once, under its name, with what to type; of an indexer in order too, and of a failed node."""
    node = golden_task("kaspa-node")
    node["config"] = {"log": "/k.log"}
    node["metadata"] = {"logProblem": "cannot read /k.log: no such file"}
    for code, params in (
        ("log-unread", {"problem": "cannot read /k.log: no such file"}),
        ("log-not-understood", {"lines": 20}),
        ("log-silent", {"seconds": 3600}),
    ):
        node["hints"] = [{"code": code, "params": params}]
        for change in ({}, {"status": "error"}):
            _, log = checkup_tasks.tasks([{**node, **change}], NOW)
            assert (log.level, log.name) == (WARNING, "log")
            assert log.text.startswith("kaspa-node: ")
            assert log.cure
        (log,) = checkup_tasks.tasks([{**node, "type": "indexer-sync"}], NOW)
        assert (log.level, log.name) == (WARNING, "log")


def test_a_silent_reference_and_an_unread_log_are_warnings() -> None:
    """Both only make numbers finer, so nobody would notice that they are missing."""
    node = golden_task("kaspa-node")
    node["metadata"] = {"referenceAnswers": False, "logProblem": "cannot read /x: no such file"}
    _, tip, log = checkup_tasks.tasks([node], NOW)
    assert (tip.level, tip.name) == (WARNING, "tip")
    assert tip.text.startswith("the reference of kaspa-node does not answer")
    assert (log.level, log.name) == (WARNING, "log")
    assert "cannot read /x: no such file" in log.text
    node["metadata"] = {"referenceAnswers": True}
    assert [one.level for one in checkup_tasks.tasks([node], NOW)] == [GOOD, GOOD]


def test_a_cure_in_words_is_folded_and_a_command_stays_whole() -> None:
    """What is to be typed can be copied; what is to be read fits the screen."""
    said = "Read the question at the end of its log, and answer it with the flag that it names."
    command = "journalctl -u kaspad-with-a-very-long-name.service -n 30 --no-pager --output cat"
    for cure, whole in ((said, False), (command, True)):
        found = checkup.Finding(WARNING, "node", "It waits.", cure)
        texts = ["".join(text for text, _ in line) for line in doctor.lines(found, 60)]
        assert (len(texts) == 2) is whole
        assert whole or max(map(len, texts)) <= 60
        assert " ".join(text.strip() for text in texts[1:]) == cure
