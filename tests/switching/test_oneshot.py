"""Root's helper: whose settings it takes, what it writes, what it runs."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaspad_taskd.config.places import Places
from kaspad_taskd.config.switched import Compose, Unit
from kaspad_taskd.core.switch import Side
from kaspad_taskd.switching import noting, oneshot
from kaspad_taskd.switching.codes import Exit, helper_unit
from kaspad_taskd.switching.oneshot import Refusal, compose_command, overriding, switch

UID = os.geteuid()
SETTINGS = """\
[services.kasia-indexer]
unit = "kasia-indexer.service"
node = "grpc://localhost:16110"
env = {KASPA_NODE_WBORSH_URL = "ws://127.0.0.1:17110", LABEL = 'a "$b"'}
[services.ski]
compose = {project = "kaspa", file = "COMPOSE", service = "indexer"}
node = "grpc://localhost:16110"
env = {KASPA_RPC_URL = "ws://172.17.0.1:17110"}
public_env = {KASPA_RPC_URL = "wss://public.example/a$b"}
verify = {http = "http://127.0.0.1:8500/api/health"}
"""


class Host:
    """A directory of root's (or ours), its settings, and programs that write down how they run."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch) -> None:
        self.etc = place / "etc"
        self.ran = place / "ran"
        self.compose = place / "compose.yaml"
        programs = place / "bin"
        for directory in (self.etc, programs):
            directory.mkdir(mode=0o755)
        self.settings = self.etc / "kaspad-taskd.toml"
        self.settings.write_text(SETTINGS.replace("COMPOSE", str(self.compose)))
        self.compose.write_text("services: {indexer: {image: x}}\n")
        for file in (self.settings, self.compose):
            file.chmod(0o644)
        for name in ("systemctl", "docker"):
            program = programs / name
            program.write_text(f'#!/bin/sh\necho "{name} $* ${{KASPA_RPC_URL-}}" >> {self.ran}\n'
                               f'test ! -e {place}/fail || exit 1\n')  # fmt: skip
            program.chmod(0o755)
        self.fail = place / "fail"
        patch.setattr(oneshot, "PATH", f"{programs}:/usr/bin:/bin")
        self.places = Places(
            self.settings, None, place, place, place, endpoints=place / "endpoints"
        )

    def switch(self, *words: str) -> None:
        switch(words, self.places, UID)

    def no(self, *words: str) -> Exit:
        with pytest.raises(Refusal) as refusal:
            self.switch(*words)
        assert str(refusal.value)
        return refusal.value.code

    def file(self, name: str) -> Path:
        return self.places.endpoints / name


@pytest.fixture(name="place")
def _place() -> Iterator[Path]:
    """A directory on whose way nobody else can write: /tmp is no such place."""
    with tempfile.TemporaryDirectory(dir=Path.home()) as name:
        yield Path(name)


@pytest.fixture
def host(place: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(place, monkeypatch)


def test_it_writes_the_file_then_restarts_the_unit(host: Host) -> None:
    """Failures of before are forgotten first, so that no start limit holds it up."""
    host.switch("kasia-indexer:local")
    file = host.file("kasia-indexer.env")
    assert 'KASPA_NODE_WBORSH_URL="ws://127.0.0.1:17110"' in file.read_text()
    assert 'LABEL="a \\"\\$b\\""' in file.read_text()
    user = "--user " if UID >= 1000 else ""
    assert host.ran.read_text().splitlines() == [
        f"systemctl {user}--no-ask-password reset-failed -- kasia-indexer.service ",
        f"systemctl {user}--no-ask-password restart -- kasia-indexer.service ",
    ]
    host.switch("kasia-indexer:public")
    assert file.read_text().startswith("# kaspad-taskd: kasia-indexer uses the public node.\n")
    assert "KASPA" not in file.read_text()
    names = {each.name for each in host.places.endpoints.iterdir()}
    assert names == {"kasia-indexer.env", ".kasia-indexer.lock"}
    assert stat.S_IMODE(host.file(".kasia-indexer.lock").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600])
def test_who_can_read_the_settings_can_read_the_file(host: Host, mode: int) -> None:
    """Nobody else: values may be secret."""
    host.settings.chmod(mode)
    host.switch("kasia-indexer:local")
    found = host.file("kasia-indexer.env").stat()
    assert stat.S_IMODE(found.st_mode) == mode
    assert found.st_gid == host.settings.stat().st_gid


def test_it_notes_who_is_connected_to_the_local_node(
    host: Host, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the endpoint file, for the same readers; an old note goes with a restart."""
    group = place / "cgroup" / "system.slice" / "kasia-indexer.service"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text(f"{os.getpid()}\n")
    (place / "units").mkdir()
    (place / "units" / "invocation:kasia-indexer.service").symlink_to("abc")
    known = noting.System(groups=place / "cgroup", units=place / "units")
    monkeypatch.setattr(noting, "System", lambda **_given: known)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        host.settings.write_text(host.settings.read_text().replace("17110", str(port)))
        host.settings.chmod(0o640)
        with socket.create_connection(server.getsockname()):
            host.switch("kasia-indexer:local")
    path = host.file("kasia-indexer.seen.json")
    note = noting.read(path)
    assert note is not None
    assert (note.process, note.count, note.address) == ("abc", 1, f"127.0.0.1:{port}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    host.switch("kasia-indexer:public")
    assert not path.exists()


@pytest.mark.parametrize(
    "words",
    [(), ("kasia-indexer",), ("kasia-indexer:elsewhere",), ("../x:local",), ("a b:local",),
     ("kasia-indexer:local", "x"), ("-x:local",), ("kasia-indexer:local\n",)],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(host: Host, words: tuple[str, ...]) -> None:
    """Whatever somebody makes of the instance."""
    assert host.no(*words) is Exit.BAD_NAME
    assert not host.places.endpoints.exists()


def test_what_is_not_declared_is_refused(host: Host) -> None:
    """Nothing is written, nothing run."""
    assert host.no("sshd:local") is Exit.UNDECLARED
    assert not host.ran.exists()


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_settings_that_others_can_write_are_refused(host: Host, mode: int) -> None:
    """The file itself."""
    host.settings.chmod(mode)
    assert host.no("kasia-indexer:local") is Exit.UNTRUSTED
    assert not host.ran.exists()


def test_a_directory_that_others_can_write_is_refused(host: Host) -> None:
    """They could put another file in its place."""
    host.etc.chmod(0o777)
    assert host.no("kasia-indexer:local") is Exit.UNTRUSTED


def test_a_link_out_of_a_good_directory_is_refused(host: Host, place: Path) -> None:
    """Both ends of a link count."""
    loose = place / "loose"
    loose.mkdir()
    (loose / "settings.toml").write_text(host.settings.read_text())
    loose.chmod(0o777)
    host.settings.unlink()
    host.settings.symlink_to(loose / "settings.toml")
    assert host.no("kasia-indexer:local") is Exit.UNTRUSTED


def test_each_link_on_the_way_counts(host: Host, place: Path) -> None:
    """The one in the middle could be pointed elsewhere, also between the check and the reading."""
    loose = place / "loose"
    loose.mkdir()
    (loose / "current").symlink_to(host.settings.rename(host.etc / "real.toml"))
    host.settings.symlink_to(loose / "current")
    loose.chmod(0o755)
    host.switch("kasia-indexer:local")
    loose.chmod(0o777)
    assert host.no("kasia-indexer:public") is Exit.UNTRUSTED
    (loose / "current").unlink()
    (loose / "current").symlink_to(host.settings)  # round and round
    loose.chmod(0o755)
    assert host.no("kasia-indexer:public") is Exit.UNTRUSTED


def drop_in(host: Host, name: str, text: str) -> Path:
    host.places.drop_ins.mkdir(mode=0o755, exist_ok=True)
    path = host.places.drop_ins / name
    path.write_text(text)
    path.chmod(0o644)
    return path


def test_it_reads_the_drop_ins_as_the_daemon_does(host: Host) -> None:
    """Over the file, in order of name; a link to /dev/null is empty, other names are not read."""
    drop_in(host, "b.toml", '[services.kasia-indexer.env]\nLABEL = "b"\n')
    drop_in(host, "a.toml", '[services.kasia-indexer.env]\nLABEL = "a"\nMORE = "a"\n')
    (host.places.drop_ins / "c.toml").symlink_to("/dev/null")
    drop_in(host, "README", "no toml").chmod(0o666)
    host.switch("kasia-indexer:local")
    text = host.file("kasia-indexer.env").read_text()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'KASPA_NODE_WBORSH_URL="ws://127.0.0.1:17110"', 'LABEL="b"', 'MORE="a"',
    ]  # fmt: skip


def test_a_service_can_stand_in_a_drop_in_alone(host: Host) -> None:
    """No settings file is needed."""
    drop_in(host, "indexers.toml", host.settings.read_text())
    host.settings.unlink()
    host.switch("kasia-indexer:local")
    assert host.no("sshd:local") is Exit.UNDECLARED


@pytest.mark.parametrize("what", ["file", "unrelated", "directory", "empty", "link", "beside"])
def test_a_drop_in_that_others_can_write_is_refused_by_name(
    host: Host, place: Path, what: str
) -> None:
    """Whether it speaks of this service or not: it could tomorrow. So is its directory."""
    loose = place / "loose"
    loose.mkdir()
    (loose / "x.toml").write_text("")
    bad = drop_in(host, "a.toml", "" if what == "unrelated" else 'log_level = "debug"\n')
    host.switch("kasia-indexer:public")
    if what in ("file", "unrelated"):
        bad.chmod(0o664)
    elif what == "link":  # the directory that it leads into
        bad = loose
        (host.places.drop_ins / "b.toml").symlink_to(loose / "x.toml")
    elif what == "beside":  # the directory is a link itself
        bad = loose / "d"
        host.places.drop_ins.rename(bad)
        host.places.drop_ins.symlink_to(bad)
        bad = loose
    else:
        if what == "empty":
            bad.unlink()
        bad = host.places.drop_ins
    if what not in ("file", "unrelated"):
        bad.chmod(0o777)
    with pytest.raises(Refusal, match=f"{bad} can be written by others") as refusal:
        host.switch("kasia-indexer:local")
    assert refusal.value.code is Exit.UNTRUSTED
    assert "public" in host.file("kasia-indexer.env").read_text()


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["file", "directory"])
def test_a_drop_in_of_somebody_else_is_refused_by_name(host: Host, what: str) -> None:
    """The daemon's own user included."""
    bad = drop_in(host, "a.toml", "")
    bad = bad if what == "file" else bad.parent
    os.chown(bad, 1234, -1)
    with pytest.raises(Refusal, match=f"{bad} belongs to uid 1234"):
        host.switch("kasia-indexer:local")


@pytest.mark.parametrize("kind", ["torn", "fault", "dangling", "directory", "no-directory"])
def test_a_drop_in_with_a_fault_is_refused_by_name(host: Host, kind: str) -> None:
    """Half of the settings is no decision."""
    bad = host.places.drop_ins / "a.toml"
    if kind in ("torn", "fault"):
        drop_in(host, "a.toml", "[torn" if kind == "torn" else 'log_level = "loud"\n')
    elif kind == "no-directory":
        bad = host.places.drop_ins
        bad.touch(0o644)
    else:
        bad.parent.mkdir(mode=0o755)
        if kind == "directory":
            bad.mkdir(mode=0o755)
        else:
            bad.symlink_to("nowhere")
    with pytest.raises(Refusal, match=f"{bad}[,:] ") as refusal:
        host.switch("kasia-indexer:local")
    assert refusal.value.code in (Exit.BAD_SETTINGS, Exit.UNTRUSTED)
    assert not host.ran.exists()


@pytest.mark.parametrize(
    ("modes", "mode"),
    [((0o644, 0o644), 0o644), ((0o644, 0o640), 0o640), ((0o640, 0o600), 0o600),
     ((0o600, 0o644), 0o600)],
)  # fmt: skip
def test_who_can_read_all_files_of_the_settings_can_read_the_endpoint(
    host: Host, modes: tuple[int, int], mode: int
) -> None:
    """Nobody else: what is secret may stand in any of them."""
    host.settings.chmod(modes[0])
    drop_in(host, "a.toml", "").chmod(modes[1])
    host.switch("kasia-indexer:local")
    assert stat.S_IMODE(host.file("kasia-indexer.env").stat().st_mode) == mode


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
def test_a_group_that_can_read_all_files_can_read_the_endpoint(host: Host) -> None:
    """Also where one of them is everybody's; of two groups neither can."""
    one, two = drop_in(host, "a.toml", ""), drop_in(host, "b.toml", "")
    one.chmod(0o640)
    os.chown(one, -1, 1234)
    for group, found in ((-1, (1234, 0o640)), (4321, (0, 0o600))):
        if group != -1:
            os.chown(two, -1, group)
            two.chmod(0o640)
        host.switch("kasia-indexer:local")
        status = host.file("kasia-indexer.env").stat()
        assert (status.st_gid, stat.S_IMODE(status.st_mode)) == found


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
def test_settings_of_somebody_else_are_refused(host: Host) -> None:
    """Also where nobody but they can write them."""
    os.chown(host.settings, 1234, -1)
    assert host.no("kasia-indexer:local") is Exit.UNTRUSTED


@pytest.mark.skipif(UID != 0, reason="only root can give files away")
def test_a_compose_file_is_roots_as_well(host: Host) -> None:
    """Whoever can write it could have root run any container."""
    os.chown(host.compose, 1234, -1)
    assert host.no("ski:local") is Exit.UNTRUSTED
    assert not host.ran.exists()


def test_what_compose_reads_beside_its_file_is_roots_as_well(host: Host, place: Path) -> None:
    """It fills in `.env` without being asked."""
    beside = place / ".env"
    beside.write_text("IMAGE=x\n")
    beside.chmod(0o666)
    assert host.no("ski:local") is Exit.UNTRUSTED
    assert not host.ran.exists()
    beside.chmod(0o644)
    host.switch("ski:local")


def test_two_helpers_of_a_service_work_one_after_the_other(host: Host, place: Path) -> None:
    """Both sides can be asked for at once: file, override and container are of one of them."""
    pipe = place / "go"
    os.mkfifo(pipe)
    program = Path(oneshot.PATH.split(":")[0]) / "docker"
    program.write_text(f'#!/bin/sh\necho "$KASPA_RPC_URL" >> {host.ran}; read _ < {pipe}\n')
    threads = []
    for words in ("ski:local", "ski:public"):
        threads.append(threading.Thread(target=host.switch, args=(words,), daemon=True))
        threads[-1].start()
        while not host.ran.exists():
            time.sleep(0.01)
    threads[1].join(0.5)  # it has time to do harm
    assert "local node" in host.file("ski.env").read_text()
    assert "172.17.0.1" in host.file("ski.compose.json").read_text()
    for thread in threads:
        pipe.write_text("go\n")
        thread.join(60)
    assert "public node" in host.file("ski.env").read_text()
    assert host.ran.read_text().splitlines()[1] == "wss://public.example/a$b"


def test_settings_with_a_fault_are_refused(host: Host) -> None:
    """All of them: half a file is no decision. A line break in a value is a fault."""
    host.settings.write_text(SETTINGS.replace("ws://127.0.0.1:17110", "ws://x\\nLD_PRELOAD=y"))
    assert host.no("kasia-indexer:local") is Exit.BAD_SETTINGS
    host.settings.unlink()
    assert host.no("kasia-indexer:local") is Exit.UNTRUSTED


def test_a_directory_that_cannot_be_written_leaves_all_as_it_was(host: Host) -> None:
    """Here a file is in its place; a full disk looks the same to it."""
    host.places.endpoints.write_text("")
    assert host.no("kasia-indexer:local") is Exit.UNWRITABLE
    assert not host.ran.exists()


def test_a_unit_that_does_not_start_is_said(host: Host) -> None:
    """By an exit code of its own: the file is written."""
    host.fail.touch()
    assert host.no("kasia-indexer:local") is Exit.NOT_RESTARTED
    assert host.file("kasia-indexer.env").exists()


def test_compose_gets_an_override_of_its_own(host: Host) -> None:
    """The user's file is not touched; `${NAME}` in it is filled from the settings."""
    before = host.compose.read_bytes()
    host.switch("ski:public")
    override = host.file("ski.compose.json")
    assert json.loads(override.read_text()) == {
        "services": {"indexer": {"environment": {"KASPA_RPC_URL": "wss://public.example/a$$b"}}}
    }
    assert host.ran.read_text() == (
        f"docker compose -p kaspa -f {host.compose} -f {override} up -d --no-deps indexer"
        " wss://public.example/a$b\n"
    )
    assert host.compose.read_bytes() == before
    assert host.file("ski.env").read_text().startswith("# kaspad-taskd: ski uses the public node.")


def test_the_compose_command_is_this() -> None:
    """A golden line: checked by hand against `docker compose` 2.x."""
    compose = Compose("kaspa", Path("/opt/kaspa/compose.yaml"), "indexer")
    override = Path("/var/lib/kaspad-taskd-endpoints/ski.compose.json")
    assert " ".join(compose_command(compose, override)) == (
        "docker compose -p kaspa -f /opt/kaspa/compose.yaml"
        " -f /var/lib/kaspad-taskd-endpoints/ski.compose.json up -d --no-deps indexer"
    )
    assert '"\U0001f600"' in overriding(compose, {"A": "\U0001f600"})  # not as a pair of escapes
    assert overriding(compose, {}) == (
        '{\n  "services": {\n    "indexer": {\n      "environment": {}\n    }\n  }\n}\n'
    )


def test_the_units_name_is_what_systemd_escape_makes() -> None:
    """Dashes are escaped; letters, digits, dots, underscores and the colon stand for themselves."""
    assert helper_unit("kasia-indexer_2.x", Side.LOCAL) == (
        "kaspad-taskd-switch@kasia\\x2dindexer_2.x:local.service"
    )


def test_the_exit_code_is_the_refusals(capsys: pytest.CaptureFixture[str]) -> None:
    """With a sentence for the journal."""
    assert oneshot.main(["nonsense"]) == Exit.BAD_NAME
    assert "SERVICE:local" in capsys.readouterr().err


def test_unit_commands_are_roots_or_the_users() -> None:
    """A user's helper talks to that user's systemd."""
    unit = Unit("k.service")
    assert all("--user" in each for each in oneshot.unit_commands(unit, user=True))
    assert all("--user" not in each for each in oneshot.unit_commands(unit, user=False))
