"""The daemon's program without the daemon: what --check says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.config.places import Places, find_places
from kaspad_taskd.daemon.codes import BAD_SETTINGS, OK
from kaspad_taskd.daemon.offline import check

MIGRATION = """\
type = "database-migration"
service = "explorer"
[checker]
dsn = "explorer"
tool = "simply-kaspa"
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "tasks.d").mkdir()
    settings = tmp_path / "kaspad-taskd.toml"
    settings.touch()
    return find_places({}, 0, config=settings, tasks=tmp_path / "tasks.d")


def test_a_type_that_nobody_offers_is_a_fault_of_the_settings(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """With file and key, as `doctor` and a failed start need them."""
    places.settings.write_text('probes = ["strange"]\n')
    assert check(places) == BAD_SETTINGS
    said = capsys.readouterr().out
    assert said.startswith(f"{places.settings}, probes: ")
    assert '"strange"' in said


def test_a_database_that_the_settings_do_not_name_is_a_fault(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the definition; named, it is none."""
    file = places.settings.with_name("tasks.d") / "db.toml"
    file.write_text(MIGRATION)
    assert check(places) == BAD_SETTINGS
    said = capsys.readouterr().out
    assert said == f"{file}, checker.dsn: the settings have no [databases.explorer]\n"
    places.settings.write_text('[databases.explorer]\ndsn_file = "/etc/explorer.dsn"\n')
    assert check(places) == OK


def test_every_fault_is_told(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """Of one table, list, header or file as of many: nobody starts it again for the next one."""
    places.settings.write_text(SETTINGS)
    tasks = places.settings.with_name("tasks.d")
    (tasks / "db.toml").write_text(MIGRATION)
    (tasks / "web.toml").write_text(WEB)
    (tasks / "-bad.toml").write_text("strange = 1\n")
    assert check(places) == BAD_SETTINGS
    out, err = capsys.readouterr()
    told = [line.partition(": ") for line in out.splitlines()]
    assert err == f"{len(told)} faults\n"
    for part, (count, words) in FAULTS.items():
        found = [said for where, _, said in told if where.endswith(part)]
        assert (part, len(found)) == (part, count)
        assert all(any(word in each for each in found) for word in words.split()), (part, found)
    assert len(told) == sum(count for count, _ in FAULTS.values())


SETTINGS = r"""
allow_hosts = ["a b", 5, "*"]
[bridge]
origins = ["*", "x", "http://*"]
hosts = ["a b", "c d"]
[services.a]
unit = "a.service"
node = "grpc://localhost:16110"
env = {PATH = "/x", URL = "ws://127.0.0.1:17110\nX=y", LD_PRELOAD = "/y", "1BAD" = "x", N = 1}
verify = {http = "ftp://x"}
"""
WEB = r"""
type = "http-json"
service = "web"
after = ["-x", "web", "y z"]
on_complete = {command = [1, 2]}
[checker]
url = "http://x"
done = 5
headers = {Host = "/x", "X Y" = "key"}
"""
FAULTS = {
    "allow_hosts": (3, '"a entry "*"'),
    "bridge.origins": (3, '"*" "x" "http://*"'),
    "bridge.hosts": (2, '"a "c'),
    "services.a.env": (5, "PATH URL LD_PRELOAD 1BAD N"),
    "services.a.verify.http": (1, "URL"),
    "db.toml, checker.dsn": (1, "explorer"),
    "web.toml, after": (3, "-x itself y"),
    "web.toml, on_complete.command": (2, "1 2"),
    "web.toml, checker.done": (1, "string"),
    "web.toml, checker.headers": (3, "Host X file"),
    "-bad.toml": (1, "name"),
    "-bad.toml, type": (1, "required"),
    "-bad.toml, service": (1, "required"),
    "-bad.toml, strange": (1, "unknown"),
}


@pytest.mark.parametrize(
    ("kind", "checker", "warning"),
    [
        ("node-sync", 'url = "ws://localhost:16110/ws"',
         "checker.url: port 16110 speaks gRPC: grpc://localhost:16110"),
        ("node-sync", 'url = "wss://[::1]:16210"',
         "checker.url: port 16210 speaks gRPC: grpc://[::1]:16210"),
        ("node-sync", 'url = "grpc://node.lan:18110"',
         "checker.url: port 18110 speaks wRPC JSON: ws://node.lan:18110"),
        ("node-sync", 'url = "grpc://localhost"\nreference = "grpc://other:16111"',
         "checker.reference: port 16111 speaks kaspad's P2P: grpc://other:16110"),
        ("node-sync", 'host = "localhost"\nport = 18210',
         "checker.url: port 18210 speaks wRPC JSON: ws://localhost:18210"),
        ("indexer-sync", 'flavor = "kasia"\nurl = "http://n"\nnode = "ws://localhost:16510"',
         "checker.node: port 16510 speaks gRPC: grpc://localhost:16510"),
    ],
)  # fmt: skip
def test_ports_of_kaspad_that_are_crossed_are_a_warning(
    places: Places, capsys: pytest.CaptureFixture[str], kind: str, checker: str, warning: str
) -> None:
    """Nothing is refused for it: a host may have given the port to something else."""
    file = places.admin_tasks / "node.toml"
    file.write_text(f'type = "{kind}"\nservice = "s"\n[checker]\n{checker}\n')
    assert check(places) == OK
    assert f"warning: {file}, {warning}\n" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["grpc://localhost:16110", "ws://localhost:18110", "wss://n:443"])
def test_ports_that_fit_are_no_warning(
    places: Places, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    """Nor is any port that is none of kaspad's."""
    file = places.admin_tasks / "node.toml"
    file.write_text(f'type = "node-sync"\nservice = "s"\n[checker]\nurl = "{url}"\n')
    assert check(places) == OK
    assert "warning" not in capsys.readouterr().out


def test_a_short_token_is_a_warning(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """The files are good all the same; one that is long enough is not spoken of."""
    token = places.settings.with_name("token")
    places.settings.write_text(f'[bridge]\ntoken_file = "{token}"\n')
    for text, weak in (("x" * 19, True), ("x" * 20, False)):
        token.write_text(text)
        assert check(places) == OK
        said = capsys.readouterr().out
        assert said.startswith(f"warning: {places.settings}, bridge.token_file: ") is weak
        assert "good: " in said
        assert text not in said


def test_services_that_are_hardly_meant_so_are_a_warning(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of one unit, and our own unit: accepted as before."""
    node = 'node = "grpc://localhost:16110"\nenv = {URL = "ws://127.0.0.1:17110"}\n'
    text = f'[services.a]\nunit = "k.service"\n{node}[services.b]\nunit = "x.service"\n{node}'
    places.settings.write_text(text)
    assert check(places) == OK
    assert "warning" not in capsys.readouterr().out
    ours = f'[services.own]\nunit = "kaspad-taskd.service"\n{node}'
    places.settings.write_text(text.replace("x.service", "k.service") + ours)
    assert check(places) == OK
    said = capsys.readouterr().out
    assert f"warning: {places.settings}, services.b.unit: k.service is that of [services.a]" in said
    assert "services.own.unit: kaspad-taskd.service is kaspad-taskd's own" in said
    assert "services.a.unit" not in said


def test_settings_files_are_named(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that were read, in their order; that there is none is no file that is good."""
    places.drop_ins.mkdir()
    drop_in = places.drop_ins / "a.toml"
    drop_in.touch()
    assert check(places) == OK
    assert (
        capsys.readouterr().out == f"good: 0 definitions, settings {places.settings}, {drop_in}\n"
    )
    bare = find_places({"CONFIGURATION_DIRECTORY": str(tmp_path / "none")}, 0)
    check(bare)
    assert capsys.readouterr().out.endswith(", no settings file\n")


def test_a_named_settings_file_that_is_missing_is_a_fault(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its name, though there are drop-ins."""
    places.settings.unlink()
    places.drop_ins.mkdir()
    (places.drop_ins / "a.toml").touch()
    assert check(places) == BAD_SETTINGS
    assert capsys.readouterr().out.startswith(f"{places.settings}: cannot be read: No such file")


def test_faults_of_drop_ins_are_told_with_their_file(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """A type that nobody offers, too, which is found later."""
    places.drop_ins.mkdir()
    one, two = places.drop_ins / "one.toml", places.drop_ins / "two.toml"
    one.write_text('probes = ["strange"]\n')
    two.write_text("log_levl = 1\n[bridge]\nlisten = 7\n")
    assert check(places) == BAD_SETTINGS
    told = [line.partition(": ")[0] for line in capsys.readouterr().out.splitlines()]
    assert sorted(told) == [f"{one}, probes", f"{two}, bridge.listen", f"{two}, log_levl"]


NAMING = """
[bridge]
token_file = "{}"
[databases.x]
dsn_file = "{}"
[services.k]
compose = {{project = "p", file = "{}", service = "k"}}
node = "grpc://localhost"
env = {{A = "1"}}
verify = {{http = "http://localhost/"}}
"""
WEB_OF_FILES = """
type = "http-json"
service = "web"
on_complete = {{command = ["{}"]}}
[checker]
url = "https://localhost/"
completed = "done"
ca = "{}"
headers = {{Authorization = "{}"}}
"""
PROGRAM = 'type = "command"\nservice = "p"\n[checker]\ncommand = ["{}", "-x"]\n'


def test_a_file_that_is_named_and_missing_is_not_called_good(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of settings and definitions, each with file and key; a warning, for it may come yet."""
    named = iter(tmp_path / f"named-{number}" for number in range(7))
    keys = {}

    def name(file: Path, text: str, *of: str) -> None:
        paths = [next(named) for _ in of]
        file.write_text(text.format(*paths))
        keys.update({f"{file}, {key}": path for key, path in zip(of, paths, strict=True)})

    places.drop_ins.mkdir()
    name(places.drop_ins / "a.toml", NAMING, "bridge.token_file", "databases.x.dsn_file",
         "services.k.compose.file")  # fmt: skip
    name(places.admin_tasks / "web.toml", WEB_OF_FILES, "on_complete.command", "checker.ca",
         "checker.headers.Authorization")  # fmt: skip
    name(places.admin_tasks / "program.toml", PROGRAM, "checker.command")
    assert check(places) == OK
    lines = capsys.readouterr().out.splitlines()
    told = {tuple(line.removeprefix("warning: ").split(": ", 1)) for line in lines[:-1]}
    assert {where: said.split(" is not there")[0] for where, said in told} == {
        where: str(path) for where, path in keys.items()
    }
    assert "good" not in lines[-1]
    for path in keys.values():
        path.write_text("x" * 40)
    assert check(places) == OK
    assert capsys.readouterr().out.startswith("good: 2 definitions, ")


def test_of_a_file_that_may_not_be_looked_at_nothing_is_said(
    places: Places, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets are the daemon's; who else asks cannot know."""
    places.settings.write_text('[databases.x]\ndsn_file = "/closed/x.dsn"\n')
    real = os.stat

    def closed(path: str | Path, **more: Any) -> os.stat_result:
        if str(path).startswith("/closed"):
            raise PermissionError(13, "Permission denied")
        return real(path, **more)

    monkeypatch.setattr(os, "stat", closed)
    assert check(places) == OK
    assert capsys.readouterr().out.startswith("good: ")


def test_a_token_that_nobody_needs_is_not_missed(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the bridge it is not read."""
    places.settings.write_text('[bridge]\nlisten = "off"\ntoken_file = "/nowhere/token"\n')
    assert check(places) == OK
    assert capsys.readouterr().out.startswith("good: ")
