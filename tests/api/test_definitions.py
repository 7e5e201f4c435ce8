"""Files are read anew and listed, whatever else happens meanwhile."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from kaspad_taskd.config.layers import read_layers
from kaspad_taskd.words.event import sentence
from tests.api.house import ApiHouse
from tests.fakes.patience import PATIENCE

TEXT = 'type = "report"\nservice = "{service}"\n'


def define(house: ApiHouse, task_id: str, text: str = TEXT, service: str = "work") -> Path:
    file = house.tasks_d / f"{task_id}.toml"
    file.write_text(text.format(service=service))
    return file


async def test_a_reload(house: ApiHouse) -> None:
    """Says what it added, changed and removed, and the faults with file and key."""
    one, two = define(house, "one"), define(house, "two")
    answer = await house.ask("reload")
    assert answer.pop("added") == ["one", "two"]
    assert answer == {
        "changed": [], "removed": [], "settings": [], "faults": [], "needRestart": []
    }  # fmt: skip
    one.write_text(TEXT.format(service="work") + 'interval = "1min"\n')
    two.unlink()
    bad = define(house, "bad", TEXT + 'interval = "soon"\n')
    answer = await house.ask("reload")
    assert (answer["added"], answer["changed"], answer["removed"]) == ([], ["one"], ["two"])
    (fault,) = answer["faults"]
    assert (fault["file"], fault["key"]) == (str(bad), "interval")
    assert fault["problem"]
    events = [event["event"] for event in (await house.ask("getEvents", taskId="two"))["events"]]
    assert events == ["task:added", "sync:start", "sync:cancelled", "task:removed"]


async def test_a_reload_says_which_settings_changed(house: ApiHouse) -> None:
    """Each key once, whichever file has it; what is written anew and means the same is none."""
    settings, directory = house.place / "none.toml", house.place / "none.toml.d"
    directory.mkdir()
    settings.write_text('log_level = "debug"\n[bridge]\nhosts = ["a"]\n')
    answer = await house.ask("reload")
    assert (answer["settings"], answer["needRestart"]) == (
        ["bridge.hosts", "log_level"],
        ["bridge"],
    )
    (directory / "a.toml").write_text('log_level = "debug"\n[databases.x]\ndsn_file = "/x"\n')
    answer = await house.ask("reload")
    assert (answer["settings"], answer["faults"]) == (["databases.x"], [])
    assert answer["needRestart"] == ["bridge"]  # still: it was not restarted
    (directory / "b.toml").write_text("bridge.hosts = []\n")
    answer = await house.ask("reload")
    assert (answer["settings"], answer["needRestart"]) == (["bridge.hosts"], [])


async def test_settings_that_are_refused_change_nothing(house: ApiHouse) -> None:
    """All their faults are told, by the reload and by the listing, until they are mended."""
    settings, directory = house.place / "none.toml", house.place / "none.toml.d"
    directory.mkdir()
    bad = {
        settings: ("allow_hosts = 7\n", "allow_hosts"),
        directory / "a.toml": ('log_level = "loud"\n', "log_level"),
        directory / "b.toml": ("[torn", ""),
    }
    for path, (text, _) in bad.items():
        path.write_text(text)
    answer = await house.ask("reload")
    told = {each["file"]: each["key"] for each in answer["faults"]}
    assert told == {str(path): key for path, (_, key) in bad.items()}
    assert (answer["settings"], answer["needRestart"]) == ([], [])
    listed = await house.ask("listDefinitions")
    assert {each["file"]: (each["state"], len(each["faults"])) for each in listed} == dict.fromkeys(
        map(str, bad), ("last-good", 1)
    )
    for path in bad:
        path.unlink()
    assert (await house.ask("reload"))["faults"] == []
    assert await house.ask("listDefinitions") == []


async def test_the_listing(house: ApiHouse) -> None:
    """Every file and every registered task: good, faulty, last-good or masked."""
    define(house, "good")
    broken = define(house, "broken")
    define(house, "hidden").unlink()
    (house.tasks_d / "hidden.toml").symlink_to("/dev/null")
    define(house, "never", "type = ")
    await house.ask("reload")
    broken.write_text("type = 7")
    await house.ask("reload")
    await house.ask("registerTask", id="api", type="report", service="work")
    listed = {each["id"]: each for each in await house.ask("listDefinitions")}
    assert {task_id: each["state"] for task_id, each in listed.items()} == {
        "good": "ok",
        "broken": "last-good",
        "hidden": "masked",
        "never": "faulty",
        "api": "ok",
    }
    assert {each["origin"] for each in listed.values()} == {"admin", "api"}
    assert listed["broken"]["type"] == "report"
    assert [fault["key"] for fault in listed["broken"]["faults"]][:1] == ["type"]
    assert listed["api"]["file"] == str(house.place / "state/tasks.d/api.toml")
    assert all(Path(each["file"]).name == f"{each['id']}.toml" for each in listed.values())


async def test_a_disk_that_fails(house: ApiHouse) -> None:
    """A reload that could not be written says so, and the next one does it."""
    define(house, "one")
    house.store.fail_next("the disk is full")
    assert (await house.no("reload")).reason == "store-unavailable"
    assert await house.ask("getAllTasks") == []
    assert (await house.ask("reload"))["added"] == ["one"]


class SlowDisk:
    """Files are read, and told only when a test lets them."""

    def __init__(self) -> None:
        self._read = threading.Event()
        self._gate = threading.Event()

    def read(self, *given: Any) -> Any:
        found = read_layers(*given)
        self._read.set()
        assert self._gate.wait(PATIENCE)
        return found

    async def has_read(self) -> None:
        assert await asyncio.to_thread(self._read.wait, PATIENCE)

    def tell(self) -> None:
        self._gate.set()


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    """The disk that files are read from."""
    disk = SlowDisk()
    monkeypatch.setattr("kaspad_taskd.api.definitions.read_layers", disk.read)
    return disk


async def test_a_task_that_goes_while_files_are_read(house: ApiHouse, slow_disk: SlowDisk) -> None:
    """Its file makes it anew; the reload does not stumble over it."""
    await house.ask("registerTask", id="x", type="report", service="work")
    define(house, "x")
    reloading = asyncio.create_task(house.ask("reload"))
    await slow_disk.has_read()
    await house.ask("removeTask", taskId="x")
    slow_disk.tell()
    assert (await reloading)["added"] == ["x"]
    assert (await house.ask("getTask", taskId="x"))["origin"] == "admin"


async def test_a_task_that_comes_while_files_are_read(house: ApiHouse, slow_disk: SlowDisk) -> None:
    """Is taken over by its file, and goes on."""
    define(house, "x")
    reloading = asyncio.create_task(house.ask("reload"))
    await slow_disk.has_read()
    await house.ask("registerTask", id="x", type="report", service="work")
    await house.ask("reportTask", taskId="x", progress=40)
    slow_disk.tell()
    assert (await reloading)["changed"] == ["x"]
    task = await house.ask("getTask", taskId="x")
    assert (task["origin"], task["progress"], task["attempt"]) == ("admin", 40, 1)


async def test_a_file_is_called_by_its_real_directory(house: ApiHouse) -> None:
    """In the task, the event, the list, and where somebody is told to put a file."""
    (house.tasks_d / "x.toml").write_text('type = "report"\nservice = "x"\n')
    await house.ask("reload")
    await house.ask("registerTask", type="report", service="y")
    where = str(house.tasks_d)
    file, program = [await house.ask("getTask", taskId=each) for each in ("x", "report-y")]
    assert (file["origin"], file["directory"]) == ("admin", where)
    assert (program["origin"], program["directory"]) == ("api", None)
    events = (await house.ask("getEvents"))["events"]
    added = [each["data"] for each in events if each["event"] == "task:added"]
    assert [each.get("directory") for each in added] == [where, None]
    assert [sentence("task:added", each) for each in added] == [
        f"added, from {where}",
        "added, from a program",
    ]
    listed = {each["id"]: each["directory"] for each in await house.ask("listDefinitions")}
    assert listed == {"x": where, "report-y": None}
    command = {"command": ["/bin/true"]}
    no = await house.no("registerTask", type="report", service="z", onComplete=command)
    assert no.message.endswith(f"put the definition in {where}")
    no = await house.no("registerNodeSyncTask", service="n", host="10.9.9.9")
    assert no.data["directory"] == where
