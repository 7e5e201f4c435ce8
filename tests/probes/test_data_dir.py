"""`data_dir`: the room of real file systems, what hides them, and a task that says so."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd import words
from kaspad_taskd.core.model import Definition
from kaspad_taskd.core.observation import Hint, Observation, Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.core.runway import HINT, Past, Sample, Space, told
from kaspad_taskd.probes import space
from kaspad_taskd.probes.data_dir import (
    DiskProbe,
    Meter,
    from_json,
    to_json,
    watched,
)
from kaspad_taskd.probes.probe_type import Means
from kaspad_taskd.probes.space import Hidden, measure
from tests.fakes.patience import PATIENCE
from tests.probes.looks import read, said

MB = 1_000_000
KINDS: Mapping[str, Mapping[str, Any]] = {
    "node-sync": {},
    "indexer-sync": {"url": "http://127.0.0.1:1", "flavor": "kasia"},
    "http-json": {"url": "http://127.0.0.1:1", "progress": "p"},
    "database-migration": {"dsn": "a", "tool": "simply-kaspa"},
}
NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts, and becoming others, need root")


@contextmanager
def tmpfs(place: Path, size: str = "8m") -> Iterator[Path]:
    """A small file system of its own."""
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def apart(path: str, *before: str, uid: int = 0) -> Any:
    """What `measure` says in a mount namespace of its own after commands, as another user."""
    ask = (
        "import json, os, sys\n"
        "os.setgroups([])\n"
        "os.setresgid(*3 * [int(sys.argv[2])])\n"
        "os.setresuid(*3 * [int(sys.argv[2])])\n"
        "found = measure(sys.argv[1])\n"
        "print(json.dumps(dict(found.params) if isinstance(found, Hidden) else found.total))\n"
    )
    program = (  # the module alone: its package would bring all libraries along
        "from importlib.util import module_from_spec, spec_from_file_location\n"
        f"spec = spec_from_file_location('space', {str(space.__file__)!r})\n"
        "module = sys.modules['space'] = module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "measure, Hidden = module.measure, module.Hidden\n"
    )
    program = ask.replace("os.setgroups", f"{program}os.setgroups", 1)
    script = "\n".join((*before, f'exec "{sys.executable}" -c "$PROGRAM" "$@"'))
    told = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-ec", script, "-", path, str(uid)],
        env={**os.environ, "PROGRAM": program}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if told.stderr.startswith("unshare:"):  # not allowed, or the root is no mount: a plain chroot
        pytest.skip(f"no mount namespace here: {told.stderr.strip()}")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that others reach: pytest's own are closed to them."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        Path(place).chmod(0o755)
        yield Path(place)


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_file_may_name_it(kind: str) -> None:
    """By an absolute path; over an API no path is opened."""
    data = KINDS[kind]
    assert "data_dir: must be the absolute path of a directory" in said(
        kind, {**data, "data_dir": "x"}
    )
    faults = read(kind, {**data, "dataDir": "/x"}, "json")[1]
    assert [(each.key, each.kind) for each in faults] == [("config.dataDir", "forbidden")]
    assert read(kind, {**data, "data_dir": "/x"})[0].config["dataDir"] == "/x"
    assert "dataDir" not in read(kind, data)[0].config


def test_the_room_is_that_of_the_directory_itself(tmp_path: Path) -> None:
    """As statvfs has it; a directory that may not be read is enough."""
    found = os.statvfs(tmp_path)
    room = measure(str(tmp_path))
    assert isinstance(room, Space)
    assert room.total == found.f_blocks * found.f_frsize
    assert abs(room.free - found.f_bavail * found.f_frsize) < 1 << 30
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert isinstance(measure(str(link)), Space)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """Missing, or no directory; what lies above is not measured in its place."""
    missing = str(tmp_path / "a" / "b")
    assert measure(missing) == Hidden({"path": missing, "missing": missing})
    file = tmp_path / "file"
    file.write_text("x")
    for path in (file, file / "below"):
        found = measure(str(path))
        assert isinstance(found, Hidden)
        assert found.params["problem"] == f"{file} is no directory"


@needs_root
def test_a_mode_that_hides_it_is_said(open_path: Path) -> None:
    """To whoever may not pass; a directory that he may not read, he may measure."""
    inner = open_path / "closed" / "data"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)
    found = apart(str(inner), uid=NOBODY)
    assert found == {"path": str(inner), "closed": str(inner.parent), "plain": str(inner)}
    assert isinstance(apart(str(inner.parent), uid=NOBODY), int)


@needs_root
@pytest.mark.parametrize("uid", [0, NOBODY])
def test_the_sandbox_is_seen_through(open_path: Path, uid: int) -> None:
    """What it puts in the place of a directory is not measured: as systemd does it, each way."""
    data = open_path / "data" / "kaspad"
    data.mkdir(parents=True)
    (data / "file").write_text("x")
    whole = os.statvfs(data).f_blocks * os.statvfs(data).f_frsize
    stand_in = open_path / "000"
    stand_in.mkdir()
    inaccessible = (f"mount -t tmpfs -o mode=0755 tmpfs {stand_in}", f"mkdir -m 0 {stand_in}/dir")
    over = f"mount --bind {stand_in}/dir {data.parent}"
    itself = f"mount --bind {stand_in}/dir {data}"
    empty = f"mount -t tmpfs -o mode=0755,size=1m tmpfs {data.parent}"
    covered = {"path": str(data), "covered": str(data.parent), "plain": str(data)}

    def shut(place: Path) -> dict[str, str]:
        return {"path": str(data), "inaccessible": str(place), "plain": str(data)}

    assert apart(str(data), uid=uid) == whole
    assert apart(str(data), *inaccessible, over, uid=uid) == shut(data.parent)
    assert apart(str(data), *inaccessible, itself, uid=uid) == shut(data)
    assert apart(str(data), empty, uid=uid) == covered
    assert apart(str(data.parent), empty, uid=uid)["covered"] == str(data.parent)
    # a place that is let through, and what leads to it
    through = (f"mount --bind {data} {stand_in}", empty, f"mkdir -p {data}/sub",
               f"mount --bind {stand_in} {data}/sub")  # fmt: skip
    assert apart(f"{data}/sub", *through, uid=uid) == whole
    assert apart(str(data), *through, uid=uid)["covered"] == str(data)
    assert apart("/home/kaspa", *inaccessible, f"mount --bind {stand_in}/dir /home", uid=uid) == {
        "path": "/home/kaspa", "home": "/home", "plain": "/home/kaspa",
    }  # fmt: skip
    private = open_path / "systemd-private-1-kaspad-taskd.service-x" / "tmp"
    private.mkdir(parents=True)
    private.chmod(0o1777)
    (private / "ours").write_text("x")
    place = "/var/tmp"
    found = apart(f"{place}/kaspad", f"mount --bind {private} {place}", uid=uid)
    assert found == {"path": f"{place}/kaspad", "tmp": place, "plain": f"{place}/kaspad"}


@pytest.mark.parametrize(
    "params",
    [
        {"home": "/home", "plain": "/d"},
        {"tmp": "/tmp", "plain": "/d"},
        {"covered": "/srv", "plain": "/d"},
        {"inaccessible": "/srv", "plain": "/d"},
        {"closed": "/srv", "plain": "/d"},
        {"missing": "/d"},
        {"silent": 70},
        {"problem": "its file system tells no size"},
        {"home": "/home"},
    ],
)
def test_each_way_has_its_sentence_and_its_cure(params: Mapping[str, Any]) -> None:
    """The drop-in to type, where that helps."""
    says, do = words.hint("data-dir-hidden", {"path": "/d", **params})
    assert says.startswith("The disk of /d cannot be seen: ")
    assert do is not None
    assert "{" not in says + do
    drop_in = {"home": "[Service] ProtectHome=tmpfs and BindReadOnlyPaths=-/d;",
               "tmp": "[Service] PrivateTmp=no;",
               "covered": "[Service] BindReadOnlyPaths=-/d;"}  # fmt: skip
    for key, line in drop_in.items():
        assert (line in do) == (key in params and "plain" in params)


class Plays:
    """A probe whose next look is what one says."""

    def __init__(self, seen: Observation | Exception) -> None:
        self.seen = seen
        self.memory: Mapping[str, Any] = {}

    async def observe(self, memory: Mapping[str, Any]) -> Observation:
        self.memory = memory
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen

    async def close(self) -> None:
        pass


def on(path: Path | str, probe: Plays, wall: list[int] | None = None) -> DiskProbe:
    clock = wall if wall is not None else [0]
    definition = Definition("t", "node-sync", "s", timeout=PATIENCE, checker={"dataDir": str(path)})
    made = watched(probe, definition, Means(wall=lambda: clock[0]))
    assert isinstance(made, DiskProbe)
    return made


async def seen_of(probe: DiskProbe, memory: Mapping[str, Any]) -> Any:
    """A look in which the disk was measured: however slow a thread is."""
    probe._within = PATIENCE
    return await probe.observe(memory)


@needs_root
async def test_a_file_system_that_fills_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real one, in steps of ten seconds of virtual time: the truth within a tenth, then room."""
    now = [0.0]
    monkeypatch.setattr(DiskProbe, "_now", staticmethod(lambda: now[0]))
    with tmpfs(tmp_path / "data", "96m") as place:
        probe = on(place, Plays(Reading(memory={"own": 1})))
        memory: Mapping[str, Any] = {}
        hints: tuple[Hint, ...] = ()
        for step in range(20):
            (place / f"{step}").write_bytes(bytes(1 << 20))
            now[0] += 10.0
            seen = await seen_of(probe, memory)
            assert seen.disk.total == 96 << 20
            hints, memory = told(seen.disk, 3600.0, hints), seen.memory
        assert [each.code for each in hints] == [HINT]
        assert hints[0].params["seconds"] == pytest.approx(760, rel=0.1)
        assert hints[0].params["before"] is True
        assert hints[0].params["free"] == 76 << 20
        assert memory["own"] == 1
        for step in range(20):
            (place / f"{step}").unlink()
        for _ in range(40):
            now[0] += 10.0
            seen = await seen_of(probe, memory)
            hints, memory = told(seen.disk, 3600.0, hints), seen.memory
        assert hints == ()
        assert len(json.dumps(memory)) < 3000


async def test_it_goes_on_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has another steady clock; a gap that is too long begins anew."""
    now, wall = [50_000.0], [1_000_000]
    monkeypatch.setattr(DiskProbe, "_now", staticmethod(lambda: now[0]))
    past = Past((Sample(49_000.0, 900 * MB, None, 3), Sample(49_900.0, 800 * MB, 7, 9)),
                Sample(49_990.0, 790 * MB), 10**9, 4.0, 49_990.0)  # fmt: skip
    memory = json.loads(json.dumps(to_json(past, now[0], wall[0])))
    back = from_json(memory, 100.0, wall[0] + 60_000)
    assert [each.at for each in back.samples] == [100 - 1060, 100 - 160]
    assert back.last == Sample(100 - 70, 790 * MB)
    assert (back.total, back.rate, back.rate_at) == (10**9, 4.0, 30.0)
    assert from_json(memory, 100.0, wall[0] + 3_600_000) == Past()
    assert from_json(memory, 100.0, wall[0] - 1) == Past()
    bent: list[Any] = [{"at": "x"}, {**memory, "samples": []}, {**memory, "rates": [1]}]
    for garbage in (None, [], {}, *bent):
        assert from_json(garbage, 0.0, wall[0]) == Past()
    inner = Plays(Reading())
    first = on(tmp_path, inner, wall)
    kept = (await seen_of(first, {})).memory
    now[0], wall[0] = 7.0, wall[0] + 20_000
    again = await seen_of(on(tmp_path, inner, wall), kept)
    assert [each[0] for each in again.memory["dataDir"]["samples"]] == [20.0, 0.0, 0.0]
    assert "dataDir" not in inner.memory


async def test_it_is_measured_every_ten_seconds_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often a task is looked at; what is known is told all the same."""
    now = [0.0]
    asked: list[str] = []

    def ask(path: str) -> Space:
        asked.append(path)
        return Space(5, 10)

    monkeypatch.setattr(DiskProbe, "_now", staticmethod(lambda: now[0]))
    probe = on(tmp_path, Plays(Reading()))
    probe._meter = Meter("/x", ask)
    for _ in range(100):
        now[0] += 1.0
        assert (await seen_of(probe, {})).disk.free == 5
    assert len(asked) == 10


async def test_every_observation_tells_of_the_disk(tmp_path: Path) -> None:
    """A service that does not answer has one as well; a look that raises is as it was."""
    missed = await seen_of(on(tmp_path, Plays(Unreachable(Reason.REFUSED))), {"own": 1})
    assert missed.disk.free is not None
    assert missed.memory["own"] == 1
    assert "dataDir" in missed.memory
    refused = Refused(Reason.WRONG_NETWORK)
    assert await seen_of(on(tmp_path, Plays(refused)), {}) == refused
    with pytest.raises(KeyError):
        await seen_of(on(tmp_path, Plays(KeyError())), {})
    hidden = await seen_of(on(tmp_path / "no", Plays(Reading())), {})
    assert [each.code for each in hidden.hints] == ["data-dir-hidden"]
    assert hidden.disk.free is None


async def test_a_file_system_that_hangs_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread waits, however many looks there are; it is said after a minute, and comes back."""
    free = threading.Event()
    begun: list[str] = []

    def hang(path: str) -> Space:
        begun.append(path)
        assert free.wait(PATIENCE)
        return Space(5, 10)

    loop, ahead = asyncio.get_running_loop(), [0.0]
    real = loop.time
    meter = Meter("/nfs", hang)
    try:
        for _ in range(5):
            assert await meter.take(0.01) is None
        monkeypatch.setattr(loop, "time", lambda: real() + ahead[0])
        ahead[0] = 61.0
        found = await meter.take(0.0)
        assert isinstance(found, Hidden)
        assert int(found.params["silent"]) >= 61
        monkeypatch.undo()
    finally:
        free.set()
    async with asyncio.timeout(PATIENCE):
        while (found := await meter.take(1.0)) != Space(5, 10):
            assert found is None or isinstance(found, Hidden)
    assert begun == ["/nfs"]


def test_a_process_ends_though_a_file_system_hangs(tmp_path: Path) -> None:
    """Nobody waits for that thread."""
    program = (
        "import asyncio, time\n"
        "from kaspad_taskd.probes.data_dir import Meter\n"
        "asyncio.run(Meter('/x', lambda path: time.sleep(3600)).take(0.05))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE, cwd=Path.cwd())


def test_no_file_left_says_nothing_of_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is our own limit."""

    def none_left(*_: Any, **__: Any) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "open", none_left)
    assert measure("/") is None
