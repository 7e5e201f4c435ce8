"""Passed sockets: only what is ours, and nothing left open."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.systemd.sockets import MOST, passed, take


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, []),
        ({"LISTEN_PID": "42", "LISTEN_FDS": "1"}, [(3, "")]),
        (
            {"LISTEN_PID": "42", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "rpc:x"},
            [(3, "rpc"), (4, "x")],
        ),
        ({"LISTEN_PID": "42", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "rpc"}, [(3, "rpc"), (4, "")]),
        ({"LISTEN_PID": "43", "LISTEN_FDS": "1"}, []),
        ({"LISTEN_FDS": "1"}, []),
        ({"LISTEN_PID": "42", "LISTEN_FDS": "many"}, []),
        ({"LISTEN_PID": "42", "LISTEN_FDS": "-1"}, []),
        ({"LISTEN_PID": "42", "LISTEN_FDS": "0"}, []),
    ],
)
def test_what_was_passed(environ: dict[str, str], expected: list[tuple[int, str]]) -> None:
    """Descriptors count from 3, for the process that they were meant for."""
    assert passed(environ, 42) == expected
    assert environ == {}


@given(st.dictionaries(st.sampled_from(["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]), st.text()))
def test_any_environment_is_understood(environ: dict[str, str]) -> None:
    """Nonsense in the variables is nothing passed, never a crash or an endless list."""
    assert len(passed({**environ, "LISTEN_PID": "42"}, 42)) <= MOST


def _listening(path: Path, kind: int = socket.SOCK_STREAM) -> int:
    one = socket.socket(socket.AF_UNIX, kind)
    one.bind(str(path))
    if kind == socket.SOCK_STREAM:
        one.listen()
    os.set_inheritable(one.fileno(), True)
    return one.detach()


def _open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_a_listening_socket_is_taken(tmp_path: Path) -> None:
    """It comes non-blocking and closed to children."""
    descriptor = _listening(tmp_path / "a")
    found = take([(descriptor, "rpc")])
    assert found is not None
    with found:
        assert found.fileno() == descriptor
        assert not found.getblocking()
        assert not os.get_inheritable(descriptor)


def test_what_is_not_ours_is_closed_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Datagram sockets, sockets that do not listen, TCP, files and second ones are let go."""
    wrong = [
        _listening(tmp_path / "datagram", socket.SOCK_DGRAM),
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).detach(),
        socket.create_server(("127.0.0.1", 0)).detach(),
        os.open(tmp_path, os.O_RDONLY),
    ]
    right, second = _listening(tmp_path / "a"), _listening(tmp_path / "b")
    found = take([(fd, f"n{fd}") for fd in [*wrong, 9999, right, second]])
    assert found is not None
    with found:
        assert found.fileno() == right
        assert not any(_open(descriptor) for descriptor in [*wrong, second])
    assert len(caplog.records) == 6


def test_nothing_passed_is_nothing() -> None:
    """Without a `.socket` unit the daemon makes its own."""
    assert take([]) is None
