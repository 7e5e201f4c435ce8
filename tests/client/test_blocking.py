"""The blocking client against a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.client import Client, Refused, Unreachable, candidates
from kaspad_taskd.client import wire as module
from tests.fakes.patience import PATIENCE
from tests.fakes.set_time import SetTime
from tests.fakes.taskd import Error, Hangup, ScriptedTaskd, scripted

TASK = {"id": "a", "service": "a"}


@pytest.fixture
def taskd(tmp_path: Path) -> Iterator[ScriptedTaskd]:
    with scripted(tmp_path / "rpc.sock", {"ping": {"pong": True}}) as serving:
        yield serving


def client_of(taskd: ScriptedTaskd, timeout: float = PATIENCE) -> Client:
    return Client(str(taskd.path), timeout)


def test_a_result_is_returned(taskd: ScriptedTaskd) -> None:
    """The result comes as it was sent; parameters by name and in order."""
    taskd.answers["getTask"] = lambda params: {"given": params}
    with client_of(taskd) as client:
        assert client.call("ping") == {"pong": True}
        assert client.call("getTask", {"taskId": "ä"}) == {"given": {"taskId": "ä"}}
        assert client.call("getTask", ["x"]) == {"given": ["x"]}


def test_large_answers_come_whole(taskd: ScriptedTaskd) -> None:
    """An answer of many packets is put together."""
    taskd.answers["getAllTasks"] = [{"id": str(i), "note": "x" * 100} for i in range(10_000)]
    with client_of(taskd) as client:
        assert len(client.call("getAllTasks")) == 10_000


def test_a_refusal_has_its_reason(taskd: ScriptedTaskd) -> None:
    """The error's code, sentence and data are there for programs."""
    taskd.answers["getTask"] = Error(-32001, "there is no task a", reason="not-found", taskId="a")
    with client_of(taskd) as client, pytest.raises(Refused) as refused:
        client.call("getTask", {"taskId": "a"})
    assert (refused.value.code, refused.value.reason) == (-32001, "not-found")
    assert refused.value.data["taskId"] == "a"
    assert str(refused.value) == "there is no task a"


def test_a_lost_connection_is_made_again(taskd: ScriptedTaskd) -> None:
    """A daemon that restarted between two calls is not noticed."""
    with client_of(taskd) as client:
        assert client.call("ping")
        taskd.stop()
        taskd.start()
        assert client.call("ping")


def test_a_daemon_that_starts_late_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connecting is tried again for a second: a restart takes less."""
    taskd = ScriptedTaskd(tmp_path / "rpc.sock", {"ping": {"pong": True}})

    class Late(SetTime):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.now > 0.8:
                taskd.start()

    late = Late()
    monkeypatch.setattr(module, "time", late)
    with client_of(taskd) as client:
        assert client.call("ping")
    assert 0.8 < late.now < 1
    taskd.stop()


@pytest.mark.parametrize("listening", [False, True])
def test_no_daemon_is_told_after_the_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listening: bool
) -> None:
    """No socket at all is "missing", one that nobody listens on "refused"; neither at once."""
    path = tmp_path / "rpc.sock"
    if listening:
        with socket.socket(socket.AF_UNIX) as left_over:
            left_over.bind(str(path))
    passed = SetTime()
    monkeypatch.setattr(module, "time", passed)
    with pytest.raises(Unreachable) as lost:
        Client(str(path), patience=0.2).call("ping")
    assert lost.value.reason == ("refused" if listening else "missing")
    assert lost.value.path == str(path)
    assert passed.now == pytest.approx(0.2, abs=0.051)
    assert len(passed.slept) >= 4


def test_no_permission_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting does not help where a group is missing."""

    def forbid(_path: str, _timeout: float) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module, "Wire", forbid)
    passed = SetTime()
    monkeypatch.setattr(module, "time", passed)
    with pytest.raises(Unreachable) as lost:
        Client("/x", patience=5).call("ping")
    assert lost.value.reason == "forbidden"
    assert passed.slept == []


def test_a_path_that_is_none_is_told(tmp_path: Path) -> None:
    """A path too long for a socket, or a file, is said so."""
    (tmp_path / "file").write_text("")
    for path, reasons in ((f"/{'x' * 200}", {"bad-path"}), (str(tmp_path / "file"), {"refused"})):
        with pytest.raises(Unreachable) as lost:
            Client(path, patience=0).call("ping")
        assert lost.value.reason in reasons


def test_a_silent_daemon_is_a_timeout(taskd: ScriptedTaskd) -> None:
    """No answer in time ends the wait; a late one is not taken for the next one's."""
    taskd.answers["slow"] = b""
    with client_of(taskd) as client:
        with pytest.raises(Unreachable) as lost:
            client.call("slow", timeout=0.1)
        assert lost.value.reason == "timeout"
        assert client.call("ping") == {"pong": True}


def test_a_connection_that_ends_is_told(taskd: ScriptedTaskd) -> None:
    """A daemon that goes while it is asked: whether it did it is not known."""
    taskd.answers["cancelTask"] = Hangup()
    with client_of(taskd) as client, pytest.raises(Unreachable) as lost:
        client.call("cancelTask")
    assert lost.value.reason == "closed"


@pytest.mark.parametrize(
    "junk", [b"HTTP/1.1 400 Bad Request\r\n", b"[1]\n", b"[" * 100_000 + b"\n"]
)
def test_another_program_is_told(taskd: ScriptedTaskd, junk: bytes) -> None:
    """What is no JSON object is no kaspad-taskd."""
    taskd.answers["ping"] = junk
    with client_of(taskd) as client, pytest.raises(Unreachable) as lost:
        client.call("ping")
    assert lost.value.reason == "not-taskd"


def test_the_system_comes_before_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The system's socket is tried first, then the user's own, where it is."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert candidates() == [
        "/run/kaspad-taskd/rpc.sock",
        "/run/user/7/kaspad-taskd/rpc.sock",
    ]
    monkeypatch.setenv("XDG_RUNTIME_DIR", "run/7")  # nothing relative, as XDG demands
    assert candidates() == ["/run/kaspad-taskd/rpc.sock"]
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert candidates() == ["/run/kaspad-taskd/rpc.sock"]
    (tmp_path / "kaspad-taskd").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(module, "SYSTEM_SOCKET", str(tmp_path / "none.sock"))
    with scripted(tmp_path / "kaspad-taskd" / "rpc.sock", {"ping": 1}), Client() as client:
        assert client.call("ping") == 1
        assert client.path.endswith("kaspad-taskd/rpc.sock")


def test_events_go_on_over_a_restart(taskd: ScriptedTaskd) -> None:
    """The generator connects again and asks for what followed the last event it gave."""
    taskd.answers["subscribe"] = lambda params: {"seq": params.get("after", 10), "tasks": [TASK]}
    losses: list[str] = []
    with client_of(taskd) as client:
        events = client.events(tasks=["a"], lost=lambda fault: losses.append(fault.reason))
        teller = threading.Thread(target=_tell_twice, args=(taskd,))
        teller.start()
        assert [next(events)["seq"], next(events)["seq"]] == [11, 12]
        teller.join()
        events.close()  # type: ignore[attr-defined]
    asked = [params for method, params in taskd.asked if method == "subscribe"]
    assert asked == [{"tasks": ["a"]}, {"after": 11, "tasks": ["a"]}]
    assert losses == ["closed"]


def _tell_twice(taskd: ScriptedTaskd) -> None:
    assert taskd.subscribed.wait(PATIENCE)
    taskd.tell(11, "sync:start", taskId="a", service="a")
    taskd.drop()
    assert taskd.subscribed.wait(PATIENCE)
    taskd.tell(12, "sync:paused", taskId="a", service="a")


def test_a_subscription_begins_with_the_tasks(taskd: ScriptedTaskd) -> None:
    """It has the tasks as they were at its `seq`, and None where nothing is told in time."""
    taskd.answers["subscribe"] = {"seq": 10, "tasks": [TASK]}
    with client_of(taskd) as client:
        source = client.subscribe()
        assert (source.seq, source.tasks) == (10, [TASK])
        assert source.next(0.05) is None
        source.close()


def test_another_journal_is_noticed_and_begun_anew(taskd: ScriptedTaskd) -> None:
    """Whoever is called with the gap goes on from now; its number comes with its journal."""
    gap = Error(-32007, "another", reason="gap", journal="new", oldest=1, seq=5)

    def answer(params: dict[str, Any]) -> Any:
        if "after" not in params:
            return {"seq": 5, "journal": "new", "tasks": []}
        return gap if params.get("journal") != "new" else {"seq": params["after"], "journal": "new"}

    taskd.answers["subscribe"] = answer
    told: list[Refused] = []
    with client_of(taskd) as client:
        events = client.events(after=3, journal="old", gap=told.append)
        with _telling(taskd, 6):
            assert next(events)["seq"] == 6
        events.close()  # type: ignore[attr-defined]
    assert [(each.reason, each.data["journal"]) for each in told] == [("gap", "new")]
    asked = [params for method, params in taskd.asked if method == "subscribe"]
    assert asked == [{"after": 3, "journal": "old"}, {}]


@contextmanager
def _telling(taskd: ScriptedTaskd, seq: int, at: str = "now") -> Iterator[None]:
    """Tell an event again and again, to whoever has subscribed by then."""
    done = threading.Event()

    def tell() -> None:
        while not done.wait(0.01):
            taskd.tell(seq, "sync:start", taskId="a", service="a", timestamp=at)

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


@pytest.mark.parametrize("its", ["other", "missing", "pruned", "same"])
def test_a_daemon_that_was_rolled_back_is_asked_for_our_last_event(
    taskd: ScriptedTaskd, its: str
) -> None:
    """Its journal has the same name; an event that is another one, or none, gives it away."""
    known = {"seq": 11, "event": "sync:start", "data": {"timestamp": "then"}}
    if its == "other":
        known["data"] = {"timestamp": "later"}
    events = [known] if its in ("other", "same") else []
    oldest = 12 if its == "pruned" else 1
    taskd.answers["getEvents"] = {"events": events, "seq": 20, "oldest": oldest}
    taskd.answers["subscribe"] = lambda params: {"seq": params.get("after", 10), "journal": "j"}
    gaps: list[Refused] = []
    with client_of(taskd) as client:
        source = client.events(gap=gaps.append)
        with _telling(taskd, 11, "then"):
            assert next(source)["seq"] == 11
        taskd.drop()
        with _telling(taskd, 21):
            while (seq := next(source)["seq"]) == 11:  # that was on its way
                pass
        assert seq == 21
        source.close()  # type: ignore[attr-defined]
    assert [fault.reason for fault in gaps] == (["gap"] if its in ("other", "missing") else [])


def test_a_gap_is_told(taskd: ScriptedTaskd) -> None:
    """What is no longer kept cannot be told: the caller has to begin anew."""
    taskd.answers["subscribe"] = Error(-32007, "gone", reason="gap", oldest=5)
    with client_of(taskd) as client, pytest.raises(Refused) as refused:
        next(client.events(after=1))
    assert refused.value.reason == "gap"
