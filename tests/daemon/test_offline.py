"""The daemon's program without the daemon: what --check says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaspad_taskd.config.places import Places, find_places
from kaspad_taskd.daemon.offline import BAD_SETTINGS, OK, check

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
