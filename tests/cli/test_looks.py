"""What the terminal shows, as judged by eye: golden files at 80 and 120 columns."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from kaspad_taskd.cli import detail, listing, live
from kaspad_taskd.cli.admin import definitions
from kaspad_taskd.cli.screen import Screen
from kaspad_taskd.words.plain import width
from tests.fakes.golden import NOW, check, golden_task, golden_tasks
from tests.fakes.kept import WATCHED

if TYPE_CHECKING:
    from kaspad_taskd.cli.screen import Line

WIDTHS = (60, 80, 120)
SERVICES = [task["service"] for task in golden_tasks()]


pytestmark = pytest.mark.usefixtures("utc")


def written(lines: list[Line], ascii_only: bool = False, color: str = "never") -> str:
    screen = Screen(io.StringIO(), color, ascii_only)
    screen.show(lines)
    assert isinstance(screen.out, io.StringIO)
    return screen.out.getvalue()


@pytest.mark.parametrize("cells", WIDTHS)
def test_list_looks_as_judged(cells: int) -> None:
    """The list holds its columns at each width."""
    text = written(listing.rows(golden_tasks(), cells, NOW))
    assert max(width(line) for line in text.splitlines()) <= cells
    check(f"list-{cells}.txt", text)


def test_list_in_ascii_looks_as_judged() -> None:
    """With --ascii every sign and bar has its plain form, in the same columns."""
    text = written(listing.rows(golden_tasks(), 80, NOW), ascii_only=True)
    assert text.isascii()
    check("list-80-ascii.txt", text)


def test_list_in_color_looks_as_judged() -> None:
    """Colours are added to the same text: taken out, nothing else differs."""
    lines = listing.rows(golden_tasks(), 80, NOW)
    text = written(lines, color="always")
    check("list-80-color.txt", text)
    for code in ("0", "2", "31", "32", "33", "36"):
        text = text.replace(f"\x1b[{code}m", "")
    plain = "\n".join(line.rstrip() for line in text.splitlines())
    assert plain + "\n" == written(lines)


@pytest.mark.parametrize("service", SERVICES)
def test_status_looks_as_judged(service: str) -> None:
    """Each condition has its verdict, its cause, its cure."""
    text = written(detail.page(golden_task(service), 80, NOW))
    wrapped = [line for line in text.splitlines() if "kaspad-taskctl" not in line]
    assert max(width(line) for line in wrapped) <= 80
    check(f"status-{service}.txt", text)


@pytest.mark.parametrize("cells", WIDTHS)
def test_what_is_watched_looks_as_judged(cells: int) -> None:
    """The list and the view of what is complete and kept watch on, trouble in words below."""
    tasks = [task for task in WATCHED.values() if "switching" not in task]
    text = written(listing.rows(tasks, cells, NOW))
    assert max(width(line) for line in text.splitlines()) <= cells
    text += "\n" + written(live.body(tasks, cells, 40, NOW))
    check(f"kept-{cells}.txt", text)


def test_a_log_line_of_what_is_watched() -> None:
    """Its percent is told while it is in sync alone; else by how much it is behind, in seconds."""
    lines = [live.plain(WATCHED[f"kept-{name}"], "T") for name in ("ok", "behind", "unreachable")]
    assert lines == [
        "T kept-ok complete ok 100 %",
        "T kept-behind complete behind - behind=790",
        "T kept-unreachable complete unreachable -",
    ]


@pytest.mark.parametrize("name", ["ok", "behind", "stalled", "unreachable", "paused"])
def test_status_of_what_is_watched_looks_as_judged(name: str) -> None:
    """In sync since when, or what is wrong, and when it is looked at again."""
    text = written(detail.page(WATCHED[f"kept-{name}"], 80, NOW))
    check(f"status-kept-{name}.txt", text)


def test_a_failed_task_has_one_cure() -> None:
    """That of its end; what to do then is the next line."""
    hints = [
        {"code": "other-protocol", "params": {"url": "grpc://n:1", "port": 1, "protocol": "gRPC"}},
        {"code": "clock-skew", "params": {}},
    ]
    failed = {**golden_task("failed-job"), "reason": "wrong-program", "hints": hints}
    text = written(detail.page(failed, 80, NOW))
    (cure,) = [line for line in text.splitlines() if "Cure" in line]
    assert cure.endswith(" Write grpc://n:1 in the definition.")
    assert "kaspad-taskctl retry" in text


@pytest.mark.parametrize("cells", WIDTHS)
def test_watch_looks_as_judged(cells: int) -> None:
    """The live view has the same truth, a second line below each task that has more to say."""
    tasks = golden_tasks()
    lines = [
        live.heading("node-1", "live", cells, NOW),
        *live.body(tasks, cells, 40, NOW),
    ]
    check(f"watch-{cells}.txt", written(lines))


def test_watch_on_a_small_terminal_shows_trouble_first() -> None:
    """What does not fit is counted, and trouble is among what fits."""
    check("watch-small.txt", written(live.body(golden_tasks(), 80, 9, NOW)))


def test_watch_log_lines_look_as_judged() -> None:
    """In a pipe each task is one line of words and numbers."""
    lines: list[Line] = [
        [(live.plain(task, "2026-11-23T14:12:09Z"), "")] for task in golden_tasks()
    ]
    check("watch-log.txt", written(lines))


def test_the_first_line_is_the_verdict() -> None:
    """Without a verb the node comes first, and is not said twice."""
    tasks = golden_tasks()
    lonely = golden_task("lonely")
    check("verdict.txt", written(listing.verdict(tasks[0], 80, NOW)))
    lines = [*listing.verdict(lonely, 80, NOW), *listing.rows([lonely], 80, NOW, told=lonely)]
    assert written(lines).count("has not moved") == 1


def test_an_empty_daemon_says_what_to_do() -> None:
    """A newcomer gets two ways to begin, ready to copy."""
    check("list-empty.txt", written(listing.rows([], 80, NOW)))


def test_definitions_look_as_judged() -> None:
    """A faulty file is named with its key and its problem."""
    fault = {"file": "/etc/kaspad-taskd/tasks.d/explorer-db.toml", "key": "interval",
             "problem": '"10 parsecs" is no duration; write "10s" or "5min"'}  # fmt: skip
    listed: list[dict[str, Any]] = [
        {"id": "node-sync-kaspa-node", "type": "node-sync", "origin": "admin", "state": "ok"},
        {"id": "explorer-db", "type": None, "origin": "admin", "state": "last-good",
         "faults": [fault]},
        {"id": "x", "type": "report", "origin": "vendor", "state": "masked", "faults": []},
        {"id": "y", "type": None, "origin": "admin", "state": "faulty", "faults": []},
    ]  # fmt: skip
    check("definitions.txt", written(definitions(listed, 80)))


def test_two_tasks_of_one_service_are_told_apart() -> None:
    """Where the service is not enough the list shows ids, as the command line wants them."""
    one = {**golden_task("kaspa-node"), "id": "by-grpc"}
    two = {**golden_task("lonely"), "service": "kaspa-node", "id": "by-wrpc"}
    text = written(listing.rows([one, two, golden_task("kasia-indexer")], 80, NOW))
    assert [line.split()[1] for line in text.splitlines()[1:4]] == [
        "by-grpc", "by-wrpc", "kasia-indexer",
    ]  # fmt: skip


def test_what_nobody_counts_yet_is_no_count() -> None:
    """A step whose count is 0 is shown by what is known of the whole way, not as "0 so far"."""
    task = golden_task("utxo-node")
    assert "3.3 M" in written(listing.rows([task], 80, NOW))
    task["progressDetail"] = {**task["progressDetail"], "done": 0}
    assert "so far" not in written(detail.page(task, 80, NOW))
    (row,) = written(listing.rows([task], 80, NOW)).splitlines()[1:]
    assert "%" in row


def test_what_is_done_is_not_behind() -> None:
    """How far a node was behind at its last look is no news once it is complete."""
    task = {**golden_task("headers-import"), "behind": 0.4}
    assert "behind" not in written(detail.page(task, 80, NOW))


def test_an_answer_that_is_refused_is_not_said_to_be_on_its_way() -> None:
    """Until it has lasted: what is wrong, and the one cure that fits best."""
    task = {
        **golden_task("first-look"), "type": "node-sync", "reason": "wrong-program",
        "endpoint": "grpc://127.0.0.1:18110", "health": "unknown",
        "note": "127.0.0.1:18110 answers in another protocol than the definition names: wRPC.",
        "hints": [{"code": "other-protocol", "params": {
            "port": 18110, "protocol": "wRPC", "url": "ws://127.0.0.1:18110"}}],
    }  # fmt: skip
    texts = ["".join(text for text, _ in line) for line in detail.page(task, 80, NOW)]
    shown = " ".join(text.strip() for text in texts)
    assert "no answer that can be used" in shown
    assert "on its way" not in shown
    assert "Write ws://127.0.0.1:18110 in the definition." in shown
    assert shown.count("Cure") == 1
