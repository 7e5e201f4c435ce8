"""The token and the sessions made with it: what ends stays ended."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from kaspad_taskd.bridge import keys as room
from kaspad_taskd.bridge.keys import REMEMBERED, SESSION_S, Keys, NotOurs, open_keys

NOW = 1_795_000_000.0


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return open_keys(None, tmp_path)


def again(keys: Keys) -> Keys:
    """The same after a restart."""
    return open_keys(None, keys.token_file.parent)


async def test_an_ended_session_is_none_after_a_restart(keys: Keys) -> None:
    """Others go on."""
    one, other = keys.new_session(NOW), keys.new_session(NOW)
    await keys.end_session(one, NOW)
    for known in (keys, again(keys), again(again(keys))):
        assert not known.is_session(one, NOW)
        assert known.is_session(other, NOW)


async def test_a_clock_that_was_ahead_lets_none_rise(keys: Keys) -> None:
    """However many are ended while it is, and over a restart."""
    one = keys.new_session(NOW)
    await keys.end_session(one, NOW)
    later = NOW + 2 * SESSION_S
    assert not keys.is_session(one, later)
    for _ in range(3):
        await keys.end_session(keys.new_session(later), later)
    assert not again(keys).is_session(one, NOW)


async def test_what_is_no_session_ends_nothing(keys: Keys) -> None:
    """No file is made for it, and the table does not grow."""
    for text in (None, "", "x.y.z", f"{int(NOW) + 9}.name.", "." * 300):
        await keys.end_session(text, NOW)
    assert not keys._ended
    assert not keys._file.exists()


async def test_beyond_what_is_remembered_all_end(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is forgotten, so none rises again; a new one is one, after a restart too."""
    monkeypatch.setattr(room, "REMEMBERED", 8)
    ended = [keys.new_session(NOW) for _ in range(9)]
    other = keys.new_session(NOW)
    for each in ended:
        await keys.end_session(each, NOW)
    fresh = keys.new_session(NOW)
    for known in (keys, again(keys)):
        assert not any(known.is_session(each, NOW) for each in (*ended, other))
        assert known.is_session(fresh, NOW)
    assert REMEMBERED == 4096


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"salt":1,"ended":[]}', '{"salt":"","ended":[7]}']
)
async def test_a_damaged_list_ends_all(
    keys: Keys, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Who was locked out must not come in because a file cannot be read; the log says it."""
    session = keys.new_session(NOW)
    keys._file.write_text(text)
    known = again(keys)
    assert not known.is_session(session, NOW)
    assert "every browser has to unlock anew" in caplog.text
    await known.save(again=True)
    fresh = known.new_session(NOW)
    assert again(known).is_session(fresh, NOW)
    assert not again(known).is_session(session, NOW)


async def test_a_full_disk_is_said_and_tried_again(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has ended at once; the next turn writes it down."""
    session, told = keys.new_session(NOW), []
    keys.on_end = [lambda: told.append(True)]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(room, "write_atomically", full)
        with pytest.raises(OSError, match="No space"):
            await keys.end_session(session, NOW)
    assert told
    assert not keys.is_session(session, NOW)
    assert again(keys).is_session(session, NOW)
    await keys.save(again=True)
    assert not again(keys).is_session(session, NOW)


async def test_many_at_once_are_all_on_disk(keys: Keys) -> None:
    """The last writer has all of them."""
    sessions = [keys.new_session(NOW) for _ in range(40)]
    await asyncio.gather(*(keys.end_session(each, NOW) for each in sessions))
    assert not any(again(keys).is_session(each, NOW) for each in sessions)


async def test_a_new_token_ends_all(keys: Keys) -> None:
    """Session, ended list and old token; the file is the group's as before."""
    old, session, told = keys.token, keys.new_session(NOW), []
    keys.on_end = [lambda: told.append(True)]
    await keys.end_session(keys.new_session(NOW), NOW)
    await keys.renew()
    assert keys.token_file.read_text() == f"{keys.token}\n"
    assert stat.S_IMODE(keys.token_file.stat().st_mode) == 0o640
    assert len(keys.token) >= 43
    assert keys.token != old
    assert (keys.epoch, len(told)) == (1, 2)
    for known in (keys, again(keys)):
        assert not known.is_session(session, NOW)
        assert not known.is_token(old.encode())
        assert known.is_token(keys.token.encode())


async def test_the_administrators_file_is_not_written(tmp_path: Path) -> None:
    """Whatever may be written there; the default's place is the daemon's though it is named."""
    path = tmp_path / "token"
    path.write_text("x" * 40)
    with pytest.raises(NotOurs):
        await open_keys(path, tmp_path).renew()
    assert path.read_text() == "x" * 40
    own = open_keys(None, tmp_path)
    named = open_keys(own.token_file, tmp_path)
    await named.renew()
    assert named.token != own.token


async def test_a_token_that_cannot_be_written_changes_nothing(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one is right, and so are its sessions."""
    old, session = keys.token, keys.new_session(NOW)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room, "write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        await keys.renew()
    assert keys.token == old == keys.token_file.read_text().strip()
    assert keys.is_session(session, NOW)
    assert keys.epoch == 0
