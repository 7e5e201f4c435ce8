"""curl: its meter, its bar, its table of several."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools.curl import TOOL
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED, WARNING
from tests.cli.run.corpus import holds
from tests.cli.run.tools.playing import (
    checked,
    ended,
    names,
    percents,
    ran,
    read,
)

if TYPE_CHECKING:
    from pathlib import Path

PIECE = 1 << 18
GET = "curl -o x http://h/x"


@pytest.mark.parametrize("name", names("curl"))
def test_recordings(name: str) -> None:
    """Never ahead of what was sent, never falling, never 100 %."""
    assert checked(name) or name == "curl-hash-unknown-12"


@pytest.mark.parametrize("debian", ["12", "13"])
def test_no_length_no_percentage(debian: str) -> None:
    """The first column is 100 from the first block on, the third 0."""
    moments = checked(f"curl-unknown-{debian}")
    assert not percents(moments)
    assert moments[-1].reading.done == pytest.approx(60 << 20, rel=0.01)


def test_what_a_redirect_says_is_none_of_it() -> None:
    """Its few bytes are 100 % at once."""
    moments = checked("curl-redirect-12")
    assert {each.reading.phase for each in moments} == {"transfer 1"}
    assert percents(moments)[0] < 20


@pytest.mark.parametrize("name", ["curl-two-12", "curl-two-hash-12"])
def test_each_address_is_a_phase(name: str) -> None:
    """The second begins anew."""
    moments = checked(name)
    phases = list(dict.fromkeys((each.reading.phase, each.reading.after) for each in moments))
    assert phases == [("transfer 1", 0), ("transfer 2", 1)]


def test_of_several_at_once_the_share_is_of_all() -> None:
    """`-Z` says it when it knows it; before, the bytes."""
    moments = checked("curl-parallel-many-12")
    assert moments[0].reading.unit == "bytes"
    assert percents(moments)[0] == 84


def test_a_row_is_a_row_when_it_is_whole() -> None:
    """It comes byte by byte, and what begins it is no smaller number."""
    row = " 26 60.0M   26 15.6M    0     0  13.1M      0  0:00:04  0:00:01  0:00:03 13.1M"
    reader = TOOL.reader(GET.split())
    seen = [reader.read(2, row[:end], False) for end in range(len(row))]
    assert {each.percent for each in seen if each} == {26.0}
    assert sum(each is not None for each in seen) < 10


@pytest.mark.parametrize("row", ["50.0%", "  50%", "12 % Total", "100 50 1 2"])
def test_other_percentages_are_not_read(row: str) -> None:
    """Nor is the row of another program: a bar has its width."""
    assert not read(TOOL, GET, row) or row == "50.0%"


@pytest.mark.parametrize(
    ("argv", "code", "rerun"),
    [
        (GET, -2, "run.rerun.truncated-curl"),
        (GET, 18, "run.rerun.truncated-curl"),
        ("curl -C - -o x http://h/x", 28, "run.rerun.continues"),
        ("curl --remove-on-error -O http://h/x", 18, "run.rerun.removed"),
        ("curl http://h/x", 6, None),
    ],
)
def test_how_it_ends(argv: str, code: int, rerun: str | None) -> None:
    """The part lies under the final name."""
    found = ended(TOOL, argv, code)
    assert (found.outcome, found.rerun) == (FAILED, rerun)


def test_the_code_is_of_the_last_address() -> None:
    """What failed before it is a warning."""
    assert ended(TOOL, GET, 0).outcome == COMPLETE
    found = ended(TOOL, GET, 0, "curl: (7) Failed to connect to h port 80")
    assert (found.outcome, found.said) == (WARNING, "run.end.earlier-failed")


@pytest.fixture
def address() -> Iterator[str]:
    """A server of 4 MB with a length, which takes its time."""
    slow = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(16 * PIECE))
            self.end_headers()
            for _ in range(16):
                self.wfile.write(bytes(PIECE))
                slow.wait(0.05)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/file"
    server.shutdown()
    thread.join()
    server.server_close()


def test_for_real(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed here is read as the recordings are."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for form in ((), ("-#",)):
        now = ran("curl", *form, "-o", str(tmp_path / "x"), address)
        moments = now.played()
        holds(moments)
        assert percents(moments) or not form  # a row a second, a bar ten times
        assert now.ending().outcome == COMPLETE
