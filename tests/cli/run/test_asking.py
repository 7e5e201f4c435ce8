"""dd and xz are asked only while they catch the signal, and their answers are nobody's but ours."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.cli.run import asking
from kaspad_taskd.cli.run.asking import Asking
from kaspad_taskd.cli.run.recognise import recognise
from kaspad_taskd.cli.run.sieve import Sieve
from tests.cli.run.terminal import environment
from tests.fakes.patience import PATIENCE

ANSWER = b"12+0 records in\n11+0 records out\n5632 bytes (5.6 kB) copied, 1 s, 5.6 kB/s\n"
END = b"99+0 records in\n99+0 records out\n50688 bytes (51 kB) copied, 9 s, 5.6 kB/s\n"


@given(st.lists(st.integers(1, 90), max_size=12), st.integers(0, 3))
def test_an_answer_is_taken_out(cuts: list[int], times: int) -> None:
    """However it comes in pieces, and its last word stays."""
    sieve, shown = Sieve("dd"), b""
    for _ in range(times):
        sieve.asked += 1
        left = ANSWER
        for cut in cuts:
            shown += sieve.feed(left[:cut])
            left = left[cut:]
        shown += sieve.feed(left)
    left = b"dd: warning\n" + END
    for cut in cuts:
        shown += sieve.feed(left[:cut])
        left = left[cut:]
    shown += sieve.feed(left) + sieve.end()
    assert shown == b"dd: warning\n" + END


def test_its_last_word_is_no_answer() -> None:
    """It was asked, and ended before it answered."""
    sieve = Sieve("dd")
    sieve.asked += 1
    assert sieve.feed(END) + sieve.end() == END


@given(st.lists(st.binary(max_size=6000), max_size=6), st.integers(0, 2))
def test_what_is_no_answer_is_shown(chunks: list[bytes], asked: int) -> None:
    """All of it, in order."""
    for tool in ("dd", "xz"):
        sieve = Sieve(tool)
        sieve.asked = asked
        shown = b"".join(sieve.feed(each.replace(b"%", b"")) for each in chunks) + sieve.end()
        assert shown == b"".join(chunks).replace(b"%", b"")


def test_real_dd_under_run(tmp_path: Path) -> None:
    """Its standard error is what it is without us, though it was asked meanwhile."""
    script = (
        "import sys; from kaspad_taskd.cli.run import asking; asking.EVERY = 0.3;"
        "from kaspad_taskd.cli.run.wish import wish_of; from kaspad_taskd.cli.run import verb;"
        "verb.run(wish_of(['run', *sys.argv[1:]]))"
    )
    words = (
        sys.executable, "-c", script, "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=64k",
    )  # fmt: skip
    with subprocess.Popen(
        (*words, "count=9999999"), stderr=subprocess.PIPE, env=environment(tmp_path)
    ) as run:
        time.sleep(4)
        run.terminate()
        _, told = run.communicate(timeout=PATIENCE)
    assert told.count(b"records in") <= 1  # its last word may be in doubt where it is killed
    done = subprocess.run(
        (*words, "count=30000"), capture_output=True, timeout=PATIENCE, env=environment(tmp_path)
    )
    assert done.stderr.count(b"30000+0 records in") == 1
    assert len(done.stderr.splitlines()) == 3


def test_who_does_not_catch_it_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of that name, without a handler, lives; one that has another name too."""
    monkeypatch.setattr(asking, "EVERY", -1.0)
    for name in ("dd", "other"):
        program = tmp_path / name
        program.symlink_to("/bin/sleep")
        with subprocess.Popen([program, "600"]) as process:
            found = recognise(["dd", "if=/dev/zero", "of=/dev/null"])
            assert found is not None
            for _ in range(20):
                Asking(process.pid, found[0], found[1]).ask()
            time.sleep(0.1)
            assert process.poll() is None
            process.kill()
