"""Who may come in by the bridge."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.bridge.access import (
    SESSION_S,
    Access,
    CannotOpenError,
    is_loopback,
    read_token,
)
from kaspad_taskd.bridge.refused import Refused
from kaspad_taskd.config.settings import Address, Bridge
from tests.fakes.access import TOKEN, Hours, access, keys_of


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:3080", "127.0.0.1:3080", "127.8.8.8", "[::1]:3080", "[::1]"]
)
def test_loopback_names_are_hosts_of_ours(host: str) -> None:
    """Whatever means this machine is let in."""
    access().check({"Host": host})


@pytest.mark.parametrize(
    "host",
    ["", "evil.com", "evil.com:3080", "localhost.evil.com", "127.0.0.1.evil.com", "10.0.0.1:3080",
     "localhost@evil.com", "evil.com/localhost", "127.0.0.1:http", "[::1", "localhost evil.com"],
)  # fmt: skip
def test_a_rebound_name_is_refused(host: str) -> None:
    """A name that some DNS server points at us opens nothing (and a missing one neither)."""
    with pytest.raises(Refused, match="hosts in") as refused:
        access().check({"Host": host})
    assert refused.value.status == 403


def test_hosts_of_the_settings_are_let_in() -> None:
    """A proxy's name counts once it is in the settings, upper case or with a port too."""
    known = access(hosts=("taskd.example.org",))
    known.check({"Host": "Taskd.Example.org:8443"})
    with pytest.raises(Refused):
        known.check({"Host": "other.example.org"})


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        ("http://localhost:3080", {"Host": "localhost:3080"}),
        ("http://localhost", {"Host": "localhost"}),
        ("http://localhost:80", {"Host": "localhost"}),
        ("https://localhost", {"Host": "localhost"}),
        ("http://[::1]:3080", {"Host": "[::1]:3080"}),
        (
            "https://wizard.example",
            {"Host": "localhost:3080", "X-Forwarded-Host": "wizard.example"},
        ),
        ("HTTPS://Friend.example", {"Host": "localhost:3080"}),
    ],
)
def test_the_pages_own_origin_and_the_settings_origins_pass(
    origin: str, headers: dict[str, str]
) -> None:
    """Its own page, also behind a proxy with TLS, and the pages named by the administrator."""
    access(origins=("https://friend.example",)).check({"Origin": origin, **headers})


@pytest.mark.parametrize(
    "origin",
    ["http://evil.com", "null", "", "http://localhost:5000", "http://localhost:3080.evil.com",
     "https://localhost:3080@evil.com", "file://", "http://127.0.0.1:3080", "localhost:3080"],
)  # fmt: skip
def test_a_foreign_origin_is_refused(origin: str) -> None:
    """Another page, another port of this host included, gets nothing."""
    with pytest.raises(Refused, match="origins in"):
        access().check({"Host": "localhost:3080", "Origin": origin})


@pytest.mark.parametrize(
    ("headers", "setting"),
    [
        ({"Origin": "HTTPS://Wizard.lan:8443"}, 'origins = ["https://wizard.lan:8443"]'),
        ({"Origin": "null"}, None),
        ({"Origin": "https://a/b"}, None),
        ({"Origin": 'https://a"b'}, None),
        ({"Host": "Wizard.lan:3080"}, 'hosts = ["wizard.lan"]'),
        ({"Host": 'a"b'}, None),
        ({"Host": ""}, None),
    ],
)
def test_a_refusal_names_the_setting_that_would_let_it_in(
    headers: dict[str, str], setting: str | None
) -> None:
    """As it can be put into [bridge]; nothing where no setting helps."""
    with pytest.raises(Refused) as refused:
        access().check({"Host": "localhost:3080", **headers})
    assert refused.value.setting == setting


FRAMED = {"Host": "localhost:3080", "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Referer": "http://localhost:3080/task/x"},
        {"Referer": "https://friend.example/page"},
        {"Referer": ""},
        {"Referer": "about:blank"},
        {"Referer": "https://wizard.lan/", "Sec-Fetch-Dest": "document"},
        {"Referer": "https://wizard.lan/", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_page_alone_or_within_one_that_may_passes(headers: dict[str, str]) -> None:
    """Where nobody says what is around it, the browser is the judge."""
    access(origins=("https://friend.example",)).check_frame({**FRAMED, **headers})


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_within_a_foreign_one_is_told_what_is_missing(site: str) -> None:
    """Which the browser would show as an answer that never came."""
    with pytest.raises(Refused) as refused:
        access().check_frame({**FRAMED, "Sec-Fetch-Site": site, "Referer": "https://wizard.lan/a"})
    assert refused.value.setting == 'origins = ["https://wizard.lan"]'


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_judged(host: str, origin: str) -> None:
    """No header crashes the judge, and nothing but loopback gets in by chance."""
    try:
        access().check_frame({**FRAMED, "Host": host, "Referer": origin})
        access().check({"Host": host, "Origin": origin})
    except Refused:
        return
    assert any(word in host.lower() for word in ("localhost", "127.", "::1"))


async def test_a_session_is_ours_until_it_is_over_or_ended() -> None:
    """Signed, so a forged or stretched one is none; ended by the lock, and by time."""
    clock = Hours()
    known = access(clock)
    one, other = known.new_session(), known.new_session()
    assert known.is_session(one)
    assert one != other
    until, nonce, signature = one.split(".")
    for forged in (f"{int(until) + 1}.{nonce}.{signature}", f"{until}.{nonce}.", "", None, "x.y.z"):
        assert not known.is_session(forged)
    with pytest.raises(FileNotFoundError):  # there is no disk
        await known.end_session(one)
    assert not known.is_session(one)
    assert known.is_session(other)
    clock.at += SESSION_S
    assert not known.is_session(other)


def test_another_token_makes_all_sessions_void() -> None:
    """Who changes the token has locked every browser."""
    clock = Hours()
    session = access(clock).new_session()
    assert not Access(Bridge(), keys_of("another-token-here"), clock).is_session(session)


@given(st.text(max_size=80))
def test_no_text_is_a_session_by_chance(text: str) -> None:
    """Whatever a cookie holds, it crashes nothing and opens nothing."""
    assert not access().is_session(text)


@pytest.mark.looptime
async def test_bearer_is_the_token_or_refused() -> None:
    """No header is no token; a wrong one is said so, a second later."""
    known = access()
    assert not await known.bearer({}, "a")
    assert not await known.bearer({"Authorization": "Basic eDp5"}, "a")
    assert await known.bearer({"Authorization": f"bearer {TOKEN} "}, "a")
    with pytest.raises(Refused, match="not right"):
        await known.bearer({"Authorization": "Bearer x"}, "a")


@pytest.mark.looptime
async def test_giving_and_showing_are_counted_apart() -> None:
    """Wrong tokens in headers keep nobody from unlocking, nor the other way round."""
    known, loop = access(), asyncio.get_running_loop()
    for _ in range(4):
        assert not await known.show_token("wrong", "10.0.0.1")
    began = loop.time()
    assert await known.give_token(TOKEN, "10.0.0.1")
    assert loop.time() == began
    assert await known.show_token(TOKEN, "10.0.0.1")
    assert loop.time() == began + 16


@pytest.mark.looptime
async def test_who_has_a_session_is_never_kept_waiting() -> None:
    """Whatever others do at its address, and whether it is right."""
    known, loop = access(), asyncio.get_running_loop()
    session = known.new_session()
    tries = [asyncio.create_task(known.give_token("wrong", "::1")) for _ in range(8)]
    await asyncio.sleep(0)
    began = loop.time()
    assert await known.give_token(TOKEN, "::1", session)
    assert not await known.show_token("wrong", "::1", session)
    assert loop.time() == began
    assert not any(await asyncio.gather(*tries))


@pytest.mark.parametrize(
    ("host", "public"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True),
     ("192.168.1.5", True), ("::", True)],
)  # fmt: skip
def test_what_is_not_loopback_is_public(host: str, public: bool) -> None:
    """Only on loopback may be read without a token."""
    assert access(listen=Address(host, 3080)).public is public
    assert is_loopback(host) is not public


def test_a_token_is_made_once_for_the_group(tmp_path: Path) -> None:
    """Beside the state, 0640, the same at the next start."""
    token, path = read_token(None, tmp_path)
    assert len(token) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert read_token(None, tmp_path) == (token, path)


@pytest.mark.parametrize("text", ["", "short\n", "a token with spaces in", "ümlaut-ümlaut-ümlaut"])
def test_a_file_without_a_token_is_a_sentence(tmp_path: Path, text: str) -> None:
    """Nobody is let in by an empty file."""
    path = tmp_path / "token"
    path.write_text(text)
    with pytest.raises(CannotOpenError, match="holds no token"):
        read_token(path, tmp_path)


def test_a_missing_token_file_is_a_sentence(tmp_path: Path) -> None:
    """A file that the settings name has to be there."""
    with pytest.raises(CannotOpenError, match="No such file"):
        read_token(tmp_path / "none", tmp_path)


def test_a_token_for_everybody_is_complained_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It works, and the log says what to do."""
    path = tmp_path / "token"
    path.write_text("long-enough-for-a-token\n")
    path.chmod(0o644)
    assert read_token(path, tmp_path)[0] == "long-enough-for-a-token"
    assert "chmod 640" in caplog.text


@pytest.mark.parametrize(("length", "weak"), [(16, True), (19, True), (20, False)])
def test_a_short_token_works_and_is_complained_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, length: int, weak: bool
) -> None:
    """With what makes a better one; and the token itself is in no log."""
    path = tmp_path / "token"
    path.write_text("x" * length)
    path.chmod(0o640)
    assert read_token(path, tmp_path)[0] == "x" * length
    assert ("openssl rand" in caplog.text) is weak
    assert "xxxx" not in caplog.text
