"""Guarantees of `kaspad_taskd.notify.settings` and of the files that it names."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.notify.checking import BAD, check
from kaspad_taskd.notify.model import How, Kind, Quiet, Rule
from kaspad_taskd.notify.settings import Settings, load, parse
from tests.fakes.fleet_reader import HUB_RIGHTS
from tests.fakes.redis_server import RedisServer, needs_redis

KEYS = ["to", "name", "url_file", "command", "on", "tasks", "after", "repeat", "gather", "quiet"]
KEYS += ["fleet", "config", "user", "password_file", "hosts"]
KEYS += ["heartbeat", "page_url", "host", "webhook_file", "key_file", "every"]
SECRET = "topic-of-mine-93f1"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path / "phone.urls", f"# mine\nntfys://ntfy.sh/{SECRET}\n\njson://host/{SECRET}\n")
    write(tmp_path / "hook", f"https://example.org/{SECRET}\n")
    write(tmp_path / "hook.key", f"{SECRET}\n")
    return tmp_path


def write(path: Path, text: str | bytes, mode: int = 0o640) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def read(place: Path, text: str) -> Settings | list[Fault]:
    return load(write(place / "notify.toml", text.replace("@", str(place))))


def sound(place: Path, text: str) -> Settings:
    settings = read(place, text)
    assert isinstance(settings, Settings), settings
    return settings


def told(place: Path, text: str) -> list[str]:
    """The faults as people read them, without the directory; none of them has a secret."""
    faults = read(place, text)
    assert isinstance(faults, list)
    said = [str(fault).replace(f"{place}/", "") for fault in faults]
    assert SECRET not in " ".join(said)
    return said


def test_what_is_left_out_has_its_default(place: Path) -> None:
    """One `[[to]]` with a name and a way is enough."""
    found = sound(place, '[[to]]\nname = "phone"\nurl_file = "@/phone.urls"\n')
    assert found.rules == (Rule("phone"),)
    assert found.rules[0].on == frozenset(Kind)
    assert [(each.name, each.how, each.url) for each in found.targets] == [
        ("phone, line 2 (ntfys)", How.APPRISE, f"ntfys://ntfy.sh/{SECRET}"),
        ("phone, line 4 (json)", How.APPRISE, f"json://host/{SECRET}"),
    ]
    assert found.heartbeat is None
    assert found.page_url is None
    assert found.host == os.uname().nodename


def test_everything_that_can_be_said_is_read(place: Path) -> None:
    """Every key, in the house's own forms."""
    text = """
        page_url = "https://node.example.org/taskd/"
        host = "kaspa-1"
        [[to]]
        name = "phone"
        url_file = "@/phone.urls"
        on = ["error", "trouble"]
        tasks = ["node-sync-*", "kaspa-node"]
        after = "1min 30s"
        repeat = "never"
        gather = "0s"
        quiet = "23:00-07:30"
        [[to]]
        name = "hook"
        webhook_file = "@/hook"
        key_file = "@/hook.key"
        [[to]]
        name = "siren"
        command = ["/usr/local/bin/siren", "-l"]
        repeat = "1h"
        [heartbeat]
        url_file = "@/hook"
        every = "1min"
    """
    found = sound(place, text)
    phone, _, siren = found.rules
    assert phone == Rule(
        "phone",
        frozenset({Kind.ERROR, Kind.TROUBLE}),
        ("node-sync-*", "kaspa-node"),
        90.0,
        None,
        0.0,
        Quiet(23 * 60, 7 * 60 + 30),
    )
    assert siren.repeat == 3600
    hook = found.targets_of("hook")[0]
    assert (hook.how, hook.url, hook.key) == (How.WEBHOOK, f"https://example.org/{SECRET}", SECRET)
    assert found.targets_of("siren")[0].command == ("/usr/local/bin/siren", "-l")
    assert found.heartbeat is not None
    assert found.heartbeat.every == 60
    assert found.page_url == "https://node.example.org/taskd"
    assert found.host == "kaspa-1"


def test_no_secret_is_shown_by_accident(place: Path) -> None:
    """What is printed for a log or a traceback has no address and no key."""
    text = '[[to]]\nname = "hook"\nwebhook_file = "@/hook"\nkey_file = "@/hook.key"\n'
    assert SECRET not in repr(sound(place, text))


def test_all_that_is_wrong_is_told_at_once_with_its_place_and_cure(place: Path) -> None:
    """Every fault of one file comes in one pass."""
    text = """
        page_url = "node.example.org"
        [[to]]
        name = "a b"
        url_file = "phone.urls"
        on = ["troubel"]
        tasks = ["a/b"]
        after = "soon"
        repeat = "1s"
        gather = "2d"
        quiet = "23-7"
        [[to]]
        name = "x"
        [[to]]
        name = "x"
        webhook_file = "@/hook"
        url_file = "@/phone.urls"
        quiet = "07:00-07:00"
        url = "json://oops/topic-of-mine-93f1"
        [heartbeat]
    """
    said = told(place, text)
    for words in (
        "to[1].name: must be letters",
        "to[1].url_file: must be an absolute path",
        'to[1].on: "troubel" is none of complete, error, trouble, recovered, switch',
        'to[1].tasks: "a/b" is no id',
        'to[1].after: "soon" is no duration; write "10s" or "5min"',
        'to[1].repeat: "1s" is too short; 1min is the shortest',
        'to[1].gather: "2d" is too long; 1h is the longest',
        'to[1].quiet: must be two times of the day like "23:00-07:00"',
        "to[2]: needs one of url_file, webhook_file or command",
        "to[3]: has url_file and webhook_file; keep one of them",
        "to[3].quiet: must be two times of the day",
        "to[3].url: unknown key",
        'to: the name "x" stands twice',
        "heartbeat.url_file: is required",
        "page_url: must be the address",
    ):
        assert any(words in each for each in said), (words, said)
    assert all(each.startswith("notify.toml, ") for each in said)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no URL"),
        ("# only this\n", "has no URL"),
        (f"{SECRET}\n", "line 1: is no URL"),
        (f"json://good/{SECRET}\n\nntfy:{SECRET}\n", "line 3: is no URL"),
        (f"json://x/{'y' * 3000}{SECRET}", "line 1: is longer than 2048"),
        (f"json://x/{SECRET}\x07", "line 1: has control characters"),
        (b"json://x/\nmailto://\xff", "line 2: is not UTF-8"),
        (f"json://x/{SECRET} # mine\n", "line 1: has a comment behind"),
        (f"json://x/{SECRET}\n\njson://x/{SECRET}\n", "line 3: is line 1 again"),
        ("json://x\n" * 33, "33 URLs; 32 is the most"),
        ("#" * 70_000, "is larger than 64 KiB"),
    ],
)
def test_a_bad_file_of_urls_is_told_by_its_line(place: Path, text: str | bytes, says: str) -> None:
    """The file, the line and what to do; never what stands there."""
    write(place / "phone.urls", text)
    said = told(place, '[[to]]\nname = "phone"\nurl_file = "@/phone.urls"\n')
    assert any(each.startswith("phone.urls") and says in each for each in said), said


def test_a_check_tells_all_at_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the file says wrong keeps nobody from hearing what is wrong with a target."""
    command = '[[to]]\nname = "call"\ncommand = ["/no/such/program"]\n'
    hook = '[[to]]\nname = "hook"\nwebhook_file = "@/none"\nafter = "soon"\n'
    text = (command + hook).replace("@", str(place))
    assert check(write(place / "notify.toml", text)) == BAD
    shown = capsys.readouterr()
    for words in ("none: is not there", "to[2].after", "call: There is no program"):
        assert words in shown.out
    assert "hook:" not in shown.out
    assert shown.err == "3 faults\n"


def test_a_file_that_others_may_read_is_refused(place: Path) -> None:
    """Addresses are secrets, so an open file is no mere matter of taste; the cure is a command."""
    (place / "phone.urls").chmod(0o644)
    said = told(place, '[[to]]\nname = "phone"\nurl_file = "@/phone.urls"\n')
    assert said == ["phone.urls: others may use it, and it has secrets: chmod o= phone.urls"]


@pytest.mark.parametrize("kind", ["missing", "directory", "pipe", "link"])
def test_what_is_no_file_is_told_and_never_waited_for(place: Path, kind: str) -> None:
    """Whatever lies in the place of a file, the answer comes at once."""
    file = place / "odd"
    if kind == "directory":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "link":
        file.symlink_to(place / "nothing")
    said = told(place, '[[to]]\nname = "phone"\nurl_file = "@/odd"\n')
    assert len(said) == 1
    assert said[0].startswith("odd: ")


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("http://127.0.0.1:8000/x", True),
        ("https://hc.example.org/ping/1?a=b", True),
        ("ftp://example.org", False),
        ("https://", False),
        ("https://h:99999/", False),
        ("https://a\nhttps://b", False),
    ],
)
def test_a_webhook_and_a_heartbeat_are_one_http_url(place: Path, url: str, good: bool) -> None:
    """Nothing else can be asked by a client for HTTP."""
    write(place / "hook", url)
    text = '[heartbeat]\nurl_file = "@/hook"\n[[to]]\nname = "h"\nwebhook_file = "@/hook"\n'
    assert isinstance(read(place, text), Settings) is good


def test_a_file_that_is_not_there_or_no_toml_is_one_fault(place: Path) -> None:
    """With its name, so that somebody can go there."""
    assert isinstance(load(place / "none.toml"), list)
    assert told(place, "[[to") != []
    assert told(place, "") == [
        "notify.toml, to: is not there, so nobody would be told: add a [[to]]"
    ]


def test_the_example_has_every_key_and_is_sound(place: Path) -> None:
    """As it is shipped, and with all that is commented out in it."""
    text = (Path(__file__).parents[2] / "docs/examples/notify/notify.toml").read_text()
    text = text.replace("/etc/kaspad-taskd/notify.d/", f"{place}/")
    write(place / "hook.url", "https://example.org/")
    write(place / "heartbeat.url", "https://example.org/")
    text = text.replace("/etc/kaspad-taskd/fleet.toml", f"{place}/fleet.toml")
    write(place / "fleet.toml", '[redis]\nservers = ["r"]\n')
    write(place / "redis", "hidden\n")
    assert sound(place, text).rules == (Rule("phone"),)
    whole = sound(place, re.sub(r"(?m)^#(?=\[|[a-z_]+ = )", "", text))
    assert [rule.name for rule in whole.rules] == ["phone", "hook", "siren"]
    assert whole.heartbeat is not None
    assert whole.fleet is not None
    assert set(KEYS) - {"to", "heartbeat", "fleet"} <= set(re.findall(r"(?m)^#?([a-z_]+) = ", text))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_was_written_is_judged_and_never_a_crash(data: object) -> None:
    """Bad data never raises; it is always settings or faults."""
    assert parse(data, "/n.toml")


# -- a fleet

TO = '[[to]]\nname = "hook"\nwebhook_file = "@/hook"\n'


def test_a_fleet_is_read_as_the_hub_or_as_somebody(place: Path) -> None:
    """fleet.toml is beside it, or where one says; the password is the hub's, or one of its own."""
    hub = 'user = "hub"\npassword_file = "@/hub"\n'
    write(place / "fleet.toml", f'[redis]\nservers = ["r"]\n[hub]\n{hub}'.replace("@", str(place)))
    write(place / "hub", "hidden\n")
    assert sound(place, TO).fleet is None
    found = sound(place, f"{TO}[fleet]\n").fleet
    assert found is not None
    assert (found.login.user, found.login.password) == ("hub", "hidden")
    assert str(found.settings.engine.servers[0]) == "r:6379"
    (place / "hub").unlink()  # which the notifier need not be able to read
    write(place / "own", "mine\n")
    own = 'user = "notify"\npassword_file = "@/own"\n'
    found = sound(place, f"{TO}[fleet]\n{own}").fleet
    assert found is not None
    assert (found.login.user, found.login.password) == ("notify", "mine")
    write(place / "other.toml", '[redis]\nservers = ["other"]\n')
    found = sound(place, f'{TO}[fleet]\nconfig = "@/other.toml"\n').fleet
    assert found is not None
    assert str(found.settings.engine.servers[0]) == "other:6379"


def test_faults_of_a_fleet_are_named(place: Path) -> None:
    """With file and key; hosts are those of a fleet alone."""
    assert "to: hosts of" in told(place, f'{TO}hosts = ["wien-*"]\n')[0]
    faults = told(place, f"{TO}[fleet]\n")
    assert faults[0].startswith("fleet.toml")
    write(place / "fleet.toml", '[redis]\nservers = ["r"]\n')
    faults = told(place, f'{TO}hosts = ["no host"]\n[fleet]\nuser = "a"\n')
    assert any("hosts" in each and "no name of a host" in each for each in faults)
    assert any("fleet.password_file: is required" in each for each in faults)
    assert (
        "fleet.user: is required" in told(place, f'{TO}[fleet]\npassword_file = "@/hook.key"\n')[0]
    )


@needs_redis
def test_a_check_asks_the_engine(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be reached now may be later; who may not read never will."""
    file = write(place / "notify.toml", f"{TO}[fleet]\nuser = 'hub'\npassword_file = '@/hook.key'\n"
                 .replace("@", str(place)))  # fmt: skip
    with RedisServer(place / "r", "--user", "hub", *HUB_RIGHTS.split()) as server:
        write(place / "fleet.toml", f'[redis]\nservers = ["{server.server}"]\n')
        assert check(file) == BAD
        assert "ACL SETUSER" in capsys.readouterr().out
        write(place / "hook.key", "pw\n")
        assert check(file) == 0
        assert "fleet: unix:" in capsys.readouterr().out
        with server.client() as client:
            client.execute_command("ACL", "SETUSER", "hub", "-@all", "+scan", "+ping")
        assert check(file) == BAD
        assert "give it the rights" in capsys.readouterr().out
    assert check(file) == 0
    assert "see that it runs" in capsys.readouterr().out
