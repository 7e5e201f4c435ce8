"""systemctl, understood: what it answers, what its refusals mean, and that it is not waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kaspad_taskd.core.switch import Side, SwitchReason
from kaspad_taskd.switching import units
from kaspad_taskd.switching.hands import Bad, Good
from kaspad_taskd.switching.units import NoSystemd, Systemd
from tests.fakes.patience import PATIENCE, elapse, once

HELPER = "kaspad-taskd-switch@kasia:local.service"


class Program:
    """A systemctl that says what it is told; `show` answers from a file."""

    def __init__(self, place: Path) -> None:
        self.path = place / "systemctl"
        self.place = place
        self.shows = "ActiveState=inactive\nLoadState=loaded\n"

    def says(self, start: str) -> Systemd:
        (self.place / "shown").write_text(self.shows)
        self.path.write_text(f"""#!/bin/sh
echo "$LC_ALL $*" >> {self.place}/ran
case "$*" in
*show*) cat {self.place}/shown ;;
*start*) {start} ;;
esac
""")
        self.path.chmod(0o755)
        return Systemd(user=False, program=str(self.path))

    @property
    def ran(self) -> list[str]:
        ran = self.place / "ran"
        return ran.read_text().splitlines() if ran.exists() else []


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


async def start(systemd: Systemd, tmp_path: Path, wrote: list[int] | None = None) -> Good | Bad:
    told = (lambda: None) if wrote is None else (lambda: wrote.append(1))
    return await systemd.helper("kasia", Side.LOCAL, tmp_path / "kasia.env", {"unit": "k"}, told)


async def test_it_shows_what_is_asked(program: Program) -> None:
    """By name; what is not known is empty."""
    program.shows = "EnvironmentFiles=/a (ignore_errors=yes)\nLoadState=loaded\n"
    found = await program.says("true").show("k.service", "LoadState", "EnvironmentFiles", "X")
    assert found == {
        "LoadState": "loaded",
        "EnvironmentFiles": "/a (ignore_errors=yes)",
        "X": "",
    }
    assert program.ran == ["C --no-pager show --property=LoadState,EnvironmentFiles,X -- k.service"]


async def test_a_property_of_several_lines_is_shown_whole(program: Program) -> None:
    """There is a line for each `EnvironmentFile=` of a unit."""
    program.shows = "EnvironmentFiles=/a (ignore_errors=yes)\nEnvironmentFiles=/b\n"
    found = await program.says("true").show("k.service", "EnvironmentFiles")
    assert found == {"EnvironmentFiles": "/a (ignore_errors=yes)\n/b"}


async def test_a_question_without_an_answer_is_asked_once_more(
    program: Program, tmp_path: Path
) -> None:
    """A busy host is not one without systemd."""
    systemd = program.says("true")
    rest = program.path.read_text().replace("#!/bin/sh", "")
    program.path.write_text(f"#!/bin/sh\nmkdir {tmp_path}/first && exec sleep 600\n{rest}")
    asking = asyncio.create_task(systemd.show("k.service", "LoadState"))
    await once((tmp_path / "first").exists)
    elapse(PATIENCE)
    assert await asking == {"LoadState": "loaded"}


async def test_the_helper_is_started_and_its_file_seen(program: Program, tmp_path: Path) -> None:
    """While it still works: then the restart has begun."""
    wrote: list[int] = []
    systemd = program.says(f"echo x > {tmp_path}/kasia.env; sleep 0.5")
    assert await start(systemd, tmp_path, wrote) == Good({"unit": "k"})
    assert wrote == [1]
    assert program.ran[-1] == f"C --no-pager --no-ask-password start -- {HELPER}"


async def test_a_file_is_seen_however_soon_the_restart_fails(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the write would be said to have failed, and the file to be as it was."""
    monkeypatch.setattr(units, "LOOK", 60.0)
    wrote: list[int] = []
    program.shows = "ActiveState=failed\nResult=exit-code\nExecMainStatus=75\n"
    at_once = f"sleep 0.3; echo x > {tmp_path}/kasia.env; echo 'Job for x failed.' >&2; exit 1"
    result = await start(program.says(at_once), tmp_path, wrote)
    assert isinstance(result, Bad)
    assert (result.reason, wrote) == (SwitchReason.RESTART_FAILED, [1])


REFUSALS = {
    "Failed to start x.service: Interactive authentication required.": SwitchReason.NO_RIGHTS,
    "Failed to start x.service: Access denied as the requested operation requires interactive "
    "authentication. However, interactive authentication has not been enabled by the calling "
    "program.": SwitchReason.NO_RIGHTS,  # systemd 262
    "Failed to start x.service: Access denied": SwitchReason.NO_RIGHTS,
    "Failed to start x.service: Unit polkit.service not found.": SwitchReason.NO_POLKIT,
    "Failed to start x.service: Unit polkit.service is masked.": SwitchReason.NO_POLKIT,
    "Failed to start kaspad-taskd-switch@k:local.service: Unit not found.": (
        SwitchReason.HELPER_MISSING
    ),
    "Failed to connect to bus: No such file or directory": SwitchReason.NO_SYSTEMD,
}


@pytest.mark.parametrize("said", REFUSALS)
async def test_a_refusal_is_understood(program: Program, tmp_path: Path, said: str) -> None:
    """Nothing was touched, whatever it is."""
    result = await start(program.says(f"echo '{said}' >&2; exit 1"), tmp_path)
    assert isinstance(result, Bad)
    assert (result.reason, result.touched) == (REFUSALS[said], False)


@pytest.mark.parametrize(
    "said",
    ["Failed to wait for response: Connection reset by peer",
     "Warning! D-Bus connection terminated.", "what a later systemd may say", ""],
)  # fmt: skip
async def test_what_is_not_understood_may_have_been_done(
    program: Program, tmp_path: Path, said: str
) -> None:
    """Its connection was lost, or it was killed: the helper goes on without it."""
    result = await start(program.says(f"echo '{said}' >&2; exit 1"), tmp_path)
    assert isinstance(result, Bad)
    assert (result.reason, result.touched) == (SwitchReason.NO_SYSTEMD, True)


async def test_a_failure_that_cannot_be_looked_into(program: Program, tmp_path: Path) -> None:
    """The helper was at work, and systemd no longer says how it ended."""
    break_it = f"echo 'Job for x failed.' >&2; rm {tmp_path}/shown; exit 1"
    result = await start(program.says(break_it), tmp_path)
    assert isinstance(result, Bad)
    assert (result.reason, result.touched) == (SwitchReason.NO_SYSTEMD, True)


CODES = {
    "75": (SwitchReason.RESTART_FAILED, True),
    "77": (SwitchReason.SETTINGS_REFUSED, False),
    "78": (SwitchReason.SETTINGS_REFUSED, False),
    "67": (SwitchReason.SETTINGS_REFUSED, False),
    "73": (SwitchReason.ENDPOINT_UNWRITABLE, False),
    "238": (SwitchReason.ENDPOINT_UNWRITABLE, False),
    "203": (SwitchReason.HELPER_MISSING, False),
    "1": (SwitchReason.RESTART_FAILED, True),
    "9": (SwitchReason.RESTART_FAILED, True),
    "": (SwitchReason.RESTART_FAILED, True),
}


@pytest.mark.parametrize("code", CODES)
async def test_a_helper_that_fails_says_why(program: Program, tmp_path: Path, code: str) -> None:
    """By its exit code; where that tells nothing, something may be half done."""
    program.shows = f"ActiveState=failed\nResult=exit-code\nExecMainStatus={code}\n"
    result = await start(program.says("echo 'Job for x failed.' >&2; exit 1"), tmp_path)
    assert isinstance(result, Bad)
    assert (result.reason, result.touched) == CODES[code]


async def test_a_helper_that_took_too_long(program: Program, tmp_path: Path) -> None:
    """Ended by its unit's own time, or not answering at all."""
    program.shows = "ActiveState=failed\nResult=timeout\nExecMainStatus=15\n"
    result = await start(program.says("echo 'Job for x failed' >&2; exit 1"), tmp_path)
    assert isinstance(result, Bad)
    assert (result.reason, result.touched) == (SwitchReason.RESTART_TIMEOUT, True)


async def test_a_start_that_hangs_is_left(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its bound; the program is ended, what systemd does goes on."""
    monkeypatch.setattr(units, "HELPER", 0.5)
    result = await start(program.says("sleep 60"), tmp_path)
    assert isinstance(result, Bad)
    assert (result.reason, result.touched) == (SwitchReason.RESTART_TIMEOUT, True)


async def test_a_helper_at_work_for_the_other_side_is_waited_for(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of them would race for the file."""
    monkeypatch.setattr(units, "FREE", 0.05)
    program.shows = "ActiveState=activating\n"
    running = asyncio.ensure_future(start(program.says("true"), tmp_path))
    await once(lambda: len(program.ran) > 2)
    assert not any("start --" in line for line in program.ran)
    (tmp_path / "shown").write_text("ActiveState=inactive\n")
    assert isinstance(await running, Good)
    assert "public.service" in program.ran[0]


async def test_without_systemd_that_is_said(tmp_path: Path) -> None:
    """Here there is no such program."""
    systemd = Systemd(user=True, program=str(tmp_path / "none"))
    with pytest.raises(NoSystemd, match="cannot be run"):
        await systemd.show("x", "LoadState")
    result = await start(systemd, tmp_path)
    assert isinstance(result, Bad)
    assert (result.reason, result.touched) == (SwitchReason.NO_SYSTEMD, False)
