"""Endpoint files: read by systemd as they were meant, told apart by the daemon."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.switch import Side
from kaspad_taskd.switching.endpoint import Endpoints, Pointing, render
from tests.fakes.hands import service

PRINTABLE = st.text(
    st.one_of(st.sampled_from("\"'\\`$# ;=ab"), st.characters().filter(str.isprintable)),
    max_size=30,
)


@given(PRINTABLE)
def test_a_value_is_one_quoted_line(value: str) -> None:
    """By the rules of systemd.exec(5): in double quotes a backslash keeps what follows."""
    line = render("kasia", Side.LOCAL, {"URL": value}).splitlines()[2]
    assert line.startswith('URL="')
    assert unquote(line.removeprefix("URL=")) == value


def unquote(text: str) -> str:
    """Read what stands in double quotes, as systemd does; nothing may follow."""
    assert text[0] == text[-1] == '"'
    read, rest = "", iter(text[1:-1])
    for each in rest:
        assert each != '"'
        read += next(rest) if each == "\\" else each
    return read


def test_a_shell_reads_it_as_well() -> None:
    """Somebody will source it."""
    value = "a \"b\" 'c' $HOME `id` \\ # x"
    text = render("kasia", Side.LOCAL, {"URL": value})
    command = f'{text}\nprintf %s "$URL"'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == value


@pytest.fixture
def endpoints(tmp_path: Path) -> Endpoints:
    return Endpoints(tmp_path)


def test_without_a_file_the_unit_has_its_own(endpoints: Endpoints) -> None:
    """The public node, since ever."""
    assert endpoints.read("kasia", service()) == Pointing(Side.PUBLIC)


@pytest.mark.parametrize("side", list(Side))
def test_a_file_says_its_side_and_whether_it_is_as_the_settings_are(
    endpoints: Endpoints, side: Side
) -> None:
    """Since its last change; stale after the settings changed."""
    declared = service(public_env={"KASPA_NODE_WBORSH_URL": "wss://public"})
    values = declared.env if side is Side.LOCAL else declared.public_env
    endpoints.path("kasia").write_text(render("kasia", side, values))
    found = endpoints.read("kasia", declared)
    assert (found.side, found.fresh) == (side, True)
    assert found.since is not None
    os.utime(endpoints.path("kasia"), (0, 0))  # written long before it got its name
    assert (endpoints.read("kasia", declared).since or 0) >= found.since
    other = service(env={"URL": "ws://other"}, public_env={"URL": "wss://other"})
    assert endpoints.read("kasia", other).fresh is False


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"URL=ws://x\n", b"# kaspad-taskd: other uses the local node.\n"],
)
def test_what_is_not_understood_is_unknown(endpoints: Endpoints, content: bytes) -> None:
    """Not ours, another service's, no text."""
    endpoints.path("kasia").write_bytes(content)
    assert endpoints.read("kasia", service()).side is None


def test_what_cannot_be_read_is_unknown(endpoints: Endpoints) -> None:
    """A directory in its place."""
    endpoints.path("kasia").mkdir()
    assert endpoints.read("kasia", service()).side is None
