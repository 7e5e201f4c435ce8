"""Looks that run real programs: what they print, how they end, and what they leave behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd import words
from kaspad_taskd.base.memory import Group, Watch
from kaspad_taskd.core.observation import Reading, Refused, Unreachable
from kaspad_taskd.core.reason import Reason
from kaspad_taskd.probes.general import command
from kaspad_taskd.probes.general.line import read as read_line
from tests.fakes.patience import PATIENCE, elapse, once
from tests.probes.looks import look, made, read, said

ROOT = Path(__file__).parents[3]
AWAY = "setsid sh -c 'sleep 600 & echo $! $$ > {0}; wait' & until test -s {0}; do sleep 0.01; done"
"""Leaves a process in a session of its own, and its child."""


async def run(*command: str, timeout: float = PATIENCE) -> Any:
    return await look(made("command", {"command": list(command)}, timeout=timeout))


async def shell(script: str, timeout: float = PATIENCE) -> Any:
    return await run("/bin/sh", "-c", script, timeout=timeout)


async def prints(line: Any) -> Any:
    text = line if isinstance(line, str) else json.dumps(line)
    return await run(sys.executable, "-S", "-c", f"print({text!r})")


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def until_gone(pid: int) -> None:
    await once(lambda: gone(pid))


def has_words(file: Path, number: int) -> bool:
    return file.exists() and len(file.read_text().split()) == number


def note(observation: Any) -> str:
    return words.note(observation.reason, observation.params)


def test_a_definition_is_read_and_reads_again_as_itself() -> None:
    """Files alone may have commands."""
    checker, faults = read("command", {"command": ["/bin/x", "-a"]})
    assert (faults, checker.config) == ([], {"command": ["/bin/x", "-a"]})
    again, faults = read("command", checker.config, "json")
    assert (again, faults[0].kind) == (checker, "forbidden")
    bad: dict[str, Any]
    for bad in ({}, {"command": []}, {"command": "/bin/x"}, {"command": [""]}, {"shell": True}):
        assert "checker.command" in said("command", bad)


async def test_one_line_is_a_reading() -> None:
    """As the contract writes it."""
    line = {"completed": False, "progress": 42, "metadata": {"rows": 7, "step": "a\u001bb"}}
    reading = await prints(line)
    assert isinstance(reading, Reading)
    assert (reading.complete, reading.position, reading.target) == (False, 42, 100)
    assert reading.metadata == {"rows": 7, "step": "a?b"}
    assert (await prints({"completed": True})).complete
    reading = await prints({"done": 3, "total": 4})
    assert (reading.position, reading.target, reading.complete) == (3, 4, False)


async def test_an_error_is_the_works_own_failure() -> None:
    """In its own words, made printable and cut."""
    failed = await prints({"error": "disk \u001b[31mbroken" + "x" * 500})
    assert isinstance(failed, Refused)
    assert failed.reason is Reason.CHECKER_ERROR
    assert str(failed.params["text"]).startswith("disk ?[31mbroken")
    assert len(str(failed.params["text"])) == 200


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("exit 0", "sh: it printed nothing."),
        ("exit 3", "sh: it ended with 3."),
        ("echo '{\"progress\":1}'; exit 1", "sh: it ended with 1."),
        ("echo '{}'", "it says neither completed nor progress nor done"),
        ("echo 'done'", "the line that it printed is no JSON."),
        ("echo '[1]'", "is no JSON object"),
        ("echo '{\"progress\":1}'; echo '{\"progress\":2}'", "it printed more than one line"),
        ("printf '\\377\\376\\000'", "is no JSON"),
        ('echo \'{"progress":"1"}\'', "progress is a string, not a number"),
        ("echo '{\"progress\":-1}'", "progress lies outside 0 to 100"),
        ("echo '{\"completed\":1}'", "completed is a number, not true or false"),
        ("echo '{\"error\":1}'", "error is a number, not a string"),
        ('echo \'{"progress":1,"metadata":{"a":[]}}\'', "a value in metadata must be"),
        ('echo \'{"progress":1,"metadata":{"a b":1}}\'', "a name in metadata must be"),
        ("head -c 10000000 /dev/zero", "it printed more than 64 KiB"),
        ("yes", "it printed more than 64 KiB"),
        ("kill -TERM $$", "it was ended by SIGTERM"),
    ],
)
async def test_what_is_no_answer_is_said(script: str, found: str) -> None:
    """Health, never failure."""
    missed = await shell(script)
    assert isinstance(missed, Unreachable)
    assert found in note(missed)


async def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    """Not there, or not allowed; the sandbox is named where it may be the cause."""
    missed = await run("/nowhere/check")
    assert note(missed) == "check: it cannot be run: No such file or directory."
    plain = tmp_path / "check"
    plain.write_text("x")
    missed = await run(str(plain))
    assert "Permission denied" in note(missed)
    assert [hint.code for hint in missed.hints] == ["sandbox"]


@pytest.mark.parametrize(
    ("name", "directive"), [("SYS", "SystemCallFilter"), ("TRAP", "MemoryDenyWriteExecute")]
)
async def test_the_sandbox_is_named_where_it_ends_a_program(name: str, directive: str) -> None:
    """With the directive to relax."""
    (hint,) = (await shell(f"kill -{name} $$")).hints
    says, do = words.hint(hint.code, hint.params)
    assert directive in says
    assert do == "systemctl edit kaspad-taskd"


@pytest.mark.parametrize(
    ("before", "after", "detail", "says"),
    [
        (0, 1, "it was killed for want of memory", "for want of memory: kaspad-taskd and its comm"),
        (None, None, "it was ended by SIGKILL", "Somebody killed it; the kernel does so"),
    ],
)
async def test_a_command_that_is_killed_for_memory_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: int | None, after: int | None,
    detail: str, says: str,
) -> None:  # fmt: skip
    """As its control group counts it; where nobody counts, as what is likely."""
    group = None if before is None else Group(tmp_path / "memory.events", tmp_path / "memory.max")
    (tmp_path / "memory.max").write_text(str(1 << 30))
    (tmp_path / "memory.events").write_text(f"oom 1\noom_kill {after}\n")
    monkeypatch.setattr(command, "watch", lambda: Watch(group, before))
    missed = await shell("kill -KILL $$")
    assert note(missed) == f"sh: {detail}."
    (hint,) = missed.hints
    assert hint.code == "oom"
    said, do = words.hint(hint.code, hint.params)
    assert says in said
    assert ("MemoryMax" in str(do)) is (group is not None)


async def test_a_kill_that_was_not_for_memory_is_not_told_as_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing was counted meanwhile."""
    (tmp_path / "memory.events").write_text("oom_kill 3\n")
    group = Group(tmp_path / "memory.events", tmp_path / "memory.max")
    monkeypatch.setattr(command, "watch", lambda: Watch(group, 3))
    missed = await shell("kill -KILL $$")
    assert (note(missed), missed.hints) == ("sh: it was ended by SIGKILL.", ())


async def test_there_is_no_shell_and_little_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments are as they are; secrets of ours stay here; no input, its own session."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/secret")
    reading = await run(
        sys.executable, "-S", "-c",
        "import json, os, sys; print(json.dumps({'progress': len(sys.argv), 'metadata': {"
        "'names': ' '.join(sorted(set(os.environ) - {'LC_CTYPE'})), 'arg': sys.argv[1], "
        "'task': os.environ['KASPAD_TASKD_TASK'], 'dir': os.getcwd(), "
        "'leads': os.getsid(0) == os.getpid(), 'input': sys.stdin.read()}}))",
        "$HOME;*",
    )  # fmt: skip
    facts = reading.metadata
    assert set(facts["names"].split()) <= {
        "PATH", "LANG", "LC_ALL", "HOME", "TZ", "KASPAD_TASKD_TASK",
    }  # fmt: skip
    assert (facts["arg"], facts["task"], facts["dir"]) == ("$HOME;*", "t", "/")
    assert (facts["leads"], facts["input"]) == (True, "")


async def test_children_that_are_left_are_ended(tmp_path: Path) -> None:
    """They hold the output open, which costs the look nothing."""
    pid_file = tmp_path / "pid"
    reading = await shell(f"sleep 600 & echo $! > {pid_file}; echo '{{\"progress\": 5}}'")
    assert reading.position == 5
    await until_gone(int(pid_file.read_text()))


async def test_a_session_of_its_own_does_not_outlive_the_look(tmp_path: Path) -> None:
    """Nothing piles up, though it holds the output open, is an orphan and has children itself."""
    for n in range(3):
        reading = await shell(AWAY.format(tmp_path / f"{n}") + "; echo '{\"done\":5}'")
        assert reading.position == 5
        pids = (tmp_path / f"{n}").read_text().split()
        assert len(pids) == 2
        assert all(gone(int(pid)) for pid in pids)


@pytest.mark.parametrize("how", ["deadline", "stop"])
async def test_no_end_of_a_look_leaves_a_session(tmp_path: Path, how: str) -> None:
    """Its deadline, or the daemon's stop."""
    pid_file = tmp_path / "pids"
    looking = asyncio.create_task(shell(AWAY.format(pid_file) + "; sleep 600"))
    await once(lambda: has_words(pid_file, 2))
    if how == "stop":
        looking.cancel()
    else:
        elapse(PATIENCE)
    await asyncio.wait([looking])
    for pid in pid_file.read_text().split():
        await until_gone(int(pid))


async def test_a_daemon_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """Nobody ends its cgroup, where there is no systemd."""
    pid_file = tmp_path / "pids"
    script = AWAY.format(pid_file) + "; sleep 600"
    code = (
        "import asyncio; from tests.probes.looks import look, made;"
        f" asyncio.run(look(made('command', {{'command': ['/bin/sh', '-c', {script!r}]}})))"
    )
    daemon = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    await once(lambda: has_words(pid_file, 2))
    daemon.kill()
    await daemon.wait()
    for pid in pid_file.read_text().split():
        await until_gone(int(pid))


async def test_one_program_keeps_the_commands_of_all_and_ends_with_the_last() -> None:
    """It is started anew where somebody ended it, and what it kept ends by its own keeper."""
    line = ["/bin/echo", '{"progress": 5}']
    one, two = (made("command", {"command": line}) for _ in range(2))
    await asyncio.gather(one.observe({}), two.observe({}))
    (first,) = keeping()
    os.kill(first, 9)
    await once(lambda: gone(first))
    assert isinstance(await one.observe({}), Reading)
    (again,) = keeping()
    await one.close()
    assert keeping() == [again]
    await two.close()
    assert keeping() == []


async def test_many_commands_at_once_are_kept_apart() -> None:
    """Each has its own output, and its own end."""
    scripts = (f"setsid sleep 600 & echo '{{\"done\":{n}}}'" for n in range(20))
    seen = await asyncio.gather(*map(shell, scripts))
    assert [reading.position for reading in seen] == list(range(20))


async def test_a_large_command_line_is_taken_whole() -> None:
    """More than a socket holds."""
    reading = await run("/bin/sh", "-c", "echo '{\"done\":'$#'}'", *["x" * 4000] * 60)
    assert reading.position == 59


def keeping() -> list[int]:
    """The programs that keep commands of this process."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return [pid for pid, line in lines.items() if b"keeper.py" in line]


async def test_other_children_of_the_daemon_live_on() -> None:
    """Only what the command started is ended."""
    other = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    await shell("setsid sleep 600 & echo '{\"done\":5}'")
    assert other.returncode is None
    assert not gone(other.pid)
    other.kill()
    await other.wait()


async def test_the_deadline_ends_the_whole_group(tmp_path: Path) -> None:
    """A signal that it ignores, too."""
    pid_file = tmp_path / "pid"
    script = f"trap '' TERM; sleep 60 & echo $! $$ > {pid_file}; wait"
    looking = asyncio.create_task(shell(script))
    await once(lambda: has_words(pid_file, 2))
    elapse(PATIENCE)
    missed = await looking
    assert (type(missed), missed.reason) == (Unreachable, Reason.TIMEOUT)
    for pid in pid_file.read_text().split():
        await until_gone(int(pid))


async def test_a_stop_ends_the_whole_group(tmp_path: Path) -> None:
    """The look is cancelled, and nothing stays."""
    pid_file = tmp_path / "pid"
    looking = asyncio.create_task(shell(f"sleep 60 & echo $! $$ > {pid_file}; wait"))
    await once(lambda: has_words(pid_file, 2))
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    for pid in pid_file.read_text().split():
        await until_gone(int(pid))


async def test_no_descriptor_is_left_open() -> None:
    """After any number of looks."""
    before = descriptors()
    for script in ("echo '{\"done\":1}'", "exit 1", "yes"):
        await shell(script)
    await run("/nowhere/check")
    await once(lambda: descriptors() <= before + 1)


@given(output=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_no_output_crashes_the_reader(output: bytes) -> None:
    """It is a line, or a ValueError in our words."""
    try:
        line = read_line(output)
    except ValueError:
        return
    assert isinstance(line.observation(), Reading | Refused)


@given(
    data=st.dictionaries(
        st.sampled_from(["completed", "progress", "done", "total", "error", "metadata"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
        | st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3)),
    )
)  # fmt: skip
def test_no_line_crashes_the_reader(data: dict[str, Any]) -> None:
    """Whatever its fields hold."""
    test_no_output_crashes_the_reader.hypothesis.inner_test(json.dumps(data).encode())  # type: ignore[attr-defined]
