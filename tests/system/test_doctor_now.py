"""`kaspad-taskctl doctor` and a real daemon: services are asked now, all at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fakes.patience import PATIENCE
from tests.fakes.taskd_process import Line, Taskd, until
from tests.system.test_backup import ctl

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
CROWD = 12


@contextmanager
def served(together: int) -> Iterator[int]:
    """A port that answers nobody before so many have asked at the same time."""
    gate = threading.Barrier(together, timeout=PATIENCE)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                gate.wait()
            except threading.BrokenBarrierError:  # the test is over
                return
            body = b'{"done": false, "progress": 4}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            gate.abort()
            server.shutdown()
            thread.join()


async def watch(line: Line, number: int, port: int) -> None:
    config = {"url": f"http://127.0.0.1:{port}/", "completed": "done", "progress": "progress"}
    await line.call(
        "registerTask", type="http-json", service=f"job{number:02}", config=config,
        checkInterval="1d", timeout="1min",
    )  # fmt: skip


async def test_services_are_asked_now_and_together(tmp_path: Path) -> None:
    """Looks are a day apart: all are taken anew, none waits for another; then the server goes."""
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        with served(CROWD) as port:
            for number in range(CROWD):
                await watch(line, number, port)

            async def looked() -> bool:
                return all(task["lastUpdate"] for task in await line.call("getAllTasks"))

            await until(looked)
            done = await ctl(taskd, "doctor", "--json", "--timeout", "60s")
            found = json.loads(done.stdout)
            (looks,) = (one for one in found if one["check"] == "looks")
            said = f"{CROWD} services were asked just now and answered; the slowest, job"
            assert looks["text"].startswith(said)
        assert {task["health"] for task in await line.call("getAllTasks")} == {"ok"}
        found = json.loads((await ctl(taskd, "doctor", "--json", "--timeout", "60s")).stdout)
        gone = [one for one in found if "; asked just now, for " in one["text"]]
        assert len(gone) == CROWD
        assert {one["level"] for one in gone} == {"warning"}


async def test_who_never_answers_holds_up_nobody(tmp_path: Path) -> None:
    """At the deadline the others are told, and whose look did not end."""
    async with Taskd(tmp_path) as taskd:
        line = await taskd.start()
        with served(2) as never, served(1) as good:
            await watch(line, 1, good)
            await watch(line, 2, never)
            task_id = "http-json-job01"

            async def looked() -> bool:
                return bool((await line.call("getTask", taskId=task_id))["lastUpdate"])

            await until(looked)

            async def told() -> list[dict[str, str]]:
                done = await ctl(taskd, "doctor", "--json", "--timeout", "3s")
                looks = [one for one in json.loads(done.stdout) if one["check"] == "looks"]
                assert "no look at" in looks[-1]["text"]
                return looks if len(looks) == 2 else []  # less where the machine stood still

            looks = await until(told)
            assert looks[0]["text"].startswith("1 service was asked just now and answered in ")
            assert looks[1]["text"].startswith("no look at job02 ended within 3 s")
            assert looks[1]["cure"] == "kaspad-taskctl check http-json-job02"
