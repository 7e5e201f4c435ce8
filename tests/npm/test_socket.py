"""TaskdSocket: on a scripted socket in Node, then on the real daemon."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kaspad_taskd.words.table import table
from tests.fakes import npm
from tests.fakes.taskd_process import Taskd
from tests.npm.here import PACKAGE, Wizard, node_tests, said_by, wizard

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]


async def test_whatever_the_other_side_does() -> None:
    """Each line of socket.test.cjs and pieces.test.cjs says what holds."""
    await node_tests("socket.test.cjs")
    await node_tests("pieces.test.cjs")


async def test_it_misses_nothing_over_a_kill(tmp_path: Path) -> None:
    """Killed, changed while nobody heard, started: each event once, in the order of the record."""
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        async with wizard("follower.cjs", str(taskd.socket)) as process:
            follower = Wizard(process)
            assert (await follower.says())["seq"] == 0
            await follower.do(call="registerTask", type="report", service="one")
            await taskd.kill()
            line = await taskd.start()
            await line.call("registerTask", type="report", service="two")
            await line.call("completeTask", taskId="report-two")
            told = (await line.call("getEvents"))["events"]
            heard = await follower.do(heard=told[-1]["seq"])
            assert heard["events"] == [[one["seq"], one["event"]] for one in told]
            assert heard["gaps"] == 0
            await taskd.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's process needs root")
@pytest.mark.skipif(shutil.which("runuser") is None, reason="runuser is not installed")
async def test_a_user_without_permission_reads_what_the_client_says(tmp_path: Path) -> None:
    """Of the socket, and of a directory on the way to it: the same sentence and cure."""
    words = table()["error"]["unreachable"]["forbidden"]
    wanted = f"{words['what']}. {words['cure'][-1]}"
    with for_everybody() as folder:
        async with Taskd(tmp_path) as taskd:
            taskd.runtime = folder / "run"
            taskd.socket = taskd.runtime / "rpc.sock"
            await taskd.start()
            for mode in (0o755, 0o700):
                allow(taskd.runtime, mode)
                as_nobody = ("runuser", "-u", "nobody", "--", npm.node())
                script = (str(folder / "closed.cjs"), str(folder / "kaspad-taskd"))
                said = json.loads(await said_by(*as_nobody, *script, str(taskd.socket)))
                assert said["socket"] == ["forbidden", wanted]
                assert said["manager"] == {"success": False, "error": wanted.replace("'", "&#39;")}
            await taskd.end()


def allow(folder: Path, mode: int) -> None:
    folder.chmod(mode)


@contextmanager
def for_everybody() -> Iterator[Path]:
    """A folder that every user may read, with the package and closed.cjs."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        shutil.copytree(PACKAGE, folder / "kaspad-taskd")
        shutil.copy(Path(__file__).with_name("closed.cjs"), folder)
        yield folder


@pytest.mark.long
async def test_another_journal_is_begun_anew(tmp_path: Path) -> None:
    """A daemon with another state under the same path: what was known counts no more."""
    other = tmp_path / "other"
    other.mkdir()
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        async with wizard("follower.cjs", str(taskd.socket)) as process:
            follower = Wizard(process)
            await follower.says()
            await follower.do(call="registerTask", type="report", service="one")
            await taskd.kill()
            taskd.state = other
            line = await taskd.start()
            await line.call("registerTask", type="report", service="two")
            heard = await follower.do(anew=True)
            assert (heard["gaps"], heard["tasks"]) == (1, ["report-two"])
            await taskd.end()
