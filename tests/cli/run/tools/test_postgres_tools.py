"""pg_basebackup, pgbench -i, pg_checksums, pg_amcheck: recorded, and real ones of now."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from kaspad_taskd.cli.run.tools import pg_amcheck, pg_basebackup, pg_checksums, pgbench
from kaspad_taskd.cli.run.tools.tool import COMPLETE, FAILED
from tests.cli.run.corpus import Recording, holds, load
from tests.cli.run.record import record
from tests.cli.run.tools.playing import checked, percents, read
from tests.fakes.postgres import Postgres
from tests.fakes.postgres_versions import programs, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.run.corpus import Moment

KIB = 1024


def phases(moments: list[Moment]) -> list[str | None]:
    """Each phase once, in order."""
    found: list[str | None] = []
    for moment in moments:
        if not found or found[-1] != moment.reading.phase:
            found.append(moment.reading.phase)
    return found


# -- pg_basebackup


def test_basebackup_has_three_phases() -> None:
    """Its second 100 % says that all is copied: it goes on without a number."""
    for name in ("pg_basebackup-rate", "pg_basebackup-verbose", "pg_basebackup-rate-13"):
        moments = checked(name)
        assert phases(moments) == ["waiting for checkpoint", "copying", "finishing"]
        assert len(percents(moments)) >= 3
        assert moments[-1].reading.percent is None


def test_a_raised_total_is_none() -> None:
    """The server estimates; when more is done nobody knows how much is left."""
    last = [each for each in checked("pg_basebackup-raised") if each.reading.phase == "copying"][-1]
    assert last.reading.growing
    assert last.reading.percent is None
    rows = [f"{done}/{total} kB ({100 * done // total}%), 0/2 tablespaces" for done, total in
            ((0, 1000), (900, 1000), (1001, 1001), (1400, 1400))]  # fmt: skip
    assert read(pg_basebackup.TOOL, "pg_basebackup -P", *rows) == [
        (0, 1000 * KIB, "copying"),
        (900 * KIB, 1000 * KIB, "copying"),
        (1001 * KIB, None, "copying"),
        (1400 * KIB, None, "copying"),
    ]


def test_how_a_basebackup_ends() -> None:
    """A signal leaves a folder that another run refuses."""
    assert load("pg_basebackup-rate").ending().outcome == COMPLETE
    stopped = load("pg_basebackup-stopped")
    assert stopped.code == -2
    assert (stopped.ending().outcome, stopped.ending().rerun) == (
        FAILED,
        "run.rerun.refused-directory",
    )
    again = load("pg_basebackup-again")
    assert (again.code, again.ending().rerun) == (1, None)


@pytest.mark.parametrize(
    ("tool", "command", "flag"),
    [
        (pg_basebackup.TOOL, "pg_basebackup -D x", "--progress"),
        (pg_basebackup.TOOL, "pg_basebackup -D x -Pv", None),
        (pg_basebackup.TOOL, "pg_basebackup -D x --no-estimate-size", None),
        (pg_checksums.TOOL, "pg_checksums --check", "--progress"),
        (pg_checksums.TOOL, "pg_checksums -P -e", None),
        (pg_checksums.TOOL, "pg_checksums --disable", None),
        (pg_amcheck.TOOL, "pg_amcheck --all", "--progress"),
        (pg_amcheck.TOOL, "pg_amcheck --all --progress", None),
        (pgbench.TOOL, "pgbench -i", None),
    ],
)
def test_what_is_offered(tool: object, command: str, flag: str | None) -> None:
    """Only where it is silent, and nothing that it refuses."""
    assert tool.offer(command.split()) == flag  # type: ignore[attr-defined]


# -- pgbench


def test_pgbench_counts_rows_alone() -> None:
    """Its 100 % comes when VACUUM and the keys have not begun."""
    for name in ("pgbench-init", "pgbench-quiet", "pgbench-init-13"):
        moments = checked(name)
        assert phases(moments)[-3:] == ["generating data", "vacuuming", "creating primary keys"]
        told = [each for each in moments if each.reading.percent is not None]
        assert {each.reading.phase for each in told} == {"generating data"}
        assert told[-1].at < 0.9 * load(name).reads[-1].at
    assert percents(checked("pgbench-server")) == []
    assert load("pgbench-stopped").ending().rerun == "run.rerun.over"


def test_a_benchmark_has_no_progress() -> None:
    """The words of another verb are not read."""
    row = "100000 of 2000000 tuples (5%) done (elapsed 0.18 s, remaining 3.45 s)"
    assert read(pgbench.TOOL, "pgbench -c 2 -T 60", row) == []
    newer = "100000 of 2000000 tuples (5%) of pgbench_accounts done (elapsed 0.1 s, remaining 3 s)"
    assert read(pgbench.TOOL, "pgbench -i", newer) == [(100000, 2000000, "generating data")]


# -- pg_checksums


def test_checksums_go_on_after_all_is_read() -> None:
    """100 % is of what was read; then it syncs, without a number."""
    for name in ("pg_checksums-enable", "pg_checksums-enable-13"):
        moments = checked(name)
        assert phases(moments) == ["reading", "syncing data directory", "updating control file"]
        assert max(percents(moments)) < 100
        assert moments[-1].reading.percent is None


def test_bad_checksums_are_said() -> None:
    """With how many there are."""
    ending = load("pg_checksums-bad").ending()
    assert (ending.outcome, ending.said, ending.params) == (FAILED, "run.end.checksums", {"n": 1})
    assert load("pg_checksums-check").ending().outcome == COMPLETE


# -- pg_amcheck


def test_amcheck_counts_what_it_has_begun() -> None:
    """It says 94 % of the pages when the first relations are still read: they are not done."""
    moments = checked("pg_amcheck-progress")
    assert b"94%" in load("pg_amcheck-progress").reads[3].data
    said = [each.reading for each in moments]
    assert [each.done for each in said[:3]] == [0, 0, 28707]
    assert {each.unit for each in said} == {"pages"}
    jobs = [each.reading for each in checked("pg_amcheck-jobs")]
    assert {each.unit for each in jobs} == {"relations"}
    assert jobs[0].done == 0
    assert jobs[-1].done == jobs[-1].total - 2  # type: ignore[operator]


def test_corruption_is_said() -> None:
    """It goes through to its end, with exit code 2."""
    assert load("pg_amcheck-bad").ending().said == "run.end.corruption"


# -- real ones


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL of this machine."""
    postgres = Postgres(programs(wanted()[0]))
    try:
        postgres.create()
        postgres.start()
        postgres.wait_until_ready()
        yield postgres
        postgres.stop()
    finally:
        postgres.remove()


def ran(server: Postgres, program: str, *arguments: str) -> Recording:
    """A run of now against it."""
    path = programs(wanted()[0]) / program
    if not path.exists():
        pytest.skip(f"{program} is not installed (apt install postgresql)")
    where = ["-h", str(server.home), "-p", str(server.port), "-U", "admin"]
    last = [] if program == "pg_basebackup" else ["postgres"]
    argv = [str(path), *arguments, *where, *last]
    reads, code = record(argv)
    return Recording("now", {"argv": argv, "code": code}, reads)


def test_a_real_database_is_filled_and_copied(server: Postgres, tmp_path: Path) -> None:
    """By what is installed here: phases, an end by exit code, and never 100 %."""
    filled = ran(server, "pgbench", "-i", "-s", "2")
    assert filled.code == 0, filled.reads
    moments = filled.played()
    holds(moments)
    assert "generating data" in phases(moments)
    assert percents(moments)[-1] > 99
    copied = ran(server, "pg_basebackup", "-D", str(tmp_path / "copy"), "-P", "-c", "fast", "-N")
    assert copied.code == 0, copied.reads
    moments = copied.played()
    holds(moments)
    assert phases(moments)[-2:] == ["copying", "finishing"]
    again = ran(server, "pg_basebackup", "-D", str(tmp_path / "copy"), "-P")
    assert again.ending().outcome == FAILED


def test_a_real_database_is_checked(server: Postgres) -> None:
    """By pg_amcheck, where its extension is there."""
    checks = ran(server, "pg_amcheck", "--progress", "--install-missing")
    if checks.code != 0:
        said = b"".join(each.data for each in checks.reads)
        pytest.skip(f"pg_amcheck does not work here (postgresql-contrib?): {said!r}")
    moments = checks.played()
    holds(moments)
    assert {each.reading.unit for each in moments} == {"pages"}


def test_real_checksums_are_read(tmp_path: Path) -> None:
    """Of a data directory that nobody serves."""
    binaries = programs(wanted()[0])
    if not (binaries / "pg_checksums").exists() or os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs pg_checksums, and root, who is not allowed to run it: setpriv")
    nobody = ["setpriv", "--reuid", "nobody", "--clear-groups"]
    home = Postgres(binaries)
    try:
        data = home.home / "data"
        initdb = [*nobody, str(binaries / "initdb"), "-N", "-k", "-A", "trust", "-D", str(data)]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/")
        argv = [str(binaries / "pg_checksums"), "--check", "--progress", "-D", str(data)]
        reads, code = record([*nobody, *argv])
        checks = Recording("now", {"argv": argv, "code": code}, reads)
        assert code == 0, reads
        holds(checks.played())
        assert phases(checks.played()) == ["reading"]
        assert checks.ending().outcome == COMPLETE
    finally:
        home.remove()
